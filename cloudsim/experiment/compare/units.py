"""One run of a comparison: what decides its outcome, its key, and how it is done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from cloudsim.experiment.blocks import RequestBlock
from cloudsim.experiment.compare.cells import cells_of
from cloudsim.experiment.compare.clusters import Cluster
from cloudsim.experiment.compare.placements import Placements, of_replay, of_run
from cloudsim.experiment.compare.record import FORMAT, Record, packed
from cloudsim.experiment.compare.snapshots import snapshots_of
from cloudsim.experiment.compare.spec import CELLS
from cloudsim.experiment.compare.traits import facts_of
from cloudsim.experiment.replay import replay
from cloudsim.experiment.result import RunResult
from cloudsim.experiment.run import run
from cloudsim.experiment.scenario import LoadedScenario
from cloudsim.experiment.summary import deploy_times, placement_check
from cloudsim.experiment.traces import Trace
from cloudsim.randomness import Randomness

KEPT_TRACES = 2
"""Traces that a process keeps in memory: units come in the order of their traces."""


class Unit(NamedTuple):
    """A run. `trace` reads its files from `folder`; `scenario` is what the full engine runs, None for a replay."""

    key: str
    trace_name: str
    cluster: Cluster
    policy: str
    seed: int
    trace: Trace
    folder: Path
    until: Any
    scenario: LoadedScenario | None


def key_of(identity: dict[str, Any]) -> str:
    """The SHA-256 of all that decides a run's outcome, as plain data."""
    return hashlib.sha256(
        msgspec.json.encode([FORMAT, CELLS, identity], order="sorted")
    ).hexdigest()


def execute(unit: Unit, clock: Callable[[], float]) -> Record:
    """Do the run. `clock()` are the CPU seconds of this process."""
    if unit.scenario is not None:
        return _full(unit, unit.scenario, clock)
    blocks, digest = _read(unit.trace, unit.folder, unit.seed)
    groups = unit.cluster.groups
    result = replay(
        lambda: iter(blocks),
        groups,
        unit.policy,
        seed=unit.seed,
        until=unit.until,
        samples=False,
        keep_assignments=True,
        clock=clock,
    )
    assert result.assignments is not None
    totals = result.totals
    placements = of_replay(blocks, result.assignments, groups, totals.end_ms)
    return _record(
        unit,
        placements,
        engine=totals.engine,
        trace_digest=digest,
        placed=totals.placed,
        rejected=totals.rejected,
        check=totals.check,
        cpu_seconds=result.cpu_seconds,
    )


@lru_cache(maxsize=KEPT_TRACES)
def _read(trace: Trace, folder: Path, seed: int) -> tuple[list[RequestBlock], str]:
    """All requests of a trace, and their digest: read once for all policies."""
    blocks = list(trace.blocks(folder, Randomness(seed)))
    return blocks, facts_of(blocks).digest


def _full(unit: Unit, scenario: LoadedScenario, clock: Callable[[], float]) -> Record:
    began = clock()
    result = run(scenario, unit.seed)
    spent = clock() - began
    cluster = unit.cluster
    return _record(
        unit,
        of_run(result, cluster.cpu_overcommit, cluster.memory_overcommit),
        engine="run",
        trace_digest=result.checked.trace.digest,
        placed=result.outcomes.counts["placed"],
        rejected=dict(result.outcomes.causes),
        check=placement_check(result),
        cpu_seconds=spent,
        figures=_figures(result),
    )


def _figures(result: RunResult) -> dict[str, float | None]:
    """What only a full run has."""
    outcomes = result.outcomes
    waits = [at - came for at, came in zip(outcomes.placed_at, outcomes.arrival, strict=True) if at is not None]
    p50, p95, p99 = np.percentile(waits, (50, 95, 99)).tolist() if waits else (None, None, None)
    deploy = deploy_times(result)
    found: dict[str, float | None] = {
        "time_to_place_p50_s": p50,
        "time_to_place_p95_s": p95,
        "time_to_place_p99_s": p99,
        "deploy_p50_s": deploy["p50"],
        "deploy_p99_s": deploy["p99"],
        "migrations": float(_migrations(result)),
    }
    if len(result.tasks):
        found["mean_slowdown"] = result.tasks.figures()["mean_slowdown"]
    return found


def _migrations(result: RunResult) -> int:
    jobs = result.recorder.jobs
    return jobs["migrateVirtualMachine", "succeeded"] + jobs["migrateVirtualMachineWithVolume", "succeeded"]


def _record(unit: Unit, placements: Placements, **rest: Any) -> Record:
    sums, peaks = cells_of(placements)
    cpu, memory, gpu = placements.capacity.sum(axis=0).tolist()
    return Record(
        key=unit.key,
        trace=unit.trace_name,
        cluster=unit.cluster.name,
        policy=unit.policy,
        seed=unit.seed,
        requests=len(placements.arrival),
        over_ms=placements.over,
        hosts=len(placements.capacity),
        capacity=(cpu, memory, gpu),
        sums=packed(sums),
        peaks=packed(peaks),
        shots=packed(snapshots_of(placements)),
        **rest,
    )
