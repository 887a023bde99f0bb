"""Reading a whole trace, row by row and as columns, and comparing the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from cloudsim.experiment.blocks import ENDLESS, RequestBlock, blocks_of
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces import Trace
from cloudsim.randomness import Randomness

SEED = 1


def read(trace: Trace, folder: Path) -> list[VmRequest]:
    return list(trace.requests(folder, Randomness(SEED)))


def rows(blocks: Iterable[RequestBlock]) -> Iterator[tuple[object, ...]]:
    """Everything that blocks say of each request, however they are cut and flavours numbered."""
    expected = 0
    for block in blocks:
        assert block.first == expected
        assert len(block) == len(block.lifetime_ms) == len(block.expected_ms) == len(block.flavour) > 0
        expected += len(block)
        for i in range(len(block)):
            yield (
                int(block.arrival_ms[i]),
                None if block.lifetime_ms[i] == ENDLESS else int(block.lifetime_ms[i]),
                None if block.expected_ms[i] == ENDLESS else int(block.expected_ms[i]),
                block.flavours[block.flavour[i]],
                block.tenants[i] if block.tenants else "",
                block.groups[i] if block.groups else ((), ()),
            )


def assert_columns_are_the_rows(trace: Trace, folder: Path) -> list[VmRequest]:
    """Both ways to read a trace give the same; returns it."""
    requests = read(trace, folder)
    assert list(rows(trace.blocks(folder, Randomness(SEED)))) == list(rows(blocks_of(requests)))
    return requests
