"""What only the general engine knows: GPUs, tags, NUMA nodes, tenants, groups, foretold ends, batches that are ordered."""

from __future__ import annotations

import pytest

from cloudsim.experiment.replay import HostGroup
from cloudsim.experiment.requests import VmRequest
from tests.cloudsim.experiment.replay.workloads import HOUR, host, played, slots, vm


def placed(requests: list[VmRequest], hosts: list[HostGroup], policy: str = "first-fit") -> list[int]:
    result = played(requests, hosts, policy)
    assert result.totals.engine == "general"
    assert result.totals.placed + sum(result.totals.rejected.values()) == len(requests)
    return slots(result)


def why(requests: list[VmRequest], hosts: list[HostGroup], policy: str = "first-fit") -> dict[str, int]:
    """How many requests were refused, by cause."""
    return played(requests, hosts, policy).totals.rejected


# GPUs


def test_a_share_of_a_gpu_comes_from_the_fullest_device_that_has_it() -> None:
    share = [vm(0, gpus=1, gpu_milli=milli) for milli in (400, 600, 1000, 1)]
    assert placed(share, [host(gpus=2)]) == [0, 0, 0, -1]
    assert why(share, [host(gpus=2)]) == {"gpu": 1}


def test_gpus_are_given_back() -> None:
    trace = [vm(0, 5, gpus=2), vm(4, gpus=1), vm(5, gpus=1)]
    assert placed(trace, [host(gpus=2)]) == [0, -1, 0]


def test_gpus_must_be_of_a_model_that_was_asked_for() -> None:
    hosts = [host(gpus=1, gpu_model="T4"), host(gpus=2, gpu_model="A100")]
    trace = [vm(gpus=1, gpu_models=("A100", "H100")), vm(gpus=1), vm(gpus=1, gpu_models=("T4",)), vm(gpus=2), vm(gpus=1)]
    assert placed(trace, hosts) == [1, 0, -1, -1, 1]


# tags and NUMA nodes


def test_a_host_has_all_tags_that_are_asked_for() -> None:
    hosts = [host(), host(tags=("ssd",)), host(tags=("ssd", "fast"))]
    trace = [vm(tags=("fast", "ssd")), vm(tags=("ssd",)), vm(), vm(tags=("slow",))]
    assert placed(trace, hosts) == [2, 1, 0, -1]
    assert why(trace, hosts) == {"tags": 1}


def test_an_instance_fits_into_a_node_or_evenly_into_several() -> None:
    nodes = [host(8, 16, numa=((4, 8), (4, 8)))]
    assert placed([vm(cpus=3), vm(cpus=3), vm(cpus=2)], nodes) == [0, 0, -1]
    assert why([vm(cpus=3), vm(cpus=3), vm(cpus=2)], nodes) == {"numa": 1}
    assert placed([vm(cpus=3), vm(cpus=3), vm(cpus=2, memory=2, numa_nodes=2)], nodes) == [0, 0, 0]
    assert placed([vm(0, 5, cpus=8, memory=8, numa_nodes=2), vm(4, cpus=4), vm(5, cpus=4)], nodes) == [0, -1, 0]


def test_hosts_that_do_not_say_what_nodes_they_have_take_anything() -> None:
    hosts = [host(8, 16, numa=((4, 8), (4, 8))), host(8, 16)]
    assert placed([vm(cpus=5), vm(cpus=4), vm(cpus=3)], hosts) == [1, 0, 0]


# groups


def test_instances_of_an_anti_affinity_group_are_on_different_hosts_while_they_run() -> None:
    apart = {"anti_affinity": ("g",)}
    trace = [vm(0, 5, **apart), vm(0, **apart), vm(1), vm(4, **apart), vm(5, **apart)]
    assert placed(trace, [host(number=2)]) == [0, 1, 0, -1, 0]
    assert why(trace, [host(number=2)]) == {"constraint": 1}


def test_instances_of_an_affinity_group_are_where_the_first_one_is() -> None:
    together = {"affinity": ("g",)}
    trace = [vm(0, 5, 7), vm(1, 9, 7, **together), vm(6, 4, 1, **together), vm(6, 1, 1, **together), vm(20, 1, 1, **together)]
    assert placed(trace, [host(number=2)]) == [0, 1, 1, -1, 0], "and anywhere again when all have left"


def test_an_instance_may_be_in_groups_of_both_kinds() -> None:
    trace = [
        vm(affinity=("a",), anti_affinity=("x",)),
        vm(anti_affinity=("x",)),
        vm(affinity=("a",), anti_affinity=("y",)),
        vm(affinity=("a",), anti_affinity=("y",)),
    ]
    assert placed(trace, [host(number=3)]) == [0, 1, 0, -1]


# who asks, and for how long


def test_policies_know_the_tenants() -> None:
    trace = [vm(tenant="a"), vm(tenant="a"), vm(tenant="b"), vm(tenant="a")]
    assert placed(trace, [host(number=3)], "user-dispersing") == [0, 1, 0, 2]
    assert placed(trace, [host(number=2)], "implicit-dedication") == [0, 0, 1, 0]
    assert why([vm(tenant="a"), vm(tenant="b")], [host()], "implicit-dedication") == {"policy": 1}


def test_policies_know_the_ends_that_are_foretold_and_not_the_true_ones() -> None:
    trace = [
        vm(0, 9 * HOUR, 5, expected_ms=HOUR),
        vm(0, HOUR, 5, expected_ms=9 * HOUR),
        vm(1, HOUR, 1, expected_ms=8 * HOUR),
    ]
    assert placed(trace, [host(number=2)], "lifetime-alignment") == [0, 1, 1]


# batches


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_requests_of_one_instant_are_placed_in_the_policys_order_however_they_were_read(size: int) -> None:
    trace = [vm(0, cpus=2), vm(5, cpus=3), vm(5, cpus=6), vm(5, cpus=5), vm(6, cpus=2)]
    result = played(trace, [host(number=2)], "first-fit-decreasing,measure=cpu", size)
    # The six cores go beside the two that were there, five next, and three beside them.
    assert slots(result) == [0, 1, 0, 1, -1]
    assert slots(played(trace, [host(number=2)], "first-fit", size)) == [0, 0, 1, -1, 0]


# chance


def test_chance_comes_from_the_seed() -> None:
    trace = [vm(i, 50) for i in range(100)]
    found = [slots(played(trace, [host(number=20)], "random", seed=seed)) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


# from one engine to the other


@pytest.mark.parametrize(
    "last",
    [
        vm(9, affinity=("g",)),
        vm(9, anti_affinity=("g",)),
        vm(9, tags=("ssd",)),
        vm(9, gpus=1),
        vm(9, numa_nodes=2),
    ],
    ids=["affinity", "anti-affinity", "tags", "GPUs", "NUMA nodes"],
)
def test_a_trace_that_turns_out_to_ask_for_more_is_begun_again_and_counted_once(last: VmRequest) -> None:
    trace = [vm(i, 3, 3) for i in range(9)]
    result = played([*trace, last], [host(number=1)], size=4)
    plain = played(trace, [host(number=1)], size=4)
    assert (plain.totals.engine, result.totals.engine) == ("indexed", "general")
    assert slots(result)[:9] == slots(plain)
    assert result.totals.requests == 10
    assert len(result.samples) == len({s.time_ms for s in result.samples})
    assert result.totals.live_peak == plain.totals.live_peak
    assert result.totals.rejected["cpu"] == plain.totals.rejected["cpu"] > 0
