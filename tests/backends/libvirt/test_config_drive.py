"""The config drive as a guest reads it."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from backends.libvirt.config_drive import config_drive, config_files
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, VmSpec

NIC = NicSpec(
    "nic-1",
    "02:00:00:00:00:01",
    "net-1",
    ip="10.1.1.10",
    netmask="255.255.255.0",
    gateway="10.1.1.1",
    dns=("10.1.1.1", "8.8.8.8"),
)
VM = VmSpec(
    "i-2-7-VM",
    "8f1e9f04-0000-4000-8000-000000000007",
    1,
    1000,
    128,
    nics=(NIC, NicSpec("nic-2", "02:00:00:00:00:02", "net-2", 1, default=False)),
    hostname="web-1",
    user_data=base64.b64encode(b"#!/bin/sh\necho \xc3\xa4\n").decode(),
    public_keys=("ssh-ed25519 AAAA one",),
    password="Secret7",
    metadata={"service-offering": "Small", "availability-zone": "zone-1"},
)

needs_xorriso = pytest.mark.skipif(shutil.which("xorriso") is None, reason="needs xorriso")


def read(iso: Path, folder: Path) -> dict[str, bytes]:
    """Its files by path."""
    subprocess.run(
        ["xorriso", "-osirrox", "on", "-indev", str(iso), "-extract", "/", str(folder)],
        check=True,
        capture_output=True,
    )
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@needs_xorriso
def test_it_holds_both_layouts_under_the_label_that_guests_look_for(tmp_path: Path) -> None:
    iso = asyncio.run(config_drive(VM, tmp_path / "drives"))
    assert iso == tmp_path / "drives" / "i-2-7-VM-config.iso"
    assert iso.read_bytes()[32768 + 40 : 32768 + 72].decode().strip() == "config-2"
    files = read(iso, tmp_path / "content")
    assert files == config_files(VM)
    assert files["openstack/latest/user_data"] == b"#!/bin/sh\necho \xc3\xa4\n"
    assert files["cloudstack/userdata/user_data.txt"] == files["openstack/latest/user_data"]
    assert files["cloudstack/password/vm_password.txt"] == b"Secret7"
    assert files["cloudstack/metadata/local-ipv4.txt"] == b"10.1.1.10"
    assert files["cloudstack/metadata/service-offering.txt"] == b"Small"
    assert files["cloudstack/metadata/public-keys.txt"] == b"ssh-ed25519 AAAA one"


@needs_xorriso
def test_it_is_private_written_anew_and_the_same_for_the_same_instance(tmp_path: Path) -> None:
    first = asyncio.run(config_drive(VM, tmp_path)).read_bytes()
    iso = asyncio.run(config_drive(VM, tmp_path))
    assert iso.read_bytes() == first
    assert iso.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["i-2-7-VM-config.iso"]


def test_meta_data_is_openstacks() -> None:
    meta: dict[str, Any] = json.loads(config_files(VM)["openstack/latest/meta_data.json"])
    assert meta["uuid"] == VM.id
    assert (meta["name"], meta["hostname"], meta["availability_zone"]) == ("i-2-7-VM", "web-1", "zone-1")
    assert meta["public_keys"] == {"key-0": "ssh-ed25519 AAAA one"}
    assert meta["admin_pass"] == "Secret7"


def test_network_data_names_the_cards_by_their_mac_addresses() -> None:
    network: dict[str, Any] = json.loads(config_files(VM)["openstack/latest/network_data.json"])
    assert [link["ethernet_mac_address"] for link in network["links"]] == [
        "02:00:00:00:00:01",
        "02:00:00:00:00:02",
    ]
    first, second = network["networks"]
    assert (first["type"], first["ip_address"], first["gateway"]) == ("ipv4", "10.1.1.10", "10.1.1.1")
    assert second["type"] == "ipv4_dhcp" and "gateway" not in second
    assert [service["address"] for service in network["services"]] == ["10.1.1.1", "8.8.8.8"]


def test_what_there_is_not_has_no_file() -> None:
    bare = VmSpec("i-2-8-VM", "id", 1, 1000, 128)
    files = config_files(bare)
    assert "openstack/latest/meta_data.json" in files
    assert not [name for name in files if "user" in name or "password" in name]


def test_without_a_program_for_it_the_instance_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        HypervisorError, match="instance i-2-7-VM: its config drive needs xorriso or genisoimage"
    ):
        asyncio.run(config_drive(VM, tmp_path / "drives"))


def test_when_the_program_fails_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "xorriso"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho no space left >&2\nexit 5\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/bin:/usr/bin")
    with pytest.raises(HypervisorError, match="instance i-2-7-VM: its config drive: no space left"):
        asyncio.run(config_drive(VM, tmp_path / "drives"))
    assert list((tmp_path / "drives").iterdir()) == []
