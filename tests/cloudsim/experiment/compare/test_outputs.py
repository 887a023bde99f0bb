"""Tables, plots and the report: whole, well-formed, and the same each time."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure

from cloudsim.experiment.compare import Plan, analyse, check, parse, run_all
from cloudsim.experiment.compare.plots import draw, draw_all, hosts
from cloudsim.experiment.compare.tables import Grid, comparisons, latex, markdown, overview
from cloudsim.experiment.compare.writing import write
from cloudsim.experiment.figures import svg
from tests.cloudsim.experiment.compare.comparing import SLICED, SPEC, Memory, compared

TIGHT = SPEC.replace("- name: ten", "- {name: eight, hosts: [{count: 8, cores: 64, memory_gib: 256}]}\n- name: ten")
TIGHT = TIGHT.replace('hosts: "{hosts}"', "hosts: 10") + "metrics: [host_hours_ratio, rejected_share, empty_share]\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    out = tmp_path_factory.mktemp("out")
    plan, results = compared(TIGHT)
    write(plan, results, out)
    return out, plan


def test_one_row_a_run_with_all_that_it_was_made_with(written: tuple[Path, Plan]) -> None:
    out, plan = written
    rows = pq.read_table(out / "runs.parquet").to_pylist()
    assert len(rows) == len(plan.units) == 32
    assert {row["digest"] for row in rows} == {unit.key for unit in plan.units}
    for row in rows:
        assert row["requests"] == row["placed"] + row["rejected_cpu"] + row["rejected_memory"]
        assert row["version_cloudsim"] and row["version_source"] and row["version_numpy"]
        assert row["host_hours_ratio"] > 1 and row["energy_kwh"] > 0
    tight = [row["rejected_share"] for row in rows if row["cluster"] == "eight"]
    assert min(tight) > 0


def test_one_row_a_policy_and_metric_with_its_statistics(written: tuple[Path, Plan]) -> None:
    out, plan = written
    rows = pq.read_table(out / "statistics.parquet").to_pylist()
    assert len(rows) == 2 * 4 * len(plan.cases[0].metrics)
    row = next(r for r in rows if r["policy"] == "random" and r["metric"] == "empty_share" and r["cluster"] == "ten")
    assert row["n"] == 4 and row["low"] <= row["mean"] <= row["high"]
    assert row["difference_low"] <= row["difference"] <= row["difference_high"]
    assert row["p_t"] <= row["p_t_holm"] <= 1 and row["p_signed_rank"] == 0.125
    assert next(r for r in rows if r["policy"] == "first-fit")["difference"] is None


def test_series_have_every_cell(written: tuple[Path, Plan]) -> None:
    table = pq.read_table(written[0] / "series.parquet")
    assert table.num_rows == 2 * 4 * 480
    used, bound = table["not_empty"].to_numpy(), table["bound"].to_numpy()
    assert (used >= bound - 1e-6).all()


def test_every_plot_is_there_in_three_formats(written: tuple[Path, Plan]) -> None:
    names = {path.name for path in (written[0] / "plots").iterdir()}
    kinds = ("metrics", "differences", "hosts", "rejections", "packing", "convergence")
    wanted = {f"churn-on-eight-{kind}" for kind in kinds} | {"glance-host_hours_ratio", "glance-rejected_share"}
    assert {f"{name}.{ending}" for name in wanted for ending in ("svg", "png", "pdf")} <= names


class Page(HTMLParser):
    """Finds what a page is made of, and what it would have to load."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"]] if found.get("id") else []
        self.loads += [f"{tag} {found[key]}" for key in ("src", "href") if (found.get(key) or "#")[0] != "#"]
        if tag not in ("meta", "path", "use", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "use"):
            assert self.open.pop() == tag


def test_the_report_is_one_file_that_needs_no_other(written: tuple[Path, Plan]) -> None:
    out, plan = written
    text = (out / "report.html").read_text()
    page = Page()
    page.feed(text)
    assert not page.open and not page.loads
    assert len(page.ids) == len(set(page.ids))
    assert text.count("<svg") == 2 * 6 + 2
    for part in ("churn on eight", "cloudsim compare small.yaml", "Seeds: 1, 2, 3, 4", plan.versions["source"], "Definitions"):
        assert part in text
    assert "host_hours_ratio" in text and "policies: [first-fit, best-fit" in text


def test_tables_for_papers(written: tuple[Path, Plan]) -> None:
    out, _ = written
    lines = (out / "tables.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 * (4 + 2) and len({line.count("|") for line in rows}) == 1
    assert any("first-fit (baseline)" in line for line in rows) and any("**" in line for line in rows)
    text = (out / "tables.tex").read_text()
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 2
    assert r"\,\%" in text and r"$\pm$" in text and not re.search(r"(?<!\\)[%_&](?![ ])", text.replace("\\\\", ""))


def test_what_is_special_to_a_format_is_escaped() -> None:
    grid = Grid(("a|b", "100 %"), (("x_y", "1 ± 2"),), frozenset({(0, 1)}))
    assert markdown(grid) == "| a\\|b | 100 % |\n| --- | ---: |\n| x_y | **1 ± 2** |\n"
    text = latex(grid, "50 % & more", "tab:x")
    assert r"\caption{50\,\% \& more}" in text and r"x\_y & \textbf{1 $\pm$ 2} \\" in text


def test_results_are_the_same_each_time() -> None:
    plan = check(parse(SPEC, "small.yaml"))
    (again,) = analyse(plan, run_all(plan, Memory()))
    _, (result,) = compared(SPEC)
    assert overview(again) == overview(result) and comparisons(again) == comparisons(result)
    assert svg(hosts(again, 0.95) or Figure()) == svg(hosts(result, 0.95) or Figure())


def test_a_case_without_seeds_has_no_plot_of_their_number() -> None:
    _, results = compared(SLICED)
    assert "convergence" not in draw(results[0], 0.95)
    assert draw_all(results) == {}


def test_the_baseline_is_not_compared_with_itself() -> None:
    _, (result,) = compared(SPEC)
    assert "first-fit" not in {row[1] for row in comparisons(result).rows}
    (row,) = [row for row in overview(result).rows if row[0] == "first-fit (baseline)"]
    assert row[-1] == ""
