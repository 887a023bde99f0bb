"""Why a request was not served, in a word."""

from __future__ import annotations

import re

import msgspec

from cloudsim.errors import (
    CloudError,
    InsufficientAddressCapacity,
    InsufficientCapacity,
    ResourceAllocationFailed,
    ResourceUnavailable,
)
from cloudsim.placement import NoPlace

REJECTED = frozenset(
    (
        "no host",
        "cpu",
        "memory",
        "gpu",
        "tags",
        "threshold",
        "constraint",
        "dedicated",
        "failover",
        "numa",
        "policy",
        "storage",
        "address",
        "limit",
    )
)
"""Causes that mean: the cloud had no room. Any other means that something failed."""

_IN_TEXT = re.compile(r"\((no host|cpu|memory|gpu|tags|threshold|constraint|dedicated|failover|numa|policy)\)$")


def of_error(error: CloudError) -> str:
    """The cause of a deployment that was refused at once."""
    if isinstance(error, NoPlace):
        return error.cause
    return _named(error.cserrorcode, error.text)


def of_result(result: str | None) -> str:
    """The cause in a failed job's result, the JSON text of its error."""
    if not result:
        return "unknown"
    data = msgspec.json.decode(result)
    return _named(data.get("cserrorcode", 0), data.get("errortext", ""))


def _named(cserrorcode: int, text: str) -> str:
    if cserrorcode == InsufficientAddressCapacity.cserrorcode:
        return "address"
    if cserrorcode == InsufficientCapacity.cserrorcode:
        found = _IN_TEXT.search(text)
        if found:
            return found[1]
        if "threshold" in text:
            return "threshold"
        return "storage" if "storage pool" in text else "capacity"
    if cserrorcode == ResourceAllocationFailed.cserrorcode:
        return "limit"
    if cserrorcode == ResourceUnavailable.cserrorcode:
        return "host silent" if "did not answer" in text else "unavailable"
    if "restart" in text:
        return "manager restart"
    return "host refused"
