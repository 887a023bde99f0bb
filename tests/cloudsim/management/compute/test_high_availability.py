"""Instances whose offering has high availability, and what becomes of them when their host fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloudsim.hypervisor import HypervisorError
from cloudsim.management.compute.vms import VirtualMachines
from cloudsim.model import Alert, Host, StoragePool, VirtualMachine
from tests.cloudsim.management.cloud_harness import Cloud


def highly_available(cloud: Cloud, name: str = "web") -> VirtualMachine:
    vm = cloud.deploy(name)
    with cloud.store.transaction():
        vm = cloud.table(VirtualMachine).update(vm.id, ha_enabled=True)
    return vm


def row(cloud: Cloud, vm: VirtualMachine) -> VirtualMachine:
    found: VirtualMachine = cloud.table(VirtualMachine)[vm.id]
    return found


def guid(cloud: Cloud, host_id: str | None) -> str:
    return str(cloud.table(Host)[host_id].guid)


def where_it_runs(cloud: Cloud, vm: VirtualMachine) -> list[str]:
    machines = {h.id: cloud.world.hosts[h.guid].hypervisor for h in cloud.table(Host)}
    return [host for host, machine in machines.items() if vm.instance_name in machine.guests]


def alerts(cloud: Cloud, name: str) -> list[str]:
    return [alert.description for alert in cloud.table(Alert) if alert.name == name]


def test_when_its_host_loses_power_it_is_started_on_another(cloud: Cloud) -> None:
    vm = highly_available(cloud)
    cloud.world.crash_host(guid(cloud, vm.host_id))
    cloud.wait(600)
    now = row(cloud, vm)
    assert now.state == "Running" and now.host_id != vm.host_id and where_it_runs(cloud, vm) == [now.host_id]
    assert any(vm.instance_name in text and "started elsewhere" in text for text in alerts(cloud, "ALERT.USERVM"))


def test_where_hosts_are_kept_free_for_failover_it_is_started_on_one_of_these_and_on_no_other(cloud: Cloud) -> None:
    vm = highly_available(cloud)
    here = cloud.table(Host)[vm.host_id]
    (spare,) = [host for host in cloud.table(Host) if host.cluster_id == here.cluster_id and host.id != here.id]
    with cloud.store.transaction():
        cloud.table(Host).update(spare.id, tags=("spare",))
    cloud.manager.settings.set("ha.tag", "spare")
    others = [cloud.deploy(f"other-{number}") for number in range(4)]
    assert all(row(cloud, other).host_id != spare.id for other in others)
    cloud.world.crash_host(here.guid)
    cloud.wait(600)
    assert (row(cloud, vm).state, row(cloud, vm).host_id) == ("Running", spare.id)


def test_where_no_host_has_the_tag_of_failover_it_stays_stopped_and_an_alert_says_so(cloud: Cloud) -> None:
    vm = highly_available(cloud)
    cloud.manager.settings.set("ha.tag", "spare")
    cloud.world.crash_host(guid(cloud, vm.host_id))
    cloud.wait(1800)
    assert row(cloud, vm).state == "Stopped"
    assert any("could not be started again" in text for text in alerts(cloud, "ALERT.USERVM"))


def test_an_instance_without_it_stays_with_the_host_that_is_lost(cloud: Cloud) -> None:
    vm = cloud.deploy()
    cloud.world.crash_host(guid(cloud, vm.host_id))
    cloud.wait(600)
    assert (row(cloud, vm).state, row(cloud, vm).host_id) == ("Running", vm.host_id)
    cloud.world.restore_host(guid(cloud, vm.host_id))
    cloud.wait(600)
    assert row(cloud, vm).state == "Stopped" and where_it_runs(cloud, vm) == []


def test_when_its_host_is_back_before_it_was_missed_it_is_started_again(cloud: Cloud) -> None:
    vm = highly_available(cloud)
    cloud.world.crash_host(guid(cloud, vm.host_id))
    cloud.wait(5)
    cloud.world.restore_host(guid(cloud, vm.host_id))
    cloud.wait(600)
    now = row(cloud, vm)
    assert now.state == "Running" and where_it_runs(cloud, vm) == [now.host_id]
    assert cloud.table(Host)[vm.host_id].state == "Up"


@pytest.mark.parametrize("trouble", ["link cut", "agent hangs"])
def test_an_instance_that_may_still_run_is_not_started_a_second_time(cloud: Cloud, trouble: str) -> None:
    vm = highly_available(cloud)
    world, host = cloud.world, guid(cloud, vm.host_id)
    begin, end = {
        "link cut": (world.cut_link, world.restore_link),
        "agent hangs": (world.hang_agent, world.resume_agent),
    }[trouble]
    begin(world.hosts[host].path)
    cloud.wait(1800)
    assert cloud.table(Host)[vm.host_id].state == "Alert"
    assert where_it_runs(cloud, vm) == [vm.host_id] and row(cloud, vm).state == "Running"
    end(world.hosts[host].path)
    cloud.wait(600)
    assert where_it_runs(cloud, vm) == [vm.host_id]
    assert (row(cloud, vm).state, row(cloud, vm).host_id) == ("Running", vm.host_id)


def test_an_instance_that_was_stopped_on_request_stays_so(cloud: Cloud) -> None:
    vm = highly_available(cloud)
    cloud.stop(vm)
    cloud.wait(3600)
    assert row(cloud, vm).state == "Stopped"


def test_one_whose_disk_is_its_hosts_own_waits_for_that_host(cloud: Cloud) -> None:
    vm = highly_available(cloud)
    pool = cloud.root(vm).pool_id
    with cloud.store.transaction():
        cloud.table(StoragePool).update(pool, scope="HOST", host_id=vm.host_id)
    cloud.world.crash_host(guid(cloud, vm.host_id))
    cloud.wait(1800)
    assert (row(cloud, vm).state, row(cloud, vm).host_id) == ("Running", vm.host_id)
    cloud.world.restore_host(guid(cloud, vm.host_id))
    cloud.wait(1800)
    assert row(cloud, vm).state == "Running" and where_it_runs(cloud, vm) == [row(cloud, vm).host_id]


def refusing(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, times: float) -> Callable[[], int]:
    """Have hosts refuse to start instances so often; how often they were asked."""
    machine = type(cloud.world.hosts[guid(cloud, next(iter(cloud.table(Host))).id)].hypervisor)
    starting, asked = machine.start_vm, [0]

    async def start(self: Any, vm: Any) -> Any:
        asked[0] += 1
        if asked[0] <= times:
            raise HypervisorError("no room just now")
        return await starting(self, vm)

    monkeypatch.setattr(machine, "start_vm", start)
    return lambda: asked[0]


def test_what_fails_is_tried_again_later(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    vm = highly_available(cloud)
    cloud.manager.settings.set("restart.retry.interval", "300")
    refusing(cloud, monkeypatch, times=1)
    cloud.world.crash_host(guid(cloud, vm.host_id))
    cloud.wait(300)
    assert row(cloud, vm).state == "Stopped"
    assert any("It is tried again" in text for text in alerts(cloud, "ALERT.USERVM"))
    cloud.wait(600)
    assert row(cloud, vm).state == "Running"


def test_after_five_failures_it_is_left_stopped_and_an_alert_says_so(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    vm = highly_available(cloud)
    cloud.manager.settings.set("restart.retry.interval", "60")
    asked = refusing(cloud, monkeypatch, times=float("inf"))
    cloud.world.crash_host(guid(cloud, vm.host_id))
    cloud.wait(3600)
    assert row(cloud, vm).state == "Stopped" and asked() == 5
    assert sum("It stays Stopped" in text for text in alerts(cloud, "ALERT.USERVM")) == 1


def test_one_that_its_owner_started_meanwhile_is_left_alone(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    vm = highly_available(cloud)
    refusing(cloud, monkeypatch, times=1)
    cloud.world.crash_host(guid(cloud, vm.host_id))
    cloud.wait(300)
    vms: VirtualMachines = cloud.manager.vms
    cloud.do(vms.started(cloud.admin, vm.id))
    cloud.stop(vm)
    cloud.wait(3600)
    assert row(cloud, vm).state == "Stopped"
