"""What a row is called in the API: the key under which list commands answer it, and the commands that list it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from cloudsim.management.operations.tags import TAGGABLE
from cloudsim.model import (
    Host,
    HostHa,
    LoadBalancerMember,
    LoadBalancerRule,
    NetworkPermission,
    Nic,
    OutOfBandManagement,
    ResourceTag,
    RouterHealthCheck,
    SecurityGroup,
    SecurityGroupRule,
    StoragePool,
    SystemVm,
    Template,
    TemplateOnStore,
    VirtualMachine,
    Volume,
    VolumeOnStore,
)
from cloudsim.model import Network as NetworkRow
from cloudsim.store import Row, Store
from server.api.command import COMMANDS, Command

_MACHINES = {
    "User": "virtualmachine",
    "ConsoleProxy": "systemvm",
    "SecondaryStorageVm": "systemvm",
    "DomainRouter": "router",
    "InternalLoadBalancerVm": "internalloadbalancervm",
}
_CHOICES: dict[type[Row], Callable[[Any], str]] = {
    VirtualMachine: lambda vm: _MACHINES[vm.type],
    Template: lambda template: "iso" if template.format == "ISO" else "template",
    LoadBalancerRule: lambda rule: "loadbalancer" if rule.scheme == "Internal" else "loadbalancerrule",
}
"""Row types of which several list commands show a part each."""
_LISTED: dict[str, type[Row]] = {
    "systemvm": VirtualMachine,
    "router": VirtualMachine,
    "internalloadbalancervm": VirtualMachine,
}
"""Keys whose views are declared for another row of the same id."""
_NOT_OWN = frozenset({"listLoadBalancerRuleInstances"})
"""List commands that show, under a key of their own, what another one lists."""


@dataclass(frozen=True)
class Kind:
    """What list commands answer under `key`, from rows of one type."""

    key: str
    row_type: type[Row]
    commands: tuple[Command, ...]


@cache
def kinds() -> dict[str, Kind]:
    """All kinds of things that are told of, by key. The commands have to be loaded."""
    found: dict[str, Kind] = {}
    for command in COMMANDS.values():
        entity = command.view.entity if command.view is not None else None
        if entity is None or not command.name.startswith("list") or command.name in _NOT_OWN:
            continue
        known = found.get(command.key)
        commands = (command,) if known is None else (*known.commands, command)
        found[command.key] = Kind(command.key, _LISTED.get(command.key, entity), commands)
    return found


def _always(key: str) -> Callable[[Any], str]:
    return lambda row: key


@cache
def _keys() -> dict[type[Row], Callable[[Any], str]]:
    by_type: dict[type[Row], list[str]] = {}
    for kind in kinds().values():
        by_type.setdefault(kind.row_type, []).append(kind.key)
    keys: dict[type[Row], Callable[[Any], str]] = dict(_CHOICES)
    for row_type, named in by_type.items():
        if row_type not in keys:
            (key,) = named
            keys[row_type] = _always(key)
    return keys


def is_listed(row_type: type[Row]) -> bool:
    """Whether list commands show rows of that type as things of their own."""
    return row_type in _keys()


def key_of(row: Row) -> str | None:
    """The key under which a list command answers that row; None for what no command lists by itself."""
    key = _keys().get(type(row))
    return None if key is None else key(row)


class Part(NamedTuple):
    """Rows that show in the view of another: `whole` is its type, `field` has its id.

    `counts`: only a change of these fields shows there, such as the capacity that an instance takes of its host.
    """

    whole: type[Row]
    field: str
    counts: tuple[str, ...] = ()


_PARTS: dict[type[Row], tuple[Part, ...]] = {
    SystemVm: (Part(VirtualMachine, "id"),),
    Nic: (Part(VirtualMachine, "vm_id"),),
    RouterHealthCheck: (Part(VirtualMachine, "router_id"),),
    VirtualMachine: (Part(Host, "host_id", ("host_id", "cpus", "cpu_mhz", "memory_mib", "gpu_devices")),),
    Volume: (Part(StoragePool, "pool_id", ("pool_id", "size", "state")),),
    TemplateOnStore: (Part(Template, "template_id"),),
    VolumeOnStore: (Part(Volume, "volume_id"),),
    LoadBalancerMember: (Part(LoadBalancerRule, "rule_id"),),
    SecurityGroupRule: (Part(SecurityGroup, "group_id"),),
    NetworkPermission: (Part(NetworkRow, "network_id"),),
    OutOfBandManagement: (Part(Host, "host_id"),),
    HostHa: (Part(Host, "host_id"),),
}


def wholes(store: Store, before: Row | None, after: Row | None) -> list[Row]:
    """The rows in whose views a change of another row shows, as they are now."""
    row = after if after is not None else before
    assert row is not None
    found: list[Row] = []
    if isinstance(row, ResourceTag):
        tagged = TAGGABLE.get(row.resource_type)
        whole = None if tagged is None else store.table(tagged).get(row.resource_id)
        return [] if whole is None else [whole]
    for part in _PARTS.get(type(row), ()):
        if part.counts and before is not None and after is not None and not _differ(part, before, after):
            continue
        ids = {getattr(each, part.field) for each in (before, after) if each is not None}
        table = store.table(part.whole)
        found += [whole for each in ids if each is not None and (whole := table.get(each)) is not None]
    return found


def has_wholes(row_type: type[Row]) -> bool:
    """Whether rows of that type show in the views of others."""
    return row_type in _PARTS or row_type is ResourceTag


def _differ(part: Part, before: Row, after: Row) -> bool:
    return any(getattr(before, field) != getattr(after, field) for field in part.counts)
