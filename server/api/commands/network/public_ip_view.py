"""A public address as the API shows it, in use or free."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, NamedTuple, Self

from cloudsim.management.network.address_pool import text_of
from cloudsim.management.network.public_ips import public_ip_id, range_of_ip
from cloudsim.model import (
    FirewallRule,
    IpForwardingRule,
    IpRange,
    LoadBalancerRule,
    Network,
    Nic,
    PortableIpRange,
    PortForwardingRule,
    PublicIp,
    VirtualMachine,
    Vpc,
    Zone,
)
from server.api.command import Call
from server.api.commands.network.ip_ranges import public_network_id, public_wire_id, vlan_uri
from server.api.views import Date, TagView, View, date, owner, plain_tags

RULES: tuple[type[Any], ...] = (FirewallRule, PortForwardingRule, LoadBalancerRule, IpForwardingRule)


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
