"""Requests as columns: what the fast engine reads, some tens of thousands at a time, so that memory does not grow.

Everything about the size of an instance is one number, its flavour, an index into a list that grows while a trace
is read: a trace of millions of requests has few sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from cloudsim.experiment.requests import VmRequest

BLOCK = 65_536
ENDLESS = -1
"""In `lifetime_ms` and `expected_ms`: there is none."""

Ints = NDArray[np.int64]


class Flavour(NamedTuple):
    """All of a request but who asks and when."""

    cpus: int
    cpu_mhz: int
    memory_mib: int
    gpus: int = 0
    gpu_milli: int = 1000
    gpu_models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    numa_nodes: int = 1


class RequestBlock(msgspec.Struct, frozen=True):
    """Consecutive requests, in the order of arrival; `first` is the number of the first one, from 0.

    `flavour` is an index into `flavours`, which later blocks of the same trace extend. `tenants` and `groups` are empty where no
    request of the block has any; else they have an entry for each: a tenant, and (affinity, anti-affinity) groups.
    """

    first: int
    arrival_ms: Ints
    lifetime_ms: Ints
    expected_ms: Ints
    flavour: Ints
    flavours: list[Flavour]
    tenants: tuple[str, ...] = ()
    groups: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()

    def __len__(self) -> int:
        return len(self.arrival_ms)


def flavour_of(request: VmRequest) -> Flavour:
    return Flavour(*request.shape, request.numa_nodes)


def blocks_of(requests: Iterable[VmRequest], size: int = BLOCK) -> Iterator[RequestBlock]:
    """The requests in blocks of `size`."""
    flavours: list[Flavour] = []
    codes: dict[Flavour, int] = {}
    part: list[VmRequest] = []
    first = 0
    for request in requests:
        part.append(request)
        if len(part) == size:
            yield _block(first, part, flavours, codes)
            first += size
            part = []
    if part:
        yield _block(first, part, flavours, codes)


def _block(
    first: int, part: list[VmRequest], flavours: list[Flavour], codes: dict[Flavour, int]
) -> RequestBlock:
    def column(values: Iterable[int | None]) -> Ints:
        return np.fromiter((ENDLESS if v is None else v for v in values), np.int64, len(part))

    numbers = []
    for request in part:
        flavour = flavour_of(request)
        code = codes.setdefault(flavour, len(flavours))
        if code == len(flavours):
            flavours.append(flavour)
        numbers.append(code)
    return RequestBlock(
        first,
        column(r.arrival_ms for r in part),
        column(r.lifetime_ms for r in part),
        column(r.expected_ms for r in part),
        np.array(numbers, np.int64),
        flavours,
        tuple(r.tenant for r in part) if any(r.tenant for r in part) else (),
        tuple((r.affinity, r.anti_affinity) for r in part)
        if any(r.affinity or r.anti_affinity for r in part)
        else (),
    )


def whole_instants(blocks: Iterable[RequestBlock]) -> Iterator[RequestBlock]:
    """The same requests in blocks that end where an instant does, so that none has requests of the same instant as the next."""
    kept: RequestBlock | None = None
    for block in blocks:
        joined = block if kept is None else _joined(kept, block)
        last = int(np.searchsorted(joined.arrival_ms, joined.arrival_ms[-1])) if len(joined) else 0
        if last:
            yield _part(joined, 0, last)
        kept = _part(joined, last, len(joined))
    if kept is not None and len(kept):
        yield kept


def _part(block: RequestBlock, begin: int, end: int) -> RequestBlock:
    part = slice(begin, end)
    return RequestBlock(
        block.first + begin,
        block.arrival_ms[part],
        block.lifetime_ms[part],
        block.expected_ms[part],
        block.flavour[part],
        block.flavours,
        block.tenants[part],
        block.groups[part],
    )


def _joined(one: RequestBlock, other: RequestBlock) -> RequestBlock:
    tenants: tuple[str, ...] = ()
    if one.tenants or other.tenants:
        tenants = (one.tenants or ("",) * len(one)) + (other.tenants or ("",) * len(other))
    groups: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    if one.groups or other.groups:
        groups = (one.groups or (((), ()),) * len(one)) + (other.groups or (((), ()),) * len(other))
    return RequestBlock(
        one.first,
        np.concatenate((one.arrival_ms, other.arrival_ms)),
        np.concatenate((one.lifetime_ms, other.lifetime_ms)),
        np.concatenate((one.expected_ms, other.expected_ms)),
        np.concatenate((one.flavour, other.flavour)),
        other.flavours,
        tenants,
        groups,
    )
