"""Bringing a database to the schema of this version, by Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from cloudsim.errors import CloudError
from server.database.schema import commit_table, metadata

FOLDER = Path(__file__).parent / "migrations"


class DatabaseUnusable(CloudError):
    """The database cannot be opened, or holds a schema that this version does not know."""


def alembic_config(connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration, for commands that work on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(engine: sa.Engine) -> None:
    """Upgrade to the newest revision, in one transaction. Raises DatabaseUnusable, changing nothing."""
    with engine.begin() as connection:
        config = alembic_config(connection)
        scripts = ScriptDirectory.from_config(config)
        known = {script.revision for script in scripts.walk_revisions()}
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise DatabaseUnusable(
                f"the database {engine.url.database} has schema revision {current}, which this version does "
                "not know: it was made by a newer one"
            )
        if current != scripts.get_current_head():
            command.upgrade(config, "head")
            if current is None:
                connection.execute(sa.insert(commit_table).values(id=1, sequence=0, position=0))
        difference = different_columns(connection)
        if difference:
            raise DatabaseUnusable(
                f"the database {engine.url.database} was made by an unreleased version, with other columns: "
                f"{', '.join(difference[:5])}{' ...' if len(difference) > 5 else ''}"
            )


def different_columns(connection: sa.Connection) -> list[str]:
    """The columns, as table.column, that only the database or only the model has."""
    inspector = sa.inspect(connection)
    there = {
        f"{table}.{column['name']}"
        for (_, table), columns in inspector.get_multi_columns().items()
        if table in metadata.tables
        for column in columns
    }
    here = {f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns}
    return sorted(there ^ here)
