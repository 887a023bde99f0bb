"""What the Store and its journal cost, per row and per commit.

    python -m benchmarks.bench_store
    python -m benchmarks.bench_store postgresql://USER@HOST/NAME     # what is durable in this database, beside SQLite

Rows are VirtualMachine, the widest of the model. Times of memory operations are the best of several
rounds (the machine's noise only adds), the durable ones are means over a second, on a SQLite file in
the system's folder for temporary files: what they say depends on that disk's fsync. A database of PostgreSQL that is named
must be of no other use: its instances are deleted.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cloudsim.model import ROW_TYPES, VirtualMachine
from cloudsim.store import Change, Store
from server.database import DatabaseJournal, load_rows, open_database
from server.database.schema import MAPPINGS

ROUNDS, ROWS = 5, 5_000
LOADED_ROWS = 20_000
SECONDS = 1.0


def figures() -> dict[str, dict[str, Any]]:
    """name -> {"value", "unit"}; takes about ten seconds."""
    inserting, updating = _memory()
    with tempfile.TemporaryDirectory() as folder:
        single, single_latency = _durable(Path(folder) / "1.db", 1)
        group, group_latency = _durable(Path(folder) / "16.db", 16)
        recording = _recording(Path(folder) / "record.db")
        loading = _loading(Path(folder) / "load.db")
    return {
        "store.insert_us": {"value": inserting, "unit": "us"},
        "store.update_us": {"value": updating, "unit": "us"},
        "store.record_us": {"value": recording, "unit": "us"},
        "store.durable_commits_per_s_1": {"value": single, "unit": "1/s"},
        "store.durable_commits_per_s_16": {"value": group, "unit": "1/s"},
        "store.durable_latency_median_ms_1": {"value": single_latency, "unit": "ms"},
        "store.durable_latency_median_ms_16": {"value": group_latency, "unit": "ms"},
        "store.load_rows_per_s": {"value": loading, "unit": "1/s"},
    }


def durable_figures(url: str) -> dict[str, dict[str, Any]]:
    """The same of what is durable, for a database of PostgreSQL."""
    found: dict[str, dict[str, Any]] = {}
    for writers in (1, 16):
        _delete_instances(url)
        rate, latency = _durable(url, writers)
        found[f"postgresql.durable_commits_per_s_{writers}"] = {"value": rate, "unit": "1/s"}
        found[f"postgresql.durable_latency_median_ms_{writers}"] = {"value": latency, "unit": "ms"}
    _delete_instances(url)
    found["postgresql.load_rows_per_s"] = {"value": _loading(url), "unit": "1/s"}
    return found


def _delete_instances(url: str) -> None:
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(sa.delete(MAPPINGS[VirtualMachine].table))
    engine.dispose()


def _vm(number: str) -> VirtualMachine:
    some_id = f"{number:0>36}"
    return VirtualMachine(
        id=some_id, name=f"vm-{number}", display_name="", instance_name=f"i-{number}-VM",
        account_id=some_id, domain_id=some_id, zone_id=some_id, template_id=some_id,
        service_offering_id=some_id, cpus=2, cpu_mhz=2000, memory_mib=4096, details={"key": "value"},
    )  # fmt: skip


def _each_us(action: Callable[[int], object], count: int) -> float:
    begin = time.perf_counter()
    for n in range(count):
        action(n)
    return (time.perf_counter() - begin) / count * 1e6


def _memory() -> tuple[float, float]:
    """Microseconds for one insert, and for one update of an indexed field, each in a transaction of its own."""
    vms = [_vm(str(n)) for n in range(ROWS)]
    inserting, updating = [], []
    for _ in range(ROUNDS):
        store = Store(ROW_TYPES)
        table = store.table(VirtualMachine)

        def insert(n: int, store: Store = store) -> None:
            with store.transaction():
                store.table(VirtualMachine).insert(vms[n])

        def update(n: int, store: Store = store) -> None:
            with store.transaction():
                store.table(VirtualMachine).update(vms[n].id, state="Running", host_id="h")

        inserting.append(_each_us(insert, ROWS))
        updating.append(_each_us(update, ROWS))
        assert table.count("host_id", "h") == ROWS
    return min(inserting), min(updating)


def _durable(path: str | Path, writers: int) -> tuple[float, float]:
    """(acknowledged commits per second, median milliseconds from commit to acknowledgement)."""
    engine = open_database(path)
    journal = DatabaseJournal(engine)
    store = Store(ROW_TYPES, journal)
    latencies: list[float] = []

    async def write(writer: int, end: float) -> None:
        n = 0
        while time.perf_counter() < end:
            n += 1
            with store.transaction():
                store.table(VirtualMachine).insert(_vm(f"{writer}-{n}"))
            begin = time.perf_counter()
            await store.durable()
            latencies.append(time.perf_counter() - begin)

    async def run() -> float:
        begin = time.perf_counter()
        await asyncio.gather(*(write(writer, begin + SECONDS) for writer in range(writers)))
        return time.perf_counter() - begin

    seconds = asyncio.run(run())
    journal.close()
    engine.dispose()
    latencies.sort()
    return len(latencies) / seconds, latencies[len(latencies) // 2] * 1e3


def _recording(path: Path) -> float:
    """Microseconds that the journal adds to a commit of one change, on the loop's thread."""
    engine = open_database(path)
    best = []
    for round_ in range(ROUNDS):
        journal = DatabaseJournal(engine)
        store = Store(ROW_TYPES, journal)
        changes: list[list[Change]] = []
        store.subscribe(changes.append)
        with store.transaction():
            for n in range(200):
                store.table(VirtualMachine).insert(_vm(f"{round_}-{n}"))
        updates = [[change._replace(before=change.after)] for change in changes[0]]
        asyncio.run(store.durable())
        begin = time.perf_counter()
        for sequence, update in enumerate(updates, 2):
            journal.record(sequence, update)
        best.append((time.perf_counter() - begin) / len(updates) * 1e6)
        journal.close()
    engine.dispose()
    return min(best)


def _loading(path: str | Path) -> float:
    """Rows per second from a database into a Store, indexes included."""
    engine = open_database(path)
    journal = DatabaseJournal(engine)
    store = Store(ROW_TYPES, journal)
    with store.transaction():
        for n in range(LOADED_ROWS):
            store.table(VirtualMachine).insert(_vm(str(n)))
    journal.close()
    best = []
    for _ in range(3):
        begin = time.perf_counter()
        Store(ROW_TYPES).load(load_rows(engine))
        best.append(time.perf_counter() - begin)
    engine.dispose()
    return LOADED_ROWS / min(best)


if __name__ == "__main__":
    measured = figures()
    for url in sys.argv[1:]:
        measured |= durable_figures(url)
    for name, figure in measured.items():
        print(f"{name:36} {figure['value']:>12,.2f} {figure['unit']}")
