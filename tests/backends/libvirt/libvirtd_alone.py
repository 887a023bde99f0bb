"""A libvirtd for one test module, in namespaces of its own, and guests that start in a second.

`LonelyHost` is not the machine's libvirt: other folders, network devices and processes. Killing its first
process ends all of it. It has one bridge, guests0, that nothing else is on.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NEEDED = ("libvirtd", "qemu-system-x86_64", "qemu-img", "unshare", "nsenter", "ip", "mount")

_INIT = """
mount --make-rprivate /
mount -t tmpfs none /run
mkdir -p /run/libvirt /run/lock
for folder in etc/libvirt var/lib/libvirt var/cache/libvirt var/log/libvirt; do
    mkdir -p "$1/$folder" "/$folder" && mount --bind "$1/$folder" "/$folder"
done
ip link set lo up
ip link add guests0 type bridge
ip link set guests0 up
ulimit -c 0
while :; do
    libvirtd -f "$1/libvirtd.conf" -p /run/libvirtd.pid >>"$1/libvirtd.log" 2>&1
    [ -e "$1/once" ] && break
    sleep 0.2
done
exec sleep infinity
"""

_LIBVIRTD = """
unix_sock_dir = "{folder}/sockets"
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
host_uuid = "{uuid}"
"""

_QEMU = """
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
stdio_handler = "file"
namespaces = []
cgroup_controllers = []
"""

_GUEST = bytes.fromhex(
    "fa31c08ed88ed0bc007cbe457ce82200ba0206b80001effbf4ba0006edf6c40174f6efbe537ce80900ba0406b80020ef"
    "ebe6ac84c0740dbaf803eeb40ebb0700cd10ebeec367756573742069732075700d0a00677565737420676f657320646f"
    "776e0d0a00"
)
"""A whole operating system of one sector. It says that it is up on the serial line and the screen, and
enables the power button; pressed, it says so and powers the machine off by ACPI:

    cli; xor ax, ax; mov ds, ax; mov ss, ax; mov sp, 0x7c00
    mov si, up; call say
    mov dx, 0x602; mov ax, 0x100; out dx, ax        # PM1 enable: the power button
    sti
  wait: hlt; mov dx, 0x600; in ax, dx; test ah, 1; jz wait      # PM1 status
    out dx, ax; mov si, down; call say
    mov dx, 0x604; mov ax, 0x2000; out dx, ax       # PM1 control: soft off
    jmp wait
  say: lodsb; test al, al; jz said; mov dx, 0x3f8; out dx, al; mov ah, 0x0e; mov bx, 7; int 0x10; jmp say
  said: ret
"""

_LISTENS, _IS_DEAF = bytes.fromhex("b80001ef"), bytes.fromhex("b80000ef")

UP, DOWN = "guest is up", "guest goes down"


def reason_to_skip() -> str | None:
    if os.geteuid() != 0:
        return "needs root"
    missing = [program for program in NEEDED if shutil.which(program) is None]
    return f"needs {', '.join(missing)}" if missing else None


def guest_disk(path: Path, deaf: bool = False) -> Path:
    """A qcow2 disk with the guest on it; a deaf one takes no notice of the power button."""
    sector = _GUEST.replace(_LISTENS, _IS_DEAF) if deaf else _GUEST
    raw = path.with_suffix(".raw")
    raw.write_bytes((sector.ljust(510, b"\0") + b"\x55\xaa").ljust(1 << 20, b"\0"))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, path], check=True)
    raw.unlink()
    return path


class LonelyHost:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uri = f"qemu+unix:///system?socket={folder}/sockets/libvirt-sock"
        (folder / "sockets").mkdir(parents=True)
        (folder / "etc/libvirt").mkdir(parents=True)
        (folder / "etc/libvirt/qemu.conf").write_text(_QEMU)
        uuid = f"00000000-0000-4000-8000-{os.getpid():012d}"
        (folder / "libvirtd.conf").write_text(_LIBVIRTD.format(folder=folder, uuid=uuid))
        apart = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._process = subprocess.Popen(
            [*apart, "sh", "-c", _INIT, "init", str(folder)], stdin=subprocess.DEVNULL
        )
        wait_until(self.answers, 90, "libvirtd answers")

    def answers(self) -> bool:
        import libvirt

        libvirt.registerErrorHandler(lambda _context, _error: None, None)
        try:
            libvirt.open(self.uri).close()
        except libvirt.libvirtError:
            return False
        return True

    @property
    def libvirtd(self) -> int:
        """The process id of its libvirtd, as one sees it from outside."""
        [init] = _children(self._process.pid)
        return next(pid for pid in _children(init) if _command(pid) == "libvirtd")

    def close(self) -> None:
        for init in _children(self._process.pid):
            os.kill(init, signal.SIGKILL)
        self._process.wait(60)


def lonely_host(folder: Path) -> Iterator[LonelyHost]:
    """For a fixture: skips where the machine lacks something."""
    pytest.importorskip("libvirt")
    reason = reason_to_skip()
    if reason is not None:
        pytest.skip(reason)
    host = LonelyHost(folder)
    try:
        yield host
    finally:
        host.close()


def wait_until(condition: Callable[[], bool], limit: float, what: str) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        return ""
