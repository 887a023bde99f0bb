"""Configuration keys: their defaults, scopes and values in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.configuration_keys import KEYS
from cloudsim.management.operations.configuration_keys import ConfigurationKey as ConfigurationKey
from cloudsim.model import Configuration
from cloudsim.randomness import Randomness
from cloudsim.store import Change, Store

Scope = Literal["Global", "Zone", "Cluster", "StoragePool", "Account", "Domain", "ImageStore"]


class Settings:
    """The values in force: what is set for a scope, else globally, else the key's default."""

    def __init__(self, store: Store, randomness: Randomness, now: Callable[[], float]) -> None:
        self._store = store
        self._table = store.table(Configuration)
        self._randomness = randomness.branch("settings")
        self._now = now
        self._cache: dict[tuple[str, str, str], str] = {}
        self._numbers: dict[tuple[str, str, str], float] = {}
        store.subscribe(self._changed, Configuration)

    def _changed(self, changes: list[Change]) -> None:
        if any(change.table is self._table for change in changes):
            self._cache.clear()
            self._numbers.clear()

    def key(self, name: str) -> ConfigurationKey:
        """The key called `name`, or InvalidParameterValue."""
        key = KEYS.get(name)
        if key is None:
            raise InvalidParameterValue(f"Config parameter with name {name} doesn't exist")
        return key

    def get(self, name: str, scope: Scope = "Global", scope_id: str = "") -> str:
        where = (name, scope, scope_id)
        value = self._cache.get(where)
        if value is None:
            row = self._table.find(("name", "scope", "scope_id"), where)
            if row is not None:
                value = row.value
            elif scope != "Global":
                value = self.get(name)
            else:
                value = self.key(name).default
            self._cache[where] = value
        return value

    def integer(self, name: str, scope: Scope = "Global", scope_id: str = "") -> int:
        return int(self.get(name, scope, scope_id))

    def number(self, name: str, scope: Scope = "Global", scope_id: str = "") -> float:
        where = (name, scope, scope_id)
        number = self._numbers.get(where)
        if number is None:
            number = self._numbers[where] = float(self.get(name, scope, scope_id))
        return number

    def boolean(self, name: str, scope: Scope = "Global", scope_id: str = "") -> bool:
        return self.get(name, scope, scope_id).lower() == "true"

    def set(self, name: str, value: str, scope: Scope = "Global", scope_id: str = "") -> None:
        """Change a setting. InvalidParameterValue names the key and what it takes."""
        key = self.key(name)
        if scope != "Global" and scope not in key.scopes:
            raise InvalidParameterValue(f"Invalid scope {scope} for the config parameter {name}")
        key.check(value)
        row = self._table.find(("name", "scope", "scope_id"), (name, scope, scope_id))
        with self._store.transaction():
            if row is None:
                self._table.insert(
                    Configuration(
                        id=self._randomness.uuid(),
                        name=name,
                        scope=scope,
                        scope_id=scope_id,
                        value=value,
                        updated=self._now(),
                    )
                )
            else:
                self._table.update(row.id, value=value, updated=self._now())

    def reset(self, name: str, scope: Scope = "Global", scope_id: str = "") -> None:
        """Back to the default, or for a scope to the global value."""
        self.key(name)
        row = self._table.find(("name", "scope", "scope_id"), (name, scope, scope_id))
        if row is not None:
            with self._store.transaction():
                self._table.delete(row.id)
