"""What the runs of a comparison say: figures of each, means with intervals, and differences from the baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cloudsim.experiment.compare.metrics import METRICS, Measured, Watts, series
from cloudsim.experiment.compare.plan import Case, Plan
from cloudsim.experiment.compare.record import Record
from cloudsim.experiment.compare.spec import CELLS
from cloudsim.experiment.compare.statistics import Difference, Estimate, estimate, holm, paired
from cloudsim.experiment.compare.warmup import mser


class Against(NamedTuple):
    """A policy's difference from the baseline in one metric; `holm_*` are p-values adjusted for the number of policies."""

    difference: Difference
    relative: float | None
    holm_t: float | None = None
    holm_signed_rank: float | None = None

    @property
    def certain(self) -> bool | None:
        """Whether the interval leaves zero out; None where there is none."""
        low, high = self.difference.estimate.low, self.difference.estimate.high
        return None if low is None or high is None else low > 0 or high < 0


class Row(NamedTuple):
    """A policy in a case: its runs, the values of each metric by replication, their mean, and what differs from the baseline.

    With slices the values are of slices; else of runs.
    """

    policy: str
    records: tuple[Record, ...]
    figures: tuple[dict[str, float], ...]
    values: dict[str, list[float]]
    estimates: dict[str, Estimate]
    against: dict[str, Against]


class CaseResult(NamedTuple):
    """A case with a row for each policy, the baseline among them.

    `begin` is the first cell that counts, `measured_h` the hours that do, on average over runs. `note` says what is to
    be known about the warm-up; `replication` what stands behind intervals.
    """

    case: Case
    rows: tuple[Row, ...]
    baseline: str
    metrics: tuple[str, ...]
    begin: int
    measured_h: float
    note: str
    replication: str

    def row(self, policy: str) -> Row:
        return next(row for row in self.rows if row.policy == policy)

    @property
    def ranked(self) -> list[Row]:
        """Rows, the best by the leading metric first."""
        if not self.metrics:
            return list(self.rows)
        leading = self.metrics[0]
        sign = -1 if METRICS[leading].less is False else 1

        def place(row: Row) -> float:
            found = row.estimates.get(leading)
            return math.inf if found is None else sign * found.mean

        return sorted(self.rows, key=place)


def analyse(plan: Plan, records: Sequence[Record]) -> list[CaseResult]:
    """All cases; `records` are in the order of the plan's units. Raises ScenarioError for a warm-up that leaves nothing."""
    by_case: dict[tuple[str, str], dict[str, list[Record]]] = {}
    for record in records:
        by_case.setdefault((record.trace, record.cluster), {}).setdefault(record.policy, []).append(record)
    return [_case(plan, case, by_case[case.trace, case.cluster.name]) for case in plan.cases]


def _case(plan: Plan, case: Case, found: dict[str, list[Record]]) -> CaseResult:
    begin, note = _warm_up(plan, case, found)
    spec = plan.loaded.spec
    rows = {policy: _row(policy, runs, begin, plan.watts, case.slices) for policy, runs in found.items()}
    there = {name for _, _, figures, _ in rows.values() for each in figures for name in each}
    metrics = tuple(name for name in case.metrics if name in there)
    complete = [
        Row(policy, runs, figures, values, {n: estimate(v, spec.confidence) for n, v in values.items()}, {})
        for policy, runs, figures, values in rows.values()
    ]
    baseline = next(row for row in complete if row.policy == plan.baseline)
    for row in complete:
        if row is not baseline:
            for name in metrics:
                if name in row.values and name in baseline.values:
                    row.against[name] = _against(row.values[name], baseline.values[name], spec.confidence)
    for name in metrics:
        _adjust(complete, name)
    hours = [(1 - begin / CELLS) * r.over_ms / 3.6e6 for runs in found.values() for r in runs]
    return CaseResult(
        case,
        tuple(complete),
        plan.baseline,
        metrics,
        begin,
        float(np.mean(hours)),
        note,
        _replication(case),
    )


_Values = tuple[str, tuple[Record, ...], tuple[dict[str, float], ...], dict[str, list[float]]]


def _row(
    policy: str, runs: list[Record], begin: int, watts: Watts | None, slices: int | None
) -> _Values:
    measured = [Measured(record, begin, watts) for record in runs]
    figures = tuple(each.figures() for each in measured)
    common = [name for name in METRICS if all(name in each for each in figures)]
    values = {name: [each[name] for each in figures] for name in common}
    if slices is not None:
        values |= measured[0].slices(slices)
    return policy, tuple(runs), figures, values


def _against(values: list[float], baseline: list[float], confidence: float) -> Against:
    """A side that has one value has the same for every seed: it does not depend on it."""
    n = max(len(values), len(baseline))
    values = values * n if len(values) == 1 else values
    baseline = baseline * n if len(baseline) == 1 else baseline
    difference = paired(values, baseline, confidence)
    mean = float(np.mean(baseline))
    return Against(difference, difference.estimate.mean / mean if mean else None)


def _adjust(rows: Sequence[Row], metric: str) -> None:
    """Holm's adjustment over all policies that are compared in one metric."""
    compared = [
        row for row in rows if metric in row.against and row.against[metric].difference.p_t is not None
    ]
    by_t = holm([row.against[metric].difference.p_t or 0.0 for row in compared])
    by_rank = holm([row.against[metric].difference.p_signed_rank or 0.0 for row in compared])
    for row, t, rank in zip(compared, by_t, by_rank, strict=True):
        row.against[metric] = row.against[metric]._replace(holm_t=t, holm_signed_rank=rank)


def _warm_up(plan: Plan, case: Case, found: dict[str, list[Record]]) -> tuple[int, str]:
    """The first cell that counts, the same for all runs of the case, and what is to be known about it."""
    wanted = plan.loaded.spec.warm_up
    if wanted == "mser-5":
        # In whole hosts: where all hosts have instances, what is left of a host's hours is no transient.
        cuts = {policy: mser(np.rint(series(runs, "not_empty"))) for policy, runs in found.items()}
        untold = [policy for policy, cut in cuts.items() if cut is None]
        begin = max((cut for cut in cuts.values() if cut is not None), default=0)
        note = f"MSER-5 leaves out the first {begin / CELLS:.1%} of each run: the most that it finds for any policy."
        if untold:
            note += (
                f" For {', '.join(untold)} it finds no end of the transient in the first half: such runs are too short"
                " for it, or never steady."
            )
        return begin, note
    if not wanted:
        return 0, ""
    shortest = min(record.over_ms for runs in found.values() for record in runs)
    begin = math.ceil(1000 * wanted / max(shortest, 1e-9) * CELLS - 1e-9)
    if begin >= CELLS:
        text = f"expected less than the {shortest / 1000:,.0f} s that {case.name} takes, got {wanted:,.0f}"
        raise plan.loaded.source.wrong(["warm_up"], text)
    return begin, f"The first {begin / CELLS:.1%} of each run is left out, {wanted:,.0f} s rounded up to whole cells."


def _replication(case: Case) -> str:
    most = max(len(seeds) for seeds in case.runs.values())
    if case.slices is not None:
        return (
            f"one run of each policy, divided into {case.slices} slices of time: intervals are about this trace's own"
            " variation over time"
        )
    if most == 1:
        return "one run of each policy: no interval is claimed"
    if case.varies:
        return f"{most} seeds, the same requests for every policy under a seed"
    return (
        f"the trace is the same for every seed; policies that use chance have {most} seeds, and intervals are about"
        " that chance alone"
    )


