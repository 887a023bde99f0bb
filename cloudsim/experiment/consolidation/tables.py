"""The tables of a study as Parquet: results, a row for each case; and series, a row for each case and decision."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cloudsim.experiment.consolidation.study import Row

_COLUMNS = {
    "time": "time_s",
    "on": "hosts_on_mean",
    "watts": "power_mean_w",
    "short": "hosts_short",
    "migrations": "migrations_begun",
    "asked": "asked_mhz",
    "capacity": "capacity_on_mhz",
}


def write_tables(rows: Sequence[Row], folder: Path) -> None:
    """Write results.parquet and series.parquet."""
    for name, table in (("results", results(rows)), ("series", series(rows))):
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd", store_schema=False)


def results(rows: Sequence[Row]) -> pa.Table:
    """Figures by case: energy in kWh, shares from 0 to 1."""
    return pa.Table.from_pylist([row.figures() for row in rows])


def series(rows: Sequence[Row]) -> pa.Table:
    """Decision by decision; means are since the one before."""
    columns: dict[str, Any] = {"load": [], "policy": [], "seed": []}
    for row in rows:
        size = len(row.outcome.series.time)
        for name, value in (("load", row.load), ("policy", row.policy), ("seed", row.seed)):
            columns[name] += [value] * size
        for name, values in row.outcome.series._asdict().items():
            columns.setdefault(_COLUMNS[name], []).append(values)
    return pa.table(
        {
            name: np.concatenate(values) if values and isinstance(values[0], np.ndarray) else values
            for name, values in columns.items()
        }
    )
