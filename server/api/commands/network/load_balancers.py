"""Load balancer rules of public addresses, and the instances behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.network.load_balancers import Balancing
from cloudsim.model import (
    LoadBalancerMember,
    LoadBalancerRule,
    Network,
    PublicIp,
    VirtualMachine,
    Zone,
)
from server.api.command import Call, Job, Listed, command
from server.api.commands.compute.virtual_machine_views import VirtualMachineView
from server.api.commands.network.rule_views import LoadBalancerView
from server.api.listing import Page, Tags, listed, page_of
from server.api.ownership import NamedAccount, check_named
from server.api.parameters import Param, one_of
from server.api.scope import Scope
from server.api.views import View

GROUP = "LoadBalancer"
Algorithm = one_of("roundrobin", "leastconn", "source")
Protocol = Param("tcp, udp, tcp-proxy or ssl")
Cidrs = Annotated[Sequence[str] | None, Param("CIDRs that may come; anyone if left out")]
Machines = Annotated[
    Sequence[VirtualMachine] | None, Param("instances in the rule's network", access="operate")
]
Behind = Annotated[Sequence[VirtualMachine] | None, Param("instances behind the rule", access="any")]
ByAddress = Annotated[
    Sequence[Mapping[str, str]] | None,
    Param("instances by addresses of theirs: vmidipmap[0].vmid=..&vmidipmap[0].vmip=.."),
]


@command(
    "createLoadBalancerRule",
    view=LoadBalancerView,
    key="loadbalancer",
    job=True,
    creates=LoadBalancerRule,
    event="LB.CREATE",
    group=GROUP,
)
async def create_load_balancer_rule(
    call: Call,
    *,
    name: str,
    named: NamedAccount,
    publicport: int,
    privateport: int,
    algorithm: Annotated[str, Algorithm],
    protocol: Annotated[str | None, Protocol] = None,
    zoneid: Annotated[Zone | None, Param("the zone of its address")] = None,
    publicipid: Annotated[
        PublicIp | None, Param("the source NAT address of networkid if left out", access="operate")
    ] = None,
    networkid: Annotated[Network | None, Param("the tier, for an address of a VPC", access="operate")] = None,
    cidrlist: Cidrs = None,
    openfirewall: Annotated[
        bool | None, Param("whether the firewall lets it in; true if left out, but in a VPC, which has none")
    ] = None,
    description: Annotated[str | None, Param(length=4096)] = None,
    fordisplay: bool = True,
) -> Job:
    """Creates a load balancer rule."""
    balancers = call.manager.rules.load_balancers
    if publicipid is None:
        if networkid is None:
            raise InvalidParameterValue("Either publicipid or networkid must be given")
        publicipid = balancers.source_nat_of(networkid)
    check_named(named, publicipid.account_id, f"address {publicipid.ip}")
    if zoneid is not None and zoneid.id != publicipid.zone_id:
        raise InvalidParameterValue(f"zoneid: address {publicipid.ip} is not in zone {zoneid.name}")
    asked = Balancing(
        name=name,
        public_port=publicport,
        private_port=privateport,
        algorithm=algorithm,
        protocol=protocol or "tcp",
        description=description or "",
        cidrs=cidrlist,
        open_firewall=openfirewall,
        display=fordisplay,
    )
    rule = balancers.create(publicipid, asked, networkid)
    return Job(lambda: balancers.enforce(rule), rule)


@command("deleteLoadBalancerRule", job=True, event="LB.DELETE", group=GROUP)
async def delete_load_balancer_rule(call: Call, *, id: LoadBalancerRule) -> Job:
    """Deletes a load balancer rule."""
    rule = public(id)
    return Job(lambda: call.manager.rules.load_balancers.revoke(rule), rule)


def public(rule: LoadBalancerRule) -> LoadBalancerRule:
    """The rule, unless it is an internal load balancer, which has commands of its own."""
    if rule.scheme != "Public":
        raise InvalidParameterValue(f"{rule.name} is an internal load balancer")
    return rule


@command(
    "updateLoadBalancerRule",
    view=LoadBalancerView,
    key="loadbalancer",
    job=True,
    event="LB.UPDATE",
    group=GROUP,
)
async def update_load_balancer_rule(
    call: Call,
    *,
    id: LoadBalancerRule,
    name: str | None = None,
    description: Annotated[str | None, Param(length=4096)] = None,
    algorithm: Annotated[str | None, Algorithm] = None,
    protocol: Annotated[str | None, Protocol] = None,
    cidrlist: Cidrs = None,
    fordisplay: bool | None = None,
) -> Job:
    """Changes a load balancer rule."""
    balancers = call.manager.rules.load_balancers
    fields = balancers.changes_of(
        public(id),
        name=name,
        description=description,
        algorithm=algorithm,
        protocol=protocol,
        cidrs=cidrlist,
        display=fordisplay,
    )
    return Job(lambda: balancers.update(id, fields), id)


@command("listLoadBalancerRules", view=LoadBalancerView, group=GROUP)
async def list_load_balancer_rules(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: LoadBalancerRule | None = None,
    name: str | None = None,
    publicipid: PublicIp | None = None,
    virtualmachineid: Annotated[VirtualMachine | None, Param("rules that the instance is behind")] = None,
    zoneid: Zone | None = None,
    networkid: Network | None = None,
    fordisplay: bool | None = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists load balancer rules."""
    networks = call.store.table(Network)
    rules = [id] if id is not None else None
    if virtualmachineid is not None:
        members = call.store.table(LoadBalancerMember).where("vm_id", virtualmachineid.id)
        theirs = {member.rule_id for member in members}
        table = call.store.table(LoadBalancerRule)
        rules = [table[each] for each in sorted(theirs) if id is None or each == id.id]

    def keep(rule: LoadBalancerRule) -> bool:
        return zoneid is None or networks[rule.network_id].zone_id == zoneid.id

    return listed(
        call,
        LoadBalancerRule,
        page=page,
        scope=scope,
        ids=rules,
        equal={
            "name": name,
            "scheme": "Public",
            "public_ip_id": publicipid and publicipid.id,
            "network_id": networkid and networkid.id,
            "display": fordisplay,
        },
        keep=keep,
        tags=tags,
    )


# members


def _named(
    call: Call, vms: Sequence[VirtualMachine] | None, by_address: Sequence[Mapping[str, str]] | None
) -> tuple[list[VirtualMachine], dict[str, list[str]]]:
    """The instances, and the addresses that are named for them."""
    found = list(vms or ())
    addresses: dict[str, list[str]] = {}
    for entry in by_address or ():
        vm_id, ip = entry.get("vmid"), entry.get("vmip")
        if not vm_id or not ip:
            raise InvalidParameterValue("Each entry of vmidipmap has a vmid and a vmip")
        vm = call.resolve(VirtualMachine, vm_id)
        if vm is None:
            raise InvalidParameterValue(f"Invalid instance ID specified in vmidipmap: {vm_id}")
        found.append(vm)
        addresses.setdefault(vm.id, []).append(ip)
    return found, addresses


@command("assignToLoadBalancerRule", job=True, event="LB.ASSIGN.TO.RULE", group=GROUP)
async def assign_to_load_balancer_rule(
    call: Call, *, id: LoadBalancerRule, virtualmachineids: Machines = None, vmidipmap: ByAddress = None
) -> Job:
    """Puts instances behind a load balancer rule."""
    members = call.manager.rules.members
    wanted = members.check_assign(id, *_named(call, virtualmachineids, vmidipmap))
    return Job(lambda: members.assign(id, wanted), id)


@command("removeFromLoadBalancerRule", job=True, event="LB.REMOVE.FROM.RULE", group=GROUP)
async def remove_from_load_balancer_rule(
    call: Call, *, id: LoadBalancerRule, virtualmachineids: Behind = None, vmidipmap: ByAddress = None
) -> Job:
    """Takes instances from behind a load balancer rule."""
    members = call.manager.rules.members
    behind = members.of(id)
    for vm in virtualmachineids or ():  # of an account that the rule's network is shared with, too
        if vm.id not in behind:
            visibility.check(call.store, call.caller, vm)
    leaving = members.check_remove(id, *_named(call, virtualmachineids, vmidipmap))
    return Job(lambda: members.remove(id, leaving), id)


class MemberView(View):
    """An instance behind a rule, with the addresses by which it is."""

    entity: ClassVar[Any] = None
    key: ClassVar = "lbrulevmidip"

    loadbalancerruleinstance: VirtualMachineView | None = None
    lbvmipaddresses: list[str] | None = None


@command(
    "listLoadBalancerRuleInstances",
    view=VirtualMachineView,
    key="loadbalancerruleinstance",
    group=GROUP,
)
async def list_load_balancer_rule_instances(
    call: Call,
    *,
    page: Page,
    id: Annotated[LoadBalancerRule, Param(access="operate")],
    applied: Annotated[
        bool, Param("instances behind the rule; false for those that could be put behind it")
    ] = True,
    lbvmips: Annotated[bool, Param("with the addresses by which they are")] = False,
) -> Listed:
    """Lists the instances behind a load balancer rule."""
    members = call.manager.rules.members
    mine = members.of(id)
    vms = call.store.table(VirtualMachine)
    rows = [vms[vm_id] for vm_id in mine] if applied else members.assignable(id)
    found = page_of(rows, page, search=("name", "display_name"))
    shown: list[View] = []
    for vm in found.rows:
        view = VirtualMachineView.of(vm, call)
        memberships = mine.get(vm.id, [])
        states = {member.state for member in memberships} - {"Unknown"}
        if states:
            view.servicestate = "UP" if "Up" in states else "DOWN"
        addresses = [member.ip for member in memberships]
        shown.append(
            MemberView(loadbalancerruleinstance=view, lbvmipaddresses=addresses) if lbvmips else view
        )
    return Listed(shown, found.total, key=MemberView.key if lbvmips else None)
