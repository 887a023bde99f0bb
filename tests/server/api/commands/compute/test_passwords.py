"""Passwords of instances: who is told, and until when they are kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudsim.hypervisor import HypervisorError
from cloudsim.management.compute.vm_passwords import DIGITS, LOWER, UPPER, generate
from cloudsim.model import AsyncJob, Event, VirtualMachine
from cloudsim.protocol.specs import VmSpec
from cloudsim.randomness import Randomness
from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks


def kept(cloud: TwoRacks, vm: dict[str, Any]) -> str | None:
    return cloud.store.table(VirtualMachine)[vm["id"]].password


def without_passwords(cloud: TwoRacks) -> dict[str, Any]:
    """Parameters of a deployment from a template that takes no password."""
    plain = cloud.cloud.template
    cloud.admin("updateTemplate", id=plain.id, passwordenabled=False)
    return cloud.wanted()


def test_a_password_is_told_once_given_to_the_guest_and_forgotten(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    password = made["password"]
    assert len(password) == 6 and made["passwordenabled"] is True
    assert cloud.guest(made).password == password and kept(cloud, made) is None
    assert "password" not in cloud.vm(made["id"])
    assert password not in json.dumps([str(event) for event in cloud.store.table(Event)])
    started = cloud.admin("rebootVirtualMachine", id=made["id"], forced=True)["virtualmachine"]
    assert cloud.guest(started).password is None, "only the first start sets it"


def test_an_instance_that_is_not_started_yet_gets_it_later(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", startvm=False, password="Tr0ub4dor&3")
    assert made["password"] == "Tr0ub4dor&3" and "password" not in cloud.vm(made["id"])
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert cloud.guest(started).password == "Tr0ub4dor&3"
    assert "password" not in started and kept(cloud, made) is None


def test_a_host_that_does_not_start_it_leaves_it_for_the_next(
    cloud: TwoRacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cloud.deploy("web", startvm=False)
    asked: list[str | None] = []

    async def fails(self: Any, vm: VmSpec) -> None:
        asked.append(vm.password)
        raise HypervisorError("no")

    machine = next(iter(cloud.world.hosts.values())).hypervisor
    with monkeypatch.context() as broken:
        for host in cloud.world.hosts.values():
            kind = type("Broken", (type(machine),), {"__slots__": (), "start_vm": fails})
            broken.setattr(host.hypervisor, "__class__", kind)
        refused(530, cloud.admin, "startVirtualMachine", id=made["id"])
    assert set(asked) == {made["password"]} and kept(cloud, made) == made["password"]
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert cloud.guest(started).password == made["password"] and kept(cloud, made) is None


def test_a_template_without_passwords(cloud: TwoRacks) -> None:
    wanted = without_passwords(cloud)
    assert "password" not in cloud.admin("deployVirtualMachine", **wanted)["virtualmachine"]
    before = cloud.rows()
    error = refused(431, cloud.admin, "deployVirtualMachine", **wanted, password="secret")
    assert "not password enabled" in error.text and "secret" not in error.text
    assert cloud.rows() == before
    made = cloud.deploy("web", startvm=False)
    assert refused(431, cloud.admin, "resetPasswordForVirtualMachine", id=made["id"]).text.endswith(
        "the template is not password enabled"
    )


def test_clients_are_told_by_the_job_why_there_is_no_password(cloud: TwoRacks) -> None:
    """They look for the reason where CloudStack says it: in the job's result, not in the first answer."""
    without_passwords(cloud)
    made = cloud.deploy("web", startvm=False)
    jobs = len(cloud.store.table(AsyncJob))
    refused(431, cloud.admin, "resetPasswordForVirtualMachine", id=made["id"])
    assert len(cloud.store.table(AsyncJob)) == jobs + 1


def test_reset(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    error = refused(431, cloud.admin, "resetPasswordForVirtualMachine", id=made["id"])
    assert "should be stopped" in error.text
    cloud.admin("stopVirtualMachine", id=made["id"])
    reset = cloud.admin("resetPasswordForVirtualMachine", id=made["id"])["virtualmachine"]
    assert reset["password"] not in ("", made["password"]) and "password" not in cloud.vm(made["id"])
    refused(431, cloud.admin, "resetPasswordForVirtualMachine", id=made["id"], password=" x")
    again = cloud.admin("resetPasswordForVirtualMachine", id=made["id"], password="mine")["virtualmachine"]
    assert again["password"] == "mine"
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert cloud.guest(started).password == "mine" and kept(cloud, made) is None
    assert cloud.events(made["id"]).count("VM.RESETPASSWORD") == 2
    ann = cloud.account("ann")
    refused(531, ann, "resetPasswordForVirtualMachine", id=made["id"])


def test_the_length_is_a_setting(cloud: TwoRacks) -> None:
    cloud.admin("updateConfiguration", name="vm.password.length", value="12")
    assert len(cloud.deploy("web")["password"]) == 12
    refused(431, cloud.admin, "updateConfiguration", name="vm.password.length", value="5")


def test_generated_passwords_have_every_kind_of_character_and_none_that_looks_like_another() -> None:
    randomness = Randomness(1)
    made = [generate(randomness, 8) for _ in range(300)]
    assert len(set(made)) == 300
    for password in made:
        assert all(set(kind) & set(password) for kind in (LOWER, UPPER, DIGITS))
        assert not set("lIo0O1") & set(password)
    for place in range(8):
        assert {p[place] for p in made} & set(DIGITS) and {p[place] for p in made} & set(LOWER)
