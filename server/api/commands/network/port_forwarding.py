"""Port forwarding rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cloudsim.management.network.port_forwarding import Forwarding
from cloudsim.model import Network, PortForwardingRule, PublicIp, VirtualMachine
from server.api.command import Call, Job, Listed, command
from server.api.commands.network.rule_views import PortForwardingRuleView
from server.api.listing import Page, Tags, listed
from server.api.parameters import Param, one_of
from server.api.scope import Scope

GROUP = "Firewall"
Cidrs = Annotated[Sequence[str] | None, Param("CIDRs that the firewall lets in; anywhere if left out")]
GuestIp = Annotated[
    str | None, Param("one of the instance's addresses in the network; its first if left out")
]


@command(
    "createPortForwardingRule",
    view=PortForwardingRuleView,
    job=True,
    creates=PortForwardingRule,
    event="NET.RULEADD",
    group=GROUP,
)
async def create_port_forwarding_rule(
    call: Call,
    *,
    ipaddressid: Annotated[PublicIp, Param(access="operate")],
    protocol: Annotated[str, one_of("tcp", "udp")],
    publicport: Annotated[int, Param("the first port of the public address")],
    publicendport: Annotated[int | None, Param("the last one; the first if left out")] = None,
    privateport: Annotated[int, Param("the first port of the instance")],
    privateendport: Annotated[
        int | None, Param("the last one; as many as the public ones if left out")
    ] = None,
    virtualmachineid: Annotated[VirtualMachine, Param(access="operate")],
    vmguestip: GuestIp = None,
    openfirewall: Annotated[
        bool | None, Param("whether the firewall lets it in; true if left out, but in a VPC, which has none")
    ] = None,
    cidrlist: Cidrs = None,
    networkid: Annotated[Network | None, Param("the tier, for an address of a VPC", access="operate")] = None,
    fordisplay: bool = True,
) -> Job:
    """Has ports of a public address lead to an instance."""
    forwarding = call.manager.rules.port_forwarding
    asked = Forwarding(
        protocol=protocol,
        public_port=publicport,
        public_end_port=publicendport,
        private_port=privateport,
        private_end_port=privateendport,
        guest_ip=vmguestip or None,
        open_firewall=openfirewall,
        cidrs=cidrlist,
        display=fordisplay,
    )
    rule = forwarding.create(ipaddressid, virtualmachineid, asked, networkid)
    return Job(lambda: forwarding.enforce(rule), rule)


@command("deletePortForwardingRule", job=True, event="NET.RULEDELETE", group=GROUP)
async def delete_port_forwarding_rule(call: Call, *, id: PortForwardingRule) -> Job:
    """Deletes a port forwarding rule."""
    return Job(lambda: call.manager.rules.port_forwarding.revoke(id), id)


@command(
    "updatePortForwardingRule",
    view=PortForwardingRuleView,
    job=True,
    event="NET.RULEMODIFY",
    group=GROUP,
)
async def update_port_forwarding_rule(
    call: Call,
    *,
    id: Annotated[PortForwardingRule, Param(since="4.4")],
    privateport: int | None = None,
    privateendport: int | None = None,
    virtualmachineid: Annotated[VirtualMachine | None, Param(access="operate")] = None,
    vmguestip: GuestIp = None,
    cidrlist: Cidrs = None,
    fordisplay: bool | None = None,
) -> Job:
    """Changes where a port forwarding rule leads to."""
    forwarding = call.manager.rules.port_forwarding
    wanted = forwarding.changed(
        id,
        private_port=privateport,
        private_end_port=privateendport,
        vm=virtualmachineid,
        guest_ip=vmguestip or None,
        cidrs=cidrlist,
        display=fordisplay,
    )
    return Job(lambda: forwarding.update(wanted), id)


@command("listPortForwardingRules", view=PortForwardingRuleView, group=GROUP)
async def list_port_forwarding_rules(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: PortForwardingRule | None = None,
    ipaddressid: PublicIp | None = None,
    networkid: Network | None = None,
    fordisplay: bool | None = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists port forwarding rules."""
    return listed(
        call,
        PortForwardingRule,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={
            "public_ip_id": ipaddressid and ipaddressid.id,
            "network_id": networkid and networkid.id,
            "display": fordisplay,
        },
        search=("guest_ip",),
        tags=tags,
    )
