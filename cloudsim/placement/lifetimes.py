"""When hosts are expected to be empty again, and by how much an instance puts that off.

An instance whose end nobody foretold is expected to stay for ever. One that is overdue is expected to end now.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement.arrays import Ints
from cloudsim.placement.candidates import Candidates
from cloudsim.placement.request import PlacementRequest

FOREVER = 1 << 62
HOUR = 3_600_000
"""In milliseconds."""


def end_of(request: PlacementRequest) -> int:
    """When (ms) the instance is expected to end, not before now."""
    return FOREVER if request.expected_end is None else max(request.expected_end, request.time)


def empty_at(now: int, hosts: Candidates) -> Ints:
    """When (ms) the last instance of each host is expected to end; now for one that is empty."""
    last = np.maximum(hosts.expected_end, now)
    found: Ints = np.where(hosts.instances > hosts.foretold, FOREVER, last)
    return found


def extension(request: PlacementRequest, hosts: Candidates) -> Ints:
    """By how many ms the instance would put off the time at which each host is empty: 0 where others stay longer."""
    longer: Ints = np.maximum(end_of(request) - empty_at(request.time, hosts), 0)
    return longer


def bounds(policy: str, option: str, hours: Sequence[float]) -> Ints:
    """The bounds of classes of durations, in ms. Raises InvalidParameterValue unless they ascend from 0 or more."""
    found = np.array([round(HOUR * hour) if 0 <= hour < 1e9 else -1 for hour in hours], np.int64)
    if not len(found) or (found < 0).any() or (found[1:] <= found[:-1]).any():
        shown = "+".join(f"{hour:g}" for hour in hours)
        raise InvalidParameterValue(
            f"policy {policy}: {option}: expected hours, each more than the one before, as 0.5+1+10, got {shown!r}"
        )
    return found


def class_of(duration: Ints | int, limits: Ints) -> Ints:
    """The number of limits that a duration (ms) is above: 0 for one up to the first, len(limits) beyond the last."""
    found: Ints = np.searchsorted(limits, duration, side="left")
    return found
