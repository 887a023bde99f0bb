"""The hypervisors that hosts can have, and what each can do."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.infrastructure.hypervisor_types import (
    EXTERNAL,
    HYPERVISORS,
    all_capabilities,
    change_capabilities,
)
from cloudsim.model import Cluster, Extension, HypervisorCapabilities, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import Long, View


class HypervisorView(View):
    """A kind of hypervisor."""

    key: ClassVar = "hypervisor"

    name: str | None = None


@command("listHypervisors", view=HypervisorView, group="Hypervisor")
async def list_hypervisors(call: Call, *, zoneid: Zone | None = None) -> Listed:
    """Lists the hypervisors of this cloud, or those that a zone has clusters of."""
    if zoneid is not None:
        names = list(
            dict.fromkeys(c.hypervisor for c in call.store.table(Cluster).where("zone_id", zoneid.id))
        )
    else:
        given = [name.strip().lower() for name in call.manager.settings.get("hypervisor.list").split(",")]
        if len(call.store.table(Extension)):  # which is what External hosts need
            given.append(EXTERNAL.lower())
        names = [name for name in HYPERVISORS if name.lower() in given]
    return Listed([HypervisorView(name=name) for name in names], len(names))


class HypervisorCapabilitiesView(View):
    """What a hypervisor can do."""

    key: ClassVar = "hypervisorCapabilities"

    id: str | None = None
    hypervisor: str | None = None
    hypervisorversion: str | None = None
    maxguestslimit: Long | None = None
    maxdatavolumeslimit: int | None = None
    maxhostspercluster: int | None = None
    securitygroupenabled: bool | None = None
    storagemotionenabled: bool | None = None
    vmsnapshotenabled: bool | None = None

    @classmethod
    def of(cls, row: HypervisorCapabilities, call: Call) -> Self:
        return cls(
            id=row.id,
            hypervisor=row.hypervisor,
            hypervisorversion=row.version,
            maxguestslimit=row.max_guests,
            maxdatavolumeslimit=row.max_data_volumes,
            maxhostspercluster=row.max_hosts_per_cluster,
            securitygroupenabled=row.security_groups,
            storagemotionenabled=row.storage_motion,
            vmsnapshotenabled=row.vm_snapshots,
        )


@command(
    "listHypervisorCapabilities",
    view=HypervisorCapabilitiesView,
    roles=ROOT,
    group="Hypervisor",
    since="3.0.0",
)
async def list_hypervisor_capabilities(
    call: Call,
    *,
    page: Page,
    id: Annotated[str | None, Param(type="uuid")] = None,
    hypervisor: str | None = None,
) -> Listed:
    """Lists what hypervisors can do."""
    rows = [
        each
        for each in all_capabilities(call.store)
        if id in (None, each.id) and (hypervisor is None or hypervisor.lower() == each.hypervisor.lower())
    ]
    return page_of(rows, page, search=("hypervisor",))


@command(
    "updateHypervisorCapabilities",
    view=HypervisorCapabilitiesView,
    roles=ROOT,
    group="Hypervisor",
    since="3.0.0",
)
async def update_hypervisor_capabilities(
    call: Call,
    *,
    id: Annotated[str | None, Param("its id; else hypervisor and hypervisorversion say which", type="uuid")] = None,
    hypervisor: str | None = None,
    hypervisorversion: str | None = None,
    maxdatavolumeslimit: Annotated[int | None, Param("the most data disks of an instance")] = None,
    storagemotionenabled: Annotated[bool | None, Param("whether disks move along with running instances")] = None,
    vmsnapshotenabled: Annotated[bool | None, Param("whether snapshots of instances can be taken")] = None,
) -> HypervisorCapabilities:
    """Limits what a hypervisor does from now on, or allows it again."""
    row = _named(call, id, hypervisor, hypervisorversion)
    return change_capabilities(
        call.store,
        row,
        max_data_volumes=maxdatavolumeslimit,
        storage_motion=storagemotionenabled,
        vm_snapshots=vmsnapshotenabled,
    )


def _named(call: Call, id: str | None, hypervisor: str | None, version: str | None) -> HypervisorCapabilities:
    known = all_capabilities(call.store)
    if id is not None:
        found = next((each for each in known if each.id == id), None)
        if found is None:
            raise InvalidParameterValue("unable to find the hypervisor capabilities by id")
        return found
    if hypervisor is None or version is None:
        raise InvalidParameterValue("either id, or hypervisor and hypervisorversion, must be specified")
    wanted = (hypervisor.lower(), version.lower())
    found = next((each for each in known if (each.hypervisor.lower(), each.version.lower()) == wanted), None)
    if found is None:
        raise InvalidParameterValue(f"nothing is known of hypervisor {hypervisor} in version {version}")
    return found
