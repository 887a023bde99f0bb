"""The SQL tables: one for each row type of the model, a column for each field of the row.

str and Literal fields are text, int a 64-bit integer, float a double, bool a boolean; every other
type is JSON text. A field that may be None is nullable. Each table has also `position`, which grows
with every insert into any table, so that a reload finds the rows in the order in which they came.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

import msgspec
import sqlalchemy as sa

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import ROW_TYPES
from cloudsim.store import Row

R = TypeVar("R", bound=Row)

_SQL_TYPES: dict[type, type[sa.types.TypeEngine[Any]]] = {
    str: sa.Text,
    int: sa.BigInteger,
    float: sa.Double,
    bool: sa.Boolean,
}
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1

metadata = sa.MetaData()

commit_table = sa.Table(
    "cloudsim_commit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
)
"""One row, id 1: how many commits the database has seen, and the next free position."""


def table_name(row_type: type[Row]) -> str:
    """VirtualMachine -> virtual_machine."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", row_type.__name__).lower()


def plain_type(annotation: Any) -> tuple[type | None, bool]:
    """(str, int, float or bool, or None for what is kept as JSON; whether it may be None)."""
    nullable = False
    if get_origin(annotation) in (Union, types.UnionType):
        options = [a for a in get_args(annotation) if a is not types.NoneType]
        nullable = len(options) < len(get_args(annotation))
        if len(options) > 1:
            return None, nullable
        annotation = options[0]
    if get_origin(annotation) is Literal:
        kinds = {type(value) for value in get_args(annotation)}
        annotation = kinds.pop() if len(kinds) == 1 else None
    return (annotation if annotation in _SQL_TYPES else None), nullable


class RowMapping(Generic[R]):
    """How rows of one type become SQL parameters and back, worked out once for each type."""

    def __init__(self, row_type: type[R], tables: sa.MetaData) -> None:
        self.row_type = row_type
        columns: list[sa.Column[Any]] = []
        names: dict[type | None, list[str]] = {str: [], int: [], float: [], bool: [], None: []}
        self._json: list[tuple[int, msgspec.json.Decoder[Any]]] = []
        for field in msgspec.structs.fields(row_type):
            kind, nullable = plain_type(field.type)
            sql_type = sa.Text if kind is None else _SQL_TYPES[kind]
            columns.append(sa.Column(field.name, sql_type, primary_key=field.name == "id", nullable=nullable))
            names[kind].append(field.name)
            if kind is None:
                self._json.append((len(columns) - 1, msgspec.json.Decoder(field.type)))
        self.table = sa.Table(
            table_name(row_type), tables, *columns, sa.Column("position", sa.BigInteger, nullable=False)
        )
        same_row = self.table.c.id == sa.bindparam("old_id")
        self.inserting = sa.insert(self.table)
        self.updating = sa.update(self.table).where(same_row)
        self.deleting = sa.delete(self.table).where(same_row)
        self.fields = tuple(column.name for column in columns)  # `id` is the first
        self._values = _values_of(self.fields)
        self._texts = _values_of(names[str])
        self._ints = _values_of(names[int])
        self._floats = _values_of(names[float])
        self._jsons = _values_of(names[None])

    def values(self, row: R) -> list[Any]:
        """The row's column values in the order of `fields`."""
        values = list(self._values(row))
        for at, _ in self._json:
            if values[at] is not None:
                values[at] = msgspec.json.encode(values[at]).decode()
        return values

    def row(self, values: Sequence[Any]) -> R:
        """The row of column values in the order of `fields`."""
        record = dict(zip(self.fields, values, strict=True))
        for at, decoder in self._json:
            if values[at] is not None:
                record[self.fields[at]] = decoder.decode(values[at])
        return self.row_type(**record)

    def check(self, row: R) -> None:
        """Raise InvalidParameterValue if a value does not fit its column.

        Integers have 64 bits; text is valid Unicode without NUL (PostgreSQL has none); a float is a
        number. It runs in every commit, so the usual row passes by a few calls that loop in C.
        """
        text = "".join(filter(None, self._texts(row)))
        if not text.isascii():
            self._check_unicode(row, text)
        if "\0" in text:
            raise InvalidParameterValue(f"text with a NUL character in {self._name(row)}")
        numbers = [v for v in self._ints(row) if v]
        if numbers and (min(numbers) < _INT_MIN or max(numbers) > _INT_MAX):
            raise InvalidParameterValue(f"a number beyond 64 bits in {self._name(row)}")
        for number in self._floats(row):
            if number != number:
                raise InvalidParameterValue(f"a float that is not a number in {self._name(row)}")
        for value in self._jsons(row):
            if value:
                self._check_unicode(row, value)

    def _check_unicode(self, row: R, value: Any) -> None:
        try:
            msgspec.json.encode(value)
        except UnicodeEncodeError:
            raise InvalidParameterValue(f"text that is not valid Unicode in {self._name(row)}") from None

    def _name(self, row: R) -> str:
        return f"{self.row_type.__name__} {row.id!a}"


def _values_of(names: Sequence[str]) -> Callable[[Any], Iterable[Any]]:
    """A fast function from a row to the tuple of its fields `names` (attrgetter alone unpacks one)."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda row: tuple(getattr(row, name) for name in names)


def mappings(row_types: Iterable[type[Row]], tables: sa.MetaData) -> dict[type[Row], RowMapping[Any]]:
    """A mapping for each row type, with its table added to `tables`."""
    return {row_type: RowMapping(row_type, tables) for row_type in row_types}


MAPPINGS = mappings(ROW_TYPES, metadata)
"""The model's row types and their tables, in the model's order."""
