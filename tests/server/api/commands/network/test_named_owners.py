"""Whose a thing is said to be: commands of what exists refuse another account than its owner, and another zone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.model import FirewallRule, LoadBalancerRule, Snapshot
from tests.server.api.api_harness import refused
from tests.server.api.commands.network.routed_api import RoutedApi


@pytest.fixture
def api() -> Iterator[RoutedApi]:
    made = RoutedApi()
    yield made
    made.cloud.close()


@pytest.fixture
def mine(api: RoutedApi) -> dict[str, Any]:
    root = api.admin("listDomains", name="ROOT")["domain"][0]["id"]
    return {"account": "admin", "domainid": root}


@pytest.fixture
def anothers(api: RoutedApi, mine: dict[str, Any]) -> dict[str, Any]:
    api.account("ann")
    return {**mine, "account": "ann"}


@pytest.fixture
def elsewhere(api: RoutedApi) -> str:
    made = api.admin("createZone", name="far", dns1="8.8.8.8", internaldns1="8.8.4.4", networktype="Advanced")
    zone: str = made["zone"]["id"]
    return zone


def test_a_load_balancer_rule_is_of_the_account_and_zone_that_are_named(
    api: RoutedApi, mine: dict[str, Any], anothers: dict[str, Any], elsewhere: str
) -> None:
    asked = {"publicipid": api.ip["id"], "algorithm": "roundrobin", "publicport": 80, "privateport": 8080}
    assert "account" in refused(431, api.admin, "createLoadBalancerRule", name="lb", **asked, **anothers).text
    assert "zoneid" in refused(431, api.admin, "createLoadBalancerRule", name="lb", **asked, zoneid=elsewhere).text
    assert not len(api.store.table(LoadBalancerRule))
    api.admin("createLoadBalancerRule", name="lb", **asked, **mine, zoneid=api.zone)
    assert len(api.store.table(LoadBalancerRule)) == 1


def test_an_account_that_is_named_without_a_domain_is_of_the_callers(
    api: RoutedApi, mine: dict[str, Any], anothers: dict[str, Any]
) -> None:
    asked = {"publicipid": api.ip["id"], "algorithm": "roundrobin", "publicport": 80, "privateport": 8080}
    for name in (anothers["account"], "nobody"):
        assert "account" in refused(431, api.admin, "createLoadBalancerRule", name="lb", **asked, account=name).text
    api.admin("createLoadBalancerRule", name="lb", **asked, account=mine["account"])
    assert len(api.store.table(LoadBalancerRule)) == 1


def test_a_snapshot_is_of_the_account_that_is_named_and_goes_from_the_zone_that_it_is_in(
    api: RoutedApi, mine: dict[str, Any], anothers: dict[str, Any], elsewhere: str
) -> None:
    volume = api.admin("listVolumes", virtualmachineid=api.web["id"])["volume"][0]["id"]
    assert "account" in refused(431, api.admin, "createSnapshot", volumeid=volume, **anothers).text
    assert not len(api.store.table(Snapshot))
    made = api.admin("createSnapshot", volumeid=volume, **mine)["snapshot"]["id"]
    assert "zoneid" in refused(431, api.admin, "deleteSnapshot", id=made, zoneid=elsewhere).text
    api.admin("deleteSnapshot", id=made, zoneid=api.zone)
    assert not api.admin("listSnapshots").get("snapshot")


def test_keys_and_user_data_are_given_to_an_instance_of_the_account_that_is_named(
    api: RoutedApi, mine: dict[str, Any], anothers: dict[str, Any]
) -> None:
    api.admin("createSSHKeyPair", name="key")
    vm = api.web["id"]
    api.admin("stopVirtualMachine", id=vm)
    assert "account" in refused(431, api.admin, "resetSSHKeyForVirtualMachine", id=vm, keypair="key", **anothers).text
    assert "account" in refused(431, api.admin, "resetUserDataForVirtualMachine", id=vm, userdata="aGk=", **anothers).text
    assert not api.admin("listVirtualMachines", id=vm)["virtualmachine"][0].get("keypairs")
    reset = api.admin("resetSSHKeyForVirtualMachine", id=vm, keypair="key", **mine)["virtualmachine"]
    assert reset["keypairs"] == "key"
    api.admin("resetUserDataForVirtualMachine", id=vm, userdata="aGk=", **mine)
    told = api.admin("getVirtualMachineUserData", virtualmachineid=vm)["virtualmachineuserdata"]
    assert told["userdata"] == "aGk="
    project = api.admin("createProject", name="p")["project"]["id"]
    assert "projectid" in refused(
        431, api.admin, "resetSSHKeyForVirtualMachine", id=vm, keypair="key", projectid=project
    ).text


def test_a_remote_access_vpn_is_of_the_account_that_is_named(
    api: RoutedApi, mine: dict[str, Any], anothers: dict[str, Any]
) -> None:
    ip = api.admin("listPublicIpAddresses", issourcenat=True)["publicipaddress"][0]["id"]
    assert "account" in refused(431, api.admin, "createRemoteAccessVpn", publicipid=ip, **anothers).text
    assert api.admin("createRemoteAccessVpn", publicipid=ip, **mine)["remoteaccessvpn"]["publicipid"] == ip


def test_another_sites_gateway_is_changed_for_the_account_that_is_named(
    api: RoutedApi, mine: dict[str, Any], anothers: dict[str, Any]
) -> None:
    asked = {
        "gateway": "198.51.100.1",
        "cidrlist": "10.251.0.0/16",
        "ipsecpsk": "secret",
        "ikepolicy": "aes128-sha1;modp1536",
        "esppolicy": "aes128-sha1",
    }
    made = api.admin("createVpnCustomerGateway", name="office", **asked)["vpncustomergateway"]["id"]
    changed = {**asked, "id": made, "cidrlist": "10.252.0.0/16"}
    assert "account" in refused(431, api.admin, "updateVpnCustomerGateway", **changed, **anothers).text
    row = api.admin("updateVpnCustomerGateway", **changed, **mine)["vpncustomergateway"]
    assert row["cidrlist"] == "10.252.0.0/16"


def test_a_firewall_rule_of_type_system_is_made_and_deleted_by_root_admins_alone(api: RoutedApi) -> None:
    ann = api.account("ann")
    offering = api.cloud.network_offering().id
    network = ann("createNetwork", name="n", displaytext="n", zoneid=api.zone, networkofferingid=offering)["network"]
    ingress = {"protocol": "tcp", "startport": 22, "endport": 22}
    ip = ann("associateIpAddress", networkid=network["id"])["ipaddress"]["id"]
    for create, delete, where in (
        ("createFirewallRule", "deleteFirewallRule", {"ipaddressid": ip}),
        ("createEgressFirewallRule", "deleteEgressFirewallRule", {"networkid": network["id"]}),
    ):
        assert "type" in refused(531, ann, create, **where, **ingress, type="System").text
        assert "type" in refused(431, ann, create, **where, **ingress, type="theirs").text
        assert not len(api.store.table(FirewallRule))
        rule = api.admin(create, **where, **ingress, type="system")["firewallrule"]["id"]
        assert "System" in refused(531, ann, delete, id=rule).text
        assert rule in api.store.table(FirewallRule)
        api.admin(delete, id=rule)
        own = ann(create, **where, **ingress, type="User")["firewallrule"]["id"]
        ann(delete, id=own)
        assert not len(api.store.table(FirewallRule))
