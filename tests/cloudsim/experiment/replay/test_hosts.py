"""The hosts of a replay: from a datacenter's description, in the order in which a cloud adds them."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.experiment.errors import ScenarioError
from cloudsim.experiment.replay import HostGroup, groups_of
from cloudsim.experiment.replay.hosts import arrays_of
from tests.cloudsim.experiment.replay.workloads import host


def test_racks_are_clusters_and_hosts_come_pod_by_pod_and_rack_by_rack() -> None:
    described = {
        "zones": [
            {
                "pods": [
                    {"count": 2, "racks": [{"hosts": [{"count": 2, "cores": 16}]}, {"count": 2, "hosts": 3}]},
                    {"racks": 1},
                ]
            }
        ]
    }
    found = [(g.pod, g.cluster, g.number, g.cores) for g in groups_of(described)]
    assert found == [
        ("pod-1", "cluster-1", 2, 16),
        ("pod-1", "cluster-2", 3, 8),
        ("pod-1", "cluster-3", 3, 8),
        ("pod-2", "cluster-4", 2, 16),
        ("pod-2", "cluster-5", 3, 8),
        ("pod-2", "cluster-6", 3, 8),
        ("pod-3", "cluster-7", 4, 8),
    ]


def test_what_is_left_out_is_what_a_datacenter_has_by_default() -> None:
    four = [HostGroup(4, 8, 32 * 1024, 2000)]
    assert groups_of({}) == groups_of({"zones": 1}) == groups_of({"zones": [{}]}) == groups_of({"zones": [{"pods": 1}]}) == four


@pytest.mark.parametrize(
    ("hosts", "memory"),
    [({"memory_gib": 1.5}, 1536), ({"memory_mib": 100}, 100), ({"memory_mib": None, "memory_gib": 2}, 2048)],
)
def test_memory_is_written_as_gib_or_as_mib(hosts: dict[str, Any], memory: int) -> None:
    (group,) = groups_of({"zones": [{"pods": [{"racks": [{"hosts": [hosts]}]}]}]})
    assert group.memory == memory


@pytest.mark.parametrize("zones", [2, [], [{}, {}], [{"count": 2}]])
def test_a_replay_places_in_one_zone(zones: Any) -> None:
    with pytest.raises(ScenarioError, match="expected exactly one zone"):
        groups_of({"zones": zones})


def test_overcommit_multiplies_what_a_host_gives_and_not_its_cores() -> None:
    arrays = arrays_of([host(4, 10, 2, mhz=3, cpu_overcommit=1.5, memory_overcommit=1.25)])
    assert arrays.cpu_total[:2].tolist() == arrays.cpu_room[:2].tolist() == [18, 18]
    assert arrays.memory_total[:2].tolist() == [12, 12]
    assert (arrays.cpus[0], arrays.speed[0]) == (4, 3)


def test_arrays_have_all_that_groups_say() -> None:
    arrays = arrays_of(
        [host(2, 8, 70, pod="a", cluster="b"), host(4, 8, gpus=3, gpu_model="T4", tags=("ssd",), numa=((2, 4), (2, 3)))]
    )
    assert arrays.size == 71, "more than there was room for at first"
    assert (arrays.least_cpus, arrays.least_speed) == (2, 1)
    assert arrays.pod[0] == arrays.pod[69] == arrays.group("a") != arrays.pod[70]
    assert arrays.cluster[69] == arrays.group("b")
    assert arrays.gpu_free[69:71].tolist() == [[-1, -1, -1], [1000, 1000, 1000]]
    assert arrays.numa_cpu[69:71].tolist() == [[-1, -1], [2, 2]]
    assert arrays.numa_memory[70].tolist() == [4, 3]
    assert (arrays.models[70], arrays.tags[70]) == ("T4", {"ssd"})
    assert arrays.totals() == {
        "cpu_total": 144, "cpu_used": 0, "memory_total": 568, "memory_used": 0, "gpu_total": 3000, "gpu_used": 0,
    }  # fmt: skip
