"""Where a running instance, or a volume, could move to."""

from __future__ import annotations

from typing import Annotated

from cloudsim.errors import CloudError
from cloudsim.management.storage.volume_offering import suits
from cloudsim.model import StoragePool, VirtualMachine, Volume
from server.api.command import ADMINS, Call, Listed, command
from server.api.commands.compute.virtual_machine_lifecycle import check_may_move
from server.api.commands.infrastructure.host_view import HostView
from server.api.commands.infrastructure.storage_pools import StoragePoolView
from server.api.listing import Page, page_of
from server.api.parameters import Param


class MigrationTargetView(HostView):
    """A host, and whether the instance can move there now."""

    requiresStorageMotion: Annotated[bool | None, "whether its disks would have to move, too"] = None


@command("findHostsForMigration", view=MigrationTargetView, many=True, roles=ADMINS, group="Host")
async def find_hosts_for_migration(
    call: Call,
    *,
    page: Page,
    virtualmachineid: Annotated[VirtualMachine, Param("a running instance", access="operate")],
) -> Listed:
    """Lists the other hosts that reach an instance's disks, those that can take it now first."""
    check_may_move(call)
    candidates = sorted(call.manager.migration.candidates(virtualmachineid), key=lambda c: not c.suitable)
    shown = []
    for candidate in candidates:
        view = MigrationTargetView.of(candidate.host, call)
        view.suitableformigration = view.hasenoughcapacity = candidate.suitable
        view.requiresStorageMotion = False
        shown.append(view)
    return page_of(shown, page)


@command("findStoragePoolsForMigration", view=StoragePoolView, many=True, roles=ADMINS, group="Storage Pool")
async def find_storage_pools_for_migration(
    call: Call, *, page: Page, id: Annotated[Volume, Param("the volume", access="operate")]
) -> Listed:
    """Lists the other primary storages of a volume's zone, first those that suit its offering and can take it now."""
    traits = call.manager.disks.traits(id)
    pools = [p for p in call.store.table(StoragePool).where("zone_id", id.zone_id) if p.id != id.pool_id and p.state == "Up"]
    shown = []
    for pool in pools:
        view = StoragePoolView.of(pool, call)
        try:
            call.manager.volume_migration.check(id, pool)
            view.suitableformigration = suits(pool, traits)
        except CloudError:
            view.suitableformigration = False
        shown.append(view)
    return page_of(sorted(shown, key=lambda view: not view.suitableformigration), page)
