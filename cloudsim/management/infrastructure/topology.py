"""The datacenter as a picture: what the hosts' fill is, what the links carry, and what of it has changed.

Whoever has seen it once asks for what is new since. Nothing is kept before the first who asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from cloudsim.links import KnowsLinks, Links
from cloudsim.management.foundation import Foundation
from cloudsim.model import Cluster, Configuration, Host, ImageStore, Pod, StoragePool, VirtualMachine, Zone
from cloudsim.placement.capacity import HostCapacity
from cloudsim.store import Change
from cloudsim.world import World

_PLACES = (Zone, Pod, Cluster, StoragePool, ImageStore)


class Fill(NamedTuple):
    """What a host may promise and has promised: CPU in MHz and memory in MiB, over-commit counted, and to how many.

    An instance that moves is counted at both ends.
    """

    cpu: int
    cpu_used: int
    memory: int
    memory_used: int
    instances: int


class Wire(NamedTuple):
    """A link between two things of the cloud, by their ids; `above` is None for the region.

    `bandwidth` in bytes per second each way, `up` and `down` shares of it from 0 to 1; `zone_id` and `pod_id` are
    where the lower end is.
    """

    below: str
    above: str | None
    bandwidth: float
    up: float
    down: float
    cut: bool
    zone_id: str
    pod_id: str | None


class _End(NamedTuple):
    """What stands at a place of the world's network."""

    id: str
    above: str | None
    zone_id: str
    pod_id: str | None


class TopologyReport:
    """The picture of one cloud. The world's own links are in it where the world knows them."""

    def __init__(self, foundation: Foundation, capacity: HostCapacity, world: World) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._capacity = capacity
        self._links: Links | None = world.links if isinstance(world, KnowsLinks) else None
        self._watching = False
        self._began = 0
        self._laid_out = 0
        self._changed = np.zeros(0, np.int64)
        self._surveyed = -1
        self._ends: dict[str, dict[str, _End]] = {}
        self._bandwidths: dict[str, float] = {}

    # what has changed

    def version(self) -> str:
        """The picture's state at this instant, to be told when it is asked for again."""
        self._watch()
        return f"{self._began}.{self._store.sequence}"

    def changed(self, since: str | None) -> list[Host] | None:
        """The hosts that changed after that version; None where the whole picture is needed.

        That is so without a version, for one of another server, and when anything but hosts' fill or state changed:
        the instances on a host are a part of its fill.
        """
        self._watch()
        began, _, sequence = (since or "").partition(".")
        if began != str(self._began) or not sequence.isdecimal() or int(sequence) < self._laid_out:
            return None
        slots = np.flatnonzero(self._changed[: self._capacity.size] > int(sequence))
        hosts, ids = self._foundation.table(Host), self._capacity.ids
        return [hosts[ids[slot]] for slot in slots]

    def _watch(self) -> None:
        if self._watching:
            return
        self._watching = True
        self._began = int(self._foundation.now() * 1_000_000)
        self._laid_out = self._store.sequence
        self._store.subscribe(self._note, Host, VirtualMachine, Configuration, *_PLACES)

    def _note(self, changes: list[Change]) -> None:
        sequence = self._store.sequence
        slot = self._capacity.slot
        if len(self._changed) < self._capacity.size:
            grown = np.zeros(2 * self._capacity.size, np.int64)
            grown[: len(self._changed)] = self._changed
            self._changed = grown
        for table, before, after in changes:
            if table.row_type is VirtualMachine:
                for row in (before, after):
                    if row is not None:
                        for host_id in (row.host_id, row.migrating_to):
                            if host_id in slot:
                                self._changed[slot[host_id]] = sequence
            elif table.row_type is Host and before is not None and after is not None:
                self._changed[slot[after.id]] = sequence
            elif _is_measurement(before, after):
                pass
            elif table.row_type is not Configuration or _overcommits(before or after):
                self._laid_out = sequence

    # what there is

    def fills(self, hosts: Sequence[Host]) -> list[Fill]:
        """What is promised of each of the hosts."""
        every = self._capacity
        slots = np.fromiter((every.slot[host.id] for host in hosts), np.int64, len(hosts))
        columns = (every.cpu_total, every.cpu_used, every.memory_total, every.memory_used, every.instances)
        return list(map(Fill._make, zip(*(column[slots].tolist() for column in columns), strict=True)))

    def bandwidth(self, row_id: str) -> float | None:
        """Bytes per second each way between that host, cluster, pod, zone or storage and what is above it.

        None where that is not known. A cluster whose hosts stand in several racks has the sum of theirs.
        """
        self._survey()
        return self._bandwidths.get(row_id)

    def wires(self, zones: Collection[str] | None = None, pod_id: str | None = None) -> Iterator[Wire]:
        """The links that carry something or are cut, of all zones or those; all others are whole and idle."""
        if self._links is None:
            return
        self._survey()
        for state in self._links.busy():
            for end in self._ends.get(state.place, {}).values():
                if (zones is None or end.zone_id in zones) and pod_id in (None, end.pod_id):
                    yield Wire(
                        end.id,
                        end.above,
                        state.bandwidth,
                        state.up,
                        state.down,
                        state.cut,
                        end.zone_id,
                        end.pod_id,
                    )

    def _survey(self) -> None:
        """Find out again, if anything was added or taken away, what stands at which place of the network."""
        self._watch()
        if self._links is None or self._surveyed == self._laid_out:
            return
        self._surveyed = self._laid_out
        self._ends, self._bandwidths = {}, {}
        for host in self._foundation.table(Host):
            ids = (host.id, host.cluster_id, host.pod_id, host.zone_id)
            for level, place in enumerate(self._links.way_up(host.guid)[:4]):
                above = ids[level + 1] if level < 3 else None
                self._stand(place, _End(ids[level], above, host.zone_id, None if level == 3 else host.pod_id))
        for pool in self._foundation.table(StoragePool):
            if pool.scope != "HOST":
                above = pool.cluster_id or pool.pod_id or pool.zone_id
                self._stand(self._links.of_pool(pool.id), _End(pool.id, above, pool.zone_id, pool.pod_id))
        for store in self._foundation.table(ImageStore):
            if store.zone_id is not None:
                self._stand(
                    self._links.of_store(store.url), _End(store.id, store.zone_id, store.zone_id, None)
                )

    def _stand(self, place: str | None, end: _End) -> None:
        if place is None or self._links is None:
            return
        ends = self._ends.setdefault(place, {})
        if end.id not in ends:
            ends[end.id] = end
            self._bandwidths[end.id] = self._bandwidths.get(end.id, 0.0) + self._links.bandwidth(place)


def _is_measurement(before: Any, after: Any) -> bool:
    """Whether only how full a storage is has changed, which is found out again and again."""
    if not isinstance(before, StoragePool | ImageStore) or after is None:
        return False
    return msgspec.structs.replace(before, used=after.used) == after


def _overcommits(row: Any) -> bool:
    return bool(row.name.endswith(".overprovisioning.factor"))
