"""Moving what image stores hold, and fetching a file of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar, Literal

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.storage.image_migration import Moved
from cloudsim.model import ImageStore, Snapshot, Template, TemplateOnStore, Zone
from server.api.command import ROOT, Call, Job, command
from server.api.commands.storage.extraction import ExtractView
from server.api.parameters import Param
from server.api.views import View

GROUP = "Image Store"


class MigrationView(View):
    """What became of a migration."""

    key: ClassVar = "imagestore"

    message: str | None = None
    migrationtype: str | None = None
    success: bool | None = None


def _told(moved: Moved, kind: str, source: ImageStore) -> MigrationView:
    """Raises CloudError where nothing could be moved."""
    text = f"{moved.moved} objects were moved from image store {source.name}"
    if moved.failed:
        text += f", {moved.failed} were not: {moved.reason}"
        if not moved.moved:
            raise CloudError(text)
    return MigrationView(message=text, migrationtype=kind.upper(), success=not moved.failed)


@command(
    "migrateSecondaryStorageData",
    view=MigrationView,
    job=True,
    roles=ROOT,
    event="IMAGE.STORE.MIGRATE.DATA",
    group=GROUP,
    since="4.15.0",
)
async def migrate_secondary_storage_data(
    call: Call,
    *,
    srcpool: ImageStore,
    destpools: Annotated[Sequence[ImageStore], Param("image stores of the same zone")],
    migrationtype: Annotated[
        Literal["Complete", "Balance"],
        Param("Complete: all of it, the source becoming read-only; Balance: until all are about as full"),
    ] = "Complete",
) -> Job:
    """Moves templates, ISOs, snapshots and uploaded volumes from one image store to others."""
    migration = call.manager.image_migration
    migration.check(srcpool, destpools)

    async def work() -> MigrationView:
        return _told(await migration.migrate(srcpool, destpools, migrationtype), migrationtype, srcpool)

    return Job(work, srcpool)


@command(
    "migrateResourceToAnotherSecondaryStorage",
    view=MigrationView,
    job=True,
    roles=ROOT,
    event="IMAGE.STORE.RESOURCES.MIGRATE",
    group=GROUP,
    since="4.19.0",
)
async def migrate_resource_to_another_secondary_storage(
    call: Call,
    *,
    srcpool: ImageStore,
    destpool: ImageStore,
    templates: Annotated[Sequence[Template] | None, Param("templates and ISOs")] = None,
    snapshots: Annotated[Sequence[Snapshot] | None, Param(access="operate")] = None,
) -> Job:
    """Moves some templates and snapshots from one image store to another."""
    migration = call.manager.image_migration
    migration.check(srcpool, [destpool])
    chosen = migration.chosen(srcpool, templates or (), snapshots or ())

    async def work() -> MigrationView:
        return _told(await migration.move_all(chosen, destpool), "Complete", srcpool)

    return Job(work, srcpool)


@command(
    "downloadImageStoreObject",
    view=ExtractView,
    key="imagestore",
    job=True,
    roles=ROOT,
    event="IMAGE.STORE.OBJECT.DOWNLOAD",
    group=GROUP,
    since="4.19.0",
)
async def download_image_store_object(
    call: Call, *, id: ImageStore, path: Annotated[str | None, Param("of a file in it")] = None
) -> Job:
    """Makes a URL from which a template, ISO or snapshot in an image store can be fetched for a while."""
    extraction, wanted = call.manager.extraction, (path or "").strip("/")
    for copy in call.store.table(TemplateOnStore).where("store_id", id.id):
        if copy.path == wanted:
            template = call.store.table(Template)[copy.template_id]
            zone = call.store.table(Zone)[copy.zone_id]
            extraction.check_template(call.caller, template, zone, "HTTP_DOWNLOAD")
            return Job(partial(extraction.template, template, zone), template)
    for zone in call.store.table(Zone) if id.zone_id is None else [call.store.table(Zone)[id.zone_id]]:
        for snapshot in call.store.table(Snapshot).where("zone_id", zone.id):
            if (snapshot.store_id, snapshot.path) == (id.id, wanted):
                extraction.check_snapshot(snapshot, zone)
                return Job(partial(extraction.snapshot, snapshot), snapshot)
    raise InvalidParameterValue(f"path {path} names no template, ISO or snapshot on image store {id.name}")
