"""A host of a simulated world: its machine, the agent on it, and the state of their connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from backends.simulated.host import SimulatedHypervisor
from backends.simulated.link import Condition
from cloudsim.agent import Agent
from cloudsim.protocol.link import Link


class SimulatedHost:
    """`agent` is None until the host is discovered. `connect` makes the agent's way to the manager."""

    __slots__ = ("_connect", "agent", "condition", "guid", "hypervisor", "name", "path")

    def __init__(
        self,
        connect: Callable[[SimulatedHost], Awaitable[Link]],
        hypervisor: SimulatedHypervisor,
        path: str,
    ) -> None:
        self._connect = connect
        self.hypervisor = hypervisor
        self.guid = hypervisor.guid
        self.name = hypervisor.name
        self.path = path
        self.agent: Agent | None = None
        self.condition: Condition | None = None

    async def connect(self) -> Link:
        """The agent's way to the manager (`cloudsim.protocol.link.Connector`)."""
        return await self._connect(self)

    def __repr__(self) -> str:
        return f"<SimulatedHost {self.name} {'on' if self.hypervisor.powered else 'off'}>"
