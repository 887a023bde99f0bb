"""Details of resources: who adds them, who sees them, where they are kept."""

from __future__ import annotations

from typing import Any

from tests.server.api.api_harness import Api, Client, refused
from tests.server.api.commands.cloud_api import CloudApi


def details(call: Any, type: str, **filters: Any) -> dict[str, str]:
    rows = call("listResourceDetails", resourcetype=type, **filters).get("resourcedetail", [])
    return {row["key"]: row["value"] for row in rows}


def offering(api: Api) -> str:
    made = api.admin(
        "createServiceOffering", name="open", displaytext="open", mincpunumber=1, maxcpunumber=4, minmemory=64,
        maxmemory=512, cpuspeed=500, customized=True, serviceofferingdetails={"rack": "a"},
    )  # fmt: skip
    return str(made["serviceoffering"]["id"])


def account_and_user(api: Api) -> tuple[str, Client]:
    account, client = api.account("ann")
    return account["id"], client


def test_a_detail_of_an_account_is_kept_with_it_and_shown_to_its_owner(api: Api) -> None:
    account_id, ann = account_and_user(api)
    api.admin("addResourceDetail", resourcetype="Account", resourceid=account_id, details={"plan": "gold"})
    assert details(ann, "account", resourceid=account_id) == details(ann, "Account") == {"plan": "gold"}
    (shown,) = api.admin("listAccounts", id=account_id)["account"]
    assert shown["accountdetails"] == {"plan": "gold"}
    api.admin("addResourceDetail", resourcetype="Account", resourceid=account_id, details={"plan": "iron"})
    assert details(ann, "Account") == {"plan": "iron"}, "the newer one takes the place of the older"
    api.admin("updateAccount", id=account_id, accountdetails={"plan": "tin"})
    assert details(ann, "Account") == {"plan": "tin"}


def test_what_is_not_for_display_only_root_admins_see(api: Api) -> None:
    made = offering(api)
    _, ann = account_and_user(api)
    api.admin(
        "addResourceDetail",
        resourcetype="ServiceOffering",
        resourceid=made,
        details={"cost": "7"},
        fordisplay=False,
    )
    assert details(api.admin, "ServiceOffering", resourceid=made) == {"rack": "a", "cost": "7"}
    assert details(api.admin, "ServiceOffering", resourceid=made, fordisplay=True) == {"rack": "a"}
    assert details(ann, "ServiceOffering", resourceid=made) == {"rack": "a"}
    told = ann("listServiceOfferings", id=made)["serviceoffering"][0]["serviceofferingdetails"]
    assert told["rack"] == "a" and "cost" not in told
    assert (
        api.admin("listServiceOfferings", id=made)["serviceoffering"][0]["serviceofferingdetails"]["cost"]
        == "7"
    )
    api.admin("addResourceDetail", resourcetype="ServiceOffering", resourceid=made, details={"cost": "8"})
    assert details(ann, "ServiceOffering", resourceid=made)["cost"] == "8", "added anew, and for display"


def test_what_an_offering_was_made_with_is_no_detail_to_change(api: Api) -> None:
    made = offering(api)
    where = {"resourcetype": "ServiceOffering", "resourceid": made}
    assert (
        "maxcpunumber"
        in refused(431, api.admin, "addResourceDetail", details={"maxcpunumber": "x"}, **where).text
    )
    assert "maxcpunumber" in refused(431, api.admin, "removeResourceDetail", key="maxcpunumber", **where).text
    api.admin("removeResourceDetail", **where)
    assert details(api.admin, "ServiceOffering", resourceid=made) == {}
    (shown,) = api.admin("listServiceOfferings", id=made)["serviceoffering"]
    assert shown["serviceofferingdetails"]["maxcpunumber"] == "4"


def test_a_resource_without_details_of_its_own_has_them_all_the_same_until_it_goes(api: Api) -> None:
    _, ann = account_and_user(api)
    _, bob = api.account("bob")
    group = ann("createSecurityGroup", name="web")["securitygroup"]["id"]
    api.admin(
        "addResourceDetail",
        resourcetype="SecurityGroup",
        resourceid=group,
        details={"team": "a", "floor": "2"},
    )
    assert (
        details(ann, "SecurityGroup")
        == details(ann, "SecurityGroup", resourceid=group)
        == {"team": "a", "floor": "2"}
    )
    assert details(ann, "SecurityGroup", key="team", value="a") == {"team": "a"}
    assert details(ann, "SecurityGroup", key="team", value="b") == {}
    assert details(bob, "SecurityGroup") == {}
    refused(531, bob, "listResourceDetails", resourcetype="SecurityGroup", resourceid=group)
    assert details(api.admin, "SecurityGroup") == {} != details(api.admin, "SecurityGroup", listall=True)
    api.admin("removeResourceDetail", resourcetype="SecurityGroup", resourceid=group, key="team")
    assert details(ann, "SecurityGroup") == {"floor": "2"}
    ann("deleteSecurityGroup", id=group)
    assert details(api.admin, "SecurityGroup", listall=True) == {}


def test_a_detail_of_an_instance_is_the_one_that_it_is_started_with(cloud_api: CloudApi) -> None:
    vm = cloud_api.cloud.deploy("web")
    where = {"resourcetype": "UserVm", "resourceid": vm.id}
    cloud_api.admin("addResourceDetail", details={"UEFI": "SECURE"}, **where)
    (shown,) = cloud_api.admin("listVirtualMachines", id=vm.id)["virtualmachine"]
    assert shown["details"]["UEFI"] == "SECURE" and (shown["boottype"], shown["bootmode"]) == (
        "Uefi",
        "secure",
    )
    cloud_api.admin("removeResourceDetail", key="UEFI", **where)
    (shown,) = cloud_api.admin("listVirtualMachines", id=vm.id)["virtualmachine"]
    assert "UEFI" not in shown.get("details", {}) and shown["boottype"] == "Bios"


def test_what_is_asked_amiss_is_refused_by_name(api: Api) -> None:
    account_id, ann = account_and_user(api)
    where = {"resourcetype": "Account", "resourceid": account_id}
    assert "resourcetype" in refused(431, api.admin, "listResourceDetails", resourcetype="Planet").text
    assert (
        "resourceid"
        in refused(431, api.admin, "listResourceDetails", resourcetype="UserVm", resourceid="x").text
    )
    assert "key" in refused(431, api.admin, "listResourceDetails", value="gold", resourcetype="Account").text
    assert "plan" in refused(431, api.admin, "removeResourceDetail", key="plan", **where).text
    refused(401, ann, "addResourceDetail", details={"plan": "gold"}, **where)
