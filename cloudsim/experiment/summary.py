"""The figures of a run, as the data of summary.json. No wall-clock figure is among them: they are the same each time."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from cloudsim import __version__
from cloudsim.experiment.result import RunResult

_PACKAGES = ("simpy", "numpy", "msgspec", "pyarrow", "matplotlib")
_DIMENSIONS = (("cpu", "cpu_mhz"), ("memory", "memory_mib"), ("gpu", "gpu_milli"))


def summary(result: RunResult) -> dict[str, Any]:
    """Everything that is worth a number. Times are seconds, `share` a fraction of what hosts that are up have."""
    checked, outcomes, recorder = result.checked, result.outcomes, result.recorder
    scenario, trace = checked.loaded.scenario, checked.trace
    counts = outcomes.counts
    return {
        "scenario": {
            "name": scenario.name,
            "file": checked.loaded.name,
            "sha256": scenario.digest(),
            "policy": scenario.policy_text,
        },
        "seed": checked.seed,
        "versions": versions(),
        "trace": {
            "format": str(scenario.workload.__struct_config__.tag),
            "requests": trace.requests,
            "shapes": len(trace.shapes),
            "last_arrival_s": trace.last_arrival,
            "last_departure_s": trace.last_departure,
            "endless": trace.endless,
            "sha256": trace.digest,
        },
        "datacenter": datacenter(result),
        "simulated_s": _rounded(result.simulated),
        "set_up_s": _rounded(result.set_up),
        "requests": {
            "arrived": len(outcomes),
            "placed": counts["placed"],
            "rejected": counts["rejected"],
            "failed": counts["failed"],
            "pending": counts["pending"],
            "by_cause": dict(sorted(outcomes.causes.items())),
            "rejected_core_hours_share": _rejected_share(result),
        },
        "deploy_s": deploy_times(result),
        "allocation": allocation(result),
        "hosts": {
            "up_average": _rounded(recorder.levels.average()["hosts"]),
            "empty_average": _rounded(_mean([row[15] for row in result.sampler.rows])),
            "used": len({host for host in outcomes.host if host is not None}),
        },
        "placement_check": placement_check(result),
        "messages": {
            "total": result.sampler.messages.total(),
            "by_kind": dict(sorted(result.sampler.messages.items())),
        },
        "jobs": {
            "total": recorder.jobs.total(),
            "by_command": {
                command: {
                    outcome: recorder.jobs[command, outcome]
                    for outcome in ("succeeded", "failed")
                    if recorder.jobs[command, outcome]
                }
                | {"mean_s": _rounded(_job_mean(result, command))}
                for command in sorted({command for command, _ in recorder.jobs})
            },
        },
        "events": {
            "total": recorder.events.total(),
            "by_type": {f"{kind} {level}": n for (kind, level), n in sorted(recorder.events.items())},
        },
        "alerts": dict(sorted(recorder.alerts.items())),
        **({"work": result.tasks.figures()} if len(result.tasks) else {}),
        "faults": sum(strike.began for strike in result.strikes),
        "commits": result.commits,
    }


def versions() -> dict[str, str]:
    """Versions of all that decides a run's outcome."""
    found = {"cloudsim": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def datacenter(result: RunResult) -> dict[str, int]:
    """What the hosts have in all."""
    hosts = result.hosts
    return {
        "hosts": len(hosts),
        "cpu_mhz": sum(host.cpu_mhz for host in hosts),
        "memory_mib": sum(host.memory_mib for host in hosts),
        "gpu_milli": sum(host.gpu_milli for host in hosts),
    }


def deploy_times(result: RunResult) -> dict[str, float | int | None]:
    """From arrival until the instance runs, over all requests that were placed."""
    outcomes = result.outcomes
    times = np.array(
        [r - a for a, r in zip(outcomes.arrival, outcomes.running_at, strict=True) if r is not None], float
    )
    if not len(times):
        return {"count": 0, "mean": None, "p50": None, "p95": None, "p99": None, "max": None}
    p50, p95, p99 = np.percentile(times, (50, 95, 99)).tolist()
    return {
        "count": len(times),
        "mean": _rounded(float(times.mean())),
        "p50": _rounded(p50),
        "p95": _rounded(p95),
        "p99": _rounded(p99),
        "max": _rounded(float(times.max())),
    }


def allocation(result: RunResult) -> dict[str, Any]:
    """Time averages and peaks of what instances reserve, by dimension, and of their number."""
    levels = result.recorder.levels
    mean = levels.average()
    peak = dict(zip(mean, levels.peak, strict=True))
    found: dict[str, Any] = {
        "instances": {"average": _rounded(mean["instances"]), "peak": peak["instances"]},
        "vcpus": {"average": _rounded(mean["vcpus"]), "peak": peak["vcpus"]},
    }
    for name, level in _DIMENSIONS:
        capacity = mean[f"{level}_capacity"]
        if capacity:
            found[name] = {
                f"average_{level}": _rounded(mean[level]),
                f"peak_{level}": peak[level],
                f"capacity_{level}": _rounded(capacity),
                "average_share": _rounded(mean[level] / capacity),
                "peak_share": _rounded(peak[level] / peak[f"{level}_capacity"]),
            }
    return found


def placement_check(result: RunResult) -> int:
    """The sum of (host number + 1) * (request number + 1) over placed requests, modulo 2^64: two runs that
    place every request on the same host have the same. Hosts are numbered in the order in which they were added."""
    number = {host.name: index for index, host in enumerate(result.hosts, 1)}
    outcomes = result.outcomes
    total = sum(
        number.get(host, 0) * index
        for index, (host, outcome) in enumerate(zip(outcomes.host, outcomes.outcome, strict=True), 1)
        if host is not None and outcome == "placed"
    )
    return total % (1 << 64)


def _rejected_share(result: RunResult) -> float | None:
    """Core-hours of rejected requests over those of all, as asked for; None where some run on for ever."""
    outcomes = result.outcomes
    asked = rejected = 0.0
    for lifetime, cpus, outcome in zip(outcomes.lifetime, outcomes.cpus, outcomes.outcome, strict=True):
        if lifetime is None:
            return None
        asked += lifetime * cpus
        if outcome == "rejected":
            rejected += lifetime * cpus
    return _rounded(rejected / asked) if asked else 0.0


def _job_mean(result: RunResult, command: str) -> float:
    jobs = result.recorder.jobs
    count = jobs[command, "succeeded"] + jobs[command, "failed"]
    return result.recorder.job_seconds[command] / count if count else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _rounded(value: float) -> float:
    return round(value, 6)
