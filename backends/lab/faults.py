"""Makes the faults of a scenario happen to real hosts, those that can."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from backends.fault_injector import FaultInjector, RestartManager
from backends.lab.hosts import LabHost
from backends.lab.lab import Lab
from backends.lab.layout import LabLayout
from cloudsim.faults import AgentHang, Fault, FaultError, HostCrash, LinkCut, ManagerRestart, matches
from cloudsim.randomness import Randomness

log = logging.getLogger(__name__)

POSSIBLE = (HostCrash, AgentHang, LinkCut, ManagerRestart)
"""An AgentHang freezes the whole host here, its guests too; a LinkCut can be that of a host."""


class FaultyLab(Protocol):
    """What faults are made in: the hosts of a lab, by the paths of its layout; `backends.lab.world.LabWorld`."""

    loop: asyncio.AbstractEventLoop
    layout: LabLayout
    lab: Lab


class LabFaultInjector(FaultInjector):
    """See `backends.fault_injector.FaultInjector`. What it does takes a moment, and is done in order, on a thread."""

    def __init__(
        self,
        world: FaultyLab,
        faults: Sequence[Fault],
        randomness: Randomness,
        restart_manager: RestartManager | None = None,
    ) -> None:
        self.world = world
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="lab faults")
        for index, fault in enumerate(faults):
            if not isinstance(fault, POSSIBLE):
                names = ", ".join(kind.__name__ for kind in POSSIBLE)
                raise FaultError(
                    f"faults[{index}] ({type(fault).__name__}): a lab has none such, only {names}"
                )
        super().__init__(world.loop, faults, randomness, restart_manager)

    def candidates(self, fault: Fault) -> Sequence[str]:
        plans = self.world.layout.hosts()
        return [plan.path for plan in plans if matches(fault.target, plan.path, plan.name)]

    def begin(self, fault: Fault, target: str) -> bool:
        host = self._host(target)
        match fault:
            case HostCrash():
                if not host.is_on:
                    return False
                self._do(host.kill)
            case AgentHang():
                self._do(host.freeze)
            case LinkCut():
                self._do(host.cut_link)
        return True

    def end(self, fault: Fault, target: str) -> None:
        host = self._host(target)
        match fault:
            case HostCrash():
                self._do(host.power_on)
            case AgentHang():
                self._do(host.thaw)
            case LinkCut():
                self._do(host.restore_link)

    def _host(self, path: str) -> LabHost:
        number = next(plan.number for plan in self.world.layout.hosts() if plan.path == path)
        return self.world.lab.host(number)

    def _do(self, work: Callable[[], None]) -> None:
        def tell(done: Future[None]) -> None:
            if done.exception() is not None:
                log.error("a fault could not be made: %s", done.exception())

        self._worker.submit(work).add_done_callback(tell)

    def stop(self, *, heal: bool = True) -> None:
        super().stop(heal=heal)
        self._worker.shutdown(wait=True)
