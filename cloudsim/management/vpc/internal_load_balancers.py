"""Internal load balancers: ports of an address inside a VPC's tier, spread over instances of the tier.

Its machine starts with the first instance behind it, and goes with the last rule of its address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

import msgspec

from cloudsim.errors import InvalidParameterValue, RuleConflict
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.load_balancers import checked_algorithm
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.rule_changes import RuleChanges
from cloudsim.management.network.rule_traffic import checked_ports
from cloudsim.model import (
    LoadBalancerMember,
    LoadBalancerRule,
    Network,
    NetworkOffering,
    SystemVm,
)

PROVIDER = "InternalLbVm"


class BalancerMachines(Protocol):
    """`cloudsim.management.systemvm.routers.Routers`."""

    def internal_balancers(self, network: Network) -> list[SystemVm]:
        """The internal load balancers in the tier."""


class Machines(Protocol):
    """`cloudsim.management.systemvm.system_vms.SystemVms`."""

    async def in_turn(self, vm_id: str, command: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Do it after what is being done with the system VM now."""

    async def destroyed(self, vm_id: str) -> None:
        """Stop it and remove it for good."""


class InternalBalancing(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; without `source_ip`, a free address of the tier."""

    name: str
    source_port: int
    instance_port: int
    algorithm: str
    scheme: str = "Internal"
    source_ip: str | None = None
    description: str = ""
    display: bool = True


class InternalLoadBalancers:
    """Makes and removes them. `LoadBalancerMembers` puts instances behind them."""

    def __init__(
        self,
        foundation: Foundation,
        nics: Nics,
        changes: RuleChanges,
        balancers: BalancerMachines,
        machines: Machines,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._nics = nics
        self._changes = changes
        self._balancers = balancers
        self._machines = machines
        self._table = foundation.table(LoadBalancerRule)
        self._members = foundation.table(LoadBalancerMember)
        self._networks = foundation.table(Network)
        self._offerings = foundation.table(NetworkOffering)
        self._randomness = foundation.randomness.branch("internal load balancers")

    def create(self, tier: Network, source: Network, asked: InternalBalancing) -> LoadBalancerRule:
        """A balancer without members. `source`: where its address is. Raises InvalidParameterValue, RuleConflict."""
        if asked.scheme.strip().lower() != "internal":
            raise InvalidParameterValue(f"Invalid value for scheme: {asked.scheme}; it is Internal")
        self._check_tier(tier)
        if source.id != tier.id:
            raise InvalidParameterValue("sourceipaddressnetworkid must be networkid: the tier of the instances")
        if not asked.name.strip():
            raise InvalidParameterValue("A load balancer needs a name")
        algorithm = checked_algorithm(asked.algorithm)
        checked_ports(asked.source_port, None, "source")
        checked_ports(asked.instance_port, None, "instance")
        with self._store.transaction():
            ip = self._address(tier, asked.source_ip)
            for other in self._at(tier.id, ip):
                if other.public_port == asked.source_port:
                    raise RuleConflict(
                        f"Source port {asked.source_port} of {ip} is that of load balancer {other.name} already"
                    )
            return self._table.insert(
                LoadBalancerRule(
                    id=self._randomness.uuid(),
                    name=asked.name,
                    network_id=tier.id,
                    account_id=tier.account_id,
                    domain_id=tier.domain_id,
                    public_port=asked.source_port,
                    private_port=asked.instance_port,
                    algorithm=algorithm,
                    scheme="Internal",
                    source_ip=ip,
                    source_network_id=tier.id,
                    description=asked.description,
                    state="Active",
                    display=asked.display,
                    created=self._foundation.now(),
                )
            )

    def _check_tier(self, tier: Network) -> None:
        if tier.vpc_id is None:
            raise InvalidParameterValue(f"Internal load balancers are for tiers of VPCs; {tier.name} is none")
        offering = self._offerings.get(tier.network_offering_id)
        if offering is None or PROVIDER not in offering.services.get("Lb", ()):
            raise InvalidParameterValue(f"Scheme Internal is not supported by the network offering of {tier.name}")

    def _at(self, network_id: str, ip: str) -> list[LoadBalancerRule]:
        return self._table.where(("source_network_id", "source_ip"), (network_id, ip))

    def _address(self, tier: Network, wanted: str | None) -> str:
        if wanted is None:
            free = self._nics.address(tier)
            assert free is not None  # a tier has addresses
            return free
        try:
            ip = str(ipaddress.IPv4Address(wanted.strip()))
        except ValueError:
            raise InvalidParameterValue(f"sourceipaddress {wanted!r} is not a valid IP address") from None
        if self._at(tier.id, ip):
            return ip  # another port of a balancer that is there
        self._nics.address(tier, ip)
        return ip

    def update(self, rule_id: str, *, display: bool | None) -> LoadBalancerRule:
        """Change whether it is shown."""
        with self._store.transaction():
            rule = self._table[rule_id]
            return rule if display is None else self._table.update(rule_id, display=display)

    async def delete(self, rule_id: str) -> None:
        """Remove it, and its machine if that has nothing else to balance."""
        rule = self._table[rule_id]
        await self._changes.revoke(rule)
        if rule.source_ip is None or self._at(rule.network_id, rule.source_ip):
            return
        for machine in self._balancers.internal_balancers(self._networks[rule.network_id]):
            if machine.guest_ip == rule.source_ip:
                await self._machines.in_turn(
                    machine.id, "destroyRouter", partial(self._machines.destroyed, machine.id)
                )

    def members(self, rule: LoadBalancerRule) -> list[LoadBalancerMember]:
        """The instances behind it, by their addresses."""
        return self._members.where("rule_id", rule.id)
