"""The life of a guest network: implemented when it is first used, shut down when nobody uses it, restarted, deleted.

A network with a virtual router is implemented once its router runs and knows what it is to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Protocol

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.guest_vlans import GuestVlans
from cloudsim.management.network.vlans import isolation_of
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import IpRange, Network, NetworkOffering, Nic, PhysicalNetwork, VirtualMachine

log = logging.getLogger(__name__)

NEXT: dict[str, frozenset[str]] = {
    "Allocated": frozenset({"Implementing", "Implemented", "Destroy"}),
    "Setup": frozenset({"Destroy"}),
    "Implementing": frozenset({"Implemented", "Shutdown", "Allocated"}),
    "Implemented": frozenset({"Shutdown", "Allocated", "Destroy"}),
    "Shutdown": frozenset({"Allocated", "Implemented", "Destroy"}),
    "Destroy": frozenset(),
}
"""Which states may follow which. A deleted network's row is gone."""


_NOT_OF_NETWORKS = frozenset({"ConsoleProxy", "SecondaryStorageVm"})
"""System VMs that do not go with a network; where all guests are in shared ones, their public cards are there, too."""


class NetworkRouters(Protocol):
    """What a network's life needs of the routers; `cloudsim.management.systemvm.routers.Routers`."""

    def is_routed(self, network: Network) -> bool:
        """Whether a router serves the network once it is implemented."""

    async def ensure(self, network_id: str) -> Any:
        """Have its router run and know what it is to do."""

    async def sync(self, network_id: str) -> None:
        """Bring its router to what the rows say."""

    async def shut_down(self, network: Network) -> None:
        """Take its router away."""

    def abandon(self, network: Network) -> None:
        """Leave its router behind, to be taken away as soon as that can be done."""

    async def restart(self, network: Network, *, cleanup: bool) -> None:
        """Bring its services up again."""


class NetworkLife:
    """Moves networks through their states. `routers` is set once there are any; `on_delete` are called in the
    transaction that removes a network, to remove what belongs to it."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(Network)
        self._nics = foundation.table(Nic)
        self._vms = foundation.table(VirtualMachine)
        self._physical = foundation.table(PhysicalNetwork)
        self._offerings = foundation.table(NetworkOffering)
        self._ranges = foundation.table(IpRange)
        self.vlans = GuestVlans(foundation)
        self._locks: dict[str, asyncio.Lock] = {}
        self._idle_since: dict[str, float] = {}
        self.routers: NetworkRouters | None = None
        self.on_delete: list[Callable[[Network], None]] = []

    def _move(self, network: Network, state: Any, **fields: Any) -> Network:
        if state not in NEXT[network.state]:
            raise InvalidParameterValue(
                f"Network {network.name} is {network.state} and cannot become {state}"
            )
        return self._table.update(network.id, state=state, **fields)

    # implementing

    async def implement(self, network_id: str) -> Network:
        """Make the network ready for its first instance: Implemented, with a VLAN of its own and its router at work."""
        network = self._table[network_id]
        routers = self.routers
        if routers is None or not routers.is_routed(network):
            return self._implement_alone(network)
        async with self._locks.setdefault(network_id, asyncio.Lock()):
            network = self._table[network_id]
            before = network.state
            if before == "Allocated":
                vlan = network.vlan or self.vlans.free(network)
                with self._store.transaction():
                    network = self._move(network, "Implementing", vlan=vlan)
            try:
                await routers.ensure(network_id)
            except BaseException:
                if before == "Allocated" and network_id in self._table:
                    with self._store.transaction():
                        kept = self._kept_vlan(network)
                        self._move(self._table[network_id], "Allocated", vlan=network.vlan if kept else None)
                raise
            self._idle_since.pop(network_id, None)
            network = self._table[network_id]
            if network.state == "Implementing":
                with self._store.transaction():
                    network = self._move(network, "Implemented")
            return network

    def _implement_alone(self, network: Network) -> Network:
        """What needs no router is ready at once."""
        if network.is_default:
            return self._implement_default(network)
        if network.state != "Allocated":
            return network
        vlan = network.vlan or self.vlans.free(network)
        with self._store.transaction():
            return self._move(network, "Implemented", vlan=vlan)

    def _implement_default(self, network: Network) -> Network:
        """Where guest networks are VXLANs there is no untagged wire: the default one takes an id too."""
        if network.vlan is not None:
            return network
        for wire in self._physical.where("zone_id", network.zone_id):
            if wire.state == "Enabled" and isolation_of(wire) == "VXLAN":
                with self._store.transaction():
                    network = self._table.update(network.id, physical_network_id=wire.id)
                    return self._table.update(network.id, vlan=self.vlans.free(network))
        return network

    def _kept_vlan(self, network: Network) -> bool:
        offering = self._offerings.get(network.network_offering_id)
        return offering is not None and offering.specify_vlan

    def settle_after_restart(self) -> None:
        """Those that the server was implementing when it died are begun anew by the next who needs them."""
        with self._store.transaction():
            for network in list(self._table):
                if network.state in ("Implementing", "Shutdown"):
                    self._move(network, "Allocated")

    # shutting down

    async def release_idle(self) -> int:
        """Shut down networks that no instance uses: their VLANs, and after network.gc.wait seconds their routers, are
        taken back. Returns how many. To be called every network.gc.interval."""
        released = 0
        for network in [n for n in self._table if n.state == "Implemented" and n.guest_type != "Shared"]:
            if self._kept(network) or self._used(network):
                self._idle_since.pop(network.id, None)
                continue
            if self.routers is not None and self.routers.is_routed(network):
                now = self._foundation.now()
                since = self._idle_since.setdefault(network.id, now)
                if now - since < self._foundation.settings.number("network.gc.wait"):
                    continue
            try:
                await self.shut_down(network)
                released += 1
            except CloudError as error:  # the others are not to wait for it
                log.warning("network %s is not shut down for now: %s", network.name, error.text)
        return released

    def _kept(self, network: Network) -> bool:
        offering = self._offerings.get(network.network_offering_id)
        return offering is not None and (offering.persistent or offering.specify_vlan)

    def _used(self, network: Network) -> bool:
        vms = (self._vms.get(nic.vm_id) for nic in self._nics.where("network_id", network.id))
        return any(vm is not None and vm.type == "User" and vm.host_id is not None for vm in vms)

    async def shut_down(self, network: Network) -> None:
        """Take its router and its VLAN back; the next instance implements it again."""
        if self.routers is not None and self.routers.is_routed(network):
            async with self._locks.setdefault(network.id, asyncio.Lock()):
                if self._used(network):
                    return
                await self.routers.shut_down(network)
        self._idle_since.pop(network.id, None)
        network = self._table[network.id]
        if network.state in ("Implemented", "Implementing"):
            with self._store.transaction():
                self._move(network, "Allocated", vlan=network.vlan if self._kept_vlan(network) else None)

    async def restart(self, network: Network, *, cleanup: bool = False) -> None:
        """Bring the network's services up again. Raises InvalidParameterValue for one that is not in use."""
        if network.state not in ("Implemented", "Setup"):
            raise InvalidParameterValue(
                f"Network is not in the right state to be restarted. Correct states are: Implemented, Setup; "
                f"{network.name} is {network.state}"
            )
        if self.routers is not None and self.routers.is_routed(network):
            await self.routers.restart(network, cleanup=cleanup)
        with self._store.transaction():
            self._table.update(network.id, restart_required=False)

    # deleting

    def check_deletable(self, network: Network) -> None:
        """Raise what stands against deleting the network."""
        if network.is_default:
            raise InvalidParameterValue(f"Network {network.name} is the default network of its zone")
        for nic in self._nics.where("network_id", network.id):
            vm = self._vms.get(nic.vm_id)
            if vm is not None and vm.type == "User":
                raise ResourceInUse(
                    f"Can't delete network {network.name}, not all user vms are expunged. "
                    f"Vm {vm.name} is in {vm.state} state"
                )
            if vm is not None and vm.type in _NOT_OF_NETWORKS:
                raise ResourceInUse(f"Can't delete network {network.name}: system vm {vm.name} is in it")

    async def delete(self, network_id: str, *, forced: bool = False) -> None:
        """Remove the network, with its router and all that belongs to it.

        `forced`: also where its router cannot be taken away now; that is done as soon as its host can be told.
        """
        network = self._table[network_id]
        self.check_deletable(network)
        if self.routers is not None:
            try:
                await self.routers.shut_down(network)
            except CloudError as error:
                if not forced:
                    raise
                log.warning("network %s goes before its router: %s", network.name, error.text)
                self.routers.abandon(network)
            self.check_deletable(self._table[network_id])
        with self._store.transaction():
            for hook in self.on_delete:
                hook(self._table[network_id])
            for own in self._ranges.where("network_id", network_id):
                self._ranges.delete(own.id)
            remove_leftovers(self._foundation, network_id)
            self._table.delete(network_id)
        self._locks.pop(network_id, None)
