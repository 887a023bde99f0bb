"""What an instance's guest finds: firmware, I/O threads, and how far it can grow while it runs."""

from __future__ import annotations

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks


def test_bios_unless_it_is_said_otherwise(cloud: TwoRacks) -> None:
    for more in ({}, {"boottype": "BIOS"}, {"boottype": "bios", "bootmode": "legacy"}):
        made = cloud.deploy(**more)
        assert (made["boottype"], made["bootmode"]) == ("Bios", "legacy")
        assert (cloud.guest(made).firmware, cloud.guest(made).secure_boot) == ("BIOS", False)


@pytest.mark.parametrize(("mode", "secure"), [("LEGACY", False), ("SECURE", True)])
def test_uefi(cloud: TwoRacks, mode: str, secure: bool) -> None:
    made = cloud.deploy("web", boottype="UEFI", bootmode=mode)
    assert (made["boottype"], made["bootmode"], made["details"]) == ("Uefi", mode.lower(), {"UEFI": mode})
    cloud.admin("stopVirtualMachine", id=made["id"])
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert (cloud.guest(started).firmware, cloud.guest(started).secure_boot) == ("UEFI", secure)


def test_what_does_not_go_together(cloud: TwoRacks) -> None:
    before = cloud.rows()
    for wrong, text in (
        ({"boottype": "UEFI"}, "bootmode must be specified"),
        ({"bootmode": "SECURE"}, "needs boottype UEFI"),
        ({"boottype": "BIOS", "bootmode": "SECURE"}, "needs boottype UEFI"),
        ({"boottype": "OPENFIRMWARE"}, "boottype"),
        ({"bootintosetup": True}, "not implemented on Simulator"),
        ({"iodriverpolicy": "punchcards"}, "iodriverpolicy"),
    ):
        assert text in refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(**wrong)).text
    assert cloud.rows() == before


def test_io_threads_and_policy_are_details(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", iothreadsenabled=True, iodriverpolicy="io_uring")
    assert made["details"] == {"iothreads": "true", "io.policy": "io_uring"} == cloud.guest(made).details


def test_queues_of_cards_are_details_that_make_sense(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", nicmultiqueuenumber=4, nicpackedvirtqueuesenabled=True)
    details = {"nic.multiqueue.number": "4", "nic.packed.virtqueues.enabled": "true"}
    assert made["details"] == details == cloud.guest(made).details
    for wrong, text in (
        ({"nicmultiqueuenumber": 0}, "nicmultiqueuenumber"),
        ({"details": {"io.policy": "punchcards"}}, "io.policy"),
        ({"details": {"iothreads": "many"}}, "iothreads"),
    ):
        assert text in refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(**wrong)).text
    bad = {"nic.multiqueue.number": "none"}
    assert "nicmultiqueuenumber" in refused(431, cloud.admin, "updateVirtualMachine", id=made["id"], details=bad).text


def test_the_keyboard_of_its_console_is_a_detail(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", keyboard="de-ch")
    assert made["details"] == {"keyboard": "de-ch"} == cloud.guest(made).details
    bad = {"keyboard": "piano"}
    assert "keyboard" in refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(**bad)).text
    assert "keyboard" in refused(431, cloud.admin, "updateVirtualMachine", id=made["id"], details=bad).text


def test_how_far_it_can_be_scaled(cloud: TwoRacks) -> None:
    fixed = cloud.guest(cloud.deploy("plain"))
    assert (fixed.max_cpus, fixed.max_memory_mib) == (0, 0)
    cloud.admin("updateTemplate", id=cloud.cloud.template.id, isdynamicallyscalable=True)
    assert cloud.guest(cloud.deploy("early")).max_cpus == 0
    cloud.admin("updateConfiguration", name="enable.dynamic.scale.vm", value="true", zoneid=cloud.zone)
    twice = cloud.guest(cloud.deploy("scalable"))
    assert (twice.max_cpus, twice.max_memory_mib) == (2, 1024)
    assert cloud.guest(cloud.deploy("fixed", dynamicscalingenabled=False)).max_cpus == 0
    constrained = cloud.admin(
        "createServiceOffering",
        name="constrained",
        displaytext="constrained",
        cpuspeed=500,
        mincpunumber=1,
        maxcpunumber=6,
        minmemory=256,
        maxmemory=2048,
    )["serviceoffering"]["id"]
    made = cloud.deploy(
        "wide", serviceofferingid=constrained, details={"cpuNumber": 2, "memory": 512}
    )
    assert (cloud.guest(made).max_cpus, cloud.guest(made).max_memory_mib) == (6, 2048)
