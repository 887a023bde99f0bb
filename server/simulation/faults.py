"""Faults that an operator injects into a served simulation, and what became of each."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

from backends.fault_injector import Strike
from backends.simulated.faults import SimulatedFaultInjector
from backends.simulated.world import SimulatedWorld
from cloudsim.faults import Fault, FaultError, HostCrash, LinkCut, PoolFull
from cloudsim.randomness import Randomness
from server.simulation.fault_types import TargetKind

KEPT = 1000
"""How many faults that are over are remembered, and how many strikes of each."""

_ALL: dict[TargetKind, Fault] = {
    "host": HostCrash(at=0.0, host="*"),
    "link": LinkCut(at=0.0, link="*"),
    "pool": PoolFull(at=0.0, pool="*"),
}

State = Literal["Scheduled", "Active", "Waiting", "Over", "Healed"]


class Injected:
    """A fault that was injected at Unix time `created`; `began` and `ended` are those of its first and last strike.

    It is Scheduled until it strikes, Active while something is struck, Waiting between strikes of one that comes
    again, Over when it has ended by itself, and Healed when somebody ended it.
    """

    def __init__(self, number: str, fault: Fault, injector: SimulatedFaultInjector, now: Callable[[], float]) -> None:
        self.id = number
        self.fault = fault
        self.injector = injector
        self.created = now()
        self.began: float | None = None
        self.ended: float | None = None
        self.struck: set[str] = set()
        self.strikes = 0
        self.healed = False
        self._now = now
        injector.listeners.append(self._heard)

    def _heard(self, strike: Strike) -> None:
        if strike.began:
            self.began = self.began if self.began is not None else self._now()
            self.ended = None
            self.strikes += 1
            if len(self.struck) < KEPT:
                self.struck.add(strike.target)
        elif not self.injector.active:
            self.ended = self._now()
        self.injector.history.clear()  # it would grow for as long as the fault comes again

    @property
    def name(self) -> str:
        return type(self.fault).__name__

    @property
    def state(self) -> State:
        if self.injector.active:
            return "Active"
        if self.healed:
            return "Healed"
        if self.injector.waiting:
            return "Waiting" if self.strikes else "Scheduled"
        return "Over"

    @property
    def over(self) -> bool:
        return self.state in ("Over", "Healed")


class InjectedFaults:
    """All faults of one served simulation, those that are over included, up to `KEPT` of them."""

    def __init__(self, world: SimulatedWorld, randomness: Randomness) -> None:
        self._world = world
        self._randomness = randomness
        self._any = SimulatedFaultInjector(world, (), randomness)
        self._faults: OrderedDict[str, Injected] = OrderedDict()

    def all(self) -> list[Injected]:
        """The newest first."""
        return list(reversed(self._faults.values()))

    def get(self, fault_id: str) -> Injected | None:
        return self._faults.get(fault_id)

    def targets(self, kind: TargetKind) -> list[str]:
        """All that faults with such targets can strike, by path."""
        return self._any.candidates(_ALL[kind])

    async def inject(self, fault: Fault) -> Injected:
        """Let the fault happen from now on. Raises FaultError where there is nothing that it could strike, or do."""
        number = self._randomness.uuid()
        try:
            injector = SimulatedFaultInjector(self._world, [fault], self._randomness.branch(number))
        except FaultError:
            raise FaultError(f"Parameter target: nothing is called {fault.target[:100]!r}") from None
        made = Injected(number, fault, injector, self._world.now)
        injector.start()
        if fault.every is None and not fault.at:
            await asyncio.sleep(0)  # it is due now, and time may stand still
            await asyncio.sleep(0)
            if not made.strikes:
                injector.stop()
                raise FaultError(f"Parameter target: {made.name} can do nothing to {fault.target} now")
        self._faults[number] = made
        self._forget()
        return made

    def heal(self, fault: Injected) -> None:
        """End the fault: what it did is undone, and it does not come again. FaultError if it is over."""
        if fault.over:
            raise FaultError(f"Fault {fault.id} is {fault.state} already")
        fault.healed = True
        fault.injector.stop()
        if fault.ended is None:
            fault.ended = self._world.now()

    def _forget(self) -> None:
        while len(self._faults) > KEPT:
            old = next((f.id for f in self._faults.values() if f.over), None)
            if old is None:
                return
            del self._faults[old]
