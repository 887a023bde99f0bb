"""Backup repositories: shares and folders that the hosts of a zone reach, where the nas provider keeps backups."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.storage.backups.providers import NAS, PROVIDERS
from cloudsim.model import Backup, BackupOffering, BackupRepository, Zone

TYPES = ("nfs", "filesystem")


def url_of(repository: BackupRepository) -> str:
    """Where the hosts find the repository, in the form in which they are told of any store."""
    if repository.type == "filesystem":
        return f"file://{quote(repository.address)}"
    host, _, path = repository.address.rpartition(":/")
    options = f"?options={quote(repository.mount_options, safe='=,.')}" if repository.mount_options else ""
    return f"nfs://{host}/{quote(path)}{options}"


class BackupRepositories:
    """Keeps the repositories of all zones."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(BackupRepository)
        self._randomness = foundation.randomness.branch("backup repositories")

    def add(
        self,
        zone: Zone,
        *,
        name: str,
        address: str,
        type: str,
        provider: str | None = None,
        mount_options: str | None = None,
        capacity: int | None = None,
        cross_zone: bool = False,
    ) -> BackupRepository:
        """A repository of the zone; with `cross_zone` other zones' instances may be made of what it holds."""
        chosen = (provider or NAS).lower()
        if chosen != NAS:
            raise InvalidParameterValue(
                f"Parameter provider: {provider!r} has no repositories; of {', '.join(PROVIDERS)} only {NAS} has"
            )
        kind = type.lower()
        if kind not in TYPES:
            raise InvalidParameterValue(f"Parameter type: {type!r} is not supported; it is one of {', '.join(TYPES)}")
        if capacity is not None and capacity < 0:
            raise InvalidParameterValue("Parameter capacitybytes must not be negative")
        row = BackupRepository(
            id=self._randomness.uuid(),
            name=name,
            zone_id=zone.id,
            provider=chosen,
            type=kind,
            address=address.strip(),
            mount_options=(mount_options or "").strip(),
            capacity=capacity or 0,
            cross_zone=cross_zone,
            created=self._foundation.now(),
        )
        self._check(row)
        with self._store.transaction():
            return self._table.insert(row)

    def update(
        self,
        repository: BackupRepository,
        *,
        name: str | None = None,
        address: str | None = None,
        mount_options: str | None = None,
        cross_zone: bool | None = None,
    ) -> BackupRepository:
        """Change what is given. Where the address changes, what was backed up must have been brought there."""
        given: dict[str, Any] = {
            "name": name,
            "address": None if address is None else address.strip(),
            "mount_options": None if mount_options is None else mount_options.strip(),
            "cross_zone": cross_zone,
        }
        changes = {field: value for field, value in given.items() if value is not None}
        if not changes:
            raise InvalidParameterValue(
                "At least one of name, address, mountopts and crosszoneinstancecreation must be given"
            )
        self._check(replace(repository, **changes))
        with self._store.transaction():
            return self._table.update(repository.id, **changes)

    def _check(self, row: BackupRepository) -> None:
        if not row.name.strip():
            raise InvalidParameterValue("Parameter name must not be empty")
        for other in self._table.where("zone_id", row.zone_id):
            if other.id != row.id and other.name.lower() == row.name.lower():
                raise InvalidParameterValue(f"There is a backup repository {row.name} in this zone already")
        host, colon, path = row.address.rpartition(":/") if row.type == "nfs" else ("-", ":/", row.address[1:])
        if not (host and colon and path.strip("/")) or not row.address.isprintable():
            shape = "host:/path" if row.type == "nfs" else "/path, a folder that every host of the zone has"
            raise InvalidParameterValue(f"Parameter address: {row.address!r} is not {shape}")
        if row.type == "filesystem" and not row.address.startswith("/"):
            raise InvalidParameterValue(f"Parameter address: {row.address!r} must begin with /")
        if row.type == "filesystem" and row.mount_options:
            raise InvalidParameterValue("Parameter mountopts: a folder of the hosts is mounted by their operator")

    def delete(self, repository: BackupRepository) -> None:
        """Forget a repository that no offering and no backup needs; what lies there stays."""
        if self._foundation.table(BackupOffering).count("external_id", repository.id):
            raise CloudError(f"Backup repository {repository.name} is used by a backup offering")
        if self._foundation.table(Backup).count("repository_id", repository.id):
            raise CloudError(f"Backup repository {repository.name} holds backups")
        with self._store.transaction():
            remove_leftovers(self._foundation, repository.id)
            self._table.delete(repository.id)
