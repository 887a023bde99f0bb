"""What instances use, as their hosts measure it and the cloud keeps it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from cloudsim.management.operations.sample_chunks import CHUNK
from cloudsim.model import Host, VmUsage
from tests.cloudsim.management.cloud_harness import Cloud


def of(cloud: Cloud, vm: Any, start: float | None = None, end: float | None = None) -> list[Any]:
    return list(cloud.manager.vm_usages.of(vm.id, start, end))


def guest(cloud: Cloud, vm: Any) -> Any:
    machine = cloud.world.hosts[cloud.table(Host)[vm.host_id].guid].hypervisor
    return machine, machine.guests[vm.instance_name]


def test_samples_say_what_was_used_since_the_one_before(cloud: Cloud) -> None:
    vm = cloud.deploy()
    cloud.wait(3600)
    samples = of(cloud, vm)
    assert 10 <= len(samples) <= 12
    assert {round(b.at - a.at) for a, b in pairwise(samples)} == {300}
    machine, running = guest(cloud, vm)
    now = machine.measure(running)
    assert {sample.cpu_percent for sample in samples} == {round(now.cpu_percent, 2)}
    assert {sample.memory_mib for sample in samples} == {now.memory_mib}
    spans = [now.disk_write_bytes * 300 / (cloud.world.loop.time() - running.started)] * len(samples)
    assert [s.disk_write_bytes for s in samples] == pytest.approx(spans, rel=0.02)


def test_counters_that_begin_anew_are_not_subtracted(cloud: Cloud) -> None:
    vm = cloud.deploy()
    cloud.wait(4000)
    cloud.stop(vm)
    cloud.do(cloud.manager.vms.start(vm.id))
    cloud.wait(900)
    last = of(cloud, vm)
    assert all(sample.disk_write_bytes >= 0 for sample in last)
    assert min(sample.network_read_bytes for sample in last) >= 0


def test_a_span_of_time_is_asked_for_by_its_ends(cloud: Cloud) -> None:
    vm = cloud.deploy()
    cloud.wait(2 * 3600)
    times = [sample.at for sample in of(cloud, vm)]
    assert [sample.at for sample in of(cloud, vm, times[2], times[4])] == times[2:5]
    assert of(cloud, vm, start=times[-1] + 1) == []


def test_samples_stand_in_rows_of_some_and_go_when_they_are_old(cloud: Cloud) -> None:
    cloud.manager.settings.set("vm.stats.max.retention.time", "120")
    vm = cloud.deploy()
    cloud.wait(10 * 3600)
    rows = [row for row in cloud.table(VmUsage) if row.vm_id == vm.id]
    assert len(rows) <= 4 and all(len(row.samples) == CHUNK for row in rows[:-1])
    kept = of(cloud, vm)
    assert 24 <= len(kept) <= 24 + CHUNK + 1
    assert kept[0].at >= cloud.world.now() - 2 * 3600 - (CHUNK + 1) * 300


def test_they_go_with_their_instance(cloud: Cloud) -> None:
    vm, other = cloud.deploy("one"), cloud.deploy("two")
    cloud.wait(1800)
    assert of(cloud, vm)
    cloud.do(cloud.manager.vms.destroyed(cloud.admin, vm.id, expunge=True))
    assert of(cloud, vm) == [] and of(cloud, other)
    assert {row.vm_id for row in cloud.table(VmUsage)} == {other.id}


def test_a_host_that_does_not_answer_is_asked_once_and_holds_up_no_other(cloud: Cloud) -> None:
    vm, other = cloud.deploy("one"), cloud.deploy("two")
    if vm.host_id == other.host_id:
        target = next(h for h in cloud.table(Host) if h.id != vm.host_id)
        cloud.do(cloud.manager.migration.migrate(cloud.admin, other.id, target.id))
    cloud.world.hang_agent(cloud.table(Host)[vm.host_id].name)
    cloud.wait(3600)
    assert len(of(cloud, other)) >= 9 and len(of(cloud, vm)) <= 1


def test_an_interval_of_zero_measures_nothing(cloud: Cloud) -> None:
    cloud.manager.settings.set("vm.stats.interval", "0")
    vm = cloud.deploy()
    cloud.wait(3600)
    before = len(of(cloud, vm))
    cloud.wait(3600)
    assert len(of(cloud, vm)) == before
