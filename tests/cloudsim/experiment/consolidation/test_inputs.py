"""Where the loads of a study come from."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloudsim.experiment.consolidation.inputs import BitbrainsLoad, Order, PlanetLabLoad
from cloudsim.experiment.consolidation.load import Load
from cloudsim.experiment.errors import TraceError
from cloudsim.randomness import Randomness

NAMES = ("b_host", "A_host", "a-host", "a_host", "c")
BEGIN = datetime(2013, 8, 12, 13, 35, 46, tzinfo=UTC)


def _day(folder: Path) -> Path:
    """A file for each name; its number is its first value (per cent), and the second is 10."""
    day = folder / "20110303"
    day.mkdir()
    for number, name in enumerate(NAMES):
        (day / name).write_text("".join(f"{value}\n" for value in [number, 10, *[50] * 286]))
    return day


def _load(source: PlanetLabLoad | BitbrainsLoad, folder: Path, seed: int = 1) -> Load:
    (load,) = source.loads(folder, Randomness(seed))
    return load


def test_planetlab_values_are_shares_of_the_first_quarter_and_so_on(tmp_path: Path) -> None:
    _day(tmp_path)
    load = _load(PlanetLabLoad(days=("20110303",)), tmp_path)
    assert load.name == "20110303"
    assert load.names == ("A_host", "a-host", "a_host", "b_host", "c")
    # Five VMs of four types: two of each but the last, for which there is one left.
    assert load.instances["size"].tolist() == [2500, 2500, 2000, 2000, 1000]
    assert load.instances["memory"].tolist() == [870, 870, 1740, 1740, 1740]
    assert load.share.shape == (288, 5)
    assert load.share[0].tolist() == [0.01, 0.02, 0.03, 0.0, 0.04]
    assert load.end_s == 86400


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("name", ["A_host", "a-host", "a_host", "b_host", "c"]),
        # As Windows has it: `_` is behind all capitals, and `A_host` and `a_host` stay in the order of their names.
        ("upper-case", ["a-host", "A_host", "a_host", "b_host", "c"]),
    ],
)
def test_the_order_of_names_decides_who_is_how_large(tmp_path: Path, order: Order, names: list[str]) -> None:
    _day(tmp_path)
    load = _load(PlanetLabLoad(days=("20110303",), order=order), tmp_path)
    assert list(load.names) == names
    assert load.share[0].tolist() == [NAMES.index(name) / 100 for name in names]


def test_listed_is_the_order_of_the_archive(tmp_path: Path) -> None:
    day = _day(tmp_path)
    with tarfile.open(tmp_path / "day.tar.gz", "w:gz") as archive:
        for name in NAMES:
            archive.add(day / name, f"20110303/{name}")
    assert _load(PlanetLabLoad(days=("day.tar.gz",), order="listed"), tmp_path).names == NAMES


def test_shuffled_depends_on_the_seed_alone(tmp_path: Path) -> None:
    _day(tmp_path)
    source = PlanetLabLoad(days=("20110303",), order="shuffled")
    orders = [_load(source, tmp_path, seed).names for seed in (1, 1, *range(2, 12))]
    assert orders[0] == orders[1] and len(set(orders)) > 2
    assert all(sorted(names) == sorted(NAMES) for names in orders)


def test_load_is_a_straight_line_between_values(tmp_path: Path) -> None:
    _day(tmp_path)
    load = _load(PlanetLabLoad(days=("20110303",)), tmp_path)
    assert load.at(0).tolist() == load.share[0].tolist()
    assert load.at(150)[3] == pytest.approx(0.05)  # half way from 0 to 10 %
    assert load.at(86400).tolist() == load.share[-1].tolist()
    assert load.at(86300).tolist() == load.share[-1].tolist()


def _bitbrains(folder: Path, rows: list[tuple[str, int, int, float]]) -> Path:
    """Rows of (id, end and duration in minutes, MHz)."""
    place = folder / "bitbrains"
    place.mkdir()
    meta = {
        "id": ["1", "2"],
        "cpu_count": pa.array([1, 4], pa.int32()),
        "cpu_capacity": [2000.0, 8000.0],
        "mem_capacity": [1048576, 2097152],
    }
    trace = {
        "id": [row[0] for row in rows],
        "timestamp": pa.array([BEGIN + timedelta(minutes=row[1]) for row in rows], pa.timestamp("ms", "UTC")),
        "duration": pa.array([60_000 * row[2] for row in rows], pa.int64()),
        "cpu_usage": [row[3] for row in rows],
    }
    pq.write_table(pa.table(meta), place / "meta.parquet")
    pq.write_table(pa.table(trace), place / "trace.parquet")
    return place


ROWS = [("1", 5, 5, 1000.0), ("1", 15, 10, 3000.0), ("2", 10, 5, 800.0), ("1", 20, 5, 500.0)]


def test_bitbrains_values_stand_for_their_duration(tmp_path: Path) -> None:
    _bitbrains(tmp_path, ROWS)
    load = _load(BitbrainsLoad(path="bitbrains", hours=0.5), tmp_path)
    assert load.names == ("1", "2")
    assert load.instances["size"].tolist() == [2000, 8000]
    assert load.instances["cores"].tolist() == [1, 4]
    assert load.instances["memory"].tolist() == [1024, 2048]
    # 3,000 of 2,000 MHz is all of it.
    expected = [[0.5, 0], [1, 0.1], [1, 0], [0.25, 0], [0, 0], [0, 0]]
    np.testing.assert_allclose(load.share, expected)


def test_bitbrains_can_begin_later(tmp_path: Path) -> None:
    _bitbrains(tmp_path, ROWS)
    load = _load(BitbrainsLoad(path="bitbrains", start_hour=0.25, hours=0.25), tmp_path)
    np.testing.assert_allclose(load.share[:, 0], [0.25, 0, 0])


def test_bitbrains_errors_name_file_row_and_column(tmp_path: Path) -> None:
    place = _bitbrains(tmp_path, [*ROWS, ("3", 5, 5, 1.0)])
    with pytest.raises(TraceError, match=rf"{place}/trace.parquet: row 5: id: expected an id that meta.parquet has, got '3'"):
        _load(BitbrainsLoad(path="bitbrains"), tmp_path)


def test_bitbrains_has_an_end(tmp_path: Path) -> None:
    place = _bitbrains(tmp_path, ROWS)
    with pytest.raises(TraceError, match=rf"{place}/trace.parquet: start_hour: expected less than the 0.3 h that there are"):
        _load(BitbrainsLoad(path="bitbrains", start_hour=1), tmp_path)
