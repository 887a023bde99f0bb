"""Settings of volumes, pools and templates, and what they change."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cloudsim.management.storage.snapshot_turns import SnapshotTurns
from cloudsim.model import Snapshot, StoragePool, VirtualMachine, Volume
from tests.server.api.api_harness import Client, refused
from tests.server.api.commands.cloud_api import CloudApi


@pytest.fixture
def admin(cloud_api: CloudApi) -> Client:
    return cloud_api.admin


def set_(admin: Client, name: str, value: Any, **where: Any) -> None:
    admin("updateConfiguration", name=name, value=value, **where)


def test_a_disk_of_a_size_that_the_offering_leaves_open_keeps_to_the_settings(cloud_api: CloudApi, admin: Client) -> None:
    set_(admin, "custom.diskoffering.size.min", 3)
    set_(admin, "custom.diskoffering.size.max", 5)
    wanted = {"name": "d", "zoneid": cloud_api.zone, "diskofferingid": cloud_api.cloud.custom.id}
    for size in (2, 6):
        text = refused(431, admin, "createVolume", size=size, **wanted).text
        assert text == f"Volume size: {size}GB is out of allowed range. Min: 3. Max: 5"
    made = cloud_api.volume(size=5)
    refused(431, admin, "resizeVolume", id=made["id"], size=6)
    deploy = {
        "zoneid": cloud_api.zone,
        "templateid": cloud_api.cloud.template.id,
        "serviceofferingid": admin("listServiceOfferings", name="Small Instance")["serviceoffering"][0]["id"],
        "diskofferingid": cloud_api.cloud.custom.id,
    }
    refused(431, admin, "deployVirtualMachine", size=6, **deploy)
    told = admin("listCapabilities")["capability"]
    assert (told["customdiskofferingminsize"], told["customdiskofferingmaxsize"]) == (3, 5)


def test_no_volume_is_above_the_largest(cloud_api: CloudApi, admin: Client) -> None:
    set_(admin, "storage.max.volume.size", 4)
    wanted = {"name": "d", "zoneid": cloud_api.zone, "diskofferingid": cloud_api.cloud.custom.id}
    refused(431, admin, "createVolume", size=5, **wanted)
    assert cloud_api.volume(size=4)["size"] == 4 << 30


def test_users_recover_and_expunge_volumes_where_their_account_may(cloud_api: CloudApi, admin: Client) -> None:
    ann = cloud_api.account("ann")
    account = admin("listAccounts", name="ann")["account"][0]["id"]
    made = cloud_api.volume(call=ann)
    ann("destroyVolume", id=made["id"])
    set_(admin, "allow.user.expunge.recover.volume", "false", accountid=account)
    assert ann("listCapabilities")["capability"]["allowuserexpungerecovervolume"] is False
    refused(531, ann, "recoverVolume", id=made["id"])
    other = cloud_api.volume("other", call=ann)
    refused(531, ann, "destroyVolume", id=other["id"], expunge=True)
    assert ann("listVolumes", id=other["id"])["volume"][0]["state"] == "Allocated"
    admin("resetConfiguration", name="allow.user.expunge.recover.volume", accountid=account)
    assert ann("recoverVolume", id=made["id"])["volume"]["state"] == "Allocated"


def test_users_make_templates_public_where_their_account_may(cloud_api: CloudApi, admin: Client) -> None:
    ann = cloud_api.account("ann")
    account = admin("listAccounts", name="ann")["account"][0]["id"]
    iso = {"name": "i", "displaytext": "i", "url": "http://example.org/i.iso", "zoneid": cloud_api.zone}
    iso["ostypeid"] = admin("listOsTypes", pagesize=1, page=1)["ostype"][0]["id"]
    set_(admin, "allow.public.user.templates", "false", accountid=account)
    refused(531, ann, "registerIso", ispublic=True, **iso)
    own = ann("registerIso", **iso)["iso"][0]
    refused(531, ann, "updateIsoPermissions", id=own["id"], ispublic=True)
    assert ann("listCapabilities")["capability"]["userpublictemplateenabled"] is False
    set_(admin, "allow.public.user.templates", "true", accountid=account)
    ann("updateIsoPermissions", id=own["id"], ispublic=True)
    assert ann("listIsos", id=own["id"])["iso"][0]["ispublic"] is True


def test_a_pool_that_is_used_above_its_threshold_takes_no_new_volume(cloud_api: CloudApi, admin: Client) -> None:
    (pool,) = cloud_api.listed("listStoragePools", "storagepool")
    row = cloud_api.store.table(StoragePool)[pool["id"]]
    with cloud_api.store.transaction():
        cloud_api.store.table(StoragePool).update(row.id, used=row.capacity // 2)
    set_(admin, "pool.storage.capacity.disablethreshold", "0.4", zoneid=cloud_api.zone)
    with pytest.raises(Exception, match="No storage pool"):
        cloud_api.cloud.deploy()
    set_(admin, "pool.storage.capacity.disablethreshold", "0.6", storageid=pool["id"])
    assert cloud_api.cloud.deploy("two").state == "Running"


def test_nothing_is_cleaned_up_while_storage_cleanup_is_off(cloud_api: CloudApi, admin: Client) -> None:
    set_(admin, "storage.cleanup.interval", 60)
    set_(admin, "storage.cleanup.enabled", "false")
    cloud_api.cloud.wait(86400)
    vm = cloud_api.cloud.deploy()
    volume = cloud_api.volume()
    admin("attachVolume", id=volume["id"], virtualmachineid=vm.id)
    admin("detachVolume", id=volume["id"])
    admin("destroyVolume", id=volume["id"])
    cloud_api.cloud.wait(600)
    assert admin("listVolumes", id=volume["id"], state="Destroy")["count"] == 1
    set_(admin, "storage.cleanup.enabled", "true")
    cloud_api.cloud.wait(600)
    assert admin("listVolumes", id=volume["id"], state="Destroy") == {}


def test_destroyed_instances_are_expunged_by_so_many_workers(cloud_api: CloudApi, admin: Client) -> None:
    cloud = cloud_api.cloud
    vms = [cloud.deploy(f"web-{n}") for n in range(3)]
    for vm in vms:
        cloud.do(cloud.manager.vms.destroyed(cloud.admin, vm.id))
    set_(admin, "expunge.delay", 1)
    set_(admin, "expunge.workers", 2)
    cloud.wait(5)
    most = 0

    async def expunging() -> int:
        nonlocal most
        work = asyncio.ensure_future(cloud.manager.vms.expunging.expunge_due())
        while not work.done():
            busy = sum(vm.state == "Expunging" for vm in cloud.store.table(VirtualMachine))
            most = max(most, busy)
            await asyncio.sleep(0.01)
        return await work

    assert cloud.do(expunging()) == 3
    assert most == 2
    assert not [vm for vm in cloud.store.table(VirtualMachine) if vm.type == "User"]


def test_a_host_takes_so_many_snapshots_at_one_time(cloud_api: CloudApi, admin: Client) -> None:
    for wrong in ("0", "two", "-1"):
        refused(431, admin, "updateConfiguration", name="concurrent.snapshots.threshold.perhost", value=wrong)
    set_(admin, "concurrent.snapshots.threshold.perhost", 2)
    cloud = cloud_api.cloud
    vm = cloud.deploy()
    volumes = [cloud.root(vm).id]
    for number in range(4):
        made = cloud_api.volume(f"data-{number}")
        admin("attachVolume", id=made["id"], virtualmachineid=vm.id)
        volumes.append(made["id"])
    most = 0

    async def all_of_them() -> list[Any]:
        nonlocal most
        rows = [cloud.manager.snapshots.allocate(cloud.table(Volume)[volume]) for volume in volumes]
        work = asyncio.gather(*(cloud.manager.snapshots.create(row.id) for row in rows))
        while not work.done():
            most = max(most, sum(row.state == "BackingUp" for row in cloud.table(Snapshot)))
            await asyncio.sleep(0.01)
        return await work

    assert [row.state for row in cloud.do(all_of_them())] == ["BackedUp"] * 5
    assert most == 2
    set_(admin, "concurrent.snapshots.threshold.perhost", "")
    most = 0
    cloud.do(all_of_them())
    assert most == 5


def test_one_who_gives_up_waiting_for_a_turn_takes_none(cloud_api: CloudApi, admin: Client) -> None:
    set_(admin, "concurrent.snapshots.threshold.perhost", 1)
    turns = SnapshotTurns(cloud_api.manager.settings)

    async def taking_turns() -> list[str]:
        done: list[str] = []

        async def take(name: str) -> None:
            async with turns.of("h"):
                await asyncio.sleep(1)
                done.append(name)

        tasks = {name: asyncio.ensure_future(take(name)) for name in "abcd"}
        await asyncio.sleep(0.5)
        tasks["b"].cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        return done

    assert cloud_api.run(taking_turns()) == ["a", "c", "d"]


def test_volumes_of_running_kvm_instances_are_snapshot_where_that_is_enabled(cloud_api: CloudApi, admin: Client) -> None:
    vm = cloud_api.cloud.deploy()
    volume = cloud_api.cloud.root(vm).id
    set_(admin, "kvm.snapshot.enabled", "false")
    admin("createSnapshot", volumeid=volume)  # of another hypervisor
    vms = cloud_api.store.table(VirtualMachine)
    with cloud_api.store.transaction():
        vms.update(vm.id, hypervisor="KVM")
    assert "kvm.snapshot.enabled is false" in refused(431, admin, "createSnapshot", volumeid=volume).text
    assert admin("listCapabilities")["capability"]["kvmsnapshotenabled"] is False
    cloud_api.cloud.stop(vms[vm.id])
    assert admin("createSnapshot", volumeid=volume)["snapshot"]["state"] == "BackedUp"
