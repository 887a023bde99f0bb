"""Does the runs of a comparison, side by side, each kept as soon as it is done: processes here, or a Ray or Dask cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import joblib
import msgspec
import numpy as np

from cloudsim.errors import CloudError
from cloudsim.experiment.blocks import Flavour, RequestBlock
from cloudsim.experiment.compare.plan import Plan
from cloudsim.experiment.compare.record import Record, Records
from cloudsim.experiment.compare.units import Unit, execute
from cloudsim.experiment.errors import ExperimentError
from cloudsim.experiment.replay import HostGroup, replay

Clock = Callable[[], float]
BACKENDS = {"processes": "loky", "dask": "dask", "ray": "ray"}
"""Where runs are done, and joblib's name of it."""
AT_A_TIME = 8
"""How many runs for each job are handed out together where results come back only all together."""


class Done(NamedTuple):
    """A run that is done now (or was, with `seconds` None: found from before)."""

    unit: Unit
    seconds: float | None


class _Work(NamedTuple):
    """A run, with what a process elsewhere needs to do it; `number` is its place in the plan."""

    number: int
    unit: Unit
    clock: Clock
    search: tuple[str, ...]


class RunFailed(ExperimentError):
    """A run that could not be done: the text says which, and why."""


def run_all(
    plan: Plan,
    records: Records,
    *,
    jobs: int = 1,
    backend: str = "processes",
    resume: bool = False,
    clock: Clock = lambda: 0.0,
    progress: Callable[[Done], None] = lambda done: None,
) -> list[Record]:
    """Do all runs, `jobs` at a time, and return their records in the plan's order.

    Each is put into `records` when it is done; with `resume` those that are there already are not done again.
    `backend` "ray" and "dask" are joblib's: a client must have been connected. `clock()` are seconds of the CPU of the
    process that calls it, and is sent to others. Raises RunFailed, with all that is done kept.
    """
    found: dict[int, Record] = {}
    if resume:
        for index, unit in enumerate(plan.units):
            record = records.get(unit.key)
            if record is not None:
                found[index] = msgspec.structs.replace(
                    record, trace=unit.trace_name, cluster=unit.cluster.name, policy=unit.policy
                )
                progress(Done(unit, None))
    search = tuple(os.path.abspath(path) for path in sys.path)
    left = [_Work(i, unit, clock, search) for i, unit in enumerate(plan.units) if i not in found]
    for policy in sorted({work.unit.policy for work in left}):
        if backend == "processes":
            compile_for(policy)  # once here: other processes find it in the cache
    for index, record, seconds in _results(left, jobs, backend):
        records.put(record)
        found[index] = record
        progress(Done(plan.units[index], seconds))
    return [found[index] for index in range(len(plan.units))]


def _results(left: Sequence[_Work], jobs: int, backend: str) -> Iterator[tuple[int, Record, float]]:
    if jobs == 1 and backend == "processes":
        yield from map(_do, left)
        return
    with joblib.parallel_config(backend=BACKENDS[backend], n_jobs=jobs):
        streaming = joblib.Parallel()._backend.supports_return_generator
        if streaming:
            call: Any = joblib.Parallel(return_as="generator_unordered", batch_size=1)
            yield from call(joblib.delayed(_do)(work) for work in left)
            return
        together = max(1, jobs) * AT_A_TIME
        for first in range(0, len(left), together):
            yield from joblib.Parallel()(joblib.delayed(_do)(work) for work in left[first : first + together])


def _do(work: _Work) -> tuple[int, Record, float]:
    """Runs in another process, which may be on another machine."""
    sys.path.extend(path for path in work.search if path not in sys.path)
    unit = work.unit
    where = f"{unit.policy} on {unit.trace_name} on {unit.cluster.name}, seed {unit.seed}"
    try:
        if unit.scenario is None:
            compile_for(unit.policy)
        began = work.clock()
        record = execute(unit, work.clock)
    except (ExperimentError, CloudError) as error:
        raise RunFailed(f"{where}: {getattr(error, 'text', str(error))}") from error
    except Exception as error:  # of a policy from elsewhere, or a defect: what happened, and in which run
        error.add_note(f"in the run of {where}")
        raise
    return work.number, record, work.clock() - began


_COMPILED: set[str] = set()


def compile_for(policy: str) -> None:
    """Place one request, so that what is compiled for the policy is compiled (or loaded) before anything is timed."""
    if policy not in _COMPILED:
        one = np.zeros(1, np.int64)
        block = RequestBlock(0, one, one + 1, one - 1, one, [Flavour(1, 1, 1)])
        replay(lambda: iter([block]), (HostGroup(1, 1, 1024),), policy, samples=False)
        _COMPILED.add(policy)
