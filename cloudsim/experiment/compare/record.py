"""A finished run as one small file: all that its figures are made from, so that none has to be run again for another question."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import numpy as np

from cloudsim.experiment.compare import cells, snapshots
from cloudsim.experiment.compare.placements import Floats
from cloudsim.experiment.compare.spec import CELLS

FORMAT = 1
"""Goes up when a file of before cannot be read as one of now."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A run. `key` is the digest of all that decides its outcome, `trace_digest` that of its requests.

    `placed`, `rejected` (by cause) and `check` are of the whole run, which ended at `over_ms`. `capacity` are MHz, MiB and
    thousandths of GPUs of all hosts. `sums`, `peaks` and `shots` are little-endian doubles: see `cells` and `snapshots`.
    `figures` are those that only the full engine has. `cpu_seconds` were spent on placing, or on the full run.
    """

    key: str
    trace: str
    cluster: str
    policy: str
    seed: int
    engine: str
    trace_digest: str
    requests: int
    placed: int
    rejected: dict[str, int]
    check: int
    over_ms: float
    hosts: int
    capacity: tuple[int, int, int]
    sums: bytes
    peaks: bytes
    shots: bytes
    figures: dict[str, float | None] = {}
    cpu_seconds: float = 0.0
    format: int = FORMAT

    def table(self) -> Floats:
        """[CELLS, cells.COLUMNS]."""
        return np.frombuffer(self.sums, "<f8").reshape(CELLS, len(cells.COLUMNS))

    def highest(self) -> Floats:
        """[CELLS, cells.PEAKS]."""
        return np.frombuffer(self.peaks, "<f8").reshape(CELLS, len(cells.PEAKS))

    def states(self) -> Floats:
        """[CELLS / snapshots.EVERY, snapshots.COLUMNS]."""
        return np.frombuffer(self.shots, "<f8").reshape(-1, len(snapshots.COLUMNS))


class Records:
    """A folder of records, a file for each, by key. A file appears whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, record: Record) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(record.key)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(msgspec.msgpack.encode(record))
        partial.replace(path)

    def get(self, key: str) -> Record | None:
        """The record of that key; None where there is none, or none of today's format."""
        try:
            record = msgspec.msgpack.decode(self._path(key).read_bytes(), type=Record)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return record if record.format == FORMAT and record.key == key else None

    def _path(self, key: str) -> Path:
        return self._folder / f"{key[:32]}.run"


def packed(array: Floats) -> bytes:
    """An array as a record has it."""
    return array.astype("<f8").tobytes()
