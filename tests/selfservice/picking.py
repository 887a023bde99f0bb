"""Picking things of a cloud at random, for calls that are about one account's things."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

from cloudsim.model import Account, DiskOffering, Domain, NetworkOffering, Template
from cloudsim.store import Row
from tests.selfservice.cloud import ServedCloud
from tests.selfservice.ownership import Ownership

T = TypeVar("T")


class Nothing(Exception):
    """There is nothing that a parameter could name."""


class Picker:
    """Picks for one cloud. All chance comes from `generator`."""

    def __init__(self, cloud: ServedCloud, generator: np.random.Generator) -> None:
        self.cloud = cloud
        self.chance = generator
        self._count = 0

    def often(self, probability: float) -> bool:
        return bool(self.chance.random() < probability)

    def one(self, of: Iterable[T]) -> T:
        """Raises Nothing where there is none."""
        among = list(of)
        if not among:
            raise Nothing
        return among[int(self.chance.integers(len(among)))]

    def number(self, low: int, high: int) -> int:
        return int(self.chance.integers(low, high + 1))

    def fresh(self, word: str) -> str:
        """A name that nothing has, or now and then one that something may have."""
        self._count += 1
        return f"{word}-{self.number(1, 5) if self.often(0.1) else self._count}"

    def table(self, row_type: type[Row]) -> Any:
        return self.cloud.store.table(row_type)

    @property
    def oracle(self) -> Ownership:
        return Ownership(self.cloud.store)

    # things

    def owned(self, row_type: type[Row], owner: Account) -> Any:
        """One that is the owner's, or nobody's; now and then anybody's."""
        table = self.table(row_type)
        if self.often(0.08):
            return self.one(table)
        oracle, owned = self.oracle, []
        for row in table:
            whose = oracle.owner(row)
            if whose is None or whose.id == owner.id:
                owned.append(row)
        return self.one(owned)

    def template(self, owner: Account) -> Template:
        own = [t for t in self.table(Template).where("account_id", owner.id) if t.state == "Active"]
        if own and self.often(0.5):
            return self.one(own)
        return self.one(self.table(Template)) if self.often(0.1) else self.cloud.template

    def domain(self, owner: Account) -> Domain:
        """The owner's domain, or one below it, or any."""
        domains: list[Domain] = list(self.table(Domain))
        if self.often(0.6):
            domains = [d for d in domains if self.oracle.below(d.id, owner.domain_id)]
        return self.one(domains)

    def account(self, owner: Account) -> Account:
        """Someone of the owner's domain, or now and then of another."""
        people = [a for a in self.table(Account) if a.name != "system" and a.project_id is None]
        return self.one(a for a in people if a.domain_id == owner.domain_id or self.often(0.1))

    def offering(self, row_type: type[Row]) -> Any:
        """One that can be chosen."""
        return self.one(
            row
            for row in self.table(row_type)
            if not getattr(row, "is_system", False) and getattr(row, "state", "Active") in ("Active", "Enabled")
        )

    def disk_offering(self) -> DiskOffering:
        """One for disks of any size: by a tag that there are limits for, or not."""
        return self.one(row for row in self.table(DiskOffering) if row.customized)

    def network_offering(self) -> NetworkOffering:
        isolated = "DefaultIsolatedNetworkOfferingWithSourceNatService"
        name = isolated if self.often(0.8) else "DefaultL2NetworkOffering"
        found: NetworkOffering = next(o for o in self.table(NetworkOffering) if o.name == name)
        return found
