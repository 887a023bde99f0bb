"""The report of a comparison: one HTML file that needs nothing else, with tables, plots, definitions, and how to repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from cloudsim.experiment.compare.analysis import CaseResult
from cloudsim.experiment.compare.metrics import METRICS, shown
from cloudsim.experiment.compare.plan import Plan
from cloudsim.experiment.compare.spec import seeds_of
from cloudsim.experiment.compare.statistics import runs_needed
from cloudsim.experiment.compare.tables import Grid, comparisons, overview
from cloudsim.experiment.page import facts, figure, page, section, table

CAPTIONS = {
    "metrics": "Means with their confidence intervals, where there are several runs or slices. The baseline is orange.",
    "differences": "Paired differences from the baseline with t intervals: blue is better, red is worse. Hollow: the t test, "
    "adjusted for the number of policies, does not tell it from no difference.",
    "hosts": "Hosts that have instances. Lower is tighter; below the dotted line no policy can be that places the same.",
    "rejections": "Requests that were not placed, by what the last hosts lacked. Whole runs, warm-up included.",
    "packing": "Reserved over what hosts with instances have. Towards the upper right hosts are fuller; far from the diagonal "
    "one dimension is left over. Numbers are ranks by the leading metric.",
    "convergence": "The mean difference and its interval as seeds are added: enough, when the interval no longer matters.",
}

_STYLE = """<style>
main { max-width: 76rem }
.wide table { font-size: .82rem } .wide td, .wide th { white-space: nowrap; padding: .3rem .5rem }
.wide th { white-space: normal; vertical-align: bottom } td.best { font-weight: 650 }
details { margin: 1rem 0 } summary { cursor: pointer; color: var(--blue) }
</style>"""


def report(
    plan: Plan, results: Sequence[CaseResult], figures: Mapping[str, bytes], all_figures: Mapping[str, bytes]
) -> str:
    """The page; `figures` are SVG by "case number-name", `all_figures` those over all cases by name."""
    spec = plan.loaded.spec
    lead = " ".join(spec.description.split()) or "Placement policies side by side, on the same requests and hosts."
    parts = [
        _STYLE,
        f"<h1>{escape(spec.name)}</h1><p class='lead'>{escape(lead)}</p>",
        _facts(plan, results),
    ]
    if all_figures:
        glances = "".join(
            figure(name, image, "Each case has a column; policies are ordered by how they do over all cases.")
            for name, image in all_figures.items()
        )
        parts.append(section("At a glance", glances))
    for number, result in enumerate(results, 1):
        parts += _case(plan, result, number, figures)
    parts += [
        section("Definitions", _definitions(results)),
        section("How intervals and tests are made", _method(plan)),
        section("Specification", f"<pre>{escape(plan.loaded.text)}</pre>"),
        section("Repeat it", _repeat(plan)),
    ]
    return page(spec.name, parts)


def _facts(plan: Plan, results: Sequence[CaseResult]) -> str:
    runs = sum(len(row.records) for result in results for row in result.rows)
    requests = sum(record.requests for result in results for row in result.rows for record in row.records)
    policies = {row.policy for result in results for row in result.rows}
    return facts(
        [
            (f"{len(results)}", "cases" if len(results) > 1 else "case"),
            (f"{len(policies)}", "policies"),
            (f"{runs:,}", "runs"),
            (f"{requests:,}", "requests in all"),
            (plan.baseline, "baseline"),
            (f"{plan.loaded.spec.confidence:.0%}", "confidence"),
        ]
    )


def _case(plan: Plan, result: CaseResult, number: int, figures: Mapping[str, bytes]) -> list[str]:
    case = result.case
    f = case.facts
    kinds = f"{f.requests:,} requests ({f.endless:,} of them without an end)" if f.endless else f"{f.requests:,} requests"
    lines = [
        f"{kinds} over {result.measured_h:,.1f} measured hours, {case.cluster.hosts:,} hosts.",
        f"Replication: {result.replication}.",
        result.note,
        _precision(plan, result),
    ]
    parts = [
        f"<h2>{escape(case.name)}</h2>",
        "".join(f"<p>{escape(line)}</p>" for line in lines if line),
        _grid(overview(result)),
    ]
    if case.left_out:
        rows = [(policy, why) for policy, why in sorted(case.left_out.items())]
        parts.append(_folded(f"{len(rows)} policies do not take part", _words(("Policy", "Why"), rows)))
    for name, caption in CAPTIONS.items():
        image = figures.get(f"{number}-{name}")
        if image is not None:
            parts.append(figure(f"case-{number}-{name}", image, caption))
    pairs = comparisons(result)
    if pairs.rows:
        parts.append(_folded(f"All paired differences from {result.baseline}", _grid(pairs)))
    return parts


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _precision(plan: Plan, result: CaseResult) -> str:
    """How many runs would tell more, from how much the runs differ so far."""
    if not result.metrics or result.case.slices is not None:
        return ""
    name, confidence = result.metrics[0], plan.loaded.spec.confidence
    base = result.row(result.baseline).estimates.get(name)
    if base is None or base.deviation is None or not base.mean:
        return ""
    text = [f"{METRICS[name].label} of {result.baseline}: {shown(name, base.mean, base.half)} with {base.n} runs"]
    for share in (0.01, 0.001):
        if base.half is not None and base.half > share * abs(base.mean):
            needed = runs_needed(base.deviation, share * abs(base.mean), confidence)
            if needed:
                text.append(f"for ± {share:.1%} it would take about {needed:,}")
    unsure = []
    for row in result.ranked:
        found = row.against.get(name)
        if found is None or found.certain is not False or not found.difference.estimate.deviation:
            continue
        needed = runs_needed(found.difference.estimate.deviation, abs(found.difference.estimate.mean), confidence)
        if needed:
            unsure.append(f"{row.policy} (about {needed:,})")
    if unsure:
        text.append(f"not told from the baseline, and how many runs would tell if all stays so: {', '.join(unsure)}")
    return "; ".join(text) + "."


def _grid(grid: Grid) -> str:
    def cells(row: Sequence[str], tag: str, number: int) -> str:
        found = []
        for column, cell in enumerate(row):
            kind = " class='n best'" if (number, column) in grid.best else " class=n" if column else ""
            found.append(f"<{tag}{kind}>{escape(cell)}</{tag}>")
        return f"<tr>{''.join(found)}</tr>"

    body = "".join(cells(row, "td", number) for number, row in enumerate(grid.rows))
    return f"<div class='wide'><table><thead>{cells(grid.head, 'th', -1)}</thead><tbody>{body}</tbody></table></div>"


def _words(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return table(head, rows).replace(" class=n", "")


def _definitions(results: Sequence[CaseResult]) -> str:
    names = dict.fromkeys(name for result in results for name in result.metrics)
    better = {True: "less", False: "more", None: "depends"}
    rows = [(METRICS[name].label, METRICS[name].text, name, better[METRICS[name].less]) for name in names]
    return _words(("Metric", "Definition", "Column", "Better"), rows)


def _method(plan: Plan) -> str:
    share = f"{plan.loaded.spec.confidence:.0%}"
    return (
        f"<p>Intervals of means are Student's t over runs, {share}. Policies are compared on the same requests (common random"
        " numbers): the interval is Student's t over paired differences; beside it stand the BCa bootstrap interval and"
        " Wilcoxon's signed-rank test. p-values are adjusted by Holm's method over the policies that are compared in one"
        " metric and case. With one run there is no interval and no test. Where a trace is divided into slices of time, each"
        " slice stands for a run by its jackknife pseudo-value: that treats slices as independent, and says nothing about"
        " other traces.</p>"
    )


def _repeat(plan: Plan) -> str:
    spec = plan.loaded.spec
    seeds = ", ".join(map(str, seeds_of(spec.seeds)))
    versions = ", ".join(f"{name} {number}" for name, number in plan.versions.items())
    return (
        f"<pre>cloudsim compare {escape(plan.loaded.file)} --out results</pre>"
        "<p>The same specification, trace files and versions give the same figures, whatever the number of jobs; only CPU seconds"
        f" differ.</p><p>Seeds: {seeds}. Engine: {spec.engine}. {escape(versions)}.</p>"
    )
