"""What a simulated cloud is put through, as data: operations and faults at their times."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from cloudsim.faults import (
    AgentHang,
    Fault,
    HostCrash,
    LinkCut,
    ManagerRestart,
    MessageDelay,
    MessageDuplication,
    MessageLoss,
    PoolFull,
    SlowDisk,
)

HOUR = 3600.0
EPISODE = 6 * HOUR
"""Seconds of one episode: ACTIVE of them with operations and faults, then calm, in which the cloud must settle."""
ACTIVE = 4 * HOUR
GAP = 180.0
"""Mean seconds between operations, but for those that come in a bunch."""

KINDS: dict[str, int] = {
    "deploy": 22,
    "start": 12,
    "stop": 10,
    "stop forced": 5,
    "reboot": 4,
    "destroy": 7,
    "expunge": 7,
    "recover": 5,
    "migrate": 10,
    "allow": 8,
    "revoke": 4,
    "create volume": 8,
    "attach": 9,
    "detach": 6,
    "resize": 5,
    "delete volume": 4,
    "snapshot": 5,
    "revert": 2,
    "delete snapshot": 3,
    "snapshot instance": 2,
    "delete instance snapshot": 2,
}
"""The operations, and how often each comes, relatively."""


class Operation(msgspec.Struct, frozen=True, array_like=True):
    """At a time, something to be done to the `pick`-th of what it can be done to (round and round)."""

    at: float
    kind: str
    pick: int = 0
    other: int = 0


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run. Operations and faults follow from the seed, unless they are given.

    With `watched`, hosts and instances have high availability.
    """

    seed: int
    racks: int = 2
    hosts: int = 3
    episodes: int = 4
    watched: bool = False
    operations: tuple[Operation, ...] | None = None
    faults: tuple[Fault, ...] | None = None

    @property
    def days(self) -> float:
        return self.episodes * EPISODE / (24 * HOUR)

    def complete(self) -> Plan:
        """The plan with its operations and faults written out."""
        generator = np.random.default_rng([self.seed, 0xD57])
        operations, faults = self.operations, self.faults
        if operations is None:
            operations = tuple(_operations(generator, self.episodes))
        if faults is None:
            faults = tuple(random_faults(generator, self.episodes, self.racks, self.hosts))
        return msgspec.structs.replace(self, operations=operations, faults=faults)

    def command(self) -> str:
        """What replays it."""
        return f"python -m tests.dst --replay '{msgspec.json.encode(self).decode()}'"


def from_json(text: str) -> Plan:
    """The plan that `Plan.command` wrote."""
    return msgspec.json.decode(text, type=Plan)


def _operations(generator: np.random.Generator, episodes: int) -> Iterator[Operation]:
    kinds = list(KINDS)
    weights = np.array(list(KINDS.values()), float)
    weights /= weights.sum()
    for episode in range(episodes):
        at = 0.0
        while True:
            at += generator.exponential(GAP if generator.random() < 0.6 else 2.0)
            if at >= ACTIVE:
                break
            kind = kinds[int(generator.choice(len(kinds), p=weights))]
            pick, other = (int(n) for n in generator.integers(1000, size=2))
            yield Operation(round(episode * EPISODE + at, 3), kind, pick, other)


def random_faults(generator: np.random.Generator, episodes: int, racks: int, hosts: int) -> Iterator[Fault]:
    """Faults in the active part of each episode, all undone by its end."""
    rack_paths = [f"zone-1/pod-1/rack-{n + 1}" for n in range(racks)]

    def host() -> str:
        return f"{rack()}/host-{generator.integers(hosts) + 1}"

    def rack() -> str:
        return rack_paths[int(generator.integers(racks))]

    for episode in range(episodes):
        for _ in range(int(generator.poisson(7))):
            at = round(episode * EPISODE + generator.uniform(0, ACTIVE - 60), 3)
            left = (episode * EPISODE + ACTIVE) - at
            last = round(min(left, float(generator.exponential(600.0)) + 1), 3)
            match int(generator.integers(10)):
                case 0 | 1:
                    yield HostCrash(at=at, duration=last, host=host())
                case 2:
                    yield AgentHang(at=at, duration=last, host=host())
                case 3:
                    yield LinkCut(at=at, duration=last, link=host() if generator.random() < 0.7 else rack())
                case 4:
                    yield MessageLoss(at=at, duration=last, rate=float(generator.choice([0.02, 0.1, 0.4])))
                case 5:
                    yield MessageDuplication(at=at, duration=last, rate=float(generator.choice([0.1, 0.5])))
                case 6:
                    yield MessageDelay(at=at, duration=last, seconds=float(generator.choice([1, 20, 200])))
                case 7:
                    pool = f"{rack()}/primary"
                    if generator.random() < 0.7:
                        yield PoolFull(at=at, duration=last, pool=pool)
                    else:
                        yield SlowDisk(at=at, duration=last, pool=pool, factor=50.0)
                case _:
                    yield ManagerRestart(at=at, duration=round(float(generator.choice([0, 1, 30, 300])), 3))
