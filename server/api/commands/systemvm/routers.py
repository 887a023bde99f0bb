"""Virtual routers: looked at, started, stopped, restarted, removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import (
    Account,
    Cluster,
    Domain,
    Host,
    Network,
    Pod,
    ServiceOffering,
    SystemVm,
    VirtualMachine,
    Vpc,
    Zone,
)
from server.api.command import ADMINS, ROOT, Call, Job, Listed, command
from server.api.commands.systemvm.router_views import SOFTWARE, HealthCheckView, RouterView, needs_upgrade
from server.api.listing import Page, Paging, listed
from server.api.ownership import account_named
from server.api.parameters import Param
from server.api.scope import Ownership, Scope
from server.api.views import View

GROUP = "Router"
ROUTERS = ("DomainRouter", "InternalLoadBalancerVm")


def owner_of(call: Call, row: SystemVm) -> str:
    """The account whose network or VPC the router serves."""
    served = call.store.table(Vpc).get(row.vpc_id) or call.store.table(Network).get(row.network_id)
    return served.account_id if served is not None else call.manager.identity.system()[0].id


def router(call: Call, row: SystemVm, kind: str = "DomainRouter") -> SystemVm:
    """The system VM, if it is a router. Raises InvalidParameterValue."""
    if row.kind != kind:
        raise InvalidParameterValue(f"Unable to find a virtual router with id {row.id}: it is a {row.kind}")
    return row


@command("listRouters", view=RouterView, group=GROUP, roles=ADMINS)
async def list_routers(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: SystemVm | None = None,
    name: str | None = None,
    state: str | None = None,
    zoneid: Zone | None = None,
    podid: Pod | None = None,
    clusterid: Cluster | None = None,
    hostid: Host | None = None,
    networkid: Network | None = None,
    vpcid: Vpc | None = None,
    forvpc: Annotated[bool | None, Param("whether of VPCs, or of networks outside of VPCs")] = None,
    version: str | None = None,
    healthchecksfailed: Annotated[bool | None, Param("whether a health check failed")] = None,
    fetchhealthcheckresults: Annotated[bool, Param("with the results of the health checks")] = False,
    arch: Literal["x86_64", "aarch64", "s390x"] | None = None,
) -> Listed:
    """Lists virtual routers."""
    return listed_routers(
        call,
        page,
        scope,
        "DomainRouter",
        row_id=id,
        name=name,
        state=state,
        zone=zoneid,
        pod=podid,
        cluster=clusterid,
        host=hostid,
        network=networkid,
        vpc=vpcid,
        for_vpc=forvpc,
        version=version,
        failed=healthchecksfailed,
        with_checks=fetchhealthcheckresults,
        arch=arch,
    )


def listed_routers(
    call: Call,
    page: Paging,
    scope: Ownership,
    kind: str,
    *,
    row_id: SystemVm | None = None,
    name: str | None = None,
    state: str | None = None,
    zone: Zone | None = None,
    pod: Pod | None = None,
    cluster: Cluster | None = None,
    host: Host | None = None,
    network: Network | None = None,
    vpc: Vpc | None = None,
    for_vpc: bool | None = None,
    version: str | None = None,
    failed: bool | None = None,
    with_checks: bool = False,
    arch: str | None = None,
) -> Listed:
    """The routers of that kind which match all that is given."""
    vms, hosts = call.store.table(VirtualMachine), call.store.table(Host)
    on_network = None
    if network is not None:
        found = call.manager.routers.of(network)
        balancers = call.manager.routers.internal_balancers(network)
        on_network = {each.id for each in (*((found,) if found is not None else ()), *balancers)}

    def keep(row: SystemVm) -> bool:
        vm = vms[row.id]
        there = hosts.get(vm.host_id)
        return (
            row.kind == kind
            and scope.owns(owner_of(call, row))
            and (name is None or vm.instance_name.lower() == name.lower())
            and (state is None or vm.state.lower() == state.lower())
            and (pod is None or vm.pod_id == pod.id)
            and (host is None or vm.host_id == host.id)
            and (cluster is None or (there is not None and there.cluster_id == cluster.id))
            and (arch is None or (there is not None and there.arch == arch))
            and (on_network is None or row.id in on_network)
            and (for_vpc is None or (row.vpc_id is not None) == for_vpc)
            and (version is None or version == SOFTWARE)
            and (page.keyword is None or page.keyword.lower() in vm.instance_name.lower())
        )

    whole: Paging = replace(page, keyword=None)  # which is looked for in the machine's name, above
    answer = listed(
        call,
        SystemVm,
        page=whole,
        ids=None if row_id is None else [row_id],
        equal={"zone_id": zone and zone.id, "vpc_id": vpc and vpc.id},
        keep=keep,
    )
    views: list[View] = []
    for row in answer.rows:
        view = RouterView.of(row, call)
        if with_checks:
            view.healthcheckresults = _checks(call, row)
        if failed is None or bool(view.healthchecksfailed) == failed:
            views.append(view)
    return Listed(views, answer.total if failed is None else len(views))


def _checks(call: Call, row: SystemVm) -> list[HealthCheckView]:
    return [HealthCheckView.of(check, call) for check in call.manager.router_health.results(row)]


@command("startRouter", view=RouterView, job=True, event="ROUTER.START", group=GROUP, roles=ROOT)
async def start_router(call: Call, *, id: SystemVm) -> Job:
    """Starts a virtual router."""
    router(call, id)

    async def work() -> SystemVm:
        started: SystemVm = await call.manager.system_vms.started(id.id)
        await call.manager.routers.tell_again(started)
        return call.store.table(SystemVm)[id.id]

    return Job(work, id)


@command("stopRouter", view=RouterView, job=True, event="ROUTER.STOP", group=GROUP, roles=ROOT)
async def stop_router(call: Call, *, id: SystemVm, forced: bool = False) -> Job:
    """Stops a virtual router until somebody starts it, or an instance of its network."""
    router(call, id)

    async def work() -> SystemVm:
        stopped: SystemVm = await call.manager.system_vms.stopped(id.id, forced=forced)
        return stopped

    return Job(work, id)


@command("rebootRouter", view=RouterView, job=True, event="ROUTER.REBOOT", group=GROUP, roles=ROOT)
async def reboot_router(
    call: Call, *, id: SystemVm, forced: Annotated[bool, Param("pull the plug instead of shutting it down")] = False
) -> Job:
    """Restarts a virtual router."""
    router(call, id)

    async def work() -> SystemVm:
        started: SystemVm = await call.manager.system_vms.rebooted(id.id, forced=forced)
        await call.manager.routers.tell_again(started)
        return call.store.table(SystemVm)[id.id]

    return Job(work, id)


@command("destroyRouter", view=RouterView, job=True, event="ROUTER.DESTROY", group=GROUP, roles=ROOT)
async def destroy_router(call: Call, *, id: SystemVm) -> Job:
    """Removes a virtual router; the next instance that starts on its network, or a restart of it, makes another."""
    router(call, id)
    view = RouterView.of(id, call)

    async def work() -> RouterView:
        await call.manager.system_vms.destroyed(id.id)
        return view

    return Job(work, id)


@command("changeServiceForRouter", view=RouterView, event="ROUTER.UPGRADE", group=GROUP, roles=ROOT)
async def change_service_for_router(
    call: Call,
    *,
    id: SystemVm,
    serviceofferingid: Annotated[ServiceOffering, Param("a system offering for routers")],
) -> SystemVm:
    """Gives a stopped virtual router another size."""
    changed: SystemVm = call.manager.system_vms.change_offering(router(call, id), serviceofferingid)
    return changed


@command("upgradeRouterTemplate", group=GROUP, roles=ROOT)
async def upgrade_router_template(
    call: Call,
    *,
    id: SystemVm | None = None,
    clusterid: Cluster | None = None,
    podid: Pod | None = None,
    zoneid: Zone | None = None,
    account: str | None = None,
    domainid: Annotated[Domain | None, Param("the domain of account")] = None,
) -> None:
    """Makes routers anew from the newest system VM template, one after the other, in the background."""
    owner: Account | None = None
    if account is not None:
        domain = domainid or call.store.table(Domain)[call.caller.account.domain_id]
        owner = account_named(call.store, account, domain)
    vms, hosts = call.store.table(VirtualMachine), call.store.table(Host)

    def chosen(row: SystemVm) -> bool:
        vm = vms[row.id]
        host = hosts.get(vm.host_id)
        return (
            row.kind == "DomainRouter"
            and (id is None or row.id == id.id)
            and (zoneid is None or row.zone_id == zoneid.id)
            and (podid is None or vm.pod_id == podid.id)
            and (clusterid is None or (host is not None and host.cluster_id == clusterid.id))
            and (owner is None or owner_of(call, row) == owner.id)
            and needs_upgrade(row, call)
        )

    if all(each is None for each in (id, clusterid, podid, zoneid, account)):
        raise InvalidParameterValue("Specify one of id, clusterid, podid, zoneid or account")
    call.manager.routers.make_anew([row for row in call.store.table(SystemVm) if chosen(row)])
