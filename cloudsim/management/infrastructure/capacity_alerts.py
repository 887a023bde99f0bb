"""Alerts of capacity that runs out: once when a share passes its notification threshold, again after it fell below."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure import capacity_report as capacity
from cloudsim.management.infrastructure.capacity_report import Capacity, CapacityReport, Place
from cloudsim.management.operations.settings import Scope
from cloudsim.model import Cluster, Pod, Zone

OF_CLUSTERS = {
    capacity.CPU: ("ALERT.CPU", "cluster.cpu.allocated.capacity.notificationthreshold"),
    capacity.MEMORY: ("ALERT.MEMORY", "cluster.memory.allocated.capacity.notificationthreshold"),
    capacity.STORAGE: ("ALERT.STORAGE", "cluster.storage.capacity.notificationthreshold"),
    capacity.STORAGE_ALLOCATED: (
        "ALERT.STORAGE.ALLOCATED",
        "cluster.storage.allocated.capacity.notificationthreshold",
    ),
}
OF_PODS = {capacity.PRIVATE_IP: ("ALERT.NETWORK.PRIVATEIP", "pod.privateip.capacity.notificationthreshold")}
OF_ZONES = {
    capacity.PUBLIC_IP: (
        "ALERT.NETWORK.PUBLICIP",
        "zone.virtualnetwork.publicip.capacity.notificationthreshold",
    ),
    capacity.DIRECT_IP: (
        "ALERT.NETWORK.DIRECTPUBLICIP",
        "zone.directnetwork.publicip.capacity.notificationthreshold",
    ),
    capacity.SECONDARY_STORAGE: ("ALERT.STORAGE.SECONDARY", "zone.secstorage.capacity.notificationthreshold"),
    capacity.VLAN: ("ALERT.NETWORK.VLAN", "zone.vlan.capacity.notificationthreshold"),
}
"""Capacity type -> the alert's name, and the setting that has its threshold."""

PERIOD = "capacity.check.period"
_OFF = 300.0
"""Seconds between looks at whether checks are wanted again."""


class CapacityAlerts:
    """Checks every capacity.check.period; `run` is the loop."""

    def __init__(self, foundation: Foundation, report: CapacityReport) -> None:
        self._foundation = foundation
        self._report = report
        self._above: set[tuple[str, int]] = set()
        """Places and types of capacity that an alert was raised for and that are still above."""

    async def run(self) -> None:
        """Check again and again."""
        settings = self._foundation.settings
        while True:
            period = settings.number(PERIOD)
            await asyncio.sleep(period / 1000 or _OFF)
            if period and period == settings.number(PERIOD):
                self.check()

    def check(self) -> None:
        """Raise an alert for each share that has passed its threshold since the last check."""
        found = {(each.place.id, each.type): each for each in self._above_thresholds()}
        for key, each in found.items():
            if key not in self._above:
                self._raise(each)
        self._above = set(found)

    def _above_thresholds(self) -> Iterator[Capacity]:
        table = self._foundation.table
        watched: tuple[tuple[Iterable[Place], Scope, dict[int, tuple[str, str]]], ...] = (
            (table(Cluster), "Cluster", OF_CLUSTERS),
            (table(Pod), "Global", OF_PODS),
            (table(Zone), "Zone", OF_ZONES),
        )
        for places, scope, kinds in watched:
            for each in self._report.of(places, kinds):
                threshold = self._foundation.settings.number(kinds[each.type][1], scope, each.place.id)
                if each.share > threshold:
                    yield each

    def _raise(self, found: Capacity) -> None:
        place = found.place
        kind = type(place).__name__.lower()
        name, _ = {**OF_CLUSTERS, **OF_PODS, **OF_ZONES}[found.type]
        self._foundation.events.alert(
            name,
            f"{capacity.NAMES[found.type]} of {kind} {place.name} is {found.share:.1%} taken: "
            f"{found.used} of {found.total}",
            zone_id=place.id if isinstance(place, Zone) else place.zone_id,
            pod_id=place.id if isinstance(place, Pod) else place.pod_id if isinstance(place, Cluster) else None,
            cluster_id=place.id if isinstance(place, Cluster) else None,
        )
