"""Static NAT: a public address that is an instance's alone; and the ports of it that are let in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cloudsim.errors import InvalidParameterValue, RuleConflict
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_use import AddressUse, carried_by
from cloudsim.management.network.firewall import Firewall
from cloudsim.management.network.guest_targets import GuestTargets
from cloudsim.management.network.rule_changes import Rule, RuleChanges
from cloudsim.management.network.rule_traffic import checked_cidrs, checked_ports, checked_protocol
from cloudsim.model import FirewallRule, IpForwardingRule, Network, PublicIp, VirtualMachine


class PortableMoving(Protocol):
    """What moves portable addresses; `cloudsim.management.network.portable_moves.PortableMoves`."""

    def destination(self, address: PublicIp, vm: VirtualMachine, wanted: Network | None) -> Network | None:
        """The other network that the address has to go to, to be the instance's; None where it can stay."""

    def check(self, address: PublicIp, network: Network) -> None:
        """Raise what stands against the address's going to the network."""

    async def move(self, address: PublicIp, network: Network, **use: Any) -> None:
        """Have the network's router serve the address, used as said. Where that fails it is where it was."""


class StaticNats:
    """Gives addresses to instances and takes them back. Without `portable`, none goes on to another network."""

    portable: PortableMoving | None = None

    def __init__(
        self,
        foundation: Foundation,
        use: AddressUse,
        changes: RuleChanges,
        firewall: Firewall,
        targets: GuestTargets,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._addresses = foundation.table(PublicIp)
        self._networks = foundation.table(Network)
        self._rules = foundation.table(IpForwardingRule)
        self._firewall_rules = foundation.table(FirewallRule)
        self._use = use
        self._changes = changes
        self._firewall = firewall
        self._targets = targets
        self._randomness = foundation.randomness.branch("static_nat")
        self.enforce = changes.enforce
        self.revoke = changes.revoke

    async def enable(
        self,
        address: PublicIp,
        vm: VirtualMachine,
        *,
        network: Network | None = None,
        guest_ip: str | None = None,
    ) -> None:
        """Make the address the instance's. `network`: the tier, for an address of a VPC that has none yet.

        A portable address moves to the instance's network, or to `network`, where it is not there.
        """
        moves_to = self.portable and self.portable.destination(address, vm, network)
        if self.portable and moves_to:
            self.portable.check(address, moves_to)
            self._use.check_offered(moves_to, "StaticNat")
        network = moves_to or self._use.network_of(address, network, "StaticNat")
        self._use.check_service(address, network, "StaticNat")
        target = self._targets.of(vm, network, guest_ip)
        if address.static_nat_vm_id is not None:
            if (address.static_nat_vm_id, address.static_nat_ip) == (vm.id, target):
                return
            raise RuleConflict(
                f"Failed to enable static nat for the ip address {address.ip} and vm {vm.name} as it's already assigned "
                "to another vm"
            )
        for other in self._addresses.where("static_nat_vm_id", vm.id):
            if other.static_nat_ip == target and other.network_id == network.id:
                raise RuleConflict(
                    f"Failed to enable static nat on the ip {address.ip} as the vm {vm.name} is already associated "
                    f"with another public ip {other.ip} with id {other.id}"
                )
        if self.portable and moves_to:
            return await self.portable.move(address, moves_to, static_nat_vm_id=vm.id, static_nat_ip=target)
        tier = network

        def change() -> None:
            self._use.attach(address, tier)
            self._addresses.update(address.id, static_nat_vm_id=vm.id, static_nat_ip=target)

        def undo() -> None:
            if address.id in self._addresses:
                self._addresses.update(address.id, static_nat_vm_id=None, static_nat_ip=None)
                self._use.detach(address.id)

        await self._changes.apply(network.id, change, undo)

    def check_enabled(self, address: PublicIp) -> None:
        """Raise InvalidParameterValue unless the address is some instance's."""
        if address.static_nat_vm_id is None:
            raise InvalidParameterValue(
                f"One to one nat is not enabled for the specified ip id {address.id} ({address.ip})"
            )

    async def disable(self, address_id: str) -> None:
        """Take the address back from its instance, with all firewall rules of it."""
        address = self._addresses[address_id]
        self.check_enabled(address)
        assert address.network_id is not None
        rules: list[Rule] = [
            *self._rules.where("public_ip_id", address_id),
            *self._firewall_rules.where("public_ip_id", address_id),
        ]

        def change() -> None:
            self._addresses.update(address_id, static_nat_vm_id=None, static_nat_ip=None)
            self._set_states(rules, lambda rule: "Revoke")

        def undo() -> None:
            if address_id in self._addresses:
                self._addresses.update(
                    address_id,
                    static_nat_vm_id=address.static_nat_vm_id,
                    static_nat_ip=address.static_nat_ip,
                )
            self._set_states(rules, lambda rule: rule.state)

        await self._changes.apply(address.network_id, change, undo)
        with self._store.transaction():
            self._changes.remove(rules)
            self._use.detach(address_id)

    def _set_states(self, rules: Sequence[Rule], state: Any) -> None:
        for rule in rules:
            table: Any = self._store.table(type(rule))
            if rule.id in table:
                table.update(rule.id, state=state(rule))

    # rules

    def create_rule(
        self,
        address: PublicIp,
        *,
        protocol: str,
        start_port: int,
        end_port: int | None = None,
        cidrs: Sequence[str] | None = None,
        open_firewall: bool | None = None,
    ) -> IpForwardingRule:
        """Ports that lead to the address's instance, let in by the firewall unless `open_firewall` is False."""
        if address.static_nat_vm_id is None or address.static_nat_ip is None:
            raise InvalidParameterValue(
                f"Unable to create ip forwarding rule: static nat is not enabled for the ip address {address.ip}"
            )
        network = self._use.network_of(address, None, "StaticNat")
        name = carried_by(checked_protocol(protocol, ("tcp", "udp")))
        ports = checked_ports(start_port, end_port, "public")
        sources = checked_cidrs(cidrs, "cidrlist")
        opens = self._firewall.check_openable(address, network, open_firewall)
        if sources and not opens:
            raise InvalidParameterValue("cidrlist says whom the firewall lets in: it needs openfirewall=true")
        self._use.check_ports(address, network, name, ports)
        with self._store.transaction():
            rule = self._rules.insert(
                IpForwardingRule(
                    id=self._randomness.uuid(),
                    public_ip_id=address.id,
                    network_id=network.id,
                    account_id=address.account_id,
                    domain_id=address.domain_id,
                    protocol=name,
                    start_port=ports[0],
                    end_port=ports[1],
                    vm_id=address.static_nat_vm_id,
                    guest_ip=address.static_nat_ip,
                    cidrs=sources,
                    created=self._foundation.now(),
                )
            )
            if opens:
                self._firewall.create_for(rule.id, address, network, name, ports, sources)
        return rule
