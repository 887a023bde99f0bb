"""First fit and best fit, against a list of hosts and a loop over it, and against published figures."""

from __future__ import annotations

import heapq
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.experiment.blocks import ENDLESS
from cloudsim.experiment.replay import HostGroup, replay
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.w1 import W1Trace
from cloudsim.randomness import Randomness
from tests.cloudsim.experiment.replay.workloads import clouds, host, played, single_cores, slots, traces


def naive(requests: list[VmRequest], hosts: list[HostGroup], policy: str) -> list[int]:
    kinds = [group for group in hosts for _ in range(group.number)]
    cpu, memory = [kind.cpu for kind in kinds], [kind.memory for kind in kinds]
    leaving: list[tuple[int, int]] = []
    found: list[int] = []
    for number, request in enumerate(requests):
        while leaving and leaving[0][0] <= request.arrival_ms:
            left = heapq.heappop(leaving)[1]
            slot, gone = found[left], requests[left]
            cpu[slot] += gone.cpus * gone.cpu_mhz
            memory[slot] += gone.memory_mib
        fitting = [
            slot
            for slot, kind in enumerate(kinds)
            if kind.cores >= request.cpus
            and kind.mhz >= request.cpu_mhz
            and cpu[slot] >= request.cpus * request.cpu_mhz
            and memory[slot] >= request.memory_mib
        ]
        slot = min(fitting, key=lambda s: (cpu[s], s) if policy == "best-fit" else s, default=-1)
        found.append(slot)
        if slot >= 0:
            cpu[slot] -= request.cpus * request.cpu_mhz
            memory[slot] -= request.memory_mib
            if request.lifetime_ms is not None:
                heapq.heappush(leaving, (request.arrival_ms + request.lifetime_ms, number))
    return found


@pytest.mark.parametrize("policy", ["first-fit", "best-fit"])
@settings(max_examples=40, deadline=None)
@given(hosts=clouds, trace=traces(), size=st.sampled_from((3, 1000)))
def test_hosts_are_those_of_a_loop_over_a_list(
    policy: str, hosts: list[HostGroup], trace: list[VmRequest], size: int
) -> None:
    result = played(trace, hosts, policy, size, samples=False)
    expected = naive(trace, hosts, policy)
    assert slots(result) == expected
    assert result.totals.check == sum((slot + 1) * (i + 1) for i, slot in enumerate(expected) if slot >= 0)


@pytest.mark.parametrize(
    ("policy", "hosts", "requests", "check"),
    [
        ("first-fit", 1000, 10_000, 119375713346),
        ("best-fit", 1000, 10_000, 153192084563),
        ("first-fit", 1000, 100_000, 1496347217217),
        ("best-fit", 1000, 100_000, 2594508166179),
        ("first-fit", 10_000, 100_000, 118243667766377),
        ("best-fit", 10_000, 100_000, 154736739743779),
    ],
)
def test_the_published_check_values_of_w1_are_met(policy: str, hosts: int, requests: int, check: int) -> None:
    trace = W1Trace(hosts=hosts, requests_after_warm_start=requests)
    blocks = lambda: trace.blocks(Path(), Randomness(0))  # noqa: E731
    totals = replay(blocks, [HostGroup(hosts, 64, 256 * 1024)], policy, samples=False).totals
    assert totals.check == check
    assert totals.placed == totals.requests == round(0.8 * 64 * hosts / 3.3) + requests


MANY = 64**3 + 100
"""More hosts than words of 64, words of those and words of those again can tell apart."""


def on_single_cores(policy: str, arrivals: list[int], leaving: list[int]) -> list[int]:
    """Slots of requests of one core each on MANY hosts of one; those of `leaving` are for 10 ms, the others run on."""
    lifetimes = np.full(len(arrivals), ENDLESS)
    lifetimes[leaving] = 10
    blocks = single_cores(np.array(arrivals), lifetimes)
    hosts = [host(1, 1, MANY)]
    return slots(replay(lambda: iter(blocks), hosts, policy, samples=False, keep_assignments=True, engine="indexed"))


def test_a_quarter_of_a_million_hosts_are_searched_in_their_order() -> None:
    found = on_single_cores("first-fit", [0] * MANY + [10] * 4, [MANY - 1, MANY - 70, 64**3])
    assert found == [*range(MANY), 64**3, MANY - 70, MANY - 1, -1]


def test_a_search_from_the_last_host_on_comes_round_over_as_many() -> None:
    at_the_end = range(MANY - 20, MANY)
    arrivals, leaving = [0] * MANY + [10] * 22, [3, *at_the_end]
    found = on_single_cores("round-robin", arrivals, leaving)
    assert found == [*range(MANY), 3, *at_the_end, -1]
    # Next fit is still at the last host, which is free again.
    found = on_single_cores("next-fit", arrivals, leaving)
    assert found == [*range(MANY), MANY - 1, 3, *at_the_end[:-1], -1]
