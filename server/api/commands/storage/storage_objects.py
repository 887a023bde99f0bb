"""What lies on storage pools and in image stores, and volumes taken in from there or left there."""

from __future__ import annotations

from typing import Annotated, ClassVar

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import (
    DiskOffering,
    ImageStore,
    Snapshot,
    StoragePool,
    Template,
    TemplateOnPool,
    TemplateOnStore,
    Volume,
    VolumeOnStore,
)
from cloudsim.protocol.specs import StorageObject
from server.api.command import ROOT, Call, Job, Listed, Success, command
from server.api.commands.storage.volume_view import VolumeView
from server.api.listing import Page, page_of
from server.api.ownership import Owner
from server.api.parameters import Param
from server.api.views import Date, Long, View, date

PATH = Param("a folder on it; by default all of it")


class StorageObjectView(View):
    """A file or folder, and what of the cloud it is."""

    key: ClassVar = "datastoreobject"

    name: str | None = None
    isdirectory: bool | None = None
    size: Annotated[Long | None, "bytes that it takes"] = None
    format: str | None = None
    templateid: str | None = None
    templatename: str | None = None
    snapshotid: str | None = None
    snapshotname: str | None = None
    volumeid: str | None = None
    volumename: str | None = None
    lastupdated: Date | None = None


def _view(found: StorageObject) -> StorageObjectView:
    return StorageObjectView(
        name=found.name.rpartition("/")[2],
        isdirectory=found.directory,
        size=None if found.directory else found.size,
        format=found.format or None,
        lastupdated=date(found.modified),
    )


@command("listImageStoreObjects", view=StorageObjectView, roles=ROOT, group="Image Store", since="4.19.0")
async def list_image_store_objects(
    call: Call, *, page: Page, id: ImageStore, path: Annotated[str, PATH] = ""
) -> Listed:
    """Lists the files and folders of an image store."""
    found = await call.manager.storage_objects.on_store(id, path)
    templates = {row.path: row.template_id for row in call.store.table(TemplateOnStore).where("store_id", id.id)}
    uploads = {row.path: row.volume_id for row in call.store.table(VolumeOnStore).where("store_id", id.id)}
    snapshots = _snapshots(call, id)
    views = []
    for each in found:
        view = _view(each)
        _name_template(call, view, templates.get(each.name))
        _name_volume(call, view, uploads.get(each.name))
        snapshot = snapshots.get(each.name)
        if snapshot is not None:
            view.snapshotid, view.snapshotname = snapshot.id, snapshot.name
        views.append(view)
    return page_of(views, page)


def _snapshots(call: Call, store: ImageStore) -> dict[str, Snapshot]:
    table = call.store.table(Snapshot)
    near = list(table) if store.zone_id is None else table.where("zone_id", store.zone_id)
    return {each.path: each for each in near if each.store_id == store.id and each.path is not None}


@command("listStoragePoolObjects", view=StorageObjectView, roles=ROOT, group="Storage", since="4.19.0")
async def list_storage_pool_objects(
    call: Call, *, page: Page, id: StoragePool, path: Annotated[str, PATH] = ""
) -> Listed:
    """Lists the files and folders of a storage pool."""
    found = await call.manager.storage_objects.on_pool(id, path)
    templates = {row.path: row.template_id for row in call.store.table(TemplateOnPool).where("pool_id", id.id)}
    volumes = {row.path or row.id: row.id for row in call.store.table(Volume).where("pool_id", id.id)}
    views = []
    for each in found:
        view = _view(each)
        _name_template(call, view, templates.get(each.name))
        _name_volume(call, view, volumes.get(each.name))
        views.append(view)
    return page_of(views, page)


def _name_template(call: Call, view: StorageObjectView, template_id: str | None) -> None:
    template = call.store.table(Template).get(template_id)
    if template is not None:
        view.templateid, view.templatename = template.id, template.name


def _name_volume(call: Call, view: StorageObjectView, volume_id: str | None) -> None:
    volume = call.store.table(Volume).get(volume_id)
    if volume is not None:
        view.volumeid, view.volumename = volume.id, volume.name


class ImportableVolumeView(View):
    """A disk on a storage pool that the cloud does not know."""

    key: ClassVar = "volumesforimport"

    name: str | None = None
    path: str | None = None
    fullpath: str | None = None
    format: str | None = None
    size: Annotated[Long | None, "bytes that it takes"] = None
    virtualsize: Annotated[Long | None, "bytes of the disk that a guest sees"] = None
    storageid: str | None = None
    storage: str | None = None
    storagetype: str | None = None


@command("listVolumesForImport", view=ImportableVolumeView, roles=ROOT, group="Volume", since="4.19.1")
async def list_volumes_for_import(
    call: Call, *, page: Page, storageid: StoragePool, path: Annotated[str, PATH] = ""
) -> Listed:
    """Lists the disks on a storage pool that no volume is, nothing uses and nothing depends on."""
    found = await call.manager.storage_objects.importable(storageid, path)
    views = [
        ImportableVolumeView(
            name=each.name.rpartition("/")[2],
            path=each.name,
            fullpath=f"{storageid.path.rstrip('/')}/{each.name}",
            format=each.format,
            size=each.size,
            virtualsize=each.virtual_size,
            storageid=storageid.id,
            storage=storageid.name,
            storagetype=storageid.type,
        )
        for each in found
    ]
    return page_of(views, page)


@command(
    "importVolume", view=VolumeView, job=True, roles=ROOT, event="VOLUME.IMPORT", group="Volume", since="4.19.1"
)
async def import_volume(
    call: Call,
    *,
    owner: Owner,
    path: Annotated[str, Param("of the disk on the storage pool")],
    storageid: Annotated[StoragePool, Param("the primary storage that it lies on")],
    name: Annotated[str | None, Param("what it is called; by default as its file is")] = None,
    diskofferingid: DiskOffering | None = None,
) -> Job:
    """Makes a volume of a disk that lies on a storage pool."""
    objects = call.manager.storage_objects
    objects.check_import(owner, storageid, path, diskofferingid)
    return Job(lambda: objects.take_in(owner, storageid, path, name, diskofferingid), queue=storageid.id)


@command("unmanageVolume", job=True, roles=ROOT, event="VOLUME.UNMANAGE", group="Volume", since="4.19.1")
async def unmanage_volume(call: Call, *, id: Volume) -> Job:
    """Forgets a volume that is not attached; its disk stays on the storage pool."""
    call.manager.storage_objects.check_unmanage(id)

    async def work() -> Success:
        volume = call.store.table(Volume).get(id.id)
        if volume is None:
            raise InvalidParameterValue(f"Volume {id.name} is gone")
        call.manager.storage_objects.leave(volume)
        return Success()

    return Job(work, id)
