"""Limits by tags: of what offerings with a host tag or a storage tag give, besides the limits of all."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.management.identity.limited_resources import BY_NAME
from tests.server.api.api_harness import Client, refused
from tests.server.api.commands.cloud_api import CloudApi

VM, VOLUME, CPU, STORAGE = 0, 2, 8, 10


@pytest.fixture
def tagged(cloud_api: CloudApi) -> CloudApi:
    """A cloud with limits by the host tag gold and the storage tag ssd, and hosts and storage that have these."""
    admin = cloud_api.admin
    admin("updateConfiguration", name="resource.limit.host.tags", value="gold, silver")
    admin("updateConfiguration", name="resource.limit.storage.tags", value="ssd")
    for host in cloud_api.listed("listHosts", "host", type="Routing"):
        admin("updateHost", id=host["id"], hosttags="gold")
    for pool in cloud_api.listed("listStoragePools", "storagepool"):
        admin("updateStoragePool", id=pool["id"], tags="ssd")
    return cloud_api


def limits(call: Client, **filters: Any) -> dict[tuple[str, str], int]:
    rows = call("listResourceLimits", **filters)["resourcelimit"]
    return {(row["resourcetypename"], row.get("tag", "")): row["max"] for row in rows}


def counts(cloud_api: CloudApi, **filters: Any) -> dict[tuple[str, str], int]:
    rows = cloud_api.admin("updateResourceCount", account="ann", domainid=root(cloud_api), **filters)[
        "resourcecount"
    ]
    return {(row["resourcetypename"], row.get("tag", "")): row["resourcecount"] for row in rows}


def root(cloud_api: CloudApi) -> str:
    return str(cloud_api.admin("listDomains")["domain"][0]["id"])


def limit(cloud_api: CloudApi, kind: int, most: int, tag: str) -> None:
    cloud_api.admin(
        "updateResourceLimit", resourcetype=kind, max=most, tag=tag, account="ann", domainid=root(cloud_api)
    )


def test_limits_by_tag_are_told_set_and_none_at_first(tagged: CloudApi) -> None:
    ann = tagged.account("ann")
    found = limits(ann)
    assert found["user_vm", ""] == 20 and found["user_vm", "gold"] == found["volume", "ssd"] == -1
    assert ("network", "gold") not in found and ("volume", "gold") not in found
    limit(tagged, VM, 3, "gold")
    assert limits(ann, resourcetype=VM, tag="gold") == {("user_vm", "gold"): 3}
    assert limits(ann, resourcetype=VM)["user_vm", ""] == 20
    account = {"account": "ann", "domainid": root(tagged)}
    assert (
        "tag"
        in refused(
            431, tagged.admin, "updateResourceLimit", resourcetype=VM, max=1, tag="ssd", **account
        ).text
    )
    assert "tag" in refused(431, ann, "listResourceLimits", resourcetype=6, tag="gold").text


def test_an_instance_by_an_offering_with_the_tag_counts_and_is_refused_when_there_are_enough(
    tagged: CloudApi,
) -> None:
    ann = tagged.account("ann")
    made = {"displaytext": "o", "cpunumber": 1, "cpuspeed": 500, "memory": 256}
    gold = tagged.admin("createServiceOffering", name="gold", hosttags="gold", **made)["serviceoffering"][
        "id"
    ]
    plain = tagged.admin("createServiceOffering", name="plain", **made)["serviceoffering"]["id"]
    template = tagged.listed("listTemplates", "template", templatefilter="executable")[0]["id"]
    limit(tagged, CPU, 1, "gold")

    def asked(offering: str) -> dict[str, Any]:
        return {"zoneid": tagged.zone, "templateid": template, "serviceofferingid": offering}

    def deploy(offering: str) -> dict[str, Any]:
        return dict(ann("deployVirtualMachine", startvm=False, **asked(offering))["virtualmachine"])

    first = deploy(gold)
    assert counts(tagged, tag="gold") == {
        ("user_vm", "gold"): 1,
        ("cpu", "gold"): 1,
        ("memory", "gold"): 256,
        ("gpu", "gold"): 0,
    }
    assert "by tag gold" in refused(535, ann, "deployVirtualMachine", startvm=False, **asked(gold)).text
    deploy(plain)
    (account,) = tagged.admin("listAccounts", name="ann", listall=True)["account"]
    shown = {(each["resourcetypename"], each["tag"]): each for each in account["taggedresources"]}
    cpu = shown["cpu", "gold"]
    assert (cpu["limit"], cpu["total"], cpu["available"]) == (1, 1, 0)
    assert shown["user_vm", "silver"]["available"] == -1
    (account,) = tagged.admin("listAccounts", name="ann", listall=True, tag="gold")["account"]
    assert {each["tag"] for each in account["taggedresources"]} == {"gold"}
    ann("destroyVirtualMachine", id=first["id"])
    assert counts(tagged, tag="gold")["cpu", "gold"] == 0
    deploy(gold)


def test_a_volume_by_an_offering_with_the_tag_counts_and_is_refused_when_there_is_enough(
    tagged: CloudApi,
) -> None:
    ann = tagged.account("ann")
    ssd = tagged.admin("createDiskOffering", name="ssd", displaytext="ssd", customized=True, tags="ssd")
    offering = ssd["diskoffering"]["id"]
    limit(tagged, STORAGE, 3, "ssd")
    asked = {"zoneid": tagged.zone, "diskofferingid": offering}
    volume = ann("createVolume", name="a", size=2, **asked)["volume"]["id"]
    assert "by tag ssd" in refused(535, ann, "createVolume", name="b", size=2, **asked).text
    assert "by tag ssd" in refused(535, ann, "resizeVolume", id=volume, size=4).text
    tagged.volume("c", 4, ann)
    assert counts(tagged, resourcetype=STORAGE) == {
        ("primary_storage", ""): 6 << 30,
        ("primary_storage", "ssd"): 2 << 30,
    }
    ann("createVolume", name="d", size=1, **asked)


def test_a_domains_limit_by_tag_holds_for_all_in_it(tagged: CloudApi) -> None:
    admin = tagged.admin
    domain = admin("createDomain", name="a")["domain"]["id"]
    admin("updateResourceLimit", resourcetype=VM, max=2, tag="gold", domainid=domain)
    found = admin("listResourceLimits", domainid=domain, resourcetype=VM)["resourcelimit"]
    assert {row.get("tag", ""): row["max"] for row in found} == {"": 40, "gold": 2, "silver": -1}
    assert tagged.manager.limits.count_domain(domain, BY_NAME["user_vm"], "gold") == 0
    (row,) = admin("listDomains", id=domain, tag="gold")["domain"]
    shown = {each["resourcetypename"]: each for each in row["taggedresources"]}
    assert (shown["user_vm"]["limit"], shown["user_vm"]["total"]) == (2, 0)


def service_offering(cloud_api: CloudApi, name: str, **tags: str) -> str:
    made = cloud_api.admin(
        "createServiceOffering", name=name, displaytext=name, cpunumber=1, cpuspeed=500, memory=256, **tags
    )
    return str(made["serviceoffering"]["id"])


def deployed(cloud_api: CloudApi, call: Client, offering: str) -> str:
    template = cloud_api.listed("listTemplates", "template", templatefilter="executable")[0]["id"]
    made = call(
        "deployVirtualMachine",
        startvm=False,
        zoneid=cloud_api.zone,
        templateid=template,
        serviceofferingid=offering,
    )
    return str(made["virtualmachine"]["id"])


def test_an_instance_is_given_to_who_may_have_one_more_by_its_tags(tagged: CloudApi) -> None:
    tagged.account("ann")
    bob = tagged.account("bob")
    vm = deployed(tagged, bob, service_offering(tagged, "both", hosttags="gold", tags="ssd"))
    to_ann = {"virtualmachineid": vm, "account": "ann", "domainid": root(tagged)}
    for kind, tag in ((CPU, "gold"), (VOLUME, "ssd"), (STORAGE, "ssd")):
        limit(tagged, kind, 0, tag)
        assert f"by tag {tag}" in refused(535, tagged.admin, "assignVirtualMachine", **to_ann).text
        assert bob("listVirtualMachines")["count"] == 1
        limit(tagged, kind, -1, tag)
    tagged.admin("assignVirtualMachine", **to_ann)
    assert counts(tagged, tag="ssd")["volume", "ssd"] == 1


def test_a_volume_is_given_to_who_may_have_one_more_by_its_tags(tagged: CloudApi) -> None:
    ann, bob = tagged.account("ann"), tagged.account("bob")
    made = tagged.admin("createDiskOffering", name="ssd", displaytext="ssd", customized=True, tags="ssd")
    asked = {"zoneid": tagged.zone, "diskofferingid": made["diskoffering"]["id"]}
    volume = bob("createVolume", name="a", size=2, **asked)["volume"]["id"]
    account = tagged.admin("listAccounts", name="ann", listall=True)["account"][0]["id"]
    to_ann = {"volumeid": volume, "accountid": account}
    limit(tagged, STORAGE, 1, "ssd")
    assert "by tag ssd" in refused(535, tagged.admin, "assignVolume", **to_ann).text
    limit(tagged, STORAGE, 2, "ssd")
    tagged.admin("assignVolume", **to_ann)
    assert ann("listVolumes")["count"] == 1


def test_a_file_is_taken_in_as_a_volume_while_there_are_not_enough_by_its_offerings_tags(
    tagged: CloudApi,
) -> None:
    admin = tagged.admin
    tagged.account("ann")
    vm, made = tagged.cloud.deploy(), tagged.volume(size=2)
    admin("attachVolume", id=made["id"], virtualmachineid=vm.id)
    left = admin("detachVolume", id=made["id"])["volume"]
    admin("unmanageVolume", id=left["id"])
    ssd = admin("createDiskOffering", name="ssd", displaytext="ssd", customized=True, tags="ssd")
    asked = {
        "storageid": left["storageid"],
        "path": left["path"],
        "diskofferingid": ssd["diskoffering"]["id"],
        "account": "ann",
        "domainid": root(tagged),
    }
    limit(tagged, STORAGE, 1, "ssd")
    assert "by tag ssd" in refused(535, admin, "importVolume", **asked).text
    limit(tagged, STORAGE, 2, "ssd")
    assert admin("importVolume", **asked)["volume"]["account"] == "ann"


def test_another_offering_with_the_tag_is_refused_when_there_is_enough_by_it(tagged: CloudApi) -> None:
    ann = tagged.account("ann")
    plain = service_offering(tagged, "plain")
    vm = deployed(tagged, ann, plain)
    (disk,) = ann("listVolumes", virtualmachineid=vm)["volume"]
    limit(tagged, VM, 0, "gold")
    gold = service_offering(tagged, "gold", hosttags="gold")
    assert (
        "by tag gold"
        in refused(535, ann, "changeServiceForVirtualMachine", id=vm, serviceofferingid=gold).text
    )
    limit(tagged, VOLUME, 0, "ssd")
    ssd = service_offering(tagged, "ssd", tags="ssd")
    assert (
        "by tag ssd" in refused(535, ann, "changeServiceForVirtualMachine", id=vm, serviceofferingid=ssd).text
    )
    fast = tagged.admin("createDiskOffering", name="fast", displaytext="fast", customized=True, tags="ssd")
    asked = {"id": disk["id"], "diskofferingid": fast["diskoffering"]["id"]}
    size = disk["size"] >> 30
    assert "by tag ssd" in refused(535, ann, "changeOfferingForVolume", size=size, **asked).text
    other = tagged.volume("data", 1, ann)["id"]
    assert (
        "by tag ssd" in refused(535, ann, "resizeVolume", id=other, diskofferingid=asked["diskofferingid"], size=1).text
    )
    limit(tagged, VOLUME, 1, "ssd")
    ann("resizeVolume", id=other, diskofferingid=asked["diskofferingid"], size=1)
    assert counts(tagged, tag="ssd")["volume", "ssd"] == 1


def test_a_new_root_disk_by_an_offering_with_the_tag_is_refused_when_there_is_enough(tagged: CloudApi) -> None:
    ann = tagged.account("ann")
    vm = deployed(tagged, ann, service_offering(tagged, "plain"))
    fast = tagged.admin("createDiskOffering", name="fast", displaytext="fast", customized=True, tags="ssd")
    asked = {"virtualmachineid": vm, "diskofferingid": fast["diskoffering"]["id"], "rootdisksize": 20}
    limit(tagged, STORAGE, 10, "ssd")
    assert "by tag ssd" in refused(535, ann, "restoreVirtualMachine", **asked).text
    limit(tagged, STORAGE, 20, "ssd")
    ann("restoreVirtualMachine", **asked)
    assert counts(tagged, tag="ssd")["primary_storage", "ssd"] == 20 << 30
