"""A run's sums, from where instances were placed: exactly what the replay engine has integrated as it went."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.experiment.blocks import RequestBlock, blocks_of
from cloudsim.experiment.compare import cells, snapshots
from cloudsim.experiment.compare.placements import Placements, of_replay
from cloudsim.experiment.replay import HostGroup, ReplayResult, replay
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.w1 import blocks as w1_blocks

POLICIES = ["first-fit", "best-fit", "worst-fit", "l2-norm", "next-fit", "random"]
GROUPS = (HostGroup(2, 8, 16384), HostGroup(2, 16, 65536, gpus=2, gpu_model="A"), HostGroup(1, 4, 8192, cpu_overcommit=2))

request = st.builds(
    VmRequest,
    id=st.just(""),
    arrival_ms=st.integers(0, 2000),
    lifetime_ms=st.one_of(st.none(), st.integers(1, 1500)),
    cpus=st.integers(1, 8),
    cpu_mhz=st.just(1000),
    memory_mib=st.integers(1, 16).map(lambda gib: 1024 * gib),
    gpus=st.integers(0, 1),
    gpu_milli=st.sampled_from([300, 1000]),
)
traces = st.lists(request, min_size=1, max_size=40).map(lambda found: sorted(found, key=lambda r: r.arrival_ms))


def placed(
    blocks: list[RequestBlock], policy: str, groups: tuple[HostGroup, ...], until: str = "last-arrival"
) -> tuple[ReplayResult, Placements]:
    result = replay(
        lambda: iter(blocks), groups, policy, samples=False, keep_assignments=True, until=until  # type: ignore[arg-type]
    )
    assert result.assignments is not None
    return result, of_replay(blocks, result.assignments, groups, result.totals.end_ms)


@settings(deadline=None, max_examples=60)
@given(traces, st.sampled_from(POLICIES), st.sampled_from(["last-arrival", "last-departure"]))
def test_sums_over_all_cells_are_the_engines_totals(trace: list[VmRequest], policy: str, until: str) -> None:
    result, placements = placed(list(blocks_of(trace)), policy, GROUPS, until)
    sums, peaks = cells.cells_of(placements)
    found = dict(zip(cells.COLUMNS, sums.sum(axis=0).tolist(), strict=True))
    totals = result.totals
    assert found["requests"] == totals.measured_requests
    assert found["rejected"] == totals.measured_rejected
    exact = {
        "time": totals.measured_ms,
        "instances": totals.live,
        "not_empty": totals.not_empty,
        "cpu": totals.cpu,
        "memory": totals.memory,
        "gpu": totals.gpu,
        "busy_cpu": totals.busy_cpu,
        "busy_memory": totals.busy_memory,
        "bound": totals.bound,
        "asked_core_ms": totals.asked_core_ms,
        "refused_core_ms": totals.refused_core_ms,
    }
    assert {name: found[name] for name in exact} == pytest.approx(exact, rel=1e-9, abs=1e-6)
    if totals.end_ms and until == "last-departure" and all(r.lifetime_ms for r in trace):
        assert peaks.max(axis=0).tolist() == [totals.live_peak, totals.not_empty_peak]


def test_every_cell_is_as_the_engine_would_have_it_from_then_on() -> None:
    blocks = list(w1_blocks(10, 300))
    hosts = (HostGroup(10, 64, 256 * 1024),)
    _, placements = placed(blocks, "best-fit", hosts)
    sums, _ = cells.cells_of(placements)
    edges = cells.edges_of(placements.over)
    for first in (1, 100, 479):
        begin = int(np.ceil(edges[first]))
        totals = replay(
            lambda: iter(blocks), hosts, "best-fit", samples=False, measure_from_ms=begin
        ).totals
        found = sums[first:].sum(axis=0)
        # The cell's bound is no whole millisecond, where the engine's is: a host's worth of a millisecond is between them.
        assert found[cells.COLUMNS.index("not_empty")] == pytest.approx(totals.not_empty, abs=10)
        assert found[cells.COLUMNS.index("requests")] == pytest.approx(totals.measured_requests, abs=1)


def _states(trace: list[VmRequest], result: ReplayResult, instant: float) -> tuple[np.ndarray, np.ndarray]:
    """MHz and MiB used by host at that instant, request by request."""
    used = np.zeros((5, 2), np.int64)
    assert result.assignments is not None
    for each, host in zip(trace, result.assignments.tolist(), strict=True):
        end = np.inf if each.lifetime_ms is None else each.arrival_ms + each.lifetime_ms
        if host >= 0 and each.arrival_ms <= instant < end:
            used[host] += (each.cpus * each.cpu_mhz, each.memory_mib)
    return used[:, 0], used[:, 1]


@settings(deadline=None, max_examples=15)
@given(traces, st.sampled_from(POLICIES))
def test_snapshots_see_the_hosts_as_they_are(trace: list[VmRequest], policy: str) -> None:
    result, placements = placed(list(blocks_of(trace)), policy, GROUPS)
    rows = snapshots.snapshots_of(placements)
    assert rows.shape == (cells.CELLS // snapshots.EVERY, len(snapshots.COLUMNS))
    if not placements.over:
        return
    instants = cells.edges_of(placements.over)[snapshots.EVERY :: snapshots.EVERY]
    capacity = placements.capacity
    for row in (0, 60, 118):
        cpu, memory = _states(trace, result, instants[row])
        load = np.sort(np.maximum(cpu / capacity[:, 0], memory / capacity[:, 1]))
        n = len(load)
        pairs = np.abs(load[:, None] - load[None, :]).sum()
        wanted = pairs / (2 * n * load.sum()) if load.sum() else 0.0
        assert rows[row, snapshots.COLUMNS.index("gini")] == pytest.approx(wanted, abs=1e-9)
        asked = {(r.cpus * r.cpu_mhz, r.memory_mib) for r in trace if r.arrival_ms <= instants[row]}
        room = np.column_stack((capacity[:, 0] - cpu, capacity[:, 1] - memory))
        useless = [not any((host >= size).all() for size in asked) for host in room]
        stranded = room[useless, 0].sum() / capacity[:, 0].sum() if asked else 0.0
        assert rows[row, snapshots.COLUMNS.index("stranded_cpu")] == pytest.approx(stranded)


def test_what_ends_with_the_run_is_in_its_last_snapshot() -> None:
    trace = [VmRequest("a", 0, None, 8, 1000, 1024), VmRequest("b", 960, None, 8, 1000, 1024)]
    _, placements = placed(list(blocks_of(trace)), "worst-fit", (HostGroup(2, 8, 16384),))
    rows = snapshots.snapshots_of(placements)
    # One host of two has all the load until the end, which the second request comes with.
    assert rows[-2, snapshots.COLUMNS.index("gini")] == pytest.approx(0.5)


def test_equal_hosts_have_no_bound_but_the_volume_bound() -> None:
    _, placements = placed(list(w1_blocks(5, 20)), "first-fit", (HostGroup(5, 64, 256 * 1024),))
    assert np.isnan(snapshots.snapshots_of(placements)[:, -1]).all()


def _one() -> Iterator[VmRequest]:
    yield VmRequest("a", 0, None, 1, 1000, 1024)


def test_a_trace_that_takes_no_time_has_no_time_averages() -> None:
    _, placements = placed(list(blocks_of(_one())), "first-fit", (HostGroup(5, 64, 256 * 1024),))
    sums, _ = cells.cells_of(placements)
    assert sums[:, cells.COLUMNS.index("time")].sum() == 0
    assert sums[:, cells.COLUMNS.index("requests")].sum() == 1


