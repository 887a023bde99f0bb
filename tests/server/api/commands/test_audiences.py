"""For whom lists of offerings, limits and domains are asked: an account, a project, a domain and those below."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.api.api_harness import Client, refused
from tests.server.api.commands.cloud_api import CloudApi

KINDS = {
    "createDiskOffering": ("listDiskOfferings", "diskoffering", {"disksize": 1}),
    "createServiceOffering": (
        "listServiceOfferings",
        "serviceoffering",
        {"cpunumber": 1, "cpuspeed": 500, "memory": 512},
    ),
}


class Tree:
    """Domains `west` and `east` of ROOT and `inner` of west; `boss` is west's admin, `ann` an account of inner."""

    def __init__(self, api: CloudApi) -> None:
        self.root = api.admin("listDomains", name="ROOT")["domain"][0]["id"]
        self.west, self.east = (api.admin("createDomain", name=n)["domain"]["id"] for n in ("west", "east"))
        self.inner = api.admin("createDomain", name="inner", parentdomainid=self.west)["domain"]["id"]
        self.boss = api.account("boss", accounttype=2, domainid=self.west)
        self.ann = api.account("ann", domainid=self.inner)


@pytest.fixture
def tree(cloud_api: CloudApi) -> Tree:
    return Tree(cloud_api)


@pytest.mark.parametrize("create", KINDS)
def test_offerings_are_those_that_the_named_account_or_project_may_use(
    cloud_api: CloudApi, tree: Tree, create: str
) -> None:
    list_, key, size = KINDS[create]
    for name, domain in (("of-west", tree.west), ("of-inner", tree.inner), ("of-east", tree.east)):
        cloud_api.admin(create, name=name, displaytext=name, domainid=domain, **size)
    project = tree.ann("createProject", name="p")["project"]["id"]

    def names(call: Client, **asked: Any) -> set[str]:
        rows = call(list_, **asked).get(key, [])
        return {row["name"] for row in rows if row["name"].startswith("of-")}

    every = {"of-west", "of-inner", "of-east"}
    assert names(cloud_api.admin) == names(cloud_api.admin, listall=True) == every
    assert names(cloud_api.admin, projectid="-1", listall=True) == every
    assert names(cloud_api.admin, account="ann", domainid=tree.inner) == {"of-west", "of-inner"}
    assert names(cloud_api.admin, account="boss", domainid=tree.west) == {"of-west"}
    assert names(cloud_api.admin, projectid=project) == {"of-west", "of-inner"}
    assert names(tree.boss) == {"of-west"}
    assert names(tree.boss, listall=True) == {"of-west", "of-inner"}
    assert names(tree.ann, listall=True) == names(tree.ann, account="ann") == {"of-west", "of-inner"}
    assert refused(531, tree.ann, list_, account="boss", domainid=tree.west)
    assert "account" in refused(431, cloud_api.admin, list_, account="nobody", domainid=tree.inner).text
    both = {"account": "ann", "domainid": tree.inner, "projectid": project}
    assert "projectid" in refused(431, cloud_api.admin, list_, **both).text


def test_a_domain_without_an_account_is_asked_for_what_was_made_for_it_alone(cloud_api: CloudApi, tree: Tree) -> None:
    for create in ("createServiceOffering", "createDiskOffering"):
        list_, key, size = KINDS[create]
        for name, domain in (("for-west", tree.west), ("for-inner", tree.inner), ("for-all", None)):
            cloud_api.admin(create, name=name, displaytext=name, **({"domainid": domain} if domain else {}), **size)

        def names(key: str = key, list_: str = list_, **asked: Any) -> set[str]:
            return {row["name"] for row in cloud_api.admin(list_, **asked).get(key, [])}

        assert names(domainid=tree.west) == {"for-west"} and names(domainid=tree.inner) == {"for-inner"}
        assert names(domainid=tree.east) == set()
        assert names(domainid=tree.west, isrecursive=True) == {"for-west", "for-inner"}
        assert {"for-all", "for-west"} <= names(domainid=tree.west, account="boss")


def test_limits_are_those_of_domains_below_and_of_all_that_an_admin_sees(
    cloud_api: CloudApi, tree: Tree
) -> None:
    def owners(call: Client, **asked: Any) -> list[tuple[str, str | None]]:
        rows = call("listResourceLimits", resourcetypename="user_vm", **asked)["resourcelimit"]
        return [(row["domain"], row.get("account")) for row in rows]

    assert owners(cloud_api.admin, domainid=tree.west) == [("west", None)]
    assert owners(cloud_api.admin, domainid=tree.west, isrecursive=True) == [("west", None), ("inner", None)]
    seen = [("west", "boss"), ("west", None), ("inner", None), ("inner", "ann")]
    assert owners(tree.boss, listall=True) == seen and owners(tree.boss) == seen[:1]
    assert {("ROOT", "admin"), ("ROOT", None), ("east", None), *seen} <= set(owners(cloud_api.admin, listall=True))
    assert owners(tree.ann, listall=True) == [("inner", "ann")]
    page = tree.boss("listResourceLimits", listall=True, page=2, pagesize=3)
    whole = tree.boss("listResourceLimits", listall=True)
    assert page["resourcelimit"] == whole["resourcelimit"][3:6] and page["count"] == whole["count"]


def test_domains_below_are_the_children_or_with_listall_all(cloud_api: CloudApi, tree: Tree) -> None:
    def names(call: Client, **asked: Any) -> list[str]:
        return [row["name"] for row in call("listDomainChildren", **asked).get("domain", [])]

    assert names(cloud_api.admin, id=tree.root) == ["west", "east"]
    assert sorted(names(cloud_api.admin, id=tree.root, listall=True)) == ["east", "inner", "west"]
    assert names(tree.boss, listall=True) == ["inner"] and names(tree.ann, listall=True) == []
