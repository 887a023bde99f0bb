"""The arrays of a simulation: instances, hosts, who is where, and what has been counted; records, as compiled code reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cloudsim.consolidation.detection.detection import REMEMBERED
from cloudsim.experiment.consolidation.fleet import HostKind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Records = NDArray[np.void]

NONE = -1
F, I, B = np.float64, np.int64, np.bool_


def _record(**fields: Any) -> np.dtype[np.void]:
    return np.dtype(list(fields.items()), align=True)


INSTANCE = _record(
    size=F, cores=F, memory=F, demand=F, given=F, measured=F, last_demand=F, last_given=F,
    asked_in_all=F, given_in_all=F, lost_in_all=F, host=I, moving=B, ended=B, recorded=B, last_moving=B,
)  # fmt: skip
"""`size` (MHz) of all `cores`, `memory` (MiB); what it asks for, and is `given` (MHz); when that was `measured` (s); the same
at the last record; MHz s asked for, given, and lost while moving, in all; its host (NONE: no more)."""

HOST = _record(
    speed=F, total=F, memory=F, rate=F, kind=I, used=F, on=B, short_now=B, short=B, on_s=F, short_s=F
)  # fmt: skip
"""MHz of a core and in `total`, memory (MiB), MiB/s of a migration to it, a number that equal hosts share; MHz that are
`used`; whether it is on, and short of what is asked of it, now and at the last record; seconds of both."""

PLAN = _record(asked=F, capped=F, room=F, memory=F, largest=F, base=F, watts=F, on=B, barred=B)
"""A host during a round, with the instances that are planned: MHz that they ask for, and of those what its cores can give;
MHz and MiB that are left; its largest instance (MiB); its power before the round and as planned (W); whether it is on, and
barred from receiving instances."""

SLOT = _record(after=I, before=I)
ENDS = _record(first=I, last=I)
"""Which instances each host has, in the order of their coming, as linked lists of slots. Of n instances, slot v is instance
v at home; n + v and 2n + v are instance v on its way to a host."""

MOVE = _record(instance=I, target=I, slot=I)

LAST, RECORDED_AT, ENERGY, SHUTDOWNS, ON_S = range(5)
"""What `counts` holds: the time that has been reached, and that of the last record (s; NONE: none), energy (W s),
shutdowns, and host seconds on."""


class State(NamedTuple):
    """Everything that there is. `past` is what instances asked for at the last decisions (MHz; the newest last), `curves` are
    the hosts' power models; `plan`, `history`, `open`, `empty` and `moves` are a round's own."""

    instances: Records
    hosts: Records
    slots: Records
    ends: Records
    curves: Floats
    past: Floats
    counts: Floats
    plan: Records
    history: Floats
    open: Ints
    empty: Ints
    moves: Records


def hosts_of(kinds: Sequence[HostKind], count: int) -> tuple[Records, Floats]:
    """`count` hosts of those kinds, by turns, and their power curves, padded to equal length."""
    turn = np.arange(count) % len(kinds)
    hosts = np.zeros(count, HOST)
    hosts["kind"] = turn
    for name, values in (
        ("speed", [kind.mhz for kind in kinds]),
        ("total", [kind.mhz * kind.cores for kind in kinds]),
        ("memory", [kind.memory_mib for kind in kinds]),
        ("rate", [kind.migration_mib_s for kind in kinds]),
    ):
        hosts[name] = np.array(values, float)[turn]
    curves = [kind.model.curve() for kind in kinds]
    padded = np.zeros((len(kinds), max(map(len, curves))))
    for row, curve in zip(padded, curves, strict=True):
        row[: len(curve)] = curve
    return hosts, padded[turn]


def instances_of(size: Floats, cores: Floats, memory: Floats) -> Records:
    """Instances of those sizes (MHz, of all cores), cores and memory (MiB)."""
    instances = np.zeros(len(size), INSTANCE)
    instances["size"], instances["cores"], instances["memory"] = size, cores, memory
    instances["host"], instances["measured"] = NONE, NONE
    return instances


def state_of(instances: Records, hosts: Records, curves: Floats) -> State:
    """The state before anything has been placed; what is given is copied."""
    n, size = len(instances), len(hosts)
    slots, ends = np.zeros(3 * n, SLOT), np.zeros(size, ENDS)
    for lists in (slots, ends):
        for name in lists.dtype.names or ():
            lists[name] = NONE
    counts = np.zeros(5)
    counts[RECORDED_AT] = NONE
    return State(
        instances=instances.copy(),
        hosts=hosts.copy(),
        slots=slots,
        ends=ends,
        curves=curves,
        past=np.zeros((n, REMEMBERED)),
        counts=counts,
        plan=np.zeros(size, PLAN),
        history=np.zeros((size, REMEMBERED)),
        open=np.zeros(size, np.int64),
        empty=np.zeros(1 + int(hosts["kind"].max()), np.int64),
        moves=np.zeros(2 * n, MOVE),
    )
