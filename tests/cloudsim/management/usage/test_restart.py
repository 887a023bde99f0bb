"""Usage over a restart of the management server."""

from __future__ import annotations

import pytest

from cloudsim.management.server import ManagementServer
from cloudsim.management.usage import types
from cloudsim.model import UsageInterval, UsageJob, UsageRecord
from cloudsim.randomness import Randomness
from tests.cloudsim.management.cloud_harness import Cloud


def restart(cloud: Cloud) -> None:
    cloud.close()
    cloud.manager = ManagementServer(cloud.store, cloud.world, Randomness(6))
    cloud.call(cloud.manager.start)


def hours(cloud: Cloud, type: int) -> float:
    return sum(each.amount for each in cloud.table(UsageRecord) if each.use.type == type)


def test_a_restart_interrupts_nothing_that_is_in_use(cloud: Cloud) -> None:
    cloud.manager.settings.set("enable.usage.server", "true")
    cloud.deploy()
    cloud.wait(3600)
    restart(cloud)
    cloud.wait(3600)
    cloud.do(cloud.manager.usage_records.generate(None))
    assert hours(cloud, types.RUNNING_VM) == pytest.approx(2, abs=0.05)


def test_what_went_while_the_server_was_down_ends_when_it_is_back(cloud: Cloud) -> None:
    cloud.manager.settings.set("enable.usage.server", "true")
    vm = cloud.deploy(start=False)
    cloud.wait(3600)
    cloud.close()
    with cloud.store.transaction():
        for nic in cloud.manager.nics.of(vm):
            cloud.store.table(type(nic)).delete(nic.id)
        for volume in cloud.manager.disks.of(vm):
            cloud.store.table(type(volume)).delete(volume.id)
        cloud.store.table(type(vm)).delete(vm.id)
    cloud.manager = ManagementServer(cloud.store, cloud.world, Randomness(6))
    cloud.call(cloud.manager.start)
    assert [
        each for each in cloud.table(UsageInterval) if each.ended is None and each.use.vm_id == vm.id
    ] == []


def test_records_that_were_being_made_are_made_anew(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloudsim.management.usage.records.PART", 1)
    cloud.manager.settings.set("enable.usage.server", "true")
    cloud.deploy()
    cloud.wait(3600)
    records = cloud.manager.usage_records
    making = cloud.call(lambda: cloud.world.loop.create_task(records.generate(None)))
    while not len(cloud.table(UsageRecord)):
        cloud.wait(0)
    making.cancel()
    cloud.wait(0)
    assert [job.state for job in cloud.table(UsageJob)] == ["Running"]
    cloud.do(records.generate(None))
    assert [job.state for job in cloud.table(UsageJob)] == ["Succeeded"]
    assert hours(cloud, types.RUNNING_VM) == pytest.approx(1, abs=0.05)
