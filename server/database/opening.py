"""Opening the database: one manager at a time, with the schema of this version.

SQLite commits with WAL and synchronous=FULL, PostgreSQL with synchronous_commit=on: a change that was acknowledged
survives `kill -9` and, as far as the disk keeps what it confirmed, the loss of power.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from cloudsim.errors import CloudError
from server.database.migrating import DatabaseUnusable, migrate

log = logging.getLogger(__name__)

_BUSY_MS = 30_000  # a reader's backup may hold the file for a moment
_ADVISORY_LOCK = 0x636C6F7564  # "cloud": the number that managers of one PostgreSQL database agree on
_ASK_AGAIN = 0.25
"""Seconds between two tries to get PostgreSQL's lock."""
_CONNECT_WITHIN = 10
_GONE_AFTER = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
"""PostgreSQL's settings, in seconds, by which a manager whose machine vanished loses the lock after 25 s."""


class DatabaseInUse(CloudError):
    """Another manager has the database."""


def open_database(
    url_or_path: str | os.PathLike[str], go_on: Callable[[], bool] = lambda: True
) -> sa.Engine:
    """The engine of a database whose schema is up to date and which no other manager uses.

    A path (or a `sqlite:///` URL) names a SQLite file, made with its folder if missing. A second
    opening of it, in this process or another, raises DatabaseInUse. A `postgresql://` URL needs the
    extra `postgres`, and waits as long as another manager has the database and `go_on()`, then raises DatabaseInUse;
    the engine has one connection for life, which holds the lock. Raises DatabaseUnusable for a schema of another
    version and for a server that can't be reached.
    The lock is held until `engine.dispose()`.
    """
    text = os.fspath(url_or_path)
    url = sa.make_url(text) if "://" in text else sa.URL.create("sqlite", database=text)
    kind = url.get_backend_name()
    if kind == "sqlite":
        engine = _open_sqlite(url)
    elif kind in ("postgresql", "postgres"):
        engine = _open_postgresql(url, go_on)
    else:
        raise DatabaseUnusable(f"a database of kind {kind} is not supported: use SQLite or PostgreSQL")
    try:
        migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _open_sqlite(url: sa.URL) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise DatabaseUnusable("a database in memory keeps nothing: name a file")
    path = Path(url.database).resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        release = _lock_file(path)
    except OSError as error:
        raise DatabaseUnusable(f"cannot open the database {path}: {error.strerror}") from error
    engine = sa.create_engine(url.set(database=str(path)), connect_args={"cached_statements": 512})

    @sa.event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # no implicit BEGIN from the driver: `begin` below does it
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    @sa.event.listens_for(engine, "engine_disposed")
    def disposed(_: sa.Engine) -> None:
        release()

    return engine


def _lock_file(path: Path) -> Callable[[], None]:
    """Take the lock beside the SQLite file, which ends with the process; returns what gives it back.

    A file of its own, so that a reader (the sqlite3 shell, a backup) may still open the database.
    It is left in place afterwards: removing it would let two managers lock two files of one name.
    """
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 32).decode().strip()
        os.close(lock)
        raise DatabaseInUse(
            f"the database {path} is in use by another manager (process {holder or 'unknown'})"
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    held = [lock]

    def release() -> None:
        if held:
            os.close(held.pop())

    return release


def _open_postgresql(url: sa.URL, go_on: Callable[[], bool]) -> sa.Engine:
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    try:
        # One connection for everything: whoever writes holds the lock. Were it lost, another manager
        # might be at work, so the engine never makes a second one and the journal breaks.
        engine = sa.create_engine(url, poolclass=StaticPool, connect_args={"connect_timeout": _CONNECT_WITHIN})
    except ModuleNotFoundError as error:
        raise DatabaseUnusable(f"PostgreSQL needs the extra cloudsim[postgres]: {error}") from error
    connected = False

    @sa.event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        nonlocal connected
        if connected:
            raise DatabaseInUse("the connection that held the database's lock was lost")
        _set_up(connection)
        _wait_for_lock(connection, go_on)
        connected = True

    try:
        engine.connect().close()
    except sa.exc.OperationalError as error:
        engine.dispose()
        where = url.render_as_string(hide_password=True)
        raise DatabaseUnusable(f"cannot open the database {where}: {str(error.orig).strip()}") from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def _set_up(connection: Any) -> None:
    """Have commits wait for the disk, whatever the server's default, and a vanished manager's lock be given away."""
    cursor = connection.cursor()
    cursor.execute("SHOW synchronous_commit")
    if cursor.fetchone()[0] == "off":
        cursor.execute("SET synchronous_commit = on")
    for name, value in _GONE_AFTER.items():
        cursor.execute(f"SET {name} = {value}")
    cursor.close()
    connection.commit()


def _wait_for_lock(connection: Any, go_on: Callable[[], bool]) -> None:
    """Wait until this DBAPI connection to PostgreSQL has the managers' advisory lock.

    The server frees it when the connection ends, however it ends. Raises DatabaseInUse when waiting is over.
    """
    cursor = connection.cursor()
    waiting = False
    while True:
        cursor.execute(f"SELECT pg_try_advisory_lock({_ADVISORY_LOCK})")
        had = cursor.fetchone()[0]
        connection.commit()  # the lock is the session's and outlives this transaction
        if had:
            break
        if not waiting:
            log.warning("another manager has the database: waiting to take over")
            waiting = True
        if not go_on():
            raise DatabaseInUse("the database is in use by another manager")
        time.sleep(_ASK_AGAIN)
    cursor.close()
