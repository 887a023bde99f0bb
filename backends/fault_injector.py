"""Makes the faults of a scenario happen: when each begins, whom it strikes, when it is over. Worlds say how."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from cloudsim.faults import Fault, FaultError, ManagerRestart, is_random
from cloudsim.randomness import Randomness

RestartManager = Callable[[float], Coroutine[Any, Any, None] | None]
"""Called with the seconds that the manager is to be away."""


class Strike(NamedTuple):
    """One thing that a fault did at a loop time: it `began` on a target, or ended (False)."""

    time: float
    fault: Fault
    target: str
    began: bool


class FaultInjector:
    """Schedules `faults` in the loop's time from `start()` on. A world's own injector says what a fault can strike
    (`candidates`), and does and undoes it (`begin`, `end`).

    Each fault draws its times and targets from a branch of `randomness` of its own, so that adding
    one to the list leaves the others as they were. `history` tells what was done; `listeners` hear it.
    Raises FaultError for a fault that can strike nothing in this world, or for a ManagerRestart
    without `restart_manager`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        faults: Sequence[Fault],
        randomness: Randomness,
        restart_manager: RestartManager | None = None,
    ) -> None:
        self.loop = loop
        self.faults = tuple(faults)
        self.history: list[Strike] = []
        self.listeners: list[Callable[[Strike], None]] = []
        self._restart_manager = restart_manager
        self._chance = [randomness.branch(f"fault {n}").generator for n in range(len(self.faults))]
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._active: dict[tuple[int, str, int], Fault] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._serial = 0
        for index, fault in enumerate(self.faults):
            if isinstance(fault, ManagerRestart):
                if restart_manager is None:
                    raise FaultError(f"faults[{index}] (ManagerRestart): this world has no manager to restart")
            elif not self.candidates(fault):
                raise FaultError(
                    f"faults[{index}] ({type(fault).__name__}): nothing is called {fault.target!r}"
                )

    @property
    def active(self) -> list[str]:
        """The targets on which a fault is under way, each as often as there are such."""
        return [target for _, target, _ in self._active]

    @property
    def waiting(self) -> bool:
        """Whether something is still to come: a beginning or an end."""
        return bool(self._timers)

    def start(self) -> None:
        """Begin: time 0 of the scenario is now."""
        for index, fault in enumerate(self.faults):
            self._plan(index, fault, fault.at or 0.0)

    def stop(self, *, heal: bool = True) -> None:
        """No fault begins any more; with `heal`, those that are under way end now."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if heal:
            for index, target, serial in list(self._active):
                self._end(index, target, serial)

    def _plan(self, index: int, fault: Fault, after: float) -> None:
        if fault.every is not None:
            after += self._chance[index].exponential(fault.every)
        self._later(after, self._strike, index, fault)

    def _later(self, delay: float, callback: Callable[..., None], *args: Any) -> None:
        self._serial += 1
        serial = self._serial

        def due() -> None:
            del self._timers[serial]
            callback(*args)

        self._timers[serial] = self.loop.call_later(delay, due)

    def _strike(self, index: int, fault: Fault) -> None:
        if fault.every is not None:
            self._plan(index, fault, 0.0)
        if isinstance(fault, ManagerRestart):
            self._tell(fault, "manager", True)
            self._restart(fault)
            return
        targets = self.candidates(fault)
        if is_random(fault.target) and targets:
            targets = [targets[int(self._chance[index].integers(len(targets)))]]
        for target in targets:
            if self.begin(fault, target):
                self._serial += 1
                key = (index, target, self._serial)
                self._active[key] = fault
                self._tell(fault, target, True)
                if fault.duration is not None:
                    self._later(fault.duration, self._end, *key)

    def _restart(self, fault: ManagerRestart) -> None:
        assert self._restart_manager is not None
        work = self._restart_manager(fault.duration or 0.0)
        if work is not None:
            task = self.loop.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _tell(self, fault: Fault, target: str, began: bool) -> None:
        strike = Strike(self.loop.time(), fault, target, began)
        self.history.append(strike)
        for listener in self.listeners:
            listener(strike)

    def _end(self, index: int, target: str, serial: int) -> None:
        fault = self._active.pop((index, target, serial), None)
        if fault is not None:
            self.end(fault, target)
            self._tell(fault, target, False)

    # what a world says

    def candidates(self, fault: Fault) -> Sequence[str]:
        """All that the fault's target means, in the order of the description."""
        raise NotImplementedError

    def begin(self, fault: Fault, target: str) -> bool:
        """Do it; False where there is nothing to do, such as crashing a host that is off."""
        raise NotImplementedError

    def end(self, fault: Fault, target: str) -> None:
        """Undo what `begin` did."""
        raise NotImplementedError
