"""What every management service stands on: state, time, chance, settings, events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cloudsim.management.operations.events import Events
from cloudsim.management.operations.settings import Settings
from cloudsim.randomness import Randomness
from cloudsim.store import Row, Store, Table

R = TypeVar("R", bound=Row)


class Foundation:
    """One for each management server. `now()` is the world's time in Unix seconds."""

    def __init__(self, store: Store, randomness: Randomness, now: Callable[[], float]) -> None:
        self.store = store
        self.randomness = randomness
        self.now = now
        self.settings = Settings(store, randomness, now)
        self.events = Events(store, randomness, now)
        self.uuid = randomness.uuid

    def table(self, row_type: type[R]) -> Table[R]:
        return self.store.table(row_type)
