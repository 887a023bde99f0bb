"""Service and disk offerings."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.disk_traits import DiskTraits, traits_of
from cloudsim.management.compute.offerings import GIB, Offerings, planner_of, planners
from cloudsim.model import DiskOffering, ServiceOffering
from tests.cloudsim.management.bare import bare

FIXED: dict[str, Any] = {"name": "o", "cpus": 2, "cpu_mhz": 1000, "memory_mib": 512}


@pytest.fixture
def offerings() -> Offerings:
    return Offerings(bare())


def test_a_fixed_offering_has_a_size(offerings: Offerings) -> None:
    made = offerings.create_service(**FIXED, host_tags=("a",), details={"k": "v"}, is_system=True)
    assert (made.display_text, made.cpus, made.system_vm_type) == ("o", 2, "domainrouter")
    assert made.details == {"k": "v"}


def test_an_offering_without_a_size_leaves_it_to_the_caller(offerings: Offerings) -> None:
    made = offerings.create_service(name="c", cpu_mhz=500, details={"mincpunumber": "1", "maxcpunumber": "4"})
    assert (made.cpus, made.cpu_mhz, made.memory_mib) == (None, 500, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"cpus": None},
        {"cpu_mhz": None},
        {"memory_mib": 16},
        {"cpus": 0},
        {"customized": True},
        {"cpus": None, "memory_mib": None, "customized": False},
        {"is_system": True, "system_vm_type": "toaster"},
        {"network_rate": -1},
        {"deployment_planner": "NoSuchPlanner"},
        {"deployment_planner": "best-fit,norm=l9"},
        {"deployment_planner": "first-fit", "details": {"ImplicitDedicationMode": "Strict"}},
        {"deployment_planner": "ImplicitDedicationPlanner", "details": {"ImplicitDedicationMode": "Often"}},
        {"root_disk_size": 0},
        {"gpus": 2, "gpu_milli": 500},
        {"disk": DiskTraits(provisioning_type="chubby")},
        {"disk": DiskTraits(min_iops=5)},
        {"disk": DiskTraits(customized_iops=True, max_iops=5)},
        {"cpus": None, "memory_mib": None, "details": {"minmemory": "9", "maxmemory": "8"}},
        {"cpus": None, "memory_mib": None, "details": {"minmemory": "x"}},
    ],
)
def test_an_offering_that_is_wrong_is_not_made(offerings: Offerings, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterValue):
        offerings.create_service(**{**FIXED, **wrong})


@pytest.mark.parametrize("planner", planners())
def test_every_planner_can_be_named(offerings: Offerings, planner: str) -> None:
    assert offerings.create_service(**FIXED, deployment_planner=planner).deployment_planner == planner


@pytest.mark.parametrize(
    ("planner", "details", "policy"),
    [
        (None, {}, None),
        ("best-fit,norm=l2", {"k": "v"}, "best-fit,norm=l2"),
        ("ImplicitDedicationPlanner", {}, "ImplicitDedicationPlanner"),
        ("ImplicitDedicationPlanner", {"ImplicitDedicationMode": "Preferred"}, "ImplicitDedicationPlanner,mode=preferred"),
    ],
)
def test_an_offering_says_which_policy_places_its_instances(
    offerings: Offerings, planner: str | None, details: dict[str, str], policy: str | None
) -> None:
    assert planner_of(offerings.create_service(**FIXED, deployment_planner=planner, details=details)) == policy


def test_a_service_offering_keeps_its_disks_traits(offerings: Offerings) -> None:
    disk = DiskTraits(
        storage_type="local", tags=("ssd",), bytes_read_rate=10, customized_iops=True, cache_mode="none"
    )
    assert traits_of(offerings.create_service(**FIXED, disk=disk)) == disk


def test_offerings_are_changed_and_withdrawn(offerings: Offerings) -> None:
    made = offerings.create_service(**FIXED)
    changed = offerings.update_service(made, name="n", host_tags=["a"], storage_tags=["b"], zone_ids="all")
    assert (changed.name, changed.host_tags, changed.storage_tags) == ("n", ("a",), ("b",))
    with pytest.raises(InvalidParameterValue):
        offerings.update_service(made, domain_ids="nowhere")
    with pytest.raises(InvalidParameterValue):
        offerings.update_service(made, state="Sleepy")
    offerings.delete_service(made)
    table = offerings._foundation.table(ServiceOffering)
    assert table[made.id].state == "Inactive"
    with pytest.raises(InvalidParameterValue, match="Default"):
        offerings.delete_service(offerings.create_service(**FIXED, default_use=True))


def test_disk_offerings_have_a_size_or_are_customized(offerings: Offerings) -> None:
    fixed = offerings.create_disk(name="d", size=GIB, disk=DiskTraits(tags=("a",), max_iops=7, min_iops=1))
    assert (fixed.size, fixed.tags, fixed.max_iops) == (GIB, ("a",), 7)
    assert offerings.create_disk(name="c", customized=True).size == 0
    for wrong in ({"size": GIB, "customized": True}, {}, {"size": 0}):
        with pytest.raises(InvalidParameterValue):
            offerings.create_disk(name="d", **wrong)  # type: ignore[arg-type]


def test_disk_offerings_are_changed_and_withdrawn(offerings: Offerings) -> None:
    made = offerings.create_disk(name="d", size=GIB)
    changed = offerings.update_disk(made, tags=["x"], rates={"iops_read_rate": 5, "cache_mode": None})
    assert (changed.tags, changed.iops_read_rate, changed.size) == (("x",), 5, GIB)
    with pytest.raises(InvalidParameterValue):
        offerings.update_disk(made, rates={"cache_mode": "psychic"})
    offerings.delete_disk(made)
    assert offerings._foundation.table(DiskOffering)[made.id].state == "Inactive"
