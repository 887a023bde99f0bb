"""Network offerings: what a network made from one provides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import outermost
from cloudsim.management.network.offered_services import (
    GuestType,
    Services,
    capabilities_offered,
    check_dual_stack,
    guest_type_named,
    internet_protocol,
    services_offered,
)
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import Domain, Network, NetworkOffering, ServiceOffering, Zone

DETAILS = frozenset({"promiscuousmode", "macaddresschanges", "forgedtransmits", "maclearning"})
"""Details that CloudStack has for switches of other hypervisors: kept and told."""


class NetworkOfferingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a new offering is to be. `providers`: (service, provider); `capabilities`: as servicecapabilitylist has them."""

    name: str
    guest_type: str
    display_text: str | None = None
    traffic_type: str = "Guest"
    services: Sequence[str] = ()
    providers: Sequence[tuple[str, str]] = ()
    capabilities: Sequence[Mapping[str, str]] = ()
    for_vpc: bool = False
    specify_vlan: bool = False
    specify_ip_ranges: bool = False
    conserve_mode: bool = True
    egress_default_policy: bool = False
    persistent: bool = False
    network_rate: int | None = None
    availability: str = "Optional"
    service_offering: ServiceOffering | None = None
    max_connections: int | None = None
    keep_alive: bool = False
    tags: str | None = None
    domains: Sequence[Domain] = ()
    zones: Sequence[Zone] = ()
    details: Mapping[str, str] = {}
    enable: bool = False
    internet_protocol: str | None = None


class NetworkOfferings:
    """Makes, changes and removes network offerings."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(NetworkOffering)
        self._networks = foundation.table(Network)
        self._randomness = foundation.randomness.branch("network_offerings")

    def create(self, request: NetworkOfferingRequest) -> NetworkOffering:
        """An offering, Disabled unless it is to be enabled at once. Raises InvalidParameterValue."""
        self._check_name(request.name)
        if request.traffic_type.strip().lower() != "guest":
            raise InvalidParameterValue(
                f"Only network offerings for Guest traffic can be created, not for {request.traffic_type}"
            )
        kind = guest_type_named(request.guest_type)
        services = services_offered(kind, request.for_vpc, request.services, request.providers)
        _check_type(request, kind, services)
        _check_balancer(services, request.max_connections, request.keep_alive)
        protocol = internet_protocol(request.internet_protocol, self._foundation.settings)
        if protocol == "DualStack":
            check_dual_stack(kind, request.for_vpc, services)
        if request.network_rate is not None and request.network_rate < 0:
            raise InvalidParameterValue(f"networkrate must be 0 (no limit) or more Mbit/s, not {request.network_rate}")
        router = request.service_offering
        if router is not None and (not router.is_system or router.system_vm_type != "domainrouter"):
            raise InvalidParameterValue(
                f"serviceofferingid {router.name} is not a system offering for virtual routers"
            )
        for detail in request.details:
            if detail.lower() not in DETAILS:
                raise InvalidParameterValue(f"Unsupported detail {detail}; there are {', '.join(sorted(DETAILS))}")
        row = NetworkOffering(
            id=self._randomness.uuid(),
            name=request.name,
            display_text=request.display_text or request.name,
            guest_type=kind,
            services=services,
            for_vpc=request.for_vpc,
            specify_vlan=request.specify_vlan,
            specify_ip_ranges=request.specify_ip_ranges,
            conserve_mode=request.conserve_mode,
            egress_default_policy=request.egress_default_policy,
            persistent=request.persistent,
            network_rate=request.network_rate,
            availability=_availability(request.availability),
            service_offering_id=router.id if router is not None else None,
            capabilities=capabilities_offered(services, request.capabilities),
            tags=_tags(request.tags),
            domain_ids=outermost(self._store, (domain.id for domain in request.domains)),
            zone_ids=tuple(dict.fromkeys(zone.id for zone in request.zones)),
            max_connections=request.max_connections,
            keep_alive=request.keep_alive,
            state="Enabled" if request.enable else "Disabled",
            created=self._foundation.now(),
            details=dict(request.details),
            internet_protocol=protocol,
        )
        with self._store.transaction():
            return self._table.insert(row)

    def _check_name(self, name: str) -> None:
        if not name.strip():
            raise InvalidParameterValue("A network offering needs a name")
        if self._table.find("name", name) is not None:
            raise InvalidParameterValue(f"A network offering with name {name} exists already")

    def update(
        self,
        offering: NetworkOffering,
        *,
        name: str | None = None,
        display_text: str | None = None,
        availability: str | None = None,
        state: str | None = None,
        max_connections: int | None = None,
        keep_alive: bool | None = None,
        tags: str | None = None,
        domain_ids: tuple[str, ...] | None = None,
        zone_ids: tuple[str, ...] | None = None,
        sort_key: int | None = None,
    ) -> NetworkOffering:
        """Change what is not None; no `domain_ids` (`zone_ids`): for all. Empty `tags`: none."""
        changes: dict[str, Any] = {}
        if name is not None and name != offering.name:
            self._check_name(name)
            changes["name"] = name
        if availability is not None:
            changes["availability"] = self._new_availability(offering, availability)
        if state is not None:
            chosen = state.strip().capitalize()
            if chosen not in ("Enabled", "Disabled"):
                raise InvalidParameterValue(f"Incorrect state value: {state}; it is Enabled or Disabled")
            changes["state"] = chosen
        _check_balancer(offering.services, max_connections, bool(keep_alive))
        if tags is not None:
            changes["tags"] = _tags(tags)
        if domain_ids is not None:
            changes["domain_ids"] = outermost(self._store, domain_ids)
        for field, value in (
            ("display_text", display_text),
            ("max_connections", max_connections),
            ("keep_alive", keep_alive),
            ("zone_ids", zone_ids),
            ("sort_key", sort_key),
        ):
            if value is not None:
                changes[field] = value
        with self._store.transaction():
            return self._table.update(offering.id, **changes)

    def _new_availability(self, offering: NetworkOffering, text: str) -> Literal["Optional", "Required"]:
        chosen = _availability(text)
        if chosen == "Required" and (offering.guest_type != "Isolated" or "SourceNat" not in offering.services):
            raise InvalidParameterValue(
                "Availability can be Required only for networkOfferings of type Isolated with SourceNat enabled"
            )
        return chosen

    def delete(self, offering: NetworkOffering) -> None:
        """Remove an offering that no network is made from."""
        if offering.is_default:
            raise InvalidParameterValue("Default network offering can't be deleted")
        used = next((n for n in self._networks if n.network_offering_id == offering.id), None)
        if used is not None:
            raise ResourceInUse(
                f"Can't delete network offering {offering.name} as its used by networks such as {used.name}. "
                "To make the network offering unavailable, disable it"
            )
        with self._store.transaction():
            remove_leftovers(self._foundation, offering.id)
            self._table.delete(offering.id)


def _check_type(request: NetworkOfferingRequest, kind: GuestType, services: Services) -> None:
    """Raise InvalidParameterValue for what does not go with the guest type."""
    if request.for_vpc and kind != "Isolated":
        raise InvalidParameterValue("Network offerings for VPC networks have guest type Isolated")
    if kind == "Shared":
        if not request.specify_vlan:
            raise InvalidParameterValue(
                "SpecifyVlan should be true if network offering's type is Shared"
            )
        if not request.specify_ip_ranges:
            raise InvalidParameterValue("SpecifyIpRanges should always be true for Shared network offerings")
        if request.persistent:
            raise InvalidParameterValue("isPersistent should be false if network offering's type is Shared")
    elif request.specify_ip_ranges and (kind == "L2" or "SourceNat" in services):
        raise InvalidParameterValue(
            "SpecifyIpRanges can only be true for Shared network offerings and Isolated network offerings "
            "without SourceNat service"
        )
    if request.egress_default_policy and "Firewall" not in services:
        raise InvalidParameterValue("egressdefaultpolicy is for offerings with service Firewall")


def _check_balancer(services: Mapping[str, Sequence[str]], most: int | None, keep_alive: bool) -> None:
    if (most is not None or keep_alive) and "Lb" not in services:
        raise InvalidParameterValue("maxconnections and keepaliveenabled are for offerings with service Lb")
    if most is not None and most < 1:
        raise InvalidParameterValue(f"maxconnections must be 1 or more, not {most}")


def _tags(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in (text or "").split(",") if tag.strip()))


def _availability(text: str) -> Literal["Optional", "Required"]:
    chosen = text.strip().capitalize()
    if chosen == "Required":
        return "Required"
    if chosen == "Optional":
        return "Optional"
    raise InvalidParameterValue(
        f"Invalid value for Availability: {text}. Supported types: Required, Optional"
    )
