"""The public address that an isolated network's instances are seen as outside, where the caller chooses it."""

from __future__ import annotations

from typing import Protocol

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_ranges import check_address
from cloudsim.management.network.public_ips import PublicIps
from cloudsim.management.network.router_use import routed_services
from cloudsim.model import Account, Network, NetworkOffering, PublicIp, RemoteAccessVpn, SystemVm, Zone


class Routing(Protocol):
    """What this needs of the routers; `cloudsim.management.systemvm.routers.Routers`."""

    def of(self, network: Network) -> SystemVm | None:
        """The router that serves the network, if it has one."""

    async def restart(self, network: Network, *, cleanup: bool) -> None:
        """Bring the network's services up again; with `cleanup` by a new router."""


class SourceNat:
    """Gives networks the source NAT addresses that are asked for. `Vpcs` does so for VPCs."""

    def __init__(self, foundation: Foundation, addresses: PublicIps, routing: Routing) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._addresses = addresses
        self._routing = routing
        self._ips = foundation.table(PublicIp)
        self._networks = foundation.table(Network)
        self._dialled = foundation.table(RemoteAccessVpn)

    def take(self, network: Network, wanted: str) -> PublicIp:
        """Have a network that has none yet seen as that address, within the caller's transaction."""
        self._check_network(network)
        return self._acquire(network, check_address(wanted, "sourcenatipaddress"), source_nat=True)

    def _acquire(self, network: Network, wanted: str, *, source_nat: bool) -> PublicIp:
        owner = self._foundation.table(Account)[network.account_id]
        zone = self._foundation.table(Zone)[network.zone_id]
        try:
            return self._addresses.acquire(owner, zone, network=network, wanted=wanted, source_nat=source_nat)
        except InvalidParameterValue as error:
            raise InvalidParameterValue(f"Parameter sourcenatipaddress: {error.text}") from error

    def _check_network(self, network: Network) -> None:
        if network.vpc_id is not None:
            raise InvalidParameterValue(
                f"Parameter sourcenatipaddress: network {network.name} is a tier, and has the source NAT address of its VPC"
            )
        offering = self._foundation.table(NetworkOffering).get(network.network_offering_id)
        if network.guest_type != "Isolated" or "SourceNat" not in routed_services(offering):
            raise InvalidParameterValue(
                f"Parameter sourcenatipaddress: network {network.name} has no source NAT service of a virtual router"
            )

    def check(self, network: Network, wanted: str) -> None:
        """Raise what stands against the network's instances being seen as that address outside."""
        self._check_network(network)
        text = check_address(wanted, "sourcenatipaddress")
        old = self._addresses.source_nat_of(network)
        if old is not None and old.ip == text:
            return
        if old is not None and self._dialled.find("public_ip_id", old.id) is not None:
            raise ResourceInUse(
                f"There is a remote access VPN on {old.ip}, the source NAT address of network {network.name}"
            )
        ip = self._ips.find(("zone_id", "ip"), (network.zone_id, text))
        if ip is None:
            return  # a free one, or none of the zone's: that is found out when it is acquired
        if ip.portable:
            raise InvalidParameterValue(
                f"sourcenatipaddress {ip.ip} is portable: source NAT is on an address of the zone"
            )
        if ip.network_id != network.id or ip.static_nat_vm_id is not None or ip.state != "Allocated":
            raise InvalidParameterValue(
                f"sourcenatipaddress {ip.ip} is in use already, and not free in network {network.name}"
            )

    async def change(self, network_id: str, wanted: str) -> None:
        """Have the network's instances seen as that address, by a new router. It is as before if that fails."""
        network = self._networks[network_id]
        self.check(network, wanted)
        old = self._addresses.source_nat_of(network)
        if old is not None and old.ip == wanted.strip():
            return
        with self._store.transaction():
            new = self._ips.find(("zone_id", "ip"), (network.zone_id, wanted.strip()))
            made = new is None
            if new is None:
                new = self._acquire(network, wanted.strip(), source_nat=False)
            self._swap(old, new)
        if self._routing.of(network) is None:
            return
        try:
            await self._routing.restart(network, cleanup=True)
        except CloudError:
            with self._store.transaction():
                self._swap(new, old)
                if made:
                    self._addresses.release_all((new,))
            raise

    def _swap(self, old: PublicIp | None, new: PublicIp | None) -> None:
        for ip, source_nat in ((old, False), (new, True)):
            if ip is not None:
                self._ips.update(ip.id, source_nat=source_nat)
