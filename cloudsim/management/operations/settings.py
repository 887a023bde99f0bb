"""Configuration keys: their defaults, scopes and values in force.

What is set for a thing holds for what is in it, where that has no value of its own: a zone's settings for its clusters,
pools and image stores, a cluster's for its pools; and where settings say so, a domain's for its subdomains and accounts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.configuration_keys import KEYS
from cloudsim.management.operations.configuration_keys import ConfigurationKey as ConfigurationKey
from cloudsim.model import Account, Cluster, Configuration, Domain, ImageStore, StoragePool
from cloudsim.randomness import Randomness
from cloudsim.store import Change, Store

Scope = Literal["Global", "Zone", "Cluster", "StoragePool", "Account", "Domain", "ImageStore"]

ACCOUNTS_BY_DOMAIN = "enable.account.settings.for.domain"
DOMAINS_BY_PARENT = "enable.domain.settings.for.child.domain"


class Settings:
    """The values in force: what is set for a thing, else for what it is in, else globally, else the key's default."""

    def __init__(self, store: Store, randomness: Randomness, now: Callable[[], float]) -> None:
        self._store = store
        self._table = store.table(Configuration)
        self._randomness = randomness.branch("settings")
        self._now = now
        self._values: dict[str, str] = {}
        """Global ones, of the keys that were asked for."""
        self._numbers: dict[str, float] = {}
        self._scoped = self._names_scoped()
        store.subscribe(self._changed, Configuration)

    def _changed(self, changes: list[Change]) -> None:
        if any(change.table is self._table for change in changes):
            self._values.clear()
            self._numbers.clear()
            self._scoped = self._names_scoped()

    def _names_scoped(self) -> frozenset[str]:
        """Names of the keys that something has a value of its own for: few, and all others are quick to look up."""
        return frozenset(row.name for row in self._table if row.scope != "Global")

    def key(self, name: str) -> ConfigurationKey:
        """The key called `name`, or InvalidParameterValue."""
        key = KEYS.get(name)
        if key is None:
            raise InvalidParameterValue(f"Config parameter with name {name} doesn't exist")
        return key

    def get(self, name: str, scope: Scope = "Global", scope_id: str = "") -> str:
        if scope != "Global" and name in self._scoped:
            row = self._table.find(("name", "scope", "scope_id"), (name, scope, scope_id))
            return row.value if row is not None else self.get(name, *self._above(scope, scope_id))
        value = self._values.get(name)
        if value is None:
            row = self._table.find(("name", "scope", "scope_id"), (name, "Global", ""))
            value = self._values[name] = row.value if row is not None else self.key(name).default
        return value

    def _above(self, scope: Scope, scope_id: str) -> tuple[Scope, str]:
        """What a thing is in whose settings hold for it, too."""
        if scope == "StoragePool":
            pool = self._store.table(StoragePool).get(scope_id)
            if pool is not None:
                return ("Zone", pool.zone_id) if pool.cluster_id is None else ("Cluster", pool.cluster_id)
        elif scope == "Cluster":
            cluster = self._store.table(Cluster).get(scope_id)
            if cluster is not None:
                return "Zone", cluster.zone_id
        elif scope == "ImageStore":
            store = self._store.table(ImageStore).get(scope_id)
            if store is not None and store.zone_id is not None:
                return "Zone", store.zone_id
        elif scope == "Account" and self.boolean(ACCOUNTS_BY_DOMAIN) and self.boolean(DOMAINS_BY_PARENT):
            account = self._store.table(Account).get(scope_id)
            if account is not None:
                return "Domain", account.domain_id
        elif scope == "Domain" and self.boolean(DOMAINS_BY_PARENT):
            domain = self._store.table(Domain).get(scope_id)
            if domain is not None and domain.parent_id is not None:
                return "Domain", domain.parent_id
        return "Global", ""

    def has(self, key: ConfigurationKey, scope: Scope) -> bool:
        """Whether a thing of that scope can have a value of its own: domains, where settings say so, accounts' keys too."""
        if scope in ("Global", *key.scopes):
            return True
        return scope == "Domain" and "Account" in key.scopes and self.boolean(ACCOUNTS_BY_DOMAIN)

    def _check_scope(self, key: ConfigurationKey, scope: Scope) -> None:
        if not self.has(key, scope):
            raise InvalidParameterValue(f"Invalid scope {scope} for the config parameter {key.name}")

    def own(self, name: str, scope: Scope) -> dict[str, float]:
        """The number that each thing of that scope has of its own, by its id; things without are left out."""
        if name not in self._scoped:
            return {}
        return {row.scope_id: float(row.value) for row in self._table.where("name", name) if row.scope == scope}

    def integer(self, name: str, scope: Scope = "Global", scope_id: str = "") -> int:
        return int(self.get(name, scope, scope_id))

    def number(self, name: str, scope: Scope = "Global", scope_id: str = "") -> float:
        if scope != "Global" and name in self._scoped:
            return float(self.get(name, scope, scope_id))
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = float(self.get(name))
        return number

    def boolean(self, name: str, scope: Scope = "Global", scope_id: str = "") -> bool:
        return self.get(name, scope, scope_id).lower() == "true"

    def set(self, name: str, value: str, scope: Scope = "Global", scope_id: str = "") -> None:
        """Change a setting. InvalidParameterValue names the key and what it takes."""
        key = self.key(name)
        self._check_scope(key, scope)
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
        """Back to the default, or for one thing to what holds for what it is in."""
        self._check_scope(self.key(name), scope)
        row = self._table.find(("name", "scope", "scope_id"), (name, scope, scope_id))
        if row is not None:
            with self._store.transaction():
                self._table.delete(row.id)
