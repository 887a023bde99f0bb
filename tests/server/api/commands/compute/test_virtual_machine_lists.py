"""Listing instances: filters, scope and pages."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from cloudsim.model import Volume
from tests.server.api.api_harness import Client, refused
from tests.server.api.cloud_harness import TwoRacks

USER_DATA = base64.b64encode(b"#cloud-config").decode()


def names(call: Client, **asked: Any) -> list[str]:
    return [vm["name"] for vm in call("listVirtualMachines", **asked).get("virtualmachine", [])]


@pytest.fixture
def three(cloud: TwoRacks) -> dict[str, dict[str, Any]]:
    ann = cloud.account("ann")
    return {
        "a": cloud.deploy("a"),
        "b": cloud.deploy("b", serviceofferingid=cloud.offering("Medium Instance"), startvm=False),
        "c": cloud.deploy("c", call=ann),
    }


def test_filters(cloud: TwoRacks, three: dict[str, dict[str, Any]]) -> None:
    admin, a = cloud.admin, three["a"]
    host = cloud.host(a["hostname"])
    pool = cloud.store.table(Volume).where("vm_id", a["id"])[0].pool_id
    admin("createTags", resourceids=[a["id"]], resourcetype="UserVm", tags={"tier": "db"})
    for asked in (
        {"id": a["id"]},
        {"ids": [a["id"]]},
        {"name": "a"},
        {"state": "Running"},
        {"state": "running"},
        {"serviceofferingid": cloud.offering()},
        {"hostid": host.id},
        {"clusterid": host.cluster_id, "state": "Running"},
        {"podid": host.pod_id, "state": "Running"},
        {"storageid": pool},
        {"tags": {"tier": "db"}},
        {"keyword": a["instancename"]},
    ):
        assert names(admin, **asked) == ["a"], asked
    for asked in (
        {},
        {"zoneid": cloud.zone},
        {"templateid": cloud.cloud.template.id},
        {"hypervisor": "simulator"},
        {"state": "present"},
        {"displayvm": True},
        {"networkid": a["nic"][0]["networkid"]},
    ):
        assert names(admin, **asked) == ["b", "a"], asked
    for asked in (
        {"state": "Error"},
        {"haenable": True},
        {"keypair": "k"},
        {"gpuenabled": True},
        {"name": "x"},
    ):
        assert admin("listVirtualMachines", **asked) == {}, asked


def test_scope_and_pages(cloud: TwoRacks, three: dict[str, dict[str, Any]]) -> None:
    admin, ann = cloud.admin, cloud.client("ann")
    assert names(ann) == names(ann, listall=True) == ["c"]
    assert ann("listVirtualMachines", id=three["a"]["id"]) == {}
    assert names(admin, listall=True) == ["c", "b", "a"]
    assert names(admin, account="ann", domainid=cloud.cloud.owner.domain_id) == ["c"]
    assert names(admin, id=three["c"]["id"]) == ["c"]
    page = admin("listVirtualMachines", listall=True, page=2, pagesize=2)
    assert (page["count"], [vm["name"] for vm in page["virtualmachine"]]) == (3, ["a"])
    assert admin("listVirtualMachines", listall=True, page=3, pagesize=2) == {"count": 3}
    refused(431, admin, "listVirtualMachines", page=1)
    refused(431, admin, "listVirtualMachines", page=1, pagesize=501)
    assert "hostid" not in cloud.vm(three["c"]["id"], ann) and "instancename" not in cloud.vm(
        three["c"]["id"], ann
    )


def test_minimal_details_and_user_data(cloud: TwoRacks) -> None:
    made = cloud.deploy("a", userdata=USER_DATA)
    assert "userdata" not in cloud.vm(made["id"])
    (full,) = cloud.listed("listVirtualMachines", "virtualmachine", userdata=True)
    assert full["userdata"] == USER_DATA
    (small,) = cloud.listed("listVirtualMachines", "virtualmachine", details=["min"])
    assert small.items() <= cloud.vm(made["id"]).items() and "nic" not in small


def test_an_instance_shows_the_parts_that_are_asked_for(cloud: TwoRacks) -> None:
    made = cloud.deploy("a", group="web", userdata=USER_DATA)
    whole = cloud.vm(made["id"])

    def asked(*details: str, command: str = "listVirtualMachines", **more: Any) -> dict[str, Any]:
        (row,) = cloud.listed(command, "virtualmachine", details=details, **more)
        return dict(row)

    assert asked("all", "min") == whole
    least = asked("min")
    for part, its in (
        ("nics", {"nic", "ipaddress"}),
        ("group", {"group", "groupid"}),
        ("secgrp", {"securitygroup"}),
        ("affgrp", {"affinitygroup"}),
        ("servoff", {"serviceofferingname"}),
        ("volume", {"rootdeviceid", "rootdevicetype", "pooltype"}),
        ("backoff", set()),
    ):
        shown = asked(part)
        assert shown.items() <= whole.items()
        others = asked("iso", part).keys() - asked("iso").keys()
        assert others == its and not its & least.keys(), part
    assert {"templatename", "passwordenabled"} <= asked("tmpl").keys() - asked("nics").keys()
    assert asked("MIN", userdata=True)["userdata"] == USER_DATA
    figures = asked("min", command="listVirtualMachinesMetrics")
    assert figures["cputotal"] and "nic" not in figures
    assert "details" in refused(431, cloud.admin, "listVirtualMachines", details="minimal").text


def test_the_pages_of_a_domain_admin_hold_every_instance_once(cloud: TwoRacks) -> None:
    sales = cloud.admin("createDomain", name="sales")["domain"]["id"]
    boss = cloud.domain_account("boss", type=2, domain=sales)
    made = []
    for name in ("ann", "bob"):
        user = cloud.domain_account(name, domain=sales)
        made += [cloud.deploy(f"{name}-{n}", call=user, startvm=False)["name"] for n in range(3)]
    found: list[str] = []
    for page in (1, 2, 3):
        asked = {"listall": True, "page": page, "pagesize": 2}
        assert boss("listVirtualMachines", **asked)["count"] == 6
        found += names(boss, **asked)
    assert sorted(found) == sorted(made) and found == names(boss, listall=True)


def test_instances_of_projects_stay_hidden_from_lists_of_all(cloud: TwoRacks) -> None:
    project = cloud.admin("createProject", name="p", displaytext="p")["project"]["id"]
    for n in range(3):
        cloud.deploy(f"own-{n}", startvm=False)
        cloud.deploy(f"shared-{n}", startvm=False, projectid=project)
    assert names(cloud.admin, listall=True) == ["own-2", "own-1", "own-0"]
    page = cloud.admin("listVirtualMachines", listall=True, state="Stopped", page=2, pagesize=2)
    assert (page["count"], [vm["name"] for vm in page["virtualmachine"]]) == (3, ["own-0"])
    assert names(cloud.admin, projectid=project) == ["shared-2", "shared-1", "shared-0"]
    assert len(names(cloud.admin, projectid=-1, listall=True)) == 6
