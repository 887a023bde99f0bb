"""Instances that hosts run beside the cloud: listing them, taking them in, and letting go of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.unmanaged import Found
from cloudsim.management.compute.vm_import import ImportRequest
from cloudsim.management.network.vlans import vlan_number
from cloudsim.model import (
    Cluster,
    DiskOffering,
    GuestOs,
    Network,
    ServiceOffering,
    StoragePool,
    Template,
    VirtualMachine,
)
from cloudsim.protocol.specs import UnmanagedDisk, UnmanagedNic
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.commands.compute.deployment import number_in
from server.api.commands.compute.virtual_machine_views import VirtualMachineView
from server.api.commands.compute.virtual_machines import GROUP
from server.api.listing import Page, page_of
from server.api.ownership import Owner
from server.api.parameters import Param
from server.api.views import Long, View


class UnmanagedDiskView(View):
    """A disk of an instance that the cloud does not know."""

    id: Annotated[str | None, "what datadiskofferinglist calls it"] = None
    label: str | None = None
    capacity: Annotated[Long | None, "bytes"] = None
    controller: str | None = None
    position: int | None = None
    imagepath: str | None = None
    datastorename: Annotated[str | None, "the storage pool that it lies on"] = None
    datastorehost: str | None = None
    datastorepath: str | None = None
    datastoretype: str | None = None

    @classmethod
    def of(cls, row: UnmanagedDisk, call: Call) -> Self:
        view = cls(
            id=row.label,
            label=row.label,
            capacity=row.size,
            controller=row.bus,
            position=row.device,
            imagepath=row.path,
        )
        pool = call.store.table(StoragePool).get(row.pool_id)
        if pool is not None:
            view.datastorename, view.datastorehost = pool.name, pool.host_address
            view.datastorepath, view.datastoretype = pool.path, pool.type
        return view


class UnmanagedNicView(View):
    """A NIC of an instance that the cloud does not know."""

    id: Annotated[str | None, "what nicnetworklist and nicipaddresslist call it"] = None
    macaddress: str | None = None
    adaptertype: str | None = None
    networkname: Annotated[str | None, "the bridge that it is plugged into"] = None
    vlanid: int | None = None

    @classmethod
    def of(cls, row: UnmanagedNic, call: Call) -> Self:
        return cls(
            id=row.label,
            macaddress=row.mac,
            adaptertype=row.model,
            networkname=row.bridge or None,
            vlanid=vlan_number(row.vlan),
        )


class UnmanagedInstanceView(View):
    """An instance that a host runs and the cloud does not know."""

    entity: ClassVar[Any] = None
    key: ClassVar = "unmanagedinstance"

    name: str | None = None
    clusterid: str | None = None
    clustername: str | None = None
    hostid: str | None = None
    hostname: str | None = None
    hypervisor: str | None = None
    hypervisorversion: str | None = None
    powerstate: str | None = None
    cpunumber: int | None = None
    cpuspeed: Annotated[int | None, "MHz, where the hypervisor limits it"] = None
    memory: Annotated[int | None, "MiB"] = None
    osid: str | None = None
    osdisplayname: str | None = None
    disk: list[UnmanagedDiskView] | None = None
    nic: list[UnmanagedNicView] | None = None

    @classmethod
    def of(cls, row: Found, call: Call) -> Self:
        host, instance = row
        cluster = call.store.table(Cluster).get(host.cluster_id)
        guest_os = call.store.table(GuestOs).find("description", instance.guest_os)
        return cls(
            name=instance.name,
            clusterid=host.cluster_id,
            clustername=cluster.name if cluster is not None else None,
            hostid=host.id,
            hostname=host.name,
            hypervisor=host.hypervisor,
            hypervisorversion=host.hypervisor_version or None,
            powerstate=instance.state,
            cpunumber=instance.cpus,
            cpuspeed=instance.cpu_mhz or None,
            memory=instance.memory_mib,
            osid=guest_os.id if guest_os is not None else None,
            osdisplayname=instance.guest_os or None,
            disk=[UnmanagedDiskView.of(disk, call) for disk in instance.disks],
            nic=[UnmanagedNicView.of(nic, call) for nic in instance.nics],
        )


@command("listUnmanagedInstances", view=UnmanagedInstanceView, roles=ROOT, group=GROUP)
async def list_unmanaged_instances(
    call: Call, *, page: Page, clusterid: Cluster, name: str | None = None
) -> Listed:
    """Lists the instances on a cluster's hosts that the cloud does not know."""
    found = await call.manager.unmanaged.of(clusterid, name or None)
    return page_of([UnmanagedInstanceView.of(each, call) for each in found], page)


@command("importUnmanagedInstance", view=VirtualMachineView, job=True, roles=ROOT, group=GROUP)
async def import_unmanaged_instance(
    call: Call,
    *,
    owner: Owner,
    clusterid: Cluster,
    name: Annotated[str, Param("its name on its host")],
    serviceofferingid: ServiceOffering,
    templateid: Annotated[Template | None, Param("by default one that stands for none")] = None,
    displayname: str | None = None,
    hostname: Annotated[str | None, Param("by default its name on its host")] = None,
    nicnetworklist: Annotated[
        Sequence[Mapping[str, str]] | None, Param("nic and network; by default the network with its VLAN")
    ] = None,
    nicipaddresslist: Annotated[
        Sequence[Mapping[str, str]] | None, Param("nic and ip4Address: its address, or auto for a free one")
    ] = None,
    datadiskofferinglist: Annotated[
        Sequence[Mapping[str, str]] | None, Param("disk and diskOffering, for each disk but the root disk")
    ] = None,
    details: Annotated[
        Mapping[str, str] | None, Param("cpuSpeed of a customized offering, and others")
    ] = None,
    migrateallowed: Annotated[
        bool, Param("take it though host or storage lack its offerings' tags, and move it to a host with them")
    ] = False,
    forced: Annotated[bool, Param("give a NIC whose MAC is in use another one, from its next start")] = False,
) -> Job:
    """Takes in a running instance that the cloud does not know."""
    chosen = dict(details or {})
    for fixed in ("cpuNumber", "memory"):
        number_in(chosen, fixed)  # as they are
    networks = _pairs("nicnetworklist", nicnetworklist, "nic", "network")
    offerings = _pairs("datadiskofferinglist", datadiskofferinglist, "disk", "diskoffering")
    for network_id in networks.values():
        _named(call, Network, network_id)
    for offering_id in offerings.values():
        _named(call, DiskOffering, offering_id)
    request = ImportRequest(
        cluster=clusterid,
        name=name,
        owner=owner,
        offering=serviceofferingid,
        template=templateid,
        display_name=displayname or None,
        host_name=hostname or None,
        networks=networks,
        addresses=_pairs("nicipaddresslist", nicipaddresslist, "nic", "ip4address"),
        disk_offerings=offerings,
        cpu_mhz=number_in(chosen, "cpuSpeed"),
        details=chosen,
        mismatch=migrateallowed,
        forced=forced,
    )
    importing = call.manager.vm_import
    importing.check(request)
    return Job(lambda: importing.run(call.caller, request), queue=f"import {clusterid.id} {name}")


def _named(call: Call, row_type: type[Network] | type[DiskOffering], row_id: str) -> None:
    if call.resolve(row_type, row_id, "use") is None:
        raise InvalidParameterValue(f"Unable to find {row_type.__name__} {row_id}")


def _pairs(
    parameter: str, entries: Sequence[Mapping[str, str]] | None, key: str, value: str
) -> dict[str, str]:
    """A list of maps as one map: each entry has exactly `key` and `value`, in any case of letters."""
    found: dict[str, str] = {}
    for entry in entries or ():
        lowered = {name.lower(): text.strip() for name, text in entry.items()}
        if lowered.keys() != {key, value} or not all(lowered.values()):
            raise InvalidParameterValue(f"Each entry of {parameter} needs {key} and {value}")
        if lowered[key] in found:
            raise InvalidParameterValue(f"{parameter} names {lowered[key]} twice")
        found[lowered[key]] = lowered[value]
    return found


class UnmanageView(View):
    """How letting go of an instance went."""

    success: bool | None = None
    details: str | None = None
    hostid: Annotated[str | None, "where it goes on running"] = None


@command("unmanageVirtualMachine", view=UnmanageView, job=True, roles=ROOT, group=GROUP)
async def unmanage_virtual_machine(
    call: Call,
    *,
    id: VirtualMachine,
    forced: Annotated[bool, Param("although it has a config drive, which the cloud keeps", since="4.22.0")] = False,
) -> Job:
    """Lets go of a running instance: the cloud forgets it, and it goes on running."""
    unmanaged = call.manager.unmanaged
    unmanaged.check_unmanageable(id, forced=forced)

    async def work() -> View:
        gone: VirtualMachine = await unmanaged.unmanage(call.caller, id.id, forced=forced)
        return UnmanageView(success=True, hostid=gone.host_id)

    return Job(work, id)
