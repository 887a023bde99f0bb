from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("libvirt")

from backends.libvirt import facts
from backends.libvirt.accel import Acceleration
from backends.libvirt.facts import Facts, filesystem_size, measured_mhz, version
from backends.libvirt.settings import HostSettings
from cloudsim.protocol.specs import HostFacts


def host(folder: Path, **changes: Any) -> Facts:
    settings: dict[str, Any] = {
        "name": "host-1",
        "guid": "guid-1",
        "data": folder / "agent",
        "private_ip": "192.0.2.11",
        "uri": "test:///default",
        "local_storage": folder / "images" / "not-yet",
    }
    return Facts(HostSettings(**settings | changes))


def found(host: Facts) -> HostFacts:
    async def ask() -> HostFacts:
        try:
            return await host.facts()
        finally:
            await host.connection.close()

    return asyncio.run(ask())


def test_a_host_is_what_libvirt_finds(tmp_path: Path) -> None:
    """libvirt's pretended host has two nodes of two sockets with two cores of two threads each, at 1400 MHz,
    and 3 GiB."""
    told = found(host(tmp_path))
    assert (told.hypervisor, told.arch, told.private_ip) == ("KVM", "i686", "192.0.2.11")
    assert (told.cpus, told.sockets, told.memory_mib) == (16, 4, 3072)
    assert told.cpu_mhz == (measured_mhz() or 1400)
    assert told.hypervisor_version.startswith("QEMU 0.0.2 / libvirt ")
    assert told.local_storage == shutil.disk_usage(tmp_path).total


def test_the_settings_have_the_last_word_and_the_host_keeps_its_own_memory(tmp_path: Path) -> None:
    told = found(host(tmp_path, cpus=4, cpu_mhz=2500, memory_mib=8192, reserved_memory_mib=1024))
    assert (told.cpus, told.cpu_mhz, told.memory_mib) == (4, 2500, 7168)
    assert found(host(tmp_path, reserved_memory_mib=9999)).memory_mib == 0


def test_emulation_is_chosen_where_kvm_fails_and_that_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(facts, "probe", lambda: Acceleration("qemu", "there is no /dev/kvm"))
    one = host(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert asyncio.run(one.choose_acceleration()).type == "qemu"
    assert "guests on host-1 are emulated, and slow: there is no /dev/kvm" in caplog.text


def test_kvm_is_chosen_where_it_works_unless_the_settings_forbid_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "probe", lambda: Acceleration("kvm", "it works"))
    one = host(tmp_path)
    assert asyncio.run(one.choose_acceleration()) == one.acceleration == Acceleration("kvm", "it works")
    other = host(tmp_path, emulate=True)
    assert asyncio.run(other.choose_acceleration()).type == "qemu"


def test_versions_and_speeds_are_read_as_they_are_written(tmp_path: Path) -> None:
    assert version(7002022) == "7.2.22" and version(9000000) == "9.0.0"
    speed = tmp_path / "speed"
    speed.write_text("2600000\n")
    assert measured_mhz((tmp_path / "none", speed)) == 2600
    speed.write_text("<unknown>\n")
    assert measured_mhz((speed,)) is None
    assert filesystem_size(tmp_path / "a" / "b") == shutil.disk_usage(tmp_path).total
