"""Extensions: what a server must be able to do with the operator's programs, and with the hosts that are behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from cloudsim.protocol.link import Link
from cloudsim.protocol.specs import ConsoleAddress, HostFacts, VmReport

Operation = Literal[
    "prepare", "create", "start", "stop", "reboot", "delete", "status", "statuses", "getconsole"
]
"""What an Orchestrator's program is asked to do, beside its custom actions."""
OPERATIONS: tuple[Operation, ...] = (
    "prepare",
    "create",
    "start",
    "stop",
    "reboot",
    "delete",
    "status",
    "statuses",
    "getconsole",
)


class ProgramFailed(Exception):
    """A program was not run, or did not do what it was asked to; the text says why."""


class ProgramError(ProgramFailed):
    """The program itself said that it could not, by its exit code or its answer."""


class Programs(Protocol):
    """Executables below one folder. Paths are relative to it, and of plain names with / between them."""

    def location(self, path: str) -> str:
        """Where the program is on the server's machine."""

    def is_ready(self, path: str) -> bool:
        """Whether there is an executable inside of the folder."""

    def make_example(self, path: str) -> None:
        """Put a program there that an operator can go on from. One that is there already stays. Raises ProgramFailed."""

    def remove(self, path: str) -> None:
        """Remove the program. Succeeds if there is none. Raises ProgramFailed."""

    async def run(
        self, path: str, operation: str, payload: Mapping[str, Any], timeout: float
    ) -> dict[str, Any]:
        """Have it do `operation`; returns what it answers. `timeout` in real seconds. Raises ProgramFailed."""


class ExternalHost(Protocol):
    """A host whose instances the program of an extension sees to, as its hypervisor has it. All raise ProgramFailed."""

    guid: str
    name: str
    facts: HostFacts

    async def start(self, instance: str, password: str | None) -> None:
        """Have the instance of that name be created at its first start, and started at later ones."""

    async def stop(self, instance: str, forced: bool) -> None:
        """Have it be stopped; `forced`: without asking its guest."""

    async def reboot(self, instance: str, forced: bool) -> None:
        """Have it be restarted."""

    async def states(self) -> tuple[VmReport, ...]:
        """Every instance that the program or the cloud knows here."""

    async def console(self, instance: str) -> ConsoleAddress:
        """Where its screen is."""


class ExternalAgents(Protocol):
    """Runs an agent for each external host, in the server's own process."""

    def start(self, host: ExternalHost, accept: Callable[[Link], None]) -> None:
        """Start the host's agent, which connects to `accept`. One of that guid that is there is stopped first."""

    def stop(self, guid: str) -> None:
        """Stop the agent of that guid, if there is one."""

    def stop_all(self) -> None:
        """Stop every agent."""
