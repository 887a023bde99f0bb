"""What offerings say of disks and CPUs has its effect on the host that has them."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.protocol.specs import DiskLimits
from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks
from tests.server.api.commands.compute.test_deployed_disks import disk_offering, disks

GIB = 1 << 30


def service_offering(cloud: TwoRacks, name: str, **more: Any) -> str:
    asked = {"name": name, "displaytext": name, "cpunumber": 1, "cpuspeed": 500, "memory": 512, **more}
    made: str = cloud.admin("createServiceOffering", **asked)["serviceoffering"]["id"]
    return made


def test_rates_and_cache_of_disks_reach_their_host(cloud: TwoRacks) -> None:
    root = service_offering(cloud, "slow root", bytesreadrate=1000, iopswriterate=20, cachemode="writethrough")
    data = disk_offering(cloud, "slow", disksize=1, byteswriterate=2000, iopsreadrate=10, cachemode="writeback")
    made = cloud.deploy(serviceofferingid=root, diskofferingid=data)
    first, second = cloud.guest(made).disks
    assert (first.limits, first.cache) == (DiskLimits(read_bytes=1000, write_ios=20), "writethrough")
    assert (second.limits, second.cache) == (DiskLimits(write_bytes=2000, read_ios=10), "writeback")
    hot = cloud.admin("createVolume", name="hot", zoneid=cloud.zone, diskofferingid=data)["volume"]["id"]
    cloud.admin("attachVolume", id=hot, virtualmachineid=made["id"])
    assert cloud.guest(made).disks[-1].limits == second.limits
    plain = cloud.guest(cloud.deploy("plain")).disks[0]
    assert (plain.limits, plain.cache) == (None, "none")


def test_bursts_of_disks_are_shown_and_reach_their_host(cloud: TwoRacks) -> None:
    burst = {"bytesreadrate": 1000, "bytesreadratemax": 5000, "bytesreadratemaxlength": 60}
    root = service_offering(cloud, "bursting root", **burst)
    data = disk_offering(cloud, "bursting", disksize=1, iopswriterate=10, iopswriteratemax=40)
    shown = cloud.admin("updateDiskOffering", id=data, iopswriteratemaxlength=5)["diskoffering"]
    assert (shown["diskIopsWriteRateMax"], shown["diskIopsWriteRateMaxLength"]) == (40, 5)
    (listed,) = cloud.listed("listServiceOfferings", "serviceoffering", id=root)
    assert (listed["diskBytesReadRateMax"], listed["diskBytesReadRateMaxLength"]) == (5000, 60)
    assert "serviceofferingdetails" not in listed
    first, second = cloud.guest(cloud.deploy(serviceofferingid=root, diskofferingid=data)).disks
    assert first.limits == DiskLimits(read_bytes=1000, read_bytes_max=5000, read_bytes_max_length=60)
    assert second.limits == DiskLimits(write_ios=10, write_ios_max=40, write_ios_max_length=5)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"bytesreadratemax": 10}, "bytesreadratemax"),
        ({"iopswriterate": 10, "iopswriteratemax": 5}, "iopswriteratemax"),
        ({"iopsreadrate": 10, "iopsreadratemaxlength": 5}, "iopsreadratemaxlength"),
        ({"byteswriterate": 10, "byteswriteratemax": 20, "byteswriteratemaxlength": -1}, "byteswriteratemaxlength"),
    ],
)
def test_a_burst_without_a_rate_or_below_it_is_refused(cloud: TwoRacks, asked: dict[str, int], named: str) -> None:
    wanted = {"name": "odd", "displaytext": "odd", "disksize": 1, **asked}
    assert named in refused(431, cloud.admin, "createDiskOffering", **wanted).text
    assert cloud.listed("listDiskOfferings", "diskoffering", name="odd") == []


def test_a_burst_lets_a_guest_read_more_for_a_while(cloud: TwoRacks) -> None:
    burst = {"bytesreadrate": 100, "bytesreadratemax": 400, "bytesreadratemaxlength": 50}
    made = cloud.deploy(serviceofferingid=service_offering(cloud, "bursting root", **burst))
    cloud.cloud.wait(1000)
    (measured,) = cloud.run(cloud.world.host(made["hostname"]).hypervisor.vm_statistics((made["instancename"],)))
    assert 100 * 1000 + 400 * 50 <= measured.disk_read_bytes <= 100 * 1100 + 400 * 50


def test_iops_of_the_callers_choice_limit_a_disk_without_rates_of_its_own(cloud: TwoRacks) -> None:
    open_ = disk_offering(cloud, "open", customized=True, customizediops=True)
    chosen = {"diskofferingid": open_, "size": 1, "miniops": 10, "maxiops": 90}
    made = cloud.deploy(**{f"datadisksdetails[0].{name}": value for name, value in chosen.items()})
    assert cloud.guest(made).disks[1].limits == DiskLimits(total_ios=90)
    root = service_offering(cloud, "any", customizediops=True)
    other = cloud.deploy(serviceofferingid=root, details={"minIops": 5, "maxIops": 70})
    assert cloud.guest(other).disks[0].limits == DiskLimits(total_ios=70) and "details" not in other


def test_a_guest_reads_no_more_than_the_limit_of_its_disk(cloud: TwoRacks) -> None:
    slow = service_offering(cloud, "slow root", bytesreadrate=100, iopswriterate=1)
    made, free = cloud.deploy("slow", serviceofferingid=slow), cloud.deploy("free")
    cloud.cloud.wait(1000)
    (measured,) = cloud.run(cloud.world.host(made["hostname"]).hypervisor.vm_statistics((made["instancename"],)))
    (other,) = cloud.run(cloud.world.host(free["hostname"]).hypervisor.vm_statistics((free["instancename"],)))
    assert 100 * 1000 <= measured.disk_read_bytes <= 100 * 1100 < other.disk_read_bytes
    assert 1000 <= measured.disk_write_ios <= 1100


def test_a_pool_promises_no_more_iops_than_it_has(cloud: TwoRacks) -> None:
    for pool in cloud.listed("listStoragePools", "storagepool"):
        cloud.admin("updateStoragePool", id=pool["id"], capacityiops=100)
    sixty = disk_offering(cloud, "sixty", disksize=1, miniops=60, maxiops=200)
    for name in ("one", "two"):  # there are two pools
        assert cloud.deploy(name, diskofferingid=sixty)["state"] == "Running"
    wanted = cloud.wanted(diskofferingid=sixty)
    assert "60 IOPS" in refused(533, cloud.admin, "deployVirtualMachine", **wanted).text


def test_a_fat_disk_takes_all_its_room_and_a_thin_one_does_not(cloud: TwoRacks) -> None:
    def taken() -> int:
        return sum(cloud.world.pool(plan.path).used for plan in cloud.world.layout.pools())

    kinds = {kind: disk_offering(cloud, kind, disksize=8, provisioningtype=kind) for kind in ("thin", "fat")}
    cloud.deploy("warm")
    used = {}
    for kind, offering in kinds.items():
        before = taken()
        made = cloud.deploy(kind, diskofferingid=offering)
        used[kind] = taken() - before
        assert disks(cloud, made)[1]["provisioningtype"] == kind
    assert used["fat"] >= 8 * GIB and used["thin"] < 3 * GIB  # with what a template takes


def test_a_limit_of_cpu_use_reaches_the_host(cloud: TwoRacks) -> None:
    capped = service_offering(cloud, "capped", limitcpuuse=True)
    assert cloud.guest(cloud.deploy(serviceofferingid=capped)).limit_cpu
    assert not cloud.guest(cloud.deploy()).limit_cpu


def test_a_volatile_instance_has_a_new_root_disk_after_every_reboot(cloud: TwoRacks) -> None:
    made = cloud.deploy(serviceofferingid=service_offering(cloud, "volatile", isvolatile=True))
    (before,) = disks(cloud, made)
    assert cloud.admin("rebootVirtualMachine", id=made["id"])["virtualmachine"]["state"] == "Running"
    (after,) = disks(cloud, made)
    assert after["id"] != before["id"] and before["path"] not in cloud.files() and after["path"] in cloud.files()


def test_there_are_offerings_of_encrypted_disks_of_which_nothing_can_be(cloud: TwoRacks) -> None:
    asked = {"name": "secret", "displaytext": "secret", "disksize": 1, "encrypt": True}
    disk = cloud.admin("createDiskOffering", **asked)["diskoffering"]
    service = service_offering(cloud, "safe", encryptroot=True)
    assert [d["id"] for d in cloud.listed("listDiskOfferings", "diskoffering", encrypt=True)] == [disk["id"]]
    (shown,) = cloud.listed("listServiceOfferings", "serviceoffering", encryptroot=True)
    assert shown["id"] == service and shown["encryptroot"] is True and "serviceofferingdetails" not in shown
    assert service not in [s["id"] for s in cloud.listed("listServiceOfferings", "serviceoffering", encryptroot=False)]
    vm, volume = cloud.deploy("web"), cloud.volume()
    at = cloud.admin("attachVolume", id=volume["id"], virtualmachineid=vm["id"])["volume"]["storageid"]
    cloud.admin("stopVirtualMachine", id=vm["id"])
    other = next(p for p in cloud.listed("listStoragePools", "storagepool") if p["id"] != at)
    for command, wanted in (
        ("createVolume", {"name": "v", "zoneid": cloud.zone, "diskofferingid": disk["id"]}),
        ("deployVirtualMachine", cloud.wanted(diskofferingid=disk["id"])),
        ("deployVirtualMachine", cloud.wanted(overridediskofferingid=disk["id"])),
        ("deployVirtualMachine", cloud.wanted(serviceofferingid=service)),
        ("scaleVirtualMachine", {"id": vm["id"], "serviceofferingid": service}),
        ("resizeVolume", {"id": volume["id"], "diskofferingid": disk["id"]}),
        ("changeOfferingForVolume", {"id": volume["id"], "diskofferingid": disk["id"]}),
        ("migrateVolume", {"volumeid": volume["id"], "storageid": other["id"], "newdiskofferingid": disk["id"]}),
    ):
        assert "encrypt" in refused(431, cloud.admin, command, **wanted).text
    system = {"name": "s", "cpunumber": 1, "cpuspeed": 1, "memory": 64, "issystem": True, "encryptroot": True}
    assert "encryptroot" in refused(431, cloud.admin, "createServiceOffering", **system).text
