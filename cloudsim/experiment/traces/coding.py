"""Sizes of instances as numbers: columns of a block become one column of flavours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from cloudsim.experiment.blocks import ENDLESS, Flavour, Ints, RequestBlock
from cloudsim.experiment.requests import VmRequest

_FEW = 1024
_WIDEST = 1 << 62


class Labels(NamedTuple):
    """A column of anything: for each row an index into `values`."""

    codes: Ints
    values: Sequence[Any]


class FlavourCodes:
    """Gives each flavour of a trace its number, in the order in which it is met. `flavours` grows."""

    def __init__(self) -> None:
        self.flavours: list[Flavour] = []
        self._numbers: dict[Flavour, int] = {}

    def number(self, flavour: Flavour) -> int:
        number = self._numbers.setdefault(flavour, len(self.flavours))
        if number == len(self.flavours):
            self.flavours.append(flavour)
        return number

    def encode(self, columns: Mapping[str, Ints | Labels], size: int) -> Ints:
        """A number for each of `size` rows, whose fields of Flavour are in `columns`; others are as Flavour has them."""
        fields = {n: c if isinstance(c, Labels) else labelled(c) for n, c in columns.items()}
        combined, span = np.zeros(size, np.int64), 1
        for codes, values in fields.values():
            if len(values) > 1:
                if span * len(values) > _WIDEST:
                    combined, present = _renumbered(combined)
                    span = len(present)
                combined, span = combined * len(values) + codes, span * len(values)
        combined, present = _renumbered(combined)
        some_row = np.empty(len(present), np.int64)
        some_row[combined] = np.arange(size)
        found = [
            self.number(Flavour(**{name: field.values[field.codes[row]] for name, field in fields.items()}))
            for row in some_row.tolist()
        ]
        return np.array(found, np.int64)[combined]


def labelled(column: Ints) -> Labels:
    """A column of whole numbers as an index into those that occur, or into all between the least and the greatest."""
    least, greatest = (int(column.min()), int(column.max())) if column.size else (0, 0)
    if greatest - least < _FEW:
        return Labels(column - least, range(least, greatest + 1))
    codes, values = _renumbered(column)
    return Labels(codes, values.tolist())


def _renumbered(column: Ints) -> tuple[Ints, Ints]:
    # Hashing, and not sorting as np.unique does: several times as fast.
    encoded = pa.array(column).dictionary_encode()
    codes: Ints = encoded.indices.to_numpy().astype(np.int64)
    values: Ints = encoded.dictionary.to_numpy()
    return codes, values


def rows_of(block: RequestBlock, ids: Iterable[str]) -> Iterator[VmRequest]:
    """The requests of a block, called `ids`: what `blocks_of` made columns of."""
    columns = (block.arrival_ms, block.lifetime_ms, block.expected_ms, block.flavour)
    rows = zip(ids, *(column.tolist() for column in columns), strict=True)
    for index, (name, arrival, lifetime, expected, number) in enumerate(rows):
        affinity, anti_affinity = block.groups[index] if block.groups else ((), ())
        flavour = block.flavours[number]
        yield VmRequest(
            name,
            arrival,
            None if lifetime == ENDLESS else lifetime,
            flavour.cpus,
            flavour.cpu_mhz,
            flavour.memory_mib,
            flavour.gpus,
            flavour.gpu_milli,
            flavour.gpu_models,
            flavour.tags,
            block.tenants[index] if block.tenants else "",
            None if expected == ENDLESS else expected,
            affinity,
            anti_affinity,
            flavour.numa_nodes,
        )


def numbered(blocks: Iterable[RequestBlock]) -> Iterator[VmRequest]:
    """The requests of blocks, row by row; each is called by its number, from 0."""
    for block in blocks:
        yield from rows_of(block, map(str, range(block.first, block.first + len(block))))
