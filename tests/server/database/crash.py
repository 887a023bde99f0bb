"""A manager that is killed, and what must be true of its database afterwards.

`python crash.py DATABASE` is the manager: it loads the database and lets workers commit transactions
as fast as the disk takes them. Transaction `number` of a worker, all or nothing:

- inserts an Event and an Alert of that number,
- counts up the worker's Configuration row,
- if the number is divisible by 3, deletes the Event and the Alert of the number before.

After `await store.durable()` it prints "worker number": the acknowledgement. `check_database` says
what must hold; `run_until_killed` is of use for any command that prints its acknowledgements.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cloudsim.model import ROW_TYPES, Alert, Configuration, Event
from cloudsim.store import Store
from server.database import DatabaseJournal, load_rows, open_database

WORKERS = 8
READY = "ready"
_PRINTS_WITHIN = 90.0


def run_until_killed(command: Sequence[str], *, ready: str, lines: int, seconds: float) -> list[str]:
    """Run `command`, kill -9 it `seconds` after it has printed the line `ready` and `lines` more; its whole lines after that.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline().decode().strip() == ready
        os.set_blocking(child.stdout.fileno(), False)
        output, limit = b"", time.monotonic() + _PRINTS_WITHIN
        while output.count(b"\n") < lines:
            if time.monotonic() > limit:
                child.kill()
                raise AssertionError(f"only this within {_PRINTS_WITHIN:g} s: {output.decode()}")
            time.sleep(0.01)
            output += child.stdout.read() or b""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            output += child.stdout.read() or b""  # so that the pipe is never full
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        output += child.stdout.read() or b""
    return output[: output.rfind(b"\n") + 1].decode().splitlines()


def acknowledged(lines: Sequence[str]) -> dict[str, int]:
    """The last number that each worker acknowledged."""
    last: dict[str, int] = {}
    for line in lines:
        worker, number = line.split()
        assert int(number) > last.get(worker, 0)
        last[worker] = int(number)
    return last


def check_database(path: str | Path, last_acknowledged: dict[str, int]) -> int:
    """Assert that all that was acknowledged is there and no half transaction is; how many there are."""
    engine = open_database(path)
    try:
        store = Store(ROW_TYPES)
        store.load(load_rows(engine))
    finally:
        engine.dispose()
    counts = {row.name: int(row.value) for row in store.table(Configuration)}
    for worker, number in last_acknowledged.items():
        assert counts.get(worker, 0) >= number, f"{worker} lost transactions after {counts.get(worker, 0)}"
    expected = {
        f"{worker} {number}"
        for worker, count in counts.items()
        for number in range(1, count + 1)
        if number % 3 != 2 or number == count
    }
    assert {row.id for row in store.table(Event)} == expected
    assert {row.id for row in store.table(Alert)} == expected
    for row_type in (Event, Alert):  # each worker's rows come back in the order in which it made them
        seen: dict[str, int] = {}
        for row in store.table(row_type):
            name, text = row.id.split()
            assert seen.get(name, 0) < int(text)
            seen[name] = int(text)
    return sum(counts.values())


def commit(store: Store, worker: str, number: int) -> None:
    """Transaction `number` of a worker."""
    row_id = f"{worker} {number}"
    events, alerts, counts = store.table(Event), store.table(Alert), store.table(Configuration)
    with store.transaction():
        events.insert(
            Event(
                id=row_id, type="WORK", level="INFO", state="Completed", description="",
                account_id=worker, domain_id="",
            )
        )
        if worker not in counts:
            counts.insert(Configuration(id=worker, name=worker, value="0"))
        counts.update(worker, value=str(number))
        alerts.insert(Alert(id=row_id, type=0, name="", description=worker))
        if number % 3 == 0:
            events.delete(f"{worker} {number - 1}")
            alerts.delete(f"{worker} {number - 1}")


async def work(store: Store, worker: str) -> None:
    row = store.table(Configuration).get(worker)
    number = 0 if row is None else int(row.value)
    while True:
        number += 1
        commit(store, worker, number)
        await store.durable()
        os.write(1, f"{worker} {number}\n".encode())
        await asyncio.sleep(0.002)


async def manage(path: str) -> None:
    engine = open_database(path)
    store = Store(ROW_TYPES, DatabaseJournal(engine))
    store.load(load_rows(engine))
    print(READY, flush=True)
    await asyncio.gather(*(work(store, f"worker{n}") for n in range(WORKERS)))


if __name__ == "__main__":
    asyncio.run(manage(sys.argv[1]))
