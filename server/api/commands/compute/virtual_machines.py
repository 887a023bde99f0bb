"""Deploying instances and listing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import (
    AffinityGroup,
    BackupOffering,
    Cluster,
    Extension,
    Host,
    InstanceGroup,
    Network,
    Nic,
    Pod,
    SecurityGroup,
    ServiceOffering,
    Snapshot,
    StoragePool,
    Template,
    User,
    UserData,
    VirtualMachine,
    Volume,
    Vpc,
    Zone,
)
from server.api.command import Call, Job, Listed, command
from server.api.commands.compute.deployed_disks import data_disks
from server.api.commands.compute.deployment import Deployment, Source, deployed, prepared
from server.api.commands.compute.virtual_machine_views import (
    MinimalVirtualMachineView,
    Part,
    VirtualMachineView,
    show_parts,
)
from server.api.listing import OnlyCount, Page, Tags, counted, listed
from server.api.ownership import Owner
from server.api.parameters import Param
from server.api.scope import Scope, asks_itself, of_users
from server.api.views import View

GROUP = "Virtual Machine"


@command("deployVirtualMachine", view=VirtualMachineView, job=True, creates=VirtualMachine, group=GROUP)
async def deploy_virtual_machine(
    call: Call,
    *,
    owner: Owner,
    zoneid: Zone,
    serviceofferingid: ServiceOffering,
    templateid: Annotated[Template | None, Param("a template, or an ISO to install from")] = None,
    snapshotid: Annotated[
        Snapshot | None, Param("of a root disk, to start from instead", access="operate", since="4.21")
    ] = None,
    volumeid: Annotated[
        Volume | None, Param("detached, to be its root disk instead", access="operate", since="4.21")
    ] = None,
    asked: Deployment,
) -> Job:
    """Makes an instance of a template and an offering, and starts it."""
    if templateid is None and snapshotid is None and volumeid is None:
        raise InvalidParameterValue(
            "Unable to execute API command deployvirtualmachine due to missing parameter templateid"
        )
    iso = templateid is not None and templateid.format == "ISO"
    runs_on = call.manager.world.hypervisor if iso or templateid is None else templateid.hypervisor
    origin = templateid or call.store.table(Template).get((snapshotid or volumeid).template_id)  # type: ignore[union-attr]
    made = prepared(
        call,
        asked,
        owner=owner,
        zone=zoneid,
        offering=serviceofferingid,
        source=Source(origin, runs_on),
        template_id=templateid.id if templateid else None,
        snapshot_id=snapshotid.id if snapshotid else None,
        volume_id=volumeid.id if volumeid else None,
        data_disks=data_disks(call, asked.diskofferingid, asked.size, asked.datadisksdetails, iso=iso),
    )
    return deployed(call, asked, made, origin)


@command("listVirtualMachines", view=VirtualMachineView, group=GROUP)
async def list_virtual_machines(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: VirtualMachine | None = None,
    ids: Sequence[VirtualMachine] | None = None,
    name: str | None = None,
    state: str | None = None,
    zoneid: Zone | None = None,
    podid: Pod | None = None,
    clusterid: Cluster | None = None,
    hostid: Host | None = None,
    storageid: StoragePool | None = None,
    networkid: Network | None = None,
    vpcid: Annotated[Vpc | None, Param("those on tiers of that VPC")] = None,
    forvirtualnetwork: Annotated[
        bool | None, Param("those with a NIC on an isolated network, or for false those without")
    ] = None,
    groupid: InstanceGroup | None = None,
    templateid: Template | None = None,
    extensionid: Annotated[Extension | None, Param("those that it makes", since="4.21.0")] = None,
    isoid: Template | None = None,
    serviceofferingid: ServiceOffering | None = None,
    affinitygroupid: AffinityGroup | None = None,
    backupofferingid: BackupOffering | None = None,
    securitygroupid: SecurityGroup | None = None,
    userid: User | None = None,
    keypair: str | None = None,
    hypervisor: str | None = None,
    displayvm: bool | None = None,
    haenable: bool | None = None,
    gpuenabled: bool | None = None,
    leased: Annotated[bool | None, Param("true: those that have a lease", since="4.21.0")] = None,
    userdata: Annotated[bool, Param("show the user data, too")] = False,
    userdataid: UserData | None = None,
    arch: Literal["x86_64", "aarch64", "s390x"] | None = None,
    details: Annotated[
        Sequence[Part],
        Param("what to show: all (default), some parts, or min for what the instance's own row says"),
    ] = (),
    accumulate: Annotated[bool | None, Param("add up what is kept of measurements; by default a setting says")] = None,
    retrieveonlyresourcecount: OnlyCount = False,
    tags: Tags | None = None,
) -> Listed:
    """Lists instances."""
    show_parts(call, details)
    call.cache["accumulate"] = (
        accumulate if accumulate is not None else call.manager.settings.boolean("vm.stats.increment.metrics")
    )
    wanted: list[VirtualMachine] | None = (
        None if id is None and not ids else [*([id] if id else []), *(ids or [])]
    )
    for narrower in (
        _on_network(call, networkid),
        _in_vpc(call, vpcid),
        _of_extension(call, extensionid),
        _on_pool(call, storageid),
        _in_cluster(call, clusterid),
        _in_group(call, affinitygroupid),
        call.manager.vm_leases.all() if leased else None,
        None if securitygroupid is None else list(call.manager.security_members.of(securitygroupid.id)),
    ):
        if narrower is not None:
            found = set(narrower)
            wanted = [vm for vm in wanted if vm.id in found] if wanted is not None else _rows(call, narrower)
    tests: list[Callable[[VirtualMachine], bool]] = []
    if asks_itself(call):
        tests.append(lambda vm: vm.type == "User")
    if keypair is not None:
        tests.append(lambda vm: keypair in vm.key_pairs)
    if hypervisor is not None:
        tests.append(lambda vm: vm.hypervisor.lower() == hypervisor.lower())
    if gpuenabled is not None:
        tests.append(lambda vm: bool(vm.gpus) == gpuenabled)
    if forvirtualnetwork is not None:
        tests.append(lambda vm: _is_on_isolated(call, vm) == forvirtualnetwork)
    if leased is False:
        tests.append(lambda vm: call.manager.vm_leases.of(vm) is None)
    if arch is not None:
        templates = call.store.table(Template)
        tests.append(lambda vm: (t := templates.get(vm.template_id)) is not None and t.arch == arch)
    if state is not None and state.lower() == "present":
        tests.append(lambda vm: vm.state not in ("Destroyed", "Expunging"))
        state = None
    answer = listed(
        call,
        VirtualMachine,
        page=page,
        scope=of_users(call, scope),
        ids=wanted,
        equal={
            "name": name,
            "state": state.capitalize() if state is not None else None,
            "zone_id": zoneid.id if zoneid else None,
            "pod_id": podid.id if podid else None,
            "host_id": hostid.id if hostid else None,
            "group_id": groupid.id if groupid else None,
            "template_id": templateid.id if templateid else None,
            "iso_id": isoid.id if isoid else None,
            "service_offering_id": serviceofferingid.id if serviceofferingid else None,
            "user_id": userid.id if userid else None,
            "backup_offering_id": backupofferingid.id if backupofferingid else None,
            "user_data_id": userdataid.id if userdataid else None,
            "display": displayvm,
            "ha_enabled": haenable,
        },
        keep=(lambda vm: all(test(vm) for test in tests)) if tests else None,
        search=("name", "display_name", "instance_name", "state"),
        tags=tags,
        newest_first=True,
    )
    if retrieveonlyresourcecount:
        return counted(answer, True)
    if set(details) == {"min"} and not userdata and call.command.view is VirtualMachineView:
        rows: list[View] = [MinimalVirtualMachineView.of(vm, call) for vm in answer.rows]
        return Listed(rows, answer.total)
    if userdata:
        shown = []
        for vm in answer.rows:
            view = (call.command.view or VirtualMachineView).of(vm, call)
            assert isinstance(view, VirtualMachineView)
            view.userdata = vm.user_data
            shown.append(view)
        return Listed(shown, answer.total)
    return answer


def _rows(call: Call, ids: Sequence[str]) -> list[VirtualMachine]:
    table = call.store.table(VirtualMachine)
    return [vm for vm in (table.get(vm_id) for vm_id in ids) if vm is not None]


def _in_cluster(call: Call, cluster: Cluster | None) -> list[str] | None:
    if cluster is None:
        return None
    hosts, vms = call.store.table(Host), call.store.table(VirtualMachine)
    return [vm_id for host_id in hosts.ids("cluster_id", cluster.id) for vm_id in vms.ids("host_id", host_id)]


def _on_network(call: Call, network: Network | None) -> list[str] | None:
    if network is None:
        return None
    return [nic.vm_id for nic in call.store.table(Nic).where("network_id", network.id)]


def _in_vpc(call: Call, vpc: Vpc | None) -> list[str] | None:
    if vpc is None:
        return None
    tiers = call.store.table(Network).where("vpc_id", vpc.id)
    return list(dict.fromkeys(vm_id for tier in tiers for vm_id in _on_network(call, tier) or ()))


def _is_on_isolated(call: Call, vm: VirtualMachine) -> bool:
    networks = (call.store.table(Network).get(nic.network_id) for nic in call.store.table(Nic).where("vm_id", vm.id))
    return any(network is not None and network.guest_type == "Isolated" for network in networks)


def _of_extension(call: Call, extension: Extension | None) -> list[str] | None:
    if extension is None:
        return None
    templates, vms = call.store.table(Template), call.store.table(VirtualMachine)
    return [
        vm_id
        for template_id in templates.ids("extension_id", extension.id)
        for vm_id in vms.ids("template_id", template_id)
    ]


def _on_pool(call: Call, pool: StoragePool | None) -> list[str] | None:
    if pool is None:
        return None
    return [v.vm_id for v in call.store.table(Volume).where("pool_id", pool.id) if v.vm_id is not None]


def _in_group(call: Call, group: AffinityGroup | None) -> list[str] | None:
    members: Any = call.manager.affinity.members(group.id) if group is not None else None
    return None if members is None else [vm.id for vm in members]
