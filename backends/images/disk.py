"""A bootable disk image, made of files only: no loop device, no mount, no root.

    sector 0       boot code of syslinux, and the partition table
    from 1 MiB     FAT16: syslinux, the kernel, the initial RAM disk
    after it       ext4: the root. It is the last one, so that it can grow with its volume

QEMU's BIOS starts it; syslinux needs 1 to 2 s there where GRUB needs 3 to 5.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.images.errors import ImageError
from backends.images.ext4 import make_ext4
from backends.images.tools import EPOCH, master_boot_record, require, run
from backends.images.tree import Tree

MIB = 1 << 20
SECTOR = 512
TOOLS = ("mke2fs", "debugfs", "mkfs.vfat", "mcopy", "syslinux", "qemu-img")
"""The programs that make a disk."""
_DISK_ID = 0x636C6F75
_VOLUME_ID = "636c6f75"
_BLOCK = 4096


@dataclass(frozen=True)
class Disk:
    """What a disk is made of. Sizes in MiB, except `block`: bytes.

    `boot` holds the boot partition's files by name, syslinux.cfg with them. A `compressed` one is half the size in its
    store, and as quick where little of it is read.
    """

    size_mib: int
    boot_mib: int
    boot: Mapping[str, bytes]
    root: Tree
    label: str
    block: int = 4096
    journal_mib: int = 4
    compressed: bool = False


def make_disk(disk: Disk, work: Path) -> Path:
    """The disk as a qcow2 file in the folder `work`. The same parts and tools give the same bytes."""
    require(TOOLS)
    root_mib = disk.size_mib - disk.boot_mib - 1
    boot, root, raw, out = (work / name for name in ("boot.fat", "root.ext4", "disk.raw", "disk.qcow2"))
    _make_boot(disk, boot, work)
    make_ext4(root, root_mib * MIB, disk.label, disk.root, block=disk.block, journal_mib=disk.journal_mib)
    boot_code = master_boot_record()
    assert boot_code is not None  # as `require` has seen
    with raw.open("wb") as file:
        file.truncate(disk.size_mib * MIB)
        file.write(first_sector(boot_code.read_bytes(), disk.boot_mib * MIB, root_mib * MIB))
        _copy_sparse(boot, file.fileno(), MIB)
        _copy_sparse(root, file.fileno(), (1 + disk.boot_mib) * MIB)
    # One coroutine: clusters are given out in the order of the disk, always.
    how = ["-c"] if disk.compressed else []
    run("converting the disk", ["qemu-img", "convert", *how, "-m", "1", "-f", "raw", "-O", "qcow2", raw, out])
    return out


def first_sector(boot_code: bytes, boot: int, root: int) -> bytes:
    """Boot code and partition table: partitions of these sizes in bytes, the first from 1 MiB, bootable."""
    if len(boot_code) > 440:
        raise ImageError(f"the boot code has {len(boot_code)} bytes where 440 fit")

    def entry(active: int, kind: int, start: int, size: int) -> bytes:
        # Cylinders, heads and sectors are long out of use: what does not fit there is written as the largest.
        large = b"\xfe\xff\xff"
        return struct.pack("<B3sB3sII", active, large, kind, large, start // SECTOR, size // SECTOR)

    table = entry(0x80, 0x0E, MIB, boot) + entry(0, 0x83, MIB + boot, root)
    return (
        boot_code.ljust(440, b"\0") + struct.pack("<IH", _DISK_ID, 0) + table.ljust(64, b"\0") + b"\x55\xaa"
    )


def _make_boot(disk: Disk, path: Path, work: Path) -> None:
    with path.open("wb") as file:
        file.truncate(disk.boot_mib * MIB)
    # The number of hidden sectors is where the partition starts; the boot sector reads its disk with it.
    command = ["mkfs.vfat", "-F", "16", "-s", "4", "-n", "BOOT", "-i", _VOLUME_ID, "--invariant"]
    run("making the boot partition", [*command, "-h", str(MIB // SECTOR), path])
    for name, content in disk.boot.items():
        file_path = work / name
        file_path.write_bytes(content)
        os.utime(file_path, (EPOCH, EPOCH))
        run(f"writing {name} to the boot partition", ["mcopy", "-m", "-i", path, file_path, f"::{name}"])
    run("installing the boot loader", ["syslinux", "--install", path])


def _copy_sparse(source: Path, target: int, at: int) -> None:
    """Copy what is not zero: the holes of the target are then the same on every file system."""
    with source.open("rb") as file:
        position = at
        while data := file.read(_BLOCK):
            if data.count(0) != len(data):
                os.pwrite(target, data, position)
            position += len(data)
