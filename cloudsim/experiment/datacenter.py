"""The datacenter of a scenario as the description that a backend reads."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from cloudsim.experiment.scenario import DatacenterSource, NodeListDatacenter
from cloudsim.experiment.traces.openb import host_groups


def description(source: DatacenterSource, folder: Path) -> dict[str, Any] | str:
    """Plain data for the backend, or the path of a file for it; the source's own paths are relative to `folder`.

    Raises TraceError for a node list that is not right.
    """
    if source.uniform is not None:
        return source.uniform.describe()
    if source.openb_nodes is not None:
        return _node_list(folder / source.openb_nodes.path, source.openb_nodes)
    if source.inline is not None:
        return copy.deepcopy(source.inline)
    assert source.file is not None
    return str(folder / source.file)


def _node_list(path: Path, nodes: NodeListDatacenter) -> dict[str, Any]:
    """One pod of racks that are filled in the list's order; a rack holds neighbours of any kind."""
    racks: list[dict[str, Any]] = []
    room = 0
    for group in host_groups(path):
        left = group["count"]
        while left:
            if not room:
                racks.append({"hosts": []})
                room = nodes.hosts_per_rack
            take = min(left, room)
            racks[-1]["hosts"].append({**group, "count": take})
            left -= take
            room -= take
    return {"zones": [{"pods": [{"racks": racks}]}]}
