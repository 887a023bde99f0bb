"""What routers find when they check themselves, and what they count: asked for now and then, and kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from cloudsim.errors import CloudError
from cloudsim.management.foundation import Foundation
from cloudsim.management.systemvm.system_vms import SystemVms
from cloudsim.model import LoadBalancerMember, RouterHealthCheck, SystemVm
from cloudsim.protocol.systemvm import CheckHealth, HealthReport, RouterStatistics, RouterStatisticsResult

log = logging.getLogger(__name__)


Measured = Callable[[SystemVm, RouterStatisticsResult | None, RouterStatisticsResult], None]


class RouterHealth:
    """Asks each router that runs. `on_failed(router)` is called for one that fails a check at which it is to be made anew.

    `on_measured(router, before, now)` is called with what it counted when it was asked before (None: never), and now.
    """

    def __init__(
        self,
        foundation: Foundation,
        system_vms: SystemVms,
        spawn: Callable[[Coroutine[Any, Any, Any]], Any],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._system = system_vms
        self._spawn = spawn
        self._rows = foundation.table(SystemVm)
        self._checks = foundation.table(RouterHealthCheck)
        self._members = foundation.table(LoadBalancerMember)
        self._randomness = foundation.randomness.branch("router health")
        self.statistics: dict[str, RouterStatisticsResult] = {}
        """What each router said last, by its id. Counters begin anew when it restarts."""
        self.on_failed: Callable[[SystemVm], None] | None = None
        self.on_measured: Measured | None = None
        system_vms.on_gone.append(self._gone)

    def _gone(self, row: SystemVm) -> None:
        self.statistics.pop(row.id, None)

    def results(self, row: SystemVm) -> list[RouterHealthCheck]:
        """The latest results, by name."""
        return sorted(self._checks.where("router_id", row.id), key=lambda check: check.name)

    def check_all(self) -> None:
        """Have all routers check themselves. To be called every router.health.checks.basic.interval minutes."""
        if self._foundation.settings.boolean("router.health.checks.enabled"):
            self._each(self.check)

    def measure_all(self) -> None:
        """Ask all routers for their counters. To be called every router.stats.interval seconds."""
        self._each(self.measure)

    def _each(self, work: Callable[[SystemVm], Coroutine[Any, Any, None]]) -> None:
        async def tried(row: SystemVm) -> None:
            try:
                await work(row)
            except CloudError as error:
                log.info("router %s: %s", row.id, error)  # the watch sees to one that does not answer

        for row in self._rows:
            if row.kind in ("DomainRouter", "InternalLoadBalancerVm") and self._system.runs(row):
                self._spawn(tried(row))

    async def check(self, row: SystemVm) -> None:
        """Have the router check itself, and keep what it found. Raises CloudError if it does not answer."""
        report = await self._system.ask(row.id, CheckHealth())
        assert isinstance(report, HealthReport)
        if row.id not in self._rows:
            return
        now = self._foundation.now()
        before = {check.name: check for check in self._checks.where("router_id", row.id)}
        failing = []
        with self._store.transaction():
            for found in report.checks:
                known = before.pop(found.name, None)
                if known is None:
                    self._checks.insert(
                        RouterHealthCheck(
                            id=self._randomness.uuid(),
                            router_id=row.id,
                            name=found.name,
                            type=found.type,
                            success=found.success,
                            details=found.details,
                            updated=now,
                        )
                    )
                else:
                    self._checks.update(known.id, success=found.success, details=found.details, updated=now)
                if not found.success:
                    failing.append(found.name)
                    if known is None or known.success:
                        text = f"A router fails its health check {found.name}: {found.details}"
                        self._foundation.events.alert(
                            "ALERT.SERVICE.DOMAINROUTER", text, zone_id=row.zone_id
                        )
            for gone in before.values():
                self._checks.delete(gone.id)
        wanted = self._foundation.settings.get("router.health.checks.failures.to.recreate.vr")
        fatal = {name.strip() for name in wanted.split(",") if name.strip()}
        if fatal.intersection(failing) and self.on_failed is not None:
            self.on_failed(row)

    async def measure(self, row: SystemVm) -> None:
        """Ask the router for its counters; load balancers' members are Up or Down as it says."""
        result = await self._system.ask(row.id, RouterStatistics())
        assert isinstance(result, RouterStatisticsResult)
        if row.id not in self._rows:
            return
        before = self.statistics.get(row.id)
        self.statistics[row.id] = result
        if self.on_measured is not None:
            self.on_measured(row, before, result)
        with self._store.transaction():
            for state, pairs in (("Up", result.members_up), ("Down", result.members_down)):
                for _, member_id in pairs:
                    member = self._members.get(member_id)
                    if member is not None and member.state != state:
                        self._members.update(member_id, state=state)
