"""The envelopes that travel between the management server and an agent."""

from __future__ import annotations

from typing import Literal

import msgspec

from cloudsim.protocol.commands import Answer, Command
from cloudsim.protocol.specs import HostFacts, Place, VmReport


class Startup(msgspec.Struct, frozen=True):
    """Agent to manager, first of all: who I am, what I found. `guid` is the same for the host's whole life.

    A host that the cloud does not know is added to it at `place`; without one it waits for an addHost that names it.
    """

    guid: str
    name: str
    version: str
    facts: HostFacts
    vms: tuple[VmReport, ...] = ()
    place: Place | None = None


class Connected(msgspec.Struct, frozen=True):
    """Manager to agent: you are host `host_id`; ping every `ping_interval` seconds."""

    host_id: str
    ping_interval: float


class Refused(msgspec.Struct, frozen=True):
    """Manager to agent: go away, for this reason."""

    reason: str


class Ping(msgspec.Struct, frozen=True):
    """Agent to manager: alive. `vms` are all instances on the host, or None when nothing changed since the last ping."""

    guid: str
    vms: tuple[VmReport, ...] | None = None


class Request(msgspec.Struct, frozen=True):
    """Manager to agent: do this. The same `sequence` again means: I got no answer, say it again.

    `trace_id` is that of the API call that caused it. Answers up to number `answered` have all come and may be
    forgotten by the agent. With `traced` the response is to tell what was done, see `Work`.
    """

    sequence: int
    command: Command
    trace_id: str = ""
    answered: int = 0
    traced: bool = False


class Step(msgspec.Struct, frozen=True):
    """A thing that the hypervisor did: `start` seconds after the work began, and how many it took.

    `payload` is what it was done with, secrets masked; of a longer one the first part, and in `length` how many
    characters it has in all.
    """

    name: str
    start: float
    seconds: float
    payload: str = ""
    format: Literal["json", "xml", "text"] = "text"
    length: int = 0
    error: str = ""


class Work(msgspec.Struct, frozen=True):
    """How an agent did a command: seconds it `waited` for others on the same thing, seconds it took, and the steps.

    `left_out` steps more than these were made.
    """

    waited: float
    seconds: float
    steps: tuple[Step, ...] = ()
    left_out: int = 0


class Response(msgspec.Struct, frozen=True):
    """Agent to manager: the answer to request `sequence`, and where that was asked for the work that it took."""

    sequence: int
    answer: Answer
    trace_id: str = ""
    work: Work | None = None


Message = Startup | Connected | Refused | Ping | Request | Response
