"""DRS: plans that move instances within a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import AsyncJob, Cluster, DrsPlan, Host, VirtualMachine
from cloudsim.model.compute import DrsMigration
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import View, Wire

_STATES = {0: "IN_PROGRESS", 1: "SUCCEEDED", 2: "FAILED"}


class DrsMigrationView(View):
    """An instance that is to move."""

    virtualmachineid: str | None = None
    virtualmachinename: str | None = None
    sourcehostid: str | None = None
    sourcehostname: str | None = None
    destinationhostid: str | None = None
    destinationhostname: str | None = None
    jobid: str | None = None
    jobstatus: Annotated[str | None, "IN_PROGRESS, SUCCEEDED or FAILED"] = None  # type: ignore[assignment]

    @classmethod
    def of(cls, row: DrsMigration, call: Call) -> Self:
        vm = call.store.table(VirtualMachine).get(row.vm_id)
        hosts = call.store.table(Host)
        source, destination = hosts.get(row.source_id), hosts.get(row.destination_id)
        job = call.store.table(AsyncJob).get(row.job_id)
        return cls(
            virtualmachineid=row.vm_id,
            virtualmachinename=vm.name if vm is not None else None,
            sourcehostid=row.source_id,
            sourcehostname=source.name if source is not None else None,
            destinationhostid=row.destination_id,
            destinationhostname=destination.name if destination is not None else None,
            jobid=row.job_id,
            jobstatus=_STATES[job.status] if job is not None else None,
        )


class DrsPlanView(View):
    """A plan of migrations."""

    entity: ClassVar = DrsPlan
    key: ClassVar = "clusterdrsplan"

    id: Annotated[str | None, "absent until it is carried out"] = None
    migrations: list[DrsMigrationView] | None = None
    clusterid: str | None = None
    eventid: Annotated[str | None, "the event of its execution"] = None
    type: Annotated[str | None, "MANUAL or AUTOMATED", Wire("type")] = None
    status: Annotated[str | None, "UNDER_REVIEW, READY, IN_PROGRESS or COMPLETED", Wire("status")] = None

    @classmethod
    def of(cls, row: DrsPlan, call: Call) -> Self:
        return cls(
            id=row.id if row.status != "UNDER_REVIEW" else None,
            migrations=[DrsMigrationView.of(each, call) for each in row.migrations],
            clusterid=row.cluster_id,
            eventid=row.event_id,
            type=row.type,
            status=row.status,
        )


@command("generateClusterDrsPlan", view=DrsPlanView, roles=ROOT, group="Cluster", since="4.19.0")
async def generate_cluster_drs_plan(
    call: Call,
    *,
    id: Cluster,
    migrations: Annotated[int | None, Param("most instances to move; by default drs.max.migrations")] = None,
) -> DrsPlan:
    """Plans which instances of a cluster to move, by its settings drs.algorithm, drs.metric and drs.imbalance."""
    made: DrsPlan = call.manager.drs.generate(id, migrations)
    return made


@command(
    "executeClusterDrsPlan", view=DrsPlanView, roles=ROOT, job=True, group="Cluster", since="4.19.0"
)
async def execute_cluster_drs_plan(
    call: Call,
    *,
    id: Cluster,
    migrateto: Annotated[
        Sequence[Mapping[str, str]] | None, Param("each vm and host: an instance and its new host, by ids")
    ] = None,
) -> Job:
    """Moves instances of a cluster, each by a job of its own."""
    wanted: dict[str, str] = {}
    for entry in migrateto or ():
        instance, host = entry.get("vm", entry.get("key")), entry.get("host", entry.get("value"))
        if not instance or not host:
            raise InvalidParameterValue("Each entry of migrateto needs a vm and a host")
        wanted[instance] = host
    moves = call.manager.drs.check(id, wanted)

    async def work() -> DrsPlan:
        made: DrsPlan = call.manager.drs.execute(call.caller, id, moves, automatic=False)
        return made

    return Job(work, id)


@command("listClusterDrsPlan", view=DrsPlanView, many=True, roles=ROOT, group="Cluster", since="4.19.0")
async def list_cluster_drs_plan(
    call: Call, *, page: Page, id: DrsPlan | None = None, clusterid: Cluster | None = None
) -> Listed:
    """Lists the plans that were carried out."""
    table = call.store.table(DrsPlan)
    rows = list(table) if clusterid is None else table.where("cluster_id", clusterid.id)
    return page_of([row for row in rows if id is None or row.id == id.id][::-1], page, search=("cluster_id",))
