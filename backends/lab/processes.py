"""The machine's processes, by what /proc tells of them: which namespaces and cgroups they are in."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from backends.lab.names import Names

_PROC = Path("/proc")
_PAUSE = 0.02
MARK = "CLOUDSIM_LAB"
"""The variable in which what runs on the machine itself for a lab has its mark."""


class Process(msgspec.Struct, frozen=True):
    """A living process. `inner` is its number in its own PID namespace; namespaces are told by inode."""

    pid: int
    inner: int
    argv: tuple[str, ...]
    network: int
    pids: int
    mounts: int
    cgroups: tuple[str, ...]

    @property
    def name(self) -> str:
        return os.path.basename(self.argv[0]) if self.argv else f"pid {self.pid}"


def process(pid: int) -> Process | None:
    """None if there is no such process, or it is dead and only waits to be reaped."""
    folder = _PROC / str(pid)
    try:
        status = (folder / "status").read_text()
        numbers = re.search(r"^NSpid:\s+(.*)$", status, re.MULTILINE)
        network, pids, mounts = ((folder / "ns" / kind).stat().st_ino for kind in ("net", "pid", "mnt"))
        argv = (folder / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
        groups = [line.split(":", 2)[2] for line in (folder / "cgroup").read_text().splitlines()]
        inner = int(numbers[1].split()[-1]) if numbers else pid
        return Process(pid, inner, tuple(argv), network, pids, mounts, tuple(groups))
    except OSError:
        return None


def processes() -> Iterator[Process]:
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            found = process(int(entry.name))
            if found is not None:
                yield found


def of_lab(names: Names, namespaces: set[int]) -> list[Process]:
    """The processes of a lab: in its cgroups, in its network namespaces (inodes given), on its hosts by their mounts, or
    started for it on the machine, by their environment.

    The mounts that a lab has on the machine itself do not tell: whoever made a mount namespace since then has a copy.
    """
    ours = (_PROC / "self" / "ns" / "mnt").stat().st_ino
    marked: dict[int, bool] = {ours: False}
    found = []
    for one in processes():
        if one.pid == os.getpid():
            continue
        if one.mounts not in marked:
            marked[one.mounts] = any(names.is_namespace(source) for source, _ in mounts(one.pid))
        inside = any(names.mark in path.split("/") for path in one.cgroups)
        if inside or one.network in namespaces or marked[one.mounts] or _is_marked(one.pid, names.mark):
            found.append(one)
    return found


def _is_marked(pid: int, mark: str) -> bool:
    try:
        return f"{MARK}={mark}".encode() in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def mounts(pid: int | None = None) -> list[tuple[str, str]]:
    """Source and mount point of what a process (or this one) has mounted, in the order of mounting."""
    try:
        lines = (_PROC / str(pid or "self") / "mountinfo").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        before, _, after = line.partition(" - ")
        found.append((_plain(after.split(" ")[1]), _plain(before.split(" ")[4])))
    return found


def _plain(text: str) -> str:
    """mountinfo writes spaces and backslashes in octal."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def kill(pid: int) -> None:
    """As when the power fails: the process gets no chance. One that is gone already is fine."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_until(condition: Callable[[], bool], limit: float) -> bool:
    """Whether it came true within `limit` seconds."""
    end = time.monotonic() + limit
    pause = _PAUSE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
        pause = min(pause * 1.3, 0.2)
    return True
