"""Snapshot policies: snapshots that are taken by the clock, of which the newest so many are kept."""

from __future__ import annotations

import asyncio
import logging

from msgspec.structs import replace

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.due_rows import DueRows
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.storage.snapshot_schedule import INTERVALS, fields_of, interval_of, next_run, zone_of
from cloudsim.management.storage.snapshots import Snapshots
from cloudsim.model import ResourceTag, Snapshot, SnapshotPolicy, Volume

log = logging.getLogger(__name__)

MOST_KEPT = (8, 8, 8, 12)
"""The largest maxsnaps of an interval: CloudStack's snapshot.max.hourly, daily, weekly, monthly."""


class SnapshotPolicies:
    """Keeps policies, and with `run_policies` does what they say."""

    def __init__(self, foundation: Foundation, snapshots: Snapshots) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._snapshots = snapshots
        self._table = foundation.table(SnapshotPolicy)
        self._taken = foundation.table(Snapshot)
        self._volumes = foundation.table(Volume)
        self._tags = foundation.table(ResourceTag)
        self._randomness = foundation.randomness.branch("snapshot_policies")
        self._due = DueRows(foundation, SnapshotPolicy, lambda policy: policy.next_run)

    def create(
        self,
        volume: Volume,
        *,
        interval: str,
        schedule: str,
        timezone: str,
        max_snapshots: int,
        display: bool = True,
    ) -> SnapshotPolicy:
        """A volume's policy for an interval; one that it has for the same interval is replaced."""
        number = interval_of(interval)
        fields_of(number, schedule)
        zone_of(timezone)
        if max_snapshots < 1:
            raise InvalidParameterValue(f"maxSnaps: {max_snapshots} must be greater than 0")
        if max_snapshots > MOST_KEPT[number]:
            raise InvalidParameterValue(
                f"maxSnaps exceeds limit: {MOST_KEPT[number]} for interval type: {INTERVALS[number]}"
            )
        if volume.state not in ("Ready", "Allocated", "Snapshotting", "Resizing", "Attaching"):
            raise InvalidParameterValue(
                f"VolumeId: {volume.id} is in state {volume.state}. Cannot create a policy"
            )
        due = next_run(number, schedule, timezone, self._foundation.now())
        old = self._table.find(("volume_id", "interval"), (volume.id, number))
        with self._store.transaction():
            if old is not None:
                return self._table.update(
                    old.id,
                    schedule=schedule,
                    timezone=timezone,
                    max_snapshots=max_snapshots,
                    next_run=due,
                    display=display,
                )
            return self._table.insert(
                SnapshotPolicy(
                    id=self._randomness.uuid(),
                    volume_id=volume.id,
                    interval=number,
                    schedule=schedule,
                    timezone=timezone,
                    max_snapshots=max_snapshots,
                    next_run=due,
                    display=display,
                    created=self._foundation.now(),
                )
            )

    def update(self, policy: SnapshotPolicy, *, display: bool) -> SnapshotPolicy:
        with self._store.transaction():
            return self._table.update(policy.id, display=display)

    def delete(self, policies: list[SnapshotPolicy]) -> None:
        """Forget policies; the snapshots that they made stay."""
        with self._store.transaction():
            for policy in policies:
                remove_leftovers(self._foundation, policy.id)
                self._table.delete(policy.id)

    # the clock

    async def run_policies(self) -> None:
        """For ever: wait until a policy is due, take its snapshot, remove those that are too many."""
        while True:
            await self._due.wait()
            await self.run_due()

    async def run_due(self) -> list[Snapshot]:
        """Do what is due now, all at the same time; returns the snapshots that were made."""
        now = self._foundation.now()
        policies: list[SnapshotPolicy] = []
        for _, policy in self._due.take():
            following = next_run(policy.interval, policy.schedule, policy.timezone, now)
            with self._store.transaction():
                policies.append(self._table.update(policy.id, next_run=following))
        made = await asyncio.gather(*(self._run(policy) for policy in policies))
        return [snapshot for snapshot in made if snapshot is not None]

    async def _run(self, policy: SnapshotPolicy) -> Snapshot | None:
        volume = self._volumes.get(policy.volume_id)
        if volume is None:
            self.delete([policy])
            return None
        try:
            with self._store.transaction():
                snapshot = self._snapshots.allocate(volume, policy=policy)
                self._tag(snapshot, policy)
            snapshot = await self._snapshots.create(snapshot.id)
        except CloudError as error:
            self._tell(
                volume, f"The scheduled snapshot of {volume.name} was not taken: {error.text}", failed=True
            )
            return None
        self._tell(volume, f"Took the scheduled snapshot {snapshot.name} of {volume.name}")
        await self._thin_out(policy)
        return snapshot

    def _tag(self, snapshot: Snapshot, policy: SnapshotPolicy) -> None:
        """Give the snapshot the tags of its policy. Needs an open transaction."""
        for tag in list(self._tags.where("resource_id", policy.id)):
            copied = {"id": self._randomness.uuid(), "resource_type": "Snapshot", "resource_id": snapshot.id}
            self._tags.insert(replace(tag, **copied, account_id=snapshot.account_id, domain_id=snapshot.domain_id))

    async def _thin_out(self, policy: SnapshotPolicy) -> None:
        """Remove the oldest snapshots of the policy beyond those it keeps."""
        kept = [s for s in self._taken.where("policy_id", policy.id) if s.state == "BackedUp"]
        kept.sort(key=lambda snapshot: snapshot.created)
        for snapshot in kept[: max(0, len(kept) - policy.max_snapshots)]:
            try:
                await self._snapshots.delete(snapshot.id)
            except CloudError as error:
                log.warning("snapshot %s is kept for now: %s", snapshot.name, error.text)

    def _tell(self, volume: Volume, text: str, *, failed: bool = False) -> None:
        self._foundation.events.record(
            "SNAPSHOT.CREATE",
            text,
            account_id=volume.account_id,
            domain_id=volume.domain_id,
            level="ERROR" if failed else "INFO",
            resource_id=volume.id,
            resource_type="Volume",
        )
