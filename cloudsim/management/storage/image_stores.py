"""Image stores: secondary storage added, changed and removed by the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.storage.primary_storage import PROVIDERS
from cloudsim.model import Backup, ImageStore, Snapshot, Template, TemplateOnStore, VolumeOnStore, Zone

_SCHEMES = {"nfs": "nfs", "file": "file"}


class ImageStores:
    """The secondary storage of all zones.

    Templates that come with the cloud and have no URL are in every store from the start. `associate(store)`,
    called once a store is there, brings the other cross-zone templates to it.
    """

    def __init__(self, foundation: Foundation, associate: Callable[[ImageStore], Any] | None = None) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._stores = foundation.table(ImageStore)
        self._templates = foundation.table(Template)
        self._copies = foundation.table(TemplateOnStore)
        self._randomness = foundation.randomness.branch("image stores")
        self.associate = associate

    def add(
        self,
        *,
        url: str | None,
        provider: str,
        zone: Zone | None,
        name: str | None = None,
        details: Mapping[str, str] | None = None,
    ) -> ImageStore:
        """Add a store to a zone; its name is its URL unless one is given."""
        if provider.upper() not in PROVIDERS["image"]:
            raise InvalidParameterValue(f"can't find image store provider: {provider}")
        if zone is None:
            raise InvalidParameterValue("An NFS image store belongs to a zone: parameter zoneid is missing")
        protocol = _protocol(url)
        assert url is not None
        name = name or url
        if self._stores.find("name", name) is not None:
            raise InvalidParameterValue(
                f"The image store with name {name} already exists, try creating with another name"
            )
        if any(store.url == url for store in self._stores.where("zone_id", zone.id)):
            raise InvalidParameterValue(f"An image store with URL {url} already exists in zone {zone.name}")
        with self._store.transaction():
            store = self._stores.insert(
                ImageStore(
                    id=self._randomness.uuid(),
                    name=name,
                    url=url,
                    provider=provider.upper(),
                    zone_id=zone.id,
                    protocol=protocol,
                    created=self._foundation.now(),
                    details=dict(details or {}),
                )
            )
            self._put_own_templates(store, zone)
        if self.associate is not None:
            self.associate(store)
        return store

    def _put_own_templates(self, store: ImageStore, zone: Zone) -> None:
        for template in self._templates:
            if template.url is None and template.type in ("SYSTEM", "BUILTIN") and template.cross_zones:
                self._copies.insert(
                    TemplateOnStore(
                        id=self._randomness.uuid(),
                        template_id=template.id,
                        store_id=store.id,
                        zone_id=zone.id,
                        state="Ready",
                        download_state="DOWNLOADED",
                        download_percent=100,
                        path=f"template/tmpl/{template.id}.{template.format.lower()}",
                        size=template.size,
                        created=self._foundation.now(),
                    )
                )

    def update(
        self,
        store: ImageStore,
        *,
        name: str | None = None,
        read_only: bool | None = None,
        capacity: int | None = None,
    ) -> ImageStore:
        """Change what is given. `capacity` in bytes."""
        changes: dict[str, Any] = {}
        if name is not None and name != store.name:
            if not name.strip() or self._stores.find("name", name) is not None:
                raise InvalidParameterValue(f"Image store name {name!r} is empty or used already")
            changes["name"] = name
        if read_only is not None:
            changes["read_only"] = read_only
        if capacity is not None:
            if capacity < 0:
                raise InvalidParameterValue("capacitybytes must not be negative")
            changes["capacity"] = capacity
        with self._store.transaction():
            return self._stores.update(store.id, **changes)

    def delete(self, store: ImageStore) -> None:
        """Remove a store that holds nothing but copies of templates that come with the cloud."""
        if any(snapshot.store_id == store.id for snapshot in self._snapshots_near(store)):
            raise CloudError("Cannot delete image store with active snapshots backup!")
        if self._foundation.table(VolumeOnStore).count("store_id", store.id):
            raise CloudError("Cannot delete image store with active volumes backup!")
        if self._foundation.table(Backup).count("store_id", store.id):
            raise CloudError("Cannot delete image store with backups of instances!")
        copies = self._copies.where("store_id", store.id)
        for copy in copies:
            template = self._templates.get(copy.template_id)
            if template is not None and template.type not in ("SYSTEM", "BUILTIN"):
                raise CloudError(f"Cannot delete image store with active templates backup: {template.name}")
        with self._store.transaction():
            for copy in copies:
                self._copies.delete(copy.id)
            remove_leftovers(self._foundation, store.id)
            self._stores.delete(store.id)

    def _snapshots_near(self, store: ImageStore) -> list[Snapshot]:
        snapshots = self._foundation.table(Snapshot)
        return list(snapshots) if store.zone_id is None else snapshots.where("zone_id", store.zone_id)


def _protocol(url: str | None) -> str:
    try:
        parts = urlsplit((url or "").strip())
    except ValueError:
        raise InvalidParameterValue(f"{url} is not a valid image store URL") from None
    protocol = _SCHEMES.get(parts.scheme.lower())
    if protocol is None:
        raise InvalidParameterValue(
            f"Invalid scheme {parts.scheme or url}; an image store's URL begins with nfs://"
        )
    if protocol == "nfs" and (not parts.netloc or parts.path in ("", "/")):
        raise InvalidParameterValue(f"{url} must name a host and a path, as in nfs://host/path")
    return protocol
