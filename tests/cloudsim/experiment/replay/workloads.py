"""Requests and hosts for tests of the replay: small ones drawn by hypothesis, large ones by NumPy, and both engines at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from hypothesis import strategies as st

from cloudsim.experiment.blocks import BLOCK, ENDLESS, Flavour, RequestBlock, blocks_of
from cloudsim.experiment.replay import HostGroup, ReplayResult, replay
from cloudsim.experiment.requests import VmRequest

HOUR = 3_600_000
YEAR = 365 * 24 * HOUR


def vm(arrival_ms: int = 0, lifetime_ms: int | None = None, cpus: int = 1, memory: int = 1, **more: Any) -> VmRequest:
    """A request for cores of 1 MHz (unless `cpu_mhz` says otherwise) and MiB."""
    return VmRequest("", arrival_ms, lifetime_ms, cpus, more.pop("cpu_mhz", 1), memory, **more)


def host(cores: int = 8, memory: int = 16, number: int = 1, **more: Any) -> HostGroup:
    """Hosts with cores of 1 MHz (unless `mhz` says otherwise) and MiB."""
    return HostGroup(number, cores, memory, more.pop("mhz", 1), **more)


def played(
    requests: Sequence[VmRequest], hosts: Sequence[HostGroup], policy: str = "first-fit", size: int = 1000, **more: Any
) -> ReplayResult:
    """The replay of these requests, read in blocks of `size`."""
    return replay(lambda: blocks_of(requests, size), hosts, policy, keep_assignments=True, **more)


def slots(result: ReplayResult) -> list[int]:
    assert result.assignments is not None
    found: list[int] = result.assignments.tolist()
    return found


def random_block(
    draws: np.random.Generator, number: int, gap_ms: int, lifetimes_ms: tuple[int, int], cpus: int, memory: int
) -> RequestBlock:
    """Requests with exponential gaps, half of them 0; lifetimes over all scales in that range; all sizes up to those alike."""
    gaps = np.rint(draws.exponential(2 * gap_ms, number)).astype(np.int64) * draws.integers(0, 2, number)
    low, high = (math.log(limit) for limit in lifetimes_ms)
    lifetimes = np.exp(draws.uniform(low, high, number)).astype(np.int64)
    lifetimes[draws.random(number) < 0.02] = ENDLESS
    flavours = [Flavour(c, 1, m) for c in range(1, cpus + 1) for m in range(1, memory + 1)]
    sizes = draws.integers(0, len(flavours), number)
    return RequestBlock(0, np.cumsum(gaps), lifetimes, np.full(number, ENDLESS), sizes, flavours)


def single_cores(arrivals: np.ndarray, lifetimes: np.ndarray, size: int = BLOCK) -> list[RequestBlock]:
    """Requests for one core each, and no memory."""
    code, expected = np.zeros(len(arrivals), np.int64), np.full(len(arrivals), ENDLESS)
    columns = (arrivals, lifetimes, expected, code)
    cuts = range(0, len(arrivals), size)
    return [RequestBlock(i, *(column[i : i + size] for column in columns), [Flavour(1, 1, 0)]) for i in cuts]


def assert_same(indexed: ReplayResult, general: ReplayResult) -> None:
    """Every slot, counter and sample is the same; integrals are, as far as sums of doubles can be."""
    assert (indexed.totals.engine, general.totals.engine) == ("indexed", "general")
    assert slots(indexed) == slots(general)
    one, other = msgspec.structs.asdict(indexed.totals), msgspec.structs.asdict(general.totals)
    rounding = 1e-13 * one["end_ms"] * max(one["cpu_capacity"], one["memory_capacity"])
    for name, value in one.items():
        if isinstance(value, float):
            assert math.isclose(value, other[name], rel_tol=1e-9, abs_tol=rounding), name
        elif name != "engine":
            assert value == other[name], name
    assert indexed.samples == general.samples


_groups = st.builds(
    host,
    st.sampled_from((2, 4, 5)),
    st.sampled_from((6, 8, 13)),
    st.integers(1, 3),
    mhz=st.integers(1, 2),
    cpu_overcommit=st.sampled_from((1.0, 1.5)),
    memory_overcommit=st.sampled_from((1.0, 1.25)),
)
clouds = st.lists(_groups, min_size=1, max_size=4)

_gaps = st.sampled_from((0, 0, 0, 1, 7, 1000, 60_000, HOUR, YEAR // 50))
_lifetimes = st.sampled_from((None, 0, 1, 6, 999, 65_000, HOUR, 30 * HOUR, YEAR // 4, 2 * YEAR))
_rows = st.tuples(_gaps, _lifetimes, st.integers(1, 5), st.integers(1, 2), st.sampled_from((1, 2, 3, 4, 8, 14)))


@st.composite
def traces(draw: st.DrawFn) -> list[VmRequest]:
    """Up to forty requests with simultaneous arrivals and departures, on all scales of time."""
    now, found = 0, []
    for gap, lifetime, cpus, mhz, memory in draw(st.lists(_rows, min_size=1, max_size=40)):
        now += gap
        found.append(vm(now, lifetime, cpus, memory, cpu_mhz=mhz))
    return found
