"""What a folder of results says, as figures and columns of plain numbers: the same of a run and of a comparison.

It reads files and takes its time: in a thread of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

POINTS = 1000
"""How many points a series has at most."""
HOST_TIMES, MOST_HOSTS = 60, 400
_BINS = 40
_SHOWN = (".json", ".parquet", ".html", ".yaml", ".md", ".tex", ".jsonl", ".log")
LARGEST_FILE = 16 << 20


class Result(msgspec.Struct, kw_only=True):
    """What one run, or one policy of a comparison, has found.

    `figures` by name; of a comparison, means over `seeds`. `series`, `hosts` and `latencies` are columns:
    see `series_of`, `hosts_of`, `latencies_of`.
    """

    policy: str
    case: str = ""
    seeds: int = 1
    figures: dict[str, float | None]
    causes: dict[str, int] = {}
    series: dict[str, list[float | None]] | None = None
    hosts: dict[str, Any] | None = None
    latencies: dict[str, list[float]] | None = None


def result_of(folder: Path, *, whole: bool) -> Result:
    """The result of a run; with `whole` its columns, too. Raises OSError or ValueError for a folder that has been changed."""
    summary = msgspec.json.decode((folder / "summary.json").read_bytes())
    return Result(
        policy=summary["scenario"]["policy"],
        figures=figures_of(summary),
        causes=summary["requests"]["by_cause"],
        series=series_of(folder) if whole else None,
        hosts=hosts_of(folder) if whole else None,
        latencies=latencies_of(folder) if whole else None,
    )


def figures_of(summary: dict[str, Any]) -> dict[str, float | None]:
    """The figures of a run that are worth a row of a table. Shares are fractions, `_s` seconds."""
    requests, deploy, allocation = summary["requests"], summary["deploy_s"], summary["allocation"]
    found: dict[str, float | None] = {
        "seed": summary["seed"],
        "simulated_s": summary["simulated_s"],
        **{name: requests[name] for name in ("arrived", "placed", "rejected", "failed", "pending")},
        "rejected_share": requests["rejected"] / requests["arrived"] if requests["arrived"] else 0.0,
        "rejected_core_hours_share": requests["rejected_core_hours_share"],
        **{f"deploy_{name}_s": deploy[name] for name in ("p50", "p95", "p99")},
        "instances_average": allocation["instances"]["average"],
        "instances_peak": allocation["instances"]["peak"],
    }
    for kind in ("cpu", "memory", "gpu"):
        if kind in allocation:
            found[f"{kind}_average_share"] = allocation[kind]["average_share"]
            found[f"{kind}_peak_share"] = allocation[kind]["peak_share"]
    found["hosts"] = summary["datacenter"]["hosts"]
    found["hosts_used"] = summary["hosts"]["used"]
    found["hosts_empty_average"] = summary["hosts"]["empty_average"]
    found["jobs"] = summary["jobs"]["total"]
    found["messages"] = summary["messages"]["total"]
    found["faults"] = summary["faults"]
    found["placement_check"] = summary["placement_check"]
    return found


def series_of(folder: Path) -> dict[str, list[float | None]]:
    """Counts and levels over the simulated time: `time_s`, `cpu` and `memory` as shares, the others as they are."""
    table = _table(folder / "samples.parquet")
    keep = _spread(len(table["time_s"]), POINTS)

    def share(used: str) -> list[float | None]:
        capacity = table[f"{used}_capacity"][keep]
        return _plain(np.where(capacity > 0, table[used][keep] / np.maximum(capacity, 1), 0.0))

    names = {"arrived": "requested", "placed": "placed", "rejected": "rejected", "failed": "failed"}
    names |= {"instances": "instances", "hosts_up": "hosts_up", "hosts_empty": "hosts_empty"}
    columns = {ours: _plain(table[theirs][keep]) for theirs, ours in names.items()}
    return {"time_s": _plain(table["time_s"][keep]), **columns, "cpu": share("cpu_mhz"), "memory": share("memory_mib")}


def hosts_of(folder: Path) -> dict[str, Any]:
    """How full each host was: `names`; `times_s`; for each of these times a list over hosts of the share of its `cpu` and
    `memory` and the number of its `instances`. No more than some times and hosts, spread evenly."""
    table = _table(folder / "hosts.parquet")
    times, starts = np.unique(table["time_s"], return_index=True)
    bounds = [*starts.tolist(), len(table["time_s"])]
    names = table["host"][bounds[-2] :].tolist() if len(times) else []
    hosts = _spread(len(names), MOST_HOSTS)
    found: dict[str, Any] = {"names": [names[i] for i in hosts], "times_s": [], "cpu": [], "memory": [], "instances": []}
    for index in _spread(len(times), HOST_TIMES).tolist():
        part = slice(bounds[index], bounds[index + 1])
        there = hosts[hosts < bounds[index + 1] - bounds[index]]
        found["times_s"].append(float(times[index]))
        for name, used in (("cpu", "cpu_mhz"), ("memory", "memory_mib")):
            capacity = np.maximum(table[f"{used}_capacity"][part][there], 1)
            found[name].append(np.round(table[used][part][there] / capacity, 4).tolist())
        found["instances"].append(table["instances"][part][there].tolist())
    return found


def latencies_of(folder: Path) -> dict[str, list[float]]:
    """How long requests took until their instances ran: `below_s`, the upper ends of bins, and the `count` in each."""
    table = _table(folder / "vms.parquet", ["arrival_s", "running_s"])
    seconds = table["running_s"] - table["arrival_s"]
    seconds = seconds[~np.isnan(seconds)]
    if not len(seconds):
        return {"below_s": [], "count": []}
    longest = float(seconds.max())
    if longest <= 0:
        return {"below_s": [0.0], "count": [len(seconds)]}
    counts, edges = np.histogram(seconds, bins=_BINS, range=(0.0, longest))
    return {"below_s": np.round(edges[1:], 3).tolist(), "count": counts.tolist()}


def comparison_of(folder: Path, *, whole: set[int] | None = None) -> list[Result]:
    """What a comparison says of each policy, in each of its cases; columns of those numbers (from 1) that are in `whole`."""
    statistics, series = _table(folder / "statistics.parquet"), _table(folder / "series.parquet")
    runs = _table(folder / "runs.parquet")
    found: dict[tuple[str, str, str], Result] = {}
    keys = zip(statistics["trace"], statistics["cluster"], statistics["policy"], strict=True)
    for index, (trace, cluster, policy) in enumerate(keys):
        result = found.setdefault(
            (trace, cluster, policy),
            Result(policy=policy, case=f"{trace}, {cluster}", seeds=int(statistics["n"][index]), figures={}),
        )
        mean = float(statistics["mean"][index])
        result.figures[str(statistics["metric"][index])] = mean if np.isfinite(mean) else None
    for number, ((trace, cluster, policy), result) in enumerate(found.items(), 1):
        of_runs = (runs["trace"] == trace) & (runs["cluster"] == cluster) & (runs["policy"] == policy)
        for name in (each for each in runs if each.startswith("rejected_") and each.removeprefix("rejected_") not in _SHARES):
            count = np.nansum(runs[name][of_runs])
            if count:
                result.causes[name.removeprefix("rejected_")] = int(count)
        if whole is None or number in whole:
            rows = (series["trace"] == trace) & (series["cluster"] == cluster) & (series["policy"] == policy)
            result.series = {
                "time_s": _plain(series["begin_h"][rows] * 3600),
                "instances": _plain(series["instances"][rows]),
                "hosts_used": _plain(series["not_empty"][rows]),
                "hosts_bound": _plain(series["bound"][rows]),
            }
    return list(found.values())


_SHARES = ("share", "core_hours_share")


def files_in(folder: Path) -> dict[str, int]:
    """The files of a result that can be had, and their bytes."""
    return {
        each.name: each.stat().st_size
        for each in sorted(folder.iterdir())
        if each.is_file() and not each.is_symlink() and each.suffix in _SHOWN
    }


def _table(path: Path, columns: list[str] | None = None) -> dict[str, Any]:
    """The columns as arrays; nulls of numbers are not-a-number."""
    import pyarrow.parquet as pq  # a third of a second, and only where results are looked at

    table = pq.read_table(path, columns=columns)
    return {name: table[name].combine_chunks().to_numpy(zero_copy_only=False) for name in table.schema.names}


def _spread(count: int, most: int) -> Any:
    """Indices of at most `most` of `count`, spread evenly, the first and the last among them."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.int64))


def _plain(values: Any) -> list[float | None]:
    rounded = np.round(np.asarray(values, float), 6)
    return [None if each != each else each for each in rounded.tolist()]
