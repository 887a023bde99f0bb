"""NICs of instances that exist already: added, removed, made the default, given other and more addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from cloudsim.errors import CloudError, ConcurrentOperation, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents, OutcomeUnknown
from cloudsim.management.network.dhcp_options import check_options
from cloudsim.management.network.network_life import NetworkLife
from cloudsim.management.network.network_permissions import NetworkPermissions
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.rule_removal import RuleRemoval
from cloudsim.management.network.security_groups import SecurityGroups
from cloudsim.model import Account, Network, NetworkOffering, Nic, VirtualMachine, Zone
from cloudsim.protocol.commands import PlugNicCommand, UnplugNicCommand

MOST_SECONDARY = 256
"""CloudStack's vm.network.nic.max.secondary.ipaddresses."""
MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}\Z")


class NicFailed(CloudError):
    """A host could not plug or unplug a NIC; the text is the host's."""


class NicRouters(Protocol):
    """What NICs need of the routers of their networks; `cloudsim.management.systemvm.routers.Routers`."""

    async def sync(self, network_id: str) -> None:
        """Bring the network's router to what the rows say."""

    def touch(self, network_id: str) -> None:
        """The same in the background."""


class NicChanges:
    """Changes the NICs of running and stopped instances. A NIC's host and the router of its network are told.

    `rules`: those that lead to the NICs, which follow. `routers` is set once there are any.
    """

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        nics: Nics,
        life: NetworkLife,
        security_groups: SecurityGroups,
        permissions: NetworkPermissions,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._give = nics
        self._life = life
        self._security_groups = security_groups
        self._permissions = permissions
        self._table = foundation.table(Nic)
        self._network_rows = foundation.table(Network)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("nic_changes")
        self.rules: RuleRemoval | None = None
        self.routers: NicRouters | None = None

    # adding and removing

    def check_addable(self, vm: VirtualMachine, network: Network, ip: str | None, mac: str | None) -> None:
        """Raise what stands against giving the instance a NIC on the network."""
        self._check_state(vm)
        if network.zone_id != vm.zone_id or network.traffic_type != "Guest":
            raise InvalidParameterValue(f"Network {network.name} is not in the zone of {vm.name}")
        self._permissions.check_use(network, self._foundation.table(Account)[vm.account_id], vm.name)
        if any(nic.network_id == network.id for nic in self._give.of(vm)):
            raise InvalidParameterValue(f"A NIC already exists for VM: {vm.name} in network: {network.name}")
        if mac is not None:
            if not MAC.match(mac.lower()):
                raise InvalidParameterValue(f"Mac address is not valid: {mac}")
            if self._table.find("mac", mac.lower()) is not None:
                raise InvalidParameterValue(f"Mac address {mac} is in use already")
        self._give.address(network, ip)

    def _check_state(self, vm: VirtualMachine) -> None:
        zone = self._foundation.table(Zone)[vm.zone_id]
        if zone.network_type == "Basic":
            raise InvalidParameterValue(
                f"Zone {zone.name}, has a NetworkType of Basic. Can't change the NICs of a VM on a Basic Network"
            )
        if vm.state not in ("Running", "Stopped"):
            raise InvalidParameterValue(
                f"{vm.name} must be Running or Stopped to change its NICs and is {vm.state}"
            )

    async def add(
        self,
        vm_id: str,
        network_id: str,
        *,
        ip: str | None = None,
        mac: str | None = None,
        dhcp_options: Mapping[str, str] | None = None,
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
                vm,
                network,
                ip=ip,
                mac=mac.lower() if mac else None,
                default=not nics,
                device=device,
                dhcp_options=dhcp_options,
            )
        try:
            if self.routers is not None:
                await self.routers.sync(network.id)  # before the guest asks for its address
            await self._tell_host(nic)
        except OutcomeUnknown:
            raise  # the NIC stays: it can be removed, whether it was plugged or not
        except BaseException:
            if nic.id in self._table:
                with self._store.transaction():
                    self._table.delete(nic.id)
                self._touch((network.id,))
            raise
        return self._vms[vm_id]

    async def _tell_host(self, nic: Nic) -> None:
        """Have the host of a running instance plug the NIC, or know what has changed about it."""
        vm = self._vms[nic.vm_id]
        if vm.state == "Running" and vm.host_id is not None:
            command = PlugNicCommand(vm=vm.instance_name, nic=self._give.spec(nic))
            answer = await self._agents.send(vm.host_id, command)
            if not answer.ok:
                raise NicFailed(answer.error or f"NIC {nic.mac} of {vm.name} could not be plugged or changed")

    def _touch(self, network_ids: Iterable[str]) -> None:
        if self.routers is not None:
            for network_id in network_ids:
                self.routers.touch(network_id)

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
            self._touch((nic.network_id,))
        return self._vms[vm_id]

    def _nic(self, nic_id: str) -> Nic:
        nic = self._table.get(nic_id)
        if nic is None:
            raise ConcurrentOperation(f"NIC {nic_id} was removed meanwhile")
        return nic

    async def set_default(self, vm: VirtualMachine, nic: Nic) -> VirtualMachine:
        """Make the NIC the one whose gateway the instance uses. Its guest learns of it when it next asks by DHCP."""
        self.of_vm(vm, nic)
        self._check_state(vm)
        if nic.is_default:
            raise InvalidParameterValue(f"NIC {nic.id} is already the default NIC of {vm.name}")
        before = [other.id for other in self._give.of(vm) if other.is_default]
        changed = self._make_default(before, [nic.id])
        try:
            for each in changed:
                await self._tell_host(each)
        except BaseException:
            self._make_default([nic.id], before)
            raise
        finally:
            self._touch(dict.fromkeys(each.network_id for each in changed))
        return self._vms[vm.id]

    def _make_default(self, old: list[str], new: list[str]) -> list[Nic]:
        with self._store.transaction():
            return [
                self._table.update(nic_id, is_default=nic_id in new)
                for nic_id in (*old, *new)
                if nic_id in self._table
            ]

    def check_dhcp_options(
        self, vm: VirtualMachine, options: Mapping[str, Mapping[str, str]], added: Network | None = None
    ) -> None:
        """Raise InvalidParameterValue unless the instance's NICs on these networks can have these options.

        `added`: a network on which it is about to get one.
        """
        networks = [self._network_rows[nic.network_id] for nic in self._give.of(vm)]
        check_options(options, [*networks, *([added] if added else ())], self._foundation.table(NetworkOffering))

    async def set_dhcp_options(self, vm: VirtualMachine, options: Mapping[str, Mapping[str, str]]) -> None:
        """Have the NICs on these networks, by their ids, these options of their leases and no others.

        The guest learns of them when it asks for its lease again.
        """
        with self._store.transaction():
            changed = [
                self._table.update(nic.id, dhcp_options=dict(options[nic.network_id]))
                for nic in self._give.of(vm)
                if nic.network_id in options and nic.dhcp_options != options[nic.network_id]
            ]
        self._touch(dict.fromkeys(nic.network_id for nic in changed))
        for nic in changed:
            if "Dhcp" in self._give.spec(nic).services:  # it is the host that serves it
                await self._tell_host(nic)

    # addresses

    async def add_ip(self, nic: Nic, wanted: str | None = None) -> tuple[Nic, str]:
        """Give the NIC one address more, of its network; returns the NIC and the new address's id."""
        network = self._network_rows[nic.network_id]
        if len(nic.secondary_ips) >= MOST_SECONDARY:
            raise InvalidParameterValue(
                f"Maximum Number of Ips per Nic has been crossed: {nic.id} has {len(nic.secondary_ips)} secondary ones"
            )
        address = self._give.address(network, wanted)
        if address is None:
            raise InvalidParameterValue(f"Network {network.name} has no addresses to give")
        secondary_id = self._randomness.uuid()
        with self._store.transaction():
            changed = self._table.update(nic.id, secondary_ips=(*nic.secondary_ips, (secondary_id, address)))
        try:
            await self._tell_host(changed)
        except OutcomeUnknown:
            raise  # the address stays: nobody else may get it, whether the host lets it through or not
        except BaseException:
            self._drop_ip(nic.id, secondary_id)
            raise
        finally:
            self._touch((network.id,))
        return changed, secondary_id

    def _drop_ip(self, nic_id: str, secondary_id: str) -> Nic | None:
        nic = self._table.get(nic_id)
        if nic is None:
            return None
        left = tuple(pair for pair in nic.secondary_ips if pair[0] != secondary_id)
        with self._store.transaction():
            return self._table.update(nic_id, secondary_ips=left)

    async def remove_ip(self, nic: Nic, secondary_id: str) -> Nic:
        """Take a secondary address, which no rule leads to, from the NIC. It stays where the host cannot be told."""
        if self.rules is not None:
            taken = next(ip for each, ip in nic.secondary_ips if each == secondary_id)
            self.rules.check_unused(self._vms[nic.vm_id], nic, taken)
        changed = self._drop_ip(nic.id, secondary_id)
        assert changed is not None
        try:
            await self._tell_host(changed)
        except BaseException:
            with self._store.transaction():
                self._table.update(nic.id, secondary_ips=nic.secondary_ips)
            raise
        finally:
            self._touch((nic.network_id,))
        return changed

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
        else:
            self._touch((network.id,))
        return self._vms[vm.id]
