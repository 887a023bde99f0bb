"""A lab: a fabric, hosts on it, the storage they share, and the folder in which all of it is kept."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

from backends.lab.cgroups import Cgroups
from backends.lab.errors import LabError
from backends.lab.fabric import Fabric, free_network, networks_in_use, public_network
from backends.lab.host_files import HostFolder, identity
from backends.lab.hosts import LabHost
from backends.lab.leftovers import leftovers, sweep
from backends.lab.names import host_name, names_of
from backends.lab.processes import MARK, of_lab, process
from backends.lab.requirements import check_machine
from backends.lab.running import run, script
from backends.lab.small_pool import MIB, SmallPool
from backends.lab.state import LabState, Phase, address_of, gateway_of, read_state, write_state

MOST_HOSTS = 200
_LOCK = Path("/run/lock/cloudsim-lab")
_MACHINES_CACHE = Path("/var/cache/libvirt")
_KEPT = ("logs",)
"""What `down` leaves in the folder: it tells what happened."""
_OWN = ("hosts", "primary", "secondary", "small", "cloud", *_KEPT)


class Lab:
    """The lab of a folder, whether it is up or not.

    `name` is that of a new lab, or else the last one's; one that is up has its own, and another `name` is refused.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.folder = folder.absolute()
        self.state = read_state(self.folder)
        held = None if self.state is None or self.state.phase is Phase.DOWN else self.state.name
        if held is not None and name is not None and name != held:
            raise LabError(f"{folder} holds lab {held}, not lab {name}")
        self.name = name or ("lab" if self.state is None else self.state.name)
        self.names = names_of(self.name)
        self.cgroups = Cgroups.of_machine()
        self.was_made_here = False
        """Whether `up` of this object has made it, and nothing has taken it down."""

    @classmethod
    def named(cls, name: str) -> Lab:
        """The lab of that name that is up on this machine. Raises LabError."""
        note = names_of(name).note
        try:
            folder = note.readlink()
        except OSError:
            raise LabError(f"no lab {name} is up on this machine") from None
        return cls(folder, name)

    # Where things are

    @property
    def primary(self) -> Path:
        """Disks of instances; the same path on all hosts."""
        return self.folder / "primary"

    @property
    def secondary(self) -> Path:
        """Templates and backups; the same path on all hosts."""
        return self.folder / "secondary"

    @property
    def cloud(self) -> Path:
        """What the management server keeps."""
        return self.folder / "cloud"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def network(self) -> IPv4Network:
        """The management network."""
        return IPv4Network(self._known().network)

    @property
    def public_network(self) -> IPv4Network:
        """The machine is its gateway, and its only user outside of the cloud."""
        return public_network(self.network)

    @property
    def gateway(self) -> str:
        """This machine, on the management network."""
        return str(gateway_of(self.network))

    @property
    def is_up(self) -> bool:
        return self.state is not None and self.state.phase is Phase.UP

    # Up and down

    def up(self, hosts: int = 3) -> None:
        """Make the fabric, and hosts that are on. A lab that was left half-made is taken away first.

        Raises LabError: for a lab that is up already, for what this machine lacks, and for what fails; nothing is left
        then but logs.
        """
        self.check(hosts)
        with _locked():
            self._check_not_up()
            self._clean()
            network = free_network(networks_in_use())
            self.state = LabState(name=self.name, phase=Phase.MAKING, network=str(network), hosts=hosts)
            self._make_folders()
            self._keep()
            try:
                self._make()
            except BaseException:
                self._take_down(keep=False)
                raise
            self.state.phase = Phase.UP
            self._keep()
            self.was_made_here = True

    def check(self, hosts: int) -> None:
        """Whether `up` may be tried. Raises LabError."""
        if not 1 <= hosts <= MOST_HOSTS:
            raise LabError(f"a lab has 1 to {MOST_HOSTS} hosts, not {hosts}")
        check_machine()
        self._check_folder()
        self._check_not_up()

    def down(self, *, keep: bool = False) -> None:
        """Take all away, in whatever state it is: also what a crash left, also what is not there any more.

        `keep`: leave disks and databases in the folder, to look at. The next `up` removes them. Raises LabError for
        what would not go, and when the lab of this name is another folder's.
        """
        with _locked():
            self._take_down(keep=keep)

    def _check_folder(self) -> None:
        """A folder that holds something else is not ours to clear."""
        if self.state is None and self.folder.is_dir() and any(self.folder.iterdir()):
            raise LabError(f"{self.folder} is not empty, and no lab was in it before")

    def _check_not_up(self) -> None:
        holder = self._holder()
        if holder is not None and _phase(holder, self.name) is Phase.UP and leftovers(self.name):
            raise LabError(
                f"lab {self.name} is up already, in {holder}; take it down first, or choose another name and folder"
            )

    def _holder(self) -> Path | None:
        """The folder that has the lab of this name on this machine, be it this one or another."""
        note = self.names.note
        return note.readlink() if note.is_symlink() else None

    def _make_folders(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in _OWN:
                (self.folder / name).mkdir(exist_ok=True)
            self.names.note.parent.mkdir(parents=True, exist_ok=True)
            self.names.note.symlink_to(self.folder)
        except OSError as error:
            raise LabError(f"cannot make {error.filename}: {error.strerror}") from error

    def _make(self) -> None:
        self._mount_small()
        self.fabric.up()
        for host in self.hosts:
            host.power_on()
            if host.number < len(self.hosts):
                host.probe()  # once, and not on all at the same time

    def _mount_small(self) -> None:
        """Where pools of a size of their own come to be; hosts follow what is mounted below."""
        root = SmallPool(self.folder / "small", self.names.mark)
        root.mount(MIB)
        run(f"sharing {root.path}", ["mount", "--make-shared", str(root.path)])

    def _clean(self) -> None:
        if leftovers(self.name):
            sweep(self.name)
        self._remove_folders()

    def _take_down(self, *, keep: bool) -> None:
        holder = self._holder()
        theirs = holder is not None and holder != self.folder and _phase(holder, self.name) is not Phase.DOWN
        if not theirs:
            sweep(self.name)
        elif self.state is None or self.state.phase is Phase.DOWN:
            raise LabError(f"lab {self.name} is not in {self.folder}, but in {holder}")
        self.was_made_here = False
        if self.state is not None:
            if not keep:
                self._remove_folders()
            self.state.phase = Phase.DOWN
            self._keep()

    def _remove_folders(self) -> None:
        for name in _OWN:
            if name not in _KEPT:
                shutil.rmtree(self.folder / name, ignore_errors=True)

    def _keep(self) -> None:
        write_state(self.folder, self._known())

    @property
    def notes(self) -> dict[str, str]:
        """What is remembered by `note`."""
        return dict(self._known().notes)

    def note(self, **notes: str) -> None:
        """Remember something about this lab, until it is down."""
        self._known().notes.update(notes)
        self._keep()

    def _known(self) -> LabState:
        if self.state is None:
            raise LabError(f"no lab is in {self.folder}")
        return self.state

    # What it is made of

    @property
    def fabric(self) -> Fabric:
        return Fabric(self.names, self.network)

    @property
    def hosts(self) -> list[LabHost]:
        return [self.host(number) for number in range(1, self._known().hosts + 1)]

    def host(self, number: int) -> LabHost:
        """Counted from 1. Raises LabError for a number that no host has."""
        state = self._known()
        if not 1 <= number <= state.hosts:
            raise LabError(f"lab {self.name} has hosts 1 to {state.hosts}, and no host {number}")
        network = self.network
        everyone = {host_name(one): str(address_of(network, one)) for one in range(1, state.hosts + 1)}
        name = host_name(number)
        folder = self.folder / "hosts"
        return LabHost(
            number,
            identity(self.name, number, name, everyone[name]),
            HostFolder(folder / name),
            self.logs / name,
            self.fabric,
            self.cgroups,
            everyone,
            [_MACHINES_CACHE, *(folder / other / "cache" for other in everyone if other != name)],
        )

    def small_pool(self, name: str, size: int) -> SmallPool:
        """A folder of `size` bytes that all hosts see at the same path, made if there is none of that name."""
        pool = SmallPool(self.folder / "small" / name, self.names.mark)
        if not pool.is_mounted:
            pool.mount(size)
        return pool

    # Programs on the machine that belong to the lab

    def start(self, name: str, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
        """Start a program that outlives this one, and ends with the lab; its log is in `logs`. Its process's number."""
        group = f"{self.names.mark}/{name}"
        self.cgroups.make(group)
        doors = [str(door) for door in self.cgroups.doors(group)]
        with (self.logs / f"{name}.log").open("ab") as log:
            started = subprocess.Popen(
                [*script("machine-start.sh"), *doors, "--", *argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
                env={**os.environ, **(environment or {}), MARK: self.names.mark},
            )
        self.note(**{f"{name} pid": str(started.pid)})
        return started.pid

    def pid_of(self, name: str) -> int | None:
        """Of a program that `start` started; None if it has ended."""
        noted = self._known().notes.get(f"{name} pid")
        found = None if noted is None else process(int(noted))
        return found.pid if found is not None and self._is_mine(found.pid) else None

    def _is_mine(self, pid: int) -> bool:
        """A number may be another process's by now."""
        return any(one.pid == pid for one in of_lab(self.names, set()))


def sweep_by_name(name: str) -> None:
    """Take away what a lab has on this machine whose folder is not known, or gone. Raises LabError."""
    with _locked():
        sweep(name)


def _phase(folder: Path, name: str) -> Phase:
    """Of the lab of that name in a folder; DOWN where there is none."""
    state = read_state(folder)
    return Phase.DOWN if state is None or state.name != name else state.phase


@contextmanager
def _locked() -> Iterator[None]:
    """One lab at a time is made or taken away, so that no two choose the same network."""
    try:
        _LOCK.parent.mkdir(parents=True, exist_ok=True)
        with _LOCK.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise LabError(f"cannot lock {_LOCK}: {error.strerror}") from error
