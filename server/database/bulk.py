"""Writing many rows of one table in few calls.

SQLite's driver lets go of the interpreter lock at every call and after every row of an `executemany`.
While the loop's thread is busy, each of these costs a switch interval (5 ms) to get it back, so a
thousand rows would take seconds. Here one statement has many rows: one call, one such wait. The
number of rows in a statement is one of a few, so that the driver finds it prepared.
PostgreSQL's driver sends an `executemany` as one pipeline already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

import sqlalchemy as sa

from server.database.schema import RowMapping

_CHUNKS = (256, 64, 16, 4, 1)  # times the columns of the widest table stays below SQLite's 32,766 parameters

Values = Sequence[Any]


def delete_rows(connection: sa.Connection, mapping: RowMapping[Any], ids: Sequence[str]) -> None:
    """Delete the rows with these ids, or raise RuntimeError if one is not there."""
    if connection.dialect.name == "sqlite":
        found = sum(
            connection.exec_driver_sql(_sqlite_delete(mapping, len(chunk)), tuple(chunk)).rowcount
            for chunk in _chunks(ids)
        )
    else:
        found = _execute_many(connection, mapping.deleting, [{"old_id": row_id} for row_id in ids])
    _expect(found, len(ids), mapping)


def update_rows(connection: sa.Connection, mapping: RowMapping[Any], rows: Sequence[Values]) -> None:
    """Give the rows these values (in the order of `mapping.fields`), or raise if one is not there."""
    if connection.dialect.name == "sqlite":
        found = sum(
            connection.exec_driver_sql(
                _sqlite_update(mapping, len(chunk)), tuple(chain.from_iterable(chunk))
            ).rowcount
            for chunk in _chunks(rows)
        )
    else:
        names = ("old_id", *mapping.fields[1:])
        found = _execute_many(
            connection, mapping.updating, [dict(zip(names, row, strict=True)) for row in rows]
        )
    _expect(found, len(rows), mapping)


def insert_rows(connection: sa.Connection, mapping: RowMapping[Any], rows: Sequence[Values]) -> None:
    """Insert rows with these values (in the order of `mapping.fields`, and the position at the end)."""
    if connection.dialect.name == "sqlite":
        for chunk in _chunks(rows):
            connection.exec_driver_sql(_sqlite_insert(mapping, len(chunk)), tuple(chain.from_iterable(chunk)))
    else:
        names = (*mapping.fields, "position")
        connection.execute(mapping.inserting, [dict(zip(names, row, strict=True)) for row in rows])


def _execute_many(
    connection: sa.Connection, statement: sa.Update | sa.Delete, records: list[dict[str, Any]]
) -> int:
    """How many rows the statement changed; where the driver can't tell, as many as it should have."""
    result = connection.execute(statement, records)
    if len(records) == 1 or connection.dialect.supports_sane_multi_rowcount:
        return result.rowcount
    return len(records)


def _expect(found: int, wanted: int, mapping: RowMapping[Any]) -> None:
    if found != wanted:
        raise RuntimeError(f"{found} of {wanted} rows of {mapping.table.name} are there that memory had")


def _chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    start = 0
    for size in _CHUNKS:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


@cache
def _sqlite_delete(mapping: RowMapping[Any], rows: int) -> str:
    return f'DELETE FROM "{mapping.table.name}" WHERE id IN ({", ".join("?" * rows)})'


@cache
def _sqlite_update(mapping: RowMapping[Any], rows: int) -> str:
    fields = mapping.fields
    # Not WITH new AS ...: the driver counts the rows of statements that begin with UPDATE only.
    changes = ", ".join(f'"{name}" = new.column{n}' for n, name in enumerate(fields[1:], 2))
    return (
        f'UPDATE "{mapping.table.name}" AS old SET {changes} '
        f"FROM (VALUES {_places(len(fields), rows)}) AS new WHERE old.id = new.column1"
    )


@cache
def _sqlite_insert(mapping: RowMapping[Any], rows: int) -> str:
    columns = (*mapping.fields, "position")
    return (
        f'INSERT INTO "{mapping.table.name}" ({_columns(columns)}) VALUES {_places(len(columns), rows)}'
    )


def _columns(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _places(columns: int, rows: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * rows)
