"""How rules of public addresses and networks look."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.model import (
    FirewallRule,
    IpForwardingRule,
    LoadBalancerRule,
    Network,
    PortForwardingRule,
    PublicIp,
    VirtualMachine,
    Zone,
)
from server.api.command import Call
from server.api.views import TagView, View, owner, tags

CIDRS = "CIDRs, comma separated"


def state_of(row: Any) -> str:
    """A rule's state in CloudStack's words."""
    return "Deleting" if row.state == "Revoke" else str(row.state)


def address_of(call: Call, public_ip_id: str | None) -> str | None:
    """The public address of that id."""
    found = call.store.table(PublicIp).get(public_ip_id)
    return found.ip if found is not None else None


def target_fields(call: Call, vm_id: str) -> dict[str, Any]:
    """The instance that a rule leads to, as view fields."""
    vm = call.store.table(VirtualMachine).get(vm_id)
    return {
        "virtualmachineid": vm_id,
        "virtualmachinename": vm.name if vm is not None else None,
        "virtualmachinedisplayname": vm.display_name if vm is not None else None,
    }


class FirewallRuleView(View):
    """Traffic let in to a public address, or an exception for traffic out of a network."""

    entity: ClassVar = FirewallRule
    key: ClassVar = "firewallrule"

    id: str | None = None
    protocol: str | None = None
    startport: int | None = None
    endport: int | None = None
    icmptype: Annotated[int | None, "-1: any"] = None
    icmpcode: Annotated[int | None, "-1: any"] = None
    cidrlist: Annotated[str | None, CIDRS] = None
    destcidrlist: Annotated[str | None, CIDRS] = None
    ipaddressid: str | None = None
    ipaddress: str | None = None
    networkid: str | None = None
    traffictype: Annotated[str | None, "Ingress or Egress"] = None
    state: str | None = None
    fordisplay: bool | None = None
    tags: list[TagView] | None = None

    @classmethod
    def of(cls, row: FirewallRule, call: Call) -> Self:
        return cls(
            id=row.id,
            protocol=row.protocol,
            startport=row.start_port,
            endport=row.end_port,
            icmptype=row.icmp_type,
            icmpcode=row.icmp_code,
            cidrlist=",".join(row.cidrs),
            destcidrlist=",".join(row.destination_cidrs) or None,
            ipaddressid=row.public_ip_id,
            ipaddress=address_of(call, row.public_ip_id),
            networkid=row.network_id,
            traffictype=row.direction,
            state=state_of(row),
            fordisplay=row.display,
            tags=tags(call, row.id),
        )


class PortForwardingRuleView(View):
    """Ports of a public address that lead to an instance."""

    entity: ClassVar = PortForwardingRule
    key: ClassVar = "portforwardingrule"

    id: str | None = None
    protocol: str | None = None
    publicport: str | None = None
    publicendport: str | None = None
    privateport: str | None = None
    privateendport: str | None = None
    virtualmachineid: str | None = None
    virtualmachinename: str | None = None
    virtualmachinedisplayname: str | None = None
    vmguestip: str | None = None
    ipaddressid: str | None = None
    ipaddress: str | None = None
    networkid: str | None = None
    cidrlist: Annotated[str | None, CIDRS] = None
    state: str | None = None
    fordisplay: bool | None = None
    tags: list[TagView] | None = None

    @classmethod
    def of(cls, row: PortForwardingRule, call: Call) -> Self:
        return cls(
            id=row.id,
            protocol=row.protocol,
            publicport=str(row.public_start),
            publicendport=str(row.public_end),
            privateport=str(row.private_start),
            privateendport=str(row.private_end),
            vmguestip=row.guest_ip,
            ipaddressid=row.public_ip_id,
            ipaddress=address_of(call, row.public_ip_id),
            networkid=row.network_id,
            cidrlist=",".join(row.cidrs),
            state=state_of(row),
            fordisplay=row.display,
            tags=tags(call, row.id),
            **target_fields(call, row.vm_id),
        )


class IpForwardingRuleView(View):
    """Ports of a static NAT address that are let in."""

    entity: ClassVar = IpForwardingRule
    key: ClassVar = "ipforwardingrule"

    id: str | None = None
    protocol: str | None = None
    startport: int | None = None
    endport: int | None = None
    publicport: str | None = None
    publicendport: str | None = None
    privateport: str | None = None
    privateendport: str | None = None
    virtualmachineid: str | None = None
    virtualmachinename: str | None = None
    virtualmachinedisplayname: str | None = None
    vmguestip: str | None = None
    ipaddressid: str | None = None
    ipaddress: str | None = None
    networkid: str | None = None
    cidrlist: Annotated[str | None, CIDRS] = None
    state: str | None = None
    tags: list[TagView] | None = None

    @classmethod
    def of(cls, row: IpForwardingRule, call: Call) -> Self:
        first, last = str(row.start_port), str(row.end_port)
        return cls(
            id=row.id,
            protocol=row.protocol,
            startport=row.start_port,
            endport=row.end_port,
            publicport=first,
            publicendport=last,
            privateport=first,
            privateendport=last,
            vmguestip=row.guest_ip,
            ipaddressid=row.public_ip_id,
            ipaddress=address_of(call, row.public_ip_id),
            networkid=row.network_id,
            cidrlist=",".join(row.cidrs),
            state=state_of(row),
            tags=tags(call, row.id),
            **target_fields(call, row.vm_id),
        )


class LoadBalancerView(View):
    """A port of a public address that is spread over instances."""

    entity: ClassVar = LoadBalancerRule
    key: ClassVar = "loadbalancerrule"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    publicipid: str | None = None
    publicip: str | None = None
    publicport: str | None = None
    privateport: str | None = None
    algorithm: Annotated[str | None, "roundrobin, leastconn or source"] = None
    protocol: Annotated[str | None, "tcp, udp, tcp-proxy or ssl"] = None
    cidrlist: Annotated[str | None, "who may come; comma separated"] = None
    networkid: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    state: str | None = None
    fordisplay: bool | None = None
    tags: list[TagView] | None = None

    @classmethod
    def of(cls, row: LoadBalancerRule, call: Call) -> Self:
        network = call.store.table(Network).get(row.network_id)
        zone = call.store.table(Zone).get(network.zone_id) if network is not None else None
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            publicipid=row.public_ip_id,
            publicip=address_of(call, row.public_ip_id),
            publicport=str(row.public_port),
            privateport=str(row.private_port),
            algorithm=row.algorithm,
            protocol=row.protocol,
            cidrlist=",".join(row.cidrs),
            networkid=row.network_id,
            zoneid=zone.id if zone is not None else None,
            zonename=zone.name if zone is not None else None,
            state=state_of(row),
            fordisplay=row.display,
            tags=tags(call, row.id),
            **owner(call, row.account_id),
        )
