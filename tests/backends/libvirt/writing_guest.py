"""A guest that does nothing but write to its disk, in an order that tells whether a copy of it is of one moment.

It fits into the boot sector. Round by round it writes the number of the round into the first bytes of fifteen sectors,
16 MiB apart, one after the other:

    xor ax, ax; mov ds, ax; mov ss, ax; mov sp, 0x7c00; mov [drive], dl; xor eax, eax; mov [0x8000], eax
  round: inc dword ptr [0x8000]; mov dword ptr [lba], 2048
  write: mov si, packet; mov ax, 0x4300; mov dl, [drive]; int 0x13; jc round        # BIOS: extended write
    add dword ptr [lba], 32768; cmp dword ptr [lba], 2048 + 15 * 32768; jb write; jmp round
  drive: .byte 0
  packet: .byte 16, 0; .word 1, 0x8000, 0; lba: .long 0, 0
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

MIB = 1 << 20
SIZE = 256 * MIB
SECTORS = 15

_PROGRAM = bytes.fromhex(
    "31c08ed88ed0bc007c8816467c6631c066a3008066ff06008066c7064f7c00080000be477cb800438a16467ccd1372e4"
    "6681064f7c0080000066813e4f7c0088070072deebce0010000100008000000000000000000000"
)


def make_disk(file: Path) -> None:
    """A qcow2 disk with the guest on it, full of other data."""
    raw = file.with_name(f"{file.name}.source")
    with raw.open("wb") as opened:
        opened.write(_PROGRAM.ljust(510, b"\0") + b"\x55\xaa")
        opened.write(b"\xa5" * (SIZE - 512))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, file], check=True)
    raw.unlink()


def rounds(file: Path) -> list[int]:
    """The number that each sector holds, in the order in which they are written."""
    raw = file.with_name(f"{file.name}.read")
    subprocess.run(["qemu-img", "convert", "-U", "-O", "raw", file, raw], check=True)
    with raw.open("rb") as opened:
        found = []
        for number in range(SECTORS):
            opened.seek(MIB + number * 16 * MIB)
            found.append(struct.unpack("<I", opened.read(4))[0])
    raw.unlink()
    return found


def of_one_moment(found: list[int]) -> bool:
    """Whether there was a moment when these were the numbers: some sectors may be one round behind those before them."""
    return found == sorted(found, reverse=True) and found[0] - found[-1] <= 1


def domain_xml(name: str, disks: dict[str, Path]) -> str:
    """A domain that boots the guest from the first of the disks."""
    listed = "".join(
        f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{file}'/>"
        f"<target dev='{target}' bus='virtio'/></disk>"
        for target, file in disks.items()
    )
    return f"""<domain type='qemu'><name>{name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
        <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os><features><acpi/></features>
        <devices>{listed}<memballoon model='none'/></devices></domain>"""
