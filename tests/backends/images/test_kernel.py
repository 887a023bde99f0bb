"""A kernel's modules, in the order in which they must be loaded."""

from __future__ import annotations

import lzma
import struct
from pathlib import Path

import pytest

from backends.images.errors import ImageError
from backends.images.kernel import Kernel, depends

RELEASE = "6.1.0-1-cloud-amd64"


def module(*needed: str) -> bytes:
    """A 64-bit ELF file with no more than its table of sections: none, .modinfo, the names of sections."""
    info = b"license=GPL\0depends=" + ",".join(needed).encode() + b"\0name=x\0"
    names = b"\0.modinfo\0.shstrtab\0"
    table = 64 + len(info) + len(names)
    header = b"\x7fELF\x02\x01".ljust(0x28, b"\0") + struct.pack("<Q", table)
    header = header.ljust(0x3A, b"\0") + struct.pack("<HHH", 64, 3, 2)
    sections = [(0, 0, 0), (1, 64, len(info)), (10, 64 + len(info), len(names))]
    rows = b"".join(
        struct.pack("<IIQQQQ", name, 0, 0, 0, offset, size).ljust(64, b"\0")
        for name, offset, size in sections
    )
    return header.ljust(64, b"\0") + info + names + rows


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot" / f"vmlinuz-{RELEASE}").write_bytes(b"kernel")
    folder = tmp_path / "lib/modules" / RELEASE
    (folder / "kernel/drivers").mkdir(parents=True)
    (folder / "modules.builtin").write_text("kernel/fs/ext4/ext4.ko\nkernel/fs/jbd2/jbd2.ko\n")
    for name, needed in {
        "virtio": [],
        "virtio_ring": ["virtio"],
        "virtio_pci": ["virtio", "virtio_ring"],
        "virtio-rng": ["rng-core", "virtio"],
    }.items():
        (folder / "kernel/drivers" / f"{name}.ko").write_bytes(module(*needed))
    (folder / "kernel/drivers/rng-core.ko.xz").write_bytes(lzma.compress(module()))
    return tmp_path


def test_what_a_module_needs_stands_in_it() -> None:
    assert depends(module("virtio", "virtio_ring")) == ["virtio", "virtio_ring"]
    assert depends(module()) == []
    with pytest.raises(ImageError, match="not a 64-bit ELF file"):
        depends(b"#!/bin/sh")


def test_modules_come_after_those_that_they_need(root: Path) -> None:
    kernel = Kernel(root)
    assert kernel.release == RELEASE
    assert list(kernel.modules(["virtio_pci", "virtio_rng"])) == [
        "virtio",
        "virtio_ring",
        "virtio_pci",
        "rng_core",
        "virtio_rng",
    ]


def test_a_packed_module_is_unpacked(root: Path) -> None:
    assert Kernel(root).modules(["rng-core"]) == {"rng_core": module()}


def test_what_is_built_in_is_left_out(root: Path) -> None:
    assert Kernel(root).modules(["ext4"]) == {}


def test_a_module_that_the_kernel_lacks_is_named(root: Path) -> None:
    with pytest.raises(ImageError, match=f"kernel {RELEASE} has no module e1000"):
        Kernel(root).modules(["e1000"])


def test_there_must_be_a_kernel(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="hold 0 kernels"):
        Kernel(tmp_path)
