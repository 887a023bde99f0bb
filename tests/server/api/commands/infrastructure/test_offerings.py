"""Offerings, OS types, hypervisors and settings through the API of a cloud without hosts."""

from __future__ import annotations

import pytest

from tests.server.api.api_harness import Api, Client, refused


def test_a_service_offering(admin: Client) -> None:
    made = admin(
        "createServiceOffering",
        name="so",
        displaytext="an offering",
        cpunumber=4,
        cpuspeed=2198,
        memory=5120,
        hosttags="a,b",
        tags="ssd",
        storagetype="local",
        provisioningtype="sparse",
        bytesreadrate=1000,
        limitcpuuse=True,
        offerha=True,
        isvolatile=True,
        rootdisksize=5,
        deploymentplanner="FirstFitPlanner",
        serviceofferingdetails={"a": "b"},
    )["serviceoffering"]
    expected = {
        "cpunumber": 4,
        "cpuspeed": 2198,
        "memory": 5120,
        "hosttags": "a,b",
        "storagetags": "ssd",
        "storagetype": "local",
        "provisioningtype": "sparse",
        "diskBytesReadRate": 1000,
        "limitcpuuse": True,
        "offerha": True,
        "isvolatile": True,
        "rootdisksize": 5,
        "iscustomized": False,
        "issystem": False,
        "serviceofferingdetails": {"a": "b"},
        "state": "Active",
    }
    assert {name: made.get(name) for name in expected} == expected
    changed = admin("updateServiceOffering", id=made["id"], displaytext="changed", hosttags="")[
        "serviceoffering"
    ]
    assert changed["displaytext"] == "changed" and "hosttags" not in changed
    assert admin("deleteServiceOffering", id=made["id"]) == {"success": True}
    assert admin("listServiceOfferings", name="so") == {} == admin("listServiceOfferings", id=made["id"])
    assert admin("listServiceOfferings", id=made["id"], state="all")["count"] == 1
    assert admin("listServiceOfferings", name="so", state="Inactive")["count"] == 1


def test_customized_offerings(admin: Client) -> None:
    free = admin("createServiceOffering", name="free", customized=True)["serviceoffering"]
    assert free["iscustomized"] is True and "cpunumber" not in free
    bounded = admin("createServiceOffering", name="b", cpuspeed=1000, mincpunumber=1, maxcpunumber=4)[
        "serviceoffering"
    ]
    assert bounded["serviceofferingdetails"] == {"mincpunumber": "1", "maxcpunumber": "4"}
    refused(431, admin, "createServiceOffering", name="x", cpunumber=4)
    refused(431, admin, "createServiceOffering", name="x", cpunumber=4, cpuspeed=100, memory=8)
    refused(
        431,
        admin,
        "createServiceOffering",
        name="x",
        storagetype="cloudy",
        cpunumber=1,
        cpuspeed=1,
        memory=64,
    )


def test_system_offerings_are_apart(admin: Client) -> None:
    shown = admin("listServiceOfferings", issystem=True, systemvmtype="domainrouter")["serviceoffering"]
    assert [row["name"] for row in shown] == ["System Offering For Software Router"]
    assert admin("listServiceOfferings", id=shown[0]["id"]) == {}
    assert admin("listServiceOfferings", id=shown[0]["id"], issystem=True)["count"] == 1
    assert {row["name"] for row in admin("listServiceOfferings")["serviceoffering"]} == {
        "Small Instance",
        "Medium Instance",
    }
    assert admin("listServiceOfferings", memory=600)["count"] == 1
    assert admin("listServiceOfferings", keyword="smal")["count"] == 1


def test_an_offering_of_one_domain(api: Api) -> None:
    domain = api.admin("createDomain", name="d")["domain"]
    for command, more in (
        ("createServiceOffering", {"cpunumber": 1, "cpuspeed": 1, "memory": 64}),
        ("createDiskOffering", {"disksize": 1}),
    ):
        made = next(iter(api.admin(command, name="private", domainid=domain["id"], **more).values()))
        assert (made["domainid"], made["domain"]) == (domain["id"], "ROOT/d")
    _, outside = api.account("outside")
    _, inside = api.account("inside", domain=domain["id"])
    for command in ("listServiceOfferings", "listDiskOfferings"):
        assert outside(command, name="private") == {}
        assert inside(command, name="private")["count"] == 1
        assert api.admin(command, name="private", domainid=domain["id"])["count"] == 1
    refused(401, inside, "deleteDiskOffering", id="x")


def test_a_disk_offering(admin: Client) -> None:
    made = admin("createDiskOffering", name="do", disksize=10, tags="a", miniops=1, maxiops=2)["diskoffering"]
    assert (made["disksize"], made["iscustomized"], made["tags"], made["maxiops"]) == (10, False, "a", 2)
    changed = admin("updateDiskOffering", id=made["id"], name="do2", displayoffering=False)["diskoffering"]
    assert (changed["name"], changed["displayoffering"]) == ("do2", False)
    assert admin("deleteDiskOffering", id=made["id"]) == {"success": True}
    assert admin("listDiskOfferings", name="do2") == {}
    custom = admin("listDiskOfferings", name="Custom")["diskoffering"][0]
    assert (custom["disksize"], custom["iscustomized"]) == (0, True)
    refused(431, admin, "createDiskOffering", name="x")
    refused(431, admin, "createDiskOffering", name="x", customized=True, disksize=5)


def test_os_types(admin: Client) -> None:
    (known,) = admin("listOsTypes", description="CentOS 7")["ostype"]
    assert known["oscategoryname"] == "CentOS" and known["isuserdefined"] is False
    assert admin("listOsTypes", keyword="ubuntu")["count"] > 5
    category = admin("addOsCategory", name="Retro")["oscategory"]
    made = admin("addGuestOs", oscategoryid=category["id"], osdisplayname="AmigaOS")["ostype"]
    assert admin("updateGuestOs", id=made["id"], osdisplayname="AmigaOS 3")["ostype"]["name"] == "AmigaOS 3"
    refused(536, admin, "deleteOsCategory", id=category["id"])
    assert admin("removeGuestOs", id=made["id"]) == {"success": True}
    assert admin("updateOsCategory", id=category["id"], isfeatured=True)["oscategory"]["isfeatured"] is True
    assert admin("deleteOsCategory", id=category["id"]) == {"success": True}
    refused(431, admin, "removeGuestOs", id=known["id"])


def test_planners_and_the_region(admin: Client) -> None:
    assert "FirstFitPlanner" in {row["name"] for row in admin("listDeploymentPlanners")["deploymentPlanner"]}
    (region,) = admin("listRegions")["region"]
    assert region["id"] == 1


PLACEMENT = {"name": "vm.allocation.algorithm"}


@pytest.mark.parametrize("policy", ["best-fit,norm=l2", "firstfitleastconsumed", "protean,rules=packing+balance"])
def test_a_policy_with_options_can_be_set_and_offered(admin: Client, policy: str) -> None:
    assert admin("updateConfiguration", **PLACEMENT, value=policy)["configuration"]["value"] == policy
    size = {"cpunumber": 1, "cpuspeed": 500, "memory": 512}
    made = admin("createServiceOffering", name="o", displaytext="o", **size, deploymentplanner=policy)
    assert made["serviceoffering"]["deploymentplanner"] == policy


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("tallest-fit", "no placement policy 'tallest-fit'; there are "),
        ("best-fit,norm=l9", "norm: expected one of cpu, memory, l1, l2, linf, got 'l9'"),
        ("best-fit,colour=red", "policy best-fit has no option 'colour': it has norm"),
        ("best-fit,norm", "expected option=value, got 'norm'"),
        ("power-of-d,d=0", "d: expected `int` >= 1, got '0'"),
    ],
)
def test_a_policy_that_is_wrong_is_refused_with_what_was_expected(admin: Client, policy: str, why: str) -> None:
    text = str(refused(431, admin, "updateConfiguration", **PLACEMENT, value=policy))
    assert "vm.allocation.algorithm: " in text and why in text
    size = {"cpunumber": 1, "cpuspeed": 500, "memory": 512}
    text = str(refused(431, admin, "createServiceOffering", name="o", displaytext="o", **size, deploymentplanner=policy))
    assert f"Invalid deployment planner {policy}: " in text and why in text


def test_settings(admin: Client) -> None:
    changed = admin("updateConfiguration", name="network.loadbalancer.haproxy.stats.visibility", value="all")
    assert changed["configuration"]["value"] == "all"
    (row,) = admin("listConfigurations", name="default.page.size")["configuration"]
    assert (row["value"], row["type"], row["scope"]) == ("500", "Number", "global")
    assert admin("listConfigurations", name="no.such.key") == {}
    account = admin("listAccounts", name="admin")["account"][0]
    own = {"name": "allow.public.user.templates", "accountid": account["id"]}
    assert admin("updateConfiguration", value="false", **own)["configuration"]["scope"] == "account"
    assert admin("listConfigurations", **own)["configuration"][0]["value"] == "false"
    assert admin("listConfigurations", name=own["name"])["configuration"][0]["value"] == "true"
    assert admin("resetConfiguration", **own)["configuration"]["value"] == "true"
    groups = admin("listConfigurationGroups", pagesize=500, page=1)["configurationgroup"]
    assert "Compute" in {group["name"] for group in groups}
    assert admin("listConfigurations", group="Compute", keyword="expunge")["count"] >= 3


@pytest.mark.parametrize(
    ("name", "value"),
    [("no.such.key", "1"), ("ping.interval", "soon"), ("ping.interval", "0"), ("use.external.dns", "x")],
)
def test_a_setting_that_is_wrong_is_refused(admin: Client, name: str, value: str) -> None:
    refused(431, admin, "updateConfiguration", name=name, value=value)


def test_a_setting_has_one_scope_that_it_knows(api: Api) -> None:
    account = api.admin("listAccounts", name="admin")["account"][0]
    domain = api.admin("listDomains")["domain"][0]
    both = {"accountid": account["id"], "domainid": domain["id"]}
    refused(431, api.admin, "updateConfiguration", name="ping.interval", value="5", **both)
    refused(431, api.admin, "updateConfiguration", name="ping.interval", value="5", domainid=domain["id"])
