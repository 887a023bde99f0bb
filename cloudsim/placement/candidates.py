"""The hosts that a policy is asked to score: rows of the arrays, gathered when they are looked at."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cloudsim.placement.arrays import HostArrays, Ints, Mask
from cloudsim.placement.request import PlacementRequest

Floats = NDArray[np.float64]


class Dimension(NamedTuple):
    """One resource of some hosts: how much a request `wants` of each, which has `room` for that, of `total`."""

    wants: int
    room: Ints
    total: Ints

    @property
    def asked(self) -> Floats:
        """The share of each host that the request asks for, in [0, 1]."""
        return self.wants / self.total

    @property
    def free(self) -> Floats:
        """The share of each host that is left now."""
        return self.room / self.total

    @property
    def left(self) -> Floats:
        """The share of each host that will be left once the instance is there."""
        return (self.room - self.wants) / self.total


class Capacities:
    """What each of some hosts has and has left: all that a score `of_capacity` may look at.

    `cpu_total`, `cpu_room` are MHz, `memory_total`, `memory_room` MiB: arrays of int64 with an entry for each host.
    `room` is before the instance is placed, which is known to fit. Over-commit counts.
    """

    def __init__(self, cpu_total: Ints, cpu_room: Ints, memory_total: Ints, memory_room: Ints) -> None:
        self.cpu_total = cpu_total
        self.cpu_room = cpu_room
        self.memory_total = memory_total
        self.memory_room = memory_room

    def __len__(self) -> int:
        return len(self.cpu_total)

    @property
    def empty(self) -> Mask:
        """Hosts without any instance."""
        nothing: Mask = (self.cpu_room == self.cpu_total) & (self.memory_room == self.memory_total)
        return nothing

    def left(self, request: PlacementRequest) -> tuple[Floats, Floats]:
        """The shares of CPU and of memory that will be left on each host once the instance is there, in [0, 1]."""
        return (
            (self.cpu_room - request.cpu) / self.cpu_total,
            (self.memory_room - request.memory) / self.memory_total,
        )

    def dimensions(self, request: PlacementRequest) -> list[Dimension]:
        """CPU and memory; and GPUs last, where the request asks for some or any host of the cloud has some."""
        return [
            Dimension(request.cpu, self.cpu_room, self.cpu_total),
            Dimension(request.memory, self.memory_room, self.memory_total),
        ]

    def free(self) -> tuple[Floats, Floats]:
        """The shares of CPU and of memory that are left now."""
        return self.cpu_room / self.cpu_total, self.memory_room / self.memory_total


class Candidates(Capacities):
    """Rows of `hosts`: those that can hold the request, by ascending `slots`. Every column is one of HostArrays'."""

    def __init__(self, hosts: HostArrays, slots: Ints) -> None:
        self.hosts = hosts
        self.slots = slots

    def __len__(self) -> int:
        return len(self.slots)

    def __getattr__(self, name: str) -> Any:
        # Only for what is not there yet: a column is gathered once, when it is first looked at.
        if name.startswith("_") or not isinstance(array := getattr(self.hosts, name), np.ndarray):
            raise AttributeError(name)
        column = array[self.slots]
        self.__dict__[name] = column
        return column

    def instances_of(self, account_id: str) -> Ints:
        """How many instances of that account each host has."""
        counts: Ints = self.hosts.instances_of(account_id)[self.slots]
        return counts

    def dimensions(self, request: PlacementRequest) -> list[Dimension]:
        found = super().dimensions(request)
        if request.gpus or self.hosts.gpu_free.shape[1]:
            whole = np.maximum(self.gpu_total, 1)  # of a host without GPUs none is asked for, and none is free
            found.append(Dimension(request.gpus * request.gpu_milli, self.gpu_room, whole))
        return found

    @cached_property
    def gpu_total(self) -> Ints:
        """Thousandths of GPU that each host has in all."""
        total: Ints = 1000 * (self.gpu_free >= 0).sum(axis=1)
        return total

    @cached_property
    def gpu_room(self) -> Ints:
        """Thousandths of GPU that each host has left."""
        free = self.gpu_free.astype(np.int64)
        room: Ints = np.where(free >= 0, free, 0).sum(axis=1)
        return room
