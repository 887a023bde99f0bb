"""The usage of instances as clients of the API see it: each sees his own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.api.api_harness import Refused
from tests.server.api.commands.cloud_api import CloudApi


def history(call: Any, **filters: Any) -> dict[str, Any]:
    rows = call("listVirtualMachinesUsageHistory", **filters).get("virtualmachine", [])
    return {row["name"]: row["stats"] for row in rows}


def test_an_instance_tells_what_it_used(cloud_api: CloudApi) -> None:
    vm = cloud_api.cloud.deploy("web")
    cloud_api.cloud.wait(1800)
    stats = history(cloud_api.admin)["web"]
    assert len(stats) >= 4
    last = stats[-1]
    assert last["cpuused"].endswith("%") and 0 < float(last["cpuused"][:-1]) <= 100
    assert last["memorykbs"] == vm.memory_mib * 1024 > last["memoryintfreekbs"] > 0
    assert last["diskiopstotal"] == last["diskioread"] + last["diskiowrite"]
    assert last["networkread"] == f"{last['networkkbsread']} KB" and last["networkkbsread"] > 0
    part = history(cloud_api.admin, startdate=stats[1]["timestamp"], enddate=stats[2]["timestamp"])["web"]
    assert part == stats[1:3] or part == stats[1:2]  # a date names a second, a sample stands within it
    with pytest.raises(Refused, match="enddate"):
        history(cloud_api.admin, startdate="2026-01-02", enddate="2026-01-01")


def test_a_user_sees_the_usage_of_his_own(cloud_api: CloudApi) -> None:
    vm = cloud_api.cloud.deploy("web")
    cloud_api.cloud.wait(900)
    user = cloud_api.account("ann")
    assert history(user) == {}
    assert history(user, id=vm.id) == {}
    with pytest.raises(Refused):
        user("listSystemVmsUsageHistory")
    assert cloud_api.admin("listSystemVmsUsageHistory") == {}
    assert set(history(cloud_api.admin, id=vm.id)) == set(history(cloud_api.admin, name="we")) == {"web"}


def test_lists_of_instances_show_what_was_measured_last_and_what_was_measured_in_all(cloud_api: CloudApi) -> None:
    vm = cloud_api.cloud.deploy("web")
    (shown,) = cloud_api.admin("listVirtualMachinesMetrics")["virtualmachine"]
    assert shown["cputotal"] == f"{vm.cpus * vm.cpu_mhz / 1000:.2f} Ghz"
    assert shown["memorytotal"] == f"{vm.memory_mib / 1024:.2f} GB"
    assert not {"cpuused", "diskread", "networkread", "diskiopstotal"} & set(shown), "nothing is measured yet"
    cloud_api.cloud.wait(1800)
    stats = history(cloud_api.admin)["web"]
    (shown,) = cloud_api.admin("listVirtualMachinesMetrics")["virtualmachine"]
    (plain,) = cloud_api.admin("listVirtualMachines")["virtualmachine"]
    for field in ("cpuused", "memoryintfreekbs", "diskkbswrite", "diskioread", "networkkbsread"):
        assert shown[field] == plain[field] == stats[-1][field]
    assert shown["diskiopstotal"] == stats[-1]["diskiopstotal"]
    assert shown["networkread"] == f"{shown['networkkbsread'] / 1024:.2f} MB"
    (added,) = cloud_api.admin("listVirtualMachines", accumulate=True)["virtualmachine"]
    assert added["diskioread"] == sum(each["diskioread"] for each in stats) > plain["diskioread"]
    assert added["cpuused"] == plain["cpuused"]
    cloud_api.admin("updateConfiguration", name="vm.stats.increment.metrics", value="true")
    assert cloud_api.admin("listVirtualMachines")["virtualmachine"] == [added]
