"""The history of capacity as clients of the API see it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.api.parameters import parse_date
from tests.server.api.api_harness import Refused
from tests.server.api.commands.cloud_api import CloudApi


def series(api: CloudApi, **filters: Any) -> list[dict[str, Any]]:
    return api.listed("listCapacityHistory", "capacityhistory", **filters)


def test_each_kind_of_a_zones_capacity_is_a_series(cloud_api: CloudApi) -> None:
    cloud_api.cloud.wait(900)
    found = series(cloud_api)
    latest = {row["type"]: row for row in cloud_api.listed("listCapacity", "capacity")}
    assert {row["type"] for row in found} == set(latest)
    for row in found:
        last = row["stats"][-1]
        now = latest[row["type"]]
        assert (row["zoneid"], row["name"]) == (cloud_api.zone, now["name"])
        assert last["capacitytotal"] == now["capacitytotal"]
        assert last["capacityallocated"] == now["capacityused"]
    assert [row["type"] for row in series(cloud_api, type=1)] == [1]


def test_a_series_is_narrowed_to_a_time_and_a_grain(cloud_api: CloudApi) -> None:
    cloud_api.run(asyncio.sleep(3600))
    (whole,) = series(cloud_api, type=0)
    dates = [each["timestamp"] for each in whole["stats"]]
    (part,) = series(cloud_api, type=0, startdate=dates[2], enddate=dates[4])
    assert [each["timestamp"] for each in part["stats"]] == dates[2:5]
    (coarse,) = series(cloud_api, type=0, interval=1800, startdate=dates[0])
    spans = [int(parse_date(each["timestamp"]) // 1800) for each in coarse["stats"]]
    assert len(spans) == len(set(spans)) < len(dates)


def test_a_time_that_cannot_be_is_refused(cloud_api: CloudApi) -> None:
    for wrong, named in (
        ({"startdate": "2026-01-02", "enddate": "2026-01-01"}, "enddate"),
        ({"interval": 0}, "interval"),
    ):
        for command in ("listCapacityHistory", "listInfrastructureHistory"):
            with pytest.raises(Refused, match=named):
                cloud_api.admin(command, **wrong)


def test_instances_and_hosts_are_counted_by_state(cloud_api: CloudApi) -> None:
    cloud_api.cloud.deploy()
    cloud_api.cloud.wait(600)
    (row,) = cloud_api.listed("listInfrastructureHistory", "infrastructurehistory")
    last = row["stats"][-1]
    assert last["instances"] == {"Running": 1} and last["hosts"] == {"Up": 2}
    assert sum(last["hostfill"]) == 2 and len(last["hostfill"]) == 10
    xml = cloud_api.admin.reply("listInfrastructureHistory", response="xml").text()
    assert b"<Running>1</Running>" in xml


def test_a_series_ends_with_now_where_that_is_asked_for(cloud_api: CloudApi) -> None:
    cloud_api.cloud.wait(600)
    cloud_api.cloud.deploy()
    for command, key in (
        ("listInfrastructureHistory", "infrastructurehistory"),
        ("listCapacityHistory", "capacityhistory"),
    ):
        (kept,) = cloud_api.listed(command, key, **({"type": 1} if "Capacity" in command else {}))
        (more,) = cloud_api.listed(
            command, key, fetchlatest=True, **({"type": 1} if "Capacity" in command else {})
        )
        assert more["stats"][:-1] == kept["stats"]
    (row,) = cloud_api.listed("listInfrastructureHistory", "infrastructurehistory", fetchlatest=True)
    assert row["stats"][-1]["instances"] == {"Running": 1}
    assert "instances" not in row["stats"][-2] or row["stats"][-2]["instances"] == {}


def test_a_user_does_not_see_what_the_operator_has(cloud_api: CloudApi) -> None:
    user = cloud_api.account("ann")
    for command in ("listCapacityHistory", "listInfrastructureHistory"):
        with pytest.raises(Refused):
            user(command)
