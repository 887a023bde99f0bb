"""Details of resources: keys and values that operators add, and whether the resources' owners see them.

A resource whose row has `details` of its own keeps them there, where they have their effect: those of an instance or
a template are what its guest is started with. Others' are rows of ResourceDetail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller
from cloudsim.management.operations.tags import TAGGABLE
from cloudsim.model import (
    GuestOs,
    HealthCheckPolicy,
    RemoteAccessVpn,
    ResourceDetail,
    StickinessPolicy,
    Template,
)
from cloudsim.store import Row, Store

DETAILED: dict[str, type[Row]] = TAGGABLE | {
    "GuestOs": GuestOs,
    "RemoteAccessVpn": RemoteAccessVpn,
    "LBStickinessPolicy": StickinessPolicy,
    "LBHealthCheckPolicy": HealthCheckPolicy,
}
"""What can have details: the name on the wire, and the row type."""


EXTERNAL = "external."
"""How details begin that are for the program of an extension, and that only root admins see."""


@dataclass(frozen=True)
class Detail:
    """One detail of a resource."""

    resource_type: str
    resource: Any
    key: str
    value: str
    display: bool


def detailed(name: str) -> tuple[str, type[Row]]:
    """The type of that name, in any case of letters. InvalidParameterValue for another."""
    for spelled, row_type in DETAILED.items():
        if spelled.lower() == name.lower():
            return spelled, row_type
    raise InvalidParameterValue(
        f"resourcetype: resources of type {name!r} have no details; these have: {', '.join(sorted(DETAILED))}"
    )


def keeps_own(row_type: type[Row]) -> bool:
    """Whether rows of that type have `details` of their own."""
    return "details" in row_type.__struct_fields__


def hidden(store: Store, resource_id: str) -> frozenset[str]:
    """The keys of a resource's details that only root admins see."""
    table = store.table(ResourceDetail)
    if not table.count("resource_id", resource_id):
        return frozenset()
    return frozenset(each.key for each in table.where("resource_id", resource_id) if not each.display)


def shown(store: Store, caller: Caller, row: Any) -> dict[str, str]:
    """Those of a row's own details that the caller may see."""
    details: dict[str, str] = row.details
    if caller.is_root_admin or not details:
        return details
    secret = hidden(store, row.id)
    return {
        key: value for key, value in details.items() if key not in secret and not key.startswith(EXTERNAL)
    }


class ResourceDetails:
    """Adds, finds and removes details. `fixed` says of row types which keys are decided elsewhere, as by the offering."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(ResourceDetail)
        self._randomness = foundation.randomness.branch("details")
        self.fixed: dict[type[Row], Callable[[str], bool]] = {}

    def resource(self, type_name: str, resource_id: str) -> Row:
        """The resource of that type and id. InvalidParameterValue if there is none."""
        name, row_type = detailed(type_name)
        row = self._foundation.table(row_type).get(resource_id)
        if row is None or (isinstance(row, Template) and (row.format == "ISO") != (name == "ISO")):
            raise InvalidParameterValue(f"resourceid: there is no {name} with id {resource_id}")
        return row

    def check_add(self, resource: Row, details: Mapping[str, str]) -> None:
        """Raise InvalidParameterValue for what the resource cannot have."""
        if not details:
            raise InvalidParameterValue("details: expected keys and values, got none")
        if any(not key for key in details):
            raise InvalidParameterValue("details: a detail needs a key")
        for key in details:
            if self._is_fixed(resource, key):
                raise InvalidParameterValue(f"details: {key} is not changed as a detail")

    def _is_fixed(self, resource: Row, key: str) -> bool:
        fixed = self.fixed.get(type(resource))
        return fixed is not None and fixed(key)

    def add(self, type_name: str, resource: Row, details: Mapping[str, str], *, display: bool = True) -> None:
        """Give a resource these details, in the place of what it has by these keys."""
        self.check_add(resource, details)
        name, row_type = detailed(type_name)
        own = keeps_own(row_type)
        with self._store.transaction():
            if own:
                self._keep(resource, lambda kept: kept | dict(details))
            for key, value in details.items():
                row = self._table.find(("resource_id", "key"), (resource.id, key))
                if row is not None:
                    self._table.delete(row.id)
                if not own or not display:
                    self._table.insert(
                        ResourceDetail(
                            id=self._randomness.uuid(),
                            resource_type=name,
                            resource_id=resource.id,
                            key=key,
                            value=None if own else value,
                            display=display,
                        )
                    )

    def check_remove(self, resource: Row, key: str | None) -> None:
        """Raise InvalidParameterValue unless the resource has a detail of that key that can go."""
        if key is None:
            return
        kept = getattr(resource, "details", {}) if keeps_own(type(resource)) else {}
        if self._is_fixed(resource, key):
            raise InvalidParameterValue(f"key: {key} is not changed as a detail")
        if key not in kept and self._table.find(("resource_id", "key"), (resource.id, key)) is None:
            raise InvalidParameterValue(f"key: resource {resource.id} has no detail {key}")

    def remove(self, resource: Row, key: str | None) -> None:
        """Take one detail off a resource, or all that can go."""
        self.check_remove(resource, key)
        going = (lambda each: not self._is_fixed(resource, each)) if key is None else key.__eq__
        with self._store.transaction():
            if keeps_own(type(resource)):
                self._keep(resource, lambda kept: {k: v for k, v in kept.items() if not going(k)})
            for row in self._table.where("resource_id", resource.id):
                if going(row.key):
                    self._table.delete(row.id)

    def _keep(self, resource: Row, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        table = self._foundation.table(type(resource))
        kept: dict[str, str] = table[resource.id].details  # type: ignore[attr-defined]
        table.update(resource.id, details=change(kept))

    def of(self, caller: Caller, type_name: str, resource: Row) -> list[Detail]:
        """The details of a resource that the caller may see; those that are decided elsewhere are told there."""
        name, _ = detailed(type_name)
        rows = {row.key: row for row in self._table.where("resource_id", resource.id)}
        own: dict[str, str] = getattr(resource, "details", None) or {}
        found = [
            Detail(
                name,
                resource,
                key,
                value,
                rows[key].display if key in rows else not key.startswith(EXTERNAL),
            )
            for key, value in own.items()
            if not self._is_fixed(resource, key)
        ]
        found += [
            Detail(name, resource, row.key, row.value, row.display)
            for row in rows.values()
            if row.value is not None
        ]
        return [each for each in found if each.display or caller.is_root_admin]

    def resources(self, caller: Caller, type_name: str, owners: Iterable[str] | None) -> list[Row]:
        """The resources of a type that may have details: of those accounts, or of all (None), that the caller may see."""
        name, row_type = detailed(type_name)
        table: Any = self._foundation.table(row_type)
        fields = row_type.__struct_fields__
        if owners is not None and "account_id" in row_type.keys.indexes:
            rows = [row for owner in owners for row in table.where("account_id", owner)]
        elif "details" in fields:
            rows = list(table)
        else:
            ids = dict.fromkeys(each.resource_id for each in self._table.where("resource_type", name))
            rows = [row for row in map(table.get, ids) if row is not None]
        if owners is not None and "account_id" in fields:
            wanted = frozenset(owners)
            rows = [row for row in rows if row.account_id in wanted]
        if name in ("ISO", "Template"):
            rows = [row for row in rows if (row.format == "ISO") == (name == "ISO")]
        return [row for row in rows if visibility.may(self._store, caller, row, operate=False)]
