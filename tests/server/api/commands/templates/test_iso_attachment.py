"""ISOs in the drives of instances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.hypervisor import HypervisorError
from cloudsim.model import Template
from tests.server.api.api_harness import Client, refused
from tests.server.api.cloud_harness import TwoRacks


@pytest.fixture
def cloud() -> Iterator[TwoRacks]:
    made = TwoRacks()
    yield made
    made.cloud.close()


def iso(cloud: TwoRacks, name: str = "rescue", call: Client | None = None, **more: Any) -> str:
    asked = {
        "name": name,
        "displaytext": f"{name} disc",
        "url": f"http://images.example/{name}.iso?size=10m",
        "zoneid": cloud.zone,
        **more,
    }
    made: str = (call or cloud.admin)("registerIso", **asked)["iso"][0]["id"]
    cloud.cloud.wait(3600)
    return made


def attach(cloud: TwoRacks, vm: dict[str, Any], iso_id: str, **more: Any) -> dict[str, Any]:
    answer = cloud.admin("attachIso", id=iso_id, virtualmachineid=vm["id"], **more)["virtualmachine"]
    return dict(answer)


def break_drive(cloud: TwoRacks, vm: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(self: Any, name: str, iso: Any) -> None:
        raise HypervisorError(f"the drive of {name} is stuck")

    machine = cloud.world.host(vm["hostname"]).hypervisor
    kind = type("Broken", (type(machine),), {"__slots__": (), "attach_iso": fails})
    monkeypatch.setattr(machine, "__class__", kind)


def test_a_running_instance_gets_it_at_once(cloud: TwoRacks) -> None:
    made, disc = cloud.deploy("web"), iso(cloud)
    shown = attach(cloud, made, disc)
    assert (shown["isoid"], shown["isoname"], shown["isodisplaytext"]) == (disc, "rescue", "rescue disc")
    in_drive = cloud.guest(made).iso
    assert in_drive.format == "ISO" and in_drive.size == 10 << 20 and in_drive.path
    assert [vm["id"] for vm in cloud.listed("listVirtualMachines", "virtualmachine", isoid=disc)] == [made["id"]]
    left = cloud.admin("detachIso", virtualmachineid=made["id"])["virtualmachine"]
    assert not {"isoid", "isoname", "isodisplaytext"} & left.keys()
    assert cloud.guest(made).iso is None
    assert {"ISO.ATTACH", "ISO.DETACH"} <= set(cloud.events(made["id"]))


def test_a_stopped_instance_gets_it_when_it_starts_and_boots_from_it(cloud: TwoRacks) -> None:
    made, disc, drivers = cloud.deploy("web"), iso(cloud), iso(cloud, "drivers", bootable=False)
    cloud.admin("stopVirtualMachine", id=made["id"])
    assert attach(cloud, made, disc)["isoid"] == disc
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    guest = cloud.guest(started)
    assert guest.iso.format == "ISO" and guest.boot_order == ("cdrom", "hd")
    cloud.admin("stopVirtualMachine", id=made["id"])
    cloud.admin("detachIso", virtualmachineid=made["id"])
    attach(cloud, made, drivers)
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert cloud.guest(started).boot_order == ("hd", "cdrom") and cloud.guest(started).iso is not None


def test_it_moves_with_its_instance(cloud: TwoRacks) -> None:
    made, disc = cloud.deploy("web"), iso(cloud)
    attach(cloud, made, disc)
    moved = cloud.admin("migrateVirtualMachine", virtualmachineid=made["id"])["virtualmachine"]
    assert moved["hostname"] != made["hostname"] and cloud.guest(moved).iso is not None


def test_a_drive_holds_one(cloud: TwoRacks) -> None:
    made, disc, other = cloud.deploy("web"), iso(cloud), iso(cloud, "other")
    attach(cloud, made, disc)
    error = refused(431, cloud.admin, "attachIso", id=other, virtualmachineid=made["id"])
    assert "has ISO rescue attached" in error.text
    assert attach(cloud, made, disc)["isoid"] == disc, "the same again is no error"
    assert attach(cloud, made, other, forced=True)["isoid"] == other
    assert other in cloud.guest(made).iso.path
    cloud.admin("detachIso", virtualmachineid=made["id"])
    error = refused(431, cloud.admin, "detachIso", virtualmachineid=made["id"])
    assert "has no ISO attached" in error.text


def test_a_host_that_refuses_leaves_the_drive_as_it_was(
    cloud: TwoRacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, disc = cloud.deploy("web"), iso(cloud)
    with monkeypatch.context() as broken:
        break_drive(cloud, made, broken)
        error = refused(530, cloud.admin, "attachIso", id=disc, virtualmachineid=made["id"])
        assert "is stuck" in error.text and "isoid" not in cloud.vm(made["id"])
    attach(cloud, made, disc)
    break_drive(cloud, made, monkeypatch)
    refused(530, cloud.admin, "detachIso", virtualmachineid=made["id"])
    assert cloud.vm(made["id"])["isoid"] == disc and cloud.guest(made).iso is not None


def test_an_iso_that_a_host_does_not_let_go_of_is_forgotten_where_that_is_forced(
    cloud: TwoRacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, disc = cloud.deploy("web"), iso(cloud)
    attach(cloud, made, disc)
    break_drive(cloud, made, monkeypatch)
    refused(530, cloud.admin, "detachIso", virtualmachineid=made["id"])
    left = cloud.admin("detachIso", virtualmachineid=made["id"], forced=True)["virtualmachine"]
    assert "isoid" not in left and cloud.guest(made).iso is not None
    monkeypatch.undo()
    cloud.admin("stopVirtualMachine", id=made["id"])
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert cloud.guest(started).iso is None


def test_what_is_no_ready_iso_is_refused(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    refused(431, cloud.admin, "attachIso", id=cloud.cloud.template.id, virtualmachineid=made["id"])
    failed = iso(cloud, "failing", url="http://fail.example/x.iso")
    error = refused(534, cloud.admin, "attachIso", id=failed, virtualmachineid=made["id"])
    assert "not ready" in error.text
    disc = iso(cloud)
    cloud.admin("destroyVirtualMachine", id=made["id"])
    error = refused(431, cloud.admin, "attachIso", id=disc, virtualmachineid=made["id"])
    assert "either Stopped or Running" in error.text


def test_an_iso_in_a_drive_cannot_be_deleted(cloud: TwoRacks) -> None:
    made, disc = cloud.deploy("web"), iso(cloud)
    attach(cloud, made, disc)
    assert "web" in refused(536, cloud.admin, "deleteIso", id=disc).text
    cloud.admin("detachIso", virtualmachineid=made["id"])
    assert cloud.admin("deleteIso", id=disc) == {"success": True}
    assert disc not in cloud.store.table(Template)


def test_users_attach_their_own_shared_and_public_isos_to_their_own_instances(cloud: TwoRacks) -> None:
    ann, bob = cloud.account("ann"), cloud.account("bob")
    hers, public = iso(cloud, "hers", ann), iso(cloud, "public", ispublic=True)
    made, his = cloud.deploy("web", call=ann), cloud.deploy("his", call=bob)
    ann("attachIso", id=hers, virtualmachineid=made["id"])
    refused(531, bob, "attachIso", id=hers, virtualmachineid=his["id"])
    refused(531, bob, "attachIso", id=public, virtualmachineid=made["id"])
    refused(531, bob, "detachIso", virtualmachineid=made["id"])
    bob("attachIso", id=public, virtualmachineid=his["id"])
    bob("detachIso", virtualmachineid=his["id"])
    ann("updateIsoPermissions", id=hers, op="add", accounts="bob")
    assert bob("attachIso", id=hers, virtualmachineid=his["id"])["virtualmachine"]["isoid"] == hers
