"""Snapshots by the clock."""

from __future__ import annotations

import pytest

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import Event, Snapshot, SnapshotPolicy, Volume
from tests.cloudsim.management.cloud_harness import Cloud


def policy(cloud: Cloud, volume: Volume, schedule: str = "30", kept: int = 2) -> SnapshotPolicy:
    made: SnapshotPolicy = cloud.manager.snapshot_policies.create(
        volume, interval="hourly", schedule=schedule, timezone="UTC", max_snapshots=kept
    )
    return made


def test_snapshots_are_taken_when_they_are_due_and_the_newest_are_kept(cloud: Cloud) -> None:
    root = cloud.root(cloud.deploy())
    made = policy(cloud, root)
    cloud.wait(4 * 3600)
    snapshots = list(cloud.table(Snapshot))
    assert [s.type for s in snapshots] == ["HOURLY", "HOURLY"] and {s.policy_id for s in snapshots} == {
        made.id
    }
    assert [int(s.created) % 3600 for s in snapshots] == [1800, 1800]
    assert snapshots[1].created - snapshots[0].created == 3600
    events = [e for e in cloud.table(Event) if e.type == "SNAPSHOT.CREATE"]
    assert len(events) == 4 and {e.level for e in events} == {"INFO"}


def test_a_second_policy_for_the_same_interval_replaces_the_first(cloud: Cloud) -> None:
    root = cloud.root(cloud.deploy())
    first = policy(cloud, root)
    assert policy(cloud, root, "5", 3).id == first.id
    assert len(cloud.table(SnapshotPolicy)) == 1
    cloud.wait(1800)
    assert [int(s.created) % 3600 for s in cloud.table(Snapshot)] == [300]


def test_a_failure_is_told_and_the_next_run_comes(cloud: Cloud) -> None:
    volume = cloud.volume()  # never made: there is nothing to snapshot
    policy(cloud, volume)
    cloud.wait(2 * 3600)
    assert len(cloud.table(Snapshot)) == 0
    errors = [e for e in cloud.table(Event) if e.type == "SNAPSHOT.CREATE" and e.level == "ERROR"]
    assert len(errors) == 2


def test_a_policy_goes_with_its_volume_or_by_itself(cloud: Cloud) -> None:
    volume, root = cloud.volume(), cloud.root(cloud.deploy())
    policy(cloud, volume)
    kept = policy(cloud, root)
    cloud.do(cloud.manager.volumes.delete(volume))
    assert list(cloud.table(SnapshotPolicy)) == [kept]
    cloud.manager.snapshot_policies.delete([kept])
    cloud.wait(3600)
    assert len(cloud.table(Snapshot)) == 0


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"max_snapshots": 0}, "greater than 0"),
        ({"max_snapshots": 9}, "exceeds limit"),
        ({"timezone": "x"}, "timezone"),
    ],
)
def test_what_a_policy_must_be(cloud: Cloud, given: dict[str, object], text: str) -> None:
    asked: dict[str, object] = {
        "interval": "daily",
        "schedule": "0:0",
        "timezone": "UTC",
        "max_snapshots": 1,
        **given,
    }
    with pytest.raises(InvalidParameterValue, match=text):
        cloud.manager.snapshot_policies.create(cloud.volume(), **asked)
