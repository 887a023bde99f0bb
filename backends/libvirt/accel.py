"""Whether KVM runs guests here, found out by trying: a file /dev/kvm and libvirt's capabilities promise it in
vain on machines whose own hypervisor does not really pass virtualisation on.

The trial guest is a boot sector of 512 bytes (`long_mode.S` beside this file). It goes from real mode to long
mode, as every 64-bit kernel does first, calculates with a 64-bit register, and writes the result to QEMU's
debug exit port.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
from typing import Literal

import msgspec

QEMU = "/usr/bin/qemu-system-x86_64"

EXIT = 33
"""How QEMU ends when the sector has written 16 to the debug exit port: (16 << 1) | 1."""

_CODE = bytes.fromhex(
    "fafc31c08ed88ec0bf0010b90018f3abc70600100320c70600200330c706003083000f01"
    "16707c66b8200000000f22e066b8001000000f22d866b9800000c00f320d00010f300f20"
    "c0660d010000800f22c0ea577c080048b8000000000001000048c1e824e6f4f4ebfd8db6"
    "000000000f00707c0000000000000000009a20"
)

BOOT_SECTOR = _CODE.ljust(510, b"\0") + b"\x55\xaa"
"""`long_mode.S`, assembled and filled up; its comment says how."""


class Acceleration(msgspec.Struct, frozen=True):
    """What a host's guests run on, by libvirt's name for it, and why."""

    type: Literal["kvm", "qemu"]
    reason: str


def probe(qemu: str = QEMU, limit: float = 2.0) -> Acceleration:
    """Try KVM for at most `limit` seconds. Blocks; never raises for a machine that has none."""
    if not os.path.exists("/dev/kvm"):
        return Acceleration("qemu", "there is no /dev/kvm")
    try:
        code = run_sector(qemu, "kvm", limit)
    except subprocess.TimeoutExpired:
        return Acceleration("qemu", f"a guest did not reach long mode under KVM within {limit:g} s")
    except OSError as error:
        return Acceleration("qemu", f"{qemu} does not start: {error.strerror}")
    if code == EXIT:
        return Acceleration("kvm", "a guest reached long mode under KVM")
    return Acceleration("qemu", f"a guest under KVM {_ending(code)} before it reached long mode")


def run_sector(qemu: str, accelerator: str, limit: float) -> int:
    """How QEMU exits after it booted the sector. Raises subprocess.TimeoutExpired, OSError."""
    with tempfile.NamedTemporaryFile(suffix=".img") as disk:
        disk.write(BOOT_SECTOR)
        disk.flush()
        # -cpu max: what libvirt gives to guests, which is all that the processor has.
        machine = ["-machine", "pc", "-accel", accelerator, "-cpu", "max", "-m", "16"]
        quiet = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
        devices = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        drive = ["-drive", f"if=ide,format=raw,snapshot=on,file={disk.name}"]
        process = subprocess.Popen(
            [qemu, *machine, *quiet, *devices, *drive],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            # It may abort, and nobody wants its core.
            resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
            return process.wait(limit)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
