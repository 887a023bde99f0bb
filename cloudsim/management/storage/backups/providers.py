"""Backup providers: whose way of backing up a zone has chosen, what each offers and where it puts backups.

`nas` keeps them in repositories, one offering for each. `dummy` is CloudStack's provider for tests, which needs
nothing to be set up: here it copies as nas does, to the zone's secondary storage.
"""

from __future__ import annotations

from typing import NamedTuple

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.storage.secondary_storage import SecondaryStorage
from cloudsim.model import BackupOffering, BackupRepository, Zone

NAS, DUMMY = "nas", "dummy"
PROVIDERS = {
    DUMMY: "Copies the disks of instances to secondary storage, with nothing to set up",
    NAS: "Copies the disks of instances to a share or folder that the hosts reach",
}
"""Names and descriptions."""
ENABLED, PLUGIN = "backup.framework.enabled", "backup.framework.provider.plugin"


class ProviderOffering(NamedTuple):
    """What a provider offers, by its own id for it."""

    external_id: str
    name: str
    description: str


_OF_DUMMY = (
    ProviderOffering("gold", "Gold", "The first offering for tests"),
    ProviderOffering("silver", "Silver", "The second offering for tests"),
)


class Target(NamedTuple):
    """Where a backup goes: a repository, or an image store."""

    repository_id: str | None
    store_id: str | None


class BackupProviders:
    """Answers for the provider that each zone has chosen."""

    def __init__(self, foundation: Foundation, secondary: SecondaryStorage) -> None:
        self._foundation = foundation
        self._settings = foundation.settings
        self._secondary = secondary
        self._repositories = foundation.table(BackupRepository)

    def check_enabled(self, zone_id: str) -> None:
        """Raise CloudError where the zone has no backup and recovery."""
        if not self._settings.boolean(ENABLED, "Zone", zone_id):
            raise CloudError("Backup and Recovery feature is disabled for the zone")

    def of_zone(self, zone_id: str) -> str:
        """The name of the provider that the zone has."""
        return self._settings.get(PLUGIN, "Zone", zone_id)

    def offerings(self, zone: Zone) -> list[ProviderOffering]:
        """What the zone's provider offers."""
        if self.of_zone(zone.id) == DUMMY:
            return list(_OF_DUMMY)
        return [
            ProviderOffering(row.id, row.name, f"{row.type} {row.address}")
            for row in self._repositories.where("zone_id", zone.id)
        ]

    def offering(self, zone: Zone, external_id: str) -> ProviderOffering:
        """That of one id. Raises InvalidParameterValue."""
        for offering in self.offerings(zone):
            if offering.external_id == external_id:
                return offering
        raise InvalidParameterValue(
            f"Parameter externalid: provider {self.of_zone(zone.id)} has no backup offering {external_id!r}"
            f" in zone {zone.name}"
        )

    def target(self, offering: BackupOffering) -> Target:
        """Where a new backup of that offering goes. Raises ResourceUnavailable where there is nothing."""
        if offering.provider == DUMMY:
            return Target(None, self._secondary.store_for(offering.zone_id).id)
        if offering.external_id not in self._repositories:
            raise ResourceUnavailable(f"The backup repository of offering {offering.name} is gone")
        return Target(offering.external_id, None)

    def cross_zone(self, repository_id: str | None) -> bool:
        """Whether other zones' instances may be made of what is kept there."""
        repository = self._repositories.get(repository_id)
        return repository is not None and repository.cross_zone
