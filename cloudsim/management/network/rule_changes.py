"""How rules come into force and go out of it: first the row says so, then the router does it, then both are done.

A rule is in the rows before its router hears of it, so that a router that starts meanwhile has it too. Where the router
cannot be reached or refuses, the rows become what they were, and the caller is told why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_use import AddressUse
from cloudsim.model import (
    FirewallRule,
    HealthCheckPolicy,
    IpForwardingRule,
    Ipv6FirewallRule,
    LoadBalancerMember,
    LoadBalancerRule,
    PortForwardingRule,
    ResourceTag,
    StickinessPolicy,
)

Rule = FirewallRule | Ipv6FirewallRule | PortForwardingRule | IpForwardingRule | LoadBalancerRule
R = TypeVar("R", FirewallRule, Ipv6FirewallRule, PortForwardingRule, IpForwardingRule, LoadBalancerRule)
OF_ADDRESSES: tuple[type[Rule], ...] = (FirewallRule, PortForwardingRule, IpForwardingRule, LoadBalancerRule)
"""Those that may be of a public address."""
RULES: tuple[type[Rule], ...] = (*OF_ADDRESSES, Ipv6FirewallRule)
OF_BALANCERS = (LoadBalancerMember, StickinessPolicy, HealthCheckPolicy)


class RouterSync(Protocol):
    """What rules need of the routers; `cloudsim.management.systemvm.routers.Routers`."""

    async def sync(self, network_id: str) -> None:
        """Bring the routers of the network to what the rows say; return once that is in force."""


class RuleChanges:
    """Brings rules into force and out of it, with the firewall rules that were opened for them."""

    def __init__(self, foundation: Foundation, use: AddressUse, routers: RouterSync) -> None:
        self._store = foundation.store
        self._use = use
        self._routers = routers
        self._firewall = foundation.table(FirewallRule)
        self._tags = foundation.table(ResourceTag)

    def _of(self, rule: Rule) -> Any:
        return self._store.table(type(rule))

    def related(self, rule: Rule) -> list[FirewallRule]:
        """The firewall rules that were opened for it."""
        return self._firewall.where("related_id", rule.id)

    async def enforce(self, rule: R) -> R:
        """Bring a rule that was just added into force; it is gone again when that fails. KeyError: it was removed."""
        try:
            await self._routers.sync(rule.network_id)
        except Exception:
            with self._store.transaction():
                self.remove((*self.related(rule), rule))
            raise
        with self._store.transaction():
            for each in self.related(rule):
                if each.state == "Add":
                    self._firewall.update(each.id, state="Active")
            active: R = self._of(rule).update(rule.id, state="Active")
        return active

    async def revoke(self, rule: Rule) -> None:
        """Take a rule out of force, and remove it. It stays, as Revoke, when that fails: revoke it again."""
        with self._store.transaction():
            for each in (rule, *self.related(rule)):
                if each.id in self._of(each):
                    self._of(each).update(each.id, state="Revoke")
        await self._routers.sync(rule.network_id)
        with self._store.transaction():
            self.remove((*self.related(rule), rule))

    async def apply(self, network_id: str, change: Callable[[], None], undo: Callable[[], None]) -> None:
        """Change rows and have the router follow; `undo` them when it does not. Each happens in a transaction."""
        with self._store.transaction():
            change()
        try:
            await self._routers.sync(network_id)
        except Exception:
            with self._store.transaction():
                undo()
            raise

    async def update(self, rule: R, **fields: Any) -> R:
        """Change a rule in force. It is as before when the router does not follow."""
        table = self._of(rule)
        before = table[rule.id]
        kept = {name: getattr(before, name) for name in fields}

        def undo() -> None:
            if rule.id in table:
                table.update(rule.id, **kept)

        await self.apply(rule.network_id, lambda: table.update(rule.id, **fields), undo)
        changed: R = table[rule.id]
        return changed

    def remove(self, rules: Iterable[Rule]) -> None:
        """Delete the rows, with their tags and what belongs to load balancer rules. Needs an open transaction."""
        for rule in rules:
            table = self._of(rule)
            if rule.id not in table:
                continue
            if isinstance(rule, LoadBalancerRule):
                self._remove_of_balancer(rule)
            for tag_id in list(self._tags.ids("resource_id", rule.id)):
                self._tags.delete(tag_id)
            table.delete(rule.id)
            if not isinstance(rule, (FirewallRule, Ipv6FirewallRule)):
                self._use.detach(rule.public_ip_id)

    def _remove_of_balancer(self, rule: LoadBalancerRule) -> None:
        members = self._store.table(LoadBalancerMember)
        for member in members.where("rule_id", rule.id):
            members.delete(member.id)
        for kind in (StickinessPolicy, HealthCheckPolicy):
            policies: Any = self._store.table(kind)
            policy = policies.find("rule_id", rule.id)
            if policy is not None:
                policies.delete(policy.id)

    def revoked(self) -> list[Rule]:
        """Rules that are being revoked, or could not be; not those that others were opened for."""
        found: list[Rule] = []
        for kind in RULES:
            table: Any = self._store.table(kind)
            found += [rule for rule in table if rule.state == "Revoke"]
        ids = {rule.id for rule in found}
        return [rule for rule in found if getattr(rule, "related_id", None) not in ids]

    def settle_after_restart(self) -> set[str]:
        """Remove rules that were coming or going when the server died; their jobs have failed.

        Returns the networks whose routers may still have them.
        """
        left = [rule for kind in RULES for rule in self._store.table(kind) if rule.state != "Active"]
        with self._store.transaction():
            self.remove(left)
        return {rule.network_id for rule in left}
