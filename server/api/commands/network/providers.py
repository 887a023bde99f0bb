"""Network service providers and their elements, and what networks can be made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.network.offered_services import SERVICES
from cloudsim.management.network.physical_networks import ISOLATION_METHODS
from cloudsim.model import NetworkServiceProvider, PhysicalNetwork, VirtualRouterElement
from server.api.command import EVERYONE, ROOT, Call, Job, Listed, command
from server.api.commands.network.service_views import (
    CAPABILITIES,
    CapabilityView,
    ProviderView,
    ServiceView,
)
from server.api.listing import Page, listed, page_of
from server.api.parameters import Param, one_of
from server.api.views import View, domain_fields, owner

GROUP = "Network"
Provider = Annotated[NetworkServiceProvider, Param(access="use")]
Element = Annotated[VirtualRouterElement, Param(access="use")]
WITH_CHOICE = ("VirtualRouter", "VpcVirtualRouter", "ConfigDrive")
"""Providers of which single services can be enabled."""
IMPLEMENTORS = {"Guest": "Networks", "Public": "SystemNetworks", "Management": "SystemNetworks"}
"""Which part of this cloud makes the networks of each kind of traffic."""


class NetworkServiceProviderView(View):
    """Who may provide services on a physical network."""

    entity: ClassVar = NetworkServiceProvider
    key: ClassVar = "networkserviceprovider"

    id: str | None = None
    name: str | None = None
    physicalnetworkid: str | None = None
    state: Annotated[str | None, "Enabled, Disabled or Shutdown"] = None
    servicelist: list[str] | None = None
    canenableindividualservice: bool | None = None

    @classmethod
    def of(cls, row: NetworkServiceProvider, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            physicalnetworkid=row.physical_network_id,
            state=row.state,
            servicelist=list(row.services),
            canenableindividualservice=row.name in WITH_CHOICE,
        )


class VirtualRouterElementView(View):
    """What deploys the routers of a provider."""

    entity: ClassVar = VirtualRouterElement
    key: ClassVar = "virtualrouterelement"

    id: str | None = None
    nspid: Annotated[str | None, "its network service provider"] = None
    enabled: bool | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None

    @classmethod
    def of(cls, row: VirtualRouterElement, call: Call) -> Self:
        system = call.manager.identity.system()[0]
        fields: dict[str, Any] = owner(call, system.id) | domain_fields(call, system.domain_id)
        return cls(id=row.id, nspid=row.provider_id, enabled=row.enabled, **fields)


class InternalLoadBalancerElementView(View):
    """What deploys internal load balancers."""

    key: ClassVar = "internalloadbalancerelement"

    id: str | None = None
    nspid: Annotated[str | None, "its network service provider"] = None
    enabled: bool | None = None

    @classmethod
    def of(cls, row: VirtualRouterElement, call: Call) -> Self:
        return cls(id=row.id, nspid=row.provider_id, enabled=row.enabled)


# providers


@command(
    "addNetworkServiceProvider",
    view=NetworkServiceProviderView,
    job=True,
    creates=NetworkServiceProvider,
    roles=ROOT,
    group=GROUP,
    event="SERVICE.PROVIDER.CREATE",
    since="3.0.0",
)
async def add_network_service_provider(
    call: Call,
    *,
    physicalnetworkid: PhysicalNetwork,
    name: str,
    servicelist: Annotated[
        Sequence[str] | None, Param("services; by default all that it can provide")
    ] = None,
) -> Job:
    """Adds a network service provider to a physical network, disabled."""
    row: NetworkServiceProvider = call.manager.physical_networks.providers.add(
        physicalnetworkid, name, servicelist
    )

    async def work() -> NetworkServiceProvider:
        return call.store.table(NetworkServiceProvider).get(row.id) or row

    return Job(work, row)


@command(
    "listNetworkServiceProviders", view=NetworkServiceProviderView, roles=EVERYONE, group=GROUP, since="3.0.0"
)
async def list_network_service_providers(
    call: Call,
    *,
    page: Page,
    physicalnetworkid: PhysicalNetwork | None = None,
    name: str | None = None,
    state: Annotated[str | None, one_of("Enabled", "Disabled", "Shutdown")] = None,
) -> Listed:
    """Lists network service providers."""
    return listed(
        call,
        NetworkServiceProvider,
        page=page,
        equal={"physical_network_id": physicalnetworkid and physicalnetworkid.id, "name": name},
        keep=lambda row: state is None or row.state.lower() == state.lower(),
    )


@command(
    "updateNetworkServiceProvider",
    view=NetworkServiceProviderView,
    job=True,
    roles=ROOT,
    group=GROUP,
    event="SERVICE.PROVIDER.UPDATE",
    since="3.0.0",
)
async def update_network_service_provider(
    call: Call,
    *,
    id: Provider,
    state: Annotated[str | None, one_of("Enabled", "Disabled", "Shutdown")] = None,
    servicelist: Sequence[str] | None = None,
) -> Job:
    """Enables or disables a network service provider, or changes its services."""

    async def work() -> NetworkServiceProvider:
        row: NetworkServiceProvider = call.manager.physical_networks.providers.update(
            call.store.table(NetworkServiceProvider)[id.id], state=state, services=servicelist
        )
        return row

    return Job(work, id)


@command(
    "deleteNetworkServiceProvider",
    job=True,
    roles=ROOT,
    group=GROUP,
    event="SERVICE.PROVIDER.DELETE",
    since="3.0.0",
)
async def delete_network_service_provider(call: Call, *, id: Provider) -> Job:
    """Deletes a network service provider that no network uses."""

    async def work() -> None:
        row = call.store.table(NetworkServiceProvider).get(id.id)
        if row is None:
            raise InvalidParameterValue(f"Network service provider {id.name} is deleted already")
        call.manager.physical_networks.providers.delete(row)

    return Job(work, id)


# elements


@command(
    "createVirtualRouterElement",
    view=VirtualRouterElementView,
    job=True,
    creates=VirtualRouterElement,
    roles=ROOT,
    group="Router",
    event="SERVICE.PROVIDER.CREATE",
)
async def create_virtual_router_element(
    call: Call,
    *,
    nspid: Provider,
    providertype: Annotated[
        str | None, Param("VirtualRouter (by default) or VPCVirtualRouter", type="uuid")
    ] = None,
) -> Job:
    """Creates the element of a virtual router provider that has none, disabled."""
    kinds = {"virtualrouter": "VirtualRouter", "vpcvirtualrouter": "VpcVirtualRouter"}
    chosen = kinds.get((providertype or "VirtualRouter").lower())
    if chosen is None:
        raise InvalidParameterValue(
            f"Invalid providerType {providertype!r}: it is VirtualRouter or VPCVirtualRouter"
        )
    row: VirtualRouterElement = call.manager.physical_networks.providers.add_element(nspid, chosen)
    return _present(call, row)


@command(
    "createInternalLoadBalancerElement",
    view=InternalLoadBalancerElementView,
    job=True,
    creates=VirtualRouterElement,
    roles=ROOT,
    group="InternalLB",
    event="SERVICE.PROVIDER.CREATE",
    since="4.2.0",
)
async def create_internal_load_balancer_element(call: Call, *, nspid: Provider) -> Job:
    """Creates the element of an internal load balancer provider that has none, disabled."""
    row: VirtualRouterElement = call.manager.physical_networks.providers.add_element(nspid, "InternalLbVm")
    return _present(call, row)


def _present(call: Call, row: VirtualRouterElement) -> Job:
    async def work() -> VirtualRouterElement:
        return call.store.table(VirtualRouterElement).get(row.id) or row

    return Job(work, row)


@command(
    "configureVirtualRouterElement",
    view=VirtualRouterElementView,
    job=True,
    roles=ROOT,
    group="Router",
    event="NETWORK.ELEMENT.CONFIGURE",
)
async def configure_virtual_router_element(call: Call, *, id: Element, enabled: bool) -> Job:
    """Enables or disables the element of a virtual router provider."""
    return _configure(call, id, enabled, internal=False)


@command(
    "configureInternalLoadBalancerElement",
    view=InternalLoadBalancerElementView,
    job=True,
    roles=ROOT,
    group="InternalLB",
    event="NETWORK.ELEMENT.CONFIGURE",
    since="4.2.0",
)
async def configure_internal_load_balancer_element(call: Call, *, id: Element, enabled: bool) -> Job:
    """Enables or disables the element of an internal load balancer provider."""
    return _configure(call, id, enabled, internal=True)


def _configure(call: Call, element: VirtualRouterElement, enabled: bool, *, internal: bool) -> Job:
    if (element.kind == "InternalLbVm") != internal:
        raise InvalidParameterValue(f"id: {element.id} is the element of a {element.kind}")

    async def work() -> VirtualRouterElement:
        row: VirtualRouterElement = call.manager.physical_networks.providers.configure(
            element, enabled=enabled
        )
        return row

    return Job(work, element)


@command("listVirtualRouterElements", view=VirtualRouterElementView, roles=ROOT, group="Router")
async def list_virtual_router_elements(
    call: Call,
    *,
    page: Page,
    id: VirtualRouterElement | None = None,
    nspid: NetworkServiceProvider | None = None,
    enabled: bool | None = None,
) -> Listed:
    """Lists the elements of virtual router providers."""
    return _elements(call, page, id, nspid, enabled, internal=False)


@command(
    "listInternalLoadBalancerElements",
    view=InternalLoadBalancerElementView,
    roles=ROOT,
    group="InternalLB",
    since="4.2.0",
)
async def list_internal_load_balancer_elements(
    call: Call,
    *,
    page: Page,
    id: VirtualRouterElement | None = None,
    nspid: NetworkServiceProvider | None = None,
    enabled: bool | None = None,
) -> Listed:
    """Lists the elements of internal load balancer providers."""
    return _elements(call, page, id, nspid, enabled, internal=True)


def _elements(
    call: Call,
    page: Page,
    id: VirtualRouterElement | None,
    provider: NetworkServiceProvider | None,
    enabled: bool | None,
    *,
    internal: bool,
) -> Listed:
    return listed(
        call,
        VirtualRouterElement,
        page=page,
        ids=None if id is None else [id],
        equal={"provider_id": provider and provider.id, "enabled": enabled},
        keep=lambda row: (row.kind == "InternalLbVm") == internal,
        search=("kind",),
    )


# what there is to choose from


class NetworkServiceView(ServiceView):
    """A service that networks can have, and who can provide it."""

    key: ClassVar = "networkservice"


class IsolationMethodView(View):
    """A way of keeping guest networks apart."""

    key: ClassVar = "isolationmethod"

    name: str | None = None


class TrafficTypeImplementorView(View):
    """Which part of the cloud makes the networks of a kind of traffic."""

    key: ClassVar = "traffictypeimplementorresponse"

    traffictype: str | None = None
    traffictypeimplementor: str | None = None


@command("listSupportedNetworkServices", view=NetworkServiceView, group=GROUP, since="3.0.0")
async def list_supported_network_services(
    call: Call, *, page: Page, provider: str | None = None, service: str | None = None
) -> Listed:
    """Lists the services that networks can have."""
    rows = [
        NetworkServiceView(
            name=name,
            capability=[
                CapabilityView(name=what, value=value, canchooseservicecapability=False)
                for what, value in CAPABILITIES.get(name, {}).items()
            ]
            or None,
            provider=[
                ProviderView(name=each, canenableindividualservice=each in WITH_CHOICE) for each in providers
            ],
        )
        for name, providers in SERVICES.items()
        if (service is None or service.lower() == name.lower())
        and (provider is None or provider.lower() in map(str.lower, providers))
    ]
    return page_of(rows, page)


@command("listNetworkIsolationMethods", view=IsolationMethodView, roles=ROOT, group=GROUP, since="4.2.0")
async def list_network_isolation_methods(call: Call, *, page: Page) -> Listed:
    """Lists the ways of keeping guest networks apart that a physical network can have."""
    return page_of([IsolationMethodView(name=name) for name in ISOLATION_METHODS], page)


@command(
    "listTrafficTypeImplementors",
    view=TrafficTypeImplementorView,
    roles=ROOT,
    group="Usage",
    since="3.0.0",
)
async def list_traffic_type_implementors(call: Call, *, page: Page, traffictype: str | None = None) -> Listed:
    """Lists what makes the networks of each kind of traffic."""
    rows = [
        TrafficTypeImplementorView(traffictype=traffic, traffictypeimplementor=name)
        for traffic, name in IMPLEMENTORS.items()
        if traffictype is None or traffictype.lower() == traffic.lower()
    ]
    return page_of(rows, page, search=("traffictype",))
