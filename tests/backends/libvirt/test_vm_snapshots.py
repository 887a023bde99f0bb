"""Snapshots of a whole guest: memory and disks go back together (five boots, of which two are not waited for;
about 70 s).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from msgspec.structs import replace

from backends.libvirt import machine_records, qemu_img, qemu_monitor
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import DiskSpec, NicSpec, VmSpec
from tests.backends.libvirt.two_hosts import SHARED, Host, TwoHosts, instance, on, shell, two_hosts, volume

pytestmark = pytest.mark.lab

NAME = "i-2-1-VM"
NIC = NicSpec("nic-1", "02:00:00:00:00:0A", "net-1")
NOTE = "cat /run/note /root/note; head -n 1 /dev/vdb"

two = pytest.fixture(scope="module")(two_hosts)


@pytest.fixture
def run(two: TwoHosts) -> Callable[[Callable[[Host], Coroutine[Any, Any, None]]], None]:
    def go(story: Callable[[Host], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            async with on(two, 1) as host:
                try:
                    await story(host)
                finally:
                    for report in await host.vm_states():
                        await host.stop_vm(report.name, True)

        asyncio.run(whole())

    return go


Run = Callable[[Callable[[Host], Coroutine[Any, Any, None]]], None]


async def started(two: TwoHosts, host: Host, name: str = NAME, **changes: Any) -> VmSpec:
    vm = await instance(two, host, name, nics=(NIC,), **changes)
    data = await volume(host, f"{name}-data", 1)
    vm = replace(vm, disks=(*vm.disks, data))
    await host.start_vm(vm)
    async with shell(host, name) as guest:
        await guest.ready()
    return vm


async def write(host: Host, text: str) -> None:
    """In memory, in the root file system and on a second disk."""
    async with shell(host, NAME) as guest:
        await guest.run(f"for file in /run/note /root/note /dev/vdb; do echo {text} > $file; done; sync")


async def read(host: Host, command: str = NOTE) -> list[str]:
    async with shell(host, NAME) as guest:
        return (await guest.run(command)).splitlines()


async def names(host: Host, disk: DiskSpec) -> tuple[str, ...]:
    return await qemu_img.snapshot_list(host.pools.disk(disk))


def refuse(*_arguments: object) -> None:
    raise HypervisorError("QEMU: it does not fit")


def test_memory_and_disks_go_back_together(run: Run, two: TwoHosts, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(host: Host) -> None:
        vm = await started(two, host, max_cpus=2)
        await write(host, "first")
        async with shell(host, NAME) as guest:
            await guest.run("sleep 100000 > /dev/null & echo $! > /run/sleeper")
        await host.create_vm_snapshot(NAME, "s1", vm.disks, True)
        await write(host, "second")
        async with shell(host, NAME) as guest:
            await guest.run("kill $(cat /run/sleeper)")
        domain = await host.connection.domain_call(NAME, "id", lambda domain: domain.ID())
        await host.revert_to_vm_snapshot(NAME, "s1", tuple(reversed(vm.disks)), True)
        assert await read(host) == ["first"] * 3
        assert await read(host, "kill -0 $(cat /run/sleeper) && echo it sleeps") == ["it sleeps"]
        assert domain == await host.connection.domain_call(NAME, "id", lambda domain: domain.ID())

        # A name is given once, and then nothing is changed.
        with pytest.raises(HypervisorError, match=r"disk .* has a snapshot of that name already"):
            await host.create_vm_snapshot(NAME, "s1", vm.disks, True)
        assert [await names(host, disk) for disk in vm.disks] == [("s1",), ("s1",)]
        with pytest.raises(HypervisorError, match=r"disk .* has no such snapshot"):
            await host.revert_to_vm_snapshot(NAME, "s9", vm.disks, True)

        # Memory of a machine that had fewer devices or CPUs is refused, and the guest goes on.
        extra = await volume(host, "extra", 2)
        await host.attach_volume(NAME, extra)
        with pytest.raises(HypervisorError, match=r"disk vdc \(.*extra\) is not part of it"):
            await host.revert_to_vm_snapshot(NAME, "s1", vm.disks, True)
        await host.detach_volume(NAME, extra)
        await host.scale_vm(NAME, 2, 0, 128)
        with pytest.raises(
            HypervisorError, match="its CPUs were 1 of 2 when it was taken, and are 2 of 2 now"
        ):
            await host.revert_to_vm_snapshot(NAME, "s1", vm.disks, True)
        assert await read(host) == ["first"] * 3

        # One that is taken after a CPU was plugged in has it.
        await write(host, "third")
        await host.create_vm_snapshot(NAME, "s2", vm.disks, True)
        await write(host, "fourth")
        await host.revert_to_vm_snapshot(NAME, "s2", vm.disks, True)
        assert await read(host) == ["third"] * 3
        assert (await read(host, "ls -d /sys/devices/system/cpu/cpu1")) == ["/sys/devices/system/cpu/cpu1"]

        # The machine is started anew, with one CPU more from the start, and is built again as it was.
        await host.stop_vm(NAME, True)
        await host.start_vm(replace(vm, cpus=2, max_cpus=2))
        host.noted.calls.clear()
        await host.revert_to_vm_snapshot(NAME, "s2", vm.disks, True)
        assert await read(host) == ["third"] * 3
        assert [report.state for report in await host.vm_states()] == ["PowerOn"]
        assert host.noted.calls == [("guard", NAME)] and list(host.noted.taps) == [NIC.mac.lower()]

        # Memory that was not kept, and memory that QEMU does not take.
        await host.create_vm_snapshot(NAME, "s3", vm.disks, False)
        with pytest.raises(HypervisorError, match="to snapshot s3: its memory was not kept"):
            await host.revert_to_vm_snapshot(NAME, "s3", vm.disks, True)
        await host.delete_vm_snapshot(NAME, "s3", vm.disks)
        assert await read(host) == ["third"] * 3
        with monkeypatch.context() as broken:
            broken.setattr(qemu_monitor, "load", refuse)
            with pytest.raises(HypervisorError, match="QEMU: it does not fit"):
                await host.revert_to_vm_snapshot(NAME, "s2", vm.disks, True)
        assert [report.state for report in await host.vm_states()] == ["PowerOn"], "it boots from its disks"
        assert host.kept.get(NAME) is not None

        await host.delete_vm_snapshot(NAME, "s1", vm.disks)
        await host.delete_vm_snapshot(NAME, "s1", vm.disks)
        assert [await names(host, disk) for disk in vm.disks] == [("s2",), ("s2",)]
        await host.stop_vm(NAME, True)
        await host.delete_vm_snapshot(NAME, "s2", vm.disks)
        assert [await names(host, disk) for disk in vm.disks] == [(), ()]
        assert list((two.shared / machine_records.FOLDER).iterdir()) == []

    run(story)


def test_disks_alone_are_of_one_moment_and_the_guest_boots_from_them(run: Run, two: TwoHosts) -> None:
    async def story(host: Host) -> None:
        vm = await started(two, host, "i-2-2-VM")
        async with shell(host, vm.name) as guest:
            await guest.run("echo first > /root/note; echo first > /dev/vdb; sync")
            await host.create_vm_snapshot(vm.name, "d1", vm.disks, False)
            await guest.run("echo second > /root/note; echo second > /dev/vdb; sync")
        with pytest.raises(HypervisorError, match="has a snapshot of that name already"):
            await host.create_vm_snapshot(vm.name, "d1", vm.disks, False)
        await host.revert_to_vm_snapshot(vm.name, "d1", vm.disks, False)
        assert host.noted.calls[-1] == ("guard", vm.name) and host.kept.get(vm.name) is not None
        async with shell(host, vm.name) as guest:
            await guest.ready()
            assert await guest.run("cat /root/note; head -n 1 /dev/vdb") == "first\nfirst"
        await host.delete_vm_snapshot(vm.name, "d1", vm.disks)
        assert [await names(host, disk) for disk in vm.disks] == [(), ()]

    run(story)


def test_an_instance_that_does_not_run_has_its_disks_put_back(run: Run) -> None:
    async def story(host: Host) -> None:
        disks = tuple([await volume(host, f"still-{number}", number) for number in range(2)])
        await host.create_vm_snapshot("i-2-3-VM", "s1", disks, False)
        assert [await names(host, disk) for disk in disks] == [("s1",), ("s1",)]
        for disk in disks:
            await qemu_img.resize(host.pools.disk(disk), 2 * disk.size)
        with pytest.raises(
            HypervisorError, match=r"s1 of i-2-3-VM: disk still-0 has a snapshot of that name already"
        ):
            await host.create_vm_snapshot("i-2-3-VM", "s1", disks, False)
        await host.revert_to_vm_snapshot("i-2-3-VM", "s1", disks, True)
        for disk in disks:
            assert (await qemu_img.info(host.pools.disk(disk))).virtual_size == disk.size
        await host.delete_vm_snapshot("i-2-3-VM", "s1", disks)
        host.pools.disk(disks[0]).unlink()
        await host.delete_vm_snapshot("i-2-3-VM", "s1", disks)
        assert await names(host, disks[1]) == ()

    run(story)


def test_a_failure_on_one_disk_is_undone_on_the_others(run: Run) -> None:
    async def story(host: Host) -> None:
        good, bad = await volume(host, "good", 0), await volume(host, "bad", 1)
        path = host.pools.disk(bad)
        await qemu_img.snapshot_create(path, "other")
        content = bytearray(path.read_bytes())
        content[72:80] = (1 << 62).to_bytes(8, "big")  # incompatible features that no QEMU has
        path.write_bytes(content)
        with pytest.raises(HypervisorError, match="bad"):
            await host.create_vm_snapshot("i-2-4-VM", "s1", (good, bad), False)
        assert await names(host, good) == ()
        gone = DiskSpec("gone", SHARED, "gone", 1, "DATADISK", 2)
        with pytest.raises(HypervisorError, match="disk gone is not on storage pool shared"):
            await host.create_vm_snapshot("i-2-4-VM", "s1", (good, gone), False)
        assert await names(host, good) == ()

    run(story)
