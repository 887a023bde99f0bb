"""Schedules that are due, and what becomes of what they have made."""

from __future__ import annotations

import asyncio
from typing import Any

from cloudsim.errors import StorageFailed
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.recurring import Recurring, keep_newest, next_of
from cloudsim.management.operations.schedule_times import HOURLY
from cloudsim.model import ROW_TYPES, SnapshotPolicy, VmSchedule
from cloudsim.model import Snapshot as SnapshotRow
from cloudsim.randomness import Randomness
from cloudsim.store import Store

HOUR = 3600.0
NOW = 1000 * HOUR


def foundation_at(now: float) -> Foundation:
    return Foundation(Store(ROW_TYPES), Randomness(1), lambda: now)


def test_what_was_due_many_times_while_the_server_was_down_is_done_once() -> None:
    foundation = foundation_at(NOW + 10)
    table = foundation.table(SnapshotPolicy)
    with foundation.store.transaction():
        policy = SnapshotPolicy(
            id="p",
            volume_id="v",
            interval=HOURLY,
            schedule="0",
            timezone="UTC",
            max_snapshots=2,
            next_run=NOW - 5 * HOUR,
        )
        table.insert(policy)
    clock, done = Recurring(foundation, SnapshotPolicy, next_of), list[tuple[str, float]]()
    for _ in range(2):
        clock.run_due(lambda row, due: done.append((row.id, due)))
    assert done == [("p", NOW - 5 * HOUR)]
    assert table["p"].next_run == NOW + HOUR


def test_a_schedule_that_is_off_or_that_is_never_due_again_is_not_done() -> None:
    foundation = foundation_at(NOW)
    table = foundation.table(VmSchedule)
    with foundation.store.transaction():
        for name, enabled, due in (
            ("off", False, NOW),
            ("over", True, None),
            ("later", True, NOW + 1),
            ("on", True, NOW),
        ):
            row = VmSchedule(
                id=name, vm_id="vm", description="", action="STOP", schedule="0 * * * *", timezone="UTC",
                enabled=enabled, next_run=due,
            )  # fmt: skip
            table.insert(row)
    clock = Recurring(foundation, VmSchedule, lambda row, after: None, lambda row: row.enabled)
    done: list[str] = []
    clock.run_due(lambda row, due: done.append(row.id))
    assert done == ["on"] and table["on"].next_run is None and table["off"].next_run == NOW


def test_what_a_schedule_does_and_when_it_is_next_due_are_one_transaction() -> None:
    foundation = foundation_at(NOW)
    table = foundation.table(SnapshotPolicy)
    with foundation.store.transaction():
        row = SnapshotPolicy(
            id="p",
            volume_id="v",
            interval=HOURLY,
            schedule="0",
            timezone="UTC",
            max_snapshots=2,
            next_run=NOW,
        )
        table.insert(row)
    commits: list[int] = []
    foundation.store.subscribe(lambda changes: commits.append(len(changes)), SnapshotPolicy, SnapshotRow)
    Recurring(foundation, SnapshotPolicy, next_of).run_due(
        lambda row, due: table.update(row.id, display=False)
    )
    assert len(commits) == 1 and (table["p"].display, table["p"].next_run) == (False, NOW + HOUR)


def test_the_newest_are_kept_and_one_that_cannot_be_deleted_does_not_hold_up_the_others() -> None:
    common: dict[str, Any] = {
        "volume_id": "v",
        "volume_type": "ROOT",
        "account_id": "a",
        "domain_id": "d",
        "zone_id": "z",
        "size": 1,
    }
    taken = [SnapshotRow(id=f"s{at}", name=f"s{at}", created=at, **common) for at in (3.0, 1.0, 4.0, 2.0)]
    gone: list[str] = []

    async def delete(snapshot_id: str) -> None:
        if snapshot_id == "s1.0":
            raise StorageFailed("it is busy")
        gone.append(snapshot_id)

    asyncio.run(keep_newest(taken, 2, delete))
    assert gone == ["s2.0"]
    asyncio.run(keep_newest(taken, 9, delete))
    assert gone == ["s2.0"]
