"""The kinds of resources that limits hold for, and the settings of their default limits."""

from __future__ import annotations

from typing import Literal, NamedTuple

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.configuration_key import ConfigurationKey

UNLIMITED = -1
GIB = 1 << 30

Kind = Literal[
    "user_vm",
    "public_ip",
    "volume",
    "snapshot",
    "template",
    "project",
    "network",
    "vpc",
    "cpu",
    "memory",
    "primary_storage",
    "secondary_storage",
    "backup",
    "backup_storage",
    "gpu",
]


class ResourceType(NamedTuple):
    """A limited kind of resource. `unit` is what limits count; `key` the middle of its setting's name."""

    number: int
    name: Kind
    label: str
    unit: int
    key: str
    account: int
    domain: int


TYPES: tuple[ResourceType, ...] = (
    ResourceType(0, "user_vm", "instances", 1, "user.vms", 20, 40),
    ResourceType(1, "public_ip", "public addresses", 1, "public.ips", 20, 40),
    ResourceType(2, "volume", "volumes", 1, "volumes", 20, 40),
    ResourceType(3, "snapshot", "snapshots", 1, "snapshots", 20, 40),
    ResourceType(4, "template", "templates", 1, "templates", 20, 40),
    ResourceType(5, "project", "projects", 1, "projects", 10, 50),
    ResourceType(6, "network", "networks", 1, "networks", 20, 40),
    ResourceType(7, "vpc", "VPCs", 1, "vpcs", 20, 40),
    ResourceType(8, "cpu", "CPU cores", 1, "cpus", 40, 80),
    ResourceType(9, "memory", "MiB of memory", 1, "memory", 40_960, 81_920),
    ResourceType(10, "primary_storage", "GiB of primary storage", GIB, "primary.storage", 200, 400),
    ResourceType(11, "secondary_storage", "GiB of secondary storage", GIB, "secondary.storage", 400, 800),
    ResourceType(12, "backup", "backups", 1, "backups", 20, 40),
    ResourceType(13, "backup_storage", "GiB of backup storage", GIB, "backup.storage", 400, 800),
    ResourceType(16, "gpu", "GPUs", 1, "gpus", 20, 20),
)
"""By CloudStack's numbers; 14 and 15 are of buckets, which there are none of.

Counters and `check` count bytes of storage; limits are in GiB of it.
"""
BY_NAME: dict[str, ResourceType] = {each.name: each for each in TYPES}
_BY_NUMBER: dict[int, ResourceType] = {each.number: each for each in TYPES}

LIMIT_KEYS: tuple[ConfigurationKey, ...] = tuple(
    ConfigurationKey(
        f"max.{owner}.{each.key}",
        str(each.domain if owner == "domain" else each.account),
        "integer",
        f"How many {each.label} a{'n' if owner == 'account' else ''} {owner} may have unless it has a limit of its own; "
        "-1 for no limit",
        "Advanced",
        (),
        -1,
    )
    for owner in ("account", "project", "domain")
    for each in TYPES
)
"""The settings of default limits."""


def resource_type(number: int | None, name: str | None = None) -> ResourceType | None:
    """The type of that number or name; None when neither is given. InvalidParameterValue for an unknown one."""
    if number is not None:
        numbered = _BY_NUMBER.get(number)
        if numbered is None:
            raise InvalidParameterValue(
                f"There is no resource type {number}; there are {', '.join(map(str, _BY_NUMBER))}"
            )
        return numbered
    if name is not None:
        found = BY_NAME.get(name.lower())
        if found is None:
            raise InvalidParameterValue(f"There is no resource type {name}; there are {', '.join(BY_NAME)}")
        return found
    return None
