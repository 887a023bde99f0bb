"""IPv6 firewall rules of isolated networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from cloudsim.management.network.ipv6_firewall import ANYWHERE, PROTOCOLS
from cloudsim.management.network.rule_traffic import RuleTraffic
from cloudsim.model import Ipv6FirewallRule, Network
from server.api.command import Call, Job, Listed, command
from server.api.commands.network.firewall_traffic import FirstPort, LastPort, TrafficParameters, TrafficView
from server.api.listing import Page, Tags, listed
from server.api.parameters import Param, one_of
from server.api.scope import Scope

GROUP = "Firewall"
OF_SOURCES, OF_ICMP = "IPv6 CIDRs that traffic is from; all if left out", "of ICMPv6; -1 for any"
Icmp = Annotated[int | None, Param(OF_ICMP)]
Direction = Annotated[str | None, one_of("Ingress", "Egress")]


class Ipv6FirewallRuleView(TrafficView):
    """IPv6 traffic let in to a network, or an exception for traffic out of it."""

    entity: ClassVar = Ipv6FirewallRule
    key: ClassVar = "ipv6firewallrule"
    anywhere = ANYWHERE


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
    traffic: Annotated[
        RuleTraffic,
        TrafficParameters(
            *PROTOCOLS, icmp=OF_ICMP, of=OF_SOURCES, to="IPv6 CIDRs that traffic is for; all if left out"
        ),
    ],
    traffictype: Direction = None,
    fordisplay: bool = True,
) -> Job:
    """Lets IPv6 traffic in to a network, or (Egress) out of it, or keeps it in where its offering lets all out."""
    firewall = call.manager.rules.ipv6_firewall
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
    protocol: Annotated[str | None, one_of(*PROTOCOLS)] = None,
    startport: FirstPort = None,
    endport: LastPort = None,
    cidrlist: Annotated[Sequence[str] | None, Param(OF_SOURCES)] = None,
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
