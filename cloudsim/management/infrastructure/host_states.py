"""Host states that follow the agent connections (Up, Disconnected, Alert), and Down for what is known to be off."""

from __future__ import annotations

from collections.abc import Callable

from cloudsim.management.compute.power_sync import PowerSync
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.model import Host
from cloudsim.protocol.specs import VmReport


class HostStates:
    """Sets itself as the hooks of `agents`. A host that is not heard of for ping.interval x ping.timeout
    seconds is in Alert; when its agent comes back it is Up, and `on_connected` are told."""

    def __init__(self, foundation: Foundation, agents: Agents, power_sync: PowerSync) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._power_sync = power_sync
        self._hosts = foundation.table(Host)
        self.on_connected: list[Callable[[Host], None]] = []
        agents.on_connected = self._connected
        agents.on_disconnected = self._disconnected
        agents.on_report = power_sync.report

    def _connected(self, host: Host, vms: tuple[VmReport, ...]) -> None:
        if host.state != "Up":
            with self._store.transaction():
                self._hosts.update(host.id, state="Up", disconnected=None, last_pinged=self._foundation.now())
        self._power_sync.report(host.id, vms)
        for told in self.on_connected:
            told(host)

    def _disconnected(self, host_id: str) -> None:
        host = self._hosts.get(host_id)
        if host is not None and host.state == "Up":
            self._set(host, "Disconnected")

    def _set(self, host: Host, state: str) -> None:
        last = self._agents.last_ping(host.id) or host.last_pinged
        with self._store.transaction():
            self._hosts.update(
                host.id,
                state=state,
                last_pinged=last,
                disconnected=host.disconnected or self._foundation.now(),
            )
            if state == "Alert":
                self._foundation.events.alert(
                    "ALERT.COMPUTE.HOST",
                    f"Host {host.name} has not been heard of since it lost its agent",
                    zone_id=host.zone_id,
                    pod_id=host.pod_id,
                    cluster_id=host.cluster_id,
                )

    def is_off(self, host: Host) -> None:
        """The host was switched off, and seen to be off."""
        self._set(host, "Down")

    def begin(self) -> None:
        """When the server starts, no agent is connected yet: hosts that were Up are Disconnected."""
        for host in self._hosts.where("state", "Up"):
            self._set(host, "Disconnected")

    def check(self) -> None:
        """Find the hosts that have fallen silent, and ask the doubtful ones. To be called every ping.interval."""
        self._power_sync.settle_doubts()
        settings = self._foundation.settings
        silence = settings.number("ping.interval") * settings.number("ping.timeout")
        now = self._foundation.now()
        for host_id in self._agents.silent_since(now - silence):
            self._agents.drop_link(host_id)
            host = self._hosts.get(host_id)
            if host is not None and host.state == "Up":
                self._set(host, "Alert")
        for host in self._hosts.where("state", "Disconnected"):
            if host.disconnected is not None and now - host.disconnected >= silence:
                self._set(host, "Alert")
