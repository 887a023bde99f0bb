"""What a replay reports, reckoned by hand for seven requests on two hosts. See docs/metrics.md for the definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cloudsim.experiment.replay import ReplayResult
from tests.cloudsim.experiment.replay.workloads import HOUR, host, played, slots, vm

HOSTS = [host(4, 8, number=2)]
TRACE = [
    vm(0, 4 * HOUR, 2, 2),
    vm(HOUR, HOUR, 2, 6),  # now the first host is full
    vm(HOUR, 2 * HOUR, 1, 4),
    vm(HOUR, 10 * HOUR, 4, 1),  # no host has so many cores left
    vm(2 * HOUR, HOUR, 1, 7),  # nor so much memory, though one has left
    vm(3 * HOUR, None, 1, 1),
    vm(4 * HOUR, HOUR, 1, 1),
]
ENGINES = pytest.mark.parametrize("engine", ["indexed", "general"])


def metrics(**more: Any) -> dict[str, Any]:
    result = played(TRACE, HOSTS, **more)
    assert slots(result) == [0, 0, 1, -1, -1, 0, 0]
    return result.metrics()


@ENGINES
def test_of_the_whole_trace(engine: str) -> None:
    # In each of its four hours: 1, 3, 2, 2 instances with 2, 5, 3, 3 MHz and 2, 12, 6, 3 MiB on 1, 2, 2, 1 hosts.
    found = metrics(engine=engine)
    expected = {
        "requests": 7,
        "placed": 5,
        "rejected": 2,
        "rejected_cpu": 1,
        "rejected_memory": 1,
        "rejected_share": 2 / 7,
        "rejected_core_hours_share": (40 + 1) / (8 + 2 + 2 + 40 + 1 + 1),
        "hosts": 2,
        "span_h": 4,
        "measured_h": 4,
        "instances_average": 8 / 4,
        "instances_peak": 3,
        "not_empty_average": 6 / 4,
        "not_empty_peak": 2,
        "empty_share": 1 - 6 / 8,
        "host_hours": 6,
        "host_hours_bound": 1 + 2 + 1 + 1,
        "host_hours_ratio": 6 / 5,
        "cpu_allocated_share": 13 / (4 * 8),
        "memory_allocated_share": 23 / (4 * 16),
        "cpu_packing_density": 13 / (6 * 4),
        "memory_packing_density": 23 / (6 * 8),
        "check": 1 * 1 + 1 * 2 + 2 * 3 + 1 * 6 + 1 * 7,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert set(found) - set(expected) == {"stranded_cpu", "stranded_memory", "fragmentation", "gini"}


@ENGINES
def test_after_a_warm_up_of_two_hours(engine: str) -> None:
    found = metrics(engine=engine, measure_from_ms=2 * HOUR)
    expected = {
        "requests": 7,
        "rejected": 2,
        "rejected_share": 1 / 3,
        "rejected_core_hours_share": 1 / (1 + 1),
        "span_h": 4,
        "measured_h": 2,
        "instances_average": 2,
        "not_empty_average": 3 / 2,
        "empty_share": 1 - 3 / 4,
        "host_hours": 3,
        "host_hours_bound": 2,
        "cpu_allocated_share": 6 / (2 * 8),
        "memory_allocated_share": 9 / (2 * 16),
        "cpu_packing_density": 6 / (3 * 4),
        "memory_packing_density": 9 / (3 * 8),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@ENGINES
def test_until_the_last_departure(engine: str) -> None:
    # An hour more with two instances on one host. The one that runs on does not count as a departure to wait for.
    found = metrics(engine=engine, until="last-departure")
    expected = {"span_h": 5, "instances_average": 10 / 5, "host_hours": 7, "host_hours_bound": 6}
    assert {name: found[name] for name in expected} == pytest.approx(expected)


@ENGINES
def test_where_nothing_was_measured_there_are_no_averages(engine: str) -> None:
    found = metrics(engine=engine, measure_from_ms=5 * HOUR)
    assert (found["measured_h"], found["host_hours"], found["check"]) == (0, 0, 22)
    for name, value in found.items():
        if name.endswith(("_share", "_average", "_density", "_ratio")) or name.startswith(("stranded", "frag", "gini")):
            assert value is None, name


def test_means_of_samples_leave_the_warm_up_out() -> None:
    # One host is used for 8 hours, then the other one, which is larger, too.
    trace = [vm(0, None, 4, 8), vm(8 * HOUR, None, 4, 8), vm(16 * HOUR)]
    result = played(trace, [host(4, 8), host(8, 8)], measure_from_ms=8 * HOUR)
    later = [s for s in result.samples if s.time_ms >= 8 * HOUR]
    assert 0 < len(later) < len(result.samples)
    found = result.metrics()
    assert found["gini"] == pytest.approx(np.mean([s.gini for s in later]))
    assert found["stranded_cpu"] == pytest.approx(4 / 12 * sum(s.instances == 2 for s in later) / len(later))
    # At 8 h itself the second instance has not come yet.
    assert found["hosts_linear_bound_average"] == pytest.approx((1 + 2 * (len(later) - 1)) / len(later))


def test_gpus_count_by_the_thousandth() -> None:
    trace = [vm(0, HOUR, gpus=1, gpu_milli=250), vm(HOUR), vm(2 * HOUR)]
    result = played(trace, [host(gpus=2), host()])
    assert result.metrics()["gpu_allocated_share"] == pytest.approx(250 * 1 / (2 * 2000))
    assert "gpu_allocated_share" not in played(trace[1:], [host()]).metrics()


def test_gpus_count_in_the_volume_bound() -> None:
    trace = [vm(0, gpus=2), vm(0, gpus=2), vm(HOUR)]
    result = played(trace, [host(gpus=2, number=2)])
    assert result.metrics()["host_hours_bound"] == 2


def test_seconds_are_those_of_the_clock_without_what_samples_took() -> None:
    ticks = iter(range(10_000))
    result: ReplayResult = played(TRACE, HOSTS, clock=lambda: float(next(ticks)))
    # The clock goes on by one at each look, and is looked at twice by each sample.
    assert len(result.samples) == 256
    assert result.sampling_cpu_seconds == 256
    assert result.cpu_seconds == (2 * 256 + 1) + 1 - 256
