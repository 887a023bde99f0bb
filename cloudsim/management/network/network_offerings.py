"""Network offerings: what a network made from one provides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import Network, NetworkOffering, ServiceOffering

SERVICES: dict[str, tuple[str, ...]] = {
    "Dhcp": ("VirtualRouter", "VpcVirtualRouter", "ConfigDrive"),
    "Dns": ("VirtualRouter", "VpcVirtualRouter"),
    "SourceNat": ("VirtualRouter", "VpcVirtualRouter"),
    "StaticNat": ("VirtualRouter", "VpcVirtualRouter"),
    "PortForwarding": ("VirtualRouter", "VpcVirtualRouter"),
    "Lb": ("VirtualRouter", "VpcVirtualRouter", "InternalLbVm"),
    "Firewall": ("VirtualRouter",),
    "Vpn": ("VirtualRouter", "VpcVirtualRouter"),
    "Gateway": ("VirtualRouter", "VpcVirtualRouter"),
    "UserData": ("VirtualRouter", "VpcVirtualRouter", "ConfigDrive"),
    "NetworkACL": ("VpcVirtualRouter",),
    "SecurityGroup": ("SecurityGroupProvider",),
    "Connectivity": ("Ovs",),
}
"""Services that a network may have, and who can provide each."""
GUEST_TYPES: tuple[Literal["Isolated", "Shared", "L2"], ...] = ("Isolated", "Shared", "L2")


def service_named(text: str) -> str:
    """The service of that name in any case. Raises InvalidParameterValue."""
    for name in SERVICES:
        if text.strip().lower() == name.lower():
            return name
    raise InvalidParameterValue(f"Invalid service name {text}; there are {', '.join(SERVICES)}")


def guest_type_named(text: str) -> Literal["Isolated", "Shared", "L2"]:
    """The guest type of that name in any case. Raises InvalidParameterValue."""
    for name in GUEST_TYPES:
        if text.strip().lower() == name.lower():
            return name
    raise InvalidParameterValue(f'Invalid "guestIpType" parameter is specified: {text}')


class NetworkOfferings:
    """Makes, changes and removes network offerings."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(NetworkOffering)
        self._networks = foundation.table(Network)
        self._randomness = foundation.randomness.branch("network_offerings")

    def create(
        self,
        name: str,
        display_text: str | None,
        guest_type: str,
        *,
        traffic_type: str = "Guest",
        services: Sequence[str] = (),
        providers: Sequence[tuple[str, str]] = (),
        for_vpc: bool = False,
        specify_vlan: bool = False,
        specify_ip_ranges: bool = False,
        conserve_mode: bool = True,
        egress_default_policy: bool = False,
        persistent: bool = False,
        network_rate: int | None = None,
        availability: str = "Optional",
        service_offering: ServiceOffering | None = None,
        enable: bool = False,
    ) -> NetworkOffering:
        """An offering with those services, each from the `providers` (service, provider) given; Disabled at first."""
        if not name.strip():
            raise InvalidParameterValue("A network offering needs a name")
        if self._table.find("name", name) is not None:
            raise InvalidParameterValue(f"A network offering with name {name} exists already")
        if traffic_type.lower() != "guest":
            raise InvalidParameterValue(
                f"Only network offerings for Guest traffic can be created, not for {traffic_type}"
            )
        kind = guest_type_named(guest_type)
        if (
            kind == "Shared"
            and not specify_vlan
            and not specify_ip_ranges
            and "SecurityGroup" not in services
        ):
            raise InvalidParameterValue(
                "SpecifyVlan should be true for a network offering with guest type Shared"
            )
        if persistent and kind == "Shared":
            raise InvalidParameterValue("A network offering with guest type Shared cannot be persistent")
        with self._store.transaction():
            return self._table.insert(
                NetworkOffering(
                    id=self._randomness.uuid(),
                    name=name,
                    display_text=display_text or name,
                    guest_type=kind,
                    services=_services(services, providers),
                    for_vpc=for_vpc,
                    specify_vlan=specify_vlan,
                    specify_ip_ranges=specify_ip_ranges,
                    conserve_mode=conserve_mode,
                    egress_default_policy=egress_default_policy,
                    persistent=persistent,
                    network_rate=network_rate,
                    availability=_availability(availability),
                    service_offering_id=service_offering.id if service_offering is not None else None,
                    state="Enabled" if enable else "Disabled",
                    created=self._foundation.now(),
                )
            )

    def update(
        self,
        offering: NetworkOffering,
        *,
        name: str | None = None,
        display_text: str | None = None,
        availability: str | None = None,
        state: str | None = None,
    ) -> NetworkOffering:
        """Change what is not None."""
        changes: dict[str, Any] = {}
        if name is not None and name != offering.name:
            if not name.strip() or self._table.find("name", name) is not None:
                raise InvalidParameterValue(
                    f"{name!r} is no name for a network offering, or one has it already"
                )
            changes["name"] = name
        if display_text is not None:
            changes["display_text"] = display_text
        if availability is not None:
            changes["availability"] = _availability(availability)
        if state is not None:
            chosen = state.strip().capitalize()
            if chosen not in ("Enabled", "Disabled"):
                raise InvalidParameterValue(f"Incorrect state value: {state}; it is Enabled or Disabled")
            changes["state"] = chosen
        with self._store.transaction():
            return self._table.update(offering.id, **changes)

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


def _services(names: Sequence[str], providers: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    chosen: dict[str, tuple[str, ...]] = {}
    for name in names:
        chosen[service_named(name)] = ()
    for name, provider in providers:
        service = service_named(name)
        if service not in chosen and names:
            raise InvalidParameterValue(
                f"Service {service} is not enabled for the network offering: {provider}"
            )
        known = next((p for p in SERVICES[service] if p.lower() == provider.strip().lower()), None)
        if known is None:
            raise InvalidParameterValue(f"Provider {provider} cannot provide service {service}")
        chosen[service] = tuple(dict.fromkeys((*chosen.get(service, ()), known)))
    return {service: given or SERVICES[service][:1] for service, given in chosen.items()}


def _availability(text: str) -> Literal["Optional", "Required"]:
    chosen = text.strip().capitalize()
    if chosen == "Required":
        return "Required"
    if chosen == "Optional":
        return "Optional"
    raise InvalidParameterValue(
        f"Invalid value for Availability: {text}. Supported types: Required, Optional"
    )
