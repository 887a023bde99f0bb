"""Internal load balancers of VPC tiers, and the machines that they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.vpc.internal_load_balancers import InternalBalancing
from cloudsim.model import (
    Host,
    LoadBalancerRule,
    Network,
    Pod,
    SystemVm,
    VirtualMachine,
    Vpc,
    Zone,
)
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.commands.systemvm.router_views import RouterView
from server.api.commands.systemvm.routers import listed_routers, router
from server.api.listing import Page, Tags, listed, page_of
from server.api.parameters import Param, one_of
from server.api.scope import Scope
from server.api.views import TagView, View, owner, tags

GROUP = "LoadBalancer"
VM_GROUP = "InternalLB"
KIND = "InternalLoadBalancerVm"


class PortView(View):
    """What an internal load balancer spreads."""

    entity: ClassVar[Any] = None

    sourceport: int | None = None
    instanceport: int | None = None
    state: str | None = None


class BalancedInstanceView(View):
    """An instance behind an internal load balancer."""

    entity: ClassVar[Any] = None

    id: str | None = None
    name: str | None = None
    state: str | None = None
    ipaddress: str | None = None


class InternalLoadBalancerView(View):
    """A port of an address in a tier that is spread over instances."""

    entity: ClassVar = LoadBalancerRule
    key: ClassVar = "loadbalancer"

    id: str | None = None
    name: str | None = None
    description: str | None = None
    algorithm: str | None = None
    networkid: str | None = None
    sourceipaddress: str | None = None
    sourceipaddressnetworkid: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    loadbalancerrule: list[PortView] | None = None
    loadbalancerinstance: list[BalancedInstanceView] | None = None
    tags: list[TagView] | None = None
    fordisplay: bool | None = None

    @classmethod
    def of(cls, row: LoadBalancerRule, call: Call) -> Self:
        vms = call.store.table(VirtualMachine)
        instances = []
        for member in call.manager.internal_load_balancers.members(row):
            vm = vms.get(member.vm_id)
            instances.append(
                BalancedInstanceView(
                    id=member.vm_id,
                    name=vm.name if vm else None,
                    state=vm.state if vm else None,
                    ipaddress=member.ip,
                )
            )
        return cls(
            id=row.id,
            name=row.name,
            description=row.description or None,
            algorithm=row.algorithm,
            networkid=row.network_id,
            sourceipaddress=row.source_ip,
            sourceipaddressnetworkid=row.source_network_id,
            loadbalancerrule=[
                PortView(sourceport=row.public_port, instanceport=row.private_port, state=row.state)
            ],
            loadbalancerinstance=instances,
            tags=tags(call, row.id),
            fordisplay=row.display,
            **owner(call, row.account_id),
        )


def _internal(rule: LoadBalancerRule) -> LoadBalancerRule:
    if rule.scheme != "Internal":
        raise InvalidParameterValue(f"Load balancer rule {rule.name} is not an internal load balancer")
    return rule


@command("listLoadBalancers", view=InternalLoadBalancerView, since="4.2.0", group=GROUP)
async def list_load_balancers(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: LoadBalancerRule | None = None,
    name: str | None = None,
    sourceipaddress: str | None = None,
    sourceipaddressnetworkid: Network | None = None,
    scheme: Annotated[str | None, Param("Internal")] = None,
    networkid: Network | None = None,
    fordisplay: Annotated[bool | None, Param(since="4.4")] = None,
    tags: Tags | None = None,
) -> Listed:
    """Lists internal load balancers."""
    if scheme is not None and scheme.lower() != "internal":
        return Listed([], 0)
    return listed(
        call,
        LoadBalancerRule,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={
            "scheme": "Internal",
            "name": name,
            "source_ip": sourceipaddress,
            "source_network_id": sourceipaddressnetworkid and sourceipaddressnetworkid.id,
            "network_id": networkid and networkid.id,
            "display": fordisplay,
        },
        search=("name", "description"),
        tags=tags,
    )


@command(
    "createLoadBalancer",
    view=InternalLoadBalancerView,
    job=True,
    creates=LoadBalancerRule,
    event="LB.CREATE",
    since="4.2.0",
    group=GROUP,
)
async def create_load_balancer(
    call: Call,
    *,
    name: str,
    networkid: Annotated[Network, Param("the tier of the instances", access="operate")],
    sourceport: Annotated[int, Param("the port that is spread")],
    instanceport: Annotated[int, Param("the instances' port")],
    algorithm: Annotated[str, one_of("roundrobin", "leastconn", "source")],
    scheme: Annotated[str, Param("Internal")],
    sourceipaddressnetworkid: Annotated[Network, Param("the tier of the address: networkid", access="operate")],
    sourceipaddress: Annotated[
        str | None, Param("an address of the tier; one is chosen if left out")
    ] = None,
    description: Annotated[str | None, Param(length=4096)] = None,
    fordisplay: Annotated[bool, Param(since="4.4")] = True,
) -> Job:
    """Creates an internal load balancer, whose machine starts with its first instance."""
    row = call.manager.internal_load_balancers.create(
        networkid,
        sourceipaddressnetworkid,
        InternalBalancing(
            name=name,
            source_port=sourceport,
            instance_port=instanceport,
            algorithm=algorithm,
            scheme=scheme,
            source_ip=sourceipaddress or None,
            description=description or "",
            display=fordisplay,
        ),
    )

    async def work() -> LoadBalancerRule:
        return call.store.table(LoadBalancerRule)[row.id]

    return Job(work, row)


@command(
    "updateLoadBalancer",
    view=InternalLoadBalancerView,
    job=True,
    event="LB.UPDATE",
    since="4.4.0",
    group=GROUP,
)
async def update_load_balancer(
    call: Call, *, id: LoadBalancerRule, fordisplay: Annotated[bool | None, Param(since="4.4")] = None
) -> Job:
    """Changes whether an internal load balancer is shown."""
    rule = _internal(id)

    async def work() -> LoadBalancerRule:
        changed: LoadBalancerRule = call.manager.internal_load_balancers.update(rule.id, display=fordisplay)
        return changed

    return Job(work, rule)


@command("deleteLoadBalancer", job=True, event="LB.DELETE", since="4.2.0", group=GROUP)
async def delete_load_balancer(call: Call, *, id: LoadBalancerRule) -> Job:
    """Deletes an internal load balancer."""
    rule = _internal(id)
    return Job(lambda: call.manager.internal_load_balancers.delete(rule.id), rule)


# the machines


@command(
    "listInternalLoadBalancerVMs",
    view=RouterView,
    key="internalloadbalancervm",
    roles=ROOT,
    group=VM_GROUP,
)
async def list_internal_load_balancer_vms(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: SystemVm | None = None,
    name: str | None = None,
    state: str | None = None,
    hostid: Host | None = None,
    podid: Pod | None = None,
    zoneid: Zone | None = None,
    networkid: Network | None = None,
    vpcid: Vpc | None = None,
    forvpc: Annotated[bool | None, Param("all of them are of VPCs")] = None,
    fetchhealthcheckresults: Annotated[
        bool, Param("with the results of the health checks", since="4.14")
    ] = False,
) -> Listed:
    """Lists the machines of internal load balancers."""
    if forvpc is False:
        return Listed([], 0)
    found = listed_routers(
        call,
        page if vpcid is None else replace(page, start=0, size=None),
        scope,
        KIND,
        row_id=id,
        name=name,
        state=state,
        pod=podid,
        host=hostid,
        zone=zoneid,
        network=networkid,
        with_checks=fetchhealthcheckresults,
    )
    if vpcid is None:
        return found
    networks = call.store.table(Network)

    def of_vpc(shown: RouterView) -> bool:
        tier = networks.get(shown.guestnetworkid)
        return tier is not None and tier.vpc_id == vpcid.id

    return page_of([row for row in found.rows if of_vpc(row)], replace(page, keyword=None))


@command(
    "startInternalLoadBalancerVM",
    view=RouterView,
    key="internalloadbalancervm",
    job=True,
    roles=ROOT,
    event="INTERNALLBVM.START",
    group=VM_GROUP,
)
async def start_internal_load_balancer_vm(call: Call, *, id: SystemVm) -> Job:
    """Starts the machine of an internal load balancer."""
    row = router(call, id, KIND)

    async def work() -> SystemVm:
        await call.manager.system_vms.started(row.id)
        started = call.store.table(SystemVm)[row.id]
        await call.manager.routers.tell_again(started)
        return call.store.table(SystemVm)[row.id]

    return Job(work, row)


@command(
    "stopInternalLoadBalancerVM",
    view=RouterView,
    key="internalloadbalancervm",
    job=True,
    roles=ROOT,
    event="INTERNALLBVM.STOP",
    group=VM_GROUP,
)
async def stop_internal_load_balancer_vm(
    call: Call,
    *,
    id: SystemVm,
    forced: Annotated[bool, Param("whether it is switched off")] = False,
) -> Job:
    """Stops the machine of an internal load balancer; it stays so until it is started."""
    row = router(call, id, KIND)
    return Job(lambda: call.manager.system_vms.stopped(row.id, forced=forced), row)
