"""What was acknowledged to somebody, to be compared with what is still so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cloudsim.invariants.scene import Violation
from cloudsim.store import Row, Store


class Fact(NamedTuple):
    """A row of which something was acknowledged.

    `fields` are the values each may have, or nothing where the row must merely exist. `may_be_gone`: it may have been
    removed as well; `gone`: it must have been.
    """

    table: type[Row]
    row_id: str
    fields: tuple[tuple[str, tuple[object, ...]], ...] = ()
    may_be_gone: bool = False
    gone: bool = False

    def broken(self, store: Store) -> str | None:
        """How the store contradicts it; None if it does not."""
        row = store.table(self.table).get(self.row_id)
        what = f"{self.table.__name__} {self.row_id}"
        if row is None:
            return None if self.gone or self.may_be_gone else f"{what} is gone"
        if self.gone:
            return f"{what} is back"
        for name, allowed in self.fields:
            if getattr(row, name) not in allowed:
                return f"{what} has {name} {getattr(row, name)!r}, acknowledged was {allowed}"
        return None


class Ledger:
    """The latest acknowledged fact of each row.

    Whoever is about to change a row calls `open`, from when on nothing is certain of it; the number that it returns
    settles the matter, unless another change was begun meanwhile.
    """

    def __init__(self) -> None:
        self.facts: dict[str, Fact] = {}
        self._open: dict[str, int] = {}
        self._count = 0

    def open(self, row_id: str) -> int:
        """A change to the row begins."""
        self._count += 1
        self._open[row_id] = self._count
        self.facts.pop(row_id, None)
        return self._count

    def acknowledge(self, number: int, fact: Fact) -> None:
        """The change that `open` gave that number was acknowledged, and this is so now."""
        if self._open.get(fact.row_id) == number:
            self.facts[fact.row_id] = fact

    def check(self, store: Store) -> Iterator[Violation]:
        """Every acknowledged change that is not there any more."""
        for fact in self.facts.values():
            text = fact.broken(store)
            if text is not None:
                yield Violation("acknowledged is kept", text)
