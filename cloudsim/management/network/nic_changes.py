"""NICs of instances that exist already: added, removed, made the default, given other and more addresses."""

from __future__ import annotations

import re

from cloudsim.errors import CloudError, ConcurrentOperation, InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import in_subtree
from cloudsim.management.infrastructure.agents import Agents, OutcomeUnknown
from cloudsim.management.network.network_life import NetworkLife
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.rule_removal import RuleRemoval
from cloudsim.management.network.security_groups import SecurityGroups
from cloudsim.model import Network, Nic, VirtualMachine
from cloudsim.protocol.commands import PlugNicCommand, UnplugNicCommand

MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}\Z")


class NicFailed(CloudError):
    """A host could not plug or unplug a NIC; the text is the host's."""


class NicChanges:
    """Changes the NICs of running and stopped instances. `rules`: those that lead to the NICs, which follow."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        nics: Nics,
        life: NetworkLife,
        security_groups: SecurityGroups,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._give = nics
        self._life = life
        self._security_groups = security_groups
        self._table = foundation.table(Nic)
        self._network_rows = foundation.table(Network)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("nic_changes")
        self.rules: RuleRemoval | None = None

    # adding and removing

    def check_addable(self, vm: VirtualMachine, network: Network, ip: str | None, mac: str | None) -> None:
        """Raise what stands against giving the instance a NIC on the network."""
        self._check_state(vm)
        if network.zone_id != vm.zone_id:
            raise InvalidParameterValue(f"Network {network.name} is not in the zone of {vm.name}")
        if network.acl_type == "Account":
            if network.account_id != vm.account_id:
                raise PermissionDenied(
                    f"Unable to use network {network.name} for an instance of another account"
                )
        elif not in_subtree(self._store, vm.domain_id, network.domain_id):
            raise PermissionDenied(f"Network {network.name} is not available in the domain of {vm.name}")
        if any(nic.network_id == network.id for nic in self._give.of(vm)):
            raise InvalidParameterValue(f"A NIC already exists for VM: {vm.name} in network: {network.name}")
        if mac is not None:
            if not MAC.match(mac.lower()):
                raise InvalidParameterValue(f"Mac address is not valid: {mac}")
            if self._table.find("mac", mac.lower()) is not None:
                raise InvalidParameterValue(f"Mac address {mac} is in use already")
        self._give.address(network, ip)

    def _check_state(self, vm: VirtualMachine) -> None:
        if vm.state not in ("Running", "Stopped"):
            raise InvalidParameterValue(
                f"{vm.name} must be Running or Stopped to change its NICs and is {vm.state}"
            )

    async def add(
        self, vm_id: str, network_id: str, *, ip: str | None = None, mac: str | None = None
    ) -> VirtualMachine:
        """Give the instance a NIC on the network; it has none there when the host does not plug it."""
        vm, network = self._vms[vm_id], self._network_rows[network_id]
        self.check_addable(vm, network, ip, mac)
        nics = self._give.of(vm)
        taken = {nic.device_id for nic in nics}
        device = next(n for n in range(len(taken) + 1) if n not in taken)
        if vm.state == "Running":
            network = await self._life.implement(network.id)
            vm = self._vms[vm_id]
            self.check_addable(vm, network, ip, mac)
        with self._store.transaction():
            self._security_groups.join(vm, network)
            nic = self._give.allocate(
                vm, network, ip=ip, mac=mac.lower() if mac else None, default=not nics, device=device
            )
        if vm.state == "Running" and vm.host_id is not None:
            try:
                command = PlugNicCommand(vm=vm.instance_name, nic=self._give.spec(nic))
                answer = await self._agents.send(vm.host_id, command)
                if not answer.ok:
                    raise NicFailed(answer.error or f"{vm.name} did not get a NIC on {network.name}")
            except OutcomeUnknown:
                raise  # the NIC stays: it can be removed, whether it was plugged or not
            except BaseException:
                if nic.id in self._table:
                    with self._store.transaction():
                        self._table.delete(nic.id)
                raise
        return self._vms[vm_id]

    def of_vm(self, vm: VirtualMachine, nic: Nic) -> Nic:
        """The NIC, if it is the instance's. Raises InvalidParameterValue."""
        if nic.vm_id != vm.id:
            raise InvalidParameterValue(f"{nic.id} is not a NIC on {vm.name}")
        return nic

    def check_removable(self, vm: VirtualMachine, nic: Nic) -> None:
        """Raise what stands against removing the NIC."""
        self.of_vm(vm, nic)
        self._check_state(vm)
        if nic.is_default:
            raise InvalidParameterValue(
                f"Unable to remove nic from {vm.name}, nic is default: NIC {nic.id} cannot be removed"
            )

    async def remove(self, vm_id: str, nic_id: str) -> VirtualMachine:
        """Take the NIC from the instance; it stays when the host does not let go of it."""
        vm, nic = self._vms[vm_id], self._nic(nic_id)
        self.check_removable(vm, nic)
        if vm.state == "Running" and vm.host_id is not None:
            command = UnplugNicCommand(vm=vm.instance_name, nic=self._give.spec(nic))
            answer = await self._agents.send(vm.host_id, command)
            if not answer.ok:
                raise NicFailed(answer.error or f"NIC {nic.mac} was not removed from {vm.name}")
        if self.rules is not None:
            await self.rules.forget_nic(vm, nic)
        if nic_id in self._table:
            with self._store.transaction():
                self._table.delete(nic_id)
        return self._vms[vm_id]

    def _nic(self, nic_id: str) -> Nic:
        nic = self._table.get(nic_id)
        if nic is None:
            raise ConcurrentOperation(f"NIC {nic_id} was removed meanwhile")
        return nic

    def set_default(self, vm: VirtualMachine, nic: Nic) -> VirtualMachine:
        """Make the NIC the one whose gateway the instance uses."""
        self.of_vm(vm, nic)
        self._check_state(vm)
        if nic.is_default:
            raise InvalidParameterValue(f"NIC {nic.id} is already the default NIC of {vm.name}")
        with self._store.transaction():
            for other in self._give.of(vm):
                if other.is_default:
                    self._table.update(other.id, is_default=False)
            self._table.update(nic.id, is_default=True)
        return self._vms[vm.id]

    # addresses

    def add_ip(self, nic: Nic, wanted: str | None = None) -> tuple[Nic, str]:
        """Give the NIC one address more, of its network; returns the NIC and the new address's id."""
        network = self._network_rows[nic.network_id]
        address = self._give.address(network, wanted)
        if address is None:
            raise InvalidParameterValue(f"Network {network.name} has no addresses to give")
        secondary_id = self._randomness.uuid()
        with self._store.transaction():
            changed = self._table.update(nic.id, secondary_ips=(*nic.secondary_ips, (secondary_id, address)))
        return changed, secondary_id

    def with_secondary(self, secondary_id: str) -> Nic:
        """The NIC that has the secondary address of that id. Raises InvalidParameterValue."""
        for nic in self._table:
            if any(each == secondary_id for each, _ in nic.secondary_ips):
                return nic
        raise InvalidParameterValue(f"Unable to find the secondary IP address {secondary_id}")

    def remove_ip(self, nic: Nic, secondary_id: str) -> Nic:
        """Take a secondary address, which no rule leads to, from the NIC."""
        if self.rules is not None:
            taken = next(ip for each, ip in nic.secondary_ips if each == secondary_id)
            self.rules.check_unused(self._vms[nic.vm_id], nic, taken)
        left = tuple(pair for pair in nic.secondary_ips if pair[0] != secondary_id)
        with self._store.transaction():
            return self._table.update(nic.id, secondary_ips=left)

    async def change_ip(self, nic: Nic, wanted: str | None = None) -> VirtualMachine:
        """Give the NIC of a stopped instance another address. Rules that lead to the old one lead there."""
        vm = self._vms[nic.vm_id]
        if vm.state != "Stopped":
            raise InvalidParameterValue(f"The VM {vm.name} is not Stopped: its addresses cannot change")
        network = self._network_rows[nic.network_id]
        address = self._give.address(network, wanted)
        if address is None:
            raise InvalidParameterValue(f"Network {network.name} has no addresses to give")
        with self._store.transaction():
            if self.rules is not None:
                self.rules.move(vm, nic, address)
            self._table.update(nic.id, ip=address)
        if self.rules is not None:
            await self.rules.tell((network.id,))
        return self._vms[vm.id]
