"""What high availability of hosts asks and does: is a host healthy, does anything on it still write, reset it, switch it off.

A provider is chosen for each host. Those of KVM and of simulated hosts ask the agent, the disks and the management
controller; the one of simulated hosts may be told instead what to find, by whoever tests the states.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import NamedTuple

from cloudsim.errors import CloudError
from cloudsim.management.compute.disk_witnesses import DiskWitnesses
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.infrastructure.host_ha_states import HaEvent, HaState
from cloudsim.management.infrastructure.out_of_band import OutOfBand
from cloudsim.model import Host, VirtualMachine
from cloudsim.protocol.commands import VmStatesCommand

log = logging.getLogger(__name__)

KEPT = 100
"""Transitions of a simulated host that are kept to be listed."""


class Timings(NamedTuple):
    """How long everything takes and how often it is tried; seconds."""

    health_interval: float
    health_timeout: float
    activity_interval: float
    activity_timeout: float
    activity_checks: int
    activity_failure_ratio: float
    degraded_period: float
    recover_timeout: float
    recover_wait: float
    recoveries: int
    fence_timeout: float


class HaProvider:
    """The provider of hosts whose management controllers can be reached: KVM's."""

    name = "KVMHAProvider"
    hypervisor = "KVM"

    def __init__(
        self, foundation: Foundation, agents: Agents, out_of_band: OutOfBand, witnesses: DiskWitnesses
    ) -> None:
        self._foundation = foundation
        self._agents = agents
        self._out_of_band = out_of_band
        self._witnesses = witnesses
        self._vms = foundation.table(VirtualMachine)

    def timings(self, host: Host) -> Timings:
        def number(name: str) -> float:
            return self._foundation.settings.number(f"kvm.ha.{name}", "Cluster", host.cluster_id)

        return Timings(
            health_interval=self._foundation.settings.number("ping.interval"),
            health_timeout=number("health.check.timeout"),
            activity_interval=number("activity.check.interval"),
            activity_timeout=number("activity.check.timeout"),
            activity_checks=int(number("activity.check.max.attempts")),
            activity_failure_ratio=number("activity.check.failure.ratio"),
            degraded_period=number("degraded.max.period"),
            recover_timeout=number("recover.timeout"),
            recover_wait=number("recover.wait.period"),
            recoveries=int(number("recover.failure.threshold")),
            fence_timeout=number("fence.timeout"),
        )

    def is_eligible(self, host: Host) -> bool:
        """Whether the host is in service, and can be switched."""
        return host.resource_state == "Enabled" and self._out_of_band.in_force(host)

    def is_certain(self, host: Host) -> bool:
        """Whether nothing runs on a host once `fence` has returned."""
        return True

    async def is_healthy(self, host: Host, timeout: float) -> bool:
        """Whether its agent is heard of as often as it should be; one that is not is asked, and has `timeout` seconds."""
        if not self._agents.is_connected(host.id):
            return False
        silence = self._foundation.now() - self._agents.last_ping(host.id)
        if silence <= self._foundation.settings.number("ping.interval") + timeout:
            return True
        try:
            answer = await self._agents.send(host.id, VmStatesCommand(), timeout)
        except CloudError:
            return False
        return answer.ok

    async def is_active(self, host: Host, timeout: float) -> bool:
        """Whether instances on it may still write: not where it is without power, or others reach all their disks free."""
        try:
            if (await self._out_of_band.act(host, "STATUS", timeout)).row.power_state == "Off":
                return False
        except CloudError as error:
            log.info("%s", error.text)
        return not await self._witnesses.are_gone(self._vms.where("host_id", host.id), host)

    async def recover(self, host: Host, timeout: float) -> None:
        """Start it anew. Raises CloudError."""
        is_off = (await self._out_of_band.act(host, "STATUS", timeout)).row.power_state == "Off"
        await self._out_of_band.act(host, "ON" if is_off else "RESET", timeout)

    async def fence(self, host: Host, timeout: float) -> None:
        """Switch it off, and see that it is off. Raises CloudError."""
        await self._out_of_band.act(host, "OFF", timeout)

    def moved(
        self, host: Host, before: HaState, event: HaEvent, after: HaState, checks: int, recoveries: int
    ) -> None:
        """Hear of a transition, and of the checks of activity and the recoveries so far."""

    def forget(self, host_id: str) -> None:
        """The host is configured anew, or gone."""


class Told(NamedTuple):
    """What a simulated host's provider is to find: healthy, active, and whether recovering and fencing succeed."""

    health: bool
    activity: bool
    recover: bool
    fence: bool


class Transition(NamedTuple):
    """A change of a simulated host's state."""

    before: HaState
    event: HaEvent
    after: HaState
    checks: int
    recoveries: int


class ToldFailure(CloudError):
    """What was told to fail."""


_TOLD = Timings(
    health_interval=5.0,
    health_timeout=5.0,
    activity_interval=2.0,
    activity_timeout=5.0,
    activity_checks=3,
    activity_failure_ratio=0.3,
    degraded_period=60.0,
    recover_timeout=5.0,
    recover_wait=30.0,
    recoveries=1,
    fence_timeout=5.0,
)
"""The times of hosts whose answers are told: quick, for tests."""


class SimulatorHaProvider(HaProvider):
    """As KVM's, until it is told what to find at a host: then nothing is asked of the host or done to it."""

    name = "SimulatorHAProvider"
    hypervisor = "Simulator"

    def __init__(
        self, foundation: Foundation, agents: Agents, out_of_band: OutOfBand, witnesses: DiskWitnesses
    ) -> None:
        super().__init__(foundation, agents, out_of_band, witnesses)
        self._told: dict[str, Told] = {}
        self._transitions: dict[str, deque[Transition]] = {}

    def tell(self, host: Host, told: Told) -> None:
        """From now on find this at the host; its transitions so far are forgotten."""
        self._told[host.id] = told
        self._transitions.pop(host.id, None)

    def transitions(self, host: Host) -> list[Transition]:
        """The last transitions of the host, oldest first."""
        return list(self._transitions.get(host.id, ()))

    def timings(self, host: Host) -> Timings:
        return _TOLD if host.id in self._told else super().timings(host)

    def is_eligible(self, host: Host) -> bool:
        """Whether the host is in service: it needs no management controller for its states to be watched."""
        return host.resource_state == "Enabled"

    def is_certain(self, host: Host) -> bool:
        return host.id not in self._told

    async def is_healthy(self, host: Host, timeout: float) -> bool:
        told = self._told.get(host.id)
        return await super().is_healthy(host, timeout) if told is None else told.health

    async def is_active(self, host: Host, timeout: float) -> bool:
        told = self._told.get(host.id)
        return await super().is_active(host, timeout) if told is None else told.activity

    async def recover(self, host: Host, timeout: float) -> None:
        told = self._told.get(host.id)
        if told is None:
            await super().recover(host, timeout)
        elif not told.recover:
            raise ToldFailure(f"Recovery of host {host.name} is told to fail")

    async def fence(self, host: Host, timeout: float) -> None:
        told = self._told.get(host.id)
        if told is None:
            await super().fence(host, timeout)
        elif not told.fence:
            raise ToldFailure(f"Fencing of host {host.name} is told to fail")

    def moved(
        self, host: Host, before: HaState, event: HaEvent, after: HaState, checks: int, recoveries: int
    ) -> None:
        if before != after or event in ("RetryRecovery", "RetryFencing"):
            kept = self._transitions.setdefault(host.id, deque(maxlen=KEPT))
            kept.append(Transition(before, event, after, checks, recoveries))

    def forget(self, host_id: str) -> None:
        self._told.pop(host_id, None)
        self._transitions.pop(host_id, None)
