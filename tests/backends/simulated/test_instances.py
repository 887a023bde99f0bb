from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from backends.simulated.datacenter import GIB
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec

if TYPE_CHECKING:
    from conftest import Bench


def test_an_instance_lives_and_its_report_is_one_object_while_nothing_changes(bench: Bench) -> None:
    vm = bench.vm("i-1", bench.disk("root"))
    before = bench.now
    console = bench.do(bench.a.start_vm(vm))
    assert bench.now > before + 1 and console.host == bench.a.address and console.port == 5900
    first = bench.a.inventory()
    assert [(r.name, r.state) for r in first] == [("i-1", "PowerOn")]
    assert bench.a.inventory() is first is bench.do(bench.a.vm_states())
    assert bench.do(bench.a.start_vm(vm)) == console, "starting what runs succeeds at once"
    bench.consistent()
    bench.do(bench.a.stop_vm("i-1", False))
    assert bench.a.inventory() == () and bench.a.memory_used == 0
    bench.do(bench.a.stop_vm("i-1", True))
    bench.consistent()


def test_a_host_gives_no_more_memory_than_its_bound(bench: Bench) -> None:
    bench.do(bench.a.start_vm(bench.vm("i-1", memory_mib=6000)))
    with pytest.raises(HypervisorError, match=r"i-2 needs 3000 MiB, and 6000 of at most 8192 MiB on host-1"):
        bench.do(bench.a.start_vm(bench.vm("i-2", memory_mib=3000)))
    with pytest.raises(HypervisorError, match="2500 MiB more"):
        bench.do(bench.a.scale_vm("i-1", 2, 1000, 8500))
    bench.do(bench.a.scale_vm("i-1", 2, 1000, 7000))
    assert bench.a.guests["i-1"].spec.cpus == 2
    bench.consistent()


def test_gpus_are_shared_by_thousandths_and_not_beyond(bench: Bench) -> None:
    bench.do(bench.a.start_vm(bench.vm("i-1", gpu_devices=(0,), gpu_milli=600)))
    with pytest.raises(HypervisorError, match=r"500 thousandths of GPU 0 .* 600 are taken"):
        bench.do(bench.a.start_vm(bench.vm("i-2", gpu_devices=(0,), gpu_milli=500)))
    with pytest.raises(HypervisorError, match="no GPU 2"):
        bench.do(bench.a.start_vm(bench.vm("i-2", gpu_devices=(2,))))
    bench.do(bench.a.start_vm(bench.vm("i-2", gpu_devices=(0, 1), gpu_milli=400)))


def test_a_disk_is_open_on_one_host_at_a_time(bench: Bench) -> None:
    vm = bench.vm("i-1", bench.disk("root"))
    bench.do(bench.a.start_vm(vm))
    with pytest.raises(HypervisorError, match="disk root of i-1 is in use by i-1@host-1"):
        bench.do(bench.b.start_vm(vm))
    assert bench.b.inventory() == ()
    bench.consistent()
    bench.a.power_off()
    bench.do(bench.b.start_vm(vm))
    bench.consistent()


@pytest.mark.parametrize("after", [0.1, 5.0])
def test_power_loss_takes_everything_and_fails_what_was_under_way(bench: Bench, after: float) -> None:
    bench.do(bench.a.start_vm(bench.vm("i-1", bench.disk("one"))))
    bench.at(after, bench.a.power_off)
    with pytest.raises(HypervisorError, match=r"host-1.* lost power"):
        bench.do(bench.a.start_vm(bench.vm("i-2", bench.disk("two"))))
    assert bench.a.inventory() == () and bench.a.memory_used == 0
    bench.consistent()
    with pytest.raises(HypervisorError, match="lost power"):
        bench.do(bench.a.start_vm(bench.vm("i-3")))
    bench.a.power_on()
    bench.do(bench.a.start_vm(bench.vm("i-3")))


def test_a_start_that_is_called_off_leaves_nothing(bench: Bench) -> None:
    vm = bench.vm("i-1", bench.disk("root"))
    with pytest.raises(TimeoutError):
        bench.do(asyncio.wait_for(bench.a.start_vm(vm), 2.0))
    assert bench.a.inventory() == ()
    bench.consistent()
    with pytest.raises(HypervisorError, match="there is no missing on pool"):
        bench.do(bench.a.start_vm(bench.vm("i-2", vm.disks[0].__class__("x", "P", "missing", 1))))


def test_nics_and_volumes_come_and_go_while_it_runs(bench: Bench) -> None:
    bench.do(bench.a.start_vm(bench.vm("i-1", bench.disk("root"))))
    nic, data = NicSpec("n1", "02:00:00:00:00:01", "net"), bench.disk("data", device=1)
    bench.do(bench.a.plug_nic("i-1", nic))
    bench.do(bench.a.plug_nic("i-1", nic))
    bench.do(bench.a.attach_volume("i-1", data))
    guest = bench.a.guests["i-1"]
    assert guest.nics == (nic,) and guest.disks[1] == data
    bench.consistent()
    with pytest.raises(HypervisorError, match="in use by i-1@host-1"):
        bench.do(bench.a.delete_volume("data", "P", "data"))
    with pytest.raises(HypervisorError, match="slot 1 already"):
        bench.do(bench.a.attach_volume("i-1", bench.disk("other", device=1)))
    bench.do(bench.a.detach_volume("i-1", data))
    bench.do(bench.a.unplug_nic("i-1", nic))
    bench.do(bench.a.unplug_nic("i-1", nic))
    assert guest.nics == () and len(guest.disks) == 1
    bench.do(bench.a.delete_volume("data", "P", "data"))
    bench.consistent()
    with pytest.raises(HypervisorError, match="instance i-9 does not run on host-1"):
        bench.do(bench.a.plug_nic("i-9", nic))


def test_snapshots_keep_memory_on_the_pool_and_can_be_gone_back_to(bench: Bench) -> None:
    disk = bench.disk("root")
    bench.do(bench.a.start_vm(bench.vm("i-1", disk)))
    used = bench.pool.used
    bench.do(bench.a.create_vm_snapshot("i-1", "s1", (disk,), True))
    assert bench.pool.used == used + GIB
    bench.consistent()
    with pytest.raises(HypervisorError, match="has a snapshot s1 already"):
        bench.do(bench.a.create_vm_snapshot("i-1", "s1", (disk,), False))
    bench.do(bench.a.revert_to_vm_snapshot("i-1", "s1", (disk,), True))
    bench.do(bench.a.delete_vm_snapshot("i-1", "s1", (disk,)))
    bench.do(bench.a.delete_vm_snapshot("i-1", "s1", (disk,)))
    assert bench.pool.used == used
    with pytest.raises(HypervisorError, match="no snapshot s1"):
        bench.do(bench.a.revert_to_vm_snapshot("i-1", "s1", (disk,), True))


def test_meters_follow_from_uptime_and_are_the_same_each_time(bench: Bench) -> None:
    bench.do(bench.a.start_vm(bench.vm("i-1", details={"utilisation": "0.5"})))
    bench.do(asyncio.sleep(100))
    (one,) = bench.do(bench.a.vm_statistics(()))
    bench.do(asyncio.sleep(100))
    (two,) = bench.do(bench.a.vm_statistics(("i-1", "not here")))
    assert one.cpu_percent == two.cpu_percent == 50.0
    assert two.disk_read_bytes == 2 * one.disk_read_bytes == 200_000_000
    bench.do(bench.a.suspend_vm("i-1"))
    assert bench.do(bench.a.vm_statistics(()))[0].cpu_percent == 0.0
    assert bench.names(bench.a) == ["i-1"]
    bench.do(bench.a.resume_vm("i-1"))
    bench.world.site.utilisation = lambda vm, time: 0.25
    assert bench.do(bench.a.vm_statistics(()))[0].cpu_percent == 25.0


def test_reboot_takes_a_shutdown_and_a_boot(make_bench: type[Bench]) -> None:
    bench = make_bench({"vm_boot": 20, "vm_shutdown": 4, "forced_stop": 1, "boot_ios": 0})
    bench.do(bench.a.start_vm(bench.vm("i-1", bench.disk("root"))))
    start = bench.now
    bench.do(bench.a.reboot_vm("i-1", False))
    assert bench.now - start == pytest.approx(24)
    bench.do(bench.a.reboot_vm("i-1", True))
    assert bench.now - start == pytest.approx(45)
