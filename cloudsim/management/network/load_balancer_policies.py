"""Stickiness and health check policies of load balancer rules: each rule has at most one of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.load_balancers import LOOKS_INTO_HTTP
from cloudsim.management.network.rule_changes import RuleChanges
from cloudsim.management.network.stickiness_methods import checked_method, checked_parameters
from cloudsim.model import HealthCheckPolicy, LoadBalancerRule, StickinessPolicy

LARGEST_THRESHOLD = 10
RESPONSE_TIMEOUT = (2, 60)
INTERVAL = (1, 20_940)
"""Seconds; CloudStack's bounds."""

Policy = StickinessPolicy | HealthCheckPolicy


class LoadBalancerPolicies:
    """Makes and removes policies. A policy that was checked and made is put on its rule by `put`."""

    def __init__(self, foundation: Foundation, changes: RuleChanges) -> None:
        self._store = foundation.store
        self._rules = foundation.table(LoadBalancerRule)
        self._changes = changes
        self._randomness = foundation.randomness.branch("load_balancer_policies")

    def sticky(
        self,
        rule: LoadBalancerRule,
        *,
        name: str,
        method: str,
        parameters: Mapping[str, str],
        description: str = "",
        display: bool = True,
    ) -> StickinessPolicy:
        """A policy for the rule. Raises InvalidParameterValue; changes nothing."""
        found = checked_method(method)
        checked = checked_parameters(found, parameters)
        if not name.strip():
            raise InvalidParameterValue("A stickiness policy needs a name")
        if rule.protocol not in LOOKS_INTO_HTTP and found.name != "SourceBased":
            raise InvalidParameterValue(
                f"Stickiness method {found.name} needs HTTP, which load balancer rule {rule.name} does not look into: "
                f"its protocol is {rule.protocol}"
            )
        return StickinessPolicy(
            id=self._randomness.uuid(),
            rule_id=rule.id,
            name=name,
            method=found.name,
            parameters=checked,
            description=description,
            display=display,
        )

    def health_check(
        self,
        rule: LoadBalancerRule,
        *,
        path: str | None = None,
        response_timeout: int | None = None,
        interval: int | None = None,
        healthy_threshold: int | None = None,
        unhealthy_threshold: int | None = None,
        description: str = "",
        display: bool = True,
    ) -> HealthCheckPolicy:
        """A policy for the rule; seconds and counts. Raises InvalidParameterValue; changes nothing."""
        if rule.protocol == "udp":
            raise InvalidParameterValue(
                f"Load balancer rule {rule.name} is of udp: instances are asked by HTTP, so only others are checked"
            )
        policy = HealthCheckPolicy(
            id=self._randomness.uuid(), rule_id=rule.id, description=description, display=display
        )
        fields: dict[str, Any] = {}
        if path is not None:
            if not path.startswith("/") or not path.isprintable() or " " in path:
                raise InvalidParameterValue(f"pingpath {path!r} is invalid: it is a path such as /health")
            fields["path"] = path
        for field, parameter, value, bounds in (
            ("response_timeout", "responsetimeout", response_timeout, RESPONSE_TIMEOUT),
            ("interval", "intervaltime", interval, INTERVAL),
            ("healthy_threshold", "healthythreshold", healthy_threshold, (1, LARGEST_THRESHOLD)),
            ("unhealthy_threshold", "unhealthythreshold", unhealthy_threshold, (1, LARGEST_THRESHOLD)),
        ):
            if value is not None:
                if not bounds[0] <= value <= bounds[1]:
                    raise InvalidParameterValue(
                        f"{parameter} {value} is invalid: expected {bounds[0]} to {bounds[1]}"
                    )
                fields[field] = value
        interval_now = fields.get("interval", policy.interval)
        if fields.get("response_timeout", policy.response_timeout) > interval_now:
            raise InvalidParameterValue(
                f"responsetimeout must not be longer than intervaltime, which is {interval_now}"
            )
        return msgspec.structs.replace(policy, **fields)

    async def put(self, policy: Policy) -> Policy:
        """Put the policy on its rule, in place of one of its kind that the rule has."""
        rule = self._rules[policy.rule_id]
        table: Any = self._store.table(type(policy))
        before = table.find("rule_id", rule.id)

        def change() -> None:
            if before is not None:
                table.delete(before.id)
            table.insert(policy)

        def undo() -> None:
            if policy.id in table:
                table.delete(policy.id)
            if before is not None and rule.id in self._rules and before.id not in table:
                table.insert(before)

        await self._changes.apply(rule.network_id, change, undo)
        return policy

    async def remove(self, policy: Policy) -> None:
        """Take the policy from its rule."""
        table: Any = self._store.table(type(policy))
        rule = self._rules[table[policy.id].rule_id]

        def undo() -> None:
            if rule.id in self._rules and table.find("rule_id", rule.id) is None:
                table.insert(policy)

        await self._changes.apply(rule.network_id, lambda: table.delete(policy.id), undo)

    def show(self, policy: Policy, display: bool | None) -> Policy:
        """Change whether the policy is shown."""
        table: Any = self._store.table(type(policy))
        with self._store.transaction():
            shown: Policy = table.update(policy.id, display=policy.display if display is None else display)
        return shown
