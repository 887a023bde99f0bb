"""Networks that an account shares with others."""

from __future__ import annotations

from cloudsim.model import NetworkPermission
from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi
from tests.server.api.commands.network.test_security_groups import guarded_network


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
    assert "owns network" in refused(431, cloud_api.admin, "createNetworkPermissions", networkid=net, accounts="admin").text
    assert len(cloud_api.store.table(NetworkPermission)) == 0


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
