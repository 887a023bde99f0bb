"""What the commands that make an instance are asked in common: its parameters, the request of them, and the job."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints
from uuid import UUID

import msgspec

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.deploy_request import DeployRequest, NicRequest
from cloudsim.management.compute.linked_user_data import with_linked
from cloudsim.management.compute.user_data import MAX_BYTES, checked, checked_values
from cloudsim.management.compute.vm_hardware import BootMode, BootType, boot_details, check_hardware
from cloudsim.management.compute.vm_leases import Lease
from cloudsim.management.extensions.payloads import kept
from cloudsim.management.network.dhcp_options import of_networks
from cloudsim.management.storage.volume_sizes import GIB
from cloudsim.model import (
    Account,
    AffinityGroup,
    Cluster,
    DiskOffering,
    Host,
    Network,
    Pod,
    ResourceTag,
    SecurityGroup,
    ServiceOffering,
    Template,
    UserData,
    VirtualMachine,
    Zone,
)
from cloudsim.protocol.details import IO_POLICY, IO_THREADS, KEYBOARD, KEYBOARDS, NIC_PACKED, NIC_QUEUES
from server.api.command import Call, Job
from server.api.commands.compute.virtual_machine_views import with_password
from server.api.parameters import Long, Param, parameter
from server.api.views import View


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters that all commands which make an instance have, by their names on the wire."""

    name: Annotated[str | None, Param("its host name")] = None
    displayname: str | None = None
    networkids: Annotated[Sequence[Network] | None, Param("its networks, the default one first")] = None
    ipaddress: Annotated[str | None, Param("its address on the default network")] = None
    ip6address: Annotated[
        str | None, Param("its IPv6 address on the default network, a shared one; by default that of its MAC")
    ] = None
    macaddress: Annotated[str | None, Param("the MAC of its default NIC")] = None
    iptonetworklist: Annotated[
        Sequence[Mapping[str, str]] | None, Param("networkid with ip, ipv6 and mac, instead of networkids")
    ] = None
    dhcpoptionsnetworklist: Annotated[
        Sequence[Mapping[str, str]] | None,
        Param("further DHCP options: networkid, and dhcp:NUMBER or dhcp:NAME with a value for each"),
    ] = None
    diskofferingid: Annotated[
        DiskOffering | None, Param("a data disk to make with it; with an ISO, its root disk")
    ] = None
    size: Annotated[Long | None, Param("GiB of that data disk, where its offering leaves it open")] = None
    datadisksdetails: Annotated[
        Sequence[Mapping[str, str]] | None,
        Param("data disks: each diskofferingid, with size (GiB), miniops, maxiops and deviceid", since="4.21.0"),
    ] = None
    rootdisksize: Annotated[Long | None, Param("GiB of the root disk, if larger than what it starts from")] = None
    overridediskofferingid: Annotated[
        DiskOffering | None, Param("what kind of root disk, instead of what its service offering says", since="4.17")
    ] = None
    hypervisor: str | None = None
    group: Annotated[str | None, Param("the instance group to put it in")] = None
    userdata: Annotated[str | None, Param("base64", length=MAX_BYTES)] = None
    userdataid: UserData | None = None
    userdatadetails: Annotated[
        Mapping[str, str] | None,
        Param("values of the variables in its user data, which the guest finds in its metadata", since="4.18"),
    ] = None
    keypair: Annotated[str | None, Param("the name of an SSH key pair")] = None
    keypairs: Annotated[Sequence[str] | None, Param("names of SSH key pairs")] = None
    podid: Annotated[Pod | None, Param("where to put it, unless clusterid or hostid says; root admins only")] = None
    clusterid: Annotated[Cluster | None, Param("where to put it, unless hostid says; root admins only")] = None
    hostid: Annotated[Host | None, Param("where to put it; root admins only")] = None
    deploymentplanner: Annotated[str | None, Param("the placement policy; root admins only")] = None
    startvm: bool = True
    affinitygroupids: Annotated[Sequence[AffinityGroup] | None, Param(access="use")] = None
    affinitygroupnames: Sequence[str] | None = None
    securitygroupids: Sequence[SecurityGroup] | None = None
    securitygroupnames: Sequence[str] | None = None
    displayvm: bool = True
    password: Annotated[
        str | None, Param("for its guest to set, where its template is password enabled; by default a random one")
    ] = None
    boottype: BootType | None = None
    bootmode: Annotated[BootMode | None, Param("SECURE for secure boot, with boottype UEFI")] = None
    bootintosetup: Annotated[bool, Param("not on these hypervisors")] = False
    dynamicscalingenabled: Annotated[bool, Param("whether it may be scaled while it runs")] = True
    iothreadsenabled: Annotated[bool, Param("threads of their own for its disks' I/O")] = False
    iodriverpolicy: Literal["native", "threads", "io_uring", "storage_specific"] | None = None
    nicmultiqueuenumber: Annotated[
        int | None, Param("queues of its NICs; -1 for as many as vCPUs", since="4.18")
    ] = None
    nicpackedvirtqueuesenabled: Annotated[
        bool, Param("whether its NICs have packed queues", since="4.18")
    ] = False
    keyboard: Annotated[
        str | None, Param("the layout that its console's keys are of", values=KEYBOARDS)
    ] = None
    copyimagetags: Annotated[bool, Param("give it the tags of its template", since="4.13")] = False
    customid: Annotated[str | None, Param("the UUID that it gets; root admins only")] = None
    details: Annotated[
        Mapping[str, str] | None, Param("cpuNumber, cpuSpeed, memory of a customized offering, and others")
    ] = None
    externaldetails: Annotated[
        Mapping[str, str] | None, Param("what the program of an extension is told of it", since="4.21.0")
    ] = None
    leaseduration: Annotated[
        int | None,
        Param("days until its lease expires, by default its offering's; -1 for no lease", since="4.21.0"),
    ] = None
    leaseexpiryaction: Annotated[
        Literal["STOP", "DESTROY"] | None,
        Param("what is done to it then, by default what its offering says", since="4.21.0"),
    ] = None


class _DeploymentParameters:
    """The wire parameters that make up Asked."""

    def __init__(self) -> None:
        hints = get_type_hints(Asked, include_extras=True)
        self.parameters = tuple(
            parameter(field.name, hints[field.name], field.default) for field in msgspec.structs.fields(Asked)
        )

    def value(self, call: Call, values: Mapping[str, Any]) -> Asked:
        given = {each.name: values[each.name] for each in self.parameters if values.get(each.name) is not None}
        return Asked(**given)


Deployment = Annotated[Asked, _DeploymentParameters()]
"""All that says how the new instance is to be, but for whose it is, where, of what and of which offering."""


class Source(NamedTuple):
    """What a new instance starts from: `origin` the template behind it, if there is one, and the hypervisor it is for."""

    origin: Template | None
    hypervisor: str


class Prepared(NamedTuple):
    """A deployment whose parameters are read: `password` is the one that its guest is to set."""

    request: DeployRequest
    lease: Lease | None
    password: str | None


def prepared(
    call: Call, asked: Asked, *, owner: Account, zone: Zone, offering: ServiceOffering, source: Source, **more: Any
) -> Prepared:
    """The request for what is asked; `more` are other fields of it, and those that hold where no parameter says one.

    Raises InvalidParameterValue and PermissionDenied for what cannot be asked for.
    """
    manager = call.manager
    if asked.hypervisor is not None and asked.hypervisor.lower() != source.hypervisor.lower():
        raise InvalidParameterValue(
            f"hypervisor {asked.hypervisor} is not that of what it starts from, which is {source.hypervisor}"
        )
    if (asked.podid or asked.clusterid or asked.hostid or asked.deploymentplanner) and not call.caller.is_root_admin:
        raise PermissionDenied(
            "Only a root admin can say with podid, clusterid, hostid or deploymentplanner where an instance goes"
        )
    if asked.deploymentplanner is not None:
        manager.planner.policy(asked.deploymentplanner)
    if asked.userdata and asked.userdataid is not None:
        raise InvalidParameterValue("Parameters userdata and userdataid exclude each other")
    if asked.bootintosetup:
        raise InvalidParameterValue(
            f"Booting into a hardware setup menu is not implemented on {source.hypervisor}"
        )
    chosen = _details(asked)
    given = manager.vm_passwords.for_template(source.origin, asked.password)
    own = asked.userdataid.user_data if asked.userdataid else checked(asked.userdata) if asked.userdata else None
    user_data, user_data_id = with_linked(
        manager.foundation, source.origin, own, asked.userdataid.id if asked.userdataid else None
    )
    fields: dict[str, Any] = {
        "zone_id": zone.id,
        "id": custom_id(call, asked.customid),
        "service_offering_id": offering.id,
        "hypervisor": source.hypervisor,
        "owner": owner,
        "name": asked.name or None,
        "display_name": asked.displayname or None,
        "nics": _nics(asked),
        "dhcp_options": of_networks(asked.dhcpoptionsnetworklist or (), "dhcpoptionsnetworklist"),
        "root_size": _root_size(asked.rootdisksize, number_in(chosen, "rootdisksize")),
        "root_offering_id": asked.overridediskofferingid.id if asked.overridediskofferingid else None,
        "root_iops": (number_in(chosen, "minIops"), number_in(chosen, "maxIops")),
        "cpus": number_in(chosen, "cpuNumber"),
        "cpu_mhz": number_in(chosen, "cpuSpeed"),
        "memory_mib": number_in(chosen, "memory"),
        "key_pairs": tuple(dict.fromkeys([*([asked.keypair] if asked.keypair else []), *(asked.keypairs or [])])),
        "user_data": user_data,
        "user_data_id": user_data_id,
        "user_data_values": checked_values(asked.userdatadetails, user_data),
        "affinity_group_ids": affinity_groups_named(
            call, owner.id, asked.affinitygroupids, asked.affinitygroupnames
        ),
        "security_groups": security_groups_named(call, owner, asked.securitygroupids, asked.securitygroupnames) or (),
        "group": asked.group or None,
        "display": asked.displayvm,
        "dynamic_scaling": asked.dynamicscalingenabled,
        "password": given,
        "details": chosen,
    }
    said = {field for field in ("nics", "root_size", "root_offering_id") if fields[field]}
    said |= {field for field in ("cpus", "cpu_mhz", "memory_mib") if fields[field] is not None}
    request = DeployRequest(**fields | {field: value for field, value in more.items() if field not in said})
    lease = manager.vm_leases.wanted(offering, asked.leaseduration, asked.leaseexpiryaction)
    return Prepared(request, lease, given)


def deployed(
    call: Call,
    asked: Asked,
    made: Prepared,
    origin: Template | None,
    filled: Callable[[VirtualMachine], None] = lambda vm: None,
) -> Job:
    """Make the instance's rows, all or none, and the job that starts it; `filled` may add to them."""
    manager = call.manager
    with call.store.transaction():
        vm = manager.vms.allocate(call.caller, made.request)
        filled(vm)
        if made.lease is not None:
            manager.vm_leases.begin(vm, made.lease)
        if asked.copyimagetags and origin is not None:
            tags = {tag.key: tag.value for tag in call.store.table(ResourceTag).where("resource_id", origin.id)}
            manager.tags.create(call.caller, "UserVm", [vm], tags)

    async def work() -> View:
        if not asked.startvm:
            return with_password(call, await manager.vms.left_stopped(call.caller, vm.id), made.password)
        started = await manager.vms.start_first(
            call.caller,
            vm.id,
            pod_id=asked.podid.id if asked.podid and not (asked.clusterid or asked.hostid) else None,
            cluster_id=asked.clusterid.id if asked.clusterid and not asked.hostid else None,
            host_id=asked.hostid.id if asked.hostid else None,
            planner=asked.deploymentplanner,
        )
        return with_password(call, started, made.password)

    return Job(work, vm)


def _details(asked: Asked) -> dict[str, str]:
    chosen = dict(asked.details or {}) | kept(asked.externaldetails) | boot_details(asked.boottype, asked.bootmode)
    if asked.iothreadsenabled:
        chosen[IO_THREADS] = "true"
    if asked.iodriverpolicy is not None:
        chosen[IO_POLICY] = asked.iodriverpolicy
    if asked.nicmultiqueuenumber is not None:
        chosen[NIC_QUEUES] = str(asked.nicmultiqueuenumber)
    if asked.nicpackedvirtqueuesenabled:
        chosen[NIC_PACKED] = "true"
    if asked.keyboard:
        chosen[KEYBOARD] = asked.keyboard
    check_hardware(chosen)
    return chosen


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


def _nics(asked: Asked) -> tuple[NicRequest, ...]:
    networks, ip, ip6, mac = asked.networkids, asked.ipaddress, asked.ip6address, asked.macaddress
    if asked.iptonetworklist:
        if networks:
            raise InvalidParameterValue("Parameters networkids and iptonetworklist exclude each other")
        found = []
        for entry in asked.iptonetworklist:
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


def _root_size(asked: int | None, detail: int | None) -> int | None:
    """Bytes of the root disk, from GiB: of the parameter, or as older clients have it a detail of the same name."""
    size = detail if asked is None else asked
    if size is not None and size <= 0:
        raise InvalidParameterValue(f"Root disk size should be a positive number: rootdisksize is {size}")
    return None if size is None else size * GIB


def number_in(details: dict[str, str], name: str) -> int | None:
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


def affinity_groups_named(
    call: Call, owner_id: str, groups: Sequence[AffinityGroup] | None, names: Sequence[str] | None
) -> tuple[str, ...]:
    """The ids of the affinity groups that a call names by id or name."""
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
