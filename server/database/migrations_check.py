"""Whether the migrations describe the model: `python -m server.database.migrations_check`.

Exits with 1 and the differences if they don't; `server.database.autogenerate` then writes what is missing.
"""

from __future__ import annotations

import sys
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from server.database.migrating import alembic_config
from server.database.schema import metadata


def differences() -> list[Any]:
    """What Alembic would have to change in a database at the newest revision; nothing if all is well."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def main() -> None:
    found = differences()
    for difference in found:
        print(difference)
    if found:
        sys.exit("the migrations differ from the model: run python -m server.database.autogenerate")


if __name__ == "__main__":
    main()
