"""State changes as entries of a trace: rows that come and go, states that follow one another, events."""

from __future__ import annotations

from typing import Any

from cloudsim.management.operations.trace_entries import MANAGEMENT, Kind, Trace
from cloudsim.model import Alert, Event
from cloudsim.store import Change, Table

UNTOLD = frozenset({"AsyncJob", "Alert", "Event"})
"""Tables whose changes are no state changes: jobs tell of themselves."""
PASSING = frozenset({"updated"})
"""Fields whose change alone is not worth an entry."""
_ABOUT = {
    "vm_id": "VirtualMachine",
    "template_id": "Template",
    "volume_id": "Volume",
    "network_id": "Network",
    "id": "VirtualMachine",
}
"""By field, the table of the thing that a row without a name is about; a system VM has its instance's id."""


def heard_of(trace: Trace, change: Change, now: float) -> None:
    """Tell of the change that a transaction of the trace made."""
    table, before, after = change
    row = after if after is not None else before
    if table.name in UNTOLD:
        if before is None and isinstance(row, Event | Alert):
            _event(trace, row, now)
        return
    if before is None:
        what, payload = _with_state("created", after), after
    elif after is None:
        what, payload = "removed", None
    else:
        payload = _differences(before, after)
        if not payload.keys() - PASSING:
            return
        what = _moved(before, after) or f"changed: {', '.join(sorted(payload.keys() - PASSING))}"
    trace.touch(row.id)
    _add(trace, "state", f"{_title(table, row)}: {what}", now, payload, getattr(row, "account_id", None))


def _event(trace: Trace, row: Event | Alert, now: float) -> None:
    if isinstance(row, Alert):
        _add(trace, "event", f"{row.name}: {row.description}", now, row, None)
    else:
        _add(trace, "event", f"{row.type} {row.state}: {row.description}", now, row, row.account_id)


def _add(trace: Trace, kind: Kind, name: str, now: float, payload: Any, account_id: str | None) -> None:
    parent = trace.job or (1 if trace.entries else 0)
    trace.add(kind, MANAGEMENT, MANAGEMENT, name, now, None, payload, parent=parent, account_id=account_id)


def _differences(before: Any, after: Any) -> dict[str, Any]:
    """By field that differs, its values before and after."""
    found = {}
    for field in after.__struct_fields__:
        old, new = getattr(before, field), getattr(after, field)
        if old is not new and old != new:
            found[field] = {"before": old, "after": new}
    return found


def _moved(before: Any, after: Any) -> str:
    old, new = getattr(before, "state", None), getattr(after, "state", None)
    return "" if old == new else f"{old} → {new}"


def _with_state(what: str, row: Any) -> str:
    state = getattr(row, "state", None)
    return f"{what}, {state}" if isinstance(state, str) else what


def _name(row: Any) -> str:
    for field in ("name", "hostname", "ip", "address", "mac"):
        value = getattr(row, field, None)
        if isinstance(value, str) and value:
            return value
    return ""


def _title(table: Table[Any], row: Any) -> str:
    """What the row is, and its name, or that of the thing it is about."""
    name = _name(row)
    for field, kind in _ABOUT.items():
        if name:
            break
        about = table.store.tables[kind].get(getattr(row, field, None))
        name = "" if about is None or about is row else _name(about)
    return f"{table.name} {name or str(row.id)[:8]}"
