"""Reading the whole state back, once, when a manager starts."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from cloudsim.store import Row
from server.database.schema import MAPPINGS, R, RowMapping

_CHUNK = 5000


def load_rows(engine: sa.Engine) -> Iterator[Row]:
    """Every row: the types in the model's order, each type's rows in the order of their insertion."""
    with engine.connect() as connection:
        for mapping in MAPPINGS.values():
            yield from load_table(connection, mapping)


def load_table(connection: sa.Connection, mapping: RowMapping[R]) -> Iterator[R]:
    """The rows of one type, in the order of their insertion."""
    columns = [mapping.table.c[name] for name in mapping.fields]
    query = sa.select(*columns).order_by(mapping.table.c.position)
    result = connection.execute(query, execution_options={"yield_per": _CHUNK})
    for values in result:
        yield mapping.row(values)
