"""A guest that moves between two hosts while it runs (one boot, about 30 s), and what overseeing that
means.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from backends.libvirt import arrivals, live_domain, migration, qemu_img
from backends.libvirt.made_disks import MadeDisks
from cloudsim.hypervisor import STEPS, HypervisorError
from cloudsim.protocol.specs import DiskSpec, NicSpec, VmSpec
from tests.backends.libvirt.two_hosts import LOCAL, MIB, Host, TwoHosts, instance, on, shell, two_hosts, until

NAME = "i-2-1-VM"
NIC = NicSpec("nic-1", "02:00:00:00:00:0A", "net-1")
DATA = DiskSpec("5bd7cbe8-7d3a-4f76-9a57-4f6c2d7a6a01", LOCAL, "data", 16 * MIB, "DATADISK", 1)

two = pytest.fixture(scope="module")(two_hosts)
Story = Callable[[Host, Host], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def guest(two: TwoHosts) -> VmSpec:
    """Runs on host 1, with a root disk that both hosts see and a data disk that only host 1 has."""

    async def start() -> VmSpec:
        async with on(two, 1) as host:
            vm = await instance(two, host, NAME, nics=(NIC,))
            await host.start_vm(vm)
            await qemu_img.create(two.local_of_1 / DATA.path, DATA.size)
            async with shell(host, NAME) as typing:
                await typing.ready()
                await host.attach_volume(NAME, DATA)
                await asyncio.sleep(1)
                await typing.run("echo in memory > /run/note; echo on the disk > /dev/vdb; sync")
            return replace(vm, disks=(*vm.disks, DATA))

    return asyncio.run(start())


@pytest.fixture
def run(two: TwoHosts) -> Iterator[Callable[[Story], None]]:
    def go(story: Story) -> None:
        async def whole() -> None:
            async with on(two, 1) as first, on(two, 2) as second:
                await story(first, second)

        asyncio.run(whole())

    yield go


Run = Callable[[Story], None]


async def notes(host: Host) -> list[str]:
    async with shell(host, NAME) as typing:
        return (await typing.run("cat /run/note; head -n 1 /dev/vdb")).splitlines()


def slow(speed: int) -> Callable[[Any], Any]:
    """Of migrations from here on, in MiB/s."""
    return lambda domain: domain.migrateSetMaxSpeed(speed, 0)


async def present(host: Host) -> list[str]:
    return [report.name for report in await host.vm_states()]


def test_a_domain_with_disks_in_other_files_is_otherwise_the_same() -> None:
    def disk(target: str, inside: str) -> str:
        return f"<disk type='file' device='disk'>{inside}<target dev='{target}'/></disk>"

    chain = "<source file='/old'/><backingStore type='file'><source file='/template'/></backingStore>"
    before = f"<domain><devices>{disk('vda', chain)}{disk('vdb', chain)}</devices></domain>"
    after = ET.fromstring(migration.relocated(before, {"vda": "/new"}))
    moved, stays = after.findall("./devices/disk")
    assert [source.get("file") for source in moved.iter("source")] == ["/new"]
    assert [source.get("file") for source in stays.iter("source")] == ["/old", "/template"]


@pytest.mark.lab
def test_what_cannot_move_stays_and_runs_on(run: Run, guest: VmSpec) -> None:
    async def story(first: Host, second: Host) -> None:
        there = second.settings.private_ip
        nowhere = there.rpartition(".")[0] + ".250"
        began = time.monotonic()
        with pytest.raises(
            HypervisorError, match=f"migrating {NAME} to {nowhere}: no libvirtd at {nowhere} port 16509"
        ):
            await first.migrate_vm(NAME, nowhere, True)
        assert time.monotonic() - began < migration.REACH_WITHIN + 60  # libvirt alone would wait for minutes
        with pytest.raises(HypervisorError, match="its disks vdb are on storage that only this host has"):
            await first.migrate_vm(NAME, there, False)
        with pytest.raises(HypervisorError, match="it is on this host already"):
            await first.migrate_vm(NAME, first.settings.private_ip, True)
        with pytest.raises(HypervisorError, match="instance i-9-9-VM is not on this host"):
            await first.migrate_vm("i-9-9-VM", there, False)
        with pytest.raises(
            HypervisorError, match=f"migrating {NAME} to {there}: .*(storage pool|No such file)"
        ):
            await first.migrate_vm(NAME, there, True)  # the other host has not been told to make ready
        with pytest.raises(HypervisorError, match="it is on this host already"):
            await first.prepare_migration(guest)
        assert await present(first) == [NAME] and await present(second) == []
        assert await notes(first) == ["in memory", "on the disk"]
        assert first.kept.get(NAME) is not None and ("forget", NAME) not in first.noted.calls

    run(story)


@pytest.mark.lab
def test_a_migration_that_is_broken_off_leaves_the_guest_where_it_was(
    run: Run, guest: VmSpec, two: TwoHosts
) -> None:
    async def story(first: Host, second: Host) -> None:
        await first.connection.domain_call(NAME, "slowing", slow(2))
        await second.prepare_migration(guest)
        moving = asyncio.create_task(first.migrate_vm(NAME, second.settings.private_ip, True))
        await until(lambda: ("guard", NAME) in second.noted.calls, "it is on its way")
        await asyncio.sleep(1)
        await first.connection.domain_call(NAME, "breaking off", lambda domain: domain.abortJob())
        with pytest.raises(HypervisorError, match=f"migrating {NAME} to .*cancel"):
            await moving
        await until(lambda: not second._watches, "it is not awaited any more")
        assert await present(second) == [] and second.kept.get(NAME) is None
        assert second.noted.calls[-1] == ("forget", NAME) and not (two.local / DATA.path).exists()
        assert await present(first) == [NAME] and await notes(first) == ["in memory", "on the disk"]
        assert first.kept.get(NAME) is not None and first.noted.calls == []
        await first.connection.domain_call(NAME, "speeding up", slow(1000))

    run(story)


@pytest.mark.lab
def test_a_guest_moves_with_its_local_disk_and_back_without(run: Run, guest: VmSpec, two: TwoHosts) -> None:
    async def story(first: Host, second: Host) -> None:
        states = []

        async def guard(vm: VmSpec, taps: dict[str, str]) -> None:
            states.append((await second.vm_states())[0].state)
            second.noted.taps = taps

        second.noted.guard = guard  # type: ignore[method-assign]
        steps: dict[str, float] = {}
        STEPS.set(steps)
        await second.prepare_migration(guest)
        assert (await qemu_img.info(two.local / DATA.path)).virtual_size == DATA.size
        assert second.noted.calls == [("prepare", NAME)] and second.kept.get(NAME) == guest
        await first.connection.domain_call(NAME, "slowing", slow(8))  # it is to be guarded before it is there
        downtime = await first.migrate_vm(NAME, second.settings.private_ip, True)
        assert 0 < downtime < 60 and steps["migration_setup"] > downtime
        await until(lambda: not second._watches, "its arrival has been noticed")
        assert states == ["PowerUnknown"] and list(second.noted.taps) == [NIC.mac.lower()]
        assert await present(first) == [] and first.kept.get(NAME) is None
        assert first.noted.calls == [("forget", NAME)]
        assert await present(second) == [NAME] and second.kept.get(NAME) == guest
        assert await notes(second) == ["in memory", "on the disk"]
        assert (two.local_of_1 / DATA.path).exists(), "the old disk is the manager's to delete"
        assert MadeDisks(second.settings.data / "arrivals").names() == []

        await second.detach_volume(NAME, DATA)
        await first.prepare_migration(replace(guest, disks=guest.disks[:1]))
        await second.migrate_vm(NAME, first.settings.private_ip, False)
        await until(lambda: not first._watches, "its arrival has been noticed")
        assert first.noted.calls == [("forget", NAME), ("prepare", NAME), ("guard", NAME)]
        assert await present(first) == [NAME] and await present(second) == []
        async with shell(first, NAME) as typing:
            assert await typing.run("cat /run/note") == "in memory"

        # One that is frozen stays so.
        await first.suspend_vm(NAME)
        await second.prepare_migration(replace(guest, disks=guest.disks[:1]))
        await first.migrate_vm(NAME, second.settings.private_ip, False)
        assert [state.state for state in await second.vm_states()] == ["PowerOn"]
        await second.resume_vm(NAME)
        async with shell(second, NAME) as typing:
            assert await typing.run("cat /run/note") == "in memory"
        await until(lambda: not second._watches, "its arrival has been noticed")

        # A disk that both hosts see moves to another file on the way.
        root = guest.disks[0]
        elsewhere = replace(root, path="elsewhere")
        size = (await qemu_img.info(second.pools.disk(root))).virtual_size
        await qemu_img.create(first.pools.disk(elsewhere), size)
        files = await first.prepare_migration(replace(guest, disks=(elsewhere,)))
        assert files == {root.volume_id: str(first.pools.disk(elsewhere))}
        with pytest.raises(HypervisorError, match="it has no disk of volume nobody"):
            await second.migrate_vm(NAME, first.settings.private_ip, True, {"nobody": "/x"})
        await second.migrate_vm(NAME, first.settings.private_ip, True, files)
        xml = await first.connection.domain_call(NAME, "looking", lambda domain: str(domain.XMLDesc(0)))
        assert [disk.path for disk in live_domain.disks(xml)] == list(files.values())
        assert (await qemu_img.info(first.pools.disk(elsewhere))).backing is None
        async with shell(first, NAME) as typing:
            assert await typing.run("cat /run/note") == "in memory"
        await until(lambda: not first._watches, "its arrival has been noticed")
        await first.stop_vm(NAME, True)

    run(story)


@pytest.mark.lab
def test_what_was_prepared_and_does_not_come_is_taken_away(
    run: Run, guest: VmSpec, two: TwoHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(first: Host, second: Host) -> None:
        awaited = replace(guest, name="i-2-7-VM", disks=(replace(DATA, path="awaited"),))
        monkeypatch.setattr(arrivals, "ARRIVE_WITHIN", 1.0)
        await second.prepare_migration(awaited)
        await second.prepare_migration(awaited)
        assert (two.local / "awaited").exists()
        await until(lambda: not second._watches, "it is not awaited any more")
        assert second.kept.get(awaited.name) is None and second.noted.calls[-1] == ("forget", awaited.name)
        assert not (two.local / "awaited").exists()

        second.noted.failing = "prepare"
        with pytest.raises(HypervisorError, match="prepare failed"):
            await second.prepare_migration(awaited)
        assert not (two.local / "awaited").exists() and second.kept.get(awaited.name) is None

        lost = replace(guest, name="i-2-8-VM", disks=(replace(guest.disks[0], path="lost"),))
        with pytest.raises(HypervisorError, match=r"i-2-8-VM: its disk .* is not at .*lost"):
            await second.prepare_migration(lost)

    run(story)


@pytest.mark.lab
def test_an_agent_that_starts_clears_up_after_what_an_earlier_one_awaited(
    run: Run, guest: VmSpec, two: TwoHosts
) -> None:
    async def story(first: Host, second: Host) -> None:
        awaited = replace(guest, name="i-2-7-VM", disks=(replace(DATA, path="awaited"),))
        await second.prepare_migration(awaited)
        await second.end_watches()
        assert (two.local / "awaited").exists()
        await second.resume_arrivals()
        assert not (two.local / "awaited").exists()

    run(story)


def test_a_made_disk_that_has_been_written_to_goes_only_when_that_is_certain_to_be_worthless(
    tmp_path: Path,
) -> None:
    disk = tmp_path / "disk"
    made = MadeDisks(tmp_path / "arrivals")
    for written_too, left in ((False, [str(disk)]), (True, [])):
        disk.write_text("made")
        made.note("i-2-1-VM", {disk: disk.stat().st_mtime_ns - 1})
        assert made.names() == ["i-2-1-VM"]
        assert made.remove("i-2-1-VM", written_too) == left
        assert disk.exists() == bool(left) and made.names() == []
    disk.write_text("made")
    made.note("i-2-1-VM", {disk: disk.stat().st_mtime_ns})
    assert made.remove("i-2-1-VM", False) == [] and not disk.exists()


def test_a_migration_that_sends_nothing_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "STALLED_AFTER", 0.2)

    async def story() -> None:
        ended = asyncio.Event()
        sent = 0

        async def move() -> None:
            await ended.wait()
            raise HypervisorError("migrating: canceled by client")

        async def progress() -> dict[str, Any]:
            nonlocal sent
            sent += sent < 10
            return {"data_processed": sent, "downtime": 300}

        async def abort() -> None:
            assert sent == 10, "it was not broken off while it sent something"
            ended.set()

        moving = asyncio.get_running_loop().create_task(move())
        with pytest.raises(
            HypervisorError, match=r"migrating: nothing was sent for 0\.2 s, so it was broken off"
        ):
            await migration.oversee(moving, progress, abort, "migrating", 0.02)

    asyncio.run(story())


def test_the_expected_downtime_is_the_last_that_was_told() -> None:
    async def story() -> None:
        moving = asyncio.get_running_loop().create_task(asyncio.sleep(0.1))
        told = iter([{"downtime": 300}, {"downtime": 120}, None])

        async def progress() -> dict[str, Any] | None:
            return next(told, None)

        async def abort() -> None:
            raise AssertionError("it is broken off")

        assert await migration.oversee(moving, progress, abort, "migrating", 0.02) == 0.12

    asyncio.run(story())


def test_disks_and_cards_are_read_from_a_running_domain() -> None:
    xml = """<domain><devices>
      <disk type='file' device='disk'><source file='/pool/a'/><target dev='vda' bus='virtio'/>
        <serial>5bd7cbe87d3a4f769a57</serial><alias name='virtio-disk0'/></disk>
      <disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>
      <interface type='bridge'><mac address='02:00:00:00:00:0A'/></interface></devices></domain>"""
    [disk] = live_domain.disks(xml)
    assert (disk.target, disk.path, disk.alias) == ("vda", "/pool/a", "virtio-disk0")
    assert disk.holds(DATA, None) and disk.holds(replace(DATA, volume_id="x"), Path("/pool/a"))
    assert not disk.holds(replace(DATA, volume_id="x"), Path("/pool/b"))
    assert [drive.target for drive in live_domain.drives(xml)] == ["hdc"]
    assert [nic.mac for nic in live_domain.nics(xml)] == ["02:00:00:00:00:0a"]
    assert live_domain.disks("<domain><devices/></domain>") == []
