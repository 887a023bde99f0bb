"""Extensions: what a server must be able to do with the operator's programs, and with the hosts that are behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from cloudsim.protocol.link import Link
from cloudsim.protocol.specs import HostFacts

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


class ExternalHost(msgspec.Struct, frozen=True, kw_only=True):
    """A host whose instances a program sees to."""

    guid: str
    name: str
    facts: HostFacts
    ask: Callable[[Operation, str | None], Awaitable[dict[str, Any]]]
    """`ask(operation, instance name)` has the host's program do it, and returns its answer. Raises ProgramFailed."""
    is_new: Callable[[str], bool]
    """Whether the instance of that name has not been created by the program yet."""
    prepares: Callable[[], bool]
    """Whether the program is asked before an instance starts."""
    instances: Callable[[], Mapping[str, str]]
    """The id of each instance that the cloud has on the host, by name."""


class ExternalAgents(Protocol):
    """Runs an agent for each external host, in the server's own process."""

    def start(self, host: ExternalHost, accept: Callable[[Link], None]) -> None:
        """Start the host's agent, which connects to `accept`. One of that guid that is there is stopped first."""

    def stop(self, guid: str) -> None:
        """Stop the agent of that guid, if there is one."""
