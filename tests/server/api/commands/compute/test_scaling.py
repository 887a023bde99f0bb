"""Scaling: a stopped instance takes any size, a running one grows as far as it was started for."""

from __future__ import annotations

import pytest

from cloudsim.protocol.commands import Command, ScaleVmAnswer, ScaleVmCommand
from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks


def offering(cloud: TwoRacks, name: str, cpus: int, memory: int) -> str:
    made = cloud.admin(
        "createServiceOffering",
        name=name,
        displaytext=name,
        cpunumber=cpus,
        cpuspeed=500,
        memory=memory,
        dynamicscalingenabled=True,
    )
    return str(made["serviceoffering"]["id"])


@pytest.fixture
def sized(cloud: TwoRacks) -> dict[str, str]:
    cloud.admin("updateConfiguration", name="enable.dynamic.scale.vm", value="true")
    for template in cloud.admin("listTemplates", templatefilter="all")["template"]:
        cloud.admin("updateTemplate", id=template["id"], isdynamicallyscalable=True)
    return {
        name: offering(cloud, name, cpus, memory)
        for name, cpus, memory in (("small", 1, 512), ("large", 2, 1024), ("huge", 4, 4096))
    }


def deploy(cloud: TwoRacks, sized: dict[str, str], scalable: bool = True) -> dict[str, object]:
    return cloud.deploy("web", serviceofferingid=sized["small"], dynamicscalingenabled=scalable)


def test_a_running_one_grows_and_its_host_reserves_it(cloud: TwoRacks, sized: dict[str, str]) -> None:
    made = deploy(cloud, sized)
    before = cloud.admin("listHosts", id=made["hostid"])["host"][0]["memoryallocatedbytes"]
    grown = cloud.admin("scaleVirtualMachine", id=made["id"], serviceofferingid=sized["large"])
    assert (grown["virtualmachine"]["cpunumber"], grown["virtualmachine"]["memory"]) == (2, 1024)
    after = cloud.admin("listHosts", id=made["hostid"])["host"][0]["memoryallocatedbytes"]
    assert after - before == 512 << 20
    assert (cloud.guest(made).cpus, cloud.guest(made).memory_mib) == (2, 1024)
    assert "VM.UPGRADE" in cloud.events(str(made["id"]))


def test_beyond_what_it_was_started_for_it_must_be_stopped(cloud: TwoRacks, sized: dict[str, str]) -> None:
    made = deploy(cloud, sized)
    before = cloud.rows()
    refused(431, cloud.admin, "scaleVirtualMachine", id=made["id"], serviceofferingid=sized["huge"])
    assert cloud.rows() == before
    cloud.admin("stopVirtualMachine", id=made["id"])
    scaled = cloud.admin("scaleVirtualMachine", id=made["id"], serviceofferingid=sized["huge"])
    assert scaled["virtualmachine"]["memory"] == 4096


def test_a_running_one_does_not_shrink(cloud: TwoRacks, sized: dict[str, str]) -> None:
    made = deploy(cloud, sized)
    cloud.admin("scaleVirtualMachine", id=made["id"], serviceofferingid=sized["large"])
    refused(431, cloud.admin, "scaleVirtualMachine", id=made["id"], serviceofferingid=sized["small"])


def test_one_that_is_not_dynamically_scalable_must_be_stopped(
    cloud: TwoRacks, sized: dict[str, str]
) -> None:
    made = deploy(cloud, sized, scalable=False)
    refused(431, cloud.admin, "scaleVirtualMachine", id=made["id"], serviceofferingid=sized["large"])


def test_when_the_host_refuses_it_is_as_it_was(
    cloud: TwoRacks, sized: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = deploy(cloud, sized)
    send = cloud.manager.agents.send

    async def refusing(host_id: str, command: Command, timeout: float | None = None) -> object:
        if isinstance(command, ScaleVmCommand):
            return ScaleVmAnswer(error="no memory slot is left")
        return await send(host_id, command, timeout)

    monkeypatch.setattr(cloud.manager.agents, "send", refusing)
    refused(530, cloud.admin, "scaleVirtualMachine", id=made["id"], serviceofferingid=sized["large"])
    found = cloud.vm(str(made["id"]))
    assert (found["memory"], found["serviceofferingid"], found["state"]) == (512, sized["small"], "Running")


def test_where_the_zone_does_not_allow_it_a_running_one_does_not_scale(
    cloud: TwoRacks, sized: dict[str, str]
) -> None:
    made = deploy(cloud, sized)
    cloud.admin("updateConfiguration", name="enable.dynamic.scale.vm", value="false", zoneid=cloud.zone)
    asked = {"id": made["id"], "serviceofferingid": sized["large"]}
    assert "enable.dynamic.scale.vm" in refused(431, cloud.admin, "scaleVirtualMachine", **asked).text
    plain = cloud.deploy("plain", serviceofferingid=sized["small"])
    assert plain["isdynamicallyscalable"] is False
    wanted = {"id": plain["id"], "isdynamicallyscalable": True}
    assert "enable.dynamic.scale.vm" in refused(431, cloud.admin, "updateVirtualMachine", **wanted).text


def test_a_root_disk_behaves_as_the_new_offering_says_from_the_next_start_on(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    slow = cloud.admin(
        "createServiceOffering",
        name="slow",
        displaytext="slow",
        cpunumber=1,
        cpuspeed=500,
        memory=512,
        iopsreadrate=30,
    )["serviceoffering"]["id"]
    cloud.admin("stopVirtualMachine", id=made["id"])
    cloud.admin("scaleVirtualMachine", id=made["id"], serviceofferingid=slow)
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    limits = cloud.guest(started).disks[0].limits
    assert limits is not None and limits.read_ios == 30
