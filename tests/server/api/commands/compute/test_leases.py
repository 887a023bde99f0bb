"""Leases of instances: how they begin, what they end with, and who is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks, Vm

DAY = 86_400.0
HOUR = 3600.0


@pytest.fixture
def leasing(cloud: TwoRacks) -> TwoRacks:
    """A cloud in which instances may have leases."""
    cloud.admin("updateConfiguration", name="instance.lease.enabled", value="true")
    return cloud


def lease_of(cloud: TwoRacks, vm: Vm) -> tuple[Any, Any]:
    found = cloud.vm(vm["id"])
    assert ("leaseexpirydate" in found) == ("leaseduration" in found)
    return found.get("leaseduration"), found.get("leaseexpiryaction")


def leased(cloud: TwoRacks, wanted: bool = True) -> set[str]:
    found = cloud.admin("listVirtualMachines", leased=wanted).get("virtualmachine", [])
    return {vm["name"] for vm in found}


def offering(cloud: TwoRacks, **more: Any) -> dict[str, Any]:
    asked = {"name": "for a week", "displaytext": "for a week", "cpunumber": 1, "cpuspeed": 500, "memory": 256, **more}
    return dict(cloud.admin("createServiceOffering", **asked)["serviceoffering"])


def test_an_instance_is_stopped_when_its_lease_expires_and_has_none_any_more(leasing: TwoRacks) -> None:
    vm = leasing.deploy("web", leaseduration=2, leaseexpiryaction="STOP")
    other = leasing.deploy("other")
    assert lease_of(leasing, vm) == (2, "STOP") and lease_of(leasing, other) == (None, None)
    assert leased(leasing) == {"web"} and leased(leasing, False) == {"other"}
    leasing.cloud.wait(1.5 * DAY)
    assert lease_of(leasing, vm) == (1, "STOP") and leasing.state(vm["id"]) == "Running"
    leasing.cloud.wait(0.5 * DAY + 2 * HOUR)
    assert leasing.state(vm["id"]) == "Stopped" and vm["instancename"] not in leasing.running()
    assert lease_of(leasing, vm) == (None, None) and leased(leasing) == set()
    assert leasing.events(vm["id"]).count("VM.LEASE.EXPIRED") == 1
    leasing.admin("startVirtualMachine", id=vm["id"])
    leasing.cloud.wait(2 * HOUR)
    assert leasing.state(vm["id"]) == "Running" and leasing.state(other["id"]) == "Running"


def test_an_instance_whose_lease_says_so_is_destroyed_once_it_is_not_protected(leasing: TwoRacks) -> None:
    vm = leasing.deploy("web", leaseduration=1, leaseexpiryaction="DESTROY")
    leasing.admin("updateVirtualMachine", id=vm["id"], deleteprotection=True)
    leasing.cloud.wait(1.2 * DAY)
    assert leasing.state(vm["id"]) == "Running" and lease_of(leasing, vm) == (0, "DESTROY")
    leasing.admin("updateVirtualMachine", id=vm["id"], deleteprotection=False)
    leasing.cloud.wait(2 * HOUR)
    assert leasing.state(vm["id"]) == "Destroyed" and leasing.rows()["InstanceLease"] == []


def test_an_offering_gives_its_instances_a_lease_that_the_caller_may_change_or_do_without(leasing: TwoRacks) -> None:
    made = offering(leasing, leaseduration=7, leaseexpiryaction="DESTROY")
    assert (made["leaseduration"], made["leaseexpiryaction"]) == (7, "DESTROY")
    assert "serviceofferingdetails" not in made
    of = {"serviceofferingid": made["id"]}
    assert lease_of(leasing, leasing.deploy("a", **of)) == (7, "DESTROY")
    assert lease_of(leasing, leasing.deploy("b", **of, leaseduration=2)) == (2, "DESTROY")
    assert lease_of(leasing, leasing.deploy("c", **of, leaseexpiryaction="STOP")) == (7, "STOP")
    assert lease_of(leasing, leasing.deploy("d", **of, leaseduration=-1)) == (None, None)


def test_a_lease_is_made_longer_changed_and_given_up(leasing: TwoRacks) -> None:
    vm = leasing.deploy("web", leaseduration=2, leaseexpiryaction="STOP")
    leasing.cloud.wait(0.2 * DAY)
    leasing.admin("updateVirtualMachine", id=vm["id"], leaseduration=3)
    assert lease_of(leasing, vm) == (3, "STOP")
    leasing.admin("updateVirtualMachine", id=vm["id"], leaseexpiryaction="DESTROY")
    assert lease_of(leasing, vm) == (3, "DESTROY")
    leasing.admin("updateVirtualMachine", id=vm["id"], leaseduration=1)
    leasing.admin("updateVirtualMachine", id=vm["id"], leaseduration=-1)
    assert lease_of(leasing, vm) == (None, None) and "VM.LEASE.DISABLED" in leasing.events(vm["id"])
    leasing.cloud.wait(1.2 * DAY)
    assert leasing.state(vm["id"]) == "Running"
    text = refused(431, leasing.admin, "updateVirtualMachine", id=vm["id"], leaseduration=3, displayname="x").text
    assert "has no lease" in text and leasing.vm(vm["id"])["displayname"] == "web"


def test_events_tell_of_a_lease_again_and_again_when_it_is_about_to_expire(leasing: TwoRacks) -> None:
    leasing.admin("updateConfiguration", name="instance.lease.eventscheduler.interval", value=36_000)
    leasing.admin("updateConfiguration", name="instance.lease.expiryevent.daysbefore", value=1)
    vm = leasing.deploy("web", leaseduration=2, leaseexpiryaction="STOP")
    leasing.cloud.wait(0.9 * DAY)
    assert "VM.LEASE.EXPIRING" not in leasing.events(vm["id"])
    leasing.cloud.wait(0.5 * DAY)
    assert leasing.events(vm["id"]).count("VM.LEASE.EXPIRING") == 1
    leasing.cloud.wait(0.5 * DAY)
    assert leasing.events(vm["id"]).count("VM.LEASE.EXPIRING") == 3
    leasing.cloud.wait(1.2 * DAY)
    assert leasing.events(vm["id"]).count("VM.LEASE.EXPIRING") == 3


def test_leases_end_when_the_cloud_has_them_no_more(leasing: TwoRacks) -> None:
    vm = leasing.deploy("web", leaseduration=1, leaseexpiryaction="DESTROY")
    assert leasing.admin("listCapabilities")["capability"]["instanceleaseenabled"] is True
    leasing.admin("updateConfiguration", name="instance.lease.enabled", value="false")
    leasing.admin("updateConfiguration", name="instance.lease.enabled", value="true")
    assert lease_of(leasing, vm) == (None, None)
    leasing.cloud.wait(1.2 * DAY)
    assert leasing.state(vm["id"]) == "Running" and "VM.LEASE.CANCELLED" in leasing.events(vm["id"])


def test_leases_that_cannot_be_are_refused(cloud: TwoRacks) -> None:
    vm = cloud.deploy("web")
    lease: dict[str, Any] = {"leaseduration": 5, "leaseexpiryaction": "STOP"}

    def everywhere(told: str, **asked: Any) -> None:
        for command, more in (
            ("deployVirtualMachine", cloud.wanted(name="new")),
            ("updateVirtualMachine", {"id": vm["id"]}),
            ("createServiceOffering", {"name": "s", "cpunumber": 1, "cpuspeed": 500, "memory": 256}),
        ):
            assert told in refused(431, cloud.admin, command, **more, **asked).text

    everywhere("instance.lease.enabled", **lease)
    cloud.admin("updateConfiguration", name="instance.lease.enabled", value="true")
    before = cloud.rows()
    for days in (0, -2, 36_501):
        everywhere("leaseduration must be from 1 to 36500", **{**lease, "leaseduration": days})
    everywhere("leaseexpiryaction", **{**lease, "leaseexpiryaction": "EXPLODE"})
    everywhere("there is no lease", **{**lease, "leaseduration": -1})
    assert "together" in refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(), leaseduration=5).text
    assert cloud.rows() == before


def test_a_lease_goes_with_its_instance(leasing: TwoRacks) -> None:
    vm, other = (leasing.deploy(name, leaseduration=5, leaseexpiryaction="STOP") for name in ("web", "other"))
    leasing.admin("destroyVirtualMachine", id=vm["id"], expunge=True)
    leasing.admin("unmanageVirtualMachine", id=other["id"])
    assert leasing.rows()["InstanceLease"] == []
