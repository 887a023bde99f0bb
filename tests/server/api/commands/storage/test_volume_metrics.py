"""What is read and written of volumes, as clients of the API see it."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.model import VolumeStatistics, VolumeUsage
from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi


@pytest.fixture
def measured(cloud_api: CloudApi) -> CloudApi:
    """A cloud that measures volumes as often as it may, and keeps each measurement."""
    for name, value in (("interval", "1"), ("interval.min", "600"), ("retention.enabled", "true")):
        cloud_api.admin("updateConfiguration", name=f"vm.disk.stats.{name}", value=value)
    return cloud_api


def history(call: Any, **filters: Any) -> dict[str, Any]:
    rows = call("listVolumesUsageHistory", **filters).get("volume", [])
    return {row["id"]: row["stats"] for row in rows}


def test_volumes_tell_what_was_done_with_them_over_time_and_in_all(measured: CloudApi) -> None:
    admin = measured.admin
    vm = measured.cloud.deploy("web")
    (root,) = measured.listed("listVolumes", "volume", virtualmachineid=vm.id)
    (plain,) = measured.listed("listVolumesMetrics", "volume", id=root["id"])
    assert plain["sizegb"] == f"{root['size'] / 2**30:.2f} GB"
    assert not {"diskioread", "diskiopstotal"} & set(plain), "nothing is measured yet"
    measured.cloud.wait(3600)
    stats = history(admin, id=root["id"])[root["id"]]
    assert 4 <= len(stats) <= 6, "no more often than vm.disk.stats.interval.min"
    assert all(each["diskkbswrite"] > 0 for each in stats)
    (shown,) = measured.listed("listVolumesMetrics", "volume", id=root["id"])
    assert shown["diskioread"] == sum(each["diskioread"] for each in stats)
    assert shown["diskiopstotal"] == shown["diskioread"] + shown["diskiowrite"]
    part = history(admin, startdate=stats[1]["timestamp"], enddate=stats[2]["timestamp"])[root["id"]]
    assert part in (stats[1:3], stats[1:2])  # a date names a second, a sample stands within it


def test_a_data_disk_is_told_apart_from_the_root_disk(measured: CloudApi) -> None:
    vm = measured.cloud.deploy("web")
    data = measured.volume()
    measured.admin("attachVolume", id=data["id"], virtualmachineid=vm.id)
    measured.cloud.wait(3600)
    found = {row["type"]: row for row in measured.listed("listVolumes", "volume", virtualmachineid=vm.id)}
    assert found["ROOT"]["diskiowrite"] > 0 == found["DATADISK"]["diskiowrite"]


def test_only_sums_are_kept_unless_asked_for_and_nothing_is_measured_by_default(cloud_api: CloudApi) -> None:
    cloud_api.cloud.deploy("web")
    cloud_api.cloud.wait(3600)
    assert not cloud_api.store.table(VolumeStatistics)
    cloud_api.admin("updateConfiguration", name="vm.disk.stats.interval", value="300")
    cloud_api.cloud.wait(3600)
    (total,) = cloud_api.store.table(VolumeStatistics)
    assert total.write_ios > 0 and not cloud_api.store.table(VolumeUsage)


def test_a_user_sees_his_own_volumes_and_a_volume_takes_its_measurements_with_it(measured: CloudApi) -> None:
    vm = measured.cloud.deploy("web")
    measured.cloud.wait(3600)
    ann = measured.account("ann")
    assert history(ann) == {} != history(measured.admin)
    assert (
        "enddate"
        in refused(431, ann, "listVolumesUsageHistory", startdate="2026-01-02", enddate="2026-01-01").text
    )
    measured.admin("destroyVirtualMachine", id=vm.id, expunge=True)
    assert not measured.store.table(VolumeUsage) and not measured.store.table(VolumeStatistics)


def test_measurements_go_when_they_are_old(measured: CloudApi) -> None:
    measured.admin("updateConfiguration", name="vm.disk.stats.max.retention.time", value="150")
    vm = measured.cloud.deploy("web")
    measured.cloud.wait(12 * 3600)
    (root,) = measured.listed("listVolumes", "volume", virtualmachineid=vm.id)
    assert 12 <= len(history(measured.admin)[root["id"]]) <= 27
