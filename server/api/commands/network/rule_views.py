"""How rules of public addresses and networks look."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.management.network.rule_traffic import ANYWHERE
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
from server.api.commands.network.firewall_traffic import CIDRS, TrafficView, state_of
from server.api.views import TagView, View, owner, tags


def address_of(call: Call, public_ip_id: str | None) -> str | None:
    """The public address of that id."""
    found = call.store.table(PublicIp).get(public_ip_id)
    return found.ip if found is not None else None


class FirewallRuleView(TrafficView):
    """Traffic let in to a public address, or an exception for traffic out of a network."""

    entity: ClassVar = FirewallRule
    key: ClassVar = "firewallrule"
    anywhere = ANYWHERE

    ipaddressid: str | None = None
    ipaddress: str | None = None

    @classmethod
    def of(cls, row: Any, call: Call) -> Self:
        view = super().of(row, call)
        view.ipaddressid, view.ipaddress = row.public_ip_id, address_of(call, row.public_ip_id)
        return view


class ForwardingView(View):
    """What the views of rules that lead ports of a public address to an instance have in common."""

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
    tags: list[TagView] | None = None

    @classmethod
    def leading(
        cls,
        row: PortForwardingRule | IpForwardingRule,
        call: Call,
        public: tuple[int, int],
        private: tuple[int, int],
        **more: Any,
    ) -> Self:
        """The view of a rule that leads those ports, first and last, to those of the instance."""
        vm = call.store.table(VirtualMachine).get(row.vm_id)
        return cls(
            id=row.id,
            protocol=row.protocol,
            publicport=str(public[0]),
            publicendport=str(public[1]),
            privateport=str(private[0]),
            privateendport=str(private[1]),
            virtualmachineid=row.vm_id,
            virtualmachinename=vm.name if vm is not None else None,
            virtualmachinedisplayname=vm.display_name if vm is not None else None,
            vmguestip=row.guest_ip,
            ipaddressid=row.public_ip_id,
            ipaddress=address_of(call, row.public_ip_id),
            networkid=row.network_id,
            cidrlist=",".join(row.cidrs),
            state=state_of(row),
            tags=tags(call, row.id),
            **more,
        )


class PortForwardingRuleView(ForwardingView):
    """Ports of a public address that lead to an instance."""

    entity: ClassVar = PortForwardingRule
    key: ClassVar = "portforwardingrule"

    fordisplay: bool | None = None

    @classmethod
    def of(cls, row: PortForwardingRule, call: Call) -> Self:
        public, private = (row.public_start, row.public_end), (row.private_start, row.private_end)
        return cls.leading(row, call, public, private, fordisplay=row.display)


class IpForwardingRuleView(ForwardingView):
    """Ports of a static NAT address that are let in."""

    entity: ClassVar = IpForwardingRule
    key: ClassVar = "ipforwardingrule"

    startport: int | None = None
    endport: int | None = None

    @classmethod
    def of(cls, row: IpForwardingRule, call: Call) -> Self:
        ports = (row.start_port, row.end_port)
        return cls.leading(row, call, ports, ports, startport=row.start_port, endport=row.end_port)


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
