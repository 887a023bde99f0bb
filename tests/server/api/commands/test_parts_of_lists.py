"""What a list is asked to leave out or to narrow by: details, tags, kinds, domains below."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.model import Host, StoragePool
from tests.server.api.api_harness import Client, refused
from tests.server.api.commands.cloud_api import CloudApi


def first(call: Client, command: str, key: str, **parameters: Any) -> dict[str, Any]:
    row: dict[str, Any] = call(command, **parameters)[key][0]
    return row


@pytest.mark.parametrize(("command", "key"), [("listAccounts", "account"), ("listDomains", "domain")])
def test_accounts_and_domains_leave_out_what_they_have_where_only_the_least_is_asked_for(
    cloud_api: CloudApi, command: str, key: str
) -> None:
    whole = first(cloud_api.admin, command, key)
    assert whole["vmlimit"] == "Unlimited" and whole == first(cloud_api.admin, command, key, details="all")
    assert first(cloud_api.admin, command, key, details="min,resource") == whole
    least = first(cloud_api.admin, command, key, details="MIN")
    assert least == {name: value for name, value in whole.items() if name in least}
    assert least["id"] == whole["id"] and not {"vmlimit", "vmtotal", "cpuavailable"} & least.keys()
    assert "details" in refused(431, cloud_api.admin, command, details="most").text


def test_projects_leave_out_what_they_have_where_only_the_least_is_asked_for(cloud_api: CloudApi) -> None:
    cloud_api.admin("createProject", name="p")
    assert first(cloud_api.admin, "listProjects", "project")["vmtotal"] == 0
    least = first(cloud_api.admin, "listProjects", "project", details="min")
    assert least["name"] == "p" and not {"vmtotal", "vmlimit"} & least.keys()
    assert "details" in refused(431, cloud_api.admin, "listProjects", details="most").text


def test_a_host_shows_the_parts_that_are_asked_for(cloud_api: CloudApi) -> None:
    whole = first(cloud_api.admin, "listHosts", "host")
    assert first(cloud_api.admin, "listHosts", "host", details="all,min") == whole
    least = first(cloud_api.admin, "listHosts", "host", details="min")
    assert least["id"] == whole["id"] and least["state"] == "Up" and least["cpunumber"] == whole["cpunumber"]
    assert not {"memoryallocated", "cpuallocated", "hostha", "outofbandmanagement"} & least.keys()
    capacity = first(cloud_api.admin, "listHosts", "host", details="capacity")
    assert capacity["memoryallocated"] == whole["memoryallocated"] and "hostha" not in capacity
    assert "details" in refused(431, cloud_api.admin, "listHosts", details="cpu").text


def test_a_hosts_figures_are_what_is_promised_or_what_is_used(cloud_api: CloudApi) -> None:
    host = cloud_api.cloud.deploy("web").host_id
    cloud_api.cloud.wait(1800)

    def parts(details: str) -> tuple[bool, bool]:
        shown = first(cloud_api.admin, "listHostsMetrics", "host", id=host, details=details)
        return "cpuallocatedghz" in shown, "cpuusedghz" in shown

    assert [parts(each) for each in ("all", "capacity", "stats", "min")] == [
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    ]


def test_capacity_by_a_tag_is_that_of_the_hosts_and_pools_that_have_it(cloud_api: CloudApi) -> None:
    hosts = cloud_api.store.table(Host)
    tagged = next(iter(hosts))
    cloud_api.admin("updateHost", id=tagged.id, hosttags="fast")
    rows = {row["name"]: row for row in cloud_api.listed("listCapacity", "capacity", tag="fast")}
    assert rows.keys() == {"MEMORY", "CPU"}
    assert rows["MEMORY"]["capacitytotal"] == tagged.memory_mib << 20 and rows["MEMORY"]["tag"] == "fast"
    whole = {row["name"]: row for row in cloud_api.listed("listCapacity", "capacity")}
    assert whole["CPU"]["capacitytotal"] == sum(host.cpus * host.cpu_mhz for host in hosts)
    assert "tag" not in whole["CPU"]
    pool = next(iter(cloud_api.store.table(StoragePool)))
    cloud_api.admin("updateStoragePool", id=pool.id, tags="fast")
    (storage,) = cloud_api.listed("listCapacity", "capacity", tag="fast", type=2)
    assert storage["capacitytotal"] == pool.capacity
    assert cloud_api.listed("listCapacity", "capacity", tag="slow") == []


def test_kinds_of_capacity_are_found_by_a_keyword(cloud_api: CloudApi) -> None:
    found = cloud_api.listed("listCapacity", "capacity", keyword="storage_a")
    assert [row["name"] for row in found] == ["STORAGE_ALLOCATED"]
    past = cloud_api.listed("listCapacityHistory", "capacityhistory", keyword="cpu", fetchlatest=True)
    assert [row["name"] for row in past] == ["CPU"]
    zone = cloud_api.cloud.zone.name
    for keyword, count in ((zone[1:], 1), (f"not {zone}", 0)):
        asked = {"keyword": keyword, "fetchlatest": True}
        assert len(cloud_api.listed("listInfrastructureHistory", "infrastructurehistory", **asked)) == count


def test_capacity_is_measured_where_the_latest_is_asked_for(cloud_api: CloudApi) -> None:
    pool = next(iter(cloud_api.store.table(StoragePool)))

    def used(**asked: Any) -> int:
        (row,) = cloud_api.listed("listCapacity", "capacity", type=2, **asked)
        return int(row["capacityused"])

    truth = used(fetchlatest=True)
    cloud_api.cloud.call(lambda: _say_used(cloud_api, pool.id, truth + 4096))
    assert used() == truth + 4096
    assert used(fetchlatest=True) == truth == used()


def _say_used(cloud_api: CloudApi, pool_id: str, used: int) -> None:
    with cloud_api.store.transaction():
        cloud_api.store.table(StoragePool).update(pool_id, used=used)


def test_events_are_listed_by_the_kind_of_what_they_are_about(cloud_api: CloudApi) -> None:
    volume = cloud_api.volume()
    cloud_api.admin("createDomain", name="upper")
    events = cloud_api.listed("listEvents", "event", resourcetype="volume")
    assert events and {event["resourceid"] for event in events} == {volume["id"]}
    assert cloud_api.listed("listEvents", "event", resourcetype="Domain", resourceid=volume["id"]) == []


@pytest.mark.parametrize(
    ("kind", "sized"),
    [("Disk", {"disksize": 1}), ("Service", {"cpunumber": 1, "cpuspeed": 500, "memory": 512})],
)
def test_admins_see_offerings_of_domains_below_where_they_ask_for_them(
    cloud_api: CloudApi, kind: str, sized: dict[str, int]
) -> None:
    root = cloud_api.admin("listDomains")["domain"][0]["id"]
    upper = cloud_api.admin("createDomain", name="upper")["domain"]["id"]
    lower = cloud_api.admin("createDomain", name="lower", parentdomainid=upper)["domain"]["id"]
    beside = cloud_api.admin("createDomain", name="beside")["domain"]["id"]
    for name, domain in (("below", lower), ("elsewhere", beside)):
        cloud_api.admin(f"create{kind}Offering", name=name, displaytext=name, domainid=domain, **sized)
    admin = cloud_api.account("chief", domainid=upper, accounttype=2)
    user = cloud_api.account("someone", domainid=upper)

    def names(call: Client, **asked: Any) -> set[str]:
        answer = call(f"list{kind}Offerings", **asked)
        return {row["name"] for row in answer.get(f"{kind.lower()}offering", [])} & {"below", "elsewhere"}

    assert names(admin) == names(user, isrecursive=True) == set()
    assert names(admin, isrecursive=True) == {"below"}
    assert names(cloud_api.admin, domainid=upper) == set()
    assert names(cloud_api.admin, domainid=upper, isrecursive=True) == {"below"}
    assert names(cloud_api.admin, domainid=root, isrecursive=True) == {"below", "elsewhere"}
