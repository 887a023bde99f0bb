"""Writes migrations, for whoever changed a row type.

    python -m server.database.autogenerate                    # rewrite 0001_initial from the model
    python -m server.database.autogenerate "hosts have a BMC" # add the next migration

Until the first release there is only 0001, and it is written anew after each change of the model;
databases made before that are then refused. After the first release 0001 never changes again:
each change of the model gets a migration of its own, which should be read before it is kept.
"""

from __future__ import annotations

import re
import sys

import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from server.database.migrating import FOLDER, alembic_config
from server.database.schema import metadata

INITIAL = FOLDER / "versions" / "0001_initial.py"

_HEAD = '''"""The first schema. Written by `python -m server.database.autogenerate`."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
'''


def initial() -> str:
    """The text of the first migration, for the model as it is."""
    lines = [_HEAD]
    for table in metadata.tables.values():
        lines.append(f"    op.create_table(\n        {_quoted(table.name)},\n")
        for column in table.columns:
            options = ", primary_key=True" if column.primary_key else f", nullable={column.nullable}"
            if column.primary_key and column.autoincrement is False:
                options += ", autoincrement=False"
            type_ = f"sa.{type(column.type).__name__}()"
            lines.append(f"        sa.Column({_quoted(column.name)}, {type_}{options}),\n")
        lines.append("    )\n")
    lines.append("\n\ndef downgrade() -> None:\n")
    lines.extend(f"    op.drop_table({_quoted(name)})\n" for name in reversed(metadata.tables))
    return "".join(lines)


def _quoted(name: str) -> str:
    return f'"{name}"'


def add(message: str) -> None:
    """Write the next migration, from a database at the newest revision to the model."""
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        config = alembic_config(connection)
        command.upgrade(config, "head")
        head = ScriptDirectory.from_config(config).get_current_head()
        number = f"{int(head or '0') + 1:04}"
        config.set_main_option("file_template", f"{number}_{re.sub(r'[^a-z0-9]+', '_', message.lower())}")
        command.revision(config, message, autogenerate=True, rev_id=number)


def main(arguments: list[str]) -> None:
    if arguments:
        add(arguments[0])
    elif any(FOLDER.glob("versions/0002*")):
        sys.exit("0001_initial is released: say in a word what changed, to add a migration")
    else:
        INITIAL.write_text(initial())


if __name__ == "__main__":
    main(sys.argv[1:])
