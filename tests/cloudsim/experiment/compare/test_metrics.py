"""Metrics: the same figures as a replay gives, and slices of time that stand for runs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from cloudsim.experiment.compare import cells
from cloudsim.experiment.compare.cells import cells_of
from cloudsim.experiment.compare.metrics import METRICS, Measured, energy_kwh, shown
from cloudsim.experiment.compare.placements import of_replay
from cloudsim.experiment.compare.record import Record, packed
from cloudsim.experiment.compare.snapshots import snapshots_of
from cloudsim.experiment.compare.spec import CELLS
from cloudsim.experiment.replay import HostGroup, replay
from cloudsim.experiment.traces.w1 import blocks as w1_blocks
from tests.cloudsim.experiment.compare.comparing import SLICED, compared

DOCS = Path(__file__).parents[4] / "docs"


def record_of(sums: np.ndarray, hosts: int = 10) -> Record:
    return Record(
        key="k",
        trace="t",
        cluster="c",
        policy="p",
        seed=1,
        engine="indexed",
        trace_digest="",
        requests=1,
        placed=1,
        rejected={},
        check=0,
        over_ms=1.0,
        hosts=hosts,
        capacity=(1000 * hosts, 2000 * hosts, 0),
        sums=packed(sums),
        peaks=packed(np.zeros((CELLS, 2))),
        shots=packed(np.zeros((CELLS // 4, 5))),
    )


def test_figures_are_those_of_the_replay() -> None:
    blocks = list(w1_blocks(10, 500))
    groups = (HostGroup(10, 64, 256 * 1024),)
    result = replay(lambda: iter(blocks), groups, "best-fit", samples=False, keep_assignments=True)
    assert result.assignments is not None
    placements = of_replay(blocks, result.assignments, groups, result.totals.end_ms)
    sums, peaks = cells_of(placements)
    record = Record(
        key="k",
        trace="t",
        cluster="c",
        policy="best-fit",
        seed=1,
        engine="indexed",
        trace_digest="",
        requests=result.totals.requests,
        placed=result.totals.placed,
        rejected=result.totals.rejected,
        check=result.totals.check,
        over_ms=placements.over,
        hosts=10,
        capacity=(640_000, 10 * 256 * 1024, 0),
        sums=packed(sums),
        peaks=packed(peaks),
        shots=packed(snapshots_of(placements)),
    )
    figures, wanted = Measured(record, 0).figures(), result.metrics()
    common = [name for name in figures if wanted.get(name) is not None]
    assert len(common) >= 13
    assert {name: figures[name] for name in common} == pytest.approx({name: wanted[name] for name in common})


def test_energy_by_hand() -> None:
    # Two hosts on for an hour each, of which one works at a half: 2 * 100 W h, and half of the 60 W that work takes.
    hour = 3.6e6
    sums = {"time": hour, "not_empty": 2 * hour, "cpu_share": hour / 2}
    assert energy_kwh((100, 160, False), sums, hosts=5) == pytest.approx(0.230)
    # With the three empty ones idle: 300 W h more.
    assert energy_kwh((100, 160, True), sums, hosts=5) == pytest.approx(0.530)


def sums_of(**columns: np.ndarray) -> np.ndarray:
    sums = np.zeros((CELLS, len(cells.COLUMNS)))
    for name, values in columns.items():
        sums[:, cells.COLUMNS.index(name)] = values
    return sums


def test_a_slice_of_a_time_average_stands_for_its_own_average() -> None:
    level = np.repeat([2.0, 4.0, 6.0], CELLS // 3)
    found = Measured(record_of(sums_of(time=np.ones(CELLS), not_empty=level)), 0).slices(3)
    assert found["not_empty_average"] == pytest.approx([2, 4, 6])
    assert found["empty_share"] == pytest.approx([0.8, 0.6, 0.4])
    # Host-hours are of the whole time: what it would be, were all slices like this one.
    assert found["host_hours"] == pytest.approx([CELLS * level / 3.6e6 for level in (2, 4, 6)])


def test_a_slice_of_a_ratio_stands_for_its_jackknife_pseudo_value() -> None:
    used, bound = np.repeat([3.0, 4.0], CELLS // 2), np.repeat([2.0, 4.0], CELLS // 2)
    found = Measured(record_of(sums_of(time=np.ones(CELLS), not_empty=used, bound=bound)), 0).slices(2)
    # Of all 7 / 6, without the first 1, without the second 1.5: 2 * 7 / 6 - 1 and 2 * 7 / 6 - 1.5.
    assert found["host_hours_ratio"] == pytest.approx([4 / 3, 5 / 6])


def test_what_is_left_out_does_not_count() -> None:
    level = np.concatenate((np.full(80, 9.0), np.full(CELLS - 80, 5.0)))
    measured = Measured(record_of(sums_of(time=np.ones(CELLS), not_empty=level)), 80)
    assert measured.figures()["not_empty_average"] == 5
    # 400 cells do not make seven slices: one cell more is left out.
    assert measured.slices(7)["not_empty_average"] == pytest.approx([5] * 7)


def test_slices_make_intervals_without_a_second_run() -> None:
    _, (result,) = compared(SLICED)
    row = result.row("best-fit")
    assert len(row.records) == 1
    assert row.estimates["host_hours_ratio"].n == 6
    assert row.estimates["host_hours_ratio"].mean == pytest.approx(row.figures[0]["host_hours_ratio"], rel=0.01)
    assert row.against["host_hours_ratio"].difference.estimate.low is not None
    # A peak is of the whole run: nothing is claimed of it.
    assert row.estimates["not_empty_peak"].n == 1
    assert "6 slices of time" in result.replication


@pytest.mark.parametrize(
    ("name", "value", "half", "text"),
    [
        ("empty_share", 0.12345, None, "12.35 %"),
        ("empty_share", 0.12345, 0.00123, "12.35 ± 0.12 %"),
        ("host_hours_ratio", 1.07554, 0.0012, "1.0755 ± 0.0012"),
        ("host_hours", 134412.7, None, "134,413"),
        ("not_empty_average", 870.955, 0.02, "870.96 ± 0.02"),
        ("time_to_place_p50_s", 0.01234, None, "0.012 s"),
        ("energy_kwh", 12.34, None, "12.3 kWh"),
        ("gini", float("nan"), None, "–"),
        ("gini", None, None, "–"),
    ],
)
def test_values_are_written_with_their_unit(name: str, value: float | None, half: float | None, text: str) -> None:
    assert shown(name, value, half) == text


def test_every_metric_is_defined_in_the_docs() -> None:
    text = (DOCS / "metrics.md").read_text()
    named = set(re.findall(r"`([a-z_0-9]+)`", text))
    replayed = replay(lambda: w1_blocks(3, 10), (HostGroup(3, 64, 256 * 1024),), "first-fit").metrics()
    assert set(METRICS) <= named
    assert {name for name in replayed if not name.startswith("rejected_")} <= named
