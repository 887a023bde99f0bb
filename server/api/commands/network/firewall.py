"""Firewall rules of public addresses, and egress rules of networks."""

from __future__ import annotations

from typing import Annotated, Literal

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.network.firewall import EGRESS, INGRESS
from cloudsim.management.network.rule_traffic import RuleTraffic
from cloudsim.model import FirewallRule, Network, PublicIp
from server.api.command import Call, Job, Listed, command
from server.api.commands.network.firewall_traffic import TrafficParameters
from server.api.commands.network.rule_views import FirewallRuleView
from server.api.listing import Page, Paging, Tags, listed
from server.api.parameters import Param
from server.api.scope import Ownership, Scope

GROUP = "Firewall"
RuleType = Annotated[Literal["User", "System"], Param("System: a root admin's, which nobody else can delete")]


@command(
    "createFirewallRule",
    view=FirewallRuleView,
    job=True,
    creates=FirewallRule,
    event="FIREWALL.OPEN",
    group=GROUP,
)
async def create_firewall_rule(
    call: Call,
    *,
    ipaddressid: Annotated[PublicIp, Param(access="operate")],
    traffic: Annotated[
        RuleTraffic,
        TrafficParameters(*INGRESS, icmp="-1 for any", of="CIDRs that may come from; anywhere if left out"),
    ],
    fordisplay: bool = True,
    type: RuleType = "User",
) -> Job:
    """Lets traffic in to a public address."""
    firewall = call.manager.rules.firewall
    system = _is_system(call, type)
    rule = firewall.create_ingress(ipaddressid, traffic, display=fordisplay, system=system)
    return Job(lambda: firewall.enforce(rule), rule)


@command(
    "createEgressFirewallRule",
    view=FirewallRuleView,
    job=True,
    creates=FirewallRule,
    event="FIREWALL.EGRESS.OPEN",
    group=GROUP,
)
async def create_egress_firewall_rule(
    call: Call,
    *,
    networkid: Annotated[Network, Param(access="operate")],
    traffic: Annotated[
        RuleTraffic,
        TrafficParameters(
            *EGRESS,
            icmp="-1 for any",
            of="CIDRs of the network that traffic is from; all of it if left out",
            to="CIDRs that traffic is for; anywhere if left out",
        ),
    ],
    fordisplay: bool = True,
    type: RuleType = "User",
) -> Job:
    """Lets traffic out of a network, or keeps it in where the network's offering lets all out."""
    firewall = call.manager.rules.firewall
    system = _is_system(call, type)
    rule = firewall.create_egress(networkid, traffic, display=fordisplay, system=system)
    return Job(lambda: firewall.enforce(rule), rule)


def _is_system(call: Call, type: str) -> bool:
    """Whether the rule is to be a root admin's; PermissionDenied for who is none."""
    if type == "System" and not call.caller.is_root_admin:
        raise PermissionDenied("type: only a root admin can make rules of type System")
    return type == "System"


def _checked(rule: FirewallRule, direction: str) -> FirewallRule:
    """The rule, if it is of that direction."""
    if rule.direction != direction:
        raise InvalidParameterValue(f"Rule {rule.id} is no {direction.lower()} firewall rule")
    return rule


def _deletable(call: Call, rule: FirewallRule, direction: str) -> FirewallRule:
    """The rule, if it is of that direction and the caller's to delete."""
    _checked(rule, direction)
    if rule.system and not call.caller.is_root_admin:
        raise PermissionDenied(f"Only a root admin can delete rule {rule.id}, which is of type System")
    return rule


@command("deleteFirewallRule", job=True, event="FIREWALL.CLOSE", group=GROUP)
async def delete_firewall_rule(call: Call, *, id: FirewallRule) -> Job:
    """Deletes a firewall rule of a public address."""
    rule = _deletable(call, id, "Ingress")
    return Job(lambda: call.manager.rules.firewall.revoke(rule), rule)


@command("deleteEgressFirewallRule", job=True, event="FIREWALL.EGRESS.CLOSE", group=GROUP)
async def delete_egress_firewall_rule(call: Call, *, id: FirewallRule) -> Job:
    """Deletes an egress rule of a network."""
    rule = _deletable(call, id, "Egress")
    return Job(lambda: call.manager.rules.firewall.revoke(rule), rule)


async def _update(call: Call, rule: FirewallRule, display: bool | None) -> FirewallRule:
    changed: FirewallRule = call.manager.rules.firewall.update(rule, display=display)
    return changed


@command(
    "updateFirewallRule",
    view=FirewallRuleView,
    job=True,
    event="FIREWALL.UPDATE",
    since="4.4",
    group=GROUP,
)
async def update_firewall_rule(call: Call, *, id: FirewallRule, fordisplay: bool | None = None) -> Job:
    """Changes whether a firewall rule is shown."""
    rule = _checked(id, "Ingress")
    return Job(lambda: _update(call, rule, fordisplay), rule)


@command(
    "updateEgressFirewallRule",
    view=FirewallRuleView,
    job=True,
    event="FIREWALL.EGRESS.UPDATE",
    since="4.4",
    group=GROUP,
)
async def update_egress_firewall_rule(call: Call, *, id: FirewallRule, fordisplay: bool | None = None) -> Job:
    """Changes whether an egress rule is shown."""
    rule = _checked(id, "Egress")
    return Job(lambda: _update(call, rule, fordisplay), rule)


@command("listFirewallRules", view=FirewallRuleView, group=GROUP)
async def list_firewall_rules(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: FirewallRule | None = None,
    ipaddressid: PublicIp | None = None,
    networkid: Network | None = None,
    fordisplay: bool | None = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists firewall rules of public addresses."""
    return _listed(call, "Ingress", page, scope, id, ipaddressid, networkid, fordisplay, tags)


@command("listEgressFirewallRules", view=FirewallRuleView, group=GROUP)
async def list_egress_firewall_rules(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: FirewallRule | None = None,
    ipaddressid: PublicIp | None = None,
    networkid: Network | None = None,
    fordisplay: bool | None = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists egress rules of networks."""
    return _listed(call, "Egress", page, scope, id, ipaddressid, networkid, fordisplay, tags)


def _listed(
    call: Call,
    direction: str,
    page: Paging,
    scope: Ownership,
    id: FirewallRule | None,
    address: PublicIp | None,
    network: Network | None,
    display: bool | None,
    tags: Tags | None,
) -> Listed:
    return listed(
        call,
        FirewallRule,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={
            "direction": direction,
            "public_ip_id": address and address.id,
            "network_id": network and network.id,
            "display": display,
        },
        search=("protocol",),
        tags=tags,
    )
