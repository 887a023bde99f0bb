"""Instances on a real libvirtd of their own, with guests of one boot sector (about 20 s in all)."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from backends.libvirt.sizing import has_room
from cloudsim.hypervisor import STEPS, HypervisorError
from cloudsim.protocol.specs import DiskSpec, ImageSpec, NicSpec, VmReport
from tests.backends.libvirt.host_alone import POOL, Host, NotedNetworks, empty_disk, instance, opened, said
from tests.backends.libvirt.libvirtd_alone import DOWN, UP, LonelyHost, lonely_host

libvirt = pytest.importorskip("libvirt")
pytestmark = pytest.mark.lab

Run = Callable[..., None]
Story = Callable[[Host], Coroutine[Any, Any, None]]

NIC = NicSpec("nic-1", "02:00:00:00:00:0A", "net-1", services=("Dhcp",))


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LonelyHost]:
    yield from lonely_host(tmp_path_factory.mktemp("host"))


@pytest.fixture
def run(lonely: LonelyHost, tmp_path: Path) -> Run:
    """Run a story on a host, and leave no instance behind."""

    def go(story: Story, **settings: Any) -> None:
        async def whole() -> None:
            host = await opened(lonely, tmp_path, **settings)
            try:
                await story(host)
            finally:
                for report in await host.vm_states():
                    await host.stop_vm(report.name, True)
                await host.connection.close()

        asyncio.run(whole())

    return go


async def until(condition: Callable[[], bool], what: str, limit: float = 90.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        await asyncio.sleep(0.05)


def impatient(host: Host, seconds: float) -> None:
    """From now on the host waits that long for its libvirt."""
    host.settings = replace(host.settings, libvirt_timeout=seconds)
    host.connection.timeout = seconds


async def xml_of(host: Host, name: str) -> str:
    return str(await host.connection.find(name))


def test_an_instance_lives_and_is_asked_to_shut_down(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM", nics=(NIC,))
        steps: dict[str, float] = {}
        STEPS.set(steps)
        console = await host.start_vm(vm)
        assert console is not None and console.host == "192.0.2.11" and console.kind == "vnc"
        assert console.port >= 5900 and len(console.password) == 8
        assert host.noted.calls == [("prepare", vm.name), ("guard", vm.name), ("awaited", "nic-1")]
        assert list(host.noted.taps) == [NIC.mac.lower()] and host.noted.taps[NIC.mac.lower()].startswith(
            "vnet"
        )
        assert await host.vm_states() == (VmReport(vm.name, vm.id, "PowerOn"),)
        assert host.inventory() is None and host.kept.get(vm.name) == vm
        await until(lambda: UP in said(host, vm), "the guest is up")
        assert await host.start_vm(vm) == console == await host.console(vm.name)
        await host.stop_vm(vm.name, False)
        assert DOWN in said(host, vm)
        assert await host.vm_states() == () and host.kept.get(vm.name) is None
        assert host.noted.calls[-1] == ("forget", vm.name)
        assert {"vm_define", "vm_boot", "vm_shutdown"} == set(steps)

    run(story, wait_for_guest=5.0)


def test_the_guest_runs_only_when_its_networks_are_guarded(run: Run) -> None:
    async def story(host: Host) -> None:
        states = []

        async def guard(vm: Any, taps: dict[str, str]) -> None:
            states.append(
                await host.connection.domain_call(vm.name, "looking", lambda domain: domain.state()[0])
            )

        host.noted.guard = guard  # type: ignore[method-assign]
        vm = instance(host, "i-2-1-VM", nics=(NIC,))
        await host.start_vm(vm)
        assert states == [libvirt.VIR_DOMAIN_PAUSED]
        await until(lambda: UP in said(host, vm), "the guest is up")

    run(story)


def test_a_start_that_was_interrupted_halfway_goes_on(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM", nics=(NIC,))
        await host.start_vm(vm)
        await host.suspend_vm(vm.name)
        host.noted.calls.clear()
        await host.start_vm(vm)
        assert host.noted.calls == [("prepare", vm.name), ("guard", vm.name)]
        await until(lambda: UP in said(host, vm), "the guest is up")

    run(story)


@pytest.mark.parametrize("failing", ["prepare", "guard"])
def test_a_start_that_fails_leaves_nothing(run: Run, failing: str) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM", nics=(NIC,), config_drive=True)
        host.noted.failing = failing
        with pytest.raises(HypervisorError, match=f"{failing} failed"):
            await host.start_vm(vm)
        assert await host.vm_states() == () and list(host.kept) == []
        assert host.noted.calls[-1] == ("forget", vm.name)
        assert not list(host.settings.data.glob("config-drives/*"))
        host.noted.failing = None
        await host.start_vm(vm)
        assert [report.state for report in await host.vm_states()] == ["PowerOn"]

    run(story)


def test_a_disk_that_another_instance_uses_is_named_with_the_reason(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM")
        await host.start_vm(vm)
        other = replace(instance(host, "i-2-2-VM"), disks=vm.disks)
        with pytest.raises(HypervisorError, match=r"starting i-2-2-VM: .*lock.*i-2-1-VM-root"):
            await host.start_vm(other)
        assert [report.name for report in await host.vm_states()] == [vm.name]
        assert [spec.name for spec in host.kept] == [vm.name]

    run(story)


def test_what_cannot_start_is_refused_before_anything_is_done(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM")
        lost = DiskSpec("volume-9", POOL, "nowhere", 1 << 20, "DATADISK", 1)
        for spec, reason in (
            (replace(vm, disks=(*vm.disks, lost)), "its disk volume-9 is not at .*/pool/nowhere"),
            (replace(vm, disks=(replace(lost, pool_id="pool-9"),)), "storage pool pool-9 is not mounted"),
            (replace(vm, gpu_devices=(0,)), "i-2-1-VM wants GPUs"),
            (replace(vm, iso=ImageSpec("nfs://store/x", "no.iso", 1)), "no.iso is not in its store"),
        ):
            with pytest.raises(HypervisorError, match=reason):
                await host.start_vm(spec)
        assert host.noted.calls == [] and list(host.kept) == []

    run(story)


def test_a_stranger_by_the_same_name_is_left_alone(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM")
        await host.start_vm(vm)
        with pytest.raises(HypervisorError, match=f"another one, {vm.id}, has its name here"):
            await host.start_vm(replace(vm, id="11111111-1111-4111-8111-111111111111"))
        assert await host.vm_states() == (VmReport(vm.name, vm.id, "PowerOn"),)

    run(story)


def test_a_start_that_libvirt_finishes_too_late_does_not_leave_the_instance_running(
    run: Run, lonely: LonelyHost
) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM")
        pid = lonely.libvirtd

        async def prepare(vm: Any) -> dict[str, str]:
            os.kill(pid, signal.SIGSTOP)
            impatient(host, 0.5)
            return {}

        host.noted.prepare = prepare  # type: ignore[method-assign]
        starting = asyncio.create_task(host.start_vm(vm))
        try:
            await asyncio.wait({starting}, timeout=4.0)
            assert not starting.done()  # an answer would let the manager start it elsewhere
        finally:
            os.kill(pid, signal.SIGCONT)
            impatient(host, 60.0)
        with pytest.raises(HypervisorError, match=r"starting i-2-1-VM: libvirt did not answer within 2 s"):
            await asyncio.wait_for(starting, 90.0)
        assert await host.vm_states() == () and list(host.kept) == []
        assert UP not in said(host, vm)

    run(story)


def test_a_start_in_which_libvirtd_dies_is_answered_only_when_nothing_of_it_runs(
    run: Run, lonely: LonelyHost
) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM")

        async def guard(vm: Any, taps: dict[str, str]) -> None:
            os.kill(lonely.libvirtd, signal.SIGKILL)

        host.noted.guard = guard  # type: ignore[method-assign]
        with pytest.raises(HypervisorError, match=r"starting i-2-1-VM: "):
            await host.start_vm(vm)
        assert await host.vm_states() == () and list(host.kept) == []
        host.noted = host.networks = NotedNetworks()  # type: ignore[assignment]
        await host.start_vm(vm)  # which its disk's lock forbids as long as another QEMU has it

    run(story)


def test_a_start_that_its_agent_did_not_survive_is_undone_by_the_next(run: Run) -> None:
    async def story(host: Host) -> None:
        vm, other = instance(host, "i-2-1-VM"), instance(host, "i-2-2-VM")
        await host.start_vm(other)
        await host.suspend_vm(other.name)
        guarding = asyncio.Event()

        async def guard(vm: Any, taps: dict[str, str]) -> None:
            guarding.set()
            await asyncio.Event().wait()

        host.noted.guard = guard  # type: ignore[method-assign]
        lost = asyncio.create_task(host.start_vm(vm))
        await guarding.wait()
        assert host.kept.unfinished() == [vm.name]
        await host.drop_unfinished_starts()
        assert host.kept.unfinished() == []
        assert await host.vm_states() == (VmReport(other.name, other.id, "PowerOn"),)
        lost.cancel()
        await asyncio.wait({lost})

    run(story)


def test_a_guest_that_does_not_react_loses_its_power_in_the_end(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM", deaf=True)
        await host.start_vm(vm)
        await until(lambda: UP in said(host, vm), "the guest is up")
        began = time.monotonic()
        steps: dict[str, float] = {}
        STEPS.set(steps)
        await host.stop_vm(vm.name, False)
        assert 1.0 <= time.monotonic() - began < 50
        assert await host.vm_states() == () and set(steps) == {"vm_shutdown", "forced_stop"}

    run(story, stop_within=1.0)


def test_pulling_the_plug_asks_nobody(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM", config_drive=True)
        await host.start_vm(vm)
        [drive] = host.settings.data.glob("config-drives/*/*")
        assert str(drive) in await xml_of(host, vm.name)
        await until(lambda: UP in said(host, vm), "the guest is up")
        await host.stop_vm(vm.name, True)
        assert DOWN not in said(host, vm) and not drive.exists()
        await host.stop_vm(vm.name, True)
        await host.stop_vm("i-2-99-VM", False)

    run(story)


def test_stopping_one_that_is_gone_forgets_what_it_left(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM")
        host.kept.put(vm)
        await host.stop_vm(vm.name, False)
        assert host.noted.calls == [("forget", vm.name)] and list(host.kept) == []

    run(story)


def test_one_that_shut_down_by_itself_is_cleared_up_when_that_is_seen(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM")
        await host.start_vm(vm)
        await until(lambda: UP in said(host, vm), "the guest is up")
        assert len(await host.vm_states()) == 1
        end = time.monotonic() + 90
        while await host.connection.find(vm.name) is not None:
            assert time.monotonic() < end
            with suppress(HypervisorError):  # the guest may not have heard it yet, or have gone by now
                await host.connection.domain_call(vm.name, "the button", lambda domain: domain.shutdown())
            await asyncio.sleep(0.5)
        assert await host.vm_states() == ()
        assert host.noted.calls[-1] == ("forget", vm.name) and list(host.kept) == []

    run(story)


def test_a_reboot_goes_through_the_guests_own_shutdown_and_stays_in_place(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM", nics=(NIC,))
        console = await host.start_vm(vm)
        await until(lambda: UP in said(host, vm), "the guest is up")
        await host.reboot_vm(vm.name, False)
        await until(lambda: said(host, vm).count(UP) == 2, "the guest is up again")
        assert said(host, vm).count(DOWN) == 1
        assert await host.console(vm.name) == console
        await host.stop_vm(vm.name, False)
        assert said(host, vm).count(DOWN) == 2 and said(host, vm).count(UP) == 2

    run(story)


@pytest.mark.parametrize(("deaf", "forced"), [(True, False), (False, True)])
def test_a_guest_that_is_not_asked_or_does_not_react_is_reset(run: Run, deaf: bool, forced: bool) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM", deaf=deaf)
        await host.start_vm(vm)
        await until(lambda: UP in said(host, vm), "the guest is up")
        await host.reboot_vm(vm.name, forced)
        await until(lambda: said(host, vm).count(UP) == 2, "the guest is up again")
        assert DOWN not in said(host, vm)

    run(story, stop_within=1.0)


def test_a_suspended_instance_has_power_and_goes_on(run: Run) -> None:
    async def story(host: Host) -> None:
        async def state() -> int:
            return int(await host.connection.domain_call(vm.name, "looking", lambda domain: domain.state()[0]))

        vm = instance(host, "i-2-1-VM")
        await host.start_vm(vm)
        await host.suspend_vm(vm.name)
        await host.suspend_vm(vm.name)
        assert (await host.vm_states())[0].state == "PowerOn"
        assert await state() == libvirt.VIR_DOMAIN_PAUSED
        await host.resume_vm(vm.name)
        await host.resume_vm(vm.name)
        assert await state() == libvirt.VIR_DOMAIN_RUNNING
        await until(lambda: UP in said(host, vm), "the guest is up")

    run(story)


def test_a_running_instance_grows_up_to_what_it_was_started_for(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM", max_cpus=2, max_memory_mib=64)
        await host.start_vm(vm)
        await host.scale_vm(vm.name, 2, 0, 48)
        xml = await xml_of(host, vm.name)
        assert "<vcpu placement='static'>2</vcpu>" in xml
        assert host.kept.get(vm.name) == replace(vm, cpus=2, memory_mib=48)
        with pytest.raises(
            HypervisorError, match=r"i-2-1-VM was started for 1 to 2 CPUs, and cannot have 3 now"
        ):
            await host.scale_vm(vm.name, 3, 0, 48)
        with pytest.raises(
            HypervisorError, match=r"was started for up to 64 MiB, and cannot have 65 MiB now"
        ):
            await host.scale_vm(vm.name, 2, 0, 65)
        assert host.kept.get(vm.name) == replace(vm, cpus=2, memory_mib=48)

    run(story)


def test_a_cpu_is_not_plugged_where_qemu_would_abort(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM", max_cpus=2)
        await host.start_vm(vm)
        monkeypatch.setattr(
            "backends.libvirt.sizing.has_room", lambda used, size, cpus, most: used * 2 > size
        )
        with pytest.raises(HypervisorError, match="the memory in which QEMU emulates them is full"):
            await host.scale_vm(vm.name, 2, 0, 32)
        assert host.kept.get(vm.name) == vm and "current='1'" in await xml_of(host, vm.name)

    run(story)


@pytest.mark.parametrize(
    ("used", "most", "room"), [(0, 2, True), (40, 2, True), (46, 2, False), (47, 1, False)]
)
def test_room_for_another_cpus_code(used: int, most: int, room: bool) -> None:
    """48 MiB are 16 regions of 3 MiB for two CPUs, and one region for one."""
    assert has_room(used << 20, 48 << 20, 2, most) is room


def test_what_is_asked_of_an_instance_that_is_not_here_is_refused(run: Run) -> None:
    async def story(host: Host) -> None:
        for asked in (
            host.reboot_vm("i-9", False),
            host.suspend_vm("i-9"),
            host.resume_vm("i-9"),
            host.scale_vm("i-9", 1, 0, 32),
            host.console("i-9"),
            host.screenshot("i-9"),
        ):
            with pytest.raises(HypervisorError, match="instance i-9 is not on this host"):
                await asked

    run(story)


def test_the_screen_can_be_seen(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM")
        await host.start_vm(vm)
        await until(lambda: UP in said(host, vm), "the guest is up")
        picture = await host.screenshot(vm.name)
        assert picture.startswith(b"\x89PNG\r\n\x1a\n") and picture.endswith(b"IEND\xaeB`\x82")

    run(story)


def test_an_iso_and_further_disks_are_in_the_machine(run: Run) -> None:
    async def story(host: Host) -> None:
        data = DiskSpec("22222222-2222-4222-8222-222222222222", POOL, "data", 1 << 20, "DATADISK", 4)
        empty_disk(host.pools.disk(data))
        (host.pools.path(POOL) / "tools.iso").write_bytes(bytes(1 << 16))
        vm = instance(host, "i-2-1-VM", iso=ImageSpec("nfs://store/x", "tools.iso", 1 << 16))
        await host.start_vm(replace(vm, disks=(data, *vm.disks)))
        await until(lambda: UP in said(host, vm), "the guest booted from its root disk")
        xml = await xml_of(host, vm.name)
        assert "tools.iso" in xml and "<target dev='vde' bus='virtio'/>" in xml

    run(story)


@pytest.mark.skipif(not Path("/usr/share/OVMF").exists(), reason="needs the package ovmf")
def test_uefi_firmware_is_found_and_one_that_has_secure_boot(run: Run) -> None:
    async def story(host: Host) -> None:
        vm = instance(host, "i-2-1-VM", firmware="UEFI", memory_mib=128)
        await host.start_vm(vm)
        assert "pflash" in await xml_of(host, vm.name)
        await host.stop_vm(vm.name, True)
        await host.start_vm(replace(vm, secure_boot=True))
        assert "secure='yes'" in await xml_of(host, vm.name)

    run(story)


def test_a_libvirt_that_hangs_is_told_of(run: Run, lonely: LonelyHost) -> None:
    async def story(host: Host) -> None:
        pid = lonely.libvirtd
        os.kill(pid, signal.SIGSTOP)
        impatient(host, 0.5)
        try:
            with pytest.raises(HypervisorError, match="listing instances on host-1: libvirt did not answer"):
                await host.vm_states()
        finally:
            os.kill(pid, signal.SIGCONT)
            impatient(host, 60.0)
        assert await host.vm_states() == ()

    run(story)
