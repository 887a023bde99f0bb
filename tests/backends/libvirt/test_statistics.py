from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("libvirt")

from backends.libvirt import statistics
from backends.libvirt.domain_xml import disk_slot, disk_target
from backends.libvirt.statistics import (
    Sample,
    memory_used_kib,
    statistics_of,
    with_percent,
)
from cloudsim.protocol.specs import DiskStatistics, NicSpec
from tests.backends.libvirt.host_alone import instance, opened, said
from tests.backends.libvirt.libvirtd_alone import UP, LonelyHost, lonely_host

RUN = ("id-1", 7)


def test_a_percentage_is_of_all_vcpus_since_the_last_sample() -> None:
    before = Sample(RUN, 100.0, 10.0)
    assert with_percent(before, Sample(RUN, 110.0, 20.0), {"vcpu.current": 2}).percent == 50.0
    assert with_percent(before, Sample(RUN, 110.0, 30.5), {"vcpu.current": 2}).percent == 100.0
    assert with_percent(before, Sample(RUN, 110.0, 12.0), {}).percent == 20.0


def test_samples_too_near_to_each_other_tell_the_last_percentage_again() -> None:
    before = Sample(RUN, 100.0, 10.0, 25.0)
    assert with_percent(before, Sample(RUN, 100.05, 10.05), {}) == before


def test_samples_of_different_runs_tell_nothing() -> None:
    before, now = Sample(RUN, 100.0, 10.0, 25.0), Sample(("id-1", 8), 110.0, 11.0)
    assert with_percent(before, now, {}) == with_percent(None, now, {}) == now
    assert with_percent(before, Sample(RUN, 110.0, 5.0), {}).percent is None


def test_counters_are_summed_over_disks_and_cards() -> None:
    counters = {
        "block.count": 3,
        "block.0.rd.bytes": 100,
        "block.0.rd.reqs": 1,
        "block.0.wr.bytes": 10,
        "block.0.wr.reqs": 2,
        "block.1.rd.bytes": 1000,
        "net.count": 2,
        "net.0.rx.bytes": 5,
        "net.1.rx.bytes": 50,
        "net.1.tx.bytes": 500,
        "balloon.current": 2048,
    }
    found = statistics_of("i-1", counters, 12.5)
    assert (found.disk_read_bytes, found.disk_read_ios) == (1100, 1)
    assert (found.disk_write_bytes, found.disk_write_ios) == (10, 2)
    assert (found.network_read_bytes, found.network_write_bytes) == (55, 500)
    assert (found.cpu_percent, found.memory_mib) == (12.5, 2)


def test_memory_is_what_the_guest_says_else_what_it_was_given() -> None:
    given = {"balloon.current": 1000, "balloon.rss": 400}
    assert (
        memory_used_kib({**given, "balloon.available": 900, "balloon.usable": 700, "balloon.unused": 100})
        == 200
    )
    assert memory_used_kib({**given, "balloon.available": 900, "balloon.unused": 100}) == 800
    assert memory_used_kib(given) == 400
    assert memory_used_kib({**given, "balloon.rss": 5000}) == 1000, "QEMU's own memory is not the guest's"
    assert memory_used_kib({}) == 0


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LonelyHost]:
    yield from lonely_host(tmp_path_factory.mktemp("host"))


@pytest.mark.lab
def test_running_instances_are_measured(
    lonely: LonelyHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """About 4 s."""

    async def story() -> None:
        host = await opened(lonely, tmp_path)
        nic = NicSpec("nic-1", "02:00:00:00:00:01", "net-1")
        vms = [instance(host, f"i-2-{number}-VM", nics=(nic,) if number == 1 else ()) for number in (1, 2)]
        for vm in vms:
            await host.start_vm(vm)
        try:
            end = time.monotonic() + 90
            while not all(UP in said(host, vm) for vm in vms):  # both have read their disks
                assert time.monotonic() < end, "the guests are not up"
                await asyncio.sleep(0.05)
            assert await host.vm_statistics(("i-9-9-VM",)) == ()
            [one] = await host.vm_statistics((vms[0].name,))
            assert one.name == vms[0].name and 0 <= one.cpu_percent <= 100
            assert 0 < one.memory_mib <= 32
            assert one.disk_read_bytes >= 512 and one.disk_read_ios >= 1
            both = await host.vm_statistics(())
            assert {found.name for found in both} == {vm.name for vm in vms}
            monkeypatch.setattr(statistics, "FIRST_INTERVAL", 60.0)
            began = time.monotonic()
            assert len(await host.vm_statistics(())) == 2
            assert time.monotonic() - began < 30, "known ones need no second sample"
        finally:
            for vm in vms:
                await host.stop_vm(vm.name, True)
            await host.connection.close()

    asyncio.run(story())


def test_disks_are_told_by_their_slots_and_drives_for_isos_left_out() -> None:
    counters = {
        "block.count": 3,
        "block.0.name": "vda",
        "block.0.rd.bytes": 512,
        "block.0.wr.reqs": 4,
        "block.1.name": "sda",
        "block.1.rd.bytes": 7,
        "block.2.name": "vdab",
        "block.2.rd.reqs": 1,
    }
    found = statistics_of("i-1", counters, 0.0).disks
    assert found == (DiskStatistics(0, 512, 0, 0, 4), DiskStatistics(27, 0, 0, 1, 0))
    assert all(disk_slot(disk_target(slot)) == slot for slot in range(60))
