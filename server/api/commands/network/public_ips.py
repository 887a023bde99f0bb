"""Public IP addresses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

from cloudsim.errors import InvalidParameterValue, UnsupportedCommand
from cloudsim.management.identity import visibility
from cloudsim.management.network.public_ips import address_of_id
from cloudsim.model import (
    Account,
    Domain,
    IpRange,
    Network,
    NetworkOffering,
    PhysicalNetwork,
    Project,
    PublicIp,
    Vpc,
    Zone,
)
from server.api.command import Call, Job, Listed, command
from server.api.commands.network.free_ips import Wanted, and_free, free_alone
from server.api.commands.network.ip_ranges import public_wire_id
from server.api.commands.network.public_ip_view import FreeIp, PublicIpView
from server.api.listing import OnlyCount, Page, Tags, counted, listed
from server.api.ownership import Owner, resolve_owner
from server.api.parameters import Param, one_of
from server.api.scope import Ownership, Scope

GROUP = "Address"
AddressId = Annotated[str, Param("the address's id", type="uuid", entity=PublicIp)]


def _known(call: Call, address_id: str) -> PublicIp | FreeIp:
    """The address of that id, free or in use. Raises InvalidParameterValue for none."""
    row = call.store.table(PublicIp).get(address_id)
    if row is not None:
        return row
    found = address_of_id(call.store, address_id)
    if found is not None:
        return FreeIp(*found)
    raise InvalidParameterValue(
        f"Unable to execute API command {call.command.name.lower()} due to invalid value. Invalid parameter id "
        f"value={address_id} due to incorrect long value format, or entity does not exist or due to incorrect "
        "parameter annotation for the field in api cmd class."
    )


@command(
    "associateIpAddress",
    view=PublicIpView,
    job=True,
    creates=PublicIp,
    group=GROUP,
    event="NET.IPASSIGN",
)
async def associate_ip_address(
    call: Call,
    *,
    account: Annotated[str | None, Param("the account that is to own it; with domainid")] = None,
    domainid: Annotated[Domain | None, Param("the domain of that account")] = None,
    projectid: Annotated[Project | None, Param("the project that is to own it")] = None,
    zoneid: Zone | None = None,
    networkid: Annotated[Network | None, Param("the isolated network or VPC tier that it is for")] = None,
    vpcid: Annotated[Vpc | None, Param("the VPC that it is for")] = None,
    ipaddress: Annotated[str | None, Param("a free public address; one is chosen if left out")] = None,
    fordisplay: bool | None = None,
    isportable: Annotated[bool, Param("one that can go on to another network, of any zone")] = False,
    regionid: Annotated[int | None, Param("the region whose portable address it is to be; this one")] = None,
) -> Job:
    """Acquires a public address, and associates it with a network or a VPC."""
    if regionid is not None:
        call.manager.portable_ip_ranges.check_region(regionid)
    if isportable:
        call.event = "PORTABLE.IP.ASSIGN"
    owner_account = _owner_of(call, account or None, domainid, projectid, networkid, vpcid)
    association = call.manager.ip_association
    if networkid is None and vpcid is None and zoneid is not None:
        networkid = association.only_network(owner_account, zoneid)
    for row in (networkid, vpcid):
        if row is not None:
            visibility.check(call.store, call.caller, row)
    ip: PublicIp = association.acquire(
        call.caller,
        owner_account,
        network=networkid,
        vpc=vpcid,
        zone=zoneid,
        wanted=ipaddress or None,
        display=fordisplay is not False,
        portable=isportable,
    )
    return Job(lambda: association.bring_up(ip.id), ip)


def _owner_of(
    call: Call,
    account: str | None,
    domain: Domain | None,
    project: Project | None,
    network: Network | None,
    vpc: Vpc | None,
) -> Account:
    """Who is to own the address: whom the parameters name, or the owner of the network or VPC, or the caller."""
    of = network if network is not None else vpc
    if account is None and project is None and of is not None:
        return call.store.table(Account)[of.account_id]
    return resolve_owner(call.store, call.caller, account, domain, project)


@command("disassociateIpAddress", job=True, group=GROUP, event="NET.IPRELEASE")
async def disassociate_ip_address(
    call: Call,
    *,
    id: PublicIp | None = None,
    ipaddress: Annotated[str | None, Param("the address itself, in place of its id")] = None,
) -> Job:
    """Releases a public address, with all its rules."""
    ip = id
    if ip is None:
        if not ipaddress:
            raise InvalidParameterValue("Parameter id or ipaddress must be given")
        ips = call.store.table(PublicIp)
        found = [ips.find(("zone_id", "ip"), (zone.id, ipaddress)) for zone in call.store.table(Zone)]
        mine = [
            row
            for row in found
            if row is not None and visibility.may(call.store, call.caller, row, operate=True)
        ]
        if len(mine) != 1:
            raise InvalidParameterValue(
                f"ipaddress {ipaddress} is no public address in use"
                if not mine
                else f"ipaddress {ipaddress} is in use in several zones: give its id"
            )
        ip = mine[0]
    call.manager.ip_association.check_releasable(ip)
    chosen = ip
    if chosen.portable:
        call.event = "PORTABLE.IP.RELEASE"

    async def work() -> None:
        await call.manager.ip_association.release(chosen.id)

    return Job(work, chosen)


@command("updateIpAddress", view=PublicIpView, job=True, group=GROUP, event="NET.IPUPDATE")
async def update_ip_address(
    call: Call,
    *,
    id: PublicIp,
    fordisplay: bool | None = None,
    customid: Annotated[str | None, Param("not supported: ids cannot be chosen")] = None,
) -> Job:
    """Changes whether users are shown a public address."""
    if customid:
        raise UnsupportedCommand("Parameter customid: the ids of addresses cannot be chosen")

    async def work() -> PublicIp:
        changes = {} if fordisplay is None else {"display": fordisplay}
        row: PublicIp = call.manager.public_ips.update(id, **changes)
        return row

    return Job(work, id)


@command("reserveIpAddress", view=PublicIpView, group=GROUP, event="NET.IPRESERVE", since="4.17")
async def reserve_ip_address(
    call: Call, *, id: AddressId, owner: Owner, fordisplay: bool | None = None
) -> PublicIp:
    """Reserves a free public address for an account, for no network yet."""
    address = _known(call, id)
    if isinstance(address, PublicIp):
        raise InvalidParameterValue(f"Public IP address {address.ip} is {address.state}, not Free")
    reserved: PublicIp = call.manager.public_ips.reserve(
        owner, address.range, address.number, display=fordisplay is not False
    )
    return reserved


@command("releaseIpAddress", group=GROUP, event="NET.IPRELEASE", since="4.17")
async def release_ip_address(call: Call, *, id: PublicIp) -> None:
    """Releases a reserved public address."""
    call.manager.public_ips.end_reservation(id)


# listing


@command("listPublicIpAddresses", view=PublicIpView, key="publicipaddress", group=GROUP)
async def list_public_ip_addresses(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: Annotated[str | None, Param("the address's id", type="uuid", entity=PublicIp)] = None,
    ipaddress: str | None = None,
    allocatedonly: Annotated[bool, Param("false: with those that nobody has")] = True,
    state: Annotated[str | None, one_of("Allocating", "Allocated", "Releasing", "Reserved", "Free")] = None,
    zoneid: Zone | None = None,
    vlanid: IpRange | None = None,
    physicalnetworkid: PhysicalNetwork | None = None,
    networkid: Annotated[Network | None, Param("the public network that they are on")] = None,
    associatednetworkid: Annotated[Network | None, Param("the guest network that uses them")] = None,
    vpcid: Vpc | None = None,
    issourcenat: bool | None = None,
    isstaticnat: bool | None = None,
    forvirtualnetwork: bool | None = None,
    forloadbalancing: Annotated[bool | None, Param("those that a load balancer rule could be for")] = None,
    forsystemvms: Annotated[bool, Param("also those that system VMs have, or are kept for them")] = False,
    fordisplay: bool | None = None,
    retrieveonlyresourcecount: OnlyCount = False,
    tags: Tags | None = None,
) -> Listed:
    """Lists public addresses."""
    if forvirtualnetwork is False:
        return Listed([], 0)
    if id is not None:
        address = _known(call, id)
        if isinstance(address, FreeIp):
            return counted(free_alone(call, address, allocatedonly), retrieveonlyresourcecount)
    if networkid is not None and networkid.traffic_type != "Public":
        return Listed([], 0)
    wanted = Wanted(
        state.lower() if state else None,
        ipaddress or None,
        zoneid.id if zoneid is not None else (networkid.zone_id if networkid is not None else None),
        vlanid.id if vlanid is not None else None,
        physicalnetworkid.id if physicalnetworkid is not None else None,
        None if forsystemvms else False,
    )
    ranges = call.store.table(IpRange)
    balanced = _balancing(call)
    wire_of = partial(public_wire_id, call)

    def keep(ip: PublicIp) -> bool:
        return (
            (forsystemvms or not ip.system)
            and wanted.row(ip, ranges, wire_of)
            and (isstaticnat is None or (ip.static_nat_vm_id is not None) == isstaticnat)
            and (forloadbalancing is not True or balanced(ip))
        )

    found = listed(
        call,
        PublicIp,
        page=page,
        scope=_with_networks_owner(call, scope, associatednetworkid, vpcid),
        ids=None if id is None else [call.store.table(PublicIp)[id]],
        equal={
            "zone_id": wanted.zone_id,
            "range_id": wanted.range_id,
            "network_id": associatednetworkid and associatednetworkid.id,
            "vpc_id": vpcid and vpcid.id,
            "source_nat": issourcenat,
            "display": fordisplay,
        },
        keep=keep,
        search=("ip",),
        tags=tags,
    )
    used_only = (
        associatednetworkid,
        vpcid,
        issourcenat or None,
        isstaticnat or None,
        forloadbalancing,
        tags,
        id,
    )
    whose = (call.fields.get(name) for name in ("account", "domainid", "projectid"))
    if (allocatedonly and wanted.state != "free") or any(used_only) or any(whose) or fordisplay is False:
        return counted(found, retrieveonlyresourcecount)
    if wanted.state not in (None, "free"):
        return counted(found, retrieveonlyresourcecount)
    return counted(and_free(call, found, wanted, page), retrieveonlyresourcecount)


def _with_networks_owner(call: Call, scope: Ownership, network: Network | None, vpc: Vpc | None) -> Ownership:
    """Naming a network or VPC that one may use asks for its addresses, whoever owns them."""
    of = network if network is not None else vpc
    if of is None or not visibility.may(call.store, call.caller, of, operate=True):
        return scope
    return Ownership((of.account_id,))


def _balancing(call: Call) -> Callable[[PublicIp], bool]:
    """Whether a load balancer rule could be for the address: its network balances, and nothing else has it whole."""
    networks, offerings = call.store.table(Network), call.store.table(NetworkOffering)

    def may(ip: PublicIp) -> bool:
        network = networks.get(ip.network_id)
        if network is None:
            return ip.vpc_id is not None and ip.static_nat_vm_id is None and not ip.source_nat
        offering = offerings.get(network.network_offering_id)
        return ip.static_nat_vm_id is None and offering is not None and "Lb" in offering.services

    return may
