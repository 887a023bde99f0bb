"""What of a lab is on the machine, found without its folder; and how to take all of it away."""

from __future__ import annotations

import subprocess
from contextlib import suppress

import msgspec

from backends.lab.cgroups import Cgroups
from backends.lab.errors import LabError
from backends.lab.fabric import link_exists, namespaces, remove_link, remove_namespace
from backends.lab.names import Names, names_of
from backends.lab.processes import Process, kill, mounts, of_lab, wait_until

_DIE_WITHIN = 60.0
_VANISH_WITHIN = 30.0


class Leftover(msgspec.Struct, frozen=True):
    """`kind` is process, namespace, link, mount, cgroup or note."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.what}"


def leftovers(lab: str) -> list[Leftover]:
    """All that the machine has of the lab of that name; of a lab that is up, what it is made of."""
    names = names_of(lab)
    found = [Leftover("process", f"{one.pid} ({one.name})") for one in _processes(names)]
    found += [Leftover("namespace", name) for name in namespaces() if names.is_namespace(name)]
    found += [Leftover("link", name) for name in (names.root_link, names.public_link) if link_exists(name)]
    found += [Leftover("mount", point) for source, point in mounts() if names.is_mount_source(source)]
    found += [Leftover("cgroup", str(folder)) for folder in Cgroups.of_machine().existing(names.mark)]
    if names.note.is_symlink():
        found.append(Leftover("note", str(names.note)))
    return found


def sweep(lab: str) -> None:
    """Take away all that `leftovers` lists, in whatever state it is. Raises LabError with what would not go."""
    names = names_of(lab)
    cgroups = Cgroups.of_machine()
    wait_until(lambda: not _kill_all(names, cgroups), _DIE_WITHIN)
    remove_link(names.root_link)
    remove_link(names.public_link)
    for name in namespaces():
        if names.is_namespace(name):
            remove_namespace(name)
    for source, point in reversed(mounts()):
        if names.is_mount_source(source):
            subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)
    with suppress(LabError):  # it is told below, with the rest
        cgroups.remove(names.mark)
    names.note.unlink(missing_ok=True)
    # The kernel takes a namespace's devices down a moment after its name.
    if not wait_until(lambda: not leftovers(lab), _VANISH_WITHIN):
        left = leftovers(lab)
        if left:
            raise LabError(f"of lab {lab} there is still: {', '.join(map(str, left))}")


def _processes(names: Names) -> list[Process]:
    return of_lab(names, {inode for name, inode in namespaces().items() if names.is_namespace(name)})


def _kill_all(names: Names, cgroups: Cgroups) -> list[Process]:
    """Kill what there is and answer with it; the frozen die as they thaw."""
    found = _processes(names)
    for one in found:
        kill(one.pid)
    cgroups.thaw(names.mark)
    return found
