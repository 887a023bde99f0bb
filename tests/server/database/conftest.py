"""Databases for tests, of both kinds. One is migrated once and copied for each test or example, which is much quicker."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from server.database import open_database
from tests.server.database.postgresql_server import PostgresqlServer

NewDatabase = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def new_sqlite(tmp_path_factory: pytest.TempPathFactory) -> NewDatabase:
    """`with new_sqlite() as path:` gives the path of an empty database, deleted at the end."""
    template = tmp_path_factory.mktemp("template") / "cloud.db"
    open_database(template).dispose()

    @contextmanager
    def new() -> Iterator[str]:
        with tempfile.TemporaryDirectory(dir=template.parent) as folder:
            yield str(shutil.copy(template, folder))

    return new


@pytest.fixture(scope="session")
def new_postgresql(postgresql: PostgresqlServer) -> NewDatabase:
    """`with new_postgresql() as url:` gives the URL of an empty database, deleted at the end."""
    template = postgresql.create()
    open_database(postgresql.url(template)).dispose()

    @contextmanager
    def new() -> Iterator[str]:
        name = postgresql.create(template)
        try:
            yield postgresql.url(name)
        finally:
            postgresql.drop(name)

    return new


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest) -> NewDatabase:
    """`with new_database() as where:` gives the path or the URL of an empty database of either kind."""
    made: NewDatabase = request.getfixturevalue(f"new_{request.param}")
    return made
