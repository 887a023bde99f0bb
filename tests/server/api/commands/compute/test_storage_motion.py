"""Running instances that move together with their disks, and the disks of stopped ones."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.commands import MigrateCommand
from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks
from tests.server.api.commands.compute.test_deployed_disks import disks

MOVE = "migrateVirtualMachineWithVolume"


def far_host(cloud: TwoRacks, vm: dict[str, Any]) -> Any:
    """A host of the other rack, which does not reach the instance's disks."""
    rack = cloud.host(vm["hostname"]).cluster_id
    return next(host for host in cloud.store.tables["Host"] if host.cluster_id != rack)


def pool_of(cloud: TwoRacks, host: Any) -> dict[str, Any]:
    (pool,) = cloud.listed("listStoragePools", "storagepool", clusterid=host.cluster_id)
    return pool


def held(cloud: TwoRacks) -> dict[str, set[str]]:
    """Paths of all volumes on each pool, as they lie there."""
    pools = {plan.name: cloud.world.pool(plan.path) for plan in cloud.world.layout.pools()}
    return {name: {p for p in pool.contents if not p.startswith("template-")} for name, pool in pools.items()}


def test_an_instance_moves_with_all_its_disks_to_a_host_that_does_not_reach_them(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", diskofferingid=cloud.cloud.custom.id, size=1)
    target = far_host(cloud, made)
    refused(431, cloud.admin, "migrateVirtualMachine", virtualmachineid=made["id"], hostid=target.id)
    moved = cloud.admin(MOVE, virtualmachineid=made["id"], hostid=target.id)["virtualmachine"]
    assert (moved["state"], moved["hostname"]) == ("Running", target.name)
    assert cloud.running() == {made["instancename"]: target.name}
    there = pool_of(cloud, target)
    after = disks(cloud, made)
    assert {(disk["storageid"], disk["state"]) for disk in after} == {(there["id"], "Ready")}
    assert [disk.path for disk in cloud.guest(moved).disks] == [disk["path"] for disk in after]
    assert sorted(map(len, held(cloud).values())) == [0, 2]
    assert len(cloud.listed("listVolumes", "volume", listall=True)) == 2 and "VM.MIGRATE" in cloud.events(made["id"])
    back = cloud.admin(MOVE, virtualmachineid=made["id"], autoselect=True)["virtualmachine"]
    assert back["hostname"] != target.name and back["state"] == "Running"


def test_each_volume_goes_to_the_pool_that_is_named_for_it(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    target = far_host(cloud, made)
    (root,) = disks(cloud, made)
    pool = pool_of(cloud, target)
    wrong = {"migrateto[0].volume": root["id"], "migrateto[0].pool": root["storageid"]}
    text = refused(431, cloud.admin, MOVE, virtualmachineid=made["id"], hostid=target.id, **wrong).text
    assert "does not reach" in text
    right = {"migrateto[0].volume": root["id"], "migrateto[0].pool": pool["id"]}
    moved = cloud.admin(MOVE, virtualmachineid=made["id"], **right)["virtualmachine"]
    assert cloud.host(moved["hostname"]).cluster_id == target.cluster_id
    assert disks(cloud, made)[0]["storageid"] == pool["id"]


def test_what_stands_against_it_is_told_and_changes_nothing(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    target, other = far_host(cloud, made), cloud.volume("other")["id"]
    before = cloud.rows()
    asked = {"virtualmachineid": made["id"]}
    assert "autoselect" in refused(431, cloud.admin, MOVE, **asked).text
    stranger = {"migrateto[0].volume": other, "migrateto[0].pool": pool_of(cloud, target)["id"]}
    assert "none of VM" in refused(431, cloud.admin, MOVE, **asked, hostid=target.id, **stranger).text
    nobody = {"migrateto[0].volume": "none", "migrateto[0].pool": "none"}
    assert "migrateto" in refused(431, cloud.admin, MOVE, **asked, hostid=target.id, **nobody).text
    assert "already" in refused(431, cloud.admin, MOVE, **asked, hostid=made["hostid"]).text
    assert cloud.rows() == before
    refused(531, cloud.domain_account("boss", type=2), MOVE, **asked, hostid=target.id)


@pytest.mark.parametrize("method", ["migrate_vm", "prepare_migration"])
def test_when_a_host_cannot_do_it_everything_is_where_it_was(
    cloud: TwoRacks, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    made = cloud.deploy("web")
    target, before = far_host(cloud, made), held(cloud)

    async def broken(self: Any, *rest: Any) -> Any:
        raise HypervisorError("broken")

    monkeypatch.setattr(type(cloud.world.host(target.name).hypervisor), method, broken)
    assert "broken" in refused(530, cloud.admin, MOVE, virtualmachineid=made["id"], hostid=target.id).text
    assert cloud.running() == {made["instancename"]: made["hostname"]} and held(cloud) == before
    assert (cloud.state(made["id"]), disks(cloud, made)[0]["state"]) == ("Running", "Ready")


def test_an_answer_that_is_lost_is_asked_for_until_it_is_certain_where_the_instance_is(
    cloud: TwoRacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cloud.deploy("web")
    target, agents = far_host(cloud, made), cloud.manager.agents
    send = agents.send

    async def losing(host_id: str, command: Any, **more: Any) -> Any:
        answer = await send(host_id, command, **more)
        if isinstance(command, MigrateCommand):
            return command.answer(error=f"instance {made['instancename']} does not run on this host")
        return answer

    monkeypatch.setattr(agents, "send", losing)
    moved = cloud.admin(MOVE, virtualmachineid=made["id"], hostid=target.id)["virtualmachine"]
    assert (moved["state"], moved["hostname"]) == ("Running", target.name)
    assert disks(cloud, made)[0]["storageid"] == pool_of(cloud, target)["id"]
    assert sorted(map(len, held(cloud).values())) == [0, 1]


def test_the_disks_of_a_stopped_instance_move_to_a_pool_and_it_starts_there(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", diskofferingid=cloud.cloud.custom.id, size=1)
    target = far_host(cloud, made)
    pool = pool_of(cloud, target)["id"]
    asked = {"virtualmachineid": made["id"], "storageid": pool}
    assert "Running" in refused(431, cloud.admin, "migrateVirtualMachine", **asked).text
    cloud.admin("stopVirtualMachine", id=made["id"])
    assert "exclude" in refused(431, cloud.admin, "migrateVirtualMachine", **asked, hostid=target.id).text
    assert cloud.admin("migrateVirtualMachine", **asked)["virtualmachine"]["state"] == "Stopped"
    assert {disk["storageid"] for disk in disks(cloud, made)} == {pool}
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert cloud.host(started["hostname"]).cluster_id == target.cluster_id
