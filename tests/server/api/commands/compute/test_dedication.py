"""Dedicated zones, pods, clusters and hosts: who may run there, and who may not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.api.api_harness import Client, refused
from tests.server.api.cloud_harness import TwoRacks


@pytest.fixture(autouse=True)
def first_fit(cloud: TwoRacks) -> None:
    """So that the first host is taken unless something forbids it."""
    cloud.admin("updateConfiguration", name="vm.allocation.algorithm", value="firstfit")


def _root(api: TwoRacks) -> str:
    return str(api.admin("listDomains")["domain"][0]["id"])


def _first_host(api: TwoRacks) -> dict[str, Any]:
    found = api.admin("listHosts", type="Routing")["host"]
    return dict(min(found, key=lambda host: host["name"]))


def _group(call: Client) -> str:
    return str(call("listAffinityGroups", type="ExplicitDedication")["affinitygroup"][0]["id"])


def test_a_dedicated_host_takes_only_instances_of_the_group_that_comes_with_it(cloud: TwoRacks) -> None:
    ann, bob = cloud.domain_account("ann"), cloud.domain_account("bob")
    host = _first_host(cloud)
    made = cloud.admin("dedicateHost", hostid=host["id"], domainid=_root(cloud), account="ann")["dedicatedhost"]
    assert made["hostname"] == host["name"] and made["affinitygroupid"] == _group(ann)
    for call in (ann, bob):
        vm = cloud.deploy(call=call)
        assert cloud.vm(vm["id"])["hostname"] != host["name"]
    mine = cloud.deploy(call=ann, affinitygroupids=_group(ann))
    assert cloud.vm(mine["id"])["hostname"] == host["name"]
    refused(531, bob, "deployVirtualMachine", **cloud.wanted(affinitygroupids=_group(ann)))


def test_without_room_on_what_is_dedicated_nothing_is_placed_elsewhere(cloud: TwoRacks) -> None:
    ann = cloud.domain_account("ann")
    most, host = cloud.most_of_a_host(), _first_host(cloud)
    cloud.admin("dedicateHost", hostid=host["id"], domainid=_root(cloud), account="ann")
    cloud.deploy(call=ann, affinitygroupids=_group(ann), serviceofferingid=most)
    error = refused(
        533,
        ann,
        "deployVirtualMachine",
        **cloud.wanted(affinitygroupids=_group(ann), serviceofferingid=most),
    )
    assert "capacity" in error.text


def test_a_cluster_of_a_domain_is_for_all_accounts_in_and_below_it(cloud: TwoRacks) -> None:
    sales = cloud.admin("createDomain", name="sales")["domain"]["id"]
    east = cloud.admin("createDomain", name="east", parentdomainid=sales)["domain"]["id"]
    eve, bob = cloud.domain_account("eve", domain=east), cloud.domain_account("bob")
    cluster = _first_host(cloud)["clusterid"]
    cloud.admin("dedicateCluster", clusterid=cluster, domainid=sales)
    group = _group(eve)
    assert bob("listAffinityGroups") == {}
    vm = cloud.deploy(call=eve, affinitygroupids=group)
    assert cloud.host(cloud.vm(vm["id"])["hostname"]).cluster_id == cluster
    other = cloud.deploy(call=bob)
    assert cloud.host(cloud.vm(other["id"])["hostname"]).cluster_id != cluster
    refused(531, eve, "deleteAffinityGroup", id=group)


def test_what_is_released_is_everybodys_and_the_group_goes_with_the_last(cloud: TwoRacks) -> None:
    ann = cloud.domain_account("ann")
    hosts = sorted(cloud.admin("listHosts", type="Routing")["host"], key=lambda host: host["name"])[:2]
    for host in hosts:
        cloud.admin("dedicateHost", hostid=host["id"], domainid=_root(cloud), account="ann")
    assert ann("listAffinityGroups")["count"] == 1
    assert cloud.admin("listDedicatedHosts", affinitygroupid=_group(ann))["count"] == 2
    cloud.admin("releaseDedicatedHost", hostid=hosts[0]["id"])
    assert ann("listAffinityGroups")["count"] == 1
    refused(431, ann, "deleteAffinityGroup", id=_group(ann))
    cloud.admin("releaseDedicatedHost", hostid=hosts[1]["id"])
    assert ann("listAffinityGroups") == {} == cloud.admin("listDedicatedHosts")
    vm = cloud.deploy(call=ann)
    assert cloud.vm(vm["id"])["hostname"] == hosts[0]["name"]


def test_what_others_use_or_have_cannot_be_dedicated(cloud: TwoRacks) -> None:
    cloud.domain_account("ann")
    bob = cloud.domain_account("bob")
    vm = cloud.deploy(call=bob)
    host = cloud.host(cloud.vm(vm["id"])["hostname"])
    before = cloud.rows()["DedicatedResource"]
    ann = {"domainid": _root(cloud), "account": "ann"}
    assert "another account" in refused(431, cloud.admin, "dedicateHost", hostid=host.id, **ann).text
    assert "another account" in refused(431, cloud.admin, "dedicatePod", podid=host.pod_id, **ann).text
    cloud.admin("dedicateHost", hostid=host.id, domainid=_root(cloud), account="bob")
    assert "already" in refused(431, cloud.admin, "dedicateHost", hostid=host.id, **ann).text
    assert "others" in refused(431, cloud.admin, "dedicateCluster", clusterid=host.cluster_id, **ann).text
    assert before == [] and len(cloud.rows()["DedicatedResource"]) == 1


def test_in_a_dedicated_zone_only_its_owner_deploys(cloud: TwoRacks) -> None:
    ann, bob = cloud.domain_account("ann"), cloud.domain_account("bob")
    cloud.admin("dedicateZone", zoneid=cloud.zone, domainid=_root(cloud), account="ann")
    refused(531, bob, "deployVirtualMachine", **cloud.wanted())
    cloud.deploy(call=ann)
    cloud.admin("releaseDedicatedZone", zoneid=cloud.zone)
    cloud.deploy(call=bob)


def test_an_accounts_dedications_go_with_it(cloud: TwoRacks) -> None:
    ann = cloud.domain_account("ann")
    cloud.admin("dedicateHost", hostid=_first_host(cloud)["id"], domainid=_root(cloud), account="ann")
    account = ann("listAccounts")["account"][0]["id"]
    cloud.admin("deleteAccount", id=account)
    assert cloud.admin("listDedicatedHosts") == {}
    assert cloud.rows()["AffinityGroup"] == []
