"""What offerings say of disks and CPUs has its effect on the host that has them."""

from __future__ import annotations

from typing import Any

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


def test_disks_that_are_encrypted_are_refused(cloud: TwoRacks) -> None:
    asked = {"name": "secret", "displaytext": "secret", "disksize": 1, "encrypt": True}
    assert "encrypt" in refused(431, cloud.admin, "createDiskOffering", **asked).text
