"""The metrics of a comparison: what each is called, and how it is made from the sums of a run. docs/metrics.md defines them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from cloudsim.experiment.compare import cells, snapshots
from cloudsim.experiment.compare.placements import Floats
from cloudsim.experiment.compare.record import Record
from cloudsim.experiment.compare.spec import CELLS

HOUR_MS = 3.6e6
Show = Literal["share", "ratio", "number", "seconds", "kWh"]


class Metric(NamedTuple):
    """`label` names it in tables and on axes; `show` says how its values are written; `less` is whether less is better (None:
    that depends); `text` defines it."""

    label: str
    show: Show
    less: bool | None
    text: str


METRICS: dict[str, Metric] = {
    "host_hours_ratio": Metric(
        "Host-hours over volume bound",
        "ratio",
        True,
        "Time integral of hosts that have instances, over the time integral of the volume bound: the fewest "
        "hosts whose capacity is what is reserved, in each dimension.",
    ),
    "not_empty_average": Metric(
        "Hosts with instances",
        "number",
        True,
        "Time average of hosts that have instances.",
    ),
    "empty_share": Metric(
        "Empty hosts",
        "share",
        False,
        "Time average of hosts without instances, over all hosts.",
    ),
    "host_hours": Metric("Host-hours", "number", True, "Time integral of hosts that have instances, in hours."),
    "host_hours_bound": Metric(
        "Host-hours, volume bound",
        "number",
        None,
        "Time integral of the volume bound, in hours.",
    ),
    "hosts_linear_bound_average": Metric(
        "Hosts needed, LP bound",
        "number",
        None,
        "Mean over snapshots of the LP bound, on hosts that are not all alike.",
    ),
    "rejected_share": Metric(
        "Rejected requests",
        "share",
        True,
        "Requests that were not placed, over all that arrived.",
    ),
    "rejected_core_hours_share": Metric(
        "Rejected core-hours",
        "share",
        True,
        "Cores times lifetime of requests that were not placed, over that of all; requests without an end "
        "do not count.",
    ),
    "cpu_packing_density": Metric(
        "CPU packing density",
        "share",
        False,
        "Reserved MHz over the MHz of hosts that have instances, both integrated.",
    ),
    "memory_packing_density": Metric(
        "Memory packing density",
        "share",
        False,
        "Reserved MiB over the MiB of hosts that have instances, both integrated.",
    ),
    "cpu_allocated_share": Metric(
        "CPU allocated",
        "share",
        False,
        "Reserved MHz over the MHz of all hosts, both integrated.",
    ),
    "memory_allocated_share": Metric(
        "Memory allocated",
        "share",
        False,
        "Reserved MiB over the MiB of all hosts, both integrated.",
    ),
    "gpu_allocated_share": Metric(
        "GPU allocated",
        "share",
        False,
        "Reserved GPUs over all GPUs, both integrated.",
    ),
    "stranded_cpu": Metric(
        "CPU stranded",
        "share",
        True,
        "MHz left on hosts that can take no size asked for so far, over all MHz; mean over snapshots.",
    ),
    "stranded_memory": Metric(
        "Memory stranded",
        "share",
        True,
        "MiB left on hosts that can take no size asked for so far, over all MiB; mean over snapshots.",
    ),
    "fragmentation": Metric(
        "Fragmentation",
        "share",
        True,
        "Share of the CPU left that an instance drawn from the requests so far could not use; mean over "
        "snapshots.",
    ),
    "gini": Metric(
        "Gini of load",
        "ratio",
        None,
        "Gini coefficient over hosts of the larger of their shares of CPU and memory; mean over snapshots.",
    ),
    "instances_average": Metric("Instances", "number", False, "Time average of instances that have a host."),
    "energy_kwh": Metric(
        "Energy",
        "kWh",
        True,
        "Time integral of the power of all hosts by the power model, linear in the reserved share of CPU.",
    ),
    "not_empty_peak": Metric(
        "Hosts with instances, peak",
        "number",
        True,
        "The most hosts that had instances at a time.",
    ),
    "instances_peak": Metric("Instances, peak", "number", None, "The most instances at a time."),
    "not_empty_end": Metric(
        "Hosts with instances, end",
        "number",
        True,
        "Hosts that had instances, on average over the last cell of the run.",
    ),
    "cpu_allocated_end": Metric(
        "CPU allocated, end",
        "share",
        False,
        "Reserved MHz over all MHz in the last cell of the run: what a filling study fills.",
    ),
    "memory_allocated_end": Metric("Memory allocated, end", "share", False, "The same of MiB."),
    "gpu_allocated_end": Metric("GPU allocated, end", "share", False, "The same of GPUs."),
    "time_to_place_p50_s": Metric(
        "Time to place, median",
        "seconds",
        True,
        "From arrival until capacity is reserved; full engine.",
    ),
    "time_to_place_p95_s": Metric("Time to place, 95th percentile", "seconds", True, "The same."),
    "time_to_place_p99_s": Metric("Time to place, 99th percentile", "seconds", True, "The same."),
    "deploy_p50_s": Metric(
        "Deployment, median",
        "seconds",
        True,
        "From arrival until the instance runs; full engine.",
    ),
    "deploy_p99_s": Metric("Deployment, 99th percentile", "seconds", True, "The same."),
    "migrations": Metric("Migrations", "number", True, "Live migrations that succeeded; full engine."),
    "mean_slowdown": Metric(
        "Slowdown of work",
        "ratio",
        True,
        "How many times as long as alone at full speed tasks took, mean; full engine, work.",
    ),
}
"""By name, in the order of columns."""

DEFAULT = (
    "host_hours_ratio",
    "empty_share",
    "cpu_packing_density",
    "memory_packing_density",
    "rejected_share",
    "stranded_cpu",
    "fragmentation",
)

TOTALS = ("host_hours", "host_hours_bound", "energy_kwh")
"""Metrics that grow with time: without a slice they are taken for the whole time again."""

Watts = tuple[float, float, bool]
"""Idle and peak power of a host (W), and whether hosts without instances are idle, not off."""


def shown(name: str, value: float | None, half: float | None = None, plus_minus: str = "±") -> str:
    """A value as tables have it, with half its interval where there is one."""
    if value is None or math.isnan(value):
        return "–"
    kind = METRICS[name].show
    factor, unit = {"share": (100.0, " %"), "seconds": (1.0, " s"), "kWh": (1.0, " kWh")}.get(kind, (1.0, ""))
    digits = _digits(kind, factor * value, None if half is None else factor * half)
    text = f"{factor * value:,.{digits}f}"
    return f"{text}{unit}" if half is None else f"{text} {plus_minus} {factor * half:,.{digits}f}{unit}"


def _digits(kind: Show, value: float, half: float | None) -> int:
    """Digits after the point: as many as the kind has, or as an interval that is smaller still needs for one of its own."""
    if kind in ("share", "ratio"):
        return 2 if kind == "share" else 4
    needed = 0 if abs(value) >= 1000 else 1
    if kind == "seconds" and 0 < abs(value) < 10:
        needed = 1 - math.floor(math.log10(abs(value)))
    if half:
        needed = max(needed, min(4, -math.floor(math.log10(half))))
    return needed


class Measured:
    """The figures of a run from cell `begin` on, whole or without some of the slices that time is divided into."""

    def __init__(self, record: Record, begin: int, watts: Watts | None = None) -> None:
        self.record = record
        self.begin = begin
        self._watts = watts
        self._sums = record.table()
        self._shots = record.states()
        self._shot_cell = np.arange(len(self._shots)) * snapshots.EVERY + snapshots.EVERY - 1

    def figures(self) -> dict[str, float]:
        """All figures that the run has, by name."""
        found = self._figures(np.arange(CELLS) >= self.begin)
        record, highest = self.record, self.record.highest()[self.begin :]
        found["instances_peak"], found["not_empty_peak"] = highest.max(axis=0).tolist()
        last = dict(zip(cells.COLUMNS, self._sums[-1].tolist(), strict=True))
        if last["time"]:
            found["not_empty_end"] = last["not_empty"] / last["time"]
            for name, whole in zip(("cpu", "memory", "gpu"), record.capacity, strict=True):
                if whole:
                    found[f"{name}_allocated_end"] = last[name] / last["time"] / whole
        found |= {name: value for name, value in record.figures.items() if value is not None}
        return {name: found[name] for name in METRICS if name in found}

    def slices(self, number: int) -> dict[str, list[float]]:
        """Jackknife pseudo-values by metric: n * (of all) - (n - 1) * (of all but one slice), for each of n slices.

        For a time average that is the slice's own average; for a ratio of sums, what is linear in the slice. The n slices are
        equally long; up to n - 1 cells more are left out at the beginning for that. Source: Miller, "The jackknife: a review"
        (Biometrika 61, 1974); for ratios in simulation Iglehart, "Simulating stable stochastic systems, V" (1975).
        """
        length = (CELLS - self.begin) // number
        first = CELLS - number * length
        index = (np.arange(CELLS) - first) // length
        measured = np.arange(CELLS) >= first
        whole = self._figures(measured)
        without = [self._figures(measured & (index != each)) for each in range(number)]
        for other in without:
            other |= {name: other[name] * number / (number - 1) for name in TOTALS if name in other}
        return {
            name: [number * value - (number - 1) * other[name] for other in without]
            for name, value in whole.items()
            if all(name in other for other in without)
        }

    def _figures(self, chosen: np.ndarray) -> dict[str, float]:
        """The figures over the chosen cells (a mask); those that have nothing to be divided by are not there."""
        s = dict(zip(cells.COLUMNS, self._sums[chosen].sum(axis=0).tolist(), strict=True))
        hosts = self.record.hosts
        cpu, memory, gpu = self.record.capacity
        found: dict[str, float] = {}

        def put(name: str, part: float, whole: float) -> None:
            if whole:
                found[name] = part / whole

        put("host_hours_ratio", s["not_empty"], s["bound"])
        put("not_empty_average", s["not_empty"], s["time"])
        if s["time"]:
            found["empty_share"] = 1 - s["not_empty"] / (s["time"] * hosts)
        found["host_hours"] = s["not_empty"] / HOUR_MS
        found["host_hours_bound"] = s["bound"] / HOUR_MS
        put("rejected_share", s["rejected"], s["requests"])
        put("rejected_core_hours_share", s["refused_core_ms"], s["asked_core_ms"])
        put("cpu_packing_density", s["cpu"], s["busy_cpu"])
        put("memory_packing_density", s["memory"], s["busy_memory"])
        put("cpu_allocated_share", s["cpu"], s["time"] * cpu)
        put("memory_allocated_share", s["memory"], s["time"] * memory)
        put("gpu_allocated_share", s["gpu"], s["time"] * gpu)
        put("instances_average", s["instances"], s["time"])
        if self._watts is not None:
            found["energy_kwh"] = energy_kwh(self._watts, s, hosts)
        shots = self._shots[chosen[self._shot_cell]]
        for name, column in zip(snapshots.COLUMNS, shots.T, strict=True):
            if len(column) and not np.isnan(column).any():
                found["hosts_linear_bound_average" if name == "linear_bound" else name] = float(column.mean())
        return found


def energy_kwh(watts: Watts, sums: Mapping[str, float], hosts: int) -> float:
    """Energy of hosts whose power is linear in the reserved share of their CPU.

    E = idle * (time of hosts that are on) + (peak - idle) * sum over hosts of the integral of that share.
    """
    idle, peak, empty_are_on = watts
    on = sums["time"] * hosts if empty_are_on else sums["not_empty"]
    return (idle * on + (peak - idle) * sums["cpu_share"]) / 1000 / HOUR_MS


def series(records: Sequence[Record], column: str) -> Floats:
    """The mean over runs of the time average, cell by cell, of one of cells.INTEGRALS: [CELLS]."""
    at, time = cells.COLUMNS.index(column), cells.COLUMNS.index("time")
    each = [record.table()[:, at] / np.maximum(record.table()[:, time], 1e-300) for record in records]
    found: Floats = np.mean(each, axis=0)
    return found
