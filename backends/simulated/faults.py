"""Makes the faults of a scenario happen in a simulated world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.fault_injector import FaultInjector, RestartManager
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
    is_random,
    matches,
)
from cloudsim.randomness import Randomness

if TYPE_CHECKING:
    from backends.simulated.world import SimulatedWorld


class SimulatedFaultInjector(FaultInjector):
    """See `backends.fault_injector.FaultInjector`."""

    def __init__(
        self,
        world: SimulatedWorld,
        faults: Sequence[Fault],
        randomness: Randomness,
        restart_manager: RestartManager | None = None,
    ) -> None:
        self.world = world
        self._known: dict[Fault, tuple[tuple[int, int], list[str]]] = {}
        super().__init__(world.loop, faults, randomness, restart_manager)

    def candidates(self, fault: Fault) -> list[str]:
        """Paths; found anew only when the world has grown."""
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

    def begin(self, fault: Fault, target: str) -> bool:
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

    def end(self, fault: Fault, target: str) -> None:
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
