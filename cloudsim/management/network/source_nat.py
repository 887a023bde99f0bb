"""The public address that a network's or a VPC's instances are seen as outside, where the caller chooses it."""

from __future__ import annotations

from typing import Any, Protocol

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_ranges import check_address
from cloudsim.management.network.public_ips import PublicIps
from cloudsim.management.network.router_use import routed_services
from cloudsim.management.vpc.vpcs import check_enabled
from cloudsim.model import Account, Network, NetworkOffering, PublicIp, RemoteAccessVpn, SystemVm, Vpc, Zone


class Routing(Protocol):
    """What this needs of the routers; `cloudsim.management.systemvm.routers.Routers`."""

    def of(self, network: Network) -> SystemVm | None:
        """The router that serves the network, if it has one."""

    def of_vpc(self, vpc_id: str) -> SystemVm | None:
        """The VPC's router, if it has one."""

    async def restart(self, network: Network, *, cleanup: bool) -> Any:
        """Bring the network's services up again; with `cleanup` by a new router."""

    async def restart_vpc(self, vpc: Vpc, *, cleanup: bool) -> Any:
        """Bring the VPC's services up again; with `cleanup` by a new router."""


class SourceNat:
    """Gives isolated networks and VPCs the source NAT addresses that are asked for."""

    def __init__(self, foundation: Foundation, addresses: PublicIps, routing: Routing) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._addresses = addresses
        self._routing = routing
        self._ips = foundation.table(PublicIp)
        self._dialled = foundation.table(RemoteAccessVpn)

    def take(self, network: Network, wanted: str) -> PublicIp:
        """Have a network that has none yet seen as that address, within the caller's transaction."""
        self._check_can(network)
        return self._acquire(network, check_address(wanted, "sourcenatipaddress"), source_nat=True)

    def _acquire(self, place: Network | Vpc, wanted: str, *, source_nat: bool) -> PublicIp:
        owner = self._foundation.table(Account)[place.account_id]
        zone = self._foundation.table(Zone)[place.zone_id]
        try:
            return self._addresses.acquire(
                owner,
                zone,
                network=place if isinstance(place, Network) else None,
                vpc=place if isinstance(place, Vpc) else None,
                wanted=wanted,
                source_nat=source_nat,
            )
        except InvalidParameterValue as error:
            raise InvalidParameterValue(f"Parameter sourcenatipaddress: {error.text}") from error

    def _check_can(self, place: Network | Vpc) -> None:
        """Raise InvalidParameterValue unless the network or VPC has a source NAT address of its own."""
        if isinstance(place, Vpc):
            check_enabled(place)
            return
        if place.vpc_id is not None:
            raise InvalidParameterValue(
                f"Parameter sourcenatipaddress: network {place.name} is a tier, and has the source NAT address of its VPC"
            )
        offering = self._foundation.table(NetworkOffering).get(place.network_offering_id)
        if place.guest_type != "Isolated" or "SourceNat" not in routed_services(offering):
            raise InvalidParameterValue(
                f"Parameter sourcenatipaddress: network {place.name} has no source NAT service of a virtual router"
            )

    def check(self, place: Network | Vpc, wanted: str) -> None:
        """Raise what stands against the instances of the network or VPC being seen as that address outside."""
        self._check_can(place)
        text = check_address(wanted, "sourcenatipaddress")
        old = self._addresses.source_nat_of(place)
        if old is not None and old.ip == text:
            return
        if old is not None and self._dialled.find("public_ip_id", old.id) is not None:
            raise ResourceInUse(
                f"There is a remote access VPN on {old.ip}, the source NAT address of {_words(place)}"
            )
        ip = self._ips.find(("zone_id", "ip"), (place.zone_id, text))
        if ip is None:
            return  # a free one, or none of the zone's: that is found out when it is acquired
        if ip.portable:
            raise InvalidParameterValue(
                f"sourcenatipaddress {ip.ip} is portable: source NAT is on an address of the zone"
            )
        if not _is_free_in(place, ip):
            raise InvalidParameterValue(
                f"sourcenatipaddress {ip.ip} is in use already, and not free in {_words(place)}"
            )

    async def change(self, place: Network | Vpc, wanted: str) -> None:
        """Have the instances of the network or VPC seen as that address, by a new router. As before if that fails."""
        self.check(place, wanted)
        text = wanted.strip()
        old = self._addresses.source_nat_of(place)
        if old is not None and old.ip == text:
            return
        with self._store.transaction():
            found = self._ips.find(("zone_id", "ip"), (place.zone_id, text))
            new = found or self._acquire(place, text, source_nat=False)
            self._swap(old, new)
        try:
            await self._route_anew(place)
        except Exception:
            with self._store.transaction():
                self._swap(new, old)
                if found is None:
                    self._addresses.release(new)
            raise

    async def _route_anew(self, place: Network | Vpc) -> None:
        """Have another router, which has the new address from its start; none where none runs."""
        if isinstance(place, Vpc):
            if self._routing.of_vpc(place.id) is not None:
                await self._routing.restart_vpc(place, cleanup=True)
        elif self._routing.of(place) is not None:
            await self._routing.restart(place, cleanup=True)

    def _swap(self, old: PublicIp | None, new: PublicIp | None) -> None:
        for ip, source_nat in ((old, False), (new, True)):
            if ip is not None:
                self._ips.update(ip.id, source_nat=source_nat)


def _words(place: Network | Vpc) -> str:
    return f"VPC {place.name}" if isinstance(place, Vpc) else f"network {place.name}"


def _is_free_in(place: Network | Vpc, ip: PublicIp) -> bool:
    """Whether the address in use is the place's already, and for nothing that source NAT would be in the way of."""
    if ip.static_nat_vm_id is not None or ip.state != "Allocated":
        return False
    if isinstance(place, Vpc):
        return ip.vpc_id == place.id and ip.network_id is None
    return ip.network_id == place.id
