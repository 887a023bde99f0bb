"""Makes the faults of a scenario happen in a simulated world."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

from backends.simulated.world import SimulatedWorld
from cloudsim.faults import (
    AgentHang,
    Fault,
    FaultError,
    HostCrash,
    LinkCut,
    ManagerRestart,
    MessageDelay,
    MessageDuplication,
    MessageLoss,
    PoolFull,
    SlowDisk,
    is_random,
    matches,
)
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
    """Schedules `faults` in the world's time from `start()` on.

    Each fault draws its times and targets from a branch of `randomness` of its own, so that adding
    one to the list leaves the others as they were. `history` tells what was done; `listeners` hear it.
    Raises FaultError for a fault that can strike nothing in this world, or for a ManagerRestart
    without `restart_manager`.
    """

    def __init__(
        self,
        world: SimulatedWorld,
        faults: Sequence[Fault],
        randomness: Randomness,
        restart_manager: RestartManager | None = None,
    ) -> None:
        self.world = world
        self.faults = tuple(faults)
        self.history: list[Strike] = []
        self.listeners: list[Callable[[Strike], None]] = []
        self._restart_manager = restart_manager
        self._chance = [randomness.branch(f"fault {n}").generator for n in range(len(self.faults))]
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._active: dict[tuple[int, str, int], Fault] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._known: dict[Fault, tuple[tuple[int, int], list[str]]] = {}
        self._serial = 0
        for index, fault in enumerate(self.faults):
            if isinstance(fault, ManagerRestart):
                if restart_manager is None:
                    raise FaultError(f"faults[{index}] (ManagerRestart): this world has no manager to restart")
            elif not self._candidates(fault):
                raise FaultError(
                    f"faults[{index}] ({type(fault).__name__}): nothing is called {fault.target!r}"
                )

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

        self._timers[serial] = self.world.loop.call_later(delay, due)

    def _strike(self, index: int, fault: Fault) -> None:
        if fault.every is not None:
            self._plan(index, fault, 0.0)
        if isinstance(fault, ManagerRestart):
            self._tell(fault, "manager", True)
            self._restart(fault)
            return
        targets = self._candidates(fault)
        if is_random(fault.target) and targets:
            targets = [targets[int(self._chance[index].integers(len(targets)))]]
        for target in targets:
            if self._begin(fault, target):
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
            task = self.world.loop.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _tell(self, fault: Fault, target: str, began: bool) -> None:
        strike = Strike(self.world.loop.time(), fault, target, began)
        self.history.append(strike)
        for listener in self.listeners:
            listener(strike)

    def _candidates(self, fault: Fault) -> list[str]:
        """Paths of all that the fault's target means, in the order of the description; found anew only
        when the world has grown."""
        size = len(self.world.hosts), len(self.world.site.topology)
        known = self._known.get(fault)
        if known is None or known[0] != size:
            known = self._known[fault] = size, self._find(fault)
        return known[1]

    def _find(self, fault: Fault) -> list[str]:
        world = self.world
        if isinstance(fault, SlowDisk | PoolFull):
            names = {plan.path: plan.name for plan in world.layout.pools()}
            return [p for p in world.site.pools if matches(fault.target, p, names.get(p, p))]
        hosts = [h.path for h in world.hosts.values() if matches(fault.target, h.path, h.name, h.guid)]
        if isinstance(fault, LinkCut) and not is_random(fault.target):
            places = [p.name for p in world.site.topology if p.parent is not None and p.kind != "host"]
            return [*(p for p in places if matches(fault.target, p)), *hosts]
        return hosts

    def _begin(self, fault: Fault, target: str) -> bool:
        """Do it; False where there is nothing to do, such as crashing a host that is off."""
        world = self.world
        match fault:
            case HostCrash():
                if not world.host(target).hypervisor.powered:
                    return False
                world.crash_host(target)
            case AgentHang():
                world.hang_agent(target)
            case LinkCut():
                world.cut_link(target)
            case SlowDisk(factor=factor):
                world.slow_pool(target, factor)
            case PoolFull():
                if world.pool(target).ballast:
                    return False
                world.pool(target).fill()
            case MessageLoss(rate=rate):
                world.impair_messages(target, loss=rate)
            case MessageDuplication(rate=rate):
                world.impair_messages(target, duplication=rate)
            case MessageDelay(seconds=seconds):
                world.impair_messages(target, delay=seconds)
            case ManagerRestart():
                raise AssertionError("a manager is restarted by its owner")
        return True

    def _end(self, index: int, target: str, serial: int) -> None:
        fault = self._active.pop((index, target, serial), None)
        if fault is None:
            return
        world = self.world
        match fault:
            case HostCrash():
                world.restore_host(target)
            case AgentHang():
                world.resume_agent(target)
            case LinkCut():
                world.restore_link(target)
            case SlowDisk(factor=factor):
                world.slow_pool(target, 1 / factor)
            case PoolFull():
                world.pool(target).unfill()
            case MessageLoss(rate=rate):
                world.impair_messages(target, loss=-rate)
            case MessageDuplication(rate=rate):
                world.impair_messages(target, duplication=-rate)
            case MessageDelay(seconds=seconds):
                world.impair_messages(target, delay=-seconds)
        self._tell(fault, target, False)
