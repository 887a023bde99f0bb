"""The records of what accounts used, as whoever writes bills asks for them."""

from __future__ import annotations

import pytest

from cloudsim.management.usage import types
from cloudsim.model import UsageInterval, VirtualMachine, Volume, VolumeStatistics
from server.api.parameters import parse_date
from tests.server.api.api_harness import refused
from tests.server.api.commands.usage.usage_api import DAY, HOUR, UsageApi


def test_an_instance_is_told_as_it_ran_and_as_it_was_there(api: UsageApi) -> None:
    vm = api.cloud.deploy()
    api.until(6)
    api.cloud.stop(vm)
    api.until(12)
    api.admin("startVirtualMachine", id=vm.id)
    api.until(24.5)
    assert api.hours(types.RUNNING_VM) == pytest.approx(18, abs=0.1)
    (record,) = api.records(type=types.ALLOCATED_VM)
    assert float(record["rawusage"]) == pytest.approx(24, abs=0.1)
    assert record["usage"] == f"{record['rawusage']} Hrs"
    assert parse_date(record["startdate"]) == api.midnight
    assert parse_date(record["enddate"]) == api.midnight + DAY - 1
    row = api.store.table(VirtualMachine)[vm.id]
    assert (record["virtualmachineid"], record["usageid"]) == (vm.id, vm.id)
    assert (record["offeringid"], record["templateid"]) == (row.service_offering_id, row.template_id)
    assert (record["cpunumber"], record["cpuspeed"], record["memory"]) == (
        row.cpus,
        row.cpu_mhz,
        row.memory_mib,
    )
    assert (record["account"], record["zoneid"], record["type"]) == ("admin", api.zone, "Simulator")
    assert "Small Instance" in record["description"] and row.service_offering_id in record["description"]
    (old,) = api.records(type=types.ALLOCATED_VM, oldformat=True)
    assert old["description"].endswith(
        f"(ServiceOffering: {row.service_offering_id}) (Template: {row.template_id})"
    )


def test_each_day_has_records_of_its_own_and_a_thing_that_is_gone_has_none_later(api: UsageApi) -> None:
    vm = api.cloud.deploy()
    api.until(30)
    api.admin("destroyVirtualMachine", id=vm.id, expunge=True)
    api.until(72.5)
    told = [api.hours(types.RUNNING_VM, day=day) for day in (0, 1, 2)]
    assert told == [pytest.approx(24, abs=0.1), pytest.approx(6, abs=0.1), 0]
    assert all(
        each.ended is None for each in api.store.table(UsageInterval)
    )  # what has been told is let go of


def test_whoever_grows_is_told_in_parts(api: UsageApi) -> None:
    vm = api.cloud.deploy(start=False)
    volume = api.volume(size=5)
    api.until(6)
    medium = next(
        each["id"]
        for each in api.admin("listServiceOfferings")["serviceoffering"]
        if each["name"] == "Medium Instance"
    )
    api.admin("scaleVirtualMachine", id=vm.id, serviceofferingid=medium)
    api.admin("resizeVolume", id=volume["id"], size=9)
    api.admin("updateVolume", id=volume["id"], name="other")
    api.until(24.5)
    found = {
        record["offeringid"]: float(record["rawusage"]) for record in api.records(type=types.ALLOCATED_VM)
    }
    assert found == {
        vm.service_offering_id: pytest.approx(6, abs=0.1),
        medium: pytest.approx(18, abs=0.1),
    }
    sizes = {
        record["size"] >> 30: (record["name"], float(record["rawusage"]))
        for record in api.records(type=types.VOLUME, usageid=volume["id"])
    }
    assert sizes == {5: ("data", pytest.approx(6, abs=0.1)), 9: ("other", pytest.approx(18, abs=0.1))}


def test_what_is_read_and_written_of_a_disk_is_told_to_the_byte(api: UsageApi) -> None:
    api.set("vm.disk.stats.interval", 300)
    vm = api.cloud.deploy()
    api.until(5)
    api.admin("generateUsageRecords")
    (total,) = api.store.table(VolumeStatistics)
    (written,) = api.records(type=types.DISK_BYTES_WRITTEN)
    (volume,) = api.store.table(Volume).where("vm_id", vm.id)
    assert (written["usageid"], written["virtualmachineid"]) == (volume.id, vm.id)
    assert int(written["rawusage"]) == total.write_bytes > 0


def test_records_that_are_asked_for_end_now_and_nothing_is_told_twice(api: UsageApi) -> None:
    api.cloud.deploy(start=False)
    api.until(5)
    assert int(api.admin("generateUsageRecords")["displaytext"].split()[0]) > 0
    (first,) = api.records(type=types.ALLOCATED_VM)
    assert parse_date(first["enddate"]) == pytest.approx(api.midnight + 5 * HOUR, abs=60)
    assert api.admin("generateUsageRecords")["displaytext"].startswith("0 ")
    api.until(24.5)
    assert api.hours(types.ALLOCATED_VM) == pytest.approx(24, abs=0.1)
    assert len(api.records(type=types.ALLOCATED_VM)) == 2


def test_days_are_those_of_the_time_zone_of_usage(api: UsageApi) -> None:
    api.set("usage.aggregation.timezone", "GMT+2")
    api.cloud.deploy(start=False)
    api.until(48.5)
    found = api.records(type=types.ALLOCATED_VM, day=1)
    assert [parse_date(record["startdate"]) for record in found] == [api.midnight + 22 * HOUR]
    assert [float(record["rawusage"]) for record in found] == [24]


def test_hourly_records_come_after_each_hour(api: UsageApi) -> None:
    api.set("usage.stats.job.aggregation.range", 60)
    api.cloud.deploy(start=False)
    api.until(3.5)
    found = api.records(type=types.ALLOCATED_VM)
    assert [parse_date(each["startdate"]) - api.midnight for each in found] == [0, HOUR, 2 * HOUR]


def test_nothing_is_counted_while_it_is_off(api: UsageApi) -> None:
    api.cloud.deploy(start=False)
    api.until(6)
    api.set("enable.usage.server", False)
    api.until(12)
    assert "enable.usage.server" in refused(431, api.admin, "generateUsageRecords").text
    assert api.admin("listUsageServerMetrics")["usageMetrics"]["state"] == "Down"
    api.set("enable.usage.server", True)
    api.until(24.5)
    assert api.hours(types.ALLOCATED_VM) == pytest.approx(18, abs=0.1)
    metrics = api.admin("listUsageServerMetrics")["usageMetrics"]
    assert metrics["state"] == "Up"
    assert parse_date(metrics["lastsuccessfuljob"]) == pytest.approx(api.midnight + 24.25 * HOUR, abs=2)


def test_admins_see_their_domains_records_and_users_none(api: UsageApi) -> None:
    domain = api.admin("createDomain", name="branch")["domain"]["id"]
    below = api.admin("createDomain", name="below", parentdomainid=domain)["domain"]["id"]
    chief = api.account("chief", accounttype=2, domainid=domain)
    user = api.account("worker", domainid=below)
    api.volume(call=user)
    api.volume(name="mine", call=chief)
    api.volume(name="roots")
    api.until(24.5)

    def names(call: object, **more: object) -> set[str]:
        return {record["name"] for record in api.records(call, type=types.VOLUME, **more)}  # type: ignore[arg-type]

    assert names(api.admin) == {"data", "mine", "roots"}
    assert names(api.admin, account="worker", domainid=below) == {"data"}
    assert names(api.admin, domainid=domain) == {"mine"}
    assert names(chief) == {"mine"}
    assert names(chief, isrecursive=True) == {"data", "mine"}
    refused(401, user, "listUsageRecords", startdate="2027-01-01", enddate="2027-01-02")
    root = api.admin("listDomains", name="ROOT")["domain"][0]["id"]
    when = {"startdate": "2027-01-01", "enddate": "2027-01-02"}
    refused(531, chief, "listUsageRecords", domainid=root, **when)


def test_the_records_of_an_account_outlive_it(api: UsageApi) -> None:
    user = api.account("worker")
    volume = api.volume(call=user)
    api.until(2)
    account = api.admin("listAccounts", name="worker")["account"][0]
    api.admin("deleteAccount", id=account["id"])
    api.until(24.5)
    (record,) = api.records(type=types.VOLUME, usageid=volume["id"])
    assert (record["account"], record["accountid"]) == ("worker", account["id"])
    assert float(record["rawusage"]) == pytest.approx(2, abs=0.1)


def test_records_tell_tags_when_that_is_asked_for(api: UsageApi) -> None:
    volume = api.volume()
    api.admin("createTags", resourcetype="Volume", resourceids=[volume["id"]], tags={"cost": "17"})
    api.until(24.5)
    (with_tags,) = api.records(type=types.VOLUME, includetags=True)
    assert [(tag["key"], tag["value"]) for tag in with_tags["tags"]] == [("cost", "17")]
    (without,) = api.records(type=types.VOLUME)
    assert "tags" not in without


def test_old_records_are_removed_and_later_ones_stay(api: UsageApi) -> None:
    api.cloud.deploy(start=False)
    api.until(73)
    api.admin("removeRawUsageRecords", interval=2)
    assert [len(api.records(type=types.ALLOCATED_VM, day=day)) for day in (0, 1, 2)] == [0, 1, 1]
    assert "greater than 0" in refused(431, api.admin, "removeRawUsageRecords", interval=0).text


def test_what_cannot_be_meant_is_refused(api: UsageApi) -> None:
    day = {"startdate": "2027-01-02", "enddate": "2027-01-02"}
    assert "Date Range" in refused(431, api.admin, "listUsageRecords", **day | {"enddate": "2027-01-01"}).text
    assert "listUsageTypes" in refused(431, api.admin, "listUsageRecords", type=99, **day).text
    assert "type" in refused(431, api.admin, "listUsageRecords", usageid=api.zone, **day).text
    assert "startdate" in refused(431, api.admin, "listUsageRecords", enddate="2027-01-01").text
    for name, value in (("usage.stats.job.exec.time", "24:00"), ("usage.aggregation.timezone", "Nowhere")):
        assert name in refused(431, api.admin, "updateConfiguration", name=name, value=value).text


def test_every_kind_of_usage_has_a_name(api: UsageApi) -> None:
    found = {each["id"]: each["name"] for each in api.admin("listUsageTypes")["usagetype"]}
    assert (found[1], found[6], found[14]) == ("RUNNING_VM", "VOLUME", "VPN_USERS")


def test_a_day_that_is_far_away_bounds_a_list_as_well(api: UsageApi) -> None:
    api.volume()
    api.until(24.5)
    assert [each["name"] for each in api.records(type=types.VOLUME, enddate="9999-12-31")] == ["data"]
    assert api.records(type=types.VOLUME, startdate="9999-12-31", enddate="9999-12-31") == []
