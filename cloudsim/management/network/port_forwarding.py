"""Port forwarding: ports of a public address that lead to an instance."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_use import AddressUse, carried_by
from cloudsim.management.network.firewall import Firewall
from cloudsim.management.network.guest_targets import GuestTargets
from cloudsim.management.network.rule_changes import RuleChanges
from cloudsim.management.network.rule_traffic import (
    ANYWHERE,
    checked_cidrs,
    checked_ports,
    checked_protocol,
)
from cloudsim.model import FirewallRule, Network, PortForwardingRule, PublicIp, VirtualMachine

PROTOCOLS = ("tcp", "udp")


class Forwarding(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. Ends of ranges are None where a single port is meant; `open_firewall` None: where there is one.

    `cidrs` are who is let in by the firewall.
    """

    protocol: str
    public_port: int
    private_port: int
    public_end_port: int | None = None
    private_end_port: int | None = None
    guest_ip: str | None = None
    open_firewall: bool | None = None
    cidrs: Sequence[str] | None = None
    display: bool = True


class PortForwarding:
    """Makes, changes and removes rules. `create` gives a rule that `enforce` brings into force."""

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
        self._table = foundation.table(PortForwardingRule)
        self._firewall_rules = foundation.table(FirewallRule)
        self._addresses = foundation.table(PublicIp)
        self._networks = foundation.table(Network)
        self._vms = foundation.table(VirtualMachine)
        self._use = use
        self._changes = changes
        self._firewall = firewall
        self._targets = targets
        self._randomness = foundation.randomness.branch("port_forwarding")
        self.enforce = changes.enforce
        self.revoke = changes.revoke

    def create(
        self, address: PublicIp, vm: VirtualMachine, asked: Forwarding, network: Network | None = None
    ) -> PortForwardingRule:
        """A rule, and the firewall rule that it needs. `network`: the tier, for an address of a VPC that has none yet."""
        network = self._use.network_of(address, network, "PortForwarding")
        self._use.check_service(address, network, "PortForwarding")
        protocol = carried_by(checked_protocol(asked.protocol, PROTOCOLS))
        public = checked_ports(asked.public_port, asked.public_end_port, "public")
        private = checked_ports(asked.private_port, asked.private_end_port, "private")
        if asked.private_end_port is None and asked.public_end_port is not None:
            private = checked_ports(asked.private_port, asked.private_port + public[1] - public[0], "private")
        _check_lengths(public, private)
        guest_ip = self._targets.of(vm, network, asked.guest_ip)
        opens = self._firewall.check_openable(address, network, asked.open_firewall)
        cidrs = checked_cidrs(asked.cidrs, "cidrlist")
        if cidrs and not opens:
            raise InvalidParameterValue(
                "cidrlist says whom the firewall lets in, and this rule does not open it: it needs openfirewall=true, "
                "or in a VPC the tier's network ACL"
            )
        self._use.check_ports(address, network, protocol, public)
        with self._store.transaction():
            self._use.attach(address, network)
            rule = self._table.insert(
                PortForwardingRule(
                    id=self._randomness.uuid(),
                    public_ip_id=address.id,
                    network_id=network.id,
                    account_id=address.account_id,
                    domain_id=address.domain_id,
                    protocol=protocol,
                    public_start=public[0],
                    public_end=public[1],
                    private_start=private[0],
                    private_end=private[1],
                    vm_id=vm.id,
                    guest_ip=guest_ip,
                    cidrs=cidrs,
                    display=asked.display,
                    created=self._foundation.now(),
                )
            )
            if opens:
                self._firewall.create_for(rule.id, address, network, protocol, public, cidrs)
        return rule

    def changed(
        self,
        rule: PortForwardingRule,
        *,
        private_port: int | None = None,
        private_end_port: int | None = None,
        vm: VirtualMachine | None = None,
        guest_ip: str | None = None,
        cidrs: Sequence[str] | None = None,
        display: bool | None = None,
    ) -> PortForwardingRule:
        """The rule as it would be with what is not None. Raises what stands against that; changes nothing."""
        length = rule.public_end - rule.public_start
        start = rule.private_start if private_port is None else private_port
        end = start + length if private_end_port is None else private_end_port
        private = checked_ports(start, end, "private")
        _check_lengths((rule.public_start, rule.public_end), private)
        target, target_ip = rule.vm_id, rule.guest_ip
        if vm is not None or guest_ip is not None:
            chosen = vm or self._vms[rule.vm_id]
            target = chosen.id
            target_ip = self._targets.of(chosen, self._networks[rule.network_id], guest_ip)
        sources = rule.cidrs if cidrs is None else checked_cidrs(cidrs, "cidrlist")
        if sources != rule.cidrs and not self._changes.related(rule):
            raise InvalidParameterValue(
                "cidrlist says whom the firewall lets in, and this rule has not opened it"
            )
        return msgspec.structs.replace(
            rule,
            private_start=private[0],
            private_end=private[1],
            vm_id=target,
            guest_ip=target_ip,
            cidrs=sources,
            display=rule.display if display is None else display,
        )

    async def update(self, rule: PortForwardingRule) -> PortForwardingRule:
        """Make the rule what `changed` gave; it is as before when its router does not follow."""
        before = self._table[rule.id]
        related = self._changes.related(before)

        def write(wanted: PortForwardingRule) -> None:
            if wanted.id not in self._table:
                return
            names = ("private_start", "private_end", "vm_id", "guest_ip", "cidrs", "display")
            self._table.update(wanted.id, **{name: getattr(wanted, name) for name in names})
            for each in related:
                if each.id in self._firewall_rules:
                    self._firewall_rules.update(each.id, cidrs=wanted.cidrs or (ANYWHERE,))

        await self._changes.apply(rule.network_id, lambda: write(rule), lambda: write(before))
        return self._table[rule.id]


def _check_lengths(public: tuple[int, int], private: tuple[int, int]) -> None:
    if public[1] - public[0] != private[1] - private[0]:
        raise InvalidParameterValue(
            f"Source port and destination port ranges should be of equal sizes: {public[0]}-{public[1]} is not of the "
            f"size of {private[0]}-{private[1]}"
        )
