"""The firewall of isolated networks: what is let in to public addresses, and what out of the network."""

from __future__ import annotations

import ipaddress

from msgspec.structs import replace

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_use import AddressUse
from cloudsim.management.network.firewall_conflicts import check_conflicts, ports_of
from cloudsim.management.network.rule_changes import RuleChanges
from cloudsim.management.network.rule_traffic import ANYWHERE, RuleTraffic, checked_traffic, fields_of
from cloudsim.model import FirewallRule, Network, PublicIp

INGRESS = ("tcp", "udp", "icmp")
EGRESS = (*INGRESS, "all")


class Firewall:
    """Opens and closes. Each `create_` gives a rule that `enforce` brings into force."""

    def __init__(self, foundation: Foundation, use: AddressUse, changes: RuleChanges) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(FirewallRule)
        self._use = use
        self._randomness = foundation.randomness.branch("firewall")
        self.enforce = changes.enforce
        self.revoke = changes.revoke

    # into a public address

    def create_ingress(
        self, address: PublicIp, traffic: RuleTraffic, *, display: bool = True, system: bool = False
    ) -> FirewallRule:
        """Let that traffic in; from anywhere where no CIDR is given. `system`: only a root admin may delete the rule."""
        network = self._use.network_of(address, None, "Firewall")
        found = checked_traffic(traffic, INGRESS)
        rule = self._rule("Ingress", network, address, found, tuple(found.cidrs or (ANYWHERE,)), display)
        check_conflicts(rule, self._table.where("public_ip_id", address.id))
        with self._store.transaction():
            return self._table.insert(replace(rule, system=system))

    def create_for(
        self,
        related_id: str,
        address: PublicIp,
        network: Network,
        protocol: str,
        ports: tuple[int, int],
        cidrs: tuple[str, ...] = (),
    ) -> FirewallRule | None:
        """Let in what another rule is about. Needs an open transaction.

        None where it is let in already, or there is a rule for just these ports, which then says who may come.
        """
        traffic = RuleTraffic(protocol=protocol, start_port=ports[0], end_port=ports[1])
        rule = self._rule("Ingress", network, address, traffic, cidrs or (ANYWHERE,), True, related_id)
        others = self._table.where("public_ip_id", address.id)
        if any(_makes_needless(other, rule) for other in others):
            return None
        return self._table.insert(rule)

    def check_openable(
        self, address: PublicIp, network: Network, wanted: bool | None, why: str = "openfirewall"
    ) -> bool:
        """Whether a rule of the address is to open the firewall: by default where there is one, so not in a VPC."""
        if network.vpc_id is not None or address.vpc_id is not None:
            if wanted:
                raise InvalidParameterValue(f"Can't have {why}=true when IP address belongs to VPC")
            return False
        if wanted is False:
            return False
        try:
            self._use.check_offered(network, "Firewall")
        except InvalidParameterValue:
            if wanted:
                raise
            return False
        return True

    # out of a network

    def create_egress(
        self, network: Network, traffic: RuleTraffic, *, display: bool = True, system: bool = False
    ) -> FirewallRule:
        """A rule for traffic out of the network: let out where it is kept in by default, else kept in."""
        if network.guest_type != "Isolated" or network.cidr is None:
            raise InvalidParameterValue(
                f"Egress firewall rules are not supported for {network.guest_type} networks"
            )
        self._use.check_offered(network, "Firewall")
        found = checked_traffic(traffic, EGRESS)
        whole = ipaddress.IPv4Network(network.cidr)
        sources: dict[str, None] = {}
        for cidr in found.cidrs or ():
            if cidr == ANYWHERE:
                sources[network.cidr] = None
            elif not ipaddress.IPv4Network(cidr, strict=False).subnet_of(whole):
                raise InvalidParameterValue(f"{cidr} is not within the guest cidr {network.cidr}")
            else:
                sources[cidr] = None
        rule = self._rule("Egress", network, None, found, tuple(sources) or (network.cidr,), display)
        check_conflicts(rule, self._table.where("network_id", network.id))
        with self._store.transaction():
            return self._table.insert(replace(rule, system=system))

    def update(self, rule: FirewallRule, *, display: bool | None = None) -> FirewallRule:
        """Change whether it is shown."""
        with self._store.transaction():
            return self._table.update(rule.id, display=rule.display if display is None else display)

    def _rule(
        self,
        direction: str,
        network: Network,
        address: PublicIp | None,
        traffic: RuleTraffic,
        cidrs: tuple[str, ...],
        display: bool,
        related_id: str | None = None,
    ) -> FirewallRule:
        owner = network if address is None else address
        return FirewallRule(
            id=self._randomness.uuid(),
            direction="Ingress" if direction == "Ingress" else "Egress",
            network_id=network.id,
            account_id=owner.account_id,
            domain_id=owner.domain_id,
            public_ip_id=None if address is None else address.id,
            **fields_of(traffic, cidrs, tuple(traffic.destination_cidrs or ())),
            related_id=related_id,
            display=display,
            created=self._foundation.now(),
        )


def _makes_needless(other: FirewallRule, rule: FirewallRule) -> bool:
    """Whether the other one is of just these ports, whomever it lets in, or lets in all that the rule would."""
    if other.state == "Revoke" or other.protocol != rule.protocol:
        return False
    if other.start_port is None:
        return set(rule.cidrs) <= set(other.cidrs)
    (first, last), (others_first, others_last) = ports_of(rule), ports_of(other)
    if (first, last) == (others_first, others_last):
        return True
    return others_first <= first and last <= others_last and set(rule.cidrs) <= set(other.cidrs)
