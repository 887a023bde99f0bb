"""How a host looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

from cloudsim.management.infrastructure.hosts import OS_CATEGORY
from cloudsim.model import Annotation, Cluster, GuestOsCategory, Host, StoragePool, User
from server.api.command import Call
from server.api.commands.infrastructure.capacity_view import (
    capacity_report,
    cluster_fields,
    pod_fields,
    zone_fields,
)
from server.api.commands.infrastructure.host_ha import HostHaView
from server.api.commands.infrastructure.management_servers import SERVER_ID, SERVER_NAME
from server.api.commands.infrastructure.out_of_band import OutOfBandView
from server.api.parameters import Param
from server.api.views import Date, Long, View, Wire, date

MIB = 1 << 20
HostDetails = Annotated[
    Sequence[Literal["all", "capacity", "events", "stats", "min"]],
    Param("what to show: all (default), capacity, stats, events (nothing more than min) or min"),
]
"""`capacity` is what is promised to instances, `stats` what they use; `min` what only the host's own row says."""


def show_parts(call: Call, details: Sequence[str]) -> None:
    """Have the hosts of this call show only the parts that `details` names; all where it names none."""
    call.cache["host parts"] = frozenset(details or ("all",))


def shows(call: Call, part: str) -> bool:
    """Whether hosts are to show that part; "all" is what belongs to no part of its own."""
    parts: frozenset[str] = call.cache.get("host parts", frozenset(("all",)))
    return "all" in parts or part in parts


class HostView(View):
    """A machine that runs instances."""

    entity: ClassVar = Host
    key: ClassVar = "host"

    id: str | None = None
    name: str | None = None
    state: Annotated[str | None, Wire("status"), "what its agent's connection shows"] = None
    type: Annotated[str | None, Wire("type")] = None
    disconnected: Date | None = None
    oscategoryid: str | None = None
    oscategoryname: str | None = None
    ipaddress: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    podid: str | None = None
    podname: str | None = None
    clusterid: str | None = None
    clustername: str | None = None
    clustertype: str | None = None
    version: str | None = None
    hypervisor: str | None = None
    hypervisorversion: str | None = None
    cpusockets: int | None = None
    cpunumber: int | None = None
    cpuspeed: Annotated[Long | None, "MHz of one core"] = None
    cpuwithoverprovisioning: Annotated[str | None, "MHz that may be promised"] = None
    cpuallocated: Annotated[str | None, "promised of what may be promised"] = None
    cpuallocatedvalue: Annotated[Long | None, "MHz promised"] = None
    cpuallocatedpercentage: str | None = None
    cpuallocatedwithoverprovisioning: str | None = None
    memorytotal: Annotated[Long | None, "bytes"] = None
    memorywithoverprovisioning: str | None = None
    memoryallocated: Annotated[Long | None, "bytes promised"] = None
    memoryallocatedbytes: Long | None = None
    memoryallocatedpercentage: str | None = None
    gputotal: Long | None = None
    gpuused: Long | None = None
    disksizetotal: Annotated[Long | None, "bytes of local storage"] = None
    disksizeallocated: Long | None = None
    capabilities: str | None = None
    lastpinged: Date | None = None
    managementserverid: str | None = None
    managementservername: str | None = None
    islocalstorageactive: bool | None = None
    created: Date | None = None
    hosttags: str | None = None
    explicithosttags: str | None = None
    istagarule: bool | None = None
    hasenoughcapacity: bool | None = None
    suitableformigration: bool | None = None
    hostha: HostHaView | None = None
    outofbandmanagement: OutOfBandView | None = None
    resourcestate: Annotated[str | None, "what the operator wants"] = None
    hahost: bool | None = None
    details: dict[str, str] | None = None
    ueficapability: bool | None = None
    encryptionsupported: bool | None = None
    instanceconversionsupported: bool | None = None
    arch: str | None = None
    hasannotations: bool | None = None
    annotation: Annotated[str | None, "the last comment on it"] = None
    lastannotated: Date | None = None
    username: Annotated[str | None, "who left it"] = None

    @classmethod
    def of(cls, row: Host, call: Call) -> Self:
        cluster = call.store.table(Cluster).get(row.cluster_id)
        category = call.store.table(GuestOsCategory).get(row.details.get(OS_CATEGORY))
        everything = shows(call, "all")
        tags = ",".join(row.tags) or None
        connected = call.manager.agents.is_connected(row.id)
        shown = cls(
            id=row.id,
            name=row.name,
            state=row.state,
            type="Routing",
            disconnected=date(row.disconnected),
            oscategoryid=category.id if category is not None else None,
            oscategoryname=category.name if category is not None else None,
            ipaddress=row.private_ip or None,
            clustertype=cluster.cluster_type if cluster is not None else None,
            version=row.version or None,
            hypervisor=row.hypervisor,
            hypervisorversion=row.hypervisor_version or None,
            cpusockets=row.sockets,
            cpunumber=row.cpus,
            cpuspeed=row.cpu_mhz,
            disksizetotal=row.local_storage,
            capabilities="hvm,snapshot",
            lastpinged=date(max(call.manager.agents.last_ping(row.id), row.last_pinged)),
            managementserverid=SERVER_ID if connected else None,
            managementservername=SERVER_NAME if connected else None,
            created=date(row.created),
            hosttags=tags,
            explicithosttags=tags,
            istagarule=False,
            hostha=_ha(row, call) if everything else None,
            outofbandmanagement=_out_of_band(row, call) if everything else None,
            resourcestate=row.resource_state,
            hahost=call.manager.capacity.failover_tag in row.tags,
            details=_details(row) if everything else None,
            ueficapability=False,
            encryptionsupported=False,
            instanceconversionsupported=False,
            arch=row.arch,
            **zone_fields(call, row.zone_id),
            **pod_fields(call, row.pod_id),
            **cluster_fields(call, row.cluster_id),
        )
        if shows(call, "capacity"):
            shown._capacity(row, call)
            shown._local_storage(row, call)
        if everything:
            shown._last_comment(row, call)
        return shown

    def _last_comment(self, row: Host, call: Call) -> None:
        comments = call.store.table(Annotation)
        if comments.count("entity_id", row.id):
            last = max(comments.where("entity_id", row.id), key=lambda comment: comment.created)
            author = call.store.table(User).get(last.user_id)
            self.annotation, self.lastannotated = last.text, date(last.created)
            self.username = author.username if author is not None else None

    def _capacity(self, row: Host, call: Call) -> None:
        hosts = call.manager.capacity
        slot = hosts.slot.get(row.id)
        if slot is None:
            return
        cpu, cpu_used = int(hosts.cpu_total[slot]), int(hosts.cpu_used[slot])
        memory, memory_used = int(hosts.memory_total[slot]), int(hosts.memory_used[slot])
        self.cpuwithoverprovisioning = str(cpu)
        self.cpuallocatedvalue = cpu_used
        self.cpuallocated = self.cpuallocatedpercentage = percent(cpu_used, row.cpus * row.cpu_mhz)
        self.cpuallocatedwithoverprovisioning = percent(cpu_used, cpu)
        self.memorytotal = row.memory_mib * MIB
        self.memorywithoverprovisioning = str(memory * MIB)
        self.memoryallocated = self.memoryallocatedbytes = memory_used * MIB
        self.memoryallocatedpercentage = percent(memory_used, memory)
        if row.gpus:
            free = hosts.gpu_free[slot, : row.gpus]
            self.gputotal = row.gpus
            self.gpuused = row.gpus - int((free == 1000).sum())

    def _local_storage(self, row: Host, call: Call) -> None:
        pools = call.store.table(StoragePool).where("host_id", row.id)
        self.islocalstorageactive = bool(pools)
        if pools:
            self.disksizeallocated = sum(capacity_report(call).promised(pool.id) for pool in pools)


def _details(row: Host) -> dict[str, str] | None:
    return {name: text for name, text in row.details.items() if name != OS_CATEGORY} or None


def _ha(row: Host, call: Call) -> HostHaView:
    configured = call.manager.host_ha.of(row)
    return HostHaView.of(configured, call) if configured else HostHaView(haenable=False, hastate="Disabled")


def _out_of_band(row: Host, call: Call) -> OutOfBandView:
    configured = call.manager.out_of_band.of(row)
    return OutOfBandView.of(configured, call) if configured else OutOfBandView(enabled=False, powerstate="Disabled")


def percent(part: int, whole: int) -> str:
    """As `12.34%`."""
    return f"{100 * part / whole if whole else 0:.2f}%"
