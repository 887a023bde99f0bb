"""Requests written in cloudsim's own trace schema (see `traces.table`), as they stream by."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.columns import BATCH
from cloudsim.experiment.traces.table_columns import TYPES

COLUMNS = tuple(TYPES)
_CONTROL = re.compile("[\x00-\x1f]")


def write_table(path: Path, requests: Iterable[VmRequest], comment: str = "") -> int:
    """Write a .csv or .parquet file; returns how many requests. It is there whole, or not at all.

    Raises TraceError for another kind of file, one that cannot be written, and names that the schema has no room for.
    """
    write = {".csv": write_csv, ".parquet": write_parquet}.get(path.suffix)
    if write is None:
        raise TraceError(f"{path}: expected a .csv or .parquet file")
    return write(path, requests, comment)


def write_csv(path: Path, requests: Iterable[VmRequest], comment: str = "") -> int:
    """As `write_table`; the lines of `comment` go before the header, behind #."""
    count = 0
    with _whole(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        for line in comment.splitlines():
            file.write(f"# {line}".rstrip() + "\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for request in requests:
            row = _row(request)
            for name in (request.id, request.tenant):
                if _CONTROL.search(name):
                    raise TraceError(f"request {name!r}: expected a name that fits on a line of a CSV file")
            writer.writerow(row)
            count += 1
    return count


def write_parquet(path: Path, requests: Iterable[VmRequest], comment: str = "") -> int:
    """As `write_table`; `comment` is kept in the file's metadata."""
    count = 0
    schema = pa.schema(list(TYPES.items()), metadata={"comment": comment} if comment else None)
    left = iter(requests)
    with _whole(path) as part, pq.ParquetWriter(part, schema, compression="zstd") as writer:
        while rows := [_row(request) for request in islice(left, BATCH)]:
            arrays = [
                pa.array(column, kind)
                for column, kind in zip(zip(*rows, strict=True), TYPES.values(), strict=True)
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
            count += len(rows)
    return count


def _row(request: VmRequest) -> tuple[str | int | None, ...]:
    r = request
    return (
        r.id,
        r.arrival_ms,
        r.lifetime_ms,
        r.cpus,
        r.cpu_mhz,
        r.memory_mib,
        r.gpus,
        r.gpu_milli,
        _joined(r, r.gpu_models),
        _joined(r, r.tags),
        r.tenant,
        r.expected_ms,
        _joined(r, r.affinity),
        _joined(r, r.anti_affinity),
        r.numa_nodes,
        "|".join(map(str, r.work_ms)),
    )


def _joined(request: VmRequest, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    for name in names:
        if not name or "|" in name or _CONTROL.search(name):
            raise TraceError(
                f"request {request.id}: expected names without a vertical bar or line end, got {name!r}"
            )
    return "|".join(names)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file to write into, which gets the name `path` once it is whole."""
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
