"""Snapshot policies: snapshots that are taken by the clock, of which the newest so many are kept."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.operations.recurring import Recurring, keep_newest, next_of
from cloudsim.management.operations.schedule_times import INTERVALS, IntervalSchedule
from cloudsim.management.storage.snapshots import Snapshots
from cloudsim.model import ResourceTag, Snapshot, SnapshotPolicy, Volume

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
        self._clock = Recurring(foundation, SnapshotPolicy, next_of)

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
        wanted = IntervalSchedule.checked(interval, schedule, timezone)
        number = wanted.interval
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
        now = self._foundation.now()
        old = self._table.find(("volume_id", "interval"), (volume.id, number))
        with self._store.transaction():
            if old is not None:
                return self._table.update(
                    old.id, max_snapshots=max_snapshots, display=display, **wanted.fields(now)
                )
            return self._table.insert(
                SnapshotPolicy(
                    id=self._randomness.uuid(),
                    volume_id=volume.id,
                    max_snapshots=max_snapshots,
                    display=display,
                    created=now,
                    **wanted.fields(now),
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
            await self._clock.wait()
            await self.run_due()

    async def run_due(self) -> list[Snapshot]:
        """Do what is due now, all at the same time; returns the snapshots that were made."""
        policies: list[SnapshotPolicy] = []
        self._clock.run_due(lambda policy, due: policies.append(policy))
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
        taken = [s for s in self._taken.where("policy_id", policy.id) if s.state == "BackedUp"]
        await keep_newest(taken, policy.max_snapshots, self._snapshots.delete)

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
