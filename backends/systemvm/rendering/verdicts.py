"""Lists of traffic with what becomes of it, as lines of nft."""

from __future__ import annotations

from itertools import groupby

from backends.systemvm.rendering.matches import matches
from cloudsim.protocol.router import AclEntry


def by_list(acl: tuple[AclEntry, ...], ingress: bool, allowed: str, ipv6: bool = False) -> list[str]:
    """An access control list. Neighbours with the same verdict may be merged, since their order does not matter.

    `allowed` is "return", and the end of the chain allows, or "accept", and the end leaves it to the hook's policy: drop.
    """
    entries = [entry for entry in acl if entry.ingress == ingress]
    lines: list[str] = []
    for allow, run in groupby(entries, key=lambda entry: entry.allow):
        verdict = allowed if allow else "drop"
        found = matches((entry.traffic for entry in run), ipv6)
        if "" in found:
            return lines if verdict == "return" else [*lines, verdict]
        lines += [with_verdict(match, verdict) for match in found]
    default = allowed if not ingress and not entries else "drop"
    at_the_end = "return" if allowed == "return" else "drop"
    return lines if default == at_the_end else [*lines, default]


def with_verdict(match: str, verdict: str) -> str:
    """A line of a chain."""
    return f"{match} {verdict}" if match else verdict
