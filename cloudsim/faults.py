"""Faults as data: what goes wrong, when, how often and for how long.

A scenario lists them, as in

    faults:
      - {fault: HostCrash, host: random, every: 86400, duration: 600}
      - {fault: LinkCut, link: zone-1/pod-1/rack-2, at: 3600, duration: 120}
      - {fault: MessageLoss, rate: 0.01, at: 0}

and the same list drives an experiment, a lesson, a test, and where it can be done a lab of real hosts.

Times are seconds from the start of the scenario. `at` is when a fault begins. With `every` it
comes again and again, the time from one beginning to the next being exponential with that mean (the
first wait counts from `at`). After `duration` it is undone; without one it stays.

A target is a name or a pattern with `*`, `?` and `[...]`, and then all that match are struck at once; `random` is any
one of its kind and `random:PATTERN` any one of those that match, chosen anew each time. Hosts go by name or path
(`zone-1/pod-1/rack-1/host-1`), pools by path or name, links by the host, rack, pod, zone or pool below them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any

import msgspec
from msgspec import Meta

RANDOM = "random"

NotNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Probability = Annotated[float, Meta(gt=0, le=1)]
Target = Annotated[str, Meta(min_length=1)]


class FaultError(ValueError):
    """A list of faults that cannot be used; the text says which fault and why."""


class _Fault(msgspec.Struct, frozen=True, kw_only=True, tag_field="fault", tag=True, forbid_unknown_fields=True):
    at: NotNegative | None = None
    every: Positive | None = None
    duration: NotNegative | None = None

    def __post_init__(self) -> None:
        if self.at is None and self.every is None:
            raise ValueError("a fault needs a time (at) or a mean time between occurrences (every)")

    @property
    def target(self) -> str:
        """What it strikes; empty for the manager."""
        return ""


class HostCrash(_Fault, frozen=True, kw_only=True):
    """A host loses power; its instances are gone. After `duration` it boots again."""

    host: Target = RANDOM

    @property
    def target(self) -> str:
        return self.host


class AgentHang(_Fault, frozen=True, kw_only=True):
    """A host's agent stops doing anything, while its instances and connection stay."""

    host: Target = RANDOM

    @property
    def target(self) -> str:
        return self.host


class LinkCut(_Fault, frozen=True, kw_only=True):
    """The network link above a host, rack, pod, zone or pool carries nothing. `random` is that of a host."""

    link: Target = RANDOM

    @property
    def target(self) -> str:
        return self.link


class SlowDisk(_Fault, frozen=True, kw_only=True):
    """A pool's disks are `factor` times as slow, in bandwidth and in operations."""

    pool: Target = RANDOM
    factor: Annotated[float, Meta(gt=1)] = 10.0

    @property
    def target(self) -> str:
        return self.pool


class PoolFull(_Fault, frozen=True, kw_only=True):
    """Something else takes all room that a pool has left."""

    pool: Target = RANDOM

    @property
    def target(self) -> str:
        return self.pool


class MessageLoss(_Fault, frozen=True, kw_only=True):
    """Each message between the manager and these hosts is lost with probability `rate`."""

    rate: Probability
    host: Target = "*"

    @property
    def target(self) -> str:
        return self.host


class MessageDuplication(_Fault, frozen=True, kw_only=True):
    """Each message between the manager and these hosts comes twice with probability `rate`."""

    rate: Probability
    host: Target = "*"

    @property
    def target(self) -> str:
        return self.host


class MessageDelay(_Fault, frozen=True, kw_only=True):
    """Each message between the manager and these hosts takes `seconds` longer."""

    seconds: Positive
    host: Target = "*"

    @property
    def target(self) -> str:
        return self.host


class ManagerRestart(_Fault, frozen=True, kw_only=True):
    """The management server dies, and starts anew from its store after `duration` (at once without one)."""


Fault = (
    HostCrash
    | AgentHang
    | LinkCut
    | SlowDisk
    | PoolFull
    | MessageLoss
    | MessageDuplication
    | MessageDelay
    | ManagerRestart
)


def faults_from(items: Any) -> tuple[Fault, ...]:
    """The faults in data as YAML or JSON gives it. Raises FaultError naming the first that is wrong."""
    if items is None:
        return ()
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise FaultError(f"faults: expected a list, got {type(items).__name__}")
    found: list[Fault] = []
    for index, item in enumerate(items):
        try:
            found.append(msgspec.convert(item, Fault))
        except msgspec.ValidationError as error:
            kind = item.get("fault", "?") if isinstance(item, dict) else "?"
            raise FaultError(f"faults[{index}] ({kind}): {error}") from error
    return tuple(found)


def faults_to(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """The data that `faults_from` reads, without what is left at its default."""
    return [_plain(msgspec.to_builtins(fault)) for fault in faults]


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value is not None}


def matches(target: str, *names: str) -> bool:
    """Whether a thing that goes by these names is what a target means, chance left aside."""
    pattern = target.removeprefix(f"{RANDOM}:") if target != RANDOM else "*"
    return any(name == pattern or fnmatchcase(name, pattern) for name in names)


def is_random(target: str) -> bool:
    """Whether one of those that match is struck, rather than all."""
    return target == RANDOM or target.startswith(f"{RANDOM}:")
