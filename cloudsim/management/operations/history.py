"""Putting away events and alerts: archived ones are no longer listed unless asked for, deleted ones are gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.model import Alert, Event

E = TypeVar("E", Event, Alert)


def time_of(row: Event | Alert) -> float:
    """When it happened, in Unix seconds."""
    return row.created if isinstance(row, Event) else row.sent


class History:
    """Finds, archives and deletes events and alerts."""

    def __init__(self, foundation: Foundation) -> None:
        self._store = foundation.store
        self._archived_events: bool | None = None

    @property
    def has_archived_events(self) -> bool:
        """Whether there may be any. Only `archive` makes them, so that the table is looked through once."""
        if self._archived_events is None:
            self._archived_events = any(event.archived for event in self._store.table(Event))
        return self._archived_events

    def chosen(
        self,
        row_type: type[E],
        mine: Callable[[E], bool],
        *,
        rows: Sequence[E] | None = None,
        type: str | None = None,
        start: float | None = None,
        end: float | None = None,
    ) -> list[E]:
        """Those of `rows`, or of all for which `mine` holds, that meet the conditions and are not archived.

        `type` is an event's type or an alert's number. Raises InvalidParameterValue where there is no condition that
        ends the choice, or nothing is chosen: CloudStack's rule, which keeps everything from going by a slip.
        """
        if rows is None and not type and end is None:
            raise InvalidParameterValue("Either ids, type or enddate must be specified")
        if start is not None and end is None:
            raise InvalidParameterValue("Parameter enddate must be specified with startdate")
        if start is not None and end is not None and start > end:
            raise InvalidParameterValue("Parameter startdate is later than enddate")
        found = [
            row
            for row in (rows if rows is not None else self._store.table(row_type))
            if (not type or str(row.type).lower() == type.lower())
            and (start is None or time_of(row) >= start)
            and (end is None or time_of(row) <= end)
            and not row.archived
            and mine(row)
        ]
        if not found:
            raise InvalidParameterValue("None is chosen: one or more parameters have invalid values")
        return list({row.id: row for row in found}.values())  # one that is named twice is meant once

    def archive(self, rows: Sequence[Event] | Sequence[Alert]) -> None:
        """Leave them out of lists from now on."""
        with self._store.transaction():
            for row in rows:
                self._store.table(type(row)).update(row.id, archived=True)
        self._archived_events = None

    def delete(self, rows: Sequence[Event] | Sequence[Alert]) -> None:
        """Forget them."""
        with self._store.transaction():
            for row in rows:
                self._store.table(type(row)).delete(row.id)
