"""The Store against a naive model: plain dictionaries, copied when a transaction begins."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cloudsim.store import Change, Keys, Row, Store, UniqueViolation


class Machine(Row, frozen=True, kw_only=True):
    keys: ClassVar[Keys] = Keys(
        indexes=("host", ("zone", "host")), unique=("name", ("zone", "slot")), sorted=("size",)
    )

    name: str | None
    zone: str
    host: str | None
    slot: int | None
    size: int | None


class Note(Row, frozen=True, kw_only=True):
    text: str


IDS = st.sampled_from([f"id{n}" for n in range(8)])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from([None, "a", "b", "c", "d", "e"]),
    "zone": st.sampled_from(["z1", "z2"]),
    "host": st.sampled_from([None, "h1", "h2"]),
    "slot": st.sampled_from([None, 1, 2, 3]),
    "size": st.sampled_from([None, 1, 2, 3, 4]),
}


def clashes(row: Machine, others: Sequence[Machine]) -> bool:
    """Whether a second row would have a unique key: what `Machine.keys.unique` says, in words."""
    return any(
        (row.name is not None and row.name == other.name)
        or (row.slot is not None and (row.zone, row.slot) == (other.zone, other.slot))
        for other in others
    )


class StoreAgainstModel(RuleBasedStateMachine):
    """Random writes in random nests of transactions, each of which may commit or abort."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store([Machine, Note])
        self.machines = self.store.table(Machine)
        self.model: dict[str, Machine] = {}
        self.open: list[tuple[Any, dict[str, Machine], set[str]]] = []  # transaction, state at its begin, deleted
        self.order_known = True  # a row whose delete was undone comes back last
        self.replica: dict[str, Machine] = {}
        self.commits = 0
        self.store.subscribe(self.follow)

    def follow(self, changes: list[Change]) -> None:
        assert changes, "an empty commit is not told"
        self.commits += 1
        for table, before, after in changes:
            assert table is self.machines
            assert self.replica.get((before or after).id) == before
            if after is None:
                del self.replica[before.id]
            else:
                self.replica[after.id] = after

    @initialize()
    def begin_first(self) -> None:
        self.begin()

    @precondition(lambda self: len(self.open) < 3)
    @rule()
    def begin(self) -> None:
        transaction = self.store.transaction()
        transaction.__enter__()
        self.open.append((transaction, dict(self.model), set()))

    @precondition(lambda self: self.open)
    @rule()
    def commit(self) -> None:
        transaction, _, deleted = self.open.pop()
        transaction.__exit__(None, None, None)
        if self.open:
            self.open[-1][2].update(deleted)

    @precondition(lambda self: self.open)
    @rule()
    def abort(self) -> None:
        transaction, before, deleted = self.open.pop()
        error = RuntimeError("abort")
        transaction.__exit__(RuntimeError, error, None)
        self.model = before
        if deleted & before.keys():
            self.order_known = False

    @precondition(lambda self: self.open)
    @rule(row=st.builds(Machine, id=IDS, **FIELDS))
    def insert(self, row: Machine) -> None:
        if row.id in self.model or clashes(row, list(self.model.values())):
            with pytest.raises(UniqueViolation):
                self.machines.insert(row)
        else:
            assert self.machines.insert(row) is row
            self.model[row.id] = row

    @precondition(lambda self: self.open)
    @rule(row_id=IDS, fields=st.fixed_dictionaries({}, optional=FIELDS))
    def update(self, row_id: str, fields: dict[str, Any]) -> None:
        before = self.model.get(row_id)
        if before is None:
            with pytest.raises(KeyError):
                self.machines.update(row_id, **fields)
            return
        values = {name: getattr(before, name) for name in FIELDS} | fields
        after = Machine(id=row_id, **values)
        others = [other for other in self.model.values() if other.id != row_id]
        if clashes(after, others):
            with pytest.raises(UniqueViolation):
                self.machines.update(row_id, **fields)
        else:
            assert self.machines.update(row_id, **fields) == after
            self.model[row_id] = after

    @precondition(lambda self: self.open)
    @rule(row_id=IDS)
    def delete(self, row_id: str) -> None:
        if row_id in self.model:
            assert self.machines.delete(row_id) == self.model.pop(row_id)
            self.open[-1][2].add(row_id)
        else:
            with pytest.raises(KeyError):
                self.machines.delete(row_id)

    @invariant()
    def rows_are_those_of_the_model(self) -> None:
        assert {row.id: row for row in self.machines} == self.model
        assert len(self.machines) == len(self.model)
        for row_id in self.model:
            assert row_id in self.machines
            assert self.machines.get(row_id) is self.machines[row_id]
        if self.order_known:
            assert list(self.machines) == list(self.model.values())

    @invariant()
    def every_index_finds_what_a_scan_finds(self) -> None:
        rows = list(self.model.values())
        for host in ("h1", "h2"):
            self.same(self.machines.where("host", host), [r for r in rows if r.host == host])
            assert list(self.machines.ids("host", host)) == [r.id for r in self.machines.where("host", host)]
            for zone in ("z1", "z2"):
                expected = [r for r in rows if (r.zone, r.host) == (zone, host)]
                self.same(self.machines.where(("zone", "host"), (zone, host)), expected)
                assert self.machines.count(("zone", "host"), (zone, host)) == len(expected)
        for name in "abcde":
            assert self.machines.find("name", name) == next((r for r in rows if r.name == name), None)
        for slot in (1, 2, 3):
            expected_row = next((r for r in rows if (r.zone, r.slot) == ("z1", slot)), None)
            assert self.machines.find(("zone", "slot"), ("z1", slot)) == expected_row
        assert self.machines.where("host", None) == []

    def same(self, found: list[Machine], expected: list[Machine]) -> None:
        assert sorted(r.id for r in found) == sorted(r.id for r in expected)
        assert all(r is self.machines[r.id] for r in found)

    @invariant()
    def sorted_and_paged_are_slices_of_the_sorted_model(self) -> None:
        by_size = sorted((r for r in self.model.values() if r.size is not None), key=lambda r: (r.size, r.id))
        for start in (0, 1, 3, 9):
            assert list(self.machines.ordered("size", start=start)) == by_size[start:]
            assert list(self.machines.ordered("size", descending=True, start=start)) == by_size[::-1][start:]
            assert self.machines.page(start, 2) == list(self.machines)[start : start + 2]
            newest = list(reversed(self.machines))[start : start + 2]
            assert self.machines.page(start, 2, newest_first=True) == newest

    @invariant()
    def followers_see_what_is_committed_and_nothing_else(self) -> None:
        assert self.replica == (self.open[0][1] if self.open else self.model)
        assert self.store.sequence == self.commits


TestStoreAgainstModel = StoreAgainstModel.TestCase
TestStoreAgainstModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def machine(row_id: str, **fields: Any) -> Machine:
    return Machine(**({"id": row_id, "name": None, "zone": "z1", "host": None, "slot": None, "size": None} | fields))


def test_a_write_needs_a_transaction() -> None:
    store = Store([Note])
    with pytest.raises(RuntimeError):
        store.table(Note).insert(Note(id="1", text=""))


def test_an_exception_undoes_the_transaction_whole_across_tables() -> None:
    store = Store([Machine, Note])
    told: list[list[Change]] = []
    store.subscribe(told.append)
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.table(Machine).insert(machine("1", name="a"))
        store.table(Note).insert(Note(id="1", text="x"))
        raise ZeroDivisionError
    assert len(store.table(Machine)) == len(store.table(Note)) == 0
    assert store.table(Machine).find("name", "a") is None
    assert told == [] and store.sequence == 0


def test_an_inner_transaction_is_a_savepoint() -> None:
    store = Store([Note])
    notes = store.table(Note)
    told: list[list[Change]] = []
    store.subscribe(told.append)
    with store.transaction():
        notes.insert(Note(id="kept", text="1"))
        with pytest.raises(ZeroDivisionError), store.transaction():
            notes.update("kept", text="2")
            notes.insert(Note(id="dropped", text=""))
            raise ZeroDivisionError
        with store.transaction():
            notes.insert(Note(id="also kept", text=""))
        assert told == []
    assert [n.id for n in notes] == ["kept", "also kept"]
    assert notes["kept"].text == "1"
    assert [[c.after.id for c in changes] for changes in told] == [["kept", "also kept"]]


def test_whoever_holds_a_row_holds_a_snapshot() -> None:
    store = Store([Note])
    with store.transaction():
        old = store.table(Note).insert(Note(id="1", text="old"))
        store.table(Note).update("1", text="new")
    assert old.text == "old"


def test_an_id_never_changes() -> None:
    store = Store([Note])
    with store.transaction():
        store.table(Note).insert(Note(id="1", text=""))
        with pytest.raises(ValueError, match="cannot change"):
            store.table(Note).update("1", id="2")


def test_a_subscription_may_end_while_its_change_is_told() -> None:
    store = Store([Note])
    heard: list[str] = []

    def once(_: list[Change]) -> None:
        heard.append("once")
        end()

    end = store.subscribe(once)
    store.subscribe(lambda _: heard.append("always"))
    for row_id in "12":
        with store.transaction():
            store.table(Note).insert(Note(id=row_id, text=""))
    assert heard == ["once", "always", "always"]


class RefusingJournal:
    """A journal that can keep no row with the text "refuse"."""

    def __init__(self) -> None:
        self.kept: list[int] = []

    def record(self, sequence: int, changes: Sequence[Change]) -> None:
        if any(change.after.text == "refuse" for change in changes):
            raise ValueError
        self.kept.append(sequence)

    async def durable(self, sequence: int) -> None:
        assert self.kept[-1:] == [sequence]


def test_what_the_journal_refuses_did_not_happen() -> None:
    journal = RefusingJournal()
    store = Store([Note], journal)
    told: list[list[Change]] = []
    store.subscribe(told.append)
    for row_id, text in (("1", "fine"), ("2", "refuse"), ("3", "fine")):
        try:
            with store.transaction():
                store.table(Note).insert(Note(id=row_id, text=text))
        except ValueError:
            assert text == "refuse"
    assert [n.id for n in store.table(Note)] == ["1", "3"]
    assert journal.kept == [1, 2] and len(told) == 2
    asyncio.run(store.durable())


def test_rows_are_loaded_only_before_the_first_transaction_and_once() -> None:
    store = Store([Machine])
    store.load([machine("2", host="h1"), machine("1", host="h1")])
    assert [m.id for m in store.table(Machine).where("host", "h1")] == ["2", "1"]
    with pytest.raises(UniqueViolation):
        store.load([machine("1")])
    with store.transaction():
        store.table(Machine).delete("1")
    with pytest.raises(RuntimeError):
        store.load([machine("3")])
