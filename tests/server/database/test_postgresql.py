"""What PostgreSQL adds: a manager that waits to take over, and a server that may go away."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa

from cloudsim.model import ROW_TYPES, Alert
from cloudsim.store import Store
from server.database import (
    DatabaseInUse,
    DatabaseJournal,
    DatabaseUnusable,
    JournalBroken,
    load_rows,
    open_database,
)
from tests.server.database.postgresql_server import PostgresqlServer, postgresql_server

sys.path.insert(0, str(Path(__file__).parent))
import crash

NewDatabase = Callable[[], AbstractContextManager[str]]

KILLS = 5


def insert(store: Store, number: int) -> None:
    with store.transaction():
        store.table(Alert).insert(Alert(id=str(number), type=1, name="x", description=""))


def test_a_second_manager_waits_and_takes_over_when_the_first_has_ended(new_postgresql: NewDatabase) -> None:
    with new_postgresql() as url:
        first = open_database(url)
        asked = threading.Semaphore(0)

        def still_waits() -> bool:
            asked.release()
            return True

        second: list[sa.Engine] = []
        waiting = threading.Thread(target=lambda: second.append(open_database(url, still_waits)))
        waiting.start()
        for _ in range(2):
            assert asked.acquire(timeout=120)
        assert second == []
        journal = DatabaseJournal(first)
        store = Store(ROW_TYPES, journal)
        insert(store, 1)
        asyncio.run(store.durable())
        journal.close()
        first.dispose()
        waiting.join(120)
        assert [row.id for row in load_rows(second[0])] == ["1"]
        second[0].dispose()


def test_who_no_longer_wants_to_wait_is_refused(new_postgresql: NewDatabase) -> None:
    with new_postgresql() as url:
        first = open_database(url)
        with pytest.raises(DatabaseInUse, match="another manager"):
            open_database(url, lambda: False)
        first.dispose()
        open_database(url, lambda: False).dispose()


def test_a_manager_that_lost_the_lock_writes_nothing_more(
    new_postgresql: NewDatabase, postgresql: PostgresqlServer
) -> None:
    with new_postgresql() as url:
        engine = open_database(url)
        failures: list[JournalBroken] = []
        journal = DatabaseJournal(engine, on_failure=failures.append)
        store = Store(ROW_TYPES, journal)
        insert(store, 1)
        asyncio.run(store.durable())
        name = sa.make_url(url).database
        postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        for number in (2, 3):
            insert(store, number)
            with pytest.raises(JournalBroken):
                asyncio.run(store.durable())
        with pytest.raises(JournalBroken):
            journal.close()
        assert len(failures) == 1
        with pytest.raises(DatabaseInUse):
            engine.connect()
        engine.dispose()
        other = open_database(url, lambda: False)
        assert [row.id for row in load_rows(other)] == ["1"]
        other.dispose()


def test_commits_wait_for_the_disk_where_the_database_would_not(
    new_postgresql: NewDatabase, postgresql: PostgresqlServer
) -> None:
    with new_postgresql() as url:
        postgresql.execute(f"ALTER DATABASE {sa.make_url(url).database} SET synchronous_commit = off")
        engine = open_database(url)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        engine.dispose()


def test_what_was_acknowledged_is_there_after_the_manager_was_killed(new_postgresql: NewDatabase) -> None:
    chance = random.Random(5)
    total = 0
    with new_postgresql() as url:
        for _ in range(KILLS):
            command = [sys.executable, crash.__file__, url]
            lines = crash.run_until_killed(command, ready=crash.READY, lines=5, seconds=chance.uniform(0.2, 0.8))
            there = crash.check_database(url, crash.acknowledged(lines))
            assert there >= total + len(lines)
            total = there


def test_a_manager_whose_database_is_killed_acknowledges_nothing_more_and_finds_all_that_it_had() -> None:
    with postgresql_server() as server:
        url = server.url(server.create())
        acknowledged: list[int] = []

        async def work(store: Store) -> None:
            for number in range(100_000):
                insert(store, number)
                await store.durable()
                acknowledged.append(number)

        engine = open_database(url)
        journal = DatabaseJournal(engine)
        store = Store(ROW_TYPES, journal)
        killing = threading.Thread(target=lambda: (_until(lambda: len(acknowledged) > 20), server.kill()))
        killing.start()
        with pytest.raises(JournalBroken):
            asyncio.run(work(store))
        killing.join()
        with pytest.raises(JournalBroken):
            journal.close()
        engine.dispose()
        with pytest.raises(DatabaseUnusable, match="cannot open"):
            open_database(url)
        server.start()
        again = open_database(url)
        there = [int(row.id) for row in load_rows(again)]
        again.dispose()
        assert there[: len(acknowledged)] == acknowledged
        assert len(there) <= len(acknowledged) + 1


def test_a_server_that_is_not_there_is_said_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="cannot open the database") as refused:
        open_database(f"postgresql://cloud:secret@/cloud?host={tmp_path}")
    assert "secret" not in refused.value.text


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not true() and time.monotonic() < end:
        time.sleep(0.001)
