"""Which firewall rules, of IPv4 or of IPv6, speak of the same traffic, so that only one of them may be there."""

from __future__ import annotations

from collections.abc import Iterable

from cloudsim.errors import RuleConflict
from cloudsim.management.network.rule_traffic import overlap
from cloudsim.model import FirewallRule, Ipv6FirewallRule
from cloudsim.systemvm.packets import span

AnyFirewallRule = FirewallRule | Ipv6FirewallRule


def check_conflicts(rule: AnyFirewallRule, others: Iterable[AnyFirewallRule]) -> None:
    """Raise RuleConflict where another rule of that direction speaks of some of the traffic already."""
    for other in others:
        same = (other.direction, other.protocol) == (rule.direction, rule.protocol)
        if other.id == rule.id or other.state == "Revoke" or not same:
            continue
        text = _clash(rule, other)
        if text is not None and _shares_addresses(rule, other):
            raise RuleConflict(text)


def ports_of(rule: AnyFirewallRule) -> tuple[int, int]:
    """First and last port of a rule that has some."""
    assert rule.start_port is not None and rule.end_port is not None
    return rule.start_port, rule.end_port


def _clash(rule: AnyFirewallRule, other: AnyFirewallRule) -> str | None:
    """How two rules of a protocol are about the same ports, or ICMP type and code; None: they are not."""
    if rule.protocol == "icmp":
        same = (rule.icmp_type, rule.icmp_code) == (other.icmp_type, other.icmp_code)
        return f"Rule {other.id} is of the same ICMP type and code" if same else None
    if None in (rule.start_port, other.start_port):
        if rule.start_port != other.start_port:
            return None
        return f"There is already a firewall rule specified with protocol = {rule.protocol} and no ports: {other.id}"
    if not overlap(ports_of(rule), ports_of(other)):
        return None
    return (
        f"The range specified, {rule.start_port}-{rule.end_port}, conflicts with rule {other.id} which has "
        f"{other.start_port}-{other.end_port}"
    )


def _shares_addresses(rule: AnyFirewallRule, other: AnyFirewallRule) -> bool:
    """Whether some packet is from and to addresses of both."""
    return _meet(rule.cidrs, other.cidrs) and _meet(rule.destination_cidrs, other.destination_cidrs)


def _meet(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether an address is in both; no CIDRs are all addresses."""
    if not mine or not theirs:
        return True
    return any(overlap(span(one), span(other)) for one in mine for other in theirs)
