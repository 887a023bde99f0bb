"""Rows of a spreadsheet as typed values, read as those of a CSV file are."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.traces.rows import CsvRow


def read_sheet(path: Path, needed: Sequence[str]) -> Iterator[CsvRow]:
    """The rows of the first sheet of an .xlsx file (streaming) or an .xls file, below its line of columns' names.

    Whole numbers are read as such also where the sheet has them as text or with a fraction of 0. Empty rows are skipped.
    Raises TraceError for another kind of file, and one without the `needed` columns.
    """
    columns: dict[str, int] | None = None
    for number, values in enumerate(_cells(path), 1):
        texts = [_text(value) for value in values]
        if columns is None:
            columns = {text: index for index, text in enumerate(texts)}
            missing = [name for name in needed if name not in columns]
            if missing:
                raise TraceError(
                    f"{path}:1: expected the columns {', '.join(needed)}; missing: {', '.join(missing)}"
                )
        elif any(texts):
            yield CsvRow(path, number, columns, texts + [""] * (len(columns) - len(texts)))


def first_row(path: Path) -> tuple[str, ...]:
    """The names of the first sheet's columns; none where it is no spreadsheet."""
    try:
        return tuple(_text(value) for value in next(iter(_cells(path)), ()))
    except TraceError:
        return ()


def _cells(path: Path) -> Iterator[Iterable[Any]]:
    if path.suffix.lower() == ".xls":
        yield from _old(path)
    else:
        yield from _new(path)


def _new(path: Path) -> Iterator[Iterable[Any]]:
    import openpyxl  # seldom needed, and it takes a fifth of a second

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise TraceError(f"{path}: not an .xlsx file: {error}") from error
    try:
        yield from book[book.sheetnames[0]].iter_rows(values_only=True)
    finally:
        book.close()


def _old(path: Path) -> Iterator[Iterable[Any]]:
    import xlrd

    try:
        book = xlrd.open_workbook(str(path), on_demand=True)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from error
    except xlrd.XLRDError as error:
        raise TraceError(f"{path}: not an .xls file: {error}") from error
    with book:
        sheet = book.sheet_by_index(0)
        for number in range(sheet.nrows):
            yield sheet.row_values(number)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
