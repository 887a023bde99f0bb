"""What the manager makes of answers and reports that come late, twice, or never.

Each of these was once a defect that the deterministic simulation tests (tests/dst) came upon.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cloudsim.errors import CloudError
from cloudsim.hypervisor import HypervisorError
from cloudsim.management.infrastructure.agents import OutcomeUnknown
from cloudsim.model import AsyncJob, Host, StoragePool, VirtualMachine, Volume
from cloudsim.model.operations import JOB_FAILED
from cloudsim.protocol.messages import Message, Request, Startup
from cloudsim.protocol.specs import HostFacts
from tests.cloudsim.management.cloud_harness import Cloud

GIB = 1 << 30


def machine(cloud: Cloud, host_id: str | None) -> Any:
    return cloud.world.hosts[cloud.table(Host)[host_id].guid].hypervisor


def row(cloud: Cloud, vm: VirtualMachine) -> VirtualMachine:
    found: VirtualMachine = cloud.table(VirtualMachine)[vm.id]
    return found


def where_it_runs(cloud: Cloud, vm: VirtualMachine) -> list[str]:
    hosts = cloud.table(Host)
    return [h.id for h in hosts if vm.instance_name in [r.name for r in machine(cloud, h.id).inventory()]]


def files(cloud: Cloud) -> set[str]:
    """What lies on the pools, but for templates."""
    found = {path for pool in cloud.world.site.pool_ids.values() for path in pool.contents}
    return {path for path in found if not path.startswith("template-")}


def patience(cloud: Cloud, seconds: int) -> None:
    cloud.manager.settings.set("wait", str(seconds))
    cloud.manager.settings.set("agent.command.resend", str(max(1, seconds // 3)))


def moved_in_silence(cloud: Cloud) -> VirtualMachine:
    """An instance that has moved, though nobody heard the answer: Unknown, on either of two hosts."""
    vm = cloud.deploy()
    source = vm.host_id
    patience(cloud, 60)
    world, guid = cloud.world, cloud.table(Host)[source].guid
    world.loop.call_later(0.3, lambda: world.impair_messages(guid, loss=1.0))
    with pytest.raises(OutcomeUnknown):
        cloud.do(cloud.manager.migration.migrate(cloud.admin, vm.id))
    world.impair_messages(guid, loss=-1.0)
    now = row(cloud, vm)
    assert (now.state, now.host_id) == ("Unknown", source) and now.migrating_to is not None
    assert where_it_runs(cloud, vm) == [now.migrating_to]
    return now


def test_stopping_an_instance_that_may_be_on_two_hosts_stops_it_on_both(cloud: Cloud) -> None:
    vm = moved_in_silence(cloud)
    stopped = cloud.stop(vm)
    assert (stopped.state, stopped.host_id, stopped.migrating_to) == ("Stopped", None, None)
    assert where_it_runs(cloud, vm) == []


def test_an_instance_of_which_nobody_knows_is_asked_for(cloud: Cloud) -> None:
    vm = moved_in_silence(cloud)
    cloud.wait(600)
    now = row(cloud, vm)
    assert (now.state, [now.host_id], now.migrating_to) == ("Running", where_it_runs(cloud, vm), None)


def test_a_host_that_refuses_because_it_forgot_that_it_did_is_not_believed(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration's answer is lost, the host starts anew, and the command comes to it a second time."""
    vm = cloud.deploy()
    kind = type(machine(cloud, vm.host_id))
    moving = kind.migrate_vm

    async def forgetful(self: Any, name: str, *rest: Any) -> float:
        await moving(self, name, *rest)
        raise HypervisorError(f"instance {name} does not run on {self.name}")

    monkeypatch.setattr(kind, "migrate_vm", forgetful)
    with pytest.raises(CloudError):
        cloud.do(cloud.manager.migration.migrate(cloud.admin, vm.id))
    cloud.wait(600)
    now = row(cloud, vm)
    assert now.state == "Running" and [now.host_id] == where_it_runs(cloud, vm) != [vm.host_id]


def test_a_migration_that_failed_leaves_the_instance_where_it_is(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    vm = cloud.deploy()

    async def failing(*arguments: object) -> float:
        raise HypervisorError("too busy")

    monkeypatch.setattr(type(machine(cloud, vm.host_id)), "migrate_vm", failing)
    with pytest.raises(CloudError, match="too busy"):
        cloud.do(cloud.manager.migration.migrate(cloud.admin, vm.id))
    now = row(cloud, vm)
    assert (now.state, now.host_id, now.migrating_to) == ("Running", vm.host_id, None)


def test_a_report_that_came_while_a_job_was_at_work_is_asked_for_again(cloud: Cloud) -> None:
    vm = cloud.deploy()
    cloud.wait(300)
    host = machine(cloud, vm.host_id)

    async def job() -> None:
        host.drop(host.guests[vm.instance_name])  # it dies, and its host says so once
        await asyncio.sleep(300)

    cloud.do(cloud.manager.jobs.hold(vm.id, job))
    assert row(cloud, vm).state == "Running", "a job was at work on it"
    cloud.wait(300)
    assert row(cloud, vm).state == "Stopped"


def test_a_report_from_before_a_change_says_nothing_of_it(cloud: Cloud) -> None:
    vm = cloud.deploy()
    assert vm.host_id is not None
    cloud.wait(300)

    async def report(known_at: float) -> None:
        cloud.manager.power_sync.report(vm.host_id, (), known_at=known_at)

    cloud.do(report(vm.updated - 1))
    assert row(cloud, vm).state == "Running"
    cloud.do(report(vm.updated + 1))
    assert row(cloud, vm).state == "Stopped"


def test_a_disk_that_may_yet_be_made_is_removed_by_the_host_that_may_make_it(cloud: Cloud) -> None:
    volume, host = cloud.volume(), list(cloud.table(Host))[1]
    patience(cloud, 60)
    cloud.world.hang_agent(host.guid)
    with pytest.raises(OutcomeUnknown):
        cloud.do(cloud.manager.disks.place(volume, host))
    maybe = cloud.table(Volume)[volume.id]
    assert (maybe.state, maybe.path) == ("Allocated", None) and maybe.pool_id is not None
    with pytest.raises(CloudError):
        cloud.do(cloud.manager.disks.expunge(maybe))
    assert volume.id in cloud.table(Volume), "the hung host may still make it"
    cloud.world.resume_agent(host.guid)
    cloud.wait(120)
    cloud.do(cloud.manager.disks.expunge(cloud.table(Volume)[volume.id]))
    assert volume.id not in cloud.table(Volume) and files(cloud) == set()


def test_a_disk_that_was_made_in_silence_is_found_and_used(cloud: Cloud) -> None:
    volume, host = cloud.volume(), next(iter(cloud.table(Host)))
    patience(cloud, 60)
    cloud.world.impair_messages(host.guid, delay=100.0)
    with pytest.raises(OutcomeUnknown):
        cloud.do(cloud.manager.disks.place(volume, host))
    cloud.world.impair_messages(host.guid, delay=-100.0)
    cloud.wait(300)
    assert files(cloud) == {volume.id}
    placed = cloud.do(cloud.manager.disks.place(cloud.table(Volume)[volume.id], host))
    assert placed.state == "Ready" and files(cloud) == {placed.path}


def test_a_later_failure_does_not_make_one_forget_where_a_disk_may_lie(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume, host = cloud.volume(), next(iter(cloud.table(Host)))
    patience(cloud, 60)
    cloud.world.impair_messages(host.guid, delay=100.0)
    with pytest.raises(OutcomeUnknown):
        cloud.do(cloud.manager.disks.place(volume, host))
    cloud.world.impair_messages(host.guid, delay=-100.0)
    cloud.wait(300)

    async def failing(*arguments: object) -> None:
        raise HypervisorError("the pool is slow today")

    monkeypatch.setattr(type(machine(cloud, host.id)), "create_volume", failing)
    with pytest.raises(CloudError, match="slow today"):
        cloud.do(cloud.manager.disks.place(cloud.table(Volume)[volume.id], host))
    cloud.do(cloud.manager.disks.expunge(cloud.table(Volume)[volume.id]))
    assert files(cloud) == set()


def test_a_disk_that_is_made_again_takes_its_room_once(cloud: Cloud) -> None:
    pool = next(iter(cloud.table(StoragePool)))
    host = machine(cloud, next(iter(cloud.table(Host))).id)
    made = [cloud.do(host.create_volume("v", pool.id, GIB, None, None)) for _ in range(2)]
    used = cloud.world.site.pool_ids[pool.id].used
    assert made[0] == made[1] == ("v", GIB) and used == cloud.world.site.pool_ids[pool.id].written(GIB)


def test_a_job_that_meets_the_clean_up_of_its_instance_waits_and_learns_that_it_is_gone(cloud: Cloud) -> None:
    vm = cloud.deploy()
    manager = cloud.manager
    cloud.do(manager.vms.destroyed(cloud.admin, vm.id))
    manager.settings.set("expunge.delay", "1")
    cloud.wait(5)

    async def both() -> AsyncJob:
        cleaning = asyncio.ensure_future(manager.vms.expunging.expunge_due())
        await asyncio.sleep(0.001)
        assert row(cloud, vm).state == "Expunging"
        job = manager.vms.destroy(cloud.admin, row(cloud, vm), expunge=True)
        assert await cleaning == 1
        ended: AsyncJob = await manager.jobs.wait(job.id)
        return ended

    job = cloud.do(both())
    assert job.status == JOB_FAILED and "it was removed meanwhile" in (job.result or "")


def test_an_instance_that_is_recovered_while_others_are_expunged_stays(cloud: Cloud) -> None:
    vms = [cloud.deploy("one"), cloud.deploy("two")]
    for vm in vms:
        cloud.do(cloud.manager.vms.destroyed(cloud.admin, vm.id))
    cloud.manager.settings.set("expunge.delay", "1")
    cloud.wait(5)

    async def both() -> int:
        cleaning = asyncio.ensure_future(cloud.manager.vms.expunging.expunge_due())
        await asyncio.sleep(0.001)
        cloud.manager.vms.recover(cloud.admin, vms[1].id)
        done: int = await cleaning
        return done

    assert cloud.do(both()) == 1
    assert row(cloud, vms[1]).state == "Stopped" and cloud.root(vms[1]).state == "Ready"


class Recorder:
    """The manager's end of a link of which only what is sent counts."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.on_message: Any = None
        self.on_close: Any = None

    def send(self, message: Message) -> None:
        self.sent.append(message)

    def close(self) -> None:
        pass


def test_sequence_numbers_go_on_when_a_host_is_added_again(cloud: Cloud) -> None:
    """Its agent may remember the answers to the earlier ones, and would give them again."""
    agents, host = cloud.manager.agents, next(iter(cloud.table(Host)))

    def numbers() -> list[int]:
        link = Recorder()
        agents.accept(link)
        link.on_message(Startup(host.guid, host.name, "", HostFacts("Simulator", 1, 1, 1), ()))

        async def ask() -> None:
            tasks = [asyncio.ensure_future(cloud.manager.power_sync._ask(host.id)) for _ in range(3)]
            await asyncio.sleep(0.1)
            agents.disconnect(host.id, "removed")
            await asyncio.gather(*tasks)

        cloud.do(ask())
        return [message.sequence for message in link.sent if isinstance(message, Request)]

    first, second = numbers(), numbers()
    assert len(first) >= 3 and max(first) < min(second)
