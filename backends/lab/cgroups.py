"""Control groups of both versions: a lab has one, a host of it one below, to freeze it and to find its processes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from backends.lab.errors import LabError
from backends.lab.processes import wait_until

log = logging.getLogger(__name__)

_TOP = Path("/sys/fs/cgroup")
_FREEZE_WITHIN = 30.0
_REMOVE_WITHIN = 30.0


class Cgroups:
    """The machine's hierarchies; of version 1 there are several, and each has a folder for every group.

    A path is below the hierarchies' roots, as in "cloudsim-lab/h1". On a machine without cgroups there are no
    hierarchies: groups are then empty, and nothing can be frozen.
    """

    def __init__(self, roots: Iterable[Path], *, unified: bool) -> None:
        self.roots = list(roots)
        self.unified = unified

    @classmethod
    def of_machine(cls, table: str | None = None, top: Path = _TOP) -> Cgroups:
        """What is mounted; `table` is for tests, as /proc/self/mountinfo has it."""
        if (top / "cgroup.controllers").exists():
            return cls([top], unified=True)
        text = Path("/proc/self/mountinfo").read_text() if table is None else table
        roots: list[Path] = []
        for line in text.splitlines():
            before, _, after = line.partition(" - ")
            kind, _, options = after.split(" ", 2)
            if kind == "cgroup" and "name=" not in options:  # named ones are a service manager's own
                roots.append(Path(before.split(" ")[4]))
        return cls(roots, unified=False)

    @property
    def version(self) -> str:
        return "none" if not self.roots else "2" if self.unified else "1"

    def make(self, path: str) -> None:
        """Make the group and those above it. Raises LabError."""
        try:
            for root in self.roots:
                folder = root
                for part in Path(path).parts:
                    if self.unified:
                        _delegate(folder)
                    (folder / part).mkdir(exist_ok=True)
                    folder = folder / part
                    _inherit_cpuset(folder)
        except OSError as error:
            raise LabError(f"cannot make the cgroup {error.filename}: {error.strerror}") from error

    def doors(self, path: str) -> list[Path]:
        """The files into which a process writes its number to enter the group."""
        return [root / path / "cgroup.procs" for root in self.roots]

    def inner(self, path: str) -> str:
        """Where the processes of a host are: in version 2 a group that has groups below has no processes itself."""
        return f"{path}/init" if self.unified else path

    def enter(self, path: str, pid: int) -> None:
        try:
            for door in self.doors(path):
                door.write_text(str(pid))
        except OSError as error:
            raise LabError(f"cannot put process {pid} into the cgroup {path}: {error.strerror}") from error

    def freeze(self, path: str) -> None:
        """Let no process of the group run, nor of those below. Raises LabError if that cannot be had."""
        switch = self._freezer(path)
        try:
            switch.write_text("1" if self.unified else "FROZEN")
        except OSError as error:
            raise LabError(f"cannot freeze the cgroup {path}: {error.strerror}") from error
        if not wait_until(lambda: self.is_frozen(path), _FREEZE_WITHIN):
            self.thaw(path)
            raise LabError(f"the cgroup {path} did not freeze within {_FREEZE_WITHIN:g} s")

    def thaw(self, path: str) -> None:
        """Let all run again, also in groups below that were frozen on their own. Nothing happens without such a group."""
        try:
            top = self._freezer(path)
        except LabError:
            return  # what cannot be frozen needs no thawing
        for switch in sorted(top.parent.rglob(top.name)):
            try:
                switch.write_text("0" if self.unified else "THAWED")
            except OSError as error:
                log.debug("thawing %s: %s", switch, error)

    def is_frozen(self, path: str) -> bool:
        try:
            switch = self._freezer(path)
            if self.unified:
                return "frozen 1" in switch.with_name("cgroup.events").read_text()
            return switch.read_text().strip() == "FROZEN"
        except (OSError, LabError):
            return False

    def _freezer(self, path: str) -> Path:
        for root in self.roots:
            if self.unified:
                return root / path / "cgroup.freeze"
            if "freezer" in root.name.split(","):
                return root / path / "freezer.state"
        raise LabError("this machine has no freezer cgroup, so a host cannot be frozen")

    def existing(self, path: str) -> list[Path]:
        """The folders of the group, in every hierarchy that has it."""
        return [root / path for root in self.roots if (root / path).is_dir()]

    def remove(self, path: str) -> None:
        """Take the group and all below away; its processes must be gone. Raises LabError if one stays."""
        for folder in self.existing(path):
            if not wait_until(lambda folder=folder: _remove(folder), _REMOVE_WITHIN):  # type: ignore[misc]
                raise LabError(f"the cgroup {folder} cannot be removed: processes are in it")


def _remove(folder: Path) -> bool:
    for below, _, _ in os.walk(folder, topdown=False):
        try:
            os.rmdir(below)
        except FileNotFoundError:
            pass
        except OSError:
            return False
    return not folder.exists()


def _inherit_cpuset(folder: Path) -> None:
    """A new cpuset of version 1 allows nothing, and so takes no process, before it has processors and memory nodes."""
    for name in ("cpuset.mems", "cpuset.cpus"):
        file = folder / name
        if file.exists() and not file.read_text().strip() and (folder.parent / name).exists():
            given = (folder.parent / name).read_text().strip()
            if given:
                file.write_text(given)


def _delegate(folder: Path) -> None:
    """Version 2: let groups below have controllers. One that cannot be had is left out: a lab works without."""
    try:
        wanted = (folder / "cgroup.controllers").read_text().split()
        given = (folder / "cgroup.subtree_control").read_text().split()
    except OSError:
        return
    for name in wanted:
        if name not in given:
            try:
                (folder / "cgroup.subtree_control").write_text(f"+{name}")
            except OSError as error:
                log.warning("the controller %s is not given to groups below %s: %s", name, folder, error.strerror)
