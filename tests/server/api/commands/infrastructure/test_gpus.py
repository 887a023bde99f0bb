"""GPUs of hosts: what cards there are, who has which, and offerings that ask for a card."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backends.simulated.datacenter import Hosts
from tests.server.api.api_harness import Api, refused
from tests.server.api.cloud_harness import TwoRacks


@pytest.fixture
def cloud() -> Iterator[TwoRacks]:
    made = TwoRacks(Hosts(memory_gib=16, cores=8, gpus=2, gpu_model="A100"))
    yield made
    made.cloud.close()


def test_a_cloud_without_gpus_has_none() -> None:
    api = Api()
    for command in ("listGpuCards", "listGpuDevices", "listVgpuProfiles"):
        assert api.admin(command) == {}
    api.close()


def test_cards_and_profiles(cloud: TwoRacks) -> None:
    (card,) = cloud.listed("listGpuCards", "gpucard", activeonly=True)
    assert (card["name"], card["devicename"]) == ("A100", "A100")
    assert cloud.listed("listGpuCards", "gpucard", devicename="H100") == []
    (profile,) = cloud.listed("listVgpuProfiles", "vgpuprofile", gpucardid=card["id"])
    assert (profile["name"], profile["gpucardname"], profile["maxvgpuperphysicalgpu"]) == ("passthrough", "A100", 1)
    assert cloud.listed("listVgpuProfiles", "vgpuprofile", keyword="H100") == []
    refused(401, cloud.account("ann"), "listGpuDevices")


def test_an_offering_of_a_card_and_the_devices_that_its_instances_have(cloud: TwoRacks) -> None:
    (profile,) = cloud.listed("listVgpuProfiles", "vgpuprofile")
    asked = {"name": "with one", "displaytext": "with one", "cpunumber": 1, "cpuspeed": 500, "memory": 512}
    made = cloud.admin("createServiceOffering", **asked, vgpuprofileid=profile["id"])["serviceoffering"]
    assert (made["gpucount"], made["gpucardname"], made["vgpuprofilename"]) == (1, "A100", "passthrough")
    wanted = {"vgpuprofileid": profile["id"]}
    assert [o["id"] for o in cloud.listed("listServiceOfferings", "serviceoffering", **wanted)] == [made["id"]]
    wrong = refused(431, cloud.admin, "createServiceOffering", **asked, vgpuprofileid="none")
    assert "vgpuprofileid" in wrong.text

    assert {d["state"] for d in cloud.listed("listGpuDevices", "gpudevice")} == {"Free"}
    assert len(cloud.listed("listGpuDevices", "gpudevice")) == 8
    vm = cloud.deploy("web", serviceofferingid=made["id"])
    (used,) = cloud.listed("listGpuDevices", "gpudevice", virtualmachineid=vm["id"])
    assert (used["state"], used["hostname"], used["virtualmachinename"]) == ("Allocated", vm["hostname"], "web")
    assert int(used["busaddress"]) == cloud.guest(vm).gpu_devices[0]
    of_host = cloud.listed("listGpuDevices", "gpudevice", hostid=vm["hostid"])
    assert sorted(d["state"] for d in of_host) == ["Allocated", "Free"]
    found = cloud.listed("discoverGpuDevices", "gpudevice", id=vm["hostid"])
    assert [d["id"] for d in found] == [d["id"] for d in of_host]
    cloud.admin("stopVirtualMachine", id=vm["id"])
    assert cloud.listed("listGpuDevices", "gpudevice", virtualmachineid=vm["id"]) == []
    assert {d["state"] for d in cloud.listed("listGpuDevices", "gpudevice")} == {"Free"}
