import asyncio
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.fault_injector import FaultInjector
from backends.simulated.datacenter import uniform
from backends.simulated.world import SimulatedBackend, SimulatedWorld
from cloudsim.faults import Fault, FaultError, faults_from
from cloudsim.randomness import Randomness


def inject(*items: dict[str, Any], seed: int = 1, **options: Any) -> tuple[SimulatedWorld, FaultInjector]:
    world = SimulatedWorld(uniform(racks=2, hosts_per_rack=2))
    faults: tuple[Fault, ...] = faults_from(list(items))
    injector = SimulatedBackend.faults(world, faults, Randomness(seed), **options)
    injector.start()
    return world, injector


def run(world: SimulatedWorld, seconds: float) -> None:
    world.loop.run_until_complete(asyncio.sleep(seconds))


def test_a_crash_comes_and_goes_when_it_is_said() -> None:
    world, injector = inject({"fault": "HostCrash", "host": "*/rack-1/*", "at": 100, "duration": 50})
    heard: list[object] = []
    injector.listeners.append(heard.append)
    run(world, 99)
    assert all(h.hypervisor.powered for h in world.hosts.values())
    run(world, 2)
    assert [h.hypervisor.powered for h in world.hosts.values()] == [False, False, True, True]
    run(world, 50)
    assert all(h.hypervisor.powered for h in world.hosts.values())
    assert [(s.time, s.began) for s in injector.history] == [(100, True)] * 2 + [(150, False)] * 2
    assert heard == injector.history


def test_a_crash_of_no_duration_is_a_reboot_and_one_without_a_duration_stays() -> None:
    world, _ = inject(
        {"fault": "HostCrash", "host": "*/rack-1/host-1", "at": 10, "duration": 0},
        {"fault": "HostCrash", "host": "*/rack-1/host-2", "at": 10},
    )
    run(world, 1e6)
    assert [(h.hypervisor.powered, h.hypervisor.boots) for h in world.hosts.values()][:2] == [(True, 1), (False, 1)]


def test_random_strikes_are_exponential_and_of_any_host() -> None:
    world, injector = inject({"fault": "AgentHang", "every": 100, "duration": 1})
    run(world, 200_000)
    times = np.array([s.time for s in injector.history if s.began])
    gaps = np.diff(times)
    assert gaps.mean() == pytest.approx(100, rel=0.1) and gaps.std() == pytest.approx(100, rel=0.1)
    assert {s.target for s in injector.history} == {h.path for h in world.hosts.values()}
    with pytest.raises(FaultError, match="no manager"):
        inject({"fault": "ManagerRestart", "at": 1})


STRIKES = st.sampled_from(
    [
        {"fault": "HostCrash"},
        {"fault": "AgentHang"},
        {"fault": "LinkCut"},
        {"fault": "LinkCut", "link": "zone-1/pod-1/rack-*"},
        {"fault": "SlowDisk", "factor": 3},
        {"fault": "PoolFull"},
        {"fault": "MessageLoss", "rate": 0.1},
        {"fault": "MessageDuplication", "rate": 0.2},
        {"fault": "MessageDelay", "seconds": 0.3},
    ]
)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(STRIKES, st.floats(10, 200), st.floats(0, 100) | st.none()), min_size=1, max_size=6),
    st.integers(0, 100),
)
def test_after_healing_all_is_as_it_was(strikes: list[tuple[dict[str, Any], float, float | None]], seed: int) -> None:
    items = [{**kind, "every": every, "duration": duration} for kind, every, duration in strikes]
    world, injector = inject(*items, seed=seed)
    run(world, 1000)
    injector.stop()
    for host in world.hosts.values():
        assert host.hypervisor.powered
        assert host.condition is None or host.condition.clear
    for place in world.site.topology:
        assert place.cuts == 0 and place.up.capacity == place.bandwidth
    for pool in world.site.pools.values():
        assert (pool.used, pool.ballast, pool.slowness) == (0, 0, pytest.approx(1.0))
        assert pool.disks.capacity == pytest.approx(pool.bandwidth)
    began = [s for s in injector.history if s.began]
    assert len(injector.history) == 2 * len(began)
    count = len(injector.history)
    run(world, 1000)
    assert len(injector.history) == count


def test_one_more_fault_leaves_the_others_as_they_were() -> None:
    crash = {"fault": "HostCrash", "every": 100, "duration": 10}
    alone, beside = inject(crash), inject(crash, {"fault": "AgentHang", "every": 30, "duration": 5})
    histories = []
    for world, injector in (alone, beside):
        run(world, 5000)
        histories.append([(s.time, s.target) for s in injector.history if s.fault == injector.faults[0]])
    assert histories[0] == histories[1] != []


def test_storage_faults_are_felt() -> None:
    world, _ = inject(
        {"fault": "SlowDisk", "pool": "pod-1-rack-1-primary", "factor": 4, "at": 10, "duration": 10},
        {"fault": "PoolFull", "pool": "zone-1/pod-1/rack-2/primary", "at": 10, "duration": 10},
    )
    slow, full = world.site.pools.values()
    run(world, 11)
    assert slow.disks.capacity == slow.bandwidth / 4 and full.used == full.capacity
    run(world, 10)
    assert slow.disks.capacity == slow.bandwidth and full.used == 0


def test_the_manager_is_restarted_by_its_owner() -> None:
    calls: list[tuple[float, float]] = []

    async def restart(away: float) -> None:
        await asyncio.sleep(away)
        calls.append((away, world.loop.time()))

    world, injector = inject({"fault": "ManagerRestart", "at": 10, "duration": 5}, restart_manager=restart)
    run(world, 100)
    assert calls == [(5, 15)] and [s.target for s in injector.history] == ["manager"]


def test_a_fault_that_can_strike_nothing_is_refused() -> None:
    with pytest.raises(FaultError, match=r"faults\[0\] \(PoolFull\): nothing is called 'tape'"):
        inject({"fault": "PoolFull", "pool": "tape", "at": 1})
