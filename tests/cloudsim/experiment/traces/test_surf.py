"""SURF: units, order, and what is said of a malformed file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.surf import SurfTrace
from tests.cloudsim.experiment.traces.reading import read


def surf(folder: Path, **columns: list[Any]) -> SurfTrace:
    rows = {
        "id": [7, 8],
        "submission_time": [2_000_000, 1_000_000],
        "duration": [1000, 60_000],
        "cpu_count": [16, 16],
        "cpu_capacity": [33_600.0, 33_601.0],
        "mem_capacity": [100_000, 1],
    } | columns
    pq.write_table(pa.table(rows), folder / "tasks.parquet")
    return SurfTrace(path="tasks.parquet")


class TestSurf:
    def test_units_and_order(self, tmp_path: Path) -> None:
        first, second = read(surf(tmp_path), tmp_path)
        assert first == VmRequest("8", 0, 60_000, 16, 2101, 1)  # the MHz of a core and the MiB are rounded up
        assert second == VmRequest("7", 1_000_000, 1000, 16, 2100, 95_368)

    def test_start_and_limit_count_from_the_first_one_taken(self, tmp_path: Path) -> None:
        trace = surf(tmp_path)
        (only,) = read(SurfTrace(path=trace.path, start=1, limit=1), tmp_path)
        assert (only.id, only.arrival_ms) == ("7", 0)

    def test_a_malformed_row_is_named(self, tmp_path: Path) -> None:
        trace = surf(tmp_path, cpu_count=[16, 0])
        with pytest.raises(
            TraceError, match=r"tasks.parquet: row 2: cpu_count: expected .* at least 1, got 0"
        ):
            read(trace, tmp_path)

    def test_a_missing_value_is_named(self, tmp_path: Path) -> None:
        trace = surf(tmp_path, duration=[None, 5])
        with pytest.raises(TraceError, match=r"row 1: duration: expected a whole number .* got None"):
            read(trace, tmp_path)

    def test_a_missing_column_is_named(self, tmp_path: Path) -> None:
        pq.write_table(pa.table({"id": [1]}), tmp_path / "tasks.parquet")
        with pytest.raises(TraceError, match="missing: submission_time, duration"):
            read(SurfTrace(path="tasks.parquet"), tmp_path)

    def test_a_column_of_another_type_is_named(self, tmp_path: Path) -> None:
        trace = surf(tmp_path, mem_capacity=["much", "more"])
        with pytest.raises(TraceError, match="mem_capacity: expected a column of whole numbers, got string"):
            read(trace, tmp_path)

    def test_a_missing_file_says_where_the_trace_is(self, tmp_path: Path) -> None:
        with pytest.raises(
            TraceError, match=r"nothing.parquet: there is no such file. .*atlarge-research/opendc"
        ):
            read(SurfTrace(path="nothing.parquet"), tmp_path)

    def test_no_parquet_at_all(self, tmp_path: Path) -> None:
        (tmp_path / "tasks.parquet").write_text("id,duration\n")
        with pytest.raises(TraceError, match="not a Parquet file"):
            read(SurfTrace(path="tasks.parquet"), tmp_path)
