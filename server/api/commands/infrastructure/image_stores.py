"""Secondary storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from cloudsim.model import ImageStore, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.infrastructure.capacity_view import zone_fields
from server.api.listing import Page, listed
from server.api.parameters import Long as LongParameter
from server.api.parameters import Param
from server.api.views import Long, View, Wire

GROUP = "Image Store"


class ImageStoreView(View):
    """A store of templates, ISOs and snapshots."""

    entity: ClassVar = ImageStore
    key: ClassVar = "imagestore"

    id: str | None = None
    name: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    url: str | None = None
    protocol: str | None = None
    providername: str | None = None
    scope: Annotated[str | None, Wire("scopetype")] = None
    readonly: bool | None = None
    disksizetotal: Annotated[Long | None, "bytes"] = None
    disksizeused: Annotated[Long | None, "bytes"] = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: ImageStore, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            url=row.url,
            protocol=row.protocol,
            providername=row.provider,
            scope="REGION" if row.zone_id is None else "ZONE",
            readonly=row.read_only,
            disksizetotal=row.capacity,
            disksizeused=row.used,
            **zone_fields(call, row.zone_id),
        )


@command(
    "addImageStore", view=ImageStoreView, roles=ROOT, group=GROUP, event="IMAGE.STORE.CREATE", since="4.2.0"
)
async def add_image_store(
    call: Call,
    *,
    provider: Annotated[str, Param("NFS is the only one")],
    url: Annotated[str | None, Param("nfs://host/path", length=2048)] = None,
    zoneid: Zone | None = None,
    name: str | None = None,
    details: Mapping[str, str] | None = None,
) -> ImageStore:
    """Adds secondary storage to a zone."""
    store: ImageStore = call.manager.image_stores.add(
        url=url, provider=provider, zone=zoneid, name=name, details=details
    )
    return store


@command("addSecondaryStorage", view=ImageStoreView, roles=ROOT, group=GROUP, event="IMAGE.STORE.CREATE")
async def add_secondary_storage(
    call: Call, *, url: Annotated[str, Param("nfs://host/path")], zoneid: Zone | None = None
) -> ImageStore:
    """Adds NFS secondary storage to a zone."""
    store: ImageStore = call.manager.image_stores.add(url=url, provider="NFS", zone=zoneid)
    return store


@command(
    "updateImageStore", view=ImageStoreView, roles=ROOT, group=GROUP, event="IMAGE.STORE.EDIT", since="4.15.0"
)
async def update_image_store(
    call: Call,
    *,
    id: ImageStore,
    name: str | None = None,
    readonly: Annotated[bool | None, Param("true: nothing new is put there")] = None,
    capacitybytes: LongParameter | None = None,
) -> ImageStore:
    """Changes secondary storage."""
    store: ImageStore = call.manager.image_stores.update(
        id, name=name, read_only=readonly, capacity=capacitybytes
    )
    return store


@command("deleteImageStore", roles=ROOT, group=GROUP, event="IMAGE.STORE.DELETE", since="4.2.0")
async def delete_image_store(call: Call, *, id: ImageStore) -> None:
    """Deletes secondary storage that holds nothing of users."""
    call.manager.image_stores.delete(id)


@command("listImageStores", view=ImageStoreView, roles=ROOT, group=GROUP, since="4.2.0")
async def list_image_stores(
    call: Call,
    *,
    page: Page,
    id: ImageStore | None = None,
    name: str | None = None,
    zoneid: Zone | None = None,
    protocol: str | None = None,
    provider: str | None = None,
    readonly: bool | None = None,
) -> Listed:
    """Lists secondary storage."""

    def keep(store: ImageStore) -> bool:
        if protocol is not None and store.protocol.lower() != protocol.lower():
            return False
        return provider is None or store.provider.lower() == provider.lower()

    return listed(
        call,
        ImageStore,
        page=page,
        ids=None if id is None else [id],
        equal={"name": name, "zone_id": zoneid and zoneid.id, "read_only": readonly},
        keep=keep,
    )
