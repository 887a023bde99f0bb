"""Where the cloud's state is kept: tables of immutable typed rows, with indexes and transactions.

All logic reads the state here, in memory. A write replaces a row, so that whoever holds an older row
holds a consistent snapshot. A transaction has no `await` in it: it happens between two instants, is
undone whole when it raises, and at its end hands its changes, in order, to the feed's subscribers
and to the journal. A journal makes them durable; `await store.durable()` returns when everything
committed so far is. Without a journal (experiments) it returns at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from types import TracebackType
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar, cast

import msgspec
from sortedcontainers import SortedList

from cloudsim.errors import InvalidParameterValue


class Keys(NamedTuple):
    """How a row type is found: fields, or tuples of fields.

    `indexes` find many rows by equality, `unique` at most one, `sorted` list rows in a field's order.
    A row whose indexed field is None (or, for a tuple, has a None in it) is not in that index.
    """

    indexes: tuple[str | tuple[str, ...], ...] = ()
    unique: tuple[str | tuple[str, ...], ...] = ()
    sorted: tuple[str, ...] = ()


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing that exists, under a UUID. Subclasses say with `keys` how they are found.

    A row holds values only, so none is in a cycle, and the collector of cycles need not look at them.
    """

    keys: ClassVar[Keys] = Keys()

    id: str


R = TypeVar("R", bound=Row)


class Change(NamedTuple):
    """What a transaction did to one row: `before` is None for an insert, `after` for a delete."""

    table: Table[Any]
    before: Any
    after: Any


class Journal(Protocol):
    """What makes commits durable; see `server.database`."""

    def record(self, sequence: int, changes: Sequence[Change]) -> None:
        """Take the changes of commit `sequence`; called in commit order, must not block.

        What it raises, for changes that cannot be kept, undoes the transaction.
        """

    async def durable(self, sequence: int) -> None:
        """Return once commit `sequence` and all before it would survive a crash; raise if they can't."""


class UniqueViolation(InvalidParameterValue):
    """A second row with a key that must be unique."""


class _Index:
    """Key extraction shared by the three kinds of index."""

    __slots__ = ("fields", "key", "name")

    def __init__(self, name: str | tuple[str, ...]) -> None:
        self.name = name
        self.fields = (name,) if isinstance(name, str) else name
        values = attrgetter(*self.fields)

        def whole(row: Row) -> Any:
            found = values(row)
            return None if None in found else found

        self.key: Callable[[Row], Any] = values if len(self.fields) == 1 else whole


class _HashIndex(_Index):
    __slots__ = ("buckets",)

    def __init__(self, name: str | tuple[str, ...]) -> None:
        super().__init__(name)
        self.buckets: dict[Any, dict[str, None]] = {}

    def add(self, key: Any, row_id: str) -> None:
        bucket = self.buckets.get(key)
        if bucket is None:
            self.buckets[key] = {row_id: None}
        else:
            bucket[row_id] = None

    def discard(self, key: Any, row_id: str) -> None:
        bucket = self.buckets[key]
        del bucket[row_id]
        if not bucket:
            del self.buckets[key]


class _UniqueIndex(_Index):
    __slots__ = ("ids",)

    def __init__(self, name: str | tuple[str, ...]) -> None:
        super().__init__(name)
        self.ids: dict[Any, str] = {}

    def add(self, key: Any, row_id: str) -> None:
        self.ids[key] = row_id

    def discard(self, key: Any, row_id: str) -> None:
        del self.ids[key]


class _SortedIndex(_Index):
    __slots__ = ("order",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.order: Any = SortedList()

    def add(self, key: Any, row_id: str) -> None:
        self.order.add((key, row_id))

    def discard(self, key: Any, row_id: str) -> None:
        self.order.remove((key, row_id))


class Table(Generic[R]):
    """All rows of one type. Iterates in insertion order. Writes need an open transaction."""

    def __init__(self, store: Store, row_type: type[R]) -> None:
        self.store = store
        self.row_type = row_type
        self.name = row_type.__name__
        self._rows: dict[str, R] = {}
        self._subscribers: tuple[Callable[[list[Change]], None], ...] = ()
        keys = row_type.keys
        self._hash = {name: _HashIndex(name) for name in keys.indexes}
        self._unique = {name: _UniqueIndex(name) for name in keys.unique}
        self._sorted = {name: _SortedIndex(name) for name in keys.sorted}
        self._all: tuple[_HashIndex | _UniqueIndex | _SortedIndex, ...] = (
            *self._hash.values(),
            *self._unique.values(),
            *self._sorted.values(),
        )
        self._by_field: dict[str, tuple[_HashIndex | _UniqueIndex | _SortedIndex, ...]] = {}
        for index in self._all:
            for field in index.fields:
                self._by_field[field] = (*self._by_field.get(field, ()), index)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows.values())

    def __reversed__(self) -> Iterator[R]:
        return reversed(self._rows.values())

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._rows

    def __getitem__(self, row_id: str) -> R:
        """The row, or KeyError: for ids that the caller knows to exist."""
        return self._rows[row_id]

    def get(self, row_id: str | None) -> R | None:
        return self._rows.get(row_id)  # type: ignore[arg-type]

    def find(self, index: str | tuple[str, ...], key: Any) -> R | None:
        """The one row whose unique `index` has `key`."""
        row_id = self._unique[index].ids.get(key)
        return None if row_id is None else self._rows[row_id]

    def where(self, index: str | tuple[str, ...], key: Any) -> list[R]:
        """The rows whose `index` has `key`, in the order in which they got it."""
        bucket = self._hash[index].buckets.get(key)
        if bucket is None:
            return []
        rows = self._rows
        return [rows[row_id] for row_id in bucket]

    def ids(self, index: str | tuple[str, ...], key: Any) -> Iterable[str]:
        """As `where`, ids only and without a copy: valid until the next write."""
        return self._hash[index].buckets.get(key, {})

    def count(self, index: str | tuple[str, ...], key: Any) -> int:
        return len(self._hash[index].buckets.get(key, ()))

    def ordered(self, index: str, *, descending: bool = False, start: int = 0) -> Iterator[R]:
        """Rows in the order of the sorted field `index` (ties by id), from the `start`-th on."""
        order = self._sorted[index].order
        if descending:
            pairs: Iterable[tuple[Any, str]] = order.islice(0, max(len(order) - start, 0), reverse=True)
        else:
            pairs = order.islice(start)
        rows = self._rows
        return (rows[row_id] for _, row_id in pairs)

    def page(self, start: int, size: int, *, newest_first: bool = False) -> list[R]:
        """Rows `start` to `start + size` in insertion order or its reverse, found from the nearer end."""
        total = len(self._rows)
        first, end = min(start, total), min(start + size, total)
        if newest_first:
            first, end = total - end, total - first
        if first <= total - end:
            rows = list(islice(self._rows.values(), first, end))
            return rows[::-1] if newest_first else rows
        rows = list(islice(reversed(self._rows.values()), total - end, total - first))
        return rows if newest_first else rows[::-1]

    def insert(self, row: R) -> R:
        """Add a row. Raises UniqueViolation, changing nothing, when a unique key is taken."""
        changes = self.store._writing()
        if row.id in self._rows:
            raise UniqueViolation(f"{self.name} {row.id} exists already")
        for unique in self._unique.values():
            key = unique.key(row)
            if key is not None and key in unique.ids:
                raise UniqueViolation(f"a {self.name} with {_key_text(unique, key)} exists already")
        self._put(row)
        changes.append(Change(self, None, row))
        return row

    def update(self, row_id: str, **fields: Any) -> R:
        """Replace the row by one with `fields` changed; returns the new row. KeyError if there is none."""
        changes = self.store._writing()
        if "id" in fields:
            raise ValueError(f"the id of {self.name} {row_id} cannot change")
        before = self._rows[row_id]
        after = msgspec.structs.replace(before, **fields)
        moves = []
        for field in fields:
            for index in self._by_field.get(field, ()):
                old, new = index.key(before), index.key(after)
                if old != new:
                    if (
                        isinstance(index, _UniqueIndex)
                        and new is not None
                        and new in index.ids
                        and (index.ids[new] != row_id)
                    ):
                        raise UniqueViolation(f"a {self.name} with {_key_text(index, new)} exists already")
                    moves.append((index, old, new))
        if len(moves) > 1:  # a composite index is met once for each of its changed fields
            moves = list({id(move[0]): move for move in moves}.values())
        for index, old, new in moves:
            if old is not None:
                index.discard(old, row_id)
            if new is not None:
                index.add(new, row_id)
        self._rows[row_id] = after
        changes.append(Change(self, before, after))
        return after

    def delete(self, row_id: str) -> R:
        """Remove the row and return it. KeyError if there is none."""
        changes = self.store._writing()
        row = self._rows[row_id]
        self._drop(row)
        changes.append(Change(self, row, None))
        return row

    def _put(self, row: R) -> None:
        self._rows[row.id] = row
        for index in self._all:
            key = index.key(row)
            if key is not None:
                index.add(key, row.id)

    def _restore(self, before: R | None, after: R | None) -> None:
        """Undo one change. Rows keep their place in the table, but a deleted one comes back last."""
        if before is None or after is None:
            if after is not None:
                self._drop(after)
            if before is not None:
                self._put(before)
            return
        for index in self._all:
            old, new = index.key(after), index.key(before)
            if old != new:
                if old is not None:
                    index.discard(old, before.id)
                if new is not None:
                    index.add(new, before.id)
        self._rows[before.id] = before

    def _drop(self, row: R) -> None:
        del self._rows[row.id]
        for index in self._all:
            key = index.key(row)
            if key is not None:
                index.discard(key, row.id)


def _key_text(index: _Index, key: Any) -> str:
    values = key if isinstance(key, tuple) else (key,)
    return ", ".join(f"{f} {v}" for f, v in zip(index.fields, values, strict=True))


class _Transaction:
    __slots__ = ("store",)

    def __init__(self, store: Store) -> None:
        self.store = store

    def __enter__(self) -> Store:
        self.store._begin()
        return self.store

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.store._commit()
        else:
            self.store._rollback()


class Store:
    """The tables of one cloud.

    `with store.transaction():` groups writes. An exception that leaves it undoes them all; an inner one
    undoes its own and commits with the outermost. `sequence` counts commits that changed something.
    """

    def __init__(self, row_types: Iterable[type[Row]], journal: Journal | None = None) -> None:
        self.tables: dict[str, Table[Any]] = {t.__name__: Table(self, t) for t in row_types}
        self._by_type: dict[type[Row], Table[Any]] = {t.row_type: t for t in self.tables.values()}
        self.sequence = 0
        self.journal = journal
        self._subscribers: list[Callable[[list[Change]], None]] = []
        self._marks: list[int] = []  # where each open transaction's changes begin
        self._changes: list[Change] = []
        self._transaction = _Transaction(self)

    def table(self, row_type: type[R]) -> Table[R]:
        return cast("Table[R]", self._by_type[row_type])

    def transaction(self) -> _Transaction:
        return self._transaction

    def subscribe(
        self, subscriber: Callable[[list[Change]], None], *row_types: type[Row]
    ) -> Callable[[], None]:
        """Call `subscriber(changes)` after every commit; returns what ends the subscription.

        With `row_types` it hears of changes to those only. A subscriber may read the store but not write to it.
        """
        # always new lists: a subscription may end while the subscribers are called
        tables = [self.table(row_type) for row_type in row_types]
        for table in tables:
            table._subscribers = (*table._subscribers, subscriber)
        if not tables:
            self._subscribers = [*self._subscribers, subscriber]

        def end() -> None:
            for table in tables:
                table._subscribers = tuple(s for s in table._subscribers if s is not subscriber)
            self._subscribers = [s for s in self._subscribers if s is not subscriber]

        return end

    def unsubscribe_all(self) -> None:
        """End all subscriptions: whoever kept account of this store's changes is gone."""
        self._subscribers = []
        for table in self.tables.values():
            table._subscribers = ()

    async def durable(self) -> None:
        """Wait until everything committed so far would survive a crash."""
        if self.journal is not None:
            await self.journal.durable(self.sequence)

    def load(self, rows: Iterable[Row]) -> None:
        """Put rows that are durable already, without feed or journal. Only before the first commit."""
        if self.sequence or self._marks:
            raise RuntimeError("rows are loaded before the first transaction")
        for row in rows:
            table = self._by_type[type(row)]
            if row.id in table:
                raise UniqueViolation(f"{table.name} {row.id} is loaded twice")
            table._put(row)

    def _writing(self) -> list[Change]:
        if not self._marks:
            raise RuntimeError("a write needs an open transaction")
        return self._changes

    def _begin(self) -> None:
        self._marks.append(len(self._changes))

    def _commit(self) -> None:
        if len(self._marks) > 1 or not self._changes:
            self._marks.pop()
            return
        if self.journal is not None:
            try:
                self.journal.record(self.sequence + 1, self._changes)
            except BaseException:
                self._rollback()
                raise
        self._marks.pop()
        changes, self._changes = self._changes, []
        self.sequence += 1
        if len(changes) == 1:
            for subscriber in changes[0].table._subscribers:
                subscriber(changes)
        else:
            concerned: dict[Callable[[list[Change]], None], list[Change]] = {}
            for change in changes:
                for subscriber in change.table._subscribers:
                    concerned.setdefault(subscriber, []).append(change)
            for subscriber, its in concerned.items():
                subscriber(its)
        for subscriber in self._subscribers:
            subscriber(changes)

    def _rollback(self) -> None:
        mark = self._marks.pop()
        for table, before, after in reversed(self._changes[mark:]):
            table._restore(before, after)
        del self._changes[mark:]
