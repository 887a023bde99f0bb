"""One round of changes: what a quarter of a second did to the store, as one item for each thing that was touched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, ClassVar, Literal, NamedTuple, Self

from cloudsim.management.identity import visibility
from cloudsim.model import Account, Alert, AsyncJob, Event, Nic, User, VirtualMachine
from cloudsim.store import Change, Row, Store
from server.api.views import View
from server.changes.kinds import has_wholes, is_listed, key_of, wholes

Word = Literal["created", "updated", "removed"]


class ChangeView(View):
    """One thing that has changed: which, how, and what it is called and in which state now."""

    key: ClassVar = "changes"

    type: str | None = None
    id: str | None = None
    change: str | None = None
    name: str | None = None
    state: str | None = None


class Owner(NamedTuple):
    """The account that owns a thing, and its domain."""

    account_id: str
    domain_id: str


class Item(NamedTuple):
    """A thing that changed: its row before (None: created) and after (None: removed), and what is told of it."""

    key: str
    before: Row | None
    after: Row | None
    told: ChangeView

    def worded(self, word: Word) -> ChangeView:
        """What is told to those for whom it appears or disappears."""
        return ChangeView(
            type=self.key, id=self.told.id, change=word, name=self.told.name, state=self.told.state
        )


def told(key: str, row: Row, word: Word) -> ChangeView:
    state = getattr(row, "status" if isinstance(row, AsyncJob) else "state", None)
    return ChangeView(
        type=key, id=row.id, change=word, name=_name(row), state=None if state is None else str(state)
    )


_NAMES: dict[type[Row], Callable[[Any], str | None]] = {
    AsyncJob: attrgetter("command"),
    Event: attrgetter("type"),
    Alert: attrgetter("name"),
    User: attrgetter("username"),
    VirtualMachine: lambda vm: vm.display_name or vm.name,
}


def _name(row: Row) -> str | None:
    of = _NAMES.get(type(row))
    return getattr(row, "name", None) if of is None else of(row)


def _owner(store: Store, row: Row) -> Owner | None:
    """Who owns a row of the kinds that only their owners and the admins above see; None for nobody but the cloud."""
    if isinstance(row, Nic):
        vm = store.table(VirtualMachine).get(row.vm_id)
        return None if vm is None else Owner(vm.account_id, vm.domain_id)
    account_id: str | None = row.account_id  # type: ignore[attr-defined]
    if account_id is None:
        return None
    domain_id: str | None = getattr(row, "domain_id", None)
    if domain_id is None:
        account = store.table(Account).get(account_id)
        domain_id = "" if account is None else account.domain_id
    return Owner(account_id, domain_id)


def _owned(row_type: type[Row]) -> bool:
    """Whether who owns a row of that type decides alone who sees it."""
    if row_type in (Nic, AsyncJob):
        return True
    return "account_id" in row_type.__struct_fields__ and not visibility.has_rule(row_type)


class Round:
    """What changed, and who may be concerned: items by owner, and those whose visibility depends on more."""

    def __init__(self, store: Store, items: list[Item], touched: frozenset[type[Row]]) -> None:
        self.items = items
        self.touched = touched
        self._store = store
        self._by_owner: dict[str, tuple[str, list[Item]]] | None = None
        self._others: dict[str, list[Item]] = {}

    @classmethod
    def of(cls, store: Store, commits: Iterable[list[Change]]) -> Self:
        """The round in which these commits happened, in order."""
        first: dict[str, Row | None] = {}
        last: dict[str, Row | None] = {}
        shown: dict[str, Row] = {}
        plans: dict[type[Row], tuple[bool, bool]] = {}
        for changes in commits:
            for table, before, after in changes:
                plan = plans.get(table.row_type)
                if plan is None:
                    plan = plans[table.row_type] = is_listed(table.row_type), has_wholes(table.row_type)
                listed, in_others = plan
                if listed:  # a SystemVm is not: it has the id of the VirtualMachine that it is part of
                    row_id = (after if after is not None else before).id
                    first.setdefault(row_id, before)
                    last[row_id] = after
                if in_others:
                    for whole in wholes(store, before, after):
                        shown[whole.id] = whole
        items = []
        for row_id, after in last.items():
            before = first[row_id]
            row = after if after is not None else before
            key = None if row is None else key_of(row)
            if row is not None and key is not None:
                word: Word = "created" if before is None else "removed" if after is None else "updated"
                items.append(Item(key, before, after, told(key, row, word)))
        for row_id, row in shown.items():
            if row_id not in last:
                key = key_of(row)
                if key is not None:
                    items.append(Item(key, row, row, told(key, row, "updated")))
        return cls(store, items, frozenset(plans))

    @property
    def by_owner(self) -> dict[str, tuple[str, list[Item]]]:
        """By account, its domain and its items: only the owner, and the admins above, may know of them."""
        if self._by_owner is None:
            self._by_owner = {}
            self._sort()
        return self._by_owner

    @property
    def others(self) -> dict[str, list[Item]]:
        """By key, items that have to be looked at one by one: shared things, and things that changed hands."""
        _ = self.by_owner
        return self._others

    def _sort(self) -> None:
        assert self._by_owner is not None
        for item in self.items:
            row = item.after if item.after is not None else item.before
            assert row is not None
            if not _owned(type(row)):
                self._others.setdefault(item.key, []).append(item)
                continue
            owner = _owner(self._store, row)
            if (
                item.before is not None
                and item.before is not row
                and _owner(self._store, item.before) != owner
            ):
                self._others.setdefault(item.key, []).append(item)
            elif owner is not None:
                self._by_owner.setdefault(owner.account_id, (owner.domain_id, []))[1].append(item)
