"""The rules of public addresses and networks, all services of them over one another."""

from __future__ import annotations

from collections.abc import Callable

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_use import AddressUse
from cloudsim.management.network.firewall import Firewall
from cloudsim.management.network.guest_targets import GuestTargets
from cloudsim.management.network.ipv6_firewall import Ipv6Firewall
from cloudsim.management.network.load_balancer_members import LoadBalancerMembers
from cloudsim.management.network.load_balancer_policies import LoadBalancerPolicies
from cloudsim.management.network.load_balancers import LoadBalancers
from cloudsim.management.network.port_forwarding import PortForwarding
from cloudsim.management.network.rule_changes import RouterSync, RuleChanges
from cloudsim.management.network.rule_removal import RuleRemoval
from cloudsim.management.network.ssl_certificates import SslCertificates
from cloudsim.management.network.static_nat import StaticNats


class NetworkRules:
    """One for each management server. `routers` brings into force what the rows say; `busy(row id)`: a job is at work."""

    def __init__(
        self, foundation: Foundation, routers: RouterSync, busy: Callable[[str], bool] = lambda row_id: False
    ) -> None:
        self._busy = busy
        self.use = AddressUse(foundation)
        self.changes = RuleChanges(foundation, self.use, routers)
        targets = GuestTargets(foundation)
        self.firewall = Firewall(foundation, self.use, self.changes)
        self.ipv6_firewall = Ipv6Firewall(foundation, self.use, self.changes)
        self.port_forwarding = PortForwarding(foundation, self.use, self.changes, self.firewall, targets)
        self.static_nats = StaticNats(foundation, self.use, self.changes, self.firewall, targets)
        self.load_balancers = LoadBalancers(foundation, self.use, self.changes, self.firewall)
        self.members = LoadBalancerMembers(foundation, self.changes, targets)
        self.policies = LoadBalancerPolicies(foundation, self.changes)
        self.certificates = SslCertificates(foundation, self.changes)
        self.removal = RuleRemoval(foundation, self.use, self.changes, routers)

    def settle_after_restart(self) -> set[str]:
        """Remove rules that were coming or going when the server died; the networks whose routers are to be told."""
        return self.changes.settle_after_restart()

    async def retry_revoked(self) -> int:
        """Remove rules that could not be revoked when that was asked for; how many. To be called now and then."""
        done = 0
        for rule in self.changes.revoked():
            address_id: str | None = getattr(rule, "public_ip_id", None)
            if self._busy(rule.id) or (address_id is not None and self._busy(address_id)):
                continue
            try:
                await self.changes.revoke(rule)
                done += 1
            except CloudError:
                continue  # the router is away still
        return done
