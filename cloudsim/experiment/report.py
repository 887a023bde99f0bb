"""The report of a run: one HTML file that needs nothing else, with figures, tables, the scenario and how to repeat it."""

from __future__ import annotations

from html import escape
from typing import Any

from cloudsim.experiment.page import duration, facts, figure, page, section, table
from cloudsim.experiment.result import RunResult

CAPTIONS = {
    "allocation": "What instances reserve, as a share of what hosts that are up have. Over-commitment takes it above 100 %.",
    "instances": "Instances that hold capacity on a host, and how many hosts are up and in use.",
    "rejections": "Requests without room (rejected) and those whose deployment broke (failed), adding up.",
    "deploy-time": "Whole way of a deployment: job, placement, volume, start command, boot, answer.",
    "host-fill": "Each line is a host (neighbours are averaged in a large datacenter); dark is empty.",
    "host-histogram": "A packing policy has many hosts at the ends, a spreading one has them in the middle.",
    "messages": "All that was sent between the management server and its agents during the study (logarithmic).",
}

def report(result: RunResult, summary: dict[str, Any], figures: dict[str, bytes]) -> str:
    """The page; `figures` are SVG by name."""
    loaded = result.checked.loaded
    scenario = loaded.scenario
    title = escape(scenario.name)
    lead = (
        escape(" ".join(scenario.description.split())) or "A run of a whole cloud on a simulated datacenter."
    )
    parts = [
        f"<h1>{title}</h1><p class='lead'>{lead}</p>",
        _facts(summary),
        "<h2>Plots</h2>",
        *(figure(name, image, CAPTIONS.get(name, name)) for name, image in figures.items()),
        "<h2>Capacity</h2>",
        _capacity(summary),
        "<h2>Requests not served</h2>",
        _causes(summary),
        "<h2>Jobs</h2>",
        _jobs(summary),
        *([section("Work", _work(summary["work"]))] if "work" in summary else []),
        *([section("Faults", _faults(result))] if result.strikes else []),
        "<h2>Scenario</h2>",
        f"<pre>{escape(loaded.text)}</pre>",
        "<h2>Repeat this run</h2>",
        f"<pre>cloudsim run {escape(loaded.name)} --seed {result.checked.seed} --out results</pre>",
        "<p>The same scenario, seed and versions give the same files, byte for byte.</p>",
        _provenance(summary),
    ]
    return page(scenario.name, parts)


def _facts(summary: dict[str, Any]) -> str:
    requests, deploy = summary["requests"], summary["deploy_s"]
    allocation = summary["allocation"]
    arrived = max(1, requests["arrived"])
    found = [
        (f"{summary['datacenter']['hosts']:,}", "hosts"),
        (f"{requests['arrived']:,}", "requests"),
        (f"{requests['placed'] / arrived:.2%}", "placed"),
        (f"{requests['rejected'] + requests['failed']:,}", "not served"),
        (f"{allocation['cpu']['average_share']:.1%}", "CPU reserved, mean"),
        (f"{allocation['memory']['average_share']:.1%}", "memory reserved, mean"),
    ]
    if "gpu" in allocation:
        found.append((f"{allocation['gpu']['average_share']:.1%}", "GPU reserved, mean"))
    if deploy["count"]:
        found.append((f"{deploy['p50']:.3g} s", "median deployment"))
        found.append((f"{deploy['p99']:.3g} s", "99th percentile"))
    found.append((duration(summary["simulated_s"]), "simulated"))
    return facts(found)


def _capacity(summary: dict[str, Any]) -> str:
    units = {
        "cpu": ("CPU (GHz)", "cpu_mhz", 1000),
        "memory": ("Memory (GiB)", "memory_mib", 1024),
        "gpu": ("GPUs", "gpu_milli", 1000),
    }
    rows = []
    for name, (label, level, unit) in units.items():
        found = summary["allocation"].get(name)
        if found:
            rows.append(
                (
                    label,
                    f"{found[f'capacity_{level}'] / unit:,.1f}",
                    f"{found[f'average_{level}'] / unit:,.1f}",
                    f"{found['average_share']:.1%}",
                    f"{found[f'peak_{level}'] / unit:,.1f}",
                    f"{found['peak_share']:.1%}",
                )
            )
    counted = summary["allocation"]["instances"]
    rows.append(("Instances", "", f"{counted['average']:,.1f}", "", f"{counted['peak']:,}", ""))
    hosts = summary["hosts"]
    rows.append(("Empty hosts", f"{hosts['up_average']:,.1f}", f"{hosts['empty_average']:,.1f}", "", "", ""))
    return table(("", "Capacity", "Mean", "Share", "Peak", "Share"), rows)


def _causes(summary: dict[str, Any]) -> str:
    requests = summary["requests"]
    causes = sorted(requests["by_cause"].items(), key=lambda item: (-item[1], item[0]))
    if not causes:
        return "<p>Every request was served.</p>"
    arrived = max(1, requests["arrived"])
    rows = [(cause, f"{count:,}", f"{count / arrived:.2%}") for cause, count in causes]
    return table(("Cause", "Requests", "Share"), rows)


def _jobs(summary: dict[str, Any]) -> str:
    rows = [
        (command, f"{found.get('succeeded', 0):,}", f"{found.get('failed', 0):,}", f"{found['mean_s']:,.3f}")
        for command, found in summary["jobs"]["by_command"].items()
    ]
    return table(("Command", "Succeeded", "Failed", "Mean (s)"), rows)


def _work(figures: dict[str, Any]) -> str:
    def seconds(name: str) -> str:
        return "" if figures[name] is None else f"{figures[name]:,.3f}"

    slowdown = figures["mean_slowdown"]
    rows = [
        ("Tasks", f"{figures['tasks']:,}"),
        ("Finished", f"{figures['finished']:,}"),
        ("Begun again after a loss", f"{figures['begun_again']:,}"),
        ("Mean finish (s)", seconds("mean_finish_s")),
        ("Makespan (s)", seconds("makespan_s")),
        ("Mean slowdown", "" if slowdown is None else f"{slowdown:,.3f}"),
    ]
    return table(("", ""), rows)


def _faults(result: RunResult) -> str:
    most = 50
    rows = [
        (f"{s.fault} {'began' if s.began else 'ended'}: {s.target}", f"{s.time:,.1f}")
        for s in result.strikes[:most]
    ]
    more = len(result.strikes) - most
    rest = f"<p>and {more:,} more; all are in faults.parquet.</p>" if more > 0 else ""
    return table(("Fault", "Time (s)"), rows) + rest


def _provenance(summary: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in summary["versions"].items())
    return (
        f"<footer>Seed {summary['seed']}. Scenario {summary['scenario']['sha256'][:16]}, "
        f"trace {summary['trace']['sha256'][:16]}, placement check {summary['placement_check']}. "
        f"{escape(versions)}.</footer>"
    )
