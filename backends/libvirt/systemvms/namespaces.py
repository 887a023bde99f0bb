"""Routers that are namespaces on this host: their processes, their cards, and what they use.

A folder for each is in `settings.data`/namespaces. A router whose first process has ended is off; nothing of it outlives
the host's reboot but that folder.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import backends
import cloudsim
from backends.libvirt.host_scripts import run_script
from backends.systemvm.plan import interface_name
from cloudsim.protocol.specs import NicSpec, VmReport, VmSpec, VmStatistics

_SCRIPT = "systemvm-namespace.sh"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_DEVICES = Path("/sys/class/net")


class Namespaces:
    """All of one host's. A failure is a HypervisorError; every method may be repeated."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "namespaces"
        self._used: dict[str, tuple[float, float]] = {}

    def has(self, name: str) -> bool:
        """Whether there is, or was, a router of that name here that has not been removed."""
        return (self._folder / name).is_dir()

    def socket(self, name: str) -> Path:
        return self._folder / name / "agent.sock"

    def runs(self, name: str) -> bool:
        return self._process(name) is not None

    def reports(self) -> tuple[VmReport, ...]:
        """Those that run."""
        return tuple(VmReport(name, self._id(name), "PowerOn") for name in self._names() if self.runs(name))

    def dead(self) -> tuple[str, ...]:
        """Those that have ended by themselves."""
        return tuple(name for name in self._names() if not self.runs(name))

    async def start(self, vm: VmSpec, bridges: dict[str, str]) -> None:
        """Have it run, with these cards (`bridges` by NIC id) plugged in."""
        folder = self._folder / vm.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "id").write_text(vm.id)
        what = f"system VM {vm.name}"
        code = str(Path(backends.__file__).parents[1])
        arguments = ["--name", vm.name, "--folder", str(folder), "--python", sys.executable, "--code", code]
        await run_script(what, _SCRIPT, "start", *arguments, "--version", cloudsim.__version__)
        for nic in vm.nics:
            await self.plug(vm.name, nic, bridges[nic.id])

    async def plug(self, name: str, nic: NicSpec, bridge: str) -> None:
        mac = nic.mac.lower()
        arguments = ["--name", name, "--bridge", bridge, "--port", _port(mac), "--card", interface_name(mac)]
        await run_script(f"plugging NIC {mac} into {name}", _SCRIPT, "plug", *arguments, "--mac", mac)

    async def unplug(self, name: str, nic: NicSpec) -> None:
        await run_script(
            f"unplugging NIC {nic.mac} from {name}", _SCRIPT, "unplug", "--port", _port(nic.mac.lower())
        )

    async def remove(self, name: str) -> None:
        """End it, and leave nothing of it. Succeeds if there is none."""
        folder = self._folder / name
        if self.has(name):
            await run_script(f"system VM {name}", _SCRIPT, "stop", "--name", name, "--folder", str(folder))
            shutil.rmtree(folder, ignore_errors=True)
        self._used.pop(name, None)

    def statistics(self, name: str, nics: tuple[NicSpec, ...], now: float) -> VmStatistics:
        """What its processes use; `now` is a monotonic time, in seconds. The percentage is since the last time."""
        seconds, memory = 0.0, 0
        for pid in self._processes(name):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            seconds += (int(fields[11]) + int(fields[12])) / _TICKS
            memory += int(fields[21]) * _PAGE
        at, before = self._used.get(name, (now, seconds))
        self._used[name] = (now, seconds)
        percent = 100.0 * max(0.0, seconds - before) / (now - at) if now > at else 0.0
        came = sum(_counter(nic, "tx_bytes") for nic in nics)
        went = sum(_counter(nic, "rx_bytes") for nic in nics)
        return VmStatistics(
            name,
            round(min(percent, 100.0), 2),
            memory >> 20,
            network_read_bytes=came,
            network_write_bytes=went,
        )

    def _names(self) -> list[str]:
        return sorted(path.name for path in self._folder.glob("*/")) if self._folder.is_dir() else []

    def _id(self, name: str) -> str:
        try:
            return (self._folder / name / "id").read_text()
        except OSError:
            return ""

    def _process(self, name: str) -> int | None:
        try:
            pid, born = (self._folder / name / "process").read_text().split()
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            return None
        return int(pid) if stat[19] == born and stat[0] != "Z" else None

    def _processes(self, name: str) -> Iterator[int]:
        """Its first process and all below it; orphans are that one's children."""
        first = self._process(name)
        pending = [first] if first is not None else []
        while pending:
            pid = pending.pop()
            yield pid
            try:
                pending += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
            except OSError:
                continue


def _port(mac: str) -> str:
    """The card's other end, on the host."""
    return "vnr" + mac.replace(":", "")


def _counter(nic: NicSpec, counter: str) -> int:
    try:
        return int((_DEVICES / _port(nic.mac.lower()) / "statistics" / counter).read_text())
    except (OSError, ValueError):
        return 0
