"""The report of a run: one HTML file that needs nothing else, with figures, tables, the scenario and how to repeat it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

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

_STYLE = """
:root { --ink: #1f2328; --soft: #59636e; --line: #d8dee4; --blue: #0072b2; --paper: #fff; --wash: #f6f8fa }
* { box-sizing: border-box }
body { margin: 0; background: var(--wash); color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", Roboto, sans-serif }
main { max-width: 60rem; margin: 2rem auto; padding: 2.5rem 3rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: 8px }
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2 } h2 { margin: 2.6rem 0 .8rem; font-size: 1.25rem }
p.lead { margin: .5rem 0 0; color: var(--soft) }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .8rem; margin: 1.8rem 0 0 }
.fact { padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 6px }
.fact b { display: block; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums }
.fact span { color: var(--soft); font-size: .85rem }
table { width: 100%; border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
th { color: var(--soft); font-weight: 600 } td.n, th.n { text-align: right }
figure { margin: 1.6rem 0 } figure svg { width: 100%; height: auto }
figcaption { color: var(--soft); font-size: .88rem }
pre { overflow-x: auto; padding: 1rem; background: var(--wash); border: 1px solid var(--line); border-radius: 6px;
  font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem }
@media print { body { background: none } main { border: 0; margin: 0; padding: 0 } figure { break-inside: avoid } }
@media (max-width: 40rem) { main { margin: 0; padding: 1.2rem; border: 0 } }
"""


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
        *(_figure(name, image) for name, image in figures.items()),
        "<h2>Capacity</h2>",
        _capacity(summary),
        "<h2>Requests not served</h2>",
        _causes(summary),
        "<h2>Jobs</h2>",
        _jobs(summary),
        *([_section("Work", _work(summary["work"]))] if "work" in summary else []),
        *([_section("Faults", _faults(result))] if result.strikes else []),
        "<h2>Scenario</h2>",
        f"<pre>{escape(loaded.text)}</pre>",
        "<h2>Repeat this run</h2>",
        f"<pre>cloudsim run {escape(loaded.name)} --seed {result.checked.seed} --out results</pre>",
        "<p>The same scenario, seed and versions give the same files, byte for byte.</p>",
        _provenance(summary),
    ]
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body><main>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.3g} s"


def _facts(summary: dict[str, Any]) -> str:
    requests, deploy = summary["requests"], summary["deploy_s"]
    allocation = summary["allocation"]
    arrived = max(1, requests["arrived"])
    facts = [
        (f"{summary['datacenter']['hosts']:,}", "hosts"),
        (f"{requests['arrived']:,}", "requests"),
        (f"{requests['placed'] / arrived:.2%}", "placed"),
        (f"{requests['rejected'] + requests['failed']:,}", "not served"),
        (f"{allocation['cpu']['average_share']:.1%}", "CPU reserved, mean"),
        (f"{allocation['memory']['average_share']:.1%}", "memory reserved, mean"),
    ]
    if "gpu" in allocation:
        facts.append((f"{allocation['gpu']['average_share']:.1%}", "GPU reserved, mean"))
    if deploy["count"]:
        facts.append((f"{deploy['p50']:.3g} s", "median deployment"))
        facts.append((f"{deploy['p99']:.3g} s", "99th percentile"))
    facts.append((duration(summary["simulated_s"]), "simulated"))
    cells = "".join(f"<div class='fact'><b>{escape(a)}</b><span>{escape(b)}</span></div>" for a, b in facts)
    return f"<div class='facts'>{cells}</div>"


def _figure(name: str, image: bytes) -> str:
    text = image.decode()
    text = text[text.index("<svg") :]
    # Every figure numbers its parts alike; in one page the names have to differ.
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    label = escape(CAPTIONS.get(name, name))
    text = text.replace("<svg ", f"<svg role='img' aria-label='{escape(name)}' ", 1)
    return f"<figure>{text}<figcaption>{label}</figcaption></figure>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is text, the others are numbers."""

    def line(cells: Sequence[str], tag: str) -> str:
        inner = "".join(
            f"<{tag}{' class=n' if index else ''}>{escape(cell)}</{tag}>" for index, cell in enumerate(cells)
        )
        return f"<tr>{inner}</tr>"

    return f"<table><thead>{line(head, 'th')}</thead><tbody>{''.join(line(r, 'td') for r in rows)}</tbody></table>"


def _section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>{content}"


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
    return _table(("", "Capacity", "Mean", "Share", "Peak", "Share"), rows)


def _causes(summary: dict[str, Any]) -> str:
    requests = summary["requests"]
    causes = sorted(requests["by_cause"].items(), key=lambda item: (-item[1], item[0]))
    if not causes:
        return "<p>Every request was served.</p>"
    arrived = max(1, requests["arrived"])
    rows = [(cause, f"{count:,}", f"{count / arrived:.2%}") for cause, count in causes]
    return _table(("Cause", "Requests", "Share"), rows)


def _jobs(summary: dict[str, Any]) -> str:
    rows = [
        (command, f"{found.get('succeeded', 0):,}", f"{found.get('failed', 0):,}", f"{found['mean_s']:,.3f}")
        for command, found in summary["jobs"]["by_command"].items()
    ]
    return _table(("Command", "Succeeded", "Failed", "Mean (s)"), rows)


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
    return _table(("", ""), rows)


def _faults(result: RunResult) -> str:
    most = 50
    rows = [
        (f"{s.fault} {'began' if s.began else 'ended'}: {s.target}", f"{s.time:,.1f}")
        for s in result.strikes[:most]
    ]
    more = len(result.strikes) - most
    rest = f"<p>and {more:,} more; all are in faults.parquet.</p>" if more > 0 else ""
    return _table(("Fault", "Time (s)"), rows) + rest


def _provenance(summary: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in summary["versions"].items())
    return (
        f"<footer>Seed {summary['seed']}. Scenario {summary['scenario']['sha256'][:16]}, "
        f"trace {summary['trace']['sha256'][:16]}, placement check {summary['placement_check']}. "
        f"{escape(versions)}.</footer>"
    )
