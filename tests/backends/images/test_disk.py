"""A bootable disk image."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from backends.images.disk import MIB, TOOLS, Disk, first_sector, make_disk
from backends.images.errors import ImageError
from backends.images.tools import require, run
from backends.images.tree import Tree


def need_tools() -> None:
    try:
        require(TOOLS)
    except ImageError as error:
        pytest.skip(str(error))


def test_the_first_sector_has_the_boot_code_and_two_partitions() -> None:
    sector = first_sector(b"\xeb\xfe", 20 * MIB, 43 * MIB)
    assert len(sector) == 512 and sector[:2] == b"\xeb\xfe" and sector[-2:] == b"\x55\xaa"
    boot, root = (struct.unpack_from("<B3xB3xII", sector, 446 + 16 * number) for number in (0, 1))
    assert boot == (0x80, 0x0E, 2048, 20 * 2048)
    assert root == (0, 0x83, 21 * 2048, 43 * 2048)
    assert sector[478:510] == bytes(32)


def test_boot_code_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ImageError, match="441 bytes where 440 fit"):
        first_sector(bytes(441), MIB, MIB)


def test_a_disk_holds_its_boot_files_and_its_root_and_is_made_alike(tmp_path: Path) -> None:
    need_tools()
    tree = Tree()
    tree.file("etc/hostname", b"mini\n")
    disk = Disk(32, 17, {"vmlinuz": b"kernel" * 1000, "syslinux.cfg": b"DEFAULT x\n"}, tree, "mini", 1024, 1)
    images = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        images.append(make_disk(disk, tmp_path / name))
    assert images[0].read_bytes() == images[1].read_bytes()
    assert (
        json.loads(run("looking", ["qemu-img", "info", "--output=json", images[0]]))["virtual-size"]
        == 32 * MIB
    )

    raw = tmp_path / "back.raw"
    run("converting", ["qemu-img", "convert", "-O", "raw", images[0], raw])
    assert run("looking", ["mcopy", "-i", f"{raw}@@1M", "::vmlinuz", "-"]) == "kernel" * 1000
    assert run("looking", ["debugfs", "-R", "cat /etc/hostname", f"{raw}?offset={18 * MIB}"]) == "mini\n"
