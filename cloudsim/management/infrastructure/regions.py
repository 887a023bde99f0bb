"""Regions: this cloud, and others that users are told of."""

from __future__ import annotations

from urllib.parse import urlsplit

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.model import Region

LOCAL, LOCAL_NAME = 1, "Local"


class Regions:
    """Keeps the regions. The local one has number 1, and its endpoint is the setting endpoint.url until it is changed."""

    def __init__(self, foundation: Foundation) -> None:
        self._store = foundation.store
        self._settings = foundation.settings
        self._table = foundation.table(Region)
        self._randomness = foundation.randomness.branch("regions")

    def all(self) -> list[Region]:
        """The regions by their numbers."""
        kept = {row.number: row for row in self._table}
        if LOCAL not in kept:
            kept[LOCAL] = Region(
                id="", number=LOCAL, name=LOCAL_NAME, endpoint=self._settings.get("endpoint.url")
            )
        return [kept[number] for number in sorted(kept)]

    def find(self, number: int) -> Region:
        """The region of that number. Raises InvalidParameterValue."""
        found = next((row for row in self.all() if row.number == number), None)
        if found is None:
            raise InvalidParameterValue(f"Region with id {number} doesn't exist")
        return found

    def add(self, number: int, name: str, endpoint: str) -> Region:
        """Tell of another region."""
        if number < 1:
            raise InvalidParameterValue(f"Parameter id is {number}: a region's is a number from 1")
        if any(row.number == number for row in self.all()):
            raise InvalidParameterValue(f"Region with id: {number} already exists")
        self._check(name, endpoint)
        return self._insert(number, name, endpoint)

    def _insert(self, number: int, name: str, endpoint: str) -> Region:
        with self._store.transaction():
            return self._table.insert(
                Region(id=self._randomness.uuid(), number=number, name=name, endpoint=endpoint)
            )

    def update(self, number: int, *, name: str | None = None, endpoint: str | None = None) -> Region:
        """Change a region's name or endpoint."""
        region = self.find(number)
        self._check(name if name not in (None, region.name) else None, endpoint)
        name, endpoint = name or region.name, endpoint or region.endpoint
        if not region.id:
            return self._insert(number, name, endpoint)
        with self._store.transaction():
            return self._table.update(region.id, name=name, endpoint=endpoint)

    def remove(self, number: int) -> None:
        """Forget another region."""
        if number == LOCAL:
            raise InvalidParameterValue("The region that this cloud is cannot be removed")
        region = self.find(number)
        with self._store.transaction():
            self._table.delete(region.id)

    def _check(self, name: str | None, endpoint: str | None) -> None:
        if name is not None:
            if not name.strip():
                raise InvalidParameterValue("Parameter name: a region needs a name")
            if any(row.name == name for row in self.all()):
                raise InvalidParameterValue(f"Region with name: {name} already exists")
        if endpoint is not None:
            parts = urlsplit(endpoint)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise InvalidParameterValue(f"Parameter endpoint is {endpoint!r}: an http or https URL is expected")
