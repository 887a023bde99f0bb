"""Replays a trace: only requests, hosts and the policy, with the management server's rules for what fits where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.blocks import RequestBlock, whole_instants
from cloudsim.experiment.errors import ScenarioError, TraceError
from cloudsim.experiment.replay.bounds import HostsNeeded
from cloudsim.experiment.replay.general import GeneralEngine
from cloudsim.experiment.replay.hosts import HostGroup
from cloudsim.experiment.replay.indexed import IndexedEngine, NotIndexed, takes
from cloudsim.experiment.replay.result import ReplayResult
from cloudsim.experiment.replay.samples import Sampler
from cloudsim.placement import policy as named
from cloudsim.randomness import Randomness

EngineName = Literal["auto", "indexed", "general"]


def planner_randomness(seed: int) -> Randomness:
    """The branch from which a run of that seed gives its planner chance: the same choices in both engines."""
    return Randomness(seed).branch("cloud").branch("management server")


def replay(
    blocks: Callable[[], Iterator[RequestBlock]],
    hosts: Sequence[HostGroup],
    policy: str,
    *,
    seed: int = 0,
    measure_from_ms: int = 0,
    until: Literal["last-arrival", "last-departure"] = "last-arrival",
    samples: bool = True,
    keep_assignments: bool = False,
    engine: EngineName = "auto",
    clock: Callable[[], float] = lambda: 0.0,
    progress: Callable[[int], None] = lambda placed: None,
) -> ReplayResult:
    """Place the requests of `blocks()` on `hosts`, and say how it went.

    At an arrival what leaves at that millisecond or before has left. A request that no host can hold is dropped. Time averages
    begin at `measure_from_ms`. `clock()` are seconds of CPU, of which the result counts those spent on placing and on sampling.
    `engine` "auto" takes the indexed one where there is an index, and begins again with the general one where the trace turns out
    to have what it does not know. Memory grows with the instances that run at a time, not with the trace (but for
    `keep_assignments`, four bytes a request). Raises InvalidParameterValue for the policy, TraceError, ScenarioError.
    """
    if not sum(group.number for group in hosts):
        raise ScenarioError("hosts: expected at least one")
    if any(group.number and min(group.cpu, group.memory) < 1 for group in hosts):
        raise ScenarioError("hosts: expected at least one MHz and one MiB for instances on each")
    randomness = planner_randomness(seed)
    chooser = named(policy, randomness.branch("placement"))
    sampler = Sampler(clock) if samples else None
    if engine != "general" and takes(chooser, hosts):
        try:
            indexed = IndexedEngine(chooser, hosts, sampler, measure_from_ms)
            return _run(indexed, blocks(), policy, seed, sampler, until, keep_assignments, clock, progress)
        except NotIndexed as error:
            if engine == "indexed":
                raise InvalidParameterValue(f"engine: the indexed one cannot replay this: {error}") from error
            sampler = Sampler(clock) if samples else None
    elif engine == "indexed":
        raise InvalidParameterValue(f"engine: there is no index for {policy} on these hosts")
    general = GeneralEngine(policy, hosts, sampler, measure_from_ms, randomness)
    source = whole_instants(blocks()) if chooser.orders_batches else blocks()
    return _run(general, source, policy, seed, sampler, until, keep_assignments, clock, progress)


def _run(
    engine: IndexedEngine | GeneralEngine,
    blocks: Iterator[RequestBlock],
    policy: str,
    seed: int,
    sampler: Sampler | None,
    until: str,
    keep_assignments: bool,
    clock: Callable[[], float],
    progress: Callable[[int], None],
) -> ReplayResult:
    kept: list[np.ndarray] = []
    spent = 0.0
    requests = 0
    for block in blocks:
        if not len(block):
            continue
        began = clock()
        slots = engine.place(block)
        spent += clock() - began
        requests += len(block)
        if keep_assignments:
            kept.append(slots)
        progress(requests)
    if not requests:
        raise TraceError("expected at least one request")
    began = clock()
    totals = engine.finish(until == "last-departure")
    spent += clock() - began
    found = sampler.samples if sampler is not None else []
    return ReplayResult(
        policy=policy,
        seed=seed,
        totals=totals,
        samples=found,
        linear_bound=_linear(engine, sampler),
        assignments=np.concatenate(kept) if keep_assignments else None,
        cpu_seconds=spent - (sampler.spent if sampler is not None else 0.0),
        sampling_cpu_seconds=sampler.spent if sampler is not None else 0.0,
    )


def _linear(engine: IndexedEngine | GeneralEngine, sampler: Sampler | None) -> np.ndarray | None:
    """Hosts needed at each sample by the LP bound, on hosts that are not all alike."""
    capacity = engine.capacity()
    if sampler is None or capacity.shape[1] > 2:
        return None
    needed = HostsNeeded(capacity)
    if len(needed.kinds) == 1:
        return None
    used = np.array([(s.cpu_used, s.memory_used) for s in sampler.samples], np.int64).reshape(-1, 2)
    levels, place = np.unique(used, axis=0, return_inverse=True)
    found: np.ndarray = np.array([needed.linear(level) for level in levels], np.int64)[place.reshape(-1)]
    return found
