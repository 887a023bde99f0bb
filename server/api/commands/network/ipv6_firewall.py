"""IPv6 firewall rules of isolated networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.management.network.ipv6_firewall import ANYWHERE
from cloudsim.management.network.rule_traffic import RuleTraffic
from cloudsim.model import Ipv6FirewallRule, Network
from server.api.command import Call, Job, Listed, command
from server.api.commands.network.rule_views import CIDRS, state_of
from server.api.listing import Page, Tags, listed
from server.api.parameters import Param, one_of
from server.api.scope import Scope
from server.api.views import TagView, View, tags

GROUP = "Firewall"
Sources = Annotated[Sequence[str] | None, Param("IPv6 CIDRs that traffic is from; all if left out")]
First = Annotated[int | None, Param("the first port; without it, all")]
Last = Annotated[int | None, Param("the last port; the first if left out")]
Icmp = Annotated[int | None, Param("of ICMPv6; -1 for any")]
Direction = Annotated[str | None, one_of("Ingress", "Egress")]


class Ipv6FirewallRuleView(View):
    """IPv6 traffic let in to a network, or an exception for traffic out of it."""

    entity: ClassVar = Ipv6FirewallRule
    key: ClassVar = "ipv6firewallrule"

    id: str | None = None
    protocol: str | None = None
    startport: int | None = None
    endport: int | None = None
    icmptype: Annotated[int | None, "-1: any"] = None
    icmpcode: Annotated[int | None, "-1: any"] = None
    cidrlist: Annotated[str | None, CIDRS] = None
    destcidrlist: Annotated[str | None, CIDRS] = None
    networkid: str | None = None
    traffictype: Annotated[str | None, "Ingress or Egress"] = None
    state: str | None = None
    fordisplay: bool | None = None
    tags: list[TagView] | None = None

    @classmethod
    def of(cls, row: Ipv6FirewallRule, call: Call) -> Self:
        return cls(
            id=row.id,
            protocol=row.protocol,
            startport=row.start_port,
            endport=row.end_port,
            icmptype=row.icmp_type,
            icmpcode=row.icmp_code,
            cidrlist=",".join(row.cidrs) or ANYWHERE,
            destcidrlist=",".join(row.destination_cidrs) or None,
            networkid=row.network_id,
            traffictype=row.direction,
            state=state_of(row),
            fordisplay=row.display,
            tags=tags(call, row.id),
        )


@command(
    "createIpv6FirewallRule",
    view=Ipv6FirewallRuleView,
    job=True,
    creates=Ipv6FirewallRule,
    event="IPV6.FIREWALL.RULE.CREATE",
    group=GROUP,
)
async def create_ipv6_firewall_rule(
    call: Call,
    *,
    networkid: Annotated[Network, Param(access="operate")],
    protocol: Annotated[str, one_of("tcp", "udp", "icmp", "all")],
    startport: First = None,
    endport: Last = None,
    cidrlist: Sources = None,
    destcidrlist: Annotated[
        Sequence[str] | None, Param("IPv6 CIDRs that traffic is for; all if left out")
    ] = None,
    icmptype: Icmp = None,
    icmpcode: Icmp = None,
    traffictype: Direction = None,
    fordisplay: bool = True,
) -> Job:
    """Lets IPv6 traffic in to a network, or (Egress) out of it, or keeps it in where its offering lets all out."""
    firewall = call.manager.rules.ipv6_firewall
    traffic = RuleTraffic(
        protocol=protocol,
        start_port=startport,
        end_port=endport,
        icmp_type=icmptype,
        icmp_code=icmpcode,
        cidrs=cidrlist,
        destination_cidrs=destcidrlist,
    )
    rule = firewall.create(networkid, traffic, traffictype, display=fordisplay)
    return Job(lambda: firewall.enforce(rule), rule)


@command("deleteIpv6FirewallRule", job=True, event="IPV6.FIREWALL.RULE.DELETE", group=GROUP)
async def delete_ipv6_firewall_rule(call: Call, *, id: Ipv6FirewallRule) -> Job:
    """Deletes an IPv6 firewall rule."""
    return Job(lambda: call.manager.rules.ipv6_firewall.revoke(id), id)


@command(
    "updateIpv6FirewallRule",
    view=Ipv6FirewallRuleView,
    job=True,
    event="IPV6.FIREWALL.RULE.UPDATE",
    group=GROUP,
)
async def update_ipv6_firewall_rule(
    call: Call,
    *,
    id: Ipv6FirewallRule,
    protocol: Annotated[str | None, one_of("tcp", "udp", "icmp", "all")] = None,
    startport: First = None,
    endport: Last = None,
    cidrlist: Sources = None,
    icmptype: Icmp = None,
    icmpcode: Icmp = None,
    traffictype: Direction = None,
    fordisplay: bool | None = None,
) -> Job:
    """Changes an IPv6 firewall rule; what is left out stays. Ports and ICMP types of another protocol do not."""
    firewall = call.manager.rules.ipv6_firewall
    fields = firewall.changed(
        id,
        protocol=protocol,
        ports=(startport, endport),
        icmp=(icmptype, icmpcode),
        cidrs=cidrlist,
        direction=traffictype,
        display=fordisplay,
    )
    return Job(lambda: firewall.update(id, fields), id)


@command("listIpv6FirewallRules", view=Ipv6FirewallRuleView, group=GROUP)
async def list_ipv6_firewall_rules(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: Ipv6FirewallRule | None = None,
    networkid: Network | None = None,
    traffictype: Direction = None,
    fordisplay: bool | None = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists IPv6 firewall rules."""
    return listed(
        call,
        Ipv6FirewallRule,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={
            "network_id": networkid and networkid.id,
            "direction": traffictype and traffictype.capitalize(),
            "display": fordisplay,
        },
        search=("protocol",),
        tags=tags,
    )
