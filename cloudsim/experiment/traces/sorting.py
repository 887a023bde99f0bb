"""Requests in the order of arrival, of traces that are in no order and too long to be held: an external merge sort."""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from tempfile import TemporaryFile
from typing import IO

import msgspec

from cloudsim.experiment.requests import VmRequest

RUN = 200_000
"""Requests in memory at once, about half a GB at most."""

_LENGTH = struct.Struct("<I")


def by_arrival(requests: Iterable[VmRequest]) -> Iterator[VmRequest]:
    """The requests sorted by `arrival_ms`; those of one millisecond stay in their order.

    More than RUN of them go to temporary files, in sorted runs which are then merged.
    """
    left = iter(requests)
    with ExitStack() as files:
        runs: list[Iterable[VmRequest]] = []
        while run := sorted(islice(left, RUN), key=_arrival):
            if len(run) == RUN or runs:
                runs.append(_kept(run, files.enter_context(TemporaryFile())))
            else:
                runs.append(run)
        yield from heapq.merge(*runs, key=_arrival)


def _arrival(request: VmRequest) -> int:
    return request.arrival_ms


def _kept(run: list[VmRequest], file: IO[bytes]) -> Iterator[VmRequest]:
    encoder = msgspec.msgpack.Encoder()
    for request in run:
        data = encoder.encode(request)
        file.write(_LENGTH.pack(len(data)))
        file.write(data)
    file.seek(0)
    return _read_back(file)


def _read_back(file: IO[bytes]) -> Iterator[VmRequest]:
    decode = msgspec.msgpack.Decoder(VmRequest).decode
    while head := file.read(_LENGTH.size):
        yield decode(file.read(_LENGTH.unpack(head)[0]))
