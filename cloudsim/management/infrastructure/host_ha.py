"""High availability of hosts: one that fails is reset, and if that does not help switched off, so that all it ran is gone.

A host is watched by a task of its own, which asks its provider and goes from state to state (`host_ha_states`). Only
when a host is known to be off its instances are taken for stopped; those with high availability are then started
elsewhere. A host of which something may still run is Degraded, and left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.compute.power_sync import PowerSync
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import Identity
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.infrastructure.host_ha_providers import (
    HaProvider,
    SimulatorHaProvider,
    Timings,
    Told,
    Transition,
)
from cloudsim.management.infrastructure.host_ha_states import TRANSITIONS, HaEvent, HaState
from cloudsim.management.infrastructure.host_states import HostStates
from cloudsim.model import Cluster, Host, HostHa, VirtualMachine, Zone

log = logging.getLogger(__name__)

SWITCH = "resourceHAEnabled"
"""The detail of a zone or cluster that says `false` where it is off for all hosts in it."""
_ALARMING = ("Degraded", "Recovering", "Fencing", "Fenced")


class _Watch:
    """What is known of a host that is watched: whether it was active at each check, and how often it was reset."""

    __slots__ = ("checks", "recoveries", "task")

    def __init__(self) -> None:
        self.checks: list[bool] = []
        self.recoveries = 0
        self.task: asyncio.Task[Any] | None = None

    def reset(self) -> None:
        self.checks.clear()
        self.recoveries = 0


class HostHighAvailability:
    """The watch over all hosts that it is enabled for. `spawn` runs a coroutine in the background."""

    def __init__(
        self,
        foundation: Foundation,
        identity: Identity,
        agents: Agents,
        power_sync: PowerSync,
        host_states: HostStates,
        providers: tuple[HaProvider, ...],
        spawn: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._identity = identity
        self._agents = agents
        self._power_sync = power_sync
        self._host_states = host_states
        self._spawn = spawn
        self._providers = {provider.name.lower(): provider for provider in providers}
        self._rows = foundation.table(HostHa)
        self._hosts = foundation.table(Host)
        self._vms = foundation.table(VirtualMachine)
        self._watches: dict[str, _Watch] = {}
        self._randomness = foundation.randomness.branch("host ha")
        self._steps: dict[HaState, Callable[[Host, HaProvider, Timings, _Watch], Awaitable[HaEvent]]] = {
            "Ineligible": self._ineligible,
            "Available": self._available,
            "Suspect": self._suspect,
            "Checking": self._checking,
            "Degraded": self._degraded,
            "Recovering": self._recovering,
            "Recovered": self._recovered,
            "Fencing": self._fencing,
            "Fenced": self._fenced,
        }

    def begin(self) -> None:
        """When the server starts: watch again whom it is enabled for."""
        for row in self._rows.where("enabled", True):
            self._settle(self._hosts[row.host_id], spread=True)

    # configuring

    def providers(self, hypervisor: str) -> list[str]:
        """Names of the providers for hosts of that hypervisor."""
        return [each.name for each in self._providers.values() if each.hypervisor.lower() == hypervisor.lower()]

    def of(self, host: Host) -> HostHa | None:
        """How it stands with the host, if it is configured."""
        return self._rows.find("host_id", host.id)

    def check_provider(self, host: Host, name: str) -> HaProvider:
        """The provider of that name, in any case. Raises InvalidParameterValue unless it is one for the host."""
        chosen = self._providers.get(name.lower())
        if chosen is None or chosen.hypervisor != host.hypervisor:
            known = ", ".join(self.providers(host.hypervisor)) or "none"
            raise InvalidParameterValue(f"Invalid provider {name}: for hosts of {host.hypervisor} there is {known}")
        return chosen

    def configure(self, host: Host, name: str) -> HostHa:
        """Choose the host's provider, see `check_provider`. What one was told before is forgotten."""
        chosen = self.check_provider(host, name)
        provider = chosen.name.lower()
        row = self.of(host)
        with self._store.transaction():
            if row is None:
                row = self._rows.insert(
                    HostHa(
                        id=self._randomness.uuid(),
                        host_id=host.id,
                        provider=provider,
                        changed=self._foundation.now(),
                    )
                )
            else:
                row = self._rows.update(row.id, provider=provider)
        chosen.forget(host.id)
        self._watch_anew(host)
        return row

    def check_configured(self, host: Host) -> HostHa:
        """The host's row. Raises InvalidParameterValue where there is none."""
        row = self.of(host)
        if row is None:
            raise InvalidParameterValue(f"High availability is not configured for host {host.name}")
        return row

    def switch_host(self, host: Host, on: bool) -> HostHa:
        """Enable or disable it for one host."""
        row = self.check_configured(host)
        with self._store.transaction():
            self._rows.update(row.id, enabled=on)
        self._settle(host)
        return self._rows[row.id]

    def switch_place(self, place: Zone | Cluster, on: bool) -> None:
        """Enable or disable it for all hosts of a zone or cluster, each as it is configured itself."""
        table: Any = self._foundation.table(type(place))
        with self._store.transaction():
            details = table[place.id].details
            table.update(place.id, details={**details, SWITCH: "true" if on else "false"})
        index = "zone_id" if isinstance(place, Zone) else "cluster_id"
        for host_id in list(self._hosts.ids(index, place.id)):
            self._settle(self._hosts[host_id], spread=True)

    def forget(self, host: Host) -> None:
        """Remove what is configured for a host that is being removed. Needs an open transaction."""
        row = self.of(host)
        if row is not None:
            self._stop(host)
            self._providers[row.provider].forget(host.id)
            self._rows.delete(row.id)

    def tell(self, host: Host, told: Told) -> None:
        """Have a simulated host's provider find this from now on. Raises InvalidParameterValue for another's."""
        self._simulated(host).tell(host, told)
        self._watch_anew(host)

    def transitions(self, host: Host) -> list[Transition]:
        """The last transitions of a simulated host, oldest first. Raises InvalidParameterValue for another."""
        return self._simulated(host).transitions(host)

    def _simulated(self, host: Host) -> SimulatorHaProvider:
        provider = self._providers.get(self.check_configured(host).provider)
        if not isinstance(provider, SimulatorHaProvider):
            raise InvalidParameterValue(f"The provider of host {host.name} is not the simulator's")
        return provider

    # watching

    def _in_force(self, host: Host) -> bool:
        row = self.of(host)
        places = (self._foundation.table(Zone)[host.zone_id], self._foundation.table(Cluster)[host.cluster_id])
        allowed = all(place.details.get(SWITCH, "true") != "false" for place in places)
        return row is not None and row.enabled and allowed

    def _settle(self, host: Host, *, spread: bool = False) -> None:
        """Have the host watched exactly if it is to be. `spread`: begin at some time within an interval of its checks."""
        row = self.of(host)
        if row is None:
            return
        if not self._in_force(host):
            self._stop(host)
            if row.state != "Disabled":
                self._move(host, "DisabledHA", _Watch())
        elif host.id not in self._watches:
            watch = self._watches[host.id] = _Watch()
            if row.state == "Disabled":
                self._move(host, "EnabledHA", watch)
            interval = self._providers[row.provider].timings(host).health_interval
            delay = interval * float(self._randomness.generator.random()) if spread else 0.0
            watch.task = self._spawn(self._watch(host.id, watch, delay))

    def _watch_anew(self, host: Host) -> None:
        if host.id in self._watches:
            self._stop(host)
            self._settle(host)

    def _stop(self, host: Host) -> None:
        watch = self._watches.pop(host.id, None)
        if watch is not None and watch.task is not None:
            watch.task.cancel()

    async def _watch(self, host_id: str, watch: _Watch, delay: float) -> None:
        await asyncio.sleep(delay)  # so that many hosts are not asked at the same instants
        while True:
            host = self._hosts[host_id]
            row = self.check_configured(host)
            provider = self._providers[row.provider]
            times = provider.timings(host)
            try:
                event = await self._steps[row.state](host, provider, times, watch)
            except Exception:  # a host must not go unwatched: the next round may do better
                log.exception("high availability of host %s, %s", host.name, row.state)
                await asyncio.sleep(times.health_interval)
                continue
            self._move(self._hosts[host_id], event, watch)

    def _move(self, host: Host, event: HaEvent, watch: _Watch) -> None:
        row = self.check_configured(host)
        after: HaState = "Disabled" if event == "DisabledHA" else TRANSITIONS[row.state, event]
        self._providers[row.provider].moved(host, row.state, event, after, len(watch.checks), watch.recoveries)
        if after == row.state:
            return
        text = f"High availability of host {host.name}: {row.state} -> {after}, by {event}"
        with self._store.transaction():
            self._rows.update(row.id, state=after, changed=self._foundation.now())
            self._foundation.events.record(
                "HA.STATE.TRANSITION",
                text,
                caller=Caller(self._identity.system()[0]),
                resource_id=host.id,
                resource_type="Host",
            )
            if after in _ALARMING:
                self._foundation.events.alert(
                    "ALERT.HA.ACTION",
                    text,
                    zone_id=host.zone_id,
                    pod_id=host.pod_id,
                    cluster_id=host.cluster_id,
                )

    # the states

    async def _ineligible(self, host: Host, provider: HaProvider, times: Timings, watch: _Watch) -> HaEvent:
        if provider.is_eligible(host):
            watch.reset()
            return "Eligible"
        await asyncio.sleep(times.health_interval)
        return "Ineligible"

    async def _available(self, host: Host, provider: HaProvider, times: Timings, watch: _Watch) -> HaEvent:
        if not provider.is_eligible(host):
            return "Ineligible"
        if not await provider.is_healthy(host, times.health_timeout):
            return "HealthCheckFailed"
        watch.reset()
        await asyncio.sleep(times.health_interval)
        return "HealthCheckPassed"

    async def _suspect(self, host: Host, provider: HaProvider, times: Timings, watch: _Watch) -> HaEvent:
        found = await self._recheck(host, provider, times)
        return found if found is not None else "PerformActivityCheck"

    async def _checking(self, host: Host, provider: HaProvider, times: Timings, watch: _Watch) -> HaEvent:
        if not provider.is_eligible(host):
            return "Ineligible"
        watch.checks.append(await provider.is_active(host, times.activity_timeout))
        if len(watch.checks) < times.activity_checks:
            await asyncio.sleep(times.activity_interval)
            return "TooFewActivityCheckSamples"
        failed = watch.checks.count(False) / len(watch.checks)
        watch.checks.clear()
        if failed > times.activity_failure_ratio:
            return "ActivityCheckFailureOverThresholdRatio"
        return "ActivityCheckFailureUnderThresholdRatio"

    async def _degraded(self, host: Host, provider: HaProvider, times: Timings, watch: _Watch) -> HaEvent:
        found = await self._recheck(host, provider, times)
        if found is not None:
            return found
        await asyncio.sleep(times.health_interval)
        since = self.check_configured(self._hosts[host.id]).changed
        if self._foundation.now() - since >= times.degraded_period:
            return "PeriodicRecheckResourceActivity"
        return "HealthCheckFailed"

    async def _recovering(self, host: Host, provider: HaProvider, times: Timings, watch: _Watch) -> HaEvent:
        found = await self._recheck(host, provider, times)
        if found is not None:
            return found
        if watch.recoveries >= times.recoveries:
            return "RecoveryOperationThresholdExceeded"
        watch.recoveries += 1
        try:
            await provider.recover(host, times.recover_timeout)
        except CloudError as error:
            log.warning("host %s could not be recovered: %s", host.name, error.text)
            return "RetryRecovery"
        return "Recovered"

    async def _recovered(self, host: Host, provider: HaProvider, times: Timings, watch: _Watch) -> HaEvent:
        await asyncio.sleep(times.recover_wait)
        return "RecoveryWaitPeriodTimeout"

    async def _fencing(self, host: Host, provider: HaProvider, times: Timings, watch: _Watch) -> HaEvent:
        found = await self._recheck(host, provider, times)
        if found is not None:
            return found
        try:
            await provider.fence(host, times.fence_timeout)
        except CloudError as error:
            log.warning("host %s could not be fenced: %s", host.name, error.text)
            await asyncio.sleep(times.health_interval)
            return "RetryFencing"
        if provider.is_certain(host):
            self._host_states.is_off(host)
            self._agents.disconnect(host.id, f"host {host.name} has been switched off")
        with self._store.transaction():
            self._hosts.update(host.id, resource_state="Maintenance")
        return "Fenced"

    async def _fenced(self, host: Host, provider: HaProvider, times: Timings, watch: _Watch) -> HaEvent:
        if provider.is_certain(host) and host.state == "Down" and not self._agents.is_connected(host.id):
            self._power_sync.report(host.id, (), known_at=self._foundation.now())
        if await provider.is_healthy(host, times.health_timeout):
            return "HealthCheckPassed"
        await asyncio.sleep(times.health_interval)
        return "HealthCheckFailed"

    async def _recheck(self, host: Host, provider: HaProvider, times: Timings) -> HaEvent | None:
        """What makes whatever was about to be done to an unhealthy host needless; None if nothing does."""
        if not provider.is_eligible(host):
            return "Ineligible"
        return "HealthCheckPassed" if await provider.is_healthy(host, times.health_timeout) else None
