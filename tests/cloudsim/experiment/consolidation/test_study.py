"""Studies: what they say, which cases they have, and what is written of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from cloudsim.consolidation import Consolidation
from cloudsim.consolidation.detection import LocalRegression
from cloudsim.experiment.consolidation.conventions import CLOUDSIM, OURS
from cloudsim.experiment.consolidation.reading import LoadedStudy, parse
from cloudsim.experiment.consolidation.study import Row, cases, policies_of
from cloudsim.experiment.consolidation.summary import ALL, COLUMNS, lines
from cloudsim.experiment.consolidation.writing import write
from cloudsim.experiment.errors import ScenarioError, TraceError

STUDY = """\
name: tiny
utilisation:
  format: planetlab
  days: [one, two]
hosts: {count: 8}
policies: [dvfs, thr-mmt-0.5, thr-rs-0.5]
seeds: [1, 2]
"""


def _days(folder: Path) -> None:
    chance = np.random.default_rng(1)
    for day in ("one", "two"):
        (folder / day).mkdir()
        for vm in range(8):
            values = np.clip(chance.integers(-20, 21, 288).cumsum() + 40, 1, 100)
            (folder / day / f"vm-{vm}").write_text("\n".join(map(str, values)))


def _rows(folder: Path, text: str = STUDY) -> tuple[LoadedStudy, list[Row]]:
    _days(folder)
    loaded = parse(text, "study.yaml", folder)
    return loaded, [
        Row(case.load.name, case.policy.name, case.seed, 0.5, case.run()) for case in cases(loaded.study, folder)
    ]


def test_cases_are_run_again_with_another_seed_only_where_chance_matters(tmp_path: Path) -> None:
    _, rows = _rows(tmp_path)
    assert [(row.load, row.policy, row.seed) for row in rows] == [
        ("one", "dvfs", 1),
        ("one", "thr-mmt-0.5", 1),
        ("one", "thr-rs-0.5", 1),
        ("two", "dvfs", 1),
        ("two", "thr-mmt-0.5", 1),
        ("two", "thr-rs-0.5", 1),
        ("one", "thr-rs-0.5", 2),
        ("two", "thr-rs-0.5", 2),
    ]


def test_a_shuffled_order_makes_every_case_one_of_chance(tmp_path: Path) -> None:
    text = STUDY.replace("days: [one, two]", "days: [one]\n  order: shuffled")
    _, rows = _rows(tmp_path, text)
    assert [(row.policy, row.seed) for row in rows] == [
        (policy, seed) for seed in (1, 2) for policy in ("dvfs", "thr-mmt-0.5", "thr-rs-0.5")
    ]


def test_the_table_has_a_line_for_each_load_and_policy_and_for_all_loads(tmp_path: Path) -> None:
    _, rows = _rows(tmp_path)
    found = lines(rows)
    runs = {"dvfs": 1, "thr-mmt-0.5": 1, "thr-rs-0.5": 2}
    assert [(line.load, line.policy, line.runs) for line in found] == [
        *((load, policy, runs[policy]) for load in ("one", "two") for policy in runs),
        (ALL, "dvfs", 2),
        (ALL, "thr-mmt-0.5", 2),
        (ALL, "thr-rs-0.5", 4),
    ]
    energies = [row.figures()["energy_kwh"] for row in rows if row.policy == "dvfs"]
    assert found[-3].figures["energy_kwh"].mean == pytest.approx(np.mean(energies))
    assert found[0].texts()[0] == f"{energies[0]:.2f}"
    assert " ± " in found[-3].texts()[0] and " ± " not in found[-3].texts(short=True)[0]
    assert len(found[0].texts(short=True)) == sum(bool(column.short) for column in COLUMNS)


def test_everything_is_written(tmp_path: Path) -> None:
    loaded, rows = _rows(tmp_path)
    out = tmp_path / "out"
    write(loaded, rows, out, "cloudsim consolidate study.yaml")
    results = pq.read_table(out / "results.parquet").to_pylist()
    assert [(row["load"], row["policy"], row["seed"]) for row in results] == [
        (row.load, row.policy, row.seed) for row in rows
    ]
    assert results[1]["energy_kwh"] == rows[1].outcome.energy / 3.6e6
    series = pq.read_table(out / "series.parquet").to_pylist()
    assert len(series) == 287 * len(rows)
    assert series[0] | {"load": "one", "policy": "dvfs", "seed": 1, "time_s": 300.0} == series[0]
    begun = [row["migrations_begun"] for row in series if (row["load"], row["policy"]) == ("two", "thr-mmt-0.5")]
    assert sum(begun) == rows[4].outcome.migrations > 0
    assert (out / "study.yaml").read_text() == STUDY
    assert {path.name for path in (out / "plots").iterdir()} == {
        f"{name}.{kind}" for name in ("energy", "tradeoff", "hosts", "migrations") for kind in ("png", "svg")
    }
    page = (out / "report.html").read_text()
    assert "cloudsim consolidate study.yaml" in page and "thr-rs-0.5" in page and page.count("<figure>") == 4


def test_conventions_are_ours_cloudsims_or_some(tmp_path: Path) -> None:
    assert parse(STUDY).study.books() == OURS
    assert parse(STUDY + "conventions: cloudsim\n").study.books() == CLOUDSIM
    some = parse(STUDY + "conventions: {memory_free: true}\n").study.books()
    assert some.memory_free and not some.waking_free


def test_in_cloudsim_local_regression_is_ordinary_and_not_robust() -> None:
    text = STUDY.replace("[dvfs, thr-mmt-0.5, thr-rs-0.5]", "[lr-mmt-1.3, lrr-mmt-1.3]")
    for conventions, weights, robust in (("ours", "tricube", True), ("cloudsim", "none", False)):
        lr, lrr = policies_of(parse(f"{text}conventions: {conventions}\n").study)
        assert isinstance(lr, Consolidation) and isinstance(lrr, Consolidation)
        assert isinstance(lr.detection, LocalRegression) and isinstance(lrr.detection, LocalRegression)
        assert lr.detection.weights == lrr.detection.weights == weights
        assert lr.detection.safety == lrr.detection.safety == 1.3
        assert lrr.detection.robust is robust


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("count: 8", "count: 0", "study.yaml:5: hosts.count: expected `int` >= 1"),
        ("format: planetlab", "format: tape", "study.yaml:3: utilisation.format: invalid value 'tape'"),
        ("thr-rs-0.5", "thr-sr", "study.yaml:6: policies: consolidation policy 'thr-sr': no selection 'sr'"),
        ("thr-rs-0.5", "dvfs", "study.yaml:6: policies: policies: expected each only once, got dvfs again"),
        ("seeds:", "seed:", "study.yaml:7: seed: expected a key that is known here"),
        ("name: tiny\n", "", "study.yaml:1: the scenario: expected the key `name`"),
        (
            "{count: 8}",
            "{kinds: [{cores: 1, mhz: 1, memory_mib: 1, power: vax}]}",
            "study.yaml:5: hosts.kinds[0]: power: expected a model or one of hp-ml110-g4",
        ),
    ],
)
def test_a_wrong_study_says_where_and_what(old: str, new: str, error: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(STUDY.replace(old, new), "study.yaml")
    assert str(caught.value).startswith(error)


def test_a_day_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    study = parse(STUDY).study
    with pytest.raises(TraceError, match="one: No such file"):
        list(cases(study, tmp_path))
