"""The management server: all services of one cloud over one store, in one world."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from cloudsim.management.services import Services
from cloudsim.management.vpc.unfinished import settle_vpcs
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from cloudsim.world import World

log = logging.getLogger(__name__)

MINUTE, HOUR = 60.0, 3600.0


class ManagementServer(Services):
    """One management server. `start` once, on the world's loop; `stop` leaves the store as it is.

    A server that starts on a store with state takes over: interrupted jobs fail, and what was in motion
    settles as the hosts report.
    """

    def __init__(self, store: Store, world: World, randomness: Randomness) -> None:
        super().__init__(store, world, randomness, self.spawn)
        self._background: set[asyncio.Task[Any]] = set()
        self.stopping = False
        self.started: float | None = None
        """Unix seconds of `start`."""

    def start(self) -> None:
        """Take over the store's state and let agents connect. Must be called on the world's loop."""
        self.started = self.foundation.now()
        self.jobs.recover()
        self.disks.recover()
        for service in (self.volumes, self.snapshots, self.backups, self.vm_snapshots, self.template_images):
            service.settle_after_restart()
        self.drs.settle_after_restart()
        self.network_life.settle_after_restart()
        self.system_vms.settle_after_restart()
        behind = self.rules.settle_after_restart() | self.ip_association.settle_after_restart()
        self.spawn(self.rules.removal.tell(behind))
        settle_vpcs(self.foundation)
        self.consoles.begin()
        self.console_proxies.begin()
        self.host_states.begin()
        self.host_ha.begin()
        self.certificates.begin()
        self.capacity_history.begin()
        self.usage_counting.begin()
        settings = self.settings
        self._every(lambda: settings.number("ping.interval"), self.host_states.check)
        self._every(lambda: settings.number("ping.interval"), self.high_availability.check)
        self._every(lambda: settings.number("expunge.interval"), self.vms.expunging.expunge_due)
        self._every(lambda: settings.number("storage.cleanup.interval"), self._clean_storage)
        self._every(lambda: settings.number("network.gc.interval"), self.network_life.release_idle)
        self._every(lambda: settings.number("network.gc.interval"), self.rules.retry_revoked)
        self._every(lambda: settings.number("network.gc.interval"), self.vpc_removals.retry)
        self._every(lambda: settings.number("router.check.interval"), self.system_vm_watch.check)
        self._every(lambda: settings.number("router.stats.interval"), self.router_health.measure_all)
        basic = "router.health.checks.basic.interval"
        self._every(lambda: MINUTE * settings.number(basic), self.router_health.check_all)
        self._every(lambda: settings.number("vpc.cleanup.interval"), self.vpcs.clean_up)
        scan = "secstorage.capacity.scan.interval"
        self._every(lambda: settings.number(scan) / 1000, self.secondary_storage_vms.check)
        self._every(lambda: settings.number("extract.url.cleanup.interval"), self.extraction.clean)
        self._every(lambda: settings.number("outofbandmanagement.sync.interval") / 1000, self.out_of_band.sync)
        self._every(lambda: settings.number("ca.framework.background.task.delay"), self.certificates.check)
        self._every(lambda: MINUTE, self.template_images.resume)
        self._every(lambda: MINUTE, self.drs.run_automatic)
        self._every(lambda: HOUR, self._purge)
        self._every(lambda: settings.number("account.cleanup.interval"), self._clean_accounts)
        self._every(lambda: settings.number("event.purge.interval"), self._purge_events)
        self.spawn(self.snapshot_policies.run_policies())
        self.spawn(self.vm_schedules.run())
        self._every(lambda: settings.number("instance.lease.scheduler.interval"), self.vm_leases.end_expired)
        self.spawn(self.vm_leases.give_notices())
        self.spawn(self.vm_leases.follow_settings())
        self.spawn(self.backup_schedules.run())
        self.spawn(self.capacity_history.run())
        self.spawn(self.capacity_alerts.run())
        self.spawn(self.storage_statistics.run())
        self.spawn(self.vm_usages.run())
        self.spawn(self.volume_usages.run())
        self.spawn(self.usage_records.run())
        self.world.attach(self.agents.accept)
        self.external_hosts.begin()
        self.template_images.resume()
        self.transfers.resume()
        self.uploads.resume()

    async def stop(self) -> None:
        """Stop all work and close the agents' links. What was acknowledged is in the store."""
        self.stopping = True
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self.jobs.stop()
        self.external_hosts.stop()
        self.agents.stop()
        self.store.unsubscribe_all()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine of the server's own in the background; its failure is logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("background work failed", exc_info=task.exception())

    def _every(self, interval: Callable[[], float], work: Callable[[], Awaitable[Any] | Any]) -> None:
        async def rounds() -> None:
            while True:
                await asyncio.sleep(interval())
                try:
                    done = work()
                    if isinstance(done, Awaitable):
                        await done
                except Exception:  # the next round may do better
                    log.exception("a round of background work failed")

        self.spawn(rounds())

    async def _clean_accounts(self) -> None:
        await self.identity.accounts.clean_up(self.jobs)

    async def _clean_storage(self) -> None:
        if not self.settings.boolean("storage.cleanup.enabled"):
            return
        await self.template_removal.sweep_all()
        await self.volumes.expunge_destroyed()
        await self.uploads.sweep()

    def _purge_events(self) -> None:
        self.events.purge(self.settings.integer("event.purge.delay"))

    def _purge(self) -> None:
        self.vm_snapshot_expiry.delete_expired()
        self.jobs.purge()
        oldest = self.foundation.now() - MINUTE * self.settings.integer("job.expire.minutes")
        self.transfers.purge(oldest)
        self.consoles.purge()
