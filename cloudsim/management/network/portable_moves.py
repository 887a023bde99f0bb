"""Portable addresses that go on to another network of their account, also in another zone, to be an instance's there."""

from __future__ import annotations

import logging
from typing import Any

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_use import AddressUse
from cloudsim.management.network.ip_association import IpAssociation, RouterSync
from cloudsim.management.network.public_ips import PublicIps, range_of_ip
from cloudsim.model import Account, FirewallRule, Network, Nic, PublicIp, VirtualMachine, Zone

log = logging.getLogger(__name__)


class PortableMoves:
    """Moves them. The router that has an address lets go of it before the other gets it: never do two answer to it."""

    def __init__(
        self,
        foundation: Foundation,
        public_ips: PublicIps,
        association: IpAssociation,
        use: AddressUse,
        routers: RouterSync,
    ) -> None:
        self._store = foundation.store
        self._addresses = foundation.table(PublicIp)
        self._networks = foundation.table(Network)
        self._nics = foundation.table(Nic)
        self._accounts = foundation.table(Account)
        self._zones = foundation.table(Zone)
        self._firewall = foundation.table(FirewallRule)
        self._public_ips = public_ips
        self._association = association
        self._use = use
        self._routers = routers

    def destination(self, address: PublicIp, vm: VirtualMachine, wanted: Network | None) -> Network | None:
        """The other network that the address has to go to, to be the instance's; None where it can stay."""
        if not address.portable or address.state != "Allocated":
            return None
        network = wanted or self._network_of(vm, address)
        if network is None or self._is_at(address, network):
            return None
        return network

    def _is_at(self, address: PublicIp, network: Network) -> bool:
        if address.network_id is None:
            return address.vpc_id == network.vpc_id
        return address.network_id == network.id

    def _network_of(self, vm: VirtualMachine, address: PublicIp) -> Network | None:
        """The instance's network: that of the address, if it is in it, or else that of its default NIC."""
        nics = self._nics.where("vm_id", vm.id)
        networks = [
            self._networks[nic.network_id] for nic in sorted(nics, key=lambda nic: not nic.is_default)
        ]
        here = (network for network in networks if self._is_at(address, network))
        return next(here, networks[0] if networks else None)

    def check(self, address: PublicIp, network: Network) -> None:
        """Raise what stands against the address's going to the network."""
        owner = self._accounts[address.account_id]
        self._association.check_network(owner, network)
        self._check_unused(address, network)
        row = range_of_ip(self._store, address)
        assert row is not None
        zone = self._zones[network.zone_id]
        self._public_ips.check_portable(row, owner, zone, self._public_ips.beside(network, None))

    def _check_unused(self, address: PublicIp, network: Network) -> None:
        used = self._use.services_of(address)
        if self._firewall.count("public_ip_id", address.id):
            used.add("Firewall")
        if used:
            raise InvalidParameterValue(
                f"Portable IP: {address.ip} has associated services ({', '.join(sorted(used))}), so can not be "
                f"transferred to network {network.name}"
            )
        try:
            self._association.check_releasable(address)
        except ResourceInUse as error:
            raise InvalidParameterValue(f"Portable IP: {error.text}") from None

    async def move(self, address: PublicIp, network: Network, **use: Any) -> None:
        """Have the network's router serve the address, used as said. Where that fails it is where it was."""
        before = {
            "zone_id": address.zone_id,
            "network_id": address.network_id,
            "vpc_id": address.vpc_id,
            **{name: getattr(address, name) for name in use},
        }
        with self._store.transaction():
            moved = self._addresses.update(
                address.id, zone_id=network.zone_id, network_id=network.id, vpc_id=network.vpc_id, **use
            )
        try:
            await self._sync(address)
            await self._sync(moved)
        except Exception:
            now = self._addresses.get(address.id)
            if now is not None and now.state == "Allocated" and now.network_id == network.id:
                with self._store.transaction():
                    self._addresses.update(address.id, **before)
            await self._tell(moved)
            await self._tell(address)
            raise

    async def _sync(self, address: PublicIp) -> None:
        """Have the router at which that row has the address do what the rows say now."""
        if address.network_id is not None:
            await self._routers.sync(address.network_id)
        elif address.vpc_id is not None:
            await self._routers.sync_vpc(address.vpc_id)

    async def _tell(self, address: PublicIp) -> None:
        try:
            await self._sync(address)
        except CloudError as error:
            log.warning("a router is behind with address %s: %s", address.ip, error)
