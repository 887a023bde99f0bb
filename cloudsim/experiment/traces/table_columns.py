"""cloudsim's own trace schema (see `traces.table`) read as columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from cloudsim.experiment.blocks import ENDLESS, Ints, RequestBlock
from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.coding import FlavourCodes, Labels, rows_of
from cloudsim.experiment.traces.columns import Columns, read_parquet, split_names
from cloudsim.experiment.traces.plain_csv import NotPlain, read_plain_csv
from cloudsim.experiment.traces.rows import LARGEST, CsvRow

DEFAULT_MHZ = 1000
REQUIRED = ("id", "arrival_ms", "lifetime_ms", "vcpu")
MEMORY = ("memory_mib", "mem_gib")
_WHOLE = pa.int64()
TYPES = {
    "id": pa.string(),
    "arrival_ms": _WHOLE,
    "lifetime_ms": _WHOLE,
    "vcpu": _WHOLE,
    "cpu_mhz": _WHOLE,
    "memory_mib": _WHOLE,
    "gpus": _WHOLE,
    "gpu_milli": _WHOLE,
    "gpu_models": pa.string(),
    "tags": pa.string(),
    "tenant": pa.string(),
    "expected_ms": _WHOLE,
    "affinity": pa.string(),
    "anti_affinity": pa.string(),
    "numa_nodes": _WHOLE,
    "work_ms": pa.string(),
}
"""The columns that are written, and their types in Parquet."""

_WORK = "work_ms"
_TEXTS = tuple(name for name, kind in TYPES.items() if kind == pa.string() and name not in ("id", _WORK))
_OPTIONAL = (*(name for name in TYPES if name not in REQUIRED), "mem_gib")


def memory_column(path: Path, columns: CsvRow | Columns) -> str:
    """The name of the column that has the memory. Raises TraceError if there is none."""
    for name in MEMORY:
        if columns.has(name):
            return name
    raise TraceError(f"{path}: expected a column memory_mib or mem_gib")


def csv_blocks(path: Path, codes: FlavourCodes) -> Iterator[RequestBlock]:
    """Raises NotPlain where something is wrong, also with a value: rows have lines, which an error should name."""
    types = {name: kind for name, kind in TYPES.items() if name not in ("id", _WORK)} | {"mem_gib": pa.float64()}
    last = 0
    for part in read_plain_csv(path, types, REQUIRED):
        try:
            block = _block(path, part, codes, last)
        except (TraceError, KeyError) as error:
            raise NotPlain(str(error)) from error
        last = int(block.arrival_ms[-1])
        yield block


def parquet_blocks(path: Path, codes: FlavourCodes) -> Iterator[RequestBlock]:
    """The file in blocks, without ids. Raises TraceError for the first wrong value, naming its row."""
    return (block for _, block in _parquet(path, ("id", _WORK), codes))


def parquet_rows(path: Path) -> Iterator[tuple[str, VmRequest]]:
    """The requests, with where each stands in the file."""
    for part, block in _parquet(path, (), FlavourCodes()):
        works = part.names(_WORK) if part.has(_WORK) else []
        for index, request in enumerate(rows_of(block, part.text("id"))):
            if works and works[index]:
                request = msgspec.structs.replace(request, work_ms=_work(part, index, works[index]))
            yield f"{path}: row {part.first + index}", request


def _work(part: Columns, index: int, texts: tuple[str, ...]) -> tuple[int, ...]:
    for text in texts:
        if not (text.isdecimal() and 1 <= int(text) <= LARGEST):
            raise part.wrong(index, _WORK, "whole numbers of at least 1, separated by |", text)
    return tuple(int(text) for text in texts)


def _parquet(path: Path, unread: Sequence[str], codes: FlavourCodes) -> Iterator[tuple[Columns, RequestBlock]]:
    last = 0
    for part in read_parquet(path, REQUIRED, _OPTIONAL, repeating=_TEXTS, unread=unread):
        if not len(part):
            continue
        block = _block(path, part, codes, last)
        last = int(block.arrival_ms[-1])
        yield part, block


def _block(path: Path, part: Columns, codes: FlavourCodes, last: int) -> RequestBlock:
    arrivals = part.integers("arrival_ms")
    back = np.flatnonzero(np.diff(arrivals, prepend=last) < 0)
    if back.size:
        place = int(back[0])
        least = int(arrivals[place - 1]) if place else last
        raise part.wrong(
            place, "arrival_ms", f"at least {least}, in the order of arrival", int(arrivals[place])
        )
    fields: dict[str, Ints | Labels] = {
        "cpus": part.integers("vcpu", 1),
        "cpu_mhz": _whole_or(part, "cpu_mhz", DEFAULT_MHZ, 1),
        "memory_mib": _memory(path, part),
        "gpus": _whole_or(part, "gpus", 0, 0),
        "gpu_milli": _whole_or(part, "gpu_milli", 1000, 1, 1000),
        "numa_nodes": _whole_or(part, "numa_nodes", 1, 1),
    }
    for name in ("gpu_models", "tags"):
        if part.has(name):
            labels, texts = part.labels(name)
            fields[name] = Labels(labels, [split_names(text) for text in texts])
    if part.has("expected_ms"):
        expected = part.integers("expected_ms", 1, optional=True)
    else:
        expected = np.full(len(part), ENDLESS, np.int64)
    return RequestBlock(
        part.first - 1,
        arrivals,
        part.integers("lifetime_ms", 1, optional=True),
        expected,
        codes.encode(fields, len(part)),
        codes.flavours,
        _tenants(part),
        _groups(part),
    )


def _whole_or(part: Columns, name: str, default: int, minimum: int, maximum: int | None = None) -> Ints:
    """The column's whole numbers, `default` where a value or the column is missing."""
    if not part.has(name):
        return np.full(len(part), default, np.int64)
    if maximum is None:
        numbers = part.integers(name, minimum, optional=True)
    else:
        numbers = part.integers(name, minimum, maximum, optional=True)
    return np.where(numbers == ENDLESS, default, numbers)


def _memory(path: Path, part: Columns) -> Ints:
    name = memory_column(path, part)
    if name == "memory_mib":
        return part.integers(name, 1)
    gib = part.numbers(name)
    mib: Ints = np.ceil(gib * 1024).astype(np.int64)
    if not mib.all():
        place = int(np.flatnonzero(mib == 0)[0])
        raise part.wrong(place, name, "more than 0", float(gib[place]))
    return mib


def _tenants(part: Columns) -> tuple[str, ...]:
    if not part.has("tenant"):
        return ()
    labels, names = part.labels("tenant")
    return tuple(names[label] for label in labels.tolist()) if any(names) else ()


def _groups(part: Columns) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    near, far = (part.names(name) if part.has(name) else [] for name in ("affinity", "anti_affinity"))
    if not near and not far:
        return ()
    nothing: list[tuple[str, ...]] = [()] * len(part)
    return tuple(zip(near or nothing, far or nothing, strict=True))
