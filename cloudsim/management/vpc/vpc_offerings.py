"""VPC offerings: which services a VPC made from one may have, and who provides each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import outermost
from cloudsim.management.network.offered_services import internet_protocol
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import Domain, ServiceOffering, Vpc, VpcOffering, Zone

ROUTERS = ("VpcVirtualRouter", "VirtualRouter")
VPC_SERVICES: dict[str, tuple[str, ...]] = {
    "Dhcp": (*ROUTERS, "ConfigDrive"),
    "Dns": ROUTERS,
    "UserData": (*ROUTERS, "ConfigDrive"),
    "Gateway": ROUTERS,
    "SourceNat": ROUTERS,
    "StaticNat": ROUTERS,
    "PortForwarding": ROUTERS,
    "Lb": (*ROUTERS, "InternalLbVm", "Netscaler"),
    "NetworkACL": ROUTERS,
    "Vpn": ROUTERS,
    "Connectivity": ("Ovs",),
}
"""Services that a VPC may have, and who can be named as provider of each; the first is it where none is."""
PROVIDED = frozenset({"VpcVirtualRouter", "InternalLbVm", "ConfigDrive"})
"""The providers that this cloud runs; no VPC can be made from an offering that needs another."""
CAPABILITIES: dict[str, tuple[str, ...]] = {
    "Connectivity": ("DistributedRouter", "RegionLevelVPC"),
    "SourceNat": ("RedundantRouter",),
}
"""What an offering may say of a service, as servicecapabilitylist names it."""


class VpcOfferingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A new offering. `providers` are (service, provider); `capabilities` (service, capability, value)."""

    name: str
    display_text: str | None = None
    services: tuple[str, ...] = ()
    providers: tuple[tuple[str, str], ...] = ()
    capabilities: tuple[tuple[str, str, str], ...] = ()
    service_offering: ServiceOffering | None = None
    domains: tuple[Domain, ...] = ()
    zones: tuple[Zone, ...] = ()
    enable: bool = False
    internet_protocol: str | None = None


class VpcOfferings:
    """Makes, changes and removes VPC offerings."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(VpcOffering)
        self._vpcs = foundation.table(Vpc)
        self._randomness = foundation.randomness.branch("vpc offerings")

    def check_new(self, request: VpcOfferingRequest) -> VpcOffering:
        """The row that is asked for, not yet in the store. Raises InvalidParameterValue."""
        self._check_name(request.name)
        services = _services(request.services, request.providers)
        capabilities = _capabilities(request.capabilities)
        offering = request.service_offering
        if offering is not None and (not offering.is_system or offering.system_vm_type != "domainrouter"):
            raise InvalidParameterValue(
                f"serviceofferingid {offering.name} is not a system offering for virtual routers"
            )
        return VpcOffering(
            id=self._randomness.uuid(),
            name=request.name,
            display_text=request.display_text or request.name,
            services=services,
            state="Enabled" if request.enable else "Disabled",
            distributed_router=capabilities.get("DistributedRouter", False),
            region_level=capabilities.get("RegionLevelVPC", False),
            service_offering_id=offering.id if offering is not None else None,
            zone_ids=tuple(zone.id for zone in request.zones),
            domain_ids=outermost(self._store, (domain.id for domain in request.domains)),
            created=self._foundation.now(),
            internet_protocol=internet_protocol(request.internet_protocol, self._foundation.settings),
        )

    def create(self, request: VpcOfferingRequest) -> VpcOffering:
        """An offering, Disabled unless it is to be enabled at once."""
        row = self.check_new(request)
        with self._store.transaction():
            return self._table.insert(row)

    def _check_name(self, name: str) -> None:
        if not name.strip():
            raise InvalidParameterValue("A VPC offering needs a name")
        if self._table.find("name", name) is not None:
            raise InvalidParameterValue(f"A VPC offering with name {name} exists already")

    def check_update(
        self,
        offering: VpcOffering,
        *,
        name: str | None = None,
        display_text: str | None = None,
        state: str | None = None,
        domain_ids: tuple[str, ...] | None = None,
        zone_ids: tuple[str, ...] | None = None,
        sort_key: int | None = None,
    ) -> dict[str, Any]:
        """The fields to change. Raises InvalidParameterValue."""
        changes: dict[str, Any] = {}
        if name is not None and name != offering.name:
            self._check_name(name)
            changes["name"] = name
        if display_text is not None:
            changes["display_text"] = display_text
        if state is not None:
            chosen = state.strip().capitalize()
            if chosen not in ("Enabled", "Disabled"):
                raise InvalidParameterValue(f"Incorrect state value: {state}; it is Enabled or Disabled")
            changes["state"] = chosen
        if domain_ids is not None:
            changes["domain_ids"] = outermost(self._store, domain_ids)
        if zone_ids is not None:
            changes["zone_ids"] = zone_ids
        if sort_key is not None:
            changes["sort_key"] = sort_key
        return changes

    def update(self, offering_id: str, changes: Mapping[str, Any]) -> VpcOffering:
        """Make the changes that `check_update` has allowed."""
        with self._store.transaction():
            return self._table.update(offering_id, **changes)

    def check_deletable(self, offering: VpcOffering) -> None:
        """Raise what stands against deleting the offering."""
        if offering.is_default:
            raise InvalidParameterValue("Default VPC offering can't be deleted")
        used = self._vpcs.count("vpc_offering_id", offering.id)
        if used:
            raise ResourceInUse(
                f"Can't delete vpc offering {offering.name} as its used by {used} vpcs. "
                "To make the vpc offering unavailable, disable it"
            )

    def delete(self, offering_id: str) -> None:
        """Remove an offering that no VPC is made from."""
        self.check_deletable(self._table[offering_id])
        with self._store.transaction():
            remove_leftovers(self._foundation, offering_id)
            self._table.delete(offering_id)


def vpc_service_named(text: str) -> str:
    """The service of that name in any case. Raises InvalidParameterValue."""
    for name in VPC_SERVICES:
        if text.strip().lower() == name.lower():
            return name
    raise InvalidParameterValue(
        f"Service {text} is not supported in a VPC; these are: {', '.join(VPC_SERVICES)}"
    )


ALWAYS = ("SourceNat", "NetworkACL")
"""Services that, as in CloudStack, every VPC offering has beside those it names."""


def _services(
    names: Sequence[str], providers: Sequence[tuple[str, str]]
) -> dict[str, tuple[str, ...]]:
    chosen: dict[str, tuple[str, ...]] = {vpc_service_named(name): () for name in names}
    if chosen:
        chosen |= {name: () for name in ALWAYS if name not in chosen}
    for name, provider in providers:
        service = vpc_service_named(name)
        if names and service not in chosen:
            raise InvalidParameterValue(
                f"Service {service} is not enabled for the VPC offering, so {provider} cannot provide it"
            )
        known = next((p for p in VPC_SERVICES[service] if p.lower() == provider.strip().lower()), None)
        if known is None:
            raise InvalidParameterValue(f"Provider {provider} cannot provide service {service} in a VPC")
        chosen[service] = tuple(dict.fromkeys((*chosen.get(service, ()), known)))
    if not chosen:
        raise InvalidParameterValue("A VPC offering needs services: supportedservices or serviceproviderlist")
    if "SourceNat" in chosen:
        chosen.setdefault("Gateway", chosen["SourceNat"])  # whoever does source NAT is the gateway
    return {service: given or VPC_SERVICES[service][:1] for service, given in chosen.items()}


def _capabilities(asked: Sequence[tuple[str, str, str]]) -> dict[str, bool]:
    """What is said of services, of those that the offering does not have, too."""
    chosen: dict[str, bool] = {}
    for name, capability, value in asked:
        service = vpc_service_named(name)
        known = next((c for c in CAPABILITIES.get(service, ()) if c.lower() == capability.strip().lower()), None)
        if known is None:
            raise InvalidParameterValue(f"Capability {capability} is not one of service {service} in a VPC")
        if value.strip().lower() not in ("true", "false"):
            raise InvalidParameterValue(f"The value of capability {known} is true or false, not {value}")
        chosen[known] = value.strip().lower() == "true"
    if chosen.get("RedundantRouter"):
        raise InvalidParameterValue("Capability RedundantRouter is not supported: one router serves a VPC")
    return chosen
