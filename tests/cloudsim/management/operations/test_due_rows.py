"""Rows that are due come once each time, in their order, whatever was changed, added or removed meanwhile."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.due_rows import DueRows
from cloudsim.model import ROW_TYPES
from cloudsim.randomness import Randomness
from cloudsim.store import Keys, Row, Store


class Chore(Row, frozen=True, kw_only=True):
    keys: ClassVar[Keys] = Keys()

    at: float | None = None
    asleep: bool = False


times = st.none() | st.integers(0, 20).map(float)
changes = st.tuples(st.sampled_from("abcde"), st.sampled_from(["put", "sleep", "remove"]), times)
steps = st.lists(st.lists(changes, max_size=5), min_size=1, max_size=6)


@given(steps, st.lists(st.tuples(st.sampled_from("abcde"), times), unique_by=lambda pair: pair[0]))
def test_what_is_taken_is_what_a_look_at_every_row_would_find(
    story: list[list[tuple[str, str, float | None]]], before: list[tuple[str, float | None]]
) -> None:
    time = 0.0
    store = Store([*ROW_TYPES, Chore])
    foundation = Foundation(store, Randomness(1), lambda: time)
    table = store.table(Chore)
    with store.transaction():
        for name, at in before:
            table.insert(Chore(id=name, at=at))
    due = DueRows(foundation, Chore, lambda row: None if row.asleep else row.at)
    for group in story:
        time += 4.0
        with store.transaction():
            for name, what, at in group:
                if what == "remove" and name in table:
                    table.delete(name)
                elif what != "remove" and name in table:
                    table.update(name, at=at, asleep=what == "sleep")
                elif what == "put":
                    table.insert(Chore(id=name, at=at))
        expected = sorted(
            (row.at, row.id) for row in table if row.at is not None and not row.asleep and row.at <= time
        )
        taken = []
        for at, row in due.take():
            taken.append((at, row.id))
            with store.transaction():
                table.update(row.id, at=at + 100.0)
        assert taken == expected
