"""DRS: plans that balance or condense a cluster, carried out on request or by itself."""

from __future__ import annotations

from typing import Any

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks


def _cluster(cloud: TwoRacks, **settings: Any) -> tuple[str, list[dict[str, Any]]]:
    """A cluster with those settings, and its two hosts."""
    host = min(cloud.admin("listHosts", type="Routing")["host"], key=lambda each: each["name"])
    for name, value in settings.items():
        cloud.admin("updateConfiguration", name=name.replace("_", "."), value=value, clusterid=host["clusterid"])
    hosts = cloud.admin("listHosts", type="Routing", clusterid=host["clusterid"])["host"]
    return host["clusterid"], sorted(hosts, key=lambda each: each["name"])


def _spread(cloud: TwoRacks) -> list[str]:
    return sorted(host for host in cloud.running().values())


def test_a_balanced_cluster_has_its_instances_on_both_hosts(cloud: TwoRacks) -> None:
    cluster, (one, two) = _cluster(cloud, drs_algorithm="balanced", drs_imbalance="1.0")
    vms = [cloud.deploy(hostid=one["id"]) for _ in range(2)]
    plan = cloud.admin("generateClusterDrsPlan", id=cluster, migrations=4)["clusterdrsplan"]
    assert plan["status"] == "UNDER_REVIEW" and "id" not in plan
    (move,) = plan["migrations"]
    assert (move["sourcehostid"], move["destinationhostid"]) == (one["id"], two["id"])
    assert move["virtualmachineid"] in [vm["id"] for vm in vms]
    wanted = {move["virtualmachineid"]: two["id"]}
    done = cloud.admin("executeClusterDrsPlan", id=cluster, migrateto=wanted)["clusterdrsplan"]
    cloud.cloud.wait(600)
    assert _spread(cloud) == [one["name"], two["name"]]
    listed = cloud.admin("listClusterDrsPlan", clusterid=cluster)["clusterdrsplan"][0]
    assert (listed["id"], listed["status"], listed["type"]) == (done["id"], "COMPLETED", "MANUAL")
    assert listed["migrations"][0]["jobstatus"] == "SUCCEEDED"
    assert cloud.admin("generateClusterDrsPlan", id=cluster)["clusterdrsplan"].get("migrations", []) == []


def test_a_condensed_cluster_has_an_empty_host(cloud: TwoRacks) -> None:
    cluster, (one, two) = _cluster(cloud, drs_algorithm="condensed", drs_imbalance="1.0")
    for host in (one, two):
        cloud.deploy(hostid=host["id"])
    plan = cloud.admin("generateClusterDrsPlan", id=cluster)["clusterdrsplan"]
    wanted = {move["virtualmachineid"]: move["destinationhostid"] for move in plan["migrations"]}
    (instance,) = wanted
    half = {"migrateto[0].vm": instance}
    assert "a vm and a host" in refused(431, cloud.admin, "executeClusterDrsPlan", id=cluster, **half).text
    cloud.admin("executeClusterDrsPlan", id=cluster, **half, **{"migrateto[0].host": wanted[instance]})
    cloud.cloud.wait(600)
    assert len(wanted) == 1 and len(set(_spread(cloud))) == 1


def test_anti_affinity_is_kept(cloud: TwoRacks) -> None:
    cluster, (one, two) = _cluster(cloud, drs_algorithm="condensed", drs_imbalance="1.0")
    group = cloud.admin("createAffinityGroup", name="apart", type="host anti-affinity")["affinitygroup"]["id"]
    for host in (one, two):
        cloud.deploy(hostid=host["id"], affinitygroupids=group)
    assert cloud.admin("generateClusterDrsPlan", id=cluster)["clusterdrsplan"].get("migrations", []) == []


def test_automatic_drs_works_by_itself_where_it_is_enabled(cloud: TwoRacks) -> None:
    cluster, (one, two) = _cluster(
        cloud, drs_algorithm="balanced", drs_imbalance="1.0", drs_automatic_enable="true", drs_automatic_interval="5"
    )
    for _ in range(4):
        cloud.deploy(hostid=one["id"])
    cloud.cloud.wait(1200)
    assert _spread(cloud) == [one["name"]] * 2 + [two["name"]] * 2
    plans = cloud.admin("listClusterDrsPlan", clusterid=cluster)["clusterdrsplan"]
    assert {(plan["type"], plan["status"]) for plan in plans} == {("AUTOMATED", "COMPLETED")}
    before = len(plans)
    cloud.cloud.wait(1200)
    assert len(cloud.admin("listClusterDrsPlan", clusterid=cluster)["clusterdrsplan"]) == before  # nothing is left to do


def test_what_cannot_be_done_is_refused_and_changes_nothing(cloud: TwoRacks) -> None:
    cluster, (one, two) = _cluster(cloud)
    vm = cloud.deploy(hostid=one["id"])
    elsewhere = next(h for h in cloud.admin("listHosts", type="Routing")["host"] if h["clusterid"] != cluster)
    for wanted in ({}, {vm["id"]: elsewhere["id"]}, {"nobody": two["id"]}, {vm["id"]: one["id"]}):
        refused(431, cloud.admin, "executeClusterDrsPlan", id=cluster, migrateto=wanted)
    refused(431, cloud.admin, "generateClusterDrsPlan", id=cluster, migrations=0)
    refused(431, cloud.admin, "updateConfiguration", name="drs.algorithm", value="chaotic", clusterid=cluster)
    assert cloud.admin("listClusterDrsPlan") == {} and _spread(cloud) == [one["name"]]
