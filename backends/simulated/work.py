"""Guests at work: tasks that share their guest's vCPUs, and guests that share their host's cores.

Within a guest all tasks get the same speed at every moment (processor sharing: Kleinrock, "Time-shared
Systems: A Theoretical Treatment", JACM 14, 1967). With K tasks of lengths T_1 <= ... <= T_K that begin together
at full speed, the j-th is done at f_j = f_(j-1) + (K - j + 1) (T_j - T_(j-1)), with f_0 = T_0 = 0.

Between guests the host's cores are shared max-min fairly by vCPU (Bertsekas and Gallager, "Data Networks",
2nd edition, section 6.5.2): a vCPU runs at its instance's MHz, or a core's if that is less; where the host has
fewer MHz than all of them, those that want least get what they want and the others the same each. Guests
without work are taken to need nothing.

All of it is integers: amounts of work are cycles (a MHz is one cycle in a microsecond), instants are
microseconds. So what is not overcommitted ends at exact instants, and what is, within a microsecond of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

MICROSECONDS = 1_000_000

Speed = tuple[int, int]
"""Cycles per microsecond, as a fraction."""
_STANDSTILL: Speed = (0, 1)


class OnDisk(NamedTuple):
    """What a guest's root disk knows of work: whose it is, the lengths in ms, and which tasks are done."""

    vm_id: str
    lengths: tuple[int, ...]
    done: frozenset[int] = frozenset()


class InMemory(NamedTuple):
    """What a guest's memory knows of its work: the lengths in ms, (cycles, task) of those tasks that are not
    done, the longest first, and the cycles that the guest has to do until the shortest of them is."""

    lengths: tuple[int, ...]
    todo: tuple[tuple[int, int], ...]
    left: int


class Work:
    """The tasks of a guest from its boot on: they have `lengths` in ms on `cpus` vCPUs of `mhz`; some may be `done`.

    It stands still until `run_on` some cores. `on_finished(task, seconds)` hears of each task that is done, at
    the loop's time, and may not change the work.
    """

    __slots__ = (
        "_cores",
        "_cycles",
        "_full",
        "_left",
        "_loop",
        "_since",
        "_speed",
        "_timer",
        "_todo",
        "cpus",
        "lengths",
        "mhz",
        "on_finished",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        cpus: int,
        mhz: int,
        lengths: tuple[int, ...],
        on_finished: Callable[[int, float], None],
        done: frozenset[int] = frozenset(),
    ) -> None:
        self._loop = loop
        self.on_finished = on_finished
        self.lengths = lengths
        self.cpus = cpus
        self.mhz = mhz
        self._full = cpus * mhz  # what a length was meant for, whatever size the guest gets later
        full = 1000 * self._full
        self._todo = sorted(((ms * full, t) for t, ms in enumerate(lengths) if t not in done), reverse=True)
        self._left = len(self._todo) * self._todo[-1][0] if self._todo else 0
        self._cores: Cores | None = None
        self._speed = _STANDSTILL
        self._since = 0
        self._cycles = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def todo(self) -> tuple[int, ...]:
        """The tasks that are not done, in the order of their numbers."""
        return tuple(sorted(task for _, task in self._todo))

    @property
    def load(self) -> float:
        """The share of its vCPUs that it uses now, 0 to 1."""
        cycles, microseconds = self._speed
        return cycles / (microseconds * self.cpus * self.mhz)

    @property
    def time(self) -> float:
        """The loop's time, as work counts it: to the microsecond."""
        return self._now() / MICROSECONDS

    @property
    def busy(self) -> float:
        """Seconds at full speed that have been worked."""
        return (self._cycles + self._worked(self._now())) / self._full / MICROSECONDS

    def run_on(self, cores: Cores) -> None:
        """Work on these cores from now on, and on no others."""
        if self._cores is not cores:
            self.pause()
            if self._todo:
                self._cores = cores
                cores.add(self)

    def pause(self) -> None:
        """Stand still from now on."""
        if self._cores is not None:
            cores, self._cores = self._cores, None
            cores.remove(self)

    def resize(self, cpus: int, mhz: int) -> None:
        """The guest has that size from now on: what is left to do takes less or more time."""
        cores = self._cores
        self.pause()
        self.cpus, self.mhz = cpus, mhz
        if cores is not None:
            self.run_on(cores)

    def memory(self) -> InMemory:
        """How far it is."""
        return InMemory(self.lengths, tuple(self._todo), self._left - self._worked(self._now()))

    def recall(self, memory: InMemory) -> None:
        """Be as far as it was then. Only while it stands still."""
        assert self._cores is None
        self.lengths = memory.lengths
        self._todo = list(memory.todo)
        self._left = memory.left

    def set_speed(self, speed: Speed) -> None:
        """Go at that speed from now on. For the cores that it runs on."""
        if speed != self._speed:
            self._advance(self._now())
            self._speed = speed
            self._arm()

    def _now(self) -> int:
        return round(self._loop.time() * MICROSECONDS)

    def _worked(self, now: int) -> int:
        """Cycles done since the last advance."""
        cycles, microseconds = self._speed
        return min(self._left, max(0, now - self._since) * cycles // microseconds)

    def _advance(self, now: int) -> None:
        worked = self._worked(now)
        self._left -= worked
        self._cycles += worked
        self._since = now

    def _arm(self) -> None:
        """Have the timer ring when the shortest task is done, at this speed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        cycles, microseconds = self._speed
        if cycles and self._todo:
            due = self._since - (-self._left * microseconds // cycles)
            self._timer = self._loop.call_at(due / MICROSECONDS, self._finish, due)

    def _finish(self, due: int) -> None:
        """The shortest task is done, and all that are as short."""
        self._timer = None
        self._advance(due)  # the instant that was meant, whatever a clock of floating point says
        todo = self._todo
        ended = []
        while not self._left:
            cycles, task = todo.pop()
            ended.append(task)
            if not todo:
                break
            self._left = len(todo) * (todo[-1][0] - cycles)
        if todo:
            self._arm()
        else:
            self.pause()
        for task in ended:
            self.on_finished(task, due / MICROSECONDS)


class Cores:
    """A host's cores, `count` of `mhz`, and the work that runs on them."""

    __slots__ = ("_demand", "_scarce", "_works", "capacity", "mhz")

    def __init__(self, count: int, mhz: int) -> None:
        self.mhz = mhz
        self.capacity = count * mhz
        self._works: dict[Work, int] = {}
        """By work, the MHz that each of its vCPUs can use."""
        self._demand = 0
        self._scarce = False

    def add(self, work: Work) -> None:
        """Share with that work, too."""
        each = self._works[work] = min(work.mhz, self.mhz)
        self._demand += each * work.cpus
        if self._scarce or self._demand > self.capacity:
            self._share()
        else:
            work.set_speed((each * work.cpus, 1))

    def remove(self, work: Work) -> None:
        """Share with it no more."""
        self._demand -= self._works.pop(work) * work.cpus
        work.set_speed(_STANDSTILL)
        if self._scarce:
            self._share()

    def _share(self) -> None:
        """Give every vCPU its max-min fair speed, by progressive filling from those that want least."""
        self._scarce = self._demand > self.capacity
        left, vcpus = self.capacity, sum(work.cpus for work in self._works)
        for work, each in sorted(self._works.items(), key=lambda item: item[1]):
            if each * vcpus <= left:
                work.set_speed((each * work.cpus, 1))
                left -= each * work.cpus
                vcpus -= work.cpus
            else:  # those that come after it want as much or more
                work.set_speed((left * work.cpus, vcpus))
