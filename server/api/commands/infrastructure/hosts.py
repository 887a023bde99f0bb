"""Hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.infrastructure.hypervisor_types import SPELLED
from cloudsim.model import Cluster, GuestOsCategory, Host, Pod, VirtualMachine, Zone
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.commands.infrastructure.host_view import HostDetails, HostView, show_parts
from server.api.commands.infrastructure.management_servers import SERVER_ID
from server.api.listing import Page, listed, page_of
from server.api.parameters import Param, one_of
from server.api.views import Long, View

GROUP = "Host"


@command("addHost", view=HostView, many=True, roles=ROOT, group=GROUP, event="HOST.CREATE")
async def add_host(
    call: Call,
    *,
    zoneid: Zone,
    podid: Pod,
    url: Annotated[str, Param("where the host is")],
    hypervisor: Annotated[str, Param("Simulator, KVM, ...")],
    clusterid: Cluster | None = None,
    clustername: Annotated[str | None, Param("the cluster by name; made if the pod has none such")] = None,
    username: str = "",
    password: str = "",
    allocationstate: Literal["Enabled", "Disabled"] = "Enabled",
    hosttags: Sequence[str] | None = None,
    externaldetails: Annotated[
        Mapping[str, str] | None,
        Param(
            "of an External host: what its extension's program is told of it; cpucores, cpuspeed (MHz) and memory (MiB) "
            "say how much fits on it",
            since="4.21.0",
        ),
    ] = None,
) -> Sequence[Host]:
    """Adds a host."""
    if clusterid is None:
        clusterid = _cluster_named(call, zoneid, podid, clustername, hypervisor)
    elif clustername:
        raise InvalidParameterValue("Can't specify cluster by both id and name")
    host = await call.manager.hosts.add(
        zoneid,
        podid,
        clusterid,
        url=url,
        username=username,
        password=password,
        hypervisor=hypervisor,
        tags=hosttags or (),
        enabled=allocationstate == "Enabled",
        external=externaldetails,
    )
    return [host]


def _cluster_named(call: Call, zone: Zone, pod: Pod, name: str | None, hypervisor: str) -> Cluster:
    if not name:
        raise InvalidParameterValue("Must specify cluster id or name when adding a host")
    found = call.store.table(Cluster).find(("pod_id", "name"), (pod.id, name))
    if found is not None:
        return found
    cluster: Cluster = call.manager.clusters.create(zone, pod, name=name, hypervisor=hypervisor)
    return cluster


@command("updateHost", view=HostView, roles=ROOT, group=GROUP, event="HOST.EDIT")
async def update_host(
    call: Call,
    *,
    id: Host,
    name: str | None = None,
    allocationstate: Annotated[str | None, one_of("Enable", "Disable")] = None,
    hosttags: Sequence[str] | None = None,
    istagarule: bool = False,
    oscategoryid: GuestOsCategory | None = None,
    url: str | None = None,
    annotation: Annotated[str | None, Param("a comment to leave on it", since="4.11")] = None,
    externaldetails: Annotated[
        Mapping[str, str] | None, Param("what its extension's program is told of it, from now on", since="4.21.0")
    ] = None,
    cleanupexternaldetails: Annotated[bool, Param("whether the program is told nothing of it")] = False,
) -> Host:
    """Changes a host."""
    if externaldetails and cleanupexternaldetails:
        raise InvalidParameterValue("externaldetails and cleanupexternaldetails exclude each other")
    if istagarule:
        raise InvalidParameterValue("Tags that are rules are not supported: give the tags themselves")
    allocation = None
    if allocationstate is not None:
        words = {"enable": "Enabled", "enabled": "Enabled", "disable": "Disabled", "disabled": "Disabled"}
        allocation = words.get(allocationstate.lower())
        if allocation is None:
            raise InvalidParameterValue(f"Invalid allocationstate {allocationstate}: it is Enable or Disable")
    if hosttags is None and call.fields.get("hosttags") == "":
        hosttags = ()
    if annotation is not None:
        call.manager.annotations.add(call.caller, "HOST", id.id, annotation, False)
    host: Host = call.manager.hosts.update(
        id,
        name=name,
        allocation=allocation,
        tags=hosttags,
        os_category=oscategoryid,
        url=url,
        external={} if cleanupexternaldetails else externaldetails,
    )
    return host


@command("deleteHost", roles=ROOT, group=GROUP, event="HOST.DELETE")
async def delete_host(
    call: Call,
    *,
    id: Host,
    forced: Annotated[bool, Param("with instances on it: stop them")] = False,
    forcedestroylocalstorage: Annotated[
        bool, Param("first expunge the instances that have disks on its own storage, and the volumes there")
    ] = False,
) -> None:
    """Deletes a host."""
    if forcedestroylocalstorage:
        call.manager.local_storage.check(id)
        await call.manager.local_storage.destroy_on(call.caller, id)
    await call.manager.hosts.delete(id, forced=forced)


@command("reconnectHost", view=HostView, job=True, roles=ROOT, group=GROUP, event="HOST.RECONNECT")
async def reconnect_host(call: Call, *, id: Host) -> Job:
    """Has a host's agent connect anew."""
    return Job(lambda: call.manager.hosts.reconnect(id), id)


@command("prepareHostForMaintenance", view=HostView, job=True, roles=ROOT, group=GROUP, event="MAINT.PREPARE")
async def prepare_host_for_maintenance(call: Call, *, id: Host) -> Job:
    """Moves all instances off a host, for maintenance."""
    call.manager.hosts.check_maintenance(id)
    return Job(lambda: call.manager.hosts.enter_maintenance(id), id)


@command("cancelHostMaintenance", view=HostView, job=True, roles=ROOT, group=GROUP, event="MAINT.CANCEL")
async def cancel_host_maintenance(call: Call, *, id: Host) -> Job:
    """Takes a host back into service after maintenance."""
    call.manager.hosts.check_in_maintenance(id)

    async def work() -> Host:
        host: Host = call.manager.hosts.leave_maintenance(id)
        return host

    return Job(work, id, queue=f"cancel {id.id}")


async def list_hosts(
    call: Call,
    *,
    page: Page,
    id: Host | None = None,
    name: str | None = None,
    zoneid: Zone | None = None,
    podid: Pod | None = None,
    clusterid: Cluster | None = None,
    type: Annotated[str | None, Param("Routing is the only type")] = None,
    state: Annotated[str | None, Param("Up, Down, Alert, Disconnected, ...")] = None,
    resourcestate: Annotated[str | None, Param("Enabled, Disabled, Maintenance, ...")] = None,
    hypervisor: Annotated[str | None, Param("Simulator, KVM, ...; any other word is no condition")] = None,
    arch: str | None = None,
    hahost: Annotated[
        bool | None, Param("those with the tag of the setting ha.tag, which are kept free for failover; or the others")
    ] = None,
    virtualmachineid: Annotated[
        VirtualMachine | None, Param("the other hosts of the cluster where that instance is")
    ] = None,
    managementserverid: Annotated[str | None, Param(type="uuid")] = None,
    outofbandmanagementenabled: bool = False,
    outofbandmanagementpowerstate: str | None = None,
    details: HostDetails = (),
) -> Listed:
    """Lists hosts."""
    show_parts(call, details)
    agents = call.manager.agents
    if type is not None and type.lower() != "routing":
        return Listed([], 0)
    if managementserverid not in (None, SERVER_ID):
        return Listed([], 0)
    known = hypervisor if hypervisor and hypervisor.lower() in SPELLED else None
    words = (("state", state), ("resource_state", resourcestate), ("hypervisor", known), ("arch", arch))
    wanted = [(field, text.lower()) for field, text in words if text]
    here: Host | None = None
    if virtualmachineid is not None:
        here = call.store.table(Host).get(virtualmachineid.host_id or virtualmachineid.last_host_id)
        if here is None:
            return Listed([], 0)
    power = outofbandmanagementpowerstate and outofbandmanagementpowerstate.lower()

    failover_tag = call.manager.capacity.failover_tag

    def keep(host: Host) -> bool:
        if hahost is not None and (failover_tag in host.tags) is not hahost:
            return False
        if here is not None and (host.cluster_id != here.cluster_id or host.id == here.id):
            return False
        if managementserverid is not None and not agents.is_connected(host.id):
            return False
        if outofbandmanagementenabled or power:
            configured = call.manager.out_of_band.of(host)
            if outofbandmanagementenabled and not (configured and configured.enabled):
                return False
            if power and power != (configured.power_state.lower() if configured else "disabled"):
                return False
        return all(getattr(host, field).lower() == text for field, text in wanted)

    unneeded = hahost is None and not (
        here or managementserverid or wanted or outofbandmanagementenabled or power
    )
    return listed(
        call,
        Host,
        page=page,
        ids=None if id is None else [id],
        equal={
            "name": name,
            "zone_id": zoneid and zoneid.id,
            "pod_id": podid and podid.id,
            "cluster_id": clusterid and clusterid.id,
        },
        keep=None if unneeded else keep,
    )


command("listHosts", view=HostView, roles=ROOT, group=GROUP)(list_hosts)


class HostTagView(View):
    """A tag that hosts have."""

    key: ClassVar = "hosttag"

    id: str | None = None
    hostid: Long | None = None
    name: str | None = None
    isimplicit: bool | None = None


@command("listHostTags", view=HostTagView, roles=ROOT, group=GROUP)
async def list_host_tags(call: Call, *, page: Page) -> Listed:
    """Lists the tags that hosts have."""
    names = dict.fromkeys(tag for host in call.store.table(Host) for tag in host.tags)
    return page_of([HostTagView(id=name, name=name, isimplicit=False) for name in names], page)
