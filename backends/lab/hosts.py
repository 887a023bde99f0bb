"""One host of a lab: its power switch, its cable, and what runs on it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from backends.lab.cgroups import Cgroups
from backends.lab.errors import LabError
from backends.lab.fabric import Fabric, namespaces
from backends.lab.host_files import HostFolder, Identity
from backends.lab.processes import Process, kill, process, processes, wait_until
from backends.lab.running import COMMAND_TIMEOUT, run, script

BOOT_WITHIN = 60.0
DIE_WITHIN = 60.0
"""Seconds, which a machine with much other work may need a good part of."""
_LIBVIRT_SOCKET = "run/libvirt/libvirt-sock"


class LabHost:
    """Namespaces and a cgroup that make a part of this machine look like a machine with a libvirt of its own.

    `others` are the addresses of all hosts of the lab by their names; `seeds` are folders like libvirt's own cache.
    """

    def __init__(
        self,
        number: int,
        who: Identity,
        folder: HostFolder,
        logs: Path,
        fabric: Fabric,
        cgroups: Cgroups,
        others: Mapping[str, str],
        seeds: Sequence[Path] = (),
    ) -> None:
        self.number = number
        self.who = who
        self.folder = folder
        self.logs = logs
        self.fabric = fabric
        self.cgroups = cgroups
        self.others = others
        self.seeds = seeds
        self.namespace = fabric.names.host(number)
        self.cgroup = f"{fabric.names.mark}/{who.name}"

    @property
    def name(self) -> str:
        return self.who.name

    @property
    def address(self) -> str:
        return self.who.address

    @property
    def uri(self) -> str:
        """The host's libvirt, as seen from this machine and from the other hosts."""
        return f"qemu+tcp://{self.address}/system"

    # Power

    @property
    def init(self) -> int | None:
        """The machine's number of the host's first process; None while the host is off."""
        try:
            pid = int(self.folder.pid.read_text())
        except (OSError, ValueError):
            return None
        found = process(pid)
        if found is None or found.inner != 1 or found.network != namespaces().get(self.namespace):
            return None
        return pid

    @property
    def is_on(self) -> bool:
        return self.init is not None

    def power_on(self) -> None:
        """Boot the host with the disks and the identity it had; returns when its libvirt answers. Raises LabError."""
        if self.is_on:
            raise LabError(f"{self.name} is on already")
        self._clear()
        self.logs.mkdir(parents=True, exist_ok=True)
        self.folder.prepare(self.who, self.others, has_cgroups=bool(self.cgroups.roots))
        self.folder.take_capabilities(self.seeds)
        try:
            self.cgroups.make(self.cgroup)
            self.fabric.plug_host(self.number, self.name, self.who.mac, self.address)
            self._boot()
        except BaseException:
            self._clear()
            raise

    def probe(self) -> None:
        """Let libvirt find out what QEMU can do here, which takes seconds, unless it took that from another host."""
        if not self.folder.has_capabilities:
            self.exec(["virsh", "--connect", "qemu:///system", "capabilities"])

    def _boot(self) -> None:
        doors = [str(door) for door in self.cgroups.doors(self.cgroup)]
        argv = [*script("host-boot.sh"), self.namespace, str(self.folder.path), self.name, str(self.logs), *doors]
        report = self.logs / "boot.log"
        with report.open("wb") as log:
            # A session of its own, and no child of this process: the host outlives it.
            done = subprocess.run(
                ["setsid", "--fork", *argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=False
            )
        if done.returncode or not wait_until(lambda: self.is_on, BOOT_WITHIN):
            raise LabError(f"{self.name} did not boot: {_last_line(report)}")
        if not wait_until(lambda: self.libvirt_answers, BOOT_WITHIN):
            raise LabError(f"the libvirt of {self.name} did not start: {_last_line(self.logs / 'libvirtd.log')}")

    def kill(self) -> None:
        """Cut the power: all its processes are gone at once, its memory and its network too. Its disks stay."""
        if not self.is_on:
            raise LabError(f"{self.name} is off already")
        self._clear()

    def _clear(self) -> None:
        """What a running or half-made host has, but not its disks."""
        init = self.init
        if init is not None:
            kill(init)
            # A frozen process dies when it is thawed, before it does anything else.
        self.cgroups.thaw(self.cgroup)
        if not wait_until(lambda: not self._kill_rest(), DIE_WITHIN):
            left = ", ".join(one.name for one in self._kill_rest())
            raise LabError(f"{self.name} does not die: {left}")
        self.folder.pid.unlink(missing_ok=True)
        self.fabric.unplug_host(self.number)
        self.cgroups.remove(self.cgroup)

    def _kill_rest(self) -> list[Process]:
        """Processes that are not below the first one but are the host's, as those entered from outside."""
        inode = namespaces().get(self.namespace, -1)
        found = [
            one
            for one in processes()
            if one.network == inode or any(f"/{self.cgroup}/" in f"{path}/" for path in one.cgroups)
        ]
        for one in found:
            kill(one.pid)
        return found

    # The cable

    def cut_link(self) -> None:
        """Pull the cables to both networks out of the switch; they stay out until they are restored or power returns."""
        self._needs_power()
        self.fabric.set_port(self.number, up=False)

    def restore_link(self) -> None:
        self._needs_power()
        self.fabric.set_port(self.number, up=True)

    @property
    def is_linked(self) -> bool:
        return self.is_on and self.fabric.is_port_up(self.number)

    # A host that hangs

    def freeze(self) -> None:
        """Nothing on the host runs any more, nor is anything lost."""
        self._needs_power()
        self.cgroups.freeze(self.cgroup)

    def thaw(self) -> None:
        self._needs_power()
        self.cgroups.thaw(self.cgroup)

    @property
    def is_frozen(self) -> bool:
        return self.cgroups.is_frozen(self.cgroup)

    # What runs there

    def entering(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` inside the host; its working directory is /. Raises LabError."""
        if self.is_frozen:
            raise LabError(f"{self.name} hangs")
        doors = [str(door) for door in self.cgroups.doors(self.cgroups.inner(self.cgroup))]
        return [*script("host-enter.sh"), str(self._needs_power()), *doors, "--", *argv]

    def exec(
        self, argv: Sequence[str], *, timeout: float = COMMAND_TIMEOUT, sent: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside the host to its end. Raises LabError if it fails."""
        return run(f"{argv[0]} on {self.name}", self.entering(argv), timeout=timeout, sent=sent)

    def processes(self) -> list[Process]:
        """Those of the host, in no order."""
        init = self.init
        here = None if init is None else process(init)
        return [] if here is None else [one for one in processes() if one.pids == here.pids]

    def qemus(self) -> dict[str, int]:
        """The instances that run here, by libvirt's names, and the machine's numbers of their processes."""
        found = {}
        for one in self.processes():
            for option, value in zip(one.argv, one.argv[1:], strict=False):
                if option == "-name" and one.name.startswith("qemu"):
                    found[value.removeprefix("guest=").split(",")[0]] = one.pid
        return found

    def namespace_routers(self) -> dict[str, int]:
        """Routers here that are namespaces, and the machine's numbers of the processes that each of them ends with."""
        found = {}
        for one in self.processes():
            for option, value in zip(one.argv, one.argv[1:], strict=False):
                if option == "--socket" and one.name == "unshare" and "backends.systemvm.guest" in one.argv:
                    found[Path(value).parent.name] = one.pid
        return found

    def service_pid(self, service: str) -> int | None:
        """The machine's number of a service's process (libvirtd, agent); None if it does not run."""
        init = self.init
        try:
            inner = int(Path(f"/proc/{init}/root/run/services/{service}.pid").read_text())
        except (OSError, ValueError):
            return None
        return next((one.pid for one in self.processes() if one.inner == inner), None)

    @property
    def libvirtd_pid(self) -> int | None:
        return self.service_pid("libvirtd")

    @property
    def agent_pid(self) -> int | None:
        return self.service_pid("agent")

    def run_agent(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Keep an agent running here, from now on and after each power cycle."""
        self.folder.service("agent", list(argv), environment)
        os.kill(self._needs_power(), signal.SIGHUP)

    def supervise(self, on: bool) -> None:
        """Whether libvirtd and the agent are started again when they fail. On starts what does not run."""
        if not on:
            self.folder.unsupervised.touch()
            return
        self.folder.unsupervised.unlink(missing_ok=True)
        init = self.init
        if init is not None:
            os.kill(init, signal.SIGHUP)

    @property
    def libvirt_answers(self) -> bool:
        """Whether somebody listens at libvirt's socket, and at its port."""
        init = self.init
        if init is None:
            return False
        with socket.socket(socket.AF_UNIX) as local, socket.socket() as remote:
            local.settimeout(1)
            remote.settimeout(1)
            try:
                local.connect(f"/proc/{init}/root/{_LIBVIRT_SOCKET}")
                remote.connect((self.address, 16509))
            except OSError:
                return False
        return True

    def _needs_power(self) -> int:
        init = self.init
        if init is None:
            raise LabError(f"{self.name} is off")
        return init


def _last_line(file: Path) -> str:
    try:
        lines = file.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else f"{file} says nothing"
