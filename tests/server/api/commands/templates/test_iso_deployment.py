"""Instances that are installed from an ISO: an empty root disk of a disk offering, and the ISO in the drive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks


@pytest.fixture
def cloud() -> Iterator[TwoRacks]:
    made = TwoRacks()
    yield made
    made.cloud.close()


def iso(cloud: TwoRacks, **more: Any) -> str:
    asked = {
        "name": "installer",
        "displaytext": "installer disc",
        "url": "http://images.example/installer.iso?size=10m",
        "zoneid": cloud.zone,
        **more,
    }
    made: str = cloud.admin("registerIso", **asked)["iso"][0]["id"]
    cloud.cloud.wait(3600)
    return made


def root(cloud: TwoRacks, vm: dict[str, Any]) -> dict[str, Any]:
    disks = cloud.listed("listVolumes", "volume", virtualmachineid=vm["id"])
    assert [disk["type"] for disk in disks] == ["ROOT"]
    return dict(disks[0])


def from_iso(cloud: TwoRacks, disc: str, **more: Any) -> dict[str, Any]:
    wanted = cloud.wanted(
        name="fresh", templateid=disc, diskofferingid=cloud.cloud.custom.id, size=7, **more
    )
    return dict(cloud.admin("deployVirtualMachine", **wanted)["virtualmachine"])


def test_it_boots_from_the_iso_with_an_empty_root_disk_of_the_disk_offering(cloud: TwoRacks) -> None:
    disc = iso(cloud)
    made = from_iso(cloud, disc, hypervisor=cloud.world.hypervisor)
    assert made["state"] == "Running" and made["hypervisor"] == cloud.world.hypervisor
    assert (made["templateid"], made["isoid"]) == (disc, disc)
    assert cloud.guest(made).iso.format == "ISO"
    assert root(cloud, made)["size"] == 7 << 30


def test_it_boots_from_its_disk_once_the_iso_is_detached(cloud: TwoRacks) -> None:
    made = from_iso(cloud, iso(cloud))
    cloud.admin("detachIso", virtualmachineid=made["id"])
    cloud.admin("stopVirtualMachine", id=made["id"])
    again = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert again["state"] == "Running" and "isoid" not in again
    assert cloud.guest(again).iso is None


def test_restored_it_is_to_be_installed_again(cloud: TwoRacks) -> None:
    disc = iso(cloud)
    made = from_iso(cloud, disc)
    before = root(cloud, made)
    cloud.admin("detachIso", virtualmachineid=made["id"])
    restored = cloud.admin("restoreVirtualMachine", virtualmachineid=made["id"])["virtualmachine"]
    after = root(cloud, made)
    assert after["id"] != before["id"] and after["size"] == before["size"]
    assert restored["isoid"] == disc


def test_what_cannot_be_installed_is_refused_and_leaves_nothing(cloud: TwoRacks) -> None:
    disc, medium = iso(cloud), iso(cloud, name="drivers", bootable=False)
    before = cloud.rows()
    disk = {"diskofferingid": cloud.cloud.custom.id, "size": 7}
    for wrong in (
        {"templateid": disc},
        {"templateid": disc, **disk, "rootdisksize": 9},
        {"templateid": disc, **disk, "hypervisor": "KVM"},
        {"templateid": medium, **disk},
    ):
        refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(**wrong))
    assert cloud.rows() == before
