"""What is in a trace: exact counts and peaks, percentiles to within a per cent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.experiment.blocks import blocks_of
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.describing import describe
from cloudsim.experiment.traces.w1 import W1Trace
from cloudsim.randomness import Randomness

requests = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.one_of(st.none(), st.integers(1, 9)),
        st.integers(1, 4),
        st.integers(1, 5000),
        st.integers(0, 2),
    ),
    max_size=30,
)


@given(requests, st.integers(1, 7))
def test_peaks_and_means_are_those_of_a_clock_that_ticks(
    drawn: list[tuple[int, int | None, int, int, int]], size: int
) -> None:
    trace = []
    clock = 0
    for gap, lifetime, cpus, mib, gpus in drawn:
        clock += gap
        trace.append(VmRequest(str(len(trace)), clock, lifetime, cpus, 500, mib, gpus, 250))
    info = describe(blocks_of(trace, size))
    assert info.requests == len(trace)
    first = trace[0].arrival_ms if trace else 0
    for name, part in (
        ("instances", lambda r: 1),
        ("cores", lambda r: r.cpus),
        ("cpu_ghz", lambda r: r.cpus / 2),
        ("memory_gib", lambda r: r.memory_mib / 1024),
        ("gpus", lambda r: r.gpus / 4),
    ):
        peak = 0.0
        for arrived in range(len(trace)):
            there = [
                r
                for r in trace[: arrived + 1]
                if r.lifetime_ms is None or r.arrival_ms + r.lifetime_ms > trace[arrived].arrival_ms
            ]
            peak = max(peak, sum(map(part, there)))
        assert getattr(info, name).peak == pytest.approx(peak)
        if clock > first:
            area = sum(
                part(r)
                for r in trace
                for ms in range(first, clock)
                if r.arrival_ms <= ms and (r.lifetime_ms is None or ms < r.arrival_ms + r.lifetime_ms)
            )
            assert getattr(info, name).mean == pytest.approx(area / (clock - first))


@given(st.lists(st.integers(1, 2**53), min_size=1, max_size=200))
def test_percentiles_are_within_a_per_cent_and_the_ends_exact(lifetimes: list[int]) -> None:
    info = describe(blocks_of(VmRequest(str(i), 0, ms, 1, 1, 1) for i, ms in enumerate(lifetimes)))
    found = info.lifetimes
    assert found.count == len(lifetimes)
    assert found.mean == pytest.approx(np.mean(np.array(lifetimes, float)) / 1000)
    for percent, seconds in found.percentiles.items():
        exact = np.percentile(lifetimes, percent, method="inverted_cdf") / 1000
        assert seconds == pytest.approx(exact, rel=0.01 if 0 < percent < 100 else 1e-12)


def test_sizes_tenants_groups_and_predictions_are_counted() -> None:
    trace = [
        VmRequest("a", 0, 5, 1, 1000, 64, tenant="x", expected_ms=6, affinity=("g",)),
        VmRequest("b", 0, None, 2, 1000, 64, tenant="y", anti_affinity=("g", "h")),
        VmRequest("c", 7, 5, 2, 1000, 64, tenant="x"),
        VmRequest("d", 8, 5, 4, 1000, 64),
    ]
    info = describe(blocks_of(trace), most=2)
    assert (info.endless, info.predicted, info.tenants) == (1, 1, 2)
    assert (info.in_affinity_groups, info.in_anti_affinity_groups) == (1, 1)
    assert info.flavours == 3
    assert [(flavour.cpus, count) for flavour, count in info.most_wanted] == [(2, 2), (1, 1)]
    assert info.span_s == 0.008


def test_gaps_of_a_poisson_process_vary_as_much_as_they_are_long() -> None:
    trace = W1Trace(hosts=10, requests_after_warm_start=20_000, start=155)
    info = describe(trace.blocks(Path(), Randomness(1)))
    assert info.gap_mean_s == pytest.approx(86_400 / 155, rel=0.03)
    assert info.gap_variation == pytest.approx(1, abs=0.03)
    assert info.cores.mean == pytest.approx(0.8 * 640, rel=0.15)


def test_a_trace_without_any_requests() -> None:
    info = describe([])
    assert (info.requests, info.span_s, info.lifetimes.percentiles, info.instances.peak) == (0, 0.0, {}, 0.0)
