"""Load balancer rules of public addresses: a port that is spread over instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_use import AddressUse, carried_by
from cloudsim.management.network.firewall import Firewall
from cloudsim.management.network.rule_changes import RuleChanges
from cloudsim.management.network.rule_traffic import checked_cidrs, checked_ports
from cloudsim.model import LoadBalancerRule, Network, PublicIp, StickinessPolicy

Algorithm = Literal["roundrobin", "leastconn", "source"]
Protocol = Literal["tcp", "udp", "tcp-proxy", "ssl"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
LOOKS_INTO_HTTP = ("tcp", "ssl")
"""Protocols with which a load balancer can see cookies."""


class Balancing(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; `open_firewall` None: where there is one. Without `cidrs`, all may come."""

    name: str
    public_port: int
    private_port: int
    algorithm: str
    protocol: str = "tcp"
    description: str = ""
    cidrs: Sequence[str] | None = None
    open_firewall: bool | None = None
    display: bool = True


class LoadBalancers:
    """Makes, changes and removes rules. `create` gives a rule that `enforce` brings into force."""

    def __init__(
        self, foundation: Foundation, use: AddressUse, changes: RuleChanges, firewall: Firewall
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(LoadBalancerRule)
        self._addresses = foundation.table(PublicIp)
        self._stickiness = foundation.table(StickinessPolicy)
        self._use = use
        self._changes = changes
        self._firewall = firewall
        self._randomness = foundation.randomness.branch("load_balancers")
        self.enforce = changes.enforce
        self.revoke = changes.revoke

    def source_nat_of(self, network: Network) -> PublicIp:
        """The address that a rule of the network is for where the caller names none. Raises InvalidParameterValue."""
        for address in self._addresses.where("network_id", network.id):
            if address.source_nat:
                return address
        raise InvalidParameterValue(
            f"publicipid must be given: network {network.name} has no source NAT address to balance on"
        )

    def create(self, address: PublicIp, asked: Balancing, network: Network | None = None) -> LoadBalancerRule:
        """A rule, and the firewall rule that it needs. `network`: the tier, for an address of a VPC that has none yet."""
        network = self._use.network_of(address, network, "Lb")
        self._use.check_service(address, network, "Lb")
        name = _checked_name(asked.name)
        algorithm, protocol = checked_algorithm(asked.algorithm), checked_balanced(asked.protocol)
        public = checked_ports(asked.public_port, None, "public")
        checked_ports(asked.private_port, None, "private")
        cidrs = checked_cidrs(asked.cidrs, "cidrlist")
        carrier = carried_by(protocol)
        opens = self._firewall.check_openable(address, network, asked.open_firewall)
        self._use.check_ports(address, network, carrier, public)
        with self._store.transaction():
            self._use.attach(address, network)
            rule = self._table.insert(
                LoadBalancerRule(
                    id=self._randomness.uuid(),
                    name=name,
                    network_id=network.id,
                    account_id=address.account_id,
                    domain_id=address.domain_id,
                    public_port=asked.public_port,
                    private_port=asked.private_port,
                    algorithm=algorithm,
                    protocol=protocol,
                    public_ip_id=address.id,
                    description=asked.description,
                    cidrs=cidrs,
                    display=asked.display,
                    created=self._foundation.now(),
                )
            )
            if opens:  # for all: the load balancer itself turns away those who are not in cidrs
                self._firewall.create_for(rule.id, address, network, carrier, public)
        return rule

    def changes_of(
        self,
        rule: LoadBalancerRule,
        *,
        name: str | None = None,
        description: str | None = None,
        algorithm: str | None = None,
        protocol: str | None = None,
        cidrs: Sequence[str] | None = None,
        display: bool | None = None,
    ) -> dict[str, Any]:
        """The fields that change where not None. Raises InvalidParameterValue; changes nothing."""
        fields: dict[str, Any] = {}
        if name is not None:
            fields["name"] = _checked_name(name)
        if description is not None:
            fields["description"] = description
        if algorithm is not None:
            fields["algorithm"] = checked_algorithm(algorithm)
        if protocol is not None:
            fields["protocol"] = self._checked_protocol_of(rule, protocol)
        if cidrs is not None:
            fields["cidrs"] = checked_cidrs(cidrs, "cidrlist")
        if display is not None:
            fields["display"] = display
        return fields

    def _checked_protocol_of(self, rule: LoadBalancerRule, text: str) -> Protocol:
        protocol = checked_balanced(text)
        if carried_by(protocol) != carried_by(rule.protocol):
            raise InvalidParameterValue(
                f"Protocol of load balancer rule {rule.name} cannot change from {rule.protocol} to {protocol}: its port "
                f"is a {carried_by(rule.protocol)} port"
            )
        if rule.certificate_id is not None and protocol != "ssl":
            raise InvalidParameterValue(
                f"Load balancer rule {rule.name} has a certificate: remove it before its protocol becomes {protocol}"
            )
        sticky = self._stickiness.find("rule_id", rule.id)
        if sticky is not None and sticky.method != "SourceBased" and protocol not in LOOKS_INTO_HTTP:
            raise InvalidParameterValue(
                f"Load balancer rule {rule.name} has stickiness policy {sticky.name} by cookies: remove it before its "
                f"protocol becomes {protocol}"
            )
        return protocol

    async def update(self, rule: LoadBalancerRule, fields: dict[str, Any]) -> LoadBalancerRule:
        """Change the fields that `changes_of` gave."""
        return await self._changes.update(rule, **fields)


def checked_algorithm(text: str) -> Algorithm:
    """One of ALGORITHMS, in any case of letters."""
    for algorithm in ALGORITHMS:
        if text.strip().lower() == algorithm:
            return algorithm
    raise InvalidParameterValue(f"Invalid algorithm: {text}, algorithm is one of {', '.join(ALGORITHMS)}")


def checked_balanced(text: str) -> Protocol:
    """One of PROTOCOLS, in any case of letters."""
    for protocol in PROTOCOLS:
        if text.strip().lower() == protocol:
            return protocol
    raise InvalidParameterValue(f"Invalid protocol: {text}, protocol is one of {', '.join(PROTOCOLS)}")


def _checked_name(name: str) -> str:
    if not name.strip():
        raise InvalidParameterValue("A load balancer rule needs a name")
    return name
