"""Networks that an account shares with others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.model import NetworkPermission
from tests.server.api.api_harness import Client, refused
from tests.server.api.commands.cloud_api import CloudApi
from tests.server.api.commands.network.routed_api import RoutedApi
from tests.server.api.commands.network.test_security_groups import guarded_network


@pytest.fixture
def routed() -> Iterator[RoutedApi]:
    made = RoutedApi()
    yield made
    made.cloud.close()


def test_an_account_uses_a_network_that_is_shared_with_it_as_long_as_it_is(cloud_api: CloudApi) -> None:
    ann, bob = cloud_api.account("ann"), cloud_api.account("bob")
    net = cloud_api.network("anns", ann)["id"]
    wanted = {
        "zoneid": cloud_api.zone,
        "templateid": cloud_api.cloud.template.id,
        "serviceofferingid": next(iter(cloud_api.store.tables["ServiceOffering"])).id,
        "networkids": net,
        "startvm": False,
    }
    refused(531, bob, "deployVirtualMachine", **wanted)
    refused(531, bob, "createNetworkPermissions", networkid=net, accounts="bob")
    assert ann("createNetworkPermissions", networkid=net, accounts="bob") == {"success": True}
    ann("createNetworkPermissions", networkid=net, accounts="bob")
    (row,) = ann("listNetworkPermissions", networkid=net)["networkpermission"]
    assert (row["networkid"], row["account"], row["domain"]) == (net, "bob", "ROOT")

    assert net in {n["id"] for n in bob("listNetworks")["network"]}
    made = bob("deployVirtualMachine", **wanted)["virtualmachine"]
    assert (made["account"], made["nic"][0]["networkid"]) == ("bob", net)
    refused(531, bob, "deleteNetwork", id=net)
    refused(531, bob, "listNetworkPermissions", networkid=net)

    ann("removeNetworkPermissions", networkid=net, accountids=row["accountid"])
    refused(531, bob, "deployVirtualMachine", **wanted)
    assert net not in {n["id"] for n in bob("listNetworks")["network"]}
    assert ann("listNetworkPermissions", networkid=net) == {}
    ann("createNetworkPermissions", networkid=net, accounts="bob")
    ann("resetNetworkPermissions", networkid=net)
    assert len(cloud_api.store.table(NetworkPermission)) == 0


def test_what_cannot_be_shared(cloud_api: CloudApi) -> None:
    cloud_api.account("ann")
    refused(431, cloud_api.admin, "createNetworkPermissions", networkid=guarded_network(cloud_api), accounts="ann")
    net = cloud_api.network()["id"]
    refused(431, cloud_api.admin, "createNetworkPermissions", networkid=net)
    refused(431, cloud_api.admin, "createNetworkPermissions", networkid=net, accounts="nobody")
    assert cloud_api.admin("createNetworkPermissions", networkid=net, accounts="admin") == {"success": True}
    project = cloud_api.admin("createProject", name="prj", displaytext="prj")["project"]["id"]
    projects = cloud_api.network("prjnet", projectid=project)["id"]
    text = refused(431, cloud_api.admin, "createNetworkPermissions", networkid=projects, accounts="ann").text
    assert "is a project's" in text
    assert len(cloud_api.store.table(NetworkPermission)) == 0


def test_a_network_is_shared_with_a_project_by_whoever_may_use_that(cloud_api: CloudApi) -> None:
    ann, admin = cloud_api.account("ann"), cloud_api.admin
    net = cloud_api.network("anns", ann)["id"]
    project = admin("createProject", name="prj", displaytext="prj")["project"]["id"]
    refused(531, ann, "createNetworkPermissions", networkid=net, projectids=project)
    admin("createNetworkPermissions", networkid=net, projectids=project)
    whose = {"account": "admin", "domainid": admin("listDomains", name="ROOT")["domain"][0]["id"]}
    assert [n["id"] for n in admin("listNetworks", id=net, projectid=project, **whose)["network"]] == [net]
    admin("removeNetworkPermissions", networkid=net, projectids=project)
    assert admin("listNetworks", id=net, projectid=project, **whose) == {}


def test_filters_tell_ones_own_networks_from_those_that_are_shared_with_one(cloud_api: CloudApi) -> None:
    ann, bob, admin = cloud_api.account("ann"), cloud_api.account("bob"), cloud_api.admin
    net = cloud_api.network("anns", ann)["id"]

    def by_filter(call: Client, **more: Any) -> list[str]:
        filters = ("account", "domain", "accountdomain", "shared", "all")
        return [each for each in filters if call("listNetworks", id=net, networkfilter=each, listall=True, **more)]

    assert (by_filter(ann), by_filter(bob)) == (["account", "accountdomain", "all"], [])
    assert by_filter(admin) == ["account", "accountdomain", "all"]
    ann("createNetworkPermissions", networkid=net, accounts="bob")
    assert (by_filter(ann), by_filter(bob)) == (["account", "accountdomain", "all"], ["shared", "all"])
    assert by_filter(admin) == ["account", "accountdomain", "shared", "all"]
    root = admin("listDomains", name="ROOT")["domain"][0]["id"]
    assert by_filter(admin, account="bob", domainid=root) == ["shared", "all"]


def test_rules_of_a_network_that_is_shared_lead_to_its_guests_if_an_admin_says_so(routed: RoutedApi) -> None:
    api = routed
    ann = api.account("ann")
    api.admin("createNetworkPermissions", networkid=api.front["id"], accounts="ann")
    vm = api.deploy("anns", api.front["id"], ann)["id"]
    ports = {"ipaddressid": api.ip["id"], "protocol": "tcp", "publicport": 22, "privateport": 22}
    refused(531, ann, "createPortForwardingRule", virtualmachineid=vm, **ports)
    made = api.admin("createPortForwardingRule", virtualmachineid=vm, **ports)["portforwardingrule"]
    assert made["virtualmachineid"] == vm
    balancer = {"publicipid": api.ip["id"], "algorithm": "roundrobin", "publicport": 80, "privateport": 80}
    rule = api.admin("createLoadBalancerRule", name="lb", **balancer)["loadbalancer"]["id"]
    api.admin("assignToLoadBalancerRule", id=rule, virtualmachineids=vm)
    refused(531, ann, "removeFromLoadBalancerRule", id=rule, virtualmachineids=vm)
    api.admin("removeFromLoadBalancerRule", id=rule, virtualmachineids=vm)
    assert api.admin("listLoadBalancerRuleInstances", id=rule) == {}


def test_permissions_go_with_their_network_and_their_account(cloud_api: CloudApi) -> None:
    cloud_api.account("ann")
    first, second = (cloud_api.network(name)["id"] for name in ("first", "second"))
    for net in (first, second):
        cloud_api.admin("createNetworkPermissions", networkid=net, accounts="ann")
    cloud_api.admin("deleteNetwork", id=first)
    assert [row.network_id for row in cloud_api.store.table(NetworkPermission)] == [second]
    (account,) = cloud_api.admin("listAccounts", name="ann", listall=True)["account"]
    cloud_api.admin("deleteAccount", id=account["id"])
    assert len(cloud_api.store.table(NetworkPermission)) == 0
