"""NICs that a router gets and loses while it runs: a leg in each tier of its VPC, and in each private gateway's network."""

from __future__ import annotations

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents, OutcomeUnknown
from cloudsim.management.network.nics import Nics
from cloudsim.model import Network, Nic, PrivateGateway, SystemVm, VirtualMachine
from cloudsim.protocol.commands import PlugNicCommand, UnplugNicCommand

PRIVATE = "Private"
"""The traffic type of a private gateway's network."""


class RouterLegs:
    """Plugs and unplugs. A router that does not run only gets or loses the row."""

    def __init__(self, foundation: Foundation, agents: Agents, nics: Nics) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._nics = nics
        self._table = foundation.table(Nic)
        self._networks = foundation.table(Network)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("router legs")

    def has(self, router: SystemVm, network: Network) -> bool:
        """Whether the router has a leg in the network."""
        return self._nic(router, network) is not None

    def _nic(self, router: SystemVm, network: Network) -> Nic | None:
        nics = self._table.where("vm_id", router.id)
        return next((nic for nic in nics if nic.network_id == network.id), None)

    async def plug(self, router: SystemVm, tier: Network) -> None:
        """A leg in the tier, at its gateway address."""
        await self._plug(router, tier, tier.gateway, None)

    async def unplug(self, router: SystemVm, network: Network) -> None:
        """No leg in the network any more."""
        nic = self._nic(router, network)
        if nic is None:
            return
        vm = self._vms[router.id]
        if vm.state == "Running" and vm.host_id is not None:
            command = UnplugNicCommand(vm=vm.instance_name, nic=self._nics.spec(nic))
            answer = await self._agents.send(vm.host_id, command)
            if not answer.ok:
                raise CloudError(answer.error or f"{vm.instance_name} keeps its NIC on {network.name}")
        with self._store.transaction():
            if nic.id in self._table:
                self._table.delete(nic.id)

    def forget(self, router: SystemVm, network: Network) -> None:
        """As `unplug`, of a router whose host cannot be told: its machine has the card until it starts anew."""
        nic = self._nic(router, network)
        if nic is not None:
            with self._store.transaction():
                self._table.delete(nic.id)

    async def plug_private(self, router: SystemVm, gateway: PrivateGateway) -> None:
        """A leg in the private gateway's VLAN, with its MAC and IP address."""
        with self._store.transaction():
            network = self._networks.get(gateway.id) or self._networks.insert(
                Network(
                    id=gateway.id,
                    name=f"private-{gateway.vlan}",
                    display_text=f"Private gateway {gateway.ip}",
                    zone_id=gateway.zone_id,
                    network_offering_id=gateway.network_offering_id or "",
                    account_id=gateway.account_id,
                    domain_id=gateway.domain_id,
                    physical_network_id=gateway.physical_network_id,
                    traffic_type=PRIVATE,
                    guest_type="Isolated",
                    gateway=gateway.gateway,
                    netmask=gateway.netmask,
                    vlan=gateway.vlan.rpartition("/")[2],
                    state="Setup",
                    created=self._foundation.now(),
                )
            )
        if self._nic(router, network) is None:
            await self._plug(router, network, gateway.ip, gateway.mac)

    async def unplug_private(self, router: SystemVm, gateway: PrivateGateway) -> None:
        """No leg there any more."""
        network = self._networks.get(gateway.id)
        if network is None:
            return
        await self.unplug(router, network)
        with self._store.transaction():
            self._networks.delete(network.id)

    async def _plug(self, router: SystemVm, network: Network, ip: str | None, mac: str | None) -> None:
        vm = self._vms[router.id]
        taken = {nic.device_id for nic in self._nics.of(vm)}
        device = next(number for number in range(len(taken) + 1) if number not in taken)
        with self._store.transaction():
            nic = self._nics.allocate(vm, network, ip=ip, mac=mac, default=False, device=device, reserved=True)
        if vm.state != "Running" or vm.host_id is None:
            return
        try:
            command = PlugNicCommand(vm=vm.instance_name, nic=self._nics.spec(nic))
            answer = await self._agents.send(vm.host_id, command)
            if not answer.ok:
                raise CloudError(answer.error or f"{vm.instance_name} did not get a NIC on {network.name}")
        except OutcomeUnknown:
            raise  # the row stays: the NIC is taken away with it, whether it was plugged or not
        except BaseException:
            with self._store.transaction():
                self._table.delete(nic.id)
            raise
