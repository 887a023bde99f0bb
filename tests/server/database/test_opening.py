"""Opening: one manager at a time, on a schema that this version knows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.database import DatabaseInUse, DatabaseUnusable, open_database
from server.database.autogenerate import INITIAL, initial
from server.database.migrations_check import differences

NewDatabase = Callable[[], AbstractContextManager[str]]


def test_the_migrations_describe_the_model_as_it_is() -> None:
    assert differences() == [], "run python -m server.database.autogenerate"


@pytest.mark.skipif(any(INITIAL.parent.glob("0002*")), reason="0001 is released and stays as it was")
def test_the_first_migration_is_the_one_that_the_command_writes() -> None:
    assert INITIAL.read_text() == initial(), "run python -m server.database.autogenerate"


def test_a_migration_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> list[str]:
        return ["anything"]

    monkeypatch.setattr("server.database.migrating.different_columns", fail)
    with pytest.raises(DatabaseUnusable):
        open_database(tmp_path / "cloud.db")
    engine = sa.create_engine(f"sqlite:///{tmp_path}/cloud.db")
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_commit_waits_for_the_disk(new_sqlite: NewDatabase) -> None:
    with new_sqlite() as path:
        engine = open_database(path)
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        engine.dispose()


def test_a_second_manager_is_refused_until_the_first_is_done(new_sqlite: NewDatabase) -> None:
    other = "import sys; from server.database import *; open_database(sys.argv[1])"
    with new_sqlite() as path:
        engine = open_database(path)
        with pytest.raises(DatabaseInUse, match="process"):
            open_database(f"sqlite:///{path}")
        refused = subprocess.run([sys.executable, "-c", other, str(path)], capture_output=True, text=True)
        assert "DatabaseInUse" in refused.stderr
        engine.dispose()
        open_database(path).dispose()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(new_sqlite: NewDatabase) -> None:
    with new_sqlite() as path:
        engine = sa.create_engine(f"sqlite:///{path}")
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(DatabaseUnusable, match="9999"):
            open_database(path)
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == "9999"
        engine.dispose()


def test_a_database_of_an_unreleased_version_is_refused(new_sqlite: NewDatabase) -> None:
    with new_sqlite() as path:
        engine = sa.create_engine(f"sqlite:///{path}")
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE zone ADD COLUMN odd TEXT"))
        engine.dispose()
        with pytest.raises(DatabaseUnusable, match=r"zone\.odd"):
            open_database(path)


@pytest.mark.parametrize("url", ["sqlite://", ":memory:", "mysql://localhost/cloud"])
def test_a_database_that_keeps_nothing_or_is_not_supported_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUnusable):
        open_database(url)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnusable):
        open_database(tmp_path / "file" / "cloud.db")
