"""Zones: made, changed and removed by the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_ranges import check_address, check_cidr
from cloudsim.management.network.network_requests import checked_domain
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import (
    BackupOffering,
    BackupRepository,
    Cluster,
    Domain,
    GuestIpv6Prefix,
    Host,
    ImageStore,
    IpRange,
    Network,
    Nic,
    PhysicalNetwork,
    Pod,
    PublicIp,
    StoragePool,
    VirtualMachine,
    Volume,
    Zone,
)
from cloudsim.model.infrastructure import Allocation

_ADDRESSES = {
    "dns1": "DNS1",
    "dns2": "DNS2",
    "internal_dns1": "internal DNS1",
    "internal_dns2": "internal DNS2",
}
_DHCP_PROVIDERS = ("VirtualRouter", "DhcpServer", "ExternalDhcpServer", "ConfigDrive")


class Zones:
    """The datacenters of one cloud.

    `ensure_default_network(zone)` is called, within the transaction, whenever a zone comes to be or is enabled.
    """

    def __init__(
        self, foundation: Foundation, ensure_default_network: Callable[[Zone], Any] | None = None
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._zones = foundation.table(Zone)
        self._randomness = foundation.randomness.branch("zones")
        self.ensure_default_network = ensure_default_network

    def create(
        self,
        *,
        name: str,
        network_type: str,
        dns1: str,
        internal_dns1: str,
        dns2: str | None = None,
        internal_dns2: str | None = None,
        guest_cidr: str | None = None,
        domain: str | None = None,
        owner: Domain | None = None,
        security_groups: bool = False,
        local_storage: bool = False,
        is_edge: bool = False,
        allocation_state: Allocation = "Disabled",
    ) -> Zone:
        """Add a zone, for everyone or for one domain (`owner`)."""
        kind = _network_type(network_type)
        self._check_name(name)
        addresses = self._addresses(
            dns1=dns1, dns2=dns2, internal_dns1=internal_dns1, internal_dns2=internal_dns2
        )
        if guest_cidr and kind == "Basic":
            raise InvalidParameterValue("Parameter guestcidraddress is not supported for a Basic zone")
        if is_edge and (kind == "Basic" or security_groups):
            raise InvalidParameterValue("Parameter isedge: an edge zone is Advanced, without security groups")
        with self._store.transaction():
            zone = self._zones.insert(
                Zone(
                    id=self._randomness.uuid(),
                    name=name,
                    network_type=kind,
                    guest_cidr=check_cidr(guest_cidr, "guestcidraddress") if guest_cidr else None,
                    domain=domain or None,
                    domain_id=None if owner is None else owner.id,
                    security_groups=security_groups or kind == "Basic",
                    local_storage=local_storage,
                    is_edge=is_edge,
                    allocation_state=allocation_state,
                    zone_token=self._randomness.uuid(),
                    created=self._foundation.now(),
                    **addresses,
                )
            )
            return self._with_network(zone)

    def update(
        self,
        zone: Zone,
        *,
        name: str | None = None,
        dns1: str | None = None,
        dns2: str | None = None,
        internal_dns1: str | None = None,
        internal_dns2: str | None = None,
        guest_cidr: str | None = None,
        domain: str | None = None,
        dhcp_provider: str | None = None,
        local_storage: bool | None = None,
        allocation_state: Allocation | None = None,
        public: bool | None = None,
        details: Mapping[str, str] | None = None,
        sort_key: int | None = None,
        dns_search: Sequence[str] | None = None,
    ) -> Zone:
        """Change what is given; an empty optional address or domain clears it."""
        changes: dict[str, Any] = {}
        if name is not None and name != zone.name:
            self._check_name(name)
            changes["name"] = name
        changes |= self._addresses(
            dns1=dns1, dns2=dns2, internal_dns1=internal_dns1, internal_dns2=internal_dns2
        )
        if guest_cidr is not None:
            if zone.network_type == "Basic":
                raise InvalidParameterValue("Parameter guestcidraddress is not supported for a Basic zone")
            changes["guest_cidr"] = check_cidr(guest_cidr, "guestcidraddress")
        if dhcp_provider is not None:
            if dhcp_provider not in _DHCP_PROVIDERS:
                raise InvalidParameterValue(f"dhcpprovider must be one of {', '.join(_DHCP_PROVIDERS)}")
            changes["dhcp_provider"] = dhcp_provider
        if domain is not None:
            changes["domain"] = domain or None
        if dns_search is not None:
            changes["dns_search"] = tuple(_search_domain(each) for each in dns_search)
        if public:
            changes["domain_id"] = None
        if details is not None:
            changes["details"] = {**zone.details, **details}
        for field, value in (
            ("local_storage", local_storage),
            ("allocation_state", allocation_state),
            ("sort_key", sort_key),
        ):
            if value is not None:
                changes[field] = value
        with self._store.transaction():
            zone = self._zones.update(zone.id, **changes)
            return self._with_network(zone) if allocation_state == "Enabled" else zone

    def delete(self, zone: Zone) -> None:
        """Remove an empty zone with its settings, its address ranges and its own networks, if they are unused."""
        self._check_deletable(zone)
        networks, ranges = self._foundation.table(Network), self._foundation.table(IpRange)
        prefixes = self._foundation.table(GuestIpv6Prefix)
        with self._store.transaction():
            for network_id in list(networks.ids("zone_id", zone.id)):
                networks.delete(network_id)
            for range_id in list(ranges.ids("zone_id", zone.id)):
                ranges.delete(range_id)
            for prefix_id in list(prefixes.ids("zone_id", zone.id)):
                prefixes.delete(prefix_id)
            remove_leftovers(self._foundation, zone.id)
            self._zones.delete(zone.id)

    def _check_deletable(self, zone: Zone) -> None:
        checks = (
            (Host, "hosts"),
            (Pod, "pods"),
            (Cluster, "clusters"),
            (VirtualMachine, "virtual machines"),
            (Volume, "storage volumes"),
            (StoragePool, "storage pools"),
            (ImageStore, "secondary storages"),
            (BackupRepository, "backup repositories"),
            (BackupOffering, "backup offerings"),
            (PhysicalNetwork, "physical networks"),
            (PublicIp, "public IP addresses in use"),
        )
        for row_type, what in checks:
            if self._foundation.table(row_type).count("zone_id", zone.id):
                raise CloudError(f"The zone cannot be deleted because there are {what} in this zone")
        nics = self._foundation.table(Nic)
        for network in self._foundation.table(Network).where("zone_id", zone.id):
            own = network.is_default or network.traffic_type != "Guest"
            if not own or nics.count("network_id", network.id):
                raise CloudError("The zone cannot be deleted because there are networks in this zone")

    def _with_network(self, zone: Zone) -> Zone:
        if self.ensure_default_network is not None:
            self.ensure_default_network(zone)
        return self._zones[zone.id]

    def _check_name(self, name: str) -> None:
        if not name.strip():
            raise InvalidParameterValue("A zone needs a name")
        if self._zones.find("name", name) is not None:
            raise InvalidParameterValue(
                f"A zone with name {name} already exists. Please specify a unique name"
            )

    def _addresses(self, **given: str | None) -> dict[str, Any]:
        checked: dict[str, Any] = {}
        for field, text in given.items():
            if text:
                checked[field] = check_address(text, _ADDRESSES[field])
            elif text is not None and field.endswith("2"):
                checked[field] = None
            elif text is not None:
                raise InvalidParameterValue(f"Please enter a valid IP address for {_ADDRESSES[field]}")
        return checked


def _network_type(text: str) -> Literal["Basic", "Advanced"]:
    kinds: dict[str, Literal["Basic", "Advanced"]] = {"basic": "Basic", "advanced": "Advanced"}
    kind = kinds.get(text.lower())
    if kind is None:
        raise InvalidParameterValue("Invalid zone type; only Advanced and Basic values are supported")
    return kind


def _search_domain(text: str) -> str:
    try:
        return checked_domain(text)
    except InvalidParameterValue as error:
        raise InvalidParameterValue(f"Parameter dnssearchorder: {text!r} is no domain. {error.text}") from error
