"""Dedicated zones, pods, clusters and hosts."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.model import Account, AffinityGroup, Cluster, DedicatedResource, Domain, Host, Pod, Zone
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.listing import Page, page_of
from server.api.ownership import account_named
from server.api.parameters import Param
from server.api.views import View

Resource = Zone | Pod | Cluster | Host


class _DedicatedView(View):
    """What is dedicated, and to whom."""

    id: str | None = None
    domainid: str | None = None
    accountid: Annotated[str | None, "the account; without it all of the domain and those below"] = None
    affinitygroupid: Annotated[str | None, "the group whose instances may run there"] = None

    @classmethod
    def of(cls, row: DedicatedResource, call: Call) -> Self:
        resource: Any = call.store.tables[row.kind].get(row.resource_id)
        kind = row.kind.lower()
        named: dict[str, Any] = {f"{kind}id": row.resource_id, f"{kind}name": getattr(resource, "name", None)}
        return cls(
            id=row.id,
            domainid=row.domain_id,
            accountid=row.account_id,
            affinitygroupid=row.affinity_group_id,
            **named,
        )


class DedicatedZoneView(_DedicatedView):
    """A dedicated zone."""

    key: ClassVar = "dedicatedzone"

    zoneid: str | None = None
    zonename: str | None = None


class DedicatedPodView(_DedicatedView):
    """A dedicated pod."""

    key: ClassVar = "dedicatedpod"

    podid: str | None = None
    podname: str | None = None


class DedicatedClusterView(_DedicatedView):
    """A dedicated cluster."""

    key: ClassVar = "dedicatedcluster"

    clusterid: str | None = None
    clustername: str | None = None


class DedicatedHostView(_DedicatedView):
    """A dedicated host."""

    key: ClassVar = "dedicatedhost"

    hostid: str | None = None
    hostname: str | None = None


OfDomain = Annotated[Domain, Param("the domain that it is to be dedicated to, or that the account is in")]
OfAccount = Annotated[str | None, Param("the account of the domain that it is to be dedicated to")]
ListDomain = Annotated[Domain | None, Param("only what is dedicated to that domain, or to its account", access="use")]
ListAccount = Annotated[str | None, Param("only what is dedicated to that account; with domainid")]


def _dedicate(call: Call, resource: Resource, domain: Domain, name: str | None) -> Job:
    account = account_named(call.store, name, domain) if name else None
    call.manager.dedication.check(resource, domain, account)

    async def work() -> DedicatedResource:
        made: DedicatedResource = call.manager.dedication.dedicate(resource, domain, account)
        return made

    return Job(work, resource)


def _release(call: Call, resource: Resource) -> Job:
    async def work() -> None:
        call.manager.dedication.release(resource)

    return Job(work, resource)


def _listed(
    call: Call,
    kind: str,
    page: Any,
    resource: Resource | None,
    domain: Domain | None,
    account: str | None,
    group: AffinityGroup | None,
) -> Listed:
    where = domain or call.store.table(Domain)[call.caller.account.domain_id]
    owner: Account | None = account_named(call.store, account, where) if account else None
    rows = [
        row
        for row in call.store.table(DedicatedResource)
        if row.kind == kind
        and (resource is None or row.resource_id == resource.id)
        and (owner is None or row.account_id == owner.id)
        and (domain is None or row.domain_id == domain.id)
        and (group is None or row.affinity_group_id == group.id)
    ]
    return page_of(rows, page, search=("resource_id",))


@command("dedicateZone", view=DedicatedZoneView, roles=ROOT, job=True, event="DEDICATE.RESOURCE", group="Zone")
async def dedicate_zone(call: Call, *, zoneid: Zone, domainid: OfDomain, account: OfAccount = None) -> Job:
    """Dedicates a zone: only instances of the owner run in it."""
    return _dedicate(call, zoneid, domainid, account)


@command("dedicatePod", view=DedicatedPodView, roles=ROOT, job=True, event="DEDICATE.RESOURCE", group="Pod")
async def dedicate_pod(call: Call, *, podid: Pod, domainid: OfDomain, account: OfAccount = None) -> Job:
    """Dedicates a pod: its hosts take instances of the affinity group that comes with it, and no others."""
    return _dedicate(call, podid, domainid, account)


@command("dedicateCluster", view=DedicatedClusterView, roles=ROOT, job=True, event="DEDICATE.RESOURCE", group="Cluster")
async def dedicate_cluster(call: Call, *, clusterid: Cluster, domainid: OfDomain, account: OfAccount = None) -> Job:
    """Dedicates a cluster: its hosts take instances of the affinity group that comes with it, and no others."""
    return _dedicate(call, clusterid, domainid, account)


@command("dedicateHost", view=DedicatedHostView, roles=ROOT, job=True, event="DEDICATE.RESOURCE", group="Host")
async def dedicate_host(call: Call, *, hostid: Host, domainid: OfDomain, account: OfAccount = None) -> Job:
    """Dedicates a host: it takes instances of the affinity group that comes with it, and no others."""
    return _dedicate(call, hostid, domainid, account)


@command("releaseDedicatedZone", roles=ROOT, job=True, event="DEDICATE.RESOURCE.RELEASE", group="Zone")
async def release_dedicated_zone(call: Call, *, zoneid: Zone) -> Job:
    """Makes a dedicated zone everybody's again."""
    return _release(call, zoneid)


@command("releaseDedicatedPod", roles=ROOT, job=True, event="DEDICATE.RESOURCE.RELEASE", group="Pod")
async def release_dedicated_pod(call: Call, *, podid: Pod) -> Job:
    """Makes a dedicated pod everybody's again."""
    return _release(call, podid)


@command("releaseDedicatedCluster", roles=ROOT, job=True, event="DEDICATE.RESOURCE.RELEASE", group="Cluster")
async def release_dedicated_cluster(call: Call, *, clusterid: Cluster) -> Job:
    """Makes a dedicated cluster everybody's again."""
    return _release(call, clusterid)


@command("releaseDedicatedHost", roles=ROOT, job=True, event="DEDICATE.RESOURCE.RELEASE", group="Host")
async def release_dedicated_host(call: Call, *, hostid: Host) -> Job:
    """Makes a dedicated host everybody's again."""
    return _release(call, hostid)


@command("listDedicatedZones", view=DedicatedZoneView, roles=ROOT, group="Zone")
async def list_dedicated_zones(
    call: Call,
    *,
    page: Page,
    zoneid: Zone | None = None,
    domainid: ListDomain = None,
    account: ListAccount = None,
    affinitygroupid: AffinityGroup | None = None,
) -> Listed:
    """Lists dedicated zones."""
    return _listed(call, "Zone", page, zoneid, domainid, account, affinitygroupid)


@command("listDedicatedPods", view=DedicatedPodView, roles=ROOT, group="Pod")
async def list_dedicated_pods(
    call: Call,
    *,
    page: Page,
    podid: Pod | None = None,
    domainid: ListDomain = None,
    account: ListAccount = None,
    affinitygroupid: AffinityGroup | None = None,
) -> Listed:
    """Lists dedicated pods."""
    return _listed(call, "Pod", page, podid, domainid, account, affinitygroupid)


@command("listDedicatedClusters", view=DedicatedClusterView, roles=ROOT, group="Cluster")
async def list_dedicated_clusters(
    call: Call,
    *,
    page: Page,
    clusterid: Cluster | None = None,
    domainid: ListDomain = None,
    account: ListAccount = None,
    affinitygroupid: AffinityGroup | None = None,
) -> Listed:
    """Lists dedicated clusters."""
    return _listed(call, "Cluster", page, clusterid, domainid, account, affinitygroupid)


@command("listDedicatedHosts", view=DedicatedHostView, roles=ROOT, group="Host")
async def list_dedicated_hosts(
    call: Call,
    *,
    page: Page,
    hostid: Host | None = None,
    domainid: ListDomain = None,
    account: ListAccount = None,
    affinitygroupid: AffinityGroup | None = None,
) -> Listed:
    """Lists dedicated hosts."""
    return _listed(call, "Host", page, hostid, domainid, account, affinitygroupid)
