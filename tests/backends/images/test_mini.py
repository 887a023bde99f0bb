"""The mini template: built, alike each time, and booted."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from backends.images.cache import default_folder
from backends.images.errors import ImageError
from backends.images.mini import MiniOptions, build
from backends.images.mini.build import FOLLOW, SEEDS, TOOLS
from backends.images.packages import closure
from backends.images.tools import require
from tests.backends.images.guest import Guest, config_drive, overlay, require_qemu


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
        (MiniOptions(size_mib=20), "48 MiB to 1 TiB, not 20 MiB"),
        (MiniOptions(password="a\nb"), "is one line"),
        (MiniOptions(ssh_keys=("-----BEGIN OPENSSH PRIVATE KEY-----",)), "no ssh public key: '-----BEGIN"),
    ],
)
def test_wrong_options_are_refused_at_once(tmp_path: Path, options: MiniOptions, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        build(None, tmp_path, options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.lab
def test_two_builds_are_alike_and_a_third_is_the_first(cache: Path, tmp_path: Path) -> None:
    first = build(None, cache)
    made_at = first.stat().st_mtime_ns
    shutil.copytree(cache / "packages", tmp_path / "other/packages")
    second = build(tmp_path / "mini.qcow2", tmp_path / "other")
    assert second == tmp_path / "mini.qcow2"
    assert first.read_bytes() == second.read_bytes()
    assert build(None, cache) == first and first.stat().st_mtime_ns == made_at


@pytest.mark.lab
def test_mini_boots_serves_takes_what_is_plugged_in_and_shuts_down(cache: Path, tmp_path: Path) -> None:
    require_qemu()
    script = "#!/bin/sh\nmkdir -p /www/data\nhostname >/www/data/ran\n"
    drive = config_drive(tmp_path, "web-1.cloud.internal", script, password="open sesame")
    with Guest(tmp_path, overlay(build(None, cache), tmp_path), drive) as guest:
        for marker in ("cloud config-drive", "ready", "DHCP eth0 10.0.2.15", "user-data 0"):
            guest.rewind()
            guest.wait_for(rf"(?m)^mini {marker}\r?$")
        assert guest.get("/data/ran") == "web-1\n"
        page = guest.get("/")
        assert "<h1>web-1</h1>" in page and "eth0 10.0.2.15" in page

        guest.rewind()
        guest.wait_for("web-1 login: ")
        guest.type("root")
        guest.wait_for("Password: ")
        guest.type("open sesame")
        guest.wait_for("mini# ")

        (place,) = [slot for slot in guest.control("query-hotpluggable-cpus") if "qom-path" not in slot]
        guest.control("device_add", driver=place["type"], id="cpu1", **place["props"])
        guest.wait_for("mini cpu 1 online")
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "second.qcow2", "7M"], check=True
        )
        file = {"driver": "file", "filename": str(tmp_path / "second.qcow2")}
        guest.control("blockdev-add", driver="qcow2", file=file, **{"node-name": "second"})
        guest.control("device_add", driver="virtio-blk-pci", drive="second", id="second")
        guest.wait_for("mini disk vdb add")
        guest.type("echo $(nproc) cpus, vdb has $(cat /sys/block/vdb/size) sectors")
        guest.wait_for("2 cpus, vdb has 14336 sectors")

        guest.power_button()
        guest.wait_for("mini stopping")
        guest.wait_for_end(120)
