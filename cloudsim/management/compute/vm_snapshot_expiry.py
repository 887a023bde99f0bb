"""Snapshots of instances that are older than the setting vmsnapshot.expire.interval of their account allows."""

from __future__ import annotations

import logging

from cloudsim.errors import CloudError
from cloudsim.management.compute.vm_snapshots import VmSnapshots
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import Identity
from cloudsim.management.operations.jobs import Jobs
from cloudsim.model import VmSnapshot

log = logging.getLogger(__name__)

HOUR = 3600.0
INTERVAL = "vmsnapshot.expire.interval"


class VmSnapshotExpiry:
    """Deletes snapshots of instances when their time is over, one job for each, in the queue of its instance."""

    def __init__(self, foundation: Foundation, identity: Identity, jobs: Jobs, snapshots: VmSnapshots) -> None:
        self._foundation = foundation
        self._settings = foundation.settings
        self._identity = identity
        self._jobs = jobs
        self._snapshots = snapshots
        self._table = foundation.table(VmSnapshot)
        self._entered: set[str] = set()

    def delete_expired(self) -> None:
        """Enter a job for each snapshot that has expired; one that cannot be deleted is tried again the next time."""
        now = self._foundation.now()
        for snapshot in list(self._table):
            hours = self._settings.integer(INTERVAL, "Account", snapshot.account_id)
            if hours >= 0 and snapshot.created + hours * HOUR <= now and snapshot.id not in self._entered:
                self._submit(snapshot)

    def _submit(self, snapshot: VmSnapshot) -> None:
        async def work() -> None:
            try:
                if snapshot.id in self._table:
                    await self._snapshots.delete(snapshot.id)
                    self._tell(snapshot, f"VM snapshot {snapshot.name} has expired and is deleted")
            except CloudError as error:
                log.warning("VM snapshot %s has expired and is kept for now: %s", snapshot.name, error.text)
                raise
            finally:
                self._entered.discard(snapshot.id)

        self._entered.add(snapshot.id)
        self._jobs.submit(
            Caller(self._identity.system()[0]),
            "deleteVMSnapshot",
            work,
            instance_type="VmSnapshot",
            instance_id=snapshot.id,
            queue=snapshot.vm_id,
        )

    def _tell(self, snapshot: VmSnapshot, text: str) -> None:
        self._foundation.events.record(
            "VMSNAPSHOT.DELETE",
            text,
            account_id=snapshot.account_id,
            domain_id=snapshot.domain_id,
            resource_id=snapshot.id,
            resource_type="VmSnapshot",
        )
