"""The IPv6 firewall of isolated networks: what is let in to their subnets, and what out of them."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Network
from typing import Any, Literal

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_use import AddressUse
from cloudsim.management.network.firewall_conflicts import check_conflicts
from cloudsim.management.network.rule_changes import RuleChanges
from cloudsim.management.network.rule_traffic import RuleTraffic, checked_traffic, fields_of
from cloudsim.model import Ipv6FirewallRule, Network

PROTOCOLS = ("tcp", "udp", "icmp", "all")
ANYWHERE = "::/0"
Direction = Literal["Ingress", "Egress"]


class Ipv6Firewall:
    """Opens and closes. `create` gives a rule that `enforce` brings into force."""

    def __init__(self, foundation: Foundation, use: AddressUse, changes: RuleChanges) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(Ipv6FirewallRule)
        self._networks = foundation.table(Network)
        self._use = use
        self._changes = changes
        self._randomness = foundation.randomness.branch("ipv6 firewall")
        self.enforce = changes.enforce
        self.revoke = changes.revoke

    def create(
        self, network: Network, traffic: RuleTraffic, direction: str | None, *, display: bool = True
    ) -> Ipv6FirewallRule:
        """Let that traffic in to the network (Ingress, by default); or let it out, or keep it in where all is let out."""
        if network.vpc_id is not None:
            raise InvalidParameterValue(
                f"Network {network.name} is a tier of a VPC: its network ACL says what IPv6 it lets in and out"
            )
        if network.guest_type != "Isolated" or network.ip6_cidr is None:
            raise InvalidParameterValue(
                f"IPv6 firewall rules are for isolated networks with IPv6: network {network.name} is none"
            )
        self._use.check_offered(network, "Firewall")
        chosen = _direction(direction)
        rule = Ipv6FirewallRule(
            id=self._randomness.uuid(),
            direction=chosen,
            network_id=network.id,
            account_id=network.account_id,
            domain_id=network.domain_id,
            protocol="all",
            display=display,
            created=self._foundation.now(),
        )
        rule = msgspec.structs.replace(rule, **_fields(network, chosen, traffic))
        check_conflicts(rule, self._table.where("network_id", network.id))
        with self._store.transaction():
            return self._table.insert(rule)

    def changed(
        self,
        rule: Ipv6FirewallRule,
        *,
        protocol: str | None = None,
        ports: tuple[int | None, int | None] = (None, None),
        icmp: tuple[int | None, int | None] = (None, None),
        cidrs: Sequence[str] | None = None,
        direction: str | None = None,
        display: bool | None = None,
    ) -> dict[str, Any]:
        """The fields of a rule that is to say this; what is None stays. Raises what stands against it."""
        name = rule.protocol if protocol is None else protocol
        same = name.strip().lower() == rule.protocol
        traffic = RuleTraffic(
            protocol=name,
            start_port=rule.start_port if same and ports == (None, None) else ports[0],
            end_port=rule.end_port if same and ports == (None, None) else ports[1],
            icmp_type=rule.icmp_type if same and icmp == (None, None) else icmp[0],
            icmp_code=rule.icmp_code if same and icmp == (None, None) else icmp[1],
            cidrs=rule.cidrs if cidrs is None else cidrs,
            destination_cidrs=rule.destination_cidrs,
        )
        chosen = rule.direction if direction is None else _direction(direction)
        fields = _fields(self._networks[rule.network_id], chosen, traffic) | {"direction": chosen}
        if display is not None:
            fields["display"] = display
        wanted = msgspec.structs.replace(rule, **fields)
        check_conflicts(wanted, self._table.where("network_id", rule.network_id))
        return fields

    async def update(self, rule: Ipv6FirewallRule, fields: dict[str, Any]) -> Ipv6FirewallRule:
        """Make the changes that `changed` has allowed, in force once this returns."""
        return await self._changes.update(rule, **fields)


def _direction(text: str | None) -> Direction:
    chosen = (text or "Ingress").strip().capitalize()
    if chosen == "Ingress":
        return "Ingress"
    if chosen == "Egress":
        return "Egress"
    raise InvalidParameterValue(f"Invalid traffictype {text}; it is Ingress or Egress")


def _fields(network: Network, direction: Direction, traffic: RuleTraffic) -> dict[str, Any]:
    """What the traffic says, checked; the near end's CIDRs are in the network's subnet."""
    found = checked_traffic(traffic, PROTOCOLS, ipv6=True)
    sides = {"cidrlist": _cidrs(found.cidrs), "destcidrlist": _cidrs(found.destination_cidrs)}
    near = "destcidrlist" if direction == "Ingress" else "cidrlist"
    for cidr in sides[near]:
        if not IPv6Network(cidr, strict=False).subnet_of(IPv6Network(str(network.ip6_cidr))):
            raise InvalidParameterValue(f"{near}: {cidr} is not within the IPv6 subnet {network.ip6_cidr} of the network")
    return fields_of(found, sides["cidrlist"], sides["destcidrlist"])


def _cidrs(given: Sequence[str] | None) -> tuple[str, ...]:
    """None where one of them is all addresses."""
    return () if ANYWHERE in (given or ()) else tuple(given or ())
