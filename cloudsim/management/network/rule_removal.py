"""What becomes of rules when what they are about goes: an instance, a NIC, an address of it, a network, an account."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from cloudsim.errors import CloudError, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_use import AddressUse
from cloudsim.management.network.rule_changes import OF_ADDRESSES, RULES, RouterSync, Rule, RuleChanges
from cloudsim.model import (
    Account,
    FirewallRule,
    IpForwardingRule,
    LoadBalancerMember,
    LoadBalancerRule,
    Network,
    Nic,
    PortForwardingRule,
    PublicIp,
    SslCertificate,
    VirtualMachine,
)

log = logging.getLogger(__name__)


class RuleRemoval:
    """Removes and adapts rules. Routers follow as far as they can be reached: one that comes back is told everything."""

    def __init__(
        self, foundation: Foundation, use: AddressUse, changes: RuleChanges, routers: RouterSync
    ) -> None:
        self._store = foundation.store
        self._addresses = foundation.table(PublicIp)
        self._forwarding = foundation.table(PortForwardingRule)
        self._static = foundation.table(IpForwardingRule)
        self._firewall = foundation.table(FirewallRule)
        self._balancers = foundation.table(LoadBalancerRule)
        self._members = foundation.table(LoadBalancerMember)
        self._certificates = foundation.table(SslCertificate)
        self._nics = foundation.table(Nic)
        self._use = use
        self._changes = changes
        self._routers = routers

    # of instances

    async def forget_vm(self, vm: VirtualMachine) -> None:
        """The instance goes: its port forwarding rules and memberships too, and its static NAT."""
        await self._forget(vm, None, None)

    async def forget_nic(self, vm: VirtualMachine, nic: Nic) -> None:
        """The instance leaves the NIC's network."""
        await self._forget(vm, nic.network_id, None)

    async def _forget(self, vm: VirtualMachine, network_id: str | None, ip: str | None) -> None:
        forwarding, members, addresses = self._of(vm, network_id, ip)
        if not forwarding and not members and not addresses:
            return
        rules: list[Rule] = []
        for forward in forwarding:
            rules += (*self._changes.related(forward), forward)
        for address in addresses:
            rules += self._static.where("public_ip_id", address.id)
            rules += self._firewall.where("public_ip_id", address.id)
        affected = {rule.network_id for rule in rules}
        affected |= {self._balancers[member.rule_id].network_id for member in members}
        affected |= {address.network_id for address in addresses if address.network_id is not None}
        with self._store.transaction():
            for member in members:
                self._members.delete(member.id)
            for address in addresses:
                self._addresses.update(address.id, static_nat_vm_id=None, static_nat_ip=None)
            self._changes.remove(rules)
            for address in addresses:
                self._use.detach(address.id)
        await self.tell(affected)

    def _of(
        self, vm: VirtualMachine, network_id: str | None, ip: str | None
    ) -> tuple[list[PortForwardingRule], list[LoadBalancerMember], list[PublicIp]]:
        """What leads to the instance; only in that network, or to that address, where given."""

        def meant(of_network: str | None, of_ip: str | None) -> bool:
            return network_id in (None, of_network) and ip in (None, of_ip)

        return (
            [r for r in self._forwarding.where("vm_id", vm.id) if meant(r.network_id, r.guest_ip)],
            [
                m
                for m in self._members.where("vm_id", vm.id)
                if meant(self._balancers[m.rule_id].network_id, m.ip)
            ],
            [
                a
                for a in self._addresses.where("static_nat_vm_id", vm.id)
                if meant(a.network_id, a.static_nat_ip)
            ],
        )

    def leads_to(self, vm: VirtualMachine) -> bool:
        """Whether a forwarded port, a balancer or a static NAT leads to the instance."""
        return any(self._of(vm, None, None))

    def check_unused(self, vm: VirtualMachine, nic: Nic, ip: str) -> None:
        """Raise ResourceInUse where a rule leads to that address of the instance."""
        forwarding, members, addresses = self._of(vm, nic.network_id, ip)
        for found, what in (
            (forwarding, "port forwarding rule"),
            (members, "load balancer rule"),
            (addresses, "static NAT of address"),
        ):
            for row in found:
                name = getattr(row, "rule_id", row.id)
                raise ResourceInUse(f"Can't remove the ip {ip}: it is associated with {what} {name}")

    def move(self, vm: VirtualMachine, nic: Nic, ip: str) -> None:
        """The NIC's first address becomes `ip`: what led to the old one leads there. Needs an open transaction."""
        forwarding, members, addresses = self._of(vm, nic.network_id, nic.ip)
        for rule in forwarding:
            self._forwarding.update(rule.id, guest_ip=ip)
        for member in members:
            self._members.update(member.id, ip=ip)
        for address in addresses:
            self._addresses.update(address.id, static_nat_ip=ip)
            for static in self._static.where("public_ip_id", address.id):
                self._static.update(static.id, guest_ip=ip)

    async def tell(self, network_ids: Iterable[str]) -> None:
        """Have the networks' routers follow, as far as they can be reached."""
        for network_id in sorted(network_ids):
            try:
                await self._routers.sync(network_id)
            except CloudError as error:
                log.warning("the router of network %s is behind: %s", network_id, error)

    # of addresses, networks and accounts: their routers go too, or are told by who calls

    def of_address(self, address_id: str) -> None:
        """Remove all rules of a public address, and its static NAT. Needs an open transaction."""
        self._changes.remove(self._where("public_ip_id", address_id))
        address = self._addresses.get(address_id)
        if address is not None and address.static_nat_vm_id is not None:
            self._addresses.update(address_id, static_nat_vm_id=None, static_nat_ip=None)
            self._use.detach(address_id)

    def of_network(self, network: Network) -> None:
        """Remove all rules of a network, and the static NAT of its addresses. Needs an open transaction."""
        self._changes.remove(self._where("network_id", network.id))
        for address in self._addresses.where("network_id", network.id):
            self.of_address(address.id)

    async def delete_of(self, account: Account) -> None:
        """The account goes: so do its rules and certificates, and the routers that are left of it are told."""
        affected = {rule.network_id for rule in self._where("account_id", account.id)}
        with self._store.transaction():
            self._of_account(account.id)
        await self.tell(affected)

    def _of_account(self, account_id: str) -> None:
        self._changes.remove(self._where("account_id", account_id))
        for address in self._addresses.where("account_id", account_id):
            self.of_address(address.id)
        for certificate in self._certificates.where("account_id", account_id):
            self._certificates.delete(certificate.id)

    def _where(self, index: str, key: str) -> Sequence[Rule]:
        found: list[Rule] = []
        for kind in OF_ADDRESSES if index == "public_ip_id" else RULES:
            table: Any = self._store.table(kind)
            found += table.where(index, key)
        return found
