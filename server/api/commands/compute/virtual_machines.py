"""Deploying instances and listing them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.deploy_request import DeployRequest, NicRequest
from cloudsim.management.compute.linked_user_data import with_linked
from cloudsim.management.compute.user_data import MAX_BYTES, checked
from cloudsim.management.compute.vm_hardware import BootMode, BootType, boot_details, check_hardware
from cloudsim.management.extensions.payloads import kept
from cloudsim.management.network.dhcp_options import of_networks
from cloudsim.management.storage.volume_sizes import GIB
from cloudsim.model import (
    Account,
    AffinityGroup,
    BackupOffering,
    Cluster,
    DiskOffering,
    Host,
    InstanceGroup,
    Network,
    Nic,
    Pod,
    ResourceTag,
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
from cloudsim.protocol.details import IO_POLICY, IO_THREADS, NIC_PACKED, NIC_QUEUES
from server.api.command import Call, Job, Listed, command
from server.api.commands.compute.deployed_disks import data_disks
from server.api.commands.compute.virtual_machine_views import (
    MinimalVirtualMachineView,
    Part,
    VirtualMachineView,
    show_parts,
    with_password,
)
from server.api.listing import OnlyCount, Page, Tags, counted, listed
from server.api.ownership import Owner
from server.api.parameters import Long, Param
from server.api.scope import Scope, of_users
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
    name: Annotated[str | None, Param("its host name")] = None,
    displayname: str | None = None,
    networkids: Annotated[Sequence[Network] | None, Param("its networks, the default one first")] = None,
    ipaddress: Annotated[str | None, Param("its address on the default network")] = None,
    ip6address: Annotated[
        str | None, Param("its IPv6 address on the default network, a shared one; by default that of its MAC")
    ] = None,
    macaddress: Annotated[str | None, Param("the MAC of its default NIC")] = None,
    iptonetworklist: Annotated[
        Sequence[Mapping[str, str]] | None, Param("networkid with ip, ipv6 and mac, instead of networkids")
    ] = None,
    dhcpoptionsnetworklist: Annotated[
        Sequence[Mapping[str, str]] | None,
        Param("further DHCP options: networkid, and dhcp:NUMBER or dhcp:NAME with a value for each"),
    ] = None,
    diskofferingid: Annotated[
        DiskOffering | None, Param("a data disk to make with it; with an ISO, its root disk")
    ] = None,
    size: Annotated[Long | None, Param("GiB of that data disk, where its offering leaves it open")] = None,
    datadisksdetails: Annotated[
        Sequence[Mapping[str, str]] | None,
        Param("data disks: each diskofferingid, with size (GiB), miniops, maxiops and deviceid", since="4.21.0"),
    ] = None,
    rootdisksize: Annotated[Long | None, Param("GiB of the root disk, if larger than the template")] = None,
    overridediskofferingid: Annotated[
        DiskOffering | None, Param("what kind of root disk, instead of what its service offering says", since="4.17")
    ] = None,
    hypervisor: str | None = None,
    group: Annotated[str | None, Param("the instance group to put it in")] = None,
    userdata: Annotated[str | None, Param("base64", length=MAX_BYTES)] = None,
    userdataid: UserData | None = None,
    keypair: Annotated[str | None, Param("the name of an SSH key pair")] = None,
    keypairs: Annotated[Sequence[str] | None, Param("names of SSH key pairs")] = None,
    podid: Annotated[Pod | None, Param("where to put it; root admins only")] = None,
    clusterid: Annotated[Cluster | None, Param("where to put it; root admins only")] = None,
    hostid: Annotated[Host | None, Param("where to put it; root admins only")] = None,
    deploymentplanner: Annotated[str | None, Param("the placement policy; root admins only")] = None,
    startvm: bool = True,
    affinitygroupids: Annotated[Sequence[AffinityGroup] | None, Param(access="use")] = None,
    affinitygroupnames: Sequence[str] | None = None,
    securitygroupids: Sequence[SecurityGroup] | None = None,
    securitygroupnames: Sequence[str] | None = None,
    displayvm: bool = True,
    password: Annotated[
        str | None, Param("for its guest to set, where its template is password enabled; by default a random one")
    ] = None,
    boottype: BootType | None = None,
    bootmode: Annotated[BootMode | None, Param("SECURE for secure boot, with boottype UEFI")] = None,
    bootintosetup: Annotated[bool, Param("not on these hypervisors")] = False,
    dynamicscalingenabled: Annotated[bool, Param("whether it may be scaled while it runs")] = True,
    iothreadsenabled: Annotated[bool, Param("threads of their own for its disks' I/O")] = False,
    iodriverpolicy: Literal["native", "threads", "io_uring", "storage_specific"] | None = None,
    nicmultiqueuenumber: Annotated[
        int | None, Param("queues of its NICs; -1 for as many as vCPUs", since="4.18")
    ] = None,
    nicpackedvirtqueuesenabled: Annotated[
        bool, Param("whether its NICs have packed queues", since="4.18")
    ] = False,
    copyimagetags: Annotated[bool, Param("give it the tags of its template", since="4.13")] = False,
    customid: Annotated[str | None, Param("the UUID that it gets; root admins only")] = None,
    details: Annotated[
        Mapping[str, str] | None, Param("cpuNumber, cpuSpeed, memory of a customized offering, and others")
    ] = None,
    externaldetails: Annotated[
        Mapping[str, str] | None, Param("what the program of an extension is told of it", since="4.21.0")
    ] = None,
) -> Job:
    """Makes an instance of a template and an offering, and starts it."""
    manager = call.manager
    if templateid is None and snapshotid is None and volumeid is None:
        raise InvalidParameterValue(
            "Unable to execute API command deployvirtualmachine due to missing parameter templateid"
        )
    iso = templateid is not None and templateid.format == "ISO"
    runs_on = manager.world.hypervisor if iso or templateid is None else templateid.hypervisor
    if hypervisor is not None and hypervisor.lower() != runs_on.lower():
        raise InvalidParameterValue(f"hypervisor {hypervisor} is not that of what it starts from, which is {runs_on}")
    if (podid or clusterid or hostid or deploymentplanner) and not call.caller.is_root_admin:
        raise PermissionDenied(
            "Only a root admin can say with podid, clusterid, hostid or deploymentplanner where an instance goes"
        )
    if deploymentplanner is not None:
        manager.planner.policy(deploymentplanner)
    if userdata and userdataid is not None:
        raise InvalidParameterValue("Parameters userdata and userdataid exclude each other")
    if bootintosetup:
        raise InvalidParameterValue(
            f"Booting into a hardware setup menu is not implemented on {runs_on}"
        )
    chosen = dict(details or {}) | kept(externaldetails) | boot_details(boottype, bootmode)
    if iothreadsenabled:
        chosen[IO_THREADS] = "true"
    if iodriverpolicy is not None:
        chosen[IO_POLICY] = iodriverpolicy
    if nicmultiqueuenumber is not None:
        chosen[NIC_QUEUES] = str(nicmultiqueuenumber)
    if nicpackedvirtqueuesenabled:
        chosen[NIC_PACKED] = "true"
    check_hardware(chosen)
    origin = templateid or call.store.table(Template).get((snapshotid or volumeid).template_id)  # type: ignore[union-attr]
    given = manager.vm_passwords.for_template(origin, password)
    own = userdataid.user_data if userdataid is not None else checked(userdata) if userdata else None
    user_data, user_data_id = with_linked(
        manager.foundation, origin, own, userdataid.id if userdataid is not None else None
    )
    request = DeployRequest(
        zone_id=zoneid.id,
        id=custom_id(call, customid),
        template_id=templateid.id if templateid else None,
        snapshot_id=snapshotid.id if snapshotid else None,
        volume_id=volumeid.id if volumeid else None,
        service_offering_id=serviceofferingid.id,
        hypervisor=runs_on,
        owner=owner,
        name=name or None,
        display_name=displayname or None,
        nics=_nics(networkids, iptonetworklist, ipaddress, ip6address, macaddress),
        dhcp_options=of_networks(dhcpoptionsnetworklist or (), "dhcpoptionsnetworklist"),
        root_size=rootdisksize * GIB if rootdisksize is not None else None,
        root_offering_id=overridediskofferingid.id if overridediskofferingid else None,
        root_iops=(_number(chosen, "minIops"), _number(chosen, "maxIops")),
        data_disks=data_disks(call, diskofferingid, size, datadisksdetails, iso=iso),
        cpus=_number(chosen, "cpuNumber"),
        cpu_mhz=_number(chosen, "cpuSpeed"),
        memory_mib=_number(chosen, "memory"),
        key_pairs=tuple(dict.fromkeys([*([keypair] if keypair else []), *(keypairs or [])])),
        user_data=user_data,
        user_data_id=user_data_id,
        affinity_group_ids=_group_ids(call, owner.id, affinitygroupids, affinitygroupnames),
        security_groups=security_groups_named(call, owner, securitygroupids, securitygroupnames) or (),
        group=group or None,
        display=displayvm,
        dynamic_scaling=dynamicscalingenabled,
        password=given,
        details=chosen,
    )
    vm = manager.vms.allocate(call.caller, request)
    if copyimagetags and origin is not None:
        tags = {tag.key: tag.value for tag in call.store.table(ResourceTag).where("resource_id", origin.id)}
        manager.tags.create(call.caller, "UserVm", [vm], tags)

    async def work() -> View:
        if not startvm:
            return with_password(call, await manager.vms.left_stopped(call.caller, vm.id), given)
        started = await manager.vms.start_first(
            call.caller,
            vm.id,
            pod_id=podid.id if podid else None,
            cluster_id=clusterid.id if clusterid else None,
            host_id=hostid.id if hostid else None,
            planner=deploymentplanner,
        )
        return with_password(call, started, given)

    return Job(work, vm)


def custom_id(call: Call, text: str | None) -> str | None:
    """The UUID that a root admin wants a new row to have."""
    if not text:
        return None
    if not call.caller.is_root_admin:
        raise PermissionDenied("Only a root admin may give a customid")
    try:
        return str(UUID(text))
    except ValueError:
        raise InvalidParameterValue(f"customid must be a UUID, not {text[:40]!r}") from None


def _nics(
    networks: Sequence[Network] | None,
    listed_nics: Sequence[Mapping[str, str]] | None,
    ip: str | None,
    ip6: str | None,
    mac: str | None,
) -> tuple[NicRequest, ...]:
    if listed_nics:
        if networks:
            raise InvalidParameterValue("Parameters networkids and iptonetworklist exclude each other")
        found = []
        for entry in listed_nics:
            if "networkid" not in entry:
                raise InvalidParameterValue("Each entry of iptonetworklist needs a networkid")
            own = (entry.get(name) or None for name in ("ip", "mac", "ipv6"))
            found.append(NicRequest(entry["networkid"], *own))
        return tuple(found)
    if not networks:
        if ip or ip6 or mac:
            raise InvalidParameterValue("ipaddress, ip6address and macaddress need networkids")
        return ()
    first, *rest = networks
    return (NicRequest(first.id, ip or None, mac or None, ip6 or None), *(NicRequest(n.id) for n in rest))


def _number(details: dict[str, str], name: str) -> int | None:
    """Take the number called `name`, in any case of letters, out of the details."""
    for key in list(details):
        if key.lower() == name.lower():
            text = details.pop(key).strip()
            if not text:
                return None
            if not re.fullmatch(r"[+-]?[0-9]{1,18}", text, re.ASCII):
                raise InvalidParameterValue(f"{name} in details must be a number, not {text[:40]!r}")
            return int(text)
    return None


def _group_ids(
    call: Call, owner_id: str, groups: Sequence[AffinityGroup] | None, names: Sequence[str] | None
) -> tuple[str, ...]:
    if groups and names:
        raise InvalidParameterValue("Parameters affinitygroupids and affinitygroupnames exclude each other")
    found = [group.id for group in groups or ()]
    for name in names or ():
        group = call.store.table(AffinityGroup).find(("account_id", "name"), (owner_id, name))
        if group is None:
            raise InvalidParameterValue(f"Unable to find affinity group {name}")
        found.append(group.id)
    return tuple(found)


def security_groups_named(
    call: Call, owner: Account, groups: Sequence[SecurityGroup] | None, names: Sequence[str] | None
) -> tuple[SecurityGroup, ...] | None:
    """The security groups that a call names by id or name; None where it names none."""
    if groups and names:
        raise InvalidParameterValue("securitygroupids parameter is mutually exclusive with securitygroupnames parameter")
    if groups is None and names is None:
        return None
    return (*(groups or ()), *(call.manager.security_groups.of_name(owner, name) for name in names or ()))


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
    groupid: InstanceGroup | None = None,
    templateid: Template | None = None,
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
        _on_pool(call, storageid),
        _in_cluster(call, clusterid),
        _in_group(call, affinitygroupid),
        None if securitygroupid is None else list(call.manager.security_members.of(securitygroupid.id)),
    ):
        if narrower is not None:
            found = set(narrower)
            wanted = [vm for vm in wanted if vm.id in found] if wanted is not None else _rows(call, narrower)
    tests: list[Callable[[VirtualMachine], bool]] = []
    if keypair is not None:
        tests.append(lambda vm: keypair in vm.key_pairs)
    if hypervisor is not None:
        tests.append(lambda vm: vm.hypervisor.lower() == hypervisor.lower())
    if gpuenabled is not None:
        tests.append(lambda vm: bool(vm.gpus) == gpuenabled)
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


def _on_pool(call: Call, pool: StoragePool | None) -> list[str] | None:
    if pool is None:
        return None
    return [v.vm_id for v in call.store.table(Volume).where("pool_id", pool.id) if v.vm_id is not None]


def _in_group(call: Call, group: AffinityGroup | None) -> list[str] | None:
    members: Any = call.manager.affinity.members(group.id) if group is not None else None
    return None if members is None else [vm.id for vm in members]
