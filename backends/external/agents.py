"""The agents of external hosts, which run in the management server's own process: what they call is a program anyway."""

from __future__ import annotations

from collections.abc import Callable

from backends.external.hypervisor import ExternalHypervisor
from backends.external.local_link import LocalConnector
from cloudsim.agent import Agent
from cloudsim.extensions import ExternalHost
from cloudsim.protocol.link import Link


class LocalAgents:
    """Implements `cloudsim.extensions.ExternalAgents`, on the running loop."""

    def __init__(self) -> None:
        self._agents: dict[str, Agent] = {}

    def start(self, host: ExternalHost, accept: Callable[[Link], None]) -> None:
        self.stop(host.guid)
        agent = Agent(host.guid, host.name, ExternalHypervisor(host), LocalConnector(accept))
        self._agents[host.guid] = agent
        agent.start()

    def stop(self, guid: str) -> None:
        agent = self._agents.pop(guid, None)
        if agent is not None:
            agent.stop()

    def stop_all(self) -> None:
        for guid in list(self._agents):
            self.stop(guid)
