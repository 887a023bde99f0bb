"""Public IP addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from cloudsim.errors import InvalidParameterValue, UnsupportedCommand
from cloudsim.management.identity import visibility
from cloudsim.management.network.address_pool import number_of, text_of
from cloudsim.management.network.public_ips import address_of_id, public_ip_id, range_of_ip
from cloudsim.model import (
    Account,
    Domain,
    FirewallRule,
    IpForwardingRule,
    IpRange,
    LoadBalancerRule,
    Network,
    NetworkOffering,
    Nic,
    PhysicalNetwork,
    PortableIpRange,
    PortForwardingRule,
    Project,
    PublicIp,
    VirtualMachine,
    Vpc,
    Zone,
)
from server.api.command import Call, Job, Listed, command
from server.api.commands.network.ip_ranges import public_network_id, public_wire_id, vlan_uri
from server.api.listing import OnlyCount, Page, Paging, Tags, counted, listed
from server.api.ownership import Owner, resolve_owner
from server.api.parameters import Param, one_of
from server.api.scope import Ownership, Scope
from server.api.views import Date, TagView, View, date, owner, plain_tags

GROUP = "Address"
RULES: tuple[type[Any], ...] = (FirewallRule, PortForwardingRule, LoadBalancerRule, IpForwardingRule)
AddressId = Annotated[str, Param("the address's id", type="uuid", entity=PublicIp)]


class FreeIp(NamedTuple):
    """A public address that nobody has."""

    range: IpRange
    number: int


class PublicIpView(View):
    """A public address."""

    entity: ClassVar = PublicIp
    key: ClassVar = "ipaddress"

    id: str | None = None
    ipaddress: str | None = None
    allocated: Date | None = None
    zoneid: str | None = None
    zonename: str | None = None
    issourcenat: Annotated[bool | None, "whether guests are seen as it outside"] = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    forvirtualnetwork: bool | None = None
    vlanid: Annotated[str | None, "its IP range; for root admins"] = None
    vlanname: str | None = None
    isstaticnat: bool | None = None
    issystem: bool | None = None
    virtualmachineid: str | None = None
    virtualmachinetype: str | None = None
    vmipaddress: str | None = None
    virtualmachinename: str | None = None
    virtualmachinedisplayname: str | None = None
    associatednetworkid: Annotated[str | None, "the guest network that uses it"] = None
    associatednetworkname: str | None = None
    networkid: Annotated[str | None, "the public network that it is on"] = None
    networkname: str | None = None
    state: Annotated[str | None, "Allocating, Allocated, Releasing, Reserved or Free"] = None
    physicalnetworkid: str | None = None
    vpcid: str | None = None
    vpcname: str | None = None
    isportable: bool | None = None
    fordisplay: bool | None = None
    hasrules: bool | None = None
    forsystemvms: bool | None = None
    tags: list[TagView] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: PublicIp | FreeIp, call: Call) -> Self:
        if isinstance(row, FreeIp):
            view = cls(
                id=public_ip_id(row.range, row.number),
                ipaddress=text_of(row.number),
                issourcenat=False,
                isstaticnat=False,
                issystem=False,
                state="Free",
                fordisplay=True,
                hasrules=False,
                tags=[],
            )
            view._show_place(call, row.range, row.range.zone_id)
            return view
        view = cls(
            id=row.id,
            ipaddress=row.ip,
            allocated=date(row.allocated),
            issourcenat=row.source_nat,
            isstaticnat=row.static_nat_vm_id is not None,
            issystem=row.system,
            state=row.state,
            fordisplay=row.display,
            hasrules=any(call.store.table(kind).count("public_ip_id", row.id) for kind in RULES),
            tags=plain_tags(call, row.id),
            **owner(call, row.account_id),
        )
        view._show_place(call, range_of_ip(call.store, row), row.zone_id)
        view._show_use(call, row)
        return view

    def _show_place(self, call: Call, row: IpRange | PortableIpRange | None, zone_id: str) -> None:
        zone = call.store.table(Zone).get(zone_id)
        self.zoneid, self.zonename = zone_id, zone.name if zone is not None else None
        self.forvirtualnetwork, self.isportable = True, isinstance(row, PortableIpRange)
        self.networkid = public_network_id(call, zone_id)
        if isinstance(row, PortableIpRange):
            self.physicalnetworkid, self.forsystemvms = public_wire_id(call, zone_id), False
        elif row is not None:
            self.physicalnetworkid, self.forsystemvms = row.physical_network_id, row.for_system_vms
        if row is not None and call.caller.is_root_admin:
            self.vlanid, self.vlanname = row.id, vlan_uri(row, call)

    def _show_use(self, call: Call, row: PublicIp) -> None:
        network = call.store.table(Network).get(row.network_id)
        if network is not None:
            self.associatednetworkid, self.associatednetworkname = network.id, network.name
        vpc = call.store.table(Vpc).get(row.vpc_id)
        if vpc is not None:
            self.vpcid, self.vpcname = vpc.id, vpc.name
        vm_id, inside = row.static_nat_vm_id, row.static_nat_ip
        if row.system and self.networkid is not None:
            nic = call.store.table(Nic).find(("network_id", "ip"), (self.networkid, row.ip))
            vm_id = nic.vm_id if nic is not None else None
        vm = call.store.table(VirtualMachine).get(vm_id)
        if vm is not None:
            self.virtualmachineid, self.virtualmachinetype, self.vmipaddress = vm.id, vm.type, inside
            self.virtualmachinename, self.virtualmachinedisplayname = vm.name, vm.display_name


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
    if account is None and domain is None and project is None and of is not None:
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


class Wanted(NamedTuple):
    """What a list call asks for of addresses, in use or free."""

    state: str | None
    ip: str | None
    zone_id: str | None
    range_id: str | None
    physical_network_id: str | None
    system_ranges: bool | None

    def row(self, ip: PublicIp, ranges: Any, wire_of: Callable[[str], str | None]) -> bool:
        found = ranges.get(ip.range_id)
        if ip.portable and self.physical_network_id not in (None, wire_of(ip.zone_id)):
            return False
        return (
            (self.state is None or ip.state.lower() == self.state)
            and (self.ip is None or ip.ip == self.ip)
            and (found is None or self.range(found))
        )

    def range(self, row: IpRange) -> bool:
        return (
            row.public
            and (self.zone_id is None or row.zone_id == self.zone_id)
            and (self.range_id is None or row.id == self.range_id)
            and (self.physical_network_id is None or row.physical_network_id == self.physical_network_id)
            and (self.system_ranges is None or row.for_system_vms == self.system_ranges)
        )


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
            return counted(_free_alone(call, address, allocatedonly), retrieveonlyresourcecount)
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
    return counted(_and_free(call, found, wanted, page), retrieveonlyresourcecount)


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


def _free_alone(call: Call, address: FreeIp, allocatedonly: bool) -> Listed:
    if allocatedonly or not _may_see(call, address.range):
        return Listed([], 0)
    return Listed([address], 1)


def _may_see(call: Call, row: IpRange) -> bool:
    """Whether free addresses of the range are shown to the caller: those that its account could acquire."""
    if call.caller.is_root_admin:
        return True
    zone = call.store.table(Zone)[row.zone_id]
    if not visibility.may(call.store, call.caller, zone, operate=False):
        return False
    return any(each.id == row.id for each in call.manager.public_ips.usable(call.caller.account, zone))


def _and_free(call: Call, found: Listed, wanted: Wanted, page: Paging) -> Listed:
    """After the addresses in use, those that are free, as far as the page shows them."""
    ips = call.store.table(PublicIp)
    ranges = [row for row in call.store.table(IpRange) if wanted.range(row) and _may_see(call, row)]
    if page.keyword is not None or wanted.ip is not None:
        free = [ip for ip in _free(call, ranges) if _named(ip, wanted.ip, page.keyword)]
        start = max(page.start - found.total, 0)
        end = None if page.size is None else start + page.size - len(found.rows)
        return Listed([*found.rows, *free[start:end]], found.total + len(free))
    total = 0
    for row in ranges:
        size, used = call.manager.public_ips.count(row)
        total += size - used
    start = max(page.start - found.total, 0)
    end = None if page.size is None else start + page.size - len(found.rows)
    shown: list[FreeIp] = []
    for row in ranges:
        size, used = call.manager.public_ips.count(row)
        left = size - used
        if start < left and (end is None or end > 0):
            taken = sorted(number_of(ip.ip) for ip in ips.where("range_id", row.id))
            shown += islice(_gaps(row, taken, start), None if end is None else end - start)
        start, end = max(start - left, 0), None if end is None else max(end - left, 0)
    return Listed([*found.rows, *shown], found.total + total)


def _named(ip: FreeIp, wanted: str | None, keyword: str | None) -> bool:
    text = text_of(ip.number)
    return (wanted is None or text == wanted) and (keyword is None or keyword in text)


def _free(call: Call, ranges: list[IpRange]) -> Iterator[FreeIp]:
    ips = call.store.table(PublicIp)
    for row in ranges:
        yield from _gaps(row, sorted(number_of(ip.ip) for ip in ips.where("range_id", row.id)), 0)


def _gaps(row: IpRange, taken: list[int], skip: int) -> Iterator[FreeIp]:
    """The addresses of the range between those `taken` (ascending), without the first `skip` of them."""
    at = number_of(row.start_ip)
    for end in (*taken, number_of(row.end_ip) + 1):
        passed = min(skip, end - at)
        skip -= passed
        for number in range(at + passed, end):
            yield FreeIp(row, number)
        at = end + 1
