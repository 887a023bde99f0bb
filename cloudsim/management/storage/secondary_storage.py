"""Secondary storage as the services use it: which store of a zone, and through which host."""

from __future__ import annotations

from cloudsim.errors import CloudError, ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.infrastructure.hypervisor_types import EXTERNAL
from cloudsim.model import Host, ImageStore, Zone
from cloudsim.protocol.commands import DeleteImageCommand
from cloudsim.protocol.specs import ImageSpec


class ImageFailed(CloudError):
    """A host could not do something with a file in secondary storage; the text is the host's."""


class SecondaryStorage:
    """The image stores of zones, reached through any host of the zone that is up."""

    def __init__(self, foundation: Foundation, agents: Agents) -> None:
        self._agents = agents
        self._stores = foundation.table(ImageStore)
        self._hosts = foundation.table(Host)
        self._zones = foundation.table(Zone)

    def stores_of(self, zone_id: str) -> list[ImageStore]:
        """The zone's stores, then those that serve every zone."""
        return [
            *self._stores.where("zone_id", zone_id),
            *(store for store in self._stores if store.zone_id is None),
        ]

    def store_for(self, zone_id: str) -> ImageStore:
        """The writable store of the zone with most room. Raises ResourceUnavailable."""
        writable = [store for store in self.stores_of(zone_id) if not store.read_only]
        if not writable:
            raise ResourceUnavailable(f"Zone {self._zone_name(zone_id)} has no secondary storage to write to")
        return max(writable, key=lambda store: store.capacity - store.used)

    def host_for(self, zone_id: str, prefer: str | None = None) -> Host:
        """A host to reach the zone's secondary storage through. Raises ResourceUnavailable."""
        preferred = self._hosts.get(prefer)
        if preferred is not None and self._usable(preferred) and preferred.zone_id == zone_id:
            return preferred
        for host_id in self._hosts.ids("zone_id", zone_id):
            host = self._hosts[host_id]
            if self._usable(host):
                return host
        raise ResourceUnavailable(f"No host of zone {self._zone_name(zone_id)} is up")

    def _usable(self, host: Host) -> bool:
        return host.state == "Up" and host.hypervisor != EXTERNAL and self._agents.is_connected(host.id)

    def _zone_name(self, zone_id: str) -> str:
        zone = self._zones.get(zone_id)
        return zone_id if zone is None else zone.name

    def image(self, store_id: str | None, path: str, size: int, format: str = "qcow2") -> ImageSpec:
        """A file of a store as hosts need to know it. Raises ResourceUnavailable when the store is gone."""
        store = self._stores.get(store_id)
        if store is None:
            raise ResourceUnavailable(f"The secondary storage that holds {path} is gone")
        return ImageSpec(store.url, path, size, format)

    async def delete(self, image: ImageSpec, zone_id: str, prefer: str | None = None) -> None:
        """Remove a file. Raises ImageFailed with the host's text."""
        answer = await self._agents.send(self.host_for(zone_id, prefer).id, DeleteImageCommand(image=image))
        if not answer.ok:
            raise ImageFailed(answer.error or f"{image.path} was not deleted")
