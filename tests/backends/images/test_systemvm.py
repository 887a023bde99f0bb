"""The system VM template: built, alike each time, and booted once as a router that is told all over its channel."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backends.images.cache import default_folder
from backends.images.errors import ImageError
from backends.images.packages import closure
from backends.images.systemvm import SystemVmOptions, build
from backends.images.systemvm.build import FOLLOW, SEEDS, TOOLS
from backends.images.tools import require
from backends.libvirt.systemvms.channel import Channel
from backends.systemvm.plan import CHANNEL, Plan
from backends.systemvm.rendering.router import render
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.router import (
    Balancer,
    BalancerMember,
    GuestNetworkConfiguration,
    PublicAddress,
    RouterConfiguration,
    RouterGuest,
)
from tests.backends.images.guest import overlay, require_qemu

PUBLIC, GUEST = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
BOOTS_WITHIN = 600.0

CONFIGURATION = RouterConfiguration(
    name="r-7-VM",
    public=(PublicAddress("10.0.2.15", "255.255.255.0", "10.0.2.2", PUBLIC, source_nat=True),),
    guests=(
        GuestNetworkConfiguration(
            "net-1",
            GUEST,
            "10.1.1.1",
            "10.1.1.1",
            "255.255.255.0",
            services=("Dhcp", "Dns", "UserData", "SourceNat", "Firewall", "Lb"),
            domain="cs.internal",
            guests=(RouterGuest("02:00:00:00:00:14", "10.1.1.20", "web", vm="i-2-3-VM", user_data="aGVsbG8="),),
        ),
    ),
    balancers=(Balancer("lb-1", "10.0.2.15", 8000, members=(BalancerMember("m-1", "10.1.1.20", 80),)),),
)


@pytest.fixture
def cache() -> Path:
    """The cache of this machine, where it can build: labs take their images from there, too."""
    try:
        require(TOOLS)
        closure(SEEDS, FOLLOW)
    except ImageError as error:
        pytest.skip(str(error))
    return default_folder()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (SystemVmOptions(size_mib=64), "128 to 4096 MiB, not 64 MiB"),
        (SystemVmOptions(password="a\nb"), "is one line"),
    ],
)
def test_wrong_options_are_refused_at_once(tmp_path: Path, options: SystemVmOptions, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        build(None, tmp_path, options)
    assert list(tmp_path.iterdir()) == []


def test_without_the_consoles_pages_there_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"pages are not complete.*make console-assets"):
        build(None, tmp_path / "cache", ui=tmp_path / "ui")


@pytest.mark.lab
def test_two_builds_are_alike_and_a_third_is_the_first(cache: Path, tmp_path: Path) -> None:
    first = build(None, cache)
    made_at = first.stat().st_mtime_ns
    shutil.copytree(cache / "packages", tmp_path / "other/packages")
    second = build(tmp_path / "systemvm.qcow2", tmp_path / "other")
    assert first.read_bytes() == second.read_bytes()
    assert build(None, cache) == first and first.stat().st_mtime_ns == made_at


@contextmanager
def machine(folder: Path, disk: Path) -> Iterator[str]:
    """The image in QEMU, with two cards; the path of its channel."""
    socket = str(folder / "channel")
    command = ["qemu-system-x86_64", "-accel", "tcg", "-machine", "pc", "-cpu", "max", "-m", "192", "-nodefaults"]
    command += ["-display", "none", "-vga", "std", "-no-user-config", "-serial", f"file:{folder / 'serial'}"]
    command += ["-drive", f"if=virtio,file={disk},format=qcow2", "-device", "virtio-serial"]
    command += ["-chardev", f"socket,id=channel,path={socket},server=on,wait=off"]
    command += ["-device", f"virtserialport,chardev=channel,name={CHANNEL}"]
    for number, mac in enumerate((PUBLIC, GUEST)):
        command += ["-netdev", f"user,id=net{number}", "-device", f"virtio-net-pci,netdev=net{number},mac={mac}"]
    process = subprocess.Popen(command)
    try:
        yield socket
    finally:
        process.kill()
        process.wait()


async def replied(channel: Channel) -> dict[str, Any]:
    """What it says to a ping once it has booted."""
    end = asyncio.get_running_loop().time() + BOOTS_WITHIN
    while True:
        try:
            return await channel.ask({"type": "Ping"}, 2.0)
        except HypervisorError:
            if asyncio.get_running_loop().time() > end:
                raise
            await asyncio.sleep(0.2)


@pytest.mark.lab
def test_it_boots_and_is_the_router_that_it_is_told_to_be(cache: Path, tmp_path: Path) -> None:
    require_qemu()

    async def drive(path: str) -> None:
        channel = Channel("r-7-VM", path)
        assert (await replied(channel))["role"] == ""

        async def apply(plan: Plan) -> Any:
            return (await channel.ask({"type": "ApplyPlan", "plan": msgspec.to_builtins(plan)}, 120.0)).get("error")

        plan = msgspec.structs.replace(render(CONFIGURATION), number=3, role="router")
        assert await apply(plan) is None
        assert "older than that in force" in await apply(msgspec.structs.replace(plan, number=2))
        assert (await channel.ask({"type": "Ping"}, 20.0))["role"] == "router"
        told = await channel.ask({"type": "RouterStatistics"}, 60.0)
        assert told["number"] == 3 and [each["ip"] for each in told["traffic"]] == ["10.0.2.15"]
        health = await channel.ask({"type": "CheckHealth"}, 60.0)
        assert [check for check in health["checks"] if not check["success"]] == []
        assert {"service.dnsmasq", "service.haproxy", "service.metadata"} <= {c["name"] for c in health["checks"]}
        ping = {"type": "RunDiagnostics", "tool": "ping", "address": "10.0.2.2", "parameters": ["-c", "1"]}
        assert (await channel.ask(ping, 60.0))["exit_code"] == 0
        await channel.close()
        # Another agent takes over; what the one before was told half is nothing to it.
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"type": "Pi')
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        again = Channel("r-7-VM", path)
        assert (await replied(again))["role"] == "router"
        await again.close()

    with machine(tmp_path, overlay(build(None, cache), tmp_path)) as path:
        asyncio.run(drive(path))
