"""What is plugged into a running guest, and whether the guest sees it (one boot, about 50 s)."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from backends.libvirt import devices, live_domain
from cloudsim.hypervisor import STEPS, HypervisorError
from cloudsim.protocol.specs import ImageSpec, NicSpec, SecurityRule, VmSpec
from tests.backends.libvirt.two_hosts import (
    Host,
    Shell,
    TwoHosts,
    instance,
    on,
    shell,
    two_hosts,
    volume,
)

pytestmark = pytest.mark.lab

NAME = "i-2-1-VM"
NIC = NicSpec("nic-1", "02:00:00:00:00:0A", "net-1")
SECOND = NicSpec("nic-2", "02:00:00:00:00:0B", "net-1", device=1)

two = pytest.fixture(scope="module")(two_hosts)
Story = Callable[[Host, Shell], Awaitable[None]]


@pytest.fixture(scope="module")
def guest(two: TwoHosts) -> Iterator[VmSpec]:
    async def start() -> VmSpec:
        async with on(two, 1) as host:
            vm = await instance(two, host, NAME, nics=(NIC,))
            await host.start_vm(vm)
            async with shell(host, NAME) as typing:
                await typing.ready()
            return vm

    yield asyncio.run(start())


@pytest.fixture
def run(two: TwoHosts, guest: VmSpec) -> Callable[[Story], None]:
    def go(story: Story) -> None:
        async def whole() -> None:
            async with on(two, 1) as host, shell(host, NAME) as typing:
                await story(host, typing)

        asyncio.run(whole())

    return go


def kept(host: Host) -> VmSpec:
    vm = host.kept.get(NAME)
    assert vm is not None
    return vm


async def live(host: Host) -> str:
    return str(await host.connection.find(NAME))


async def sees(typing: Shell, command: str, wanted: str) -> None:
    """Devices reach the guest a moment after they reach its machine."""
    end = time.monotonic() + 90
    while (found := await typing.run(f"{command} || true")) != wanted:
        assert time.monotonic() < end, f"{command}: {found!r}, not {wanted!r}"
        await asyncio.sleep(0.25)


def iso(two: TwoHosts, folder: Path, label: str) -> ImageSpec:
    source = folder / label
    source.mkdir()
    (source / "label").write_text(label)
    target = two.shared / f"{label}.iso"
    subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-r", "-J", "-V", label, "-o", target, source],
    check=True,
                   capture_output=True)  # fmt: skip
    return ImageSpec("file:///store", target.name, target.stat().st_size, "iso")


# network cards


def test_a_card_is_plugged_guarded_and_taken_again(run: Callable[[Story], None]) -> None:
    async def story(host: Host, typing: Shell) -> None:
        steps: dict[str, float] = {}
        STEPS.set(steps)
        await host.plug_nic(NAME, SECOND)
        assert host.noted.calls == [("plug", "nic-2"), ("guard", NAME)]
        assert set(host.noted.taps) == {NIC.mac.lower(), SECOND.mac.lower()}
        assert kept(host).nics == (NIC, SECOND)
        await sees(typing, "cat /sys/class/net/eth1/address", SECOND.mac.lower())
        await host.plug_nic(NAME, SECOND)
        assert len(live_domain.nics(await live(host))) == 2
        await host.unplug_nic(NAME, SECOND)
        assert [nic.mac for nic in live_domain.nics(await live(host))] == [NIC.mac.lower()]
        assert host.noted.calls[-1] == ("unplug", "nic-2") and kept(host).nics == (NIC,)
        await sees(typing, "ls /sys/class/net | grep -c eth", "1")
        await host.unplug_nic(NAME, SECOND)
        assert set(steps) == {"nic_plug", "nic_unplug"}

    run(story)


def test_a_card_that_cannot_be_guarded_is_taken_back(run: Callable[[Story], None]) -> None:
    async def story(host: Host, typing: Shell) -> None:
        host.noted.failing = "guard"
        with pytest.raises(HypervisorError, match="guard failed"):
            await host.plug_nic(NAME, SECOND)
        assert [nic.mac for nic in live_domain.nics(await live(host))] == [NIC.mac.lower()]
        assert host.noted.calls[-1] == ("unplug", "nic-2") and kept(host).nics == (NIC,)

    run(story)


def test_a_card_for_an_instance_that_is_elsewhere_is_refused(run: Callable[[Story], None]) -> None:
    async def story(host: Host, typing: Shell) -> None:
        with pytest.raises(
            HypervisorError, match=f"{SECOND.mac} into i-9-9-VM: instance i-9-9-VM is not on this host"
        ):
            await host.plug_nic("i-9-9-VM", SECOND)
        assert host.noted.calls == []

    run(story)


def test_a_cards_security_rules_change_while_the_guest_runs(run: Callable[[Story], None]) -> None:
    async def story(host: Host, typing: Shell) -> None:
        rules = (SecurityRule(True, "tcp", "10.0.0.0/8", 22, 22),)
        await host.set_security_rules(NAME, NIC.id, rules)
        assert host.noted.calls == [("guard", NAME)] and set(host.noted.taps) == {NIC.mac}
        assert kept(host).nics == (replace(NIC, rules=rules),)
        await host.set_security_rules(NAME, NIC.id, None)
        assert kept(host).nics == (NIC,)

    run(story)


# volumes


def test_a_volume_is_attached_keeps_its_content_and_is_detached(run: Callable[[Story], None]) -> None:
    async def story(host: Host, typing: Shell) -> None:
        disk = await volume(host, "data-1", 1)
        await host.attach_volume(NAME, disk)
        await host.attach_volume(NAME, disk)
        assert [d.target for d in live_domain.disks(await live(host))] == ["vda", "vdb"]
        assert kept(host).disks[1:] == (disk,)
        await sees(typing, "cat /sys/block/vdb/serial", disk.volume_id.replace("-", "")[:20])
        await typing.run("echo kept in the volume > /dev/vdb; sync")
        await host.detach_volume(NAME, disk)
        assert [d.target for d in live_domain.disks(await live(host))] == ["vda"] and len(
            kept(host).disks
        ) == 1
        await host.detach_volume(NAME, disk)
        elsewhere = replace(disk, device=4)
        await host.attach_volume(NAME, elsewhere)
        assert [d.target for d in live_domain.disks(await live(host))] == ["vda", "vde"]
        await sees(typing, "head -n 1 /dev/vdb", "kept in the volume")
        await host.detach_volume(NAME, elsewhere)

    run(story)


def test_a_slot_that_is_taken_is_named_with_what_has_it(run: Callable[[Story], None]) -> None:
    async def story(host: Host, typing: Shell) -> None:
        first, second = await volume(host, "data-2", 1), await volume(host, "data-3", 1)
        await host.attach_volume(NAME, first)
        with pytest.raises(HypervisorError) as refused:
            await host.attach_volume(NAME, second)
        assert str(refused.value) == (
            f"attaching volume {second.volume_id} to {NAME}: "
            f"slot 1 (vdb) holds volume {first.volume_id} already"
        )
        with pytest.raises(HypervisorError, match="attached already, as vdb and not as vdc"):
            await host.attach_volume(NAME, replace(first, device=2))
        with pytest.raises(HypervisorError, match=f"{second.volume_id} to {NAME}: .*No such file"):
            await host.attach_volume(NAME, replace(second, device=2, path="missing"))
        assert kept(host).disks[1:] == (first,)
        await host.detach_volume(NAME, first)

    run(story)


def test_a_guest_that_does_not_let_go_is_named_and_keeps_the_volume(
    run: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(host: Host, typing: Shell) -> None:
        disk = await volume(host, "data-4", 1)
        await host.attach_volume(NAME, disk)
        await host.suspend_vm(NAME)
        with monkeypatch.context() as hurried:
            hurried.setattr(devices, "LET_GO_WITHIN", 4.0)
            with pytest.raises(
                HypervisorError, match=f"{disk.volume_id} from {NAME}: the guest did not let go of it"
            ):
                await host.detach_volume(NAME, disk)
        assert disk in kept(host).disks
        await host.resume_vm(NAME)
        await host.detach_volume(NAME, disk)
        assert disk not in kept(host).disks and len(live_domain.disks(await live(host))) == 1

    run(story)


# ISOs


def test_an_iso_is_read_changed_and_ejected_though_the_guest_locks_the_tray(
    run: Callable[[Story], None], two: TwoHosts, tmp_path: Path
) -> None:
    first, second = iso(two, tmp_path, "first"), iso(two, tmp_path, "second")
    mount = "mkdir -p /mnt/cd; mount -r -t iso9660 /dev/sr0 /mnt/cd 2>/dev/null; cat /mnt/cd/label"

    async def story(host: Host, typing: Shell) -> None:
        await host.attach_iso(NAME, first)
        await host.attach_iso(NAME, first)
        assert kept(host).iso == first
        await sees(typing, mount, "first")
        await host.attach_iso(NAME, second)  # the guest has mounted the first one, and so locked the tray
        await typing.run("umount /mnt/cd")
        await sees(typing, mount, "second")
        await host.attach_iso(NAME, None)
        assert [drive.path for drive in live_domain.drives(await live(host))] == [""] and kept(
            host
        ).iso is None
        await host.attach_iso(NAME, None)
        with pytest.raises(HypervisorError, match=r"image third\.iso is not in its store"):
            await host.attach_iso(NAME, replace(first, path="third.iso"))

    run(story)
