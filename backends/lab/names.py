"""What the parts of a lab are called on the machine: each name carries the lab's."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec

from backends.lab.errors import LabError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_NOTES = Path("/run/cloudsim-lab")
_LONGEST_DEVICE = 15
GUEST_DEVICE = "cloudbr0"
"""The bridge of each host that carries management, storage and guest networks."""
PUBLIC_DEVICE = "cloudbr1"
"""The bridge of each host that carries the public network."""


class Names(msgspec.Struct, frozen=True):
    """The names of one lab. Namespaces, cgroups and mounts share a prefix, by which a scan finds them.

    A dot ends the lab's own name, which has none: what is "lab-h1" is not taken for a part of "lab".
    """

    lab: str

    @property
    def mark(self) -> str:
        """The lab's cgroup, and the source of its mounts."""
        return f"cloudsim-{self.lab}"

    @property
    def fabric(self) -> str:
        """The network namespace of the switches."""
        return f"{self.mark}.fabric"

    def host(self, number: int) -> str:
        """The network namespace of a host, and the source of the mounts in it."""
        return f"{self.mark}.{host_name(number)}"

    def is_namespace(self, name: str) -> bool:
        return re.fullmatch(rf"{re.escape(self.mark)}\.(fabric|h\d+)", name) is not None

    def is_mount_source(self, source: str) -> bool:
        return source == self.mark or self.is_namespace(source)

    @property
    def root_link(self) -> str:
        """The link by which the machine itself is on the management network."""
        return self._link("cl")

    @property
    def public_link(self) -> str:
        """The link by which the machine is on the public network."""
        return self._link("cp")

    def _link(self, kind: str) -> str:
        plain = f"{kind}-{self.lab}"
        if len(plain) <= _LONGEST_DEVICE:
            return plain
        return f"{kind}-{hashlib.sha256(self.lab.encode()).hexdigest()}"[:_LONGEST_DEVICE]

    @property
    def note(self) -> Path:
        """A symbolic link to the folder of the lab while it is up; gone after a reboot, as the lab is."""
        return _NOTES / self.lab


def names_of(lab: str) -> Names:
    """Raises LabError for a name that cannot be a part of others."""
    if not _NAME.fullmatch(lab):
        raise LabError(f"{lab!r} cannot be a lab's name: up to 31 letters a-z, digits and dashes, a letter first")
    return Names(lab)


def host_name(number: int) -> str:
    """What a host calls itself."""
    return f"h{number}"


def port(number: int, network: str) -> str:
    """The fabric's end of a host's cable; `network` is mgmt or pub."""
    return f"{network}-{host_name(number)}"
