"""VLAN ids as operators write them: numbers and ranges, such as 100-200,300."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import PhysicalNetwork

LARGEST = {"VLAN": 4094, "VXLAN": (1 << 24) - 1, "GRE": (1 << 32) - 1}
"""The largest id of each isolation method (IEEE 802.1Q, RFC 7348, RFC 2890)."""
UNTAGGED = "untagged"
"""How operators write that addresses are on no VLAN."""


def parse_vlans(text: str) -> list[tuple[int, int]]:
    """Ascending (first, last) pairs, adjoining ones joined. InvalidParameterValue for what is no list of ranges."""
    pairs = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, dash, last = part.partition("-")
        try:
            low, high = int(first), int(last if dash else first)
        except ValueError:
            raise InvalidParameterValue(f"Please specify a valid VLAN or VLAN range, not {part!r}") from None
        if low < 0 or low > high:
            raise InvalidParameterValue(f"Please specify a valid VLAN range: {part!r} ends before it begins")
        pairs.append((low, high))
    joined: list[tuple[int, int]] = []
    for low, high in sorted(pairs):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def isolation_of(physical: PhysicalNetwork | None) -> Literal["VLAN", "VXLAN"]:
    """How guest networks on that wire are kept apart."""
    return "VXLAN" if physical is not None and "VXLAN" in physical.isolation_methods else "VLAN"


def checked_tag(text: str | None, physical: PhysicalNetwork | None = None) -> str | None:
    """The VLAN id (VXLAN, on such a wire) of an address range as digits; None for untagged. InvalidParameterValue."""
    method = isolation_of(physical)
    value = (text or "").strip().lower()
    for prefix in ("vlan://", "vxlan://"):
        value = value.removeprefix(prefix)
    if value in ("", UNTAGGED):
        return None
    if not value.isascii() or not value.isdigit() or not 0 < int(value) <= LARGEST[method]:
        raise InvalidParameterValue(
            f"vlan must be a {method} id from 1 to {LARGEST[method]}, or {UNTAGGED}, not {text!r}"
        )
    return str(int(value))


def check_vlans(ranges: Iterable[tuple[int, int]], method: str) -> None:
    """Raise InvalidParameterValue for ids that the isolation method does not have."""
    largest = LARGEST[method]
    for low, high in ranges:
        if high > largest:
            raise InvalidParameterValue(
                f"{method} range {low}-{high} is out of bounds: ids of {method} go from 0 to {largest}"
            )


def join_vlans(ranges: Iterable[tuple[int, int]]) -> str:
    """The ranges as `parse_vlans` reads them."""
    return ",".join(f"{low}-{high}" for low, high in ranges)


def vlan_number(text: str | None) -> int | None:
    """The id in a network's vlan (`98` or `vlan://98`); None for an untagged network or none."""
    digits = (text or "").rpartition("/")[2]
    return int(digits) if digits.isdigit() else None
