"""Static NAT, and the ports of its addresses that are let in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cloudsim.model import IpForwardingRule, Network, PublicIp, VirtualMachine
from server.api.command import Call, Job, Listed, command
from server.api.commands.network.rule_views import IpForwardingRuleView
from server.api.listing import Page, listed
from server.api.parameters import Param, one_of
from server.api.scope import Scope

GROUP = "NAT"
Address = Annotated[PublicIp, Param(access="operate")]


@command("enableStaticNat", event="STATICNAT.ENABLE", group=GROUP)
async def enable_static_nat(
    call: Call,
    *,
    ipaddressid: Address,
    virtualmachineid: Annotated[VirtualMachine, Param(access="operate")],
    networkid: Annotated[Network | None, Param("the tier, for an address of a VPC", access="operate")] = None,
    vmguestip: Annotated[
        str | None, Param("one of the instance's addresses in the network; its first if left out")
    ] = None,
) -> None:
    """Makes a public address an instance's alone."""
    await call.manager.rules.static_nats.enable(
        ipaddressid, virtualmachineid, network=networkid, guest_ip=vmguestip or None
    )


@command("disableStaticNat", job=True, event="STATICNAT.DISABLE", group=GROUP)
async def disable_static_nat(call: Call, *, ipaddressid: Address) -> Job:
    """Takes a static NAT address back from its instance, and deletes its rules."""
    static_nats = call.manager.rules.static_nats
    static_nats.check_enabled(ipaddressid)
    return Job(lambda: static_nats.disable(ipaddressid.id), ipaddressid)


@command(
    "createIpForwardingRule",
    view=IpForwardingRuleView,
    job=True,
    creates=IpForwardingRule,
    event="NET.RULEADD",
    group=GROUP,
)
async def create_ip_forwarding_rule(
    call: Call,
    *,
    ipaddressid: Address,
    protocol: Annotated[str, one_of("tcp", "udp")],
    startport: int,
    endport: Annotated[int | None, Param("the last port; the first if left out")] = None,
    openfirewall: Annotated[bool | None, Param("whether the firewall lets it in; true if left out")] = None,
    cidrlist: Annotated[
        Sequence[str] | None, Param("CIDRs that the firewall lets in; anywhere if left out")
    ] = None,
) -> Job:
    """Lets ports of a static NAT address in to its instance."""
    static_nats = call.manager.rules.static_nats
    rule = static_nats.create_rule(
        ipaddressid,
        protocol=protocol,
        start_port=startport,
        end_port=endport,
        cidrs=cidrlist,
        open_firewall=openfirewall,
    )
    return Job(lambda: static_nats.enforce(rule), rule)


@command("deleteIpForwardingRule", job=True, event="NET.RULEDELETE", group=GROUP)
async def delete_ip_forwarding_rule(call: Call, *, id: IpForwardingRule) -> Job:
    """Deletes a rule of a static NAT address."""
    return Job(lambda: call.manager.rules.static_nats.revoke(id), id)


@command("listIpForwardingRules", view=IpForwardingRuleView, group=GROUP)
async def list_ip_forwarding_rules(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: IpForwardingRule | None = None,
    ipaddressid: PublicIp | None = None,
    virtualmachineid: VirtualMachine | None = None,
) -> Listed:
    """Lists rules of static NAT addresses."""
    return listed(
        call,
        IpForwardingRule,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={
            "public_ip_id": ipaddressid and ipaddressid.id,
            "vm_id": virtualmachineid and virtualmachineid.id,
        },
        search=("guest_ip",),
    )
