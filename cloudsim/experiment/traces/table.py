"""cloudsim's own trace schema, as CSV or Parquet: one request a row.

| column | unit | |
|---|---|---|
| id | | unique |
| arrival_ms | ms | from the beginning of the trace; rows are in this order |
| lifetime_ms | ms | at least 1; empty: the instance runs on |
| vcpu | cores | at least 1 |
| memory_mib | MiB | or mem_gib, in GiB (a fraction is rounded up to a MiB) |
| cpu_mhz | MHz per core | optional, 1000 |
| gpus | | optional, 0 |
| gpu_milli | thousandths of each GPU | optional, 1000 |
| gpu_models | names separated by a vertical bar | optional: any model |
| tags | host tags separated by a vertical bar | optional |
| tenant | a name | optional: nobody in particular |
| expected_ms | ms | optional, at least 1: the lifetime that placement is told; empty: nothing |
| affinity | groups separated by a vertical bar | optional: members of a group go to one host |
| anti_affinity | groups separated by a vertical bar | optional: members of a group go to different hosts |
| numa_nodes | | optional, 1: over how many NUMA nodes of its host an instance is spread evenly |
| work_ms | ms, separated by a vertical bar | optional: how long each task of its guest takes at full speed |

Other columns are left alone. A CSV file may begin with comment lines (#) before its header, and be gzipped.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np

from cloudsim.experiment.blocks import RequestBlock, blocks_of
from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.coding import FlavourCodes
from cloudsim.experiment.traces.plain_csv import NotPlain
from cloudsim.experiment.traces.rows import CsvRow, read_csv
from cloudsim.experiment.traces.sample import Sample
from cloudsim.experiment.traces.source import Trace
from cloudsim.experiment.traces.table_columns import (
    DEFAULT_MHZ,
    REQUIRED,
    csv_blocks,
    memory_column,
    parquet_blocks,
    parquet_rows,
)
from cloudsim.randomness import Randomness


class TableTrace(Trace, frozen=True, kw_only=True, tag="table"):
    """`path` is a .csv, .csv.gz or .parquet file with cloudsim's own columns; see docs/traces.md or `traces.table`.

    A file is read as it streams; requests by rows have their ids remembered, to see that there are no two of one.
    """

    title: ClassVar[str] = "cloudsim's own columns (CSV or Parquet)"
    units: ClassVar[str] = "ms, cores, MHz a core, MiB (or GiB), thousandths of a GPU"
    source: ClassVar[str] = "`cloudsim trace convert` makes such a file of any other format."

    path: str

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return sample.has(*REQUIRED)

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        path = folder / self.path
        return _unique(parquet_rows(path) if _is_parquet(path) else _ordered(path))

    def columns(self, folder: Path, randomness: Randomness) -> Iterator[RequestBlock]:
        path = folder / self.path
        codes = FlavourCodes()
        if _is_parquet(path):
            yield from parquet_blocks(path, codes)
            return
        done = 0
        try:
            for block in csv_blocks(path, codes):
                yield block
                done += len(block)
        except NotPlain:
            rows = (request for _, request in islice(_ordered(path), done, None))
            for block in blocks_of(rows):
                numbers = np.array([codes.number(flavour) for flavour in block.flavours], np.int64)
                yield RequestBlock(
                    done + block.first,
                    block.arrival_ms,
                    block.lifetime_ms,
                    block.expected_ms,
                    numbers[block.flavour],
                    codes.flavours,
                    block.tenants,
                    block.groups,
                )


def _is_parquet(path: Path) -> bool:
    name = path.name.removesuffix(".gz")
    if not name.endswith((".csv", ".parquet")):
        raise TraceError(f"{path}: expected a .csv, .csv.gz or .parquet file")
    return name.endswith(".parquet")


def _unique(rows: Iterable[tuple[str, VmRequest]]) -> Iterator[VmRequest]:
    """The requests, if no two have one id; `rows` come with where they stand."""
    seen: set[str] = set()
    for where, request in rows:
        if request.id in seen:
            raise TraceError(f"{where}: id: expected a name that no earlier row has, got {request.id!r}")
        seen.add(request.id)
        yield request


def _ordered(path: Path) -> Iterator[tuple[str, VmRequest]]:
    memory = ""
    last = 0
    for row in read_csv(path, REQUIRED):
        memory = memory or memory_column(path, row)
        request = _request(row, memory)
        if request.arrival_ms < last:
            raise row.wrong("arrival_ms", f"at least {last}, in the order of arrival", request.arrival_ms)
        last = request.arrival_ms
        yield f"{path}:{row.line}", request


def _request(row: CsvRow, memory: str) -> VmRequest:
    mib = row.whole(memory, 1) if memory == "memory_mib" else math.ceil(row.number(memory) * 1024)
    if mib < 1:
        raise row.wrong(memory, "more than 0", row.text(memory))
    share = row.whole_or("gpu_milli", 1000, 1)
    if share > 1000:
        raise row.wrong("gpu_milli", "at most 1000", share)
    return VmRequest(
        row.name("id"),
        row.whole("arrival_ms"),
        row.whole_or_none("lifetime_ms", 1),
        row.whole("vcpu", 1),
        row.whole_or("cpu_mhz", DEFAULT_MHZ, 1),
        mib,
        row.whole_or("gpus", 0),
        share,
        row.names("gpu_models"),
        row.names("tags"),
        row.text("tenant"),
        row.whole_or_none("expected_ms", 1),
        row.names("affinity"),
        row.names("anti_affinity"),
        row.whole_or("numa_nodes", 1, 1),
        tuple(row.wholes("work_ms", 1)),
    )
