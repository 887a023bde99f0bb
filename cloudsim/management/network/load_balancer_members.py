"""The instances behind load balancer rules. A VPC's internal load balancers have theirs in the same way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from cloudsim.errors import InvalidParameterValue, UnsupportedCommand
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.guest_targets import GuestTargets
from cloudsim.management.network.rule_changes import RuleChanges
from cloudsim.model import LoadBalancerMember, LoadBalancerRule, Network, Nic, VirtualMachine

Addresses = Sequence[tuple[VirtualMachine, str]]
"""Instances, each by one of its addresses."""


class LoadBalancerMembers:
    """Puts instances behind rules and takes them away."""

    def __init__(self, foundation: Foundation, changes: RuleChanges, targets: GuestTargets) -> None:
        self._store = foundation.store
        self._table = foundation.table(LoadBalancerMember)
        self._rules = foundation.table(LoadBalancerRule)
        self._networks = foundation.table(Network)
        self._nics = foundation.table(Nic)
        self._vms = foundation.table(VirtualMachine)
        self._changes = changes
        self._targets = targets
        self._randomness = foundation.randomness.branch("load_balancer_members")
        self.ensure_internal: Callable[[str], Awaitable[Any]] = _unbalanced
        """Has the internal load balancer of a rule run and know its members."""

    def of(self, rule: LoadBalancerRule) -> dict[str, list[LoadBalancerMember]]:
        """Instance id -> its memberships, in the order in which they were made."""
        found: dict[str, list[LoadBalancerMember]] = {}
        for member in self._table.where("rule_id", rule.id):
            found.setdefault(member.vm_id, []).append(member)
        return found

    def assignable(self, rule: LoadBalancerRule) -> list[VirtualMachine]:
        """The owner's instances in the rule's network that are not behind it."""
        mine = self.of(rule)
        vms = (self._vms.get(nic.vm_id) for nic in self._nics.where("network_id", rule.network_id))
        return [
            vm
            for vm in vms
            if vm is not None
            and vm.type == "User"
            and vm.account_id == rule.account_id
            and vm.id not in mine
            and vm.state not in ("Destroyed", "Expunging", "Error")
        ]

    def check_assign(
        self,
        rule: LoadBalancerRule,
        vms: Sequence[VirtualMachine],
        addresses: Mapping[str, Sequence[str]],
    ) -> Addresses:
        """The addresses by which the instances are to be members: those of `addresses` (instance id -> addresses), or
        else their first in the network. Raises what stands against it."""
        if not vms:
            raise InvalidParameterValue("One of parameters virtualmachineids and vmidipmap is required")
        network = self._networks[rule.network_id]
        found: list[tuple[VirtualMachine, str]] = []
        for vm in {vm.id: vm for vm in vms}.values():
            for wanted in addresses.get(vm.id) or (None,):
                ip = self._targets.of(vm, network, wanted)
                if self._table.find(("rule_id", "vm_id", "ip"), (rule.id, vm.id, ip)) is not None:
                    raise InvalidParameterValue(
                        f"VM {vm.name} is already mapped to load balancer rule {rule.name} with ip {ip}"
                    )
                if (vm, ip) not in found:
                    found.append((vm, ip))
        return found

    async def assign(self, rule: LoadBalancerRule, addresses: Addresses) -> None:
        """Put the instances behind the rule; none of them is when its router does not follow."""
        made = [
            LoadBalancerMember(id=self._randomness.uuid(), rule_id=rule.id, vm_id=vm.id, ip=ip)
            for vm, ip in addresses
        ]
        for vm, ip in addresses:
            vm = self._vms[vm.id]
            self._targets.of(vm, self._networks[rule.network_id], ip)
        rule = self._rules[rule.id]

        def change() -> None:
            for member in made:
                self._table.insert(member)

        await self._changes.apply(rule.network_id, change, lambda: self._delete(made))
        if rule.scheme == "Internal":
            try:
                await self.ensure_internal(rule.id)
            except Exception:
                with self._store.transaction():
                    self._delete(made)
                raise

    def check_remove(
        self,
        rule: LoadBalancerRule,
        vms: Sequence[VirtualMachine],
        addresses: Mapping[str, Sequence[str]],
    ) -> list[LoadBalancerMember]:
        """The memberships that are to end: the instances', or only those by the addresses named for them."""
        if not vms:
            raise InvalidParameterValue("One of parameters virtualmachineids and vmidipmap is required")
        members = self.of(rule)
        found: list[LoadBalancerMember] = []
        for vm in {vm.id: vm for vm in vms}.values():
            mine = members.get(vm.id, [])
            named = addresses.get(vm.id) or tuple(member.ip for member in mine)
            missing = set(named) - {member.ip for member in mine}
            if not mine or missing:
                by = f" with ip {min(missing)}" if missing else ""
                raise InvalidParameterValue(
                    f"VM {vm.name} is not mapped to load balancer rule {rule.name}{by}"
                )
            found += [member for member in mine if member.ip in named]
        return found

    async def remove(self, rule: LoadBalancerRule, members: Sequence[LoadBalancerMember]) -> None:
        """End the memberships; they stay when the rule's router does not follow."""

        def undo() -> None:
            for member in members:
                if member.id not in self._table and rule.id in self._rules and member.vm_id in self._vms:
                    self._table.insert(member)

        await self._changes.apply(rule.network_id, lambda: self._delete(members), undo)

    def _delete(self, members: Sequence[LoadBalancerMember]) -> None:
        for member in members:
            if member.id in self._table:
                self._table.delete(member.id)


async def _unbalanced(rule_id: str) -> None:
    raise UnsupportedCommand(f"Nothing here runs the internal load balancer of rule {rule_id}")
