"""Guests at work: the closed forms hold to the microsecond, and what befalls a guest befalls its work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from backends.simulated.datacenter import Hosts, uniform
from backends.simulated.work import Cores, Work
from backends.simulated.world import SimulatedWorld
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, ImageSpec, VmSpec
from cloudsim.work import user_data

if TYPE_CHECKING:
    from conftest import Bench

GIB = 1 << 30


def _ms(seconds: float) -> float:
    """Seconds as milliseconds, to the microsecond."""
    return round(1_000_000 * seconds) / 1000


class Heard:
    """Writes down what a world tells of work, in milliseconds."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, tuple[int, ...], float]] = []
        self.finished: dict[tuple[str, int], list[float]] = {}

    def work_began(self, vm_id: str, tasks: Sequence[int], time: float) -> None:
        self.begun.append((vm_id, tuple(tasks), _ms(time)))

    def task_finished(self, vm_id: str, task: int, time: float) -> None:
        self.finished.setdefault((vm_id, task), []).append(_ms(time))

    def end(self, task: int, vm: str = "i-1") -> float:
        """When the task was last done."""
        return self.finished[vm, task][-1]


class Study:
    """Two hosts of which each has 8 cores of 1000 MHz, on which nothing takes time but work."""

    def __init__(self, make_bench: type[Bench], profile: Any = "zero") -> None:
        self.bench = make_bench(profile)
        self.heard = Heard()
        self.bench.world.hear_work(self.heard)
        self.a, self.b = self.bench.a, self.bench.b
        for host in (self.a, self.b):
            host.group = replace(host.group, mhz=1000)
        self.do, self.at = self.bench.do, self.bench.at

    def vm(self, *lengths: int, name: str = "i-1", disks: tuple[DiskSpec, ...] = (), **fields: Any) -> VmSpec:
        return self.bench.vm(name, *disks, user_data=user_data(lengths), **fields)

    def start(self, *lengths: int, **fields: Any) -> VmSpec:
        vm = self.vm(*lengths, **fields)
        self.do(self.a.start_vm(vm))
        return vm

    def until(self, milliseconds: float) -> None:
        """Let time pass until then."""
        self.do(asyncio.sleep(milliseconds / 1000 - self.bench.now))


@pytest.fixture
def study(make_bench: type[Bench]) -> Study:
    return Study(make_bench)


def closed_form(lengths: Sequence[int]) -> list[int]:
    """When each task is done, in ms: see backends.simulated.work."""
    ends = [0] * len(lengths)
    clock = before = 0
    waiting = len(lengths)
    for length, task in sorted((length, task) for task, length in enumerate(lengths)):
        clock += waiting * (length - before)
        before, waiting = length, waiting - 1
        ends[task] = clock
    return ends


@given(
    lengths=st.lists(st.integers(1, 10_000_000), min_size=1, max_size=6),
    cpus=st.integers(1, 8),
    mhz=st.integers(1, 1000),
)
@settings(max_examples=50)
def test_tasks_end_at_the_very_times_of_processor_sharing(
    make_bench: type[Bench], lengths: list[int], cpus: int, mhz: int
) -> None:
    study = Study(make_bench)
    study.start(*lengths, cpus=cpus, cpu_mhz=mhz)
    study.until(sum(lengths))
    assert [study.heard.end(task) for task in range(len(lengths))] == closed_form(lengths)


class _Clock:
    """As much of an event loop as work needs: timers, in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[tuple[float, int, Any, tuple[Any, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Any, *args: Any) -> _Timer:
        timer = (when, len(self._timers), callback, args)
        self._timers.append(timer)
        return _Timer(self._timers, timer)

    def run(self, until: float) -> None:
        while due := [t for t in self._timers if t[2] is not None and t[0] <= until]:
            first = min(due, key=lambda t: t[:2])
            self._timers[first[1]] = (*first[:2], None, ())
            self.now = first[0]
            first[2](*first[3])
        self.now = until


class _Timer:
    def __init__(self, timers: list[Any], timer: Any) -> None:
        self._timers, self._timer = timers, timer

    def cancel(self) -> None:
        self._timers[self._timer[1]] = (*self._timer[:2], None, ())


def fluid(guests: list[Any], cores: int, mhz: int) -> dict[tuple[int, int], Fraction]:
    """When each task of each guest (start ms, vCPUs, MHz, lengths) is done in ms, exactly, if vCPUs share
    max-min fairly: found by raising a common level until the cores are full, from event to event."""
    now = Fraction(0)
    ends: dict[tuple[int, int], Fraction] = {}
    left: dict[int, dict[int, Fraction]] = {}
    coming = sorted(range(len(guests)), key=lambda g: guests[g][0])
    while coming or left:
        while coming and guests[coming[0]][0] <= now:
            guest = coming.pop(0)
            _, cpus, speed, lengths = guests[guest]
            left[guest] = {task: Fraction(length * cpus * speed) for task, length in enumerate(lengths)}
        wants = sorted((Fraction(min(guests[g][2], mhz)), guests[g][1], g) for g in left)
        room, vcpus = Fraction(cores * mhz), sum(cpus for _, cpus, _ in wants)
        speeds = {}
        for each, cpus, guest in wants:
            got = min(each, room / vcpus)
            room, vcpus = room - got * cpus, vcpus - cpus
            speeds[guest] = got * cpus
        step = min((min(todo.values()) * len(todo) / speeds[g] for g, todo in left.items()), default=None)
        if coming and (step is None or guests[coming[0]][0] - now < step):
            step = guests[coming[0]][0] - now
        assert step is not None
        now += step
        for guest, todo in list(left.items()):
            share = speeds[guest] * step / len(todo)
            for task in list(todo):
                todo[task] -= share
                if todo[task] == 0:
                    del todo[task]
                    ends[guest, task] = now
            if not todo:
                del left[guest]
    return ends


GUESTS = st.lists(
    st.tuples(
        st.integers(0, 3000),
        st.integers(1, 6),
        st.sampled_from([300, 1000, 1700, 4000]),
        st.lists(st.integers(1, 5000), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=6,
)


@given(guests=GUESTS, cores=st.integers(1, 8), mhz=st.sampled_from([1000, 2300]))
@settings(max_examples=150)
def test_overcommitted_guests_end_as_max_min_fair_sharing_has_it(
    guests: list[tuple[int, int, int, list[int]]], cores: int, mhz: int
) -> None:
    clock, shared = _Clock(), Cores(cores, mhz)
    ends: dict[tuple[int, int], float] = {}
    order = sorted(range(len(guests)), key=lambda g: guests[g][0])
    for guest in order:
        start, cpus, speed, lengths = guests[guest]
        clock.run(start / 1000)

        def note(task: int, time: float, guest: int = guest) -> None:
            ends[guest, task] = 1000 * time

        Work(clock, cpus, speed, tuple(lengths), note).run_on(shared)  # type: ignore[arg-type]
    clock.run(1e6)
    expected = fluid(guests, cores, mhz)
    assert ends.keys() == expected.keys()
    events = len(expected) + len(guests)
    for key, end in expected.items():
        assert ends[key] == pytest.approx(float(end), abs=0.001 * events), "a microsecond off for each event"


def test_what_a_host_has_enough_of_is_not_shared(study: Study) -> None:
    study.do(study.a.start_vm(study.vm(1000, name="i-1", cpus=4)))
    study.do(study.a.start_vm(study.vm(700, name="i-2", cpus=4)))
    study.until(1000)
    assert (study.heard.end(0, "i-1"), study.heard.end(0, "i-2")) == (1000, 700)


def test_guests_on_too_few_cores_get_the_same_for_each_vcpu(study: Study) -> None:
    study.do(study.a.start_vm(study.vm(3000, name="small", cpus=4)))
    study.do(study.a.start_vm(study.vm(6000, name="large", cpus=12)))
    loads = [one.cpu_percent for one in study.do(study.a.vm_statistics(()))]
    assert loads == [50.0, 50.0]
    study.until(20_000)
    assert study.heard.end(0, "small") == 6000, "at half speed"
    assert study.heard.end(0, "large") == 6000 + 3000 * 12 / 8, "its vCPUs are more than the cores still"


def test_a_vcpu_is_no_faster_than_a_core(study: Study) -> None:
    study.start(1000, cpu_mhz=2500)
    study.until(2500)
    assert study.heard.end(0) == 2500
    assert study.do(study.a.vm_statistics(()))[0].cpu_percent == 0.0


def test_work_begins_when_the_guest_has_booted(make_bench: type[Bench]) -> None:
    study = Study(make_bench, {"vm_boot": 20, "vm_define": 1, "boot_ios": 0})
    asked = 1000 * study.bench.now
    study.start(500)
    assert study.heard.begun == [("i-1", (0,), asked + 21_000)]
    study.until(asked + 22_000)
    assert study.heard.end(0) == asked + 21_500


def test_a_suspended_guest_does_nothing(study: Study) -> None:
    study.start(1000)
    study.until(400)
    study.do(study.a.suspend_vm("i-1"))
    study.until(5000)
    assert study.do(study.a.vm_statistics(()))[0].cpu_percent == 0.0
    study.do(study.a.resume_vm("i-1"))
    study.until(10_000)
    assert study.heard.end(0) == 5600
    assert len(study.heard.begun) == 1


def test_a_scaled_guest_does_the_rest_in_less_time(study: Study) -> None:
    study.start(1000, 3000)
    study.until(500)
    study.do(study.a.scale_vm("i-1", 2, 1000, 1024))
    study.until(10_000)
    assert study.heard.end(0) == 500 + 1500 / 2
    assert study.heard.end(1) == 500 + 3500 / 2


def test_a_migrating_guest_works_on_but_for_its_downtime(make_bench: type[Bench]) -> None:
    study = Study(make_bench, {"vm_boot": 0, "vm_define": 0, "boot_ios": 0, "dirty_page_rate": 500e6})
    vm = study.start(60_000, disks=(study.bench.disk("root"),))
    (began,) = (time for _, _, time in study.heard.begun)
    study.do(study.b.prepare_migration(vm))
    downtime = 1000 * study.do(study.a.migrate_vm("i-1", study.b.address, False))
    assert downtime > 100
    study.until(70_000)
    assert study.heard.end(0) == pytest.approx(began + 60_000 + downtime, abs=0.002)
    assert len(study.heard.begun) == 1
    assert study.do(study.b.vm_statistics(()))[0].disk_write_bytes == 60_000_000, "as after a minute at full load"


def test_a_migrating_guest_takes_its_share_of_the_other_hosts_cores(study: Study) -> None:
    vm = study.start(4000, cpus=8)
    study.do(study.b.start_vm(study.vm(4000, name="i-2", cpus=8)))
    study.until(1000)
    study.do(study.b.prepare_migration(vm))
    study.do(study.a.migrate_vm("i-1", study.b.address, False))
    study.until(9000)
    assert study.heard.end(0, "i-1") == study.heard.end(0, "i-2") == 1000 + 2 * 3000


@pytest.mark.parametrize("when", [0.1, 0.4, 1.1])
def test_a_migration_that_fails_leaves_the_work_where_it_was(make_bench: type[Bench], when: float) -> None:
    study = Study(make_bench, {"vm_boot": 0, "vm_define": 0, "boot_ios": 0, "dirty_page_rate": 3e9})
    vm = study.start(60_000, disks=(study.bench.disk("root"),))
    (began,) = (time for _, _, time in study.heard.begun)
    study.do(study.b.prepare_migration(vm))
    study.at(when, study.b.power_off)
    with pytest.raises(HypervisorError):
        study.do(study.a.migrate_vm("i-1", study.b.address, False))
    failed = 1000 * study.bench.now
    study.until(70_000)
    assert began + 60_000 <= study.heard.end(0) <= failed + 60_000


def end_and_start(study: Study, vm: VmSpec, how: str) -> None:
    """Let the guest lose its memory and boot again, at once."""
    if how == "reboot":
        study.do(study.a.reboot_vm(vm.name, False))
    elif how == "stop":
        study.do(study.a.stop_vm(vm.name, False))
        study.do(study.b.start_vm(vm))
    else:
        study.a.power_off()
        study.do(study.b.start_vm(vm))


@pytest.mark.parametrize("how", ["reboot", "stop", "crash"])
def test_a_guest_that_loses_its_memory_begins_again_what_is_not_done(study: Study, how: str) -> None:
    vm = study.start(1000, 300, 2000, disks=(study.bench.disk("root"),))
    study.until(1500)
    assert study.heard.end(1) == 900
    end_and_start(study, vm, how)
    study.until(20_000)
    assert study.heard.begun == [("i-1", (0, 1, 2), 0), ("i-1", (0, 2), 1500)]
    assert study.heard.finished == {("i-1", 1): [900], ("i-1", 0): [3500], ("i-1", 2): [4500]}


def test_a_guest_whose_work_is_done_has_nothing_to_begin(study: Study) -> None:
    vm = study.start(1000, disks=(study.bench.disk("root"),))
    study.until(2000)
    end_and_start(study, vm, "reboot")
    study.until(5000)
    assert study.heard.finished == {("i-1", 0): [1000]} and len(study.heard.begun) == 1


def test_a_guest_without_a_disk_remembers_nothing(study: Study) -> None:
    vm = study.start(1000)
    study.until(2000)
    end_and_start(study, vm, "stop")
    study.until(5000)
    assert study.heard.finished == {("i-1", 0): [1000, 3000]}


def test_other_user_data_is_other_work(study: Study) -> None:
    disk = study.bench.disk("root")
    study.start(1000, disks=(disk,))
    study.until(2000)
    study.do(study.a.stop_vm("i-1", False))
    study.start(1000, 500, disks=(disk,))
    study.until(5000)
    assert study.heard.finished == {("i-1", 0): [1000, 3500], ("i-1", 1): [3000]}


def test_another_instance_with_that_disk_has_done_nothing(study: Study) -> None:
    disk = study.bench.disk("root")
    study.start(1000, disks=(disk,))
    study.until(2000)
    study.do(study.a.stop_vm("i-1", False))
    study.do(study.a.start_vm(study.vm(1000, name="i-2", disks=(disk,))))
    study.until(5000)
    assert study.heard.end(0, "i-2") == 3000


def test_a_stopped_guest_works_no_more(study: Study) -> None:
    study.start(1000)
    study.until(500)
    study.do(study.a.stop_vm("i-1", True))
    study.until(5000)
    assert not study.heard.finished


def test_memory_goes_back_to_a_snapshot_with_its_work(study: Study) -> None:
    disk = study.bench.disk("root")
    study.start(1000, 3000, disks=(disk,))
    study.until(1500)
    study.do(study.a.create_vm_snapshot("i-1", "s", (disk,), True))
    study.until(2500)
    assert study.heard.end(0) == 2000
    study.do(study.a.revert_to_vm_snapshot("i-1", "s", (disk,), True))
    study.until(10_000)
    assert study.heard.finished == {("i-1", 0): [2000, 3000], ("i-1", 1): [5000]}


def test_a_rebooted_guest_goes_back_to_a_snapshot_from_before(study: Study) -> None:
    disk = study.bench.disk("root")
    study.start(1000, disks=(disk,))
    study.until(600)
    study.do(study.a.create_vm_snapshot("i-1", "s", (disk,), True))
    study.until(2000)
    study.do(study.a.reboot_vm("i-1", False))
    study.do(study.a.revert_to_vm_snapshot("i-1", "s", (disk,), True))
    study.until(5000)
    assert study.heard.finished == {("i-1", 0): [1000, 2400]}


def test_disks_go_back_to_a_snapshot_with_what_was_done(study: Study) -> None:
    disk = study.bench.disk("root")
    vm = study.start(1000, 2000, disks=(disk,))
    study.until(2500)
    study.do(study.a.stop_vm("i-1", False))
    study.do(study.a.create_vm_snapshot("i-1", "s", (disk,), False))
    study.do(study.a.start_vm(vm))
    study.until(5000)
    assert study.heard.end(1) == 4500
    study.do(study.a.stop_vm("i-1", False))
    study.do(study.a.revert_to_vm_snapshot("i-1", "s", (disk,), False))
    study.do(study.a.delete_vm_snapshot("i-1", "s", (disk,)))
    study.do(study.a.start_vm(vm))
    study.until(10_000)
    assert study.heard.finished == {("i-1", 0): [2000], ("i-1", 1): [4500, 7000]}


def test_a_volume_snapshot_and_a_volume_made_from_it_know_what_was_done(study: Study) -> None:
    disk = study.bench.disk("root")
    vm = study.start(1000, 2000, disks=(disk,))
    study.until(2500)
    path, size = study.do(study.a.backup_snapshot("s", disk, study.bench.store_url, "i-1"))
    image = ImageSpec(study.bench.store_url, path, size)
    study.until(5000)
    assert study.heard.end(1) == 3000
    study.do(study.a.stop_vm("i-1", False))
    path, _ = study.do(study.a.create_volume("moved", "L1", disk.size, None, image))
    moved = DiskSpec("root", "L1", path, disk.size)
    study.do(study.a.start_vm(study.vm(1000, 2000, disks=(moved,))))
    study.until(8000)
    assert study.heard.begun[1:] == [("i-1", (1,), 5000)]
    study.do(study.a.stop_vm("i-1", False))
    study.do(study.a.revert_snapshot(disk, image))
    study.do(study.a.start_vm(vm))
    assert study.heard.begun[2:] == [("i-1", (1,), 8000)]


def test_what_was_done_goes_along_when_the_disk_is_moved_with_its_guest(study: Study) -> None:
    vm = study.start(1000, 2000, disks=(study.bench.disk("root", "L1"),))
    study.until(2500)
    there = study.vm(1000, 2000, disks=(DiskSpec("root", "L2", "root", 8 * GIB),))
    study.do(study.b.prepare_migration(there))
    study.do(study.a.migrate_vm(vm.name, study.b.address, True))
    study.do(study.b.reboot_vm(vm.name, False))
    study.until(10_000)
    assert study.heard.begun[1:] == [("i-1", (1,), 2500)]
    assert study.heard.end(1) == 4500


def test_meters_show_work(study: Study) -> None:
    study.start(1000, 1000, details={"utilisation": "0.25"})
    (one,) = study.do(study.a.vm_statistics(()))
    study.until(1500)
    (two,) = study.do(study.a.vm_statistics(()))
    study.until(3000)
    (three,) = study.do(study.a.vm_statistics(()))
    assert [each.cpu_percent for each in (one, two, three)] == [100.0, 100.0, 0.0]
    assert (one.disk_read_bytes, two.disk_read_bytes, three.disk_read_bytes) == (0, 3_000_000, 4_000_000)


def test_work_of_another_world_is_not_heard() -> None:
    worlds = [SimulatedWorld(uniform(host=Hosts(cores=1)), profile="zero") for _ in range(2)]
    heard = Heard()
    worlds[0].hear_work(heard)
    for world in worlds:
        host = next(iter(world.hosts.values())).hypervisor
        world.loop.run_until_complete(host.start_vm(VmSpec("i", "i", 1, 1000, 64, user_data=user_data((5,)))))
        world.loop.run_until_complete(asyncio.sleep(1))
    assert heard.finished == {("i", 0): [5.0]}
