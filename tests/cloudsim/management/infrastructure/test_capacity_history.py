"""What is kept of a cloud's past: samples at round times, thinned when they are old."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from cloudsim.management.infrastructure.capacity_report import CPU, MEMORY
from cloudsim.management.server import ManagementServer
from cloudsim.model import CapacitySample, Host
from cloudsim.randomness import Randomness
from tests.cloudsim.management.cloud_harness import Cloud

HOUR, DAY = 3600.0, 86_400.0


def of(cloud: Cloud, start: float | None = None, end: float | None = None, apart: float = 0.0) -> Any:
    return cloud.manager.capacity_history.between(cloud.zone.id, start, end, apart)


def rows(cloud: Cloud) -> list[CapacitySample]:
    return list(cloud.table(CapacitySample))


def figure(sample: CapacitySample, type_: int) -> tuple[int, int]:
    at = sample.types.index(type_)
    return sample.used[at], sample.total[at]


def test_a_sample_says_what_there_is_at_a_round_time(cloud: Cloud) -> None:
    vm = cloud.deploy()
    cloud.call(cloud.manager.hosts.update, next(iter(cloud.table(Host))), allocation="Disabled")
    cloud.wait(600)
    sample = of(cloud)[-1]
    assert sample.sampled % 300 == 0 and cloud.world.now() - sample.sampled < 300
    enabled = [h for h in cloud.table(Host) if h.resource_state == "Enabled"]
    mine = [h for h in enabled if h.id == vm.host_id]
    used = sum(vm.cpus * vm.cpu_mhz for _ in mine)
    assert figure(sample, CPU) == (used, sum(h.cpus * h.cpu_mhz for h in enabled))
    assert figure(sample, MEMORY)[1] == sum(h.memory_mib for h in enabled) << 20
    assert sample.instances == {"Running": 1} and sample.hosts == {"Up": 2}
    assert sum(sample.fill) == len(enabled) == 1


def test_instances_are_counted_by_state_as_they_change(cloud: Cloud) -> None:
    first, second = cloud.deploy("one"), cloud.deploy("two")
    cloud.stop(first)
    cloud.wait(300)
    assert of(cloud)[-1].instances == {"Running": 1, "Stopped": 1}
    cloud.call(cloud.manager.capacity_history.sample)
    cloud.stop(second)
    cloud.wait(300)
    assert of(cloud)[-1].instances == {"Stopped": 2}


def test_a_full_host_is_in_the_last_tenth(cloud: Cloud) -> None:
    cloud.call(cloud.manager.capacity_history.sample)
    assert of(cloud)[-1].fill == (2, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    host = next(iter(cloud.table(Host)))
    capacity = cloud.manager.capacity
    capacity.reserve(capacity.slot[host.id], 1, 0, host.memory_mib, cloud.owner.id)
    cloud.call(cloud.manager.capacity_history.sample)
    assert of(cloud)[-1].fill == (1, 0, 0, 0, 0, 0, 0, 0, 0, 1)


def test_samples_go_on_after_a_restart(cloud: Cloud) -> None:
    cloud.deploy()
    cloud.wait(HOUR)
    before = of(cloud)
    cloud.do(cloud.manager.stop())
    cloud.manager = ManagementServer(cloud.store, cloud.world, Randomness(9))
    cloud.call(cloud.manager.start)
    cloud.wait(HOUR)
    after = of(cloud)
    assert after[: len(before)] == before and len(after) == len(before) + 12
    times = [sample.sampled for sample in after]
    assert {b - a for a, b in pairwise(times)} == {300.0}
    assert after[-1].instances == {"Running": 1}


def test_a_span_of_time_is_asked_for_by_its_ends_and_its_grain(cloud: Cloud) -> None:
    cloud.wait(2 * HOUR)
    times = [sample.sampled for sample in of(cloud)]
    assert [s.sampled for s in of(cloud, times[3], times[5])] == times[3:6]
    assert [s.sampled for s in of(cloud, end=times[1])] == times[:2]
    assert of(cloud, start=times[-1] + 1) == []
    hourly = [s.sampled for s in of(cloud, apart=HOUR)]
    assert hourly == [t for i, t in enumerate(times) if i == 0 or t % HOUR == 0]


def test_old_samples_are_thinned_to_one_an_hour_and_then_forgotten(cloud: Cloud) -> None:
    settings = cloud.manager.settings
    for name, value in (("retention", "1"), ("hourly.retention", "3")):
        settings.set(f"capacity.history.{name}", value)
    settings.set("capacity.history.interval", "600")
    cloud.wait(5 * DAY)
    now, samples = of(cloud)[-1].sampled, of(cloud)
    whole = [s for s in samples if s.sampled >= now - DAY]
    thinned = [s for s in samples if s.sampled < now - DAY]
    assert len(whole) == 145 and len(thinned) == 48
    assert len({s.sampled // HOUR for s in thinned}) == 48
    assert min(s.sampled for s in samples) >= now - 3 * DAY
    assert sorted(s.id for s in rows(cloud)) == sorted(s.id for s in samples)


def test_an_interval_of_zero_takes_no_samples_until_it_is_set_again(cloud: Cloud) -> None:
    cloud.manager.settings.set("capacity.history.interval", "0")
    cloud.wait(HOUR)
    taken = len(rows(cloud))
    cloud.wait(HOUR)
    assert len(rows(cloud)) == taken
    cloud.manager.settings.set("capacity.history.interval", "60")
    cloud.wait(HOUR)
    assert len(rows(cloud)) > taken + 50
