"""What instances really use of hosts, clusters and zones, as it was measured last: in memory, and gone with a restart.

Sums of clusters and zones are kept as hosts are measured, so that telling them costs nothing however many hosts there are.
"""

from __future__ import annotations

from typing import NamedTuple

from cloudsim.management.foundation import Foundation
from cloudsim.model import Host
from cloudsim.store import Change


class HostUse(NamedTuple):
    """Of a host, or in sum of some: MHz, MiB, and bytes of network traffic since the measurement before."""

    cpu_mhz: int = 0
    memory_mib: int = 0
    network_read: int = 0
    network_write: int = 0


def _sum(one: HostUse, other: HostUse, sign: int = 1) -> HostUse:
    return HostUse(*(a + sign * b for a, b in zip(one, other, strict=True)))


class HostUses:
    """Remembers what is used. A host that is not up uses nothing that anybody knows of."""

    def __init__(self, foundation: Foundation) -> None:
        self._hosts = foundation.table(Host)
        self._uses: dict[str, HostUse] = {}
        self._sums: dict[str, HostUse] = {}
        foundation.store.subscribe(self._changed, Host)

    def of(self, host_id: str) -> HostUse | None:
        """What is used of a host; None before it was measured."""
        return self._uses.get(host_id)

    def within(self, place_id: str) -> HostUse:
        """What is used of the hosts of a cluster or zone, as far as they were measured."""
        return self._sums.get(place_id, HostUse())

    def measured(self, host_id: str, use: HostUse) -> None:
        """A host has told what its instances use."""
        host = self._hosts.get(host_id)
        if host is not None and host.state == "Up":
            self._forget(host)
            self._uses[host_id] = use
            self._add(host, use, 1)

    def _add(self, host: Host, use: HostUse, sign: int) -> None:
        for place_id in (host.cluster_id, host.zone_id):
            self._sums[place_id] = _sum(self.within(place_id), use, sign)

    def _forget(self, host: Host) -> None:
        before = self._uses.pop(host.id, None)
        if before is not None:
            self._add(host, before, -1)

    def _changed(self, changes: list[Change]) -> None:
        for _, before, after in changes:
            if before is not None and (after is None or after.state != "Up"):
                self._forget(before)
