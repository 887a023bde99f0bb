"""Plannings as entries of a trace, with hosts, zones, pods and clusters by their names."""

from __future__ import annotations

from typing import Any

import msgspec

from cloudsim.management.operations.trace_entries import MANAGEMENT, PLACEMENT, Trace
from cloudsim.model import Host
from cloudsim.placement.explaining import Planning
from cloudsim.store import Table

_encoder = msgspec.json.Encoder()
_PLACES = {"zone": "Zone", "pod": "Pod", "cluster": "Cluster"}


def told(trace: Trace, planning: Planning, hosts: Table[Host], now: float) -> None:
    """Tell how a host was looked for, and which it is."""

    def name(host_id: str | None) -> str | None:
        host = hosts.get(host_id)
        return host_id if host is None else host.name

    def place(kind: str, row_id: str) -> str:
        row = hosts.store.tables[_PLACES[kind]].get(row_id) if kind in _PLACES else None
        return row_id if row is None else str(row.name)

    def has(kind: str, host_id: str, text: str) -> str:
        """Instead of that it is elsewhere or not up: where it is, and how."""
        host = hosts.get(host_id)
        if host is None:
            return "removed"
        if kind == "state":
            return f"{host.state}, {host.resource_state}"
        return place(kind, getattr(host, f"{kind}_id")) if kind in _PLACES else text

    filters: list[dict[str, Any]] = []
    for each in planning.filters:
        told_of = [{"host": name(h.host_id), "has": has(each.name, h.host_id, h.has)} for h in each.hosts]
        wanted = place(each.name, each.wanted)
        filters.append(
            {"name": each.name, "wanted": wanted, "took": each.took, "left": each.left, "hosts": told_of}
        )
    result: dict[str, Any] = msgspec.to_builtins(planning) | {
        "filters": filters,
        "scores": [{"host": name(each.host_id), "score": each.score} for each in planning.scores],
        "chosen": name(planning.chosen),
    }
    text = _encoder.encode(result).decode()  # names and numbers of hosts: no secrets to mask
    parent = trace.job or (1 if trace.entries else 0)
    asked = trace.add(
        "placement",
        MANAGEMENT,
        PLACEMENT,
        f"a host, by {planning.policy}",
        now,
        None,
        planning.request,
        parent=parent,
    )
    trace.add(
        "placement",
        PLACEMENT,
        MANAGEMENT,
        result["chosen"] or "no host",
        now,
        text=(text, "json", len(text)),
        error=planning.error,
        parent=asked.number if asked is not None else parent,
    )
