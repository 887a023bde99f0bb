"""The scope of a storage pool changes: who reaches it then, and what stands against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks


@pytest.fixture
def cloud() -> Iterator[TwoRacks]:
    made = TwoRacks()
    yield made
    made.cloud.close()


@pytest.fixture
def pool(cloud: TwoRacks) -> dict[str, Any]:
    """A disabled pool of the first cluster, on a filer that all hosts reach."""
    first = cloud.listed("listClusters", "cluster")[0]
    made = cloud.admin(
        "createStoragePool",
        name="filer",
        url="nfs://filer-7/export",
        zoneid=cloud.zone,
        podid=first["podid"],
        clusterid=first["id"],
        tags="filer",
    )["storagepool"]
    disabled: dict[str, Any] = cloud.admin("updateStoragePool", id=made["id"], enabled=False)["storagepool"]
    return disabled


def other_cluster(cloud: TwoRacks, pool: dict[str, Any]) -> str:
    return str(next(c["id"] for c in cloud.listed("listClusters", "cluster") if c["id"] != pool["clusterid"]))


def mounted(cloud: TwoRacks, pool: dict[str, Any]) -> set[str]:
    return {host.name for host in cloud.world.hosts.values() if pool["id"] in host.hypervisor.mounted}


def change(cloud: TwoRacks, pool: dict[str, Any], **more: Any) -> dict[str, Any]:
    assert cloud.admin("changeStoragePoolScope", id=pool["id"], **more)["success"] is True
    (now,) = cloud.listed("listStoragePools", "storagepool", id=pool["id"])
    return now


def test_a_pool_becomes_its_zones_and_a_clusters_again(cloud: TwoRacks, pool: dict[str, Any]) -> None:
    assert len(mounted(cloud, pool)) == 2
    wide = change(cloud, pool, scope="zone")
    assert (wide["scope"], wide["hypervisor"]) == ("ZONE", "Simulator") and "clusterid" not in wide and "podid" not in wide
    assert len(mounted(cloud, pool)) == 4
    other = other_cluster(cloud, pool)
    narrow = change(cloud, pool, scope="CLUSTER", clusterid=other)
    assert (narrow["scope"], narrow["clusterid"]) == ("CLUSTER", other) and narrow["podid"]
    assert mounted(cloud, pool) == {h["name"] for h in cloud.listed("listHosts", "host", clusterid=other, type="Routing")}


def test_what_stands_against_it(cloud: TwoRacks, pool: dict[str, Any]) -> None:
    asked = {"id": pool["id"]}
    assert "already" in refused(431, cloud.admin, "changeStoragePoolScope", **asked, scope="CLUSTER").text
    assert "scope" in refused(431, cloud.admin, "changeStoragePoolScope", **asked, scope="WORLD").text
    cloud.admin("updateStoragePool", id=pool["id"], enabled=True)
    assert "Disabled" in refused(431, cloud.admin, "changeStoragePoolScope", **asked, scope="ZONE").text
    cloud.admin("updateStoragePool", id=pool["id"], enabled=False)
    change(cloud, pool, scope="ZONE")
    assert "clusterid" in refused(431, cloud.admin, "changeStoragePoolScope", **asked, scope="CLUSTER").text


def test_an_instance_on_a_host_that_would_lose_the_pool_is_named(cloud: TwoRacks, pool: dict[str, Any]) -> None:
    change(cloud, pool, scope="ZONE")
    cloud.admin("updateStoragePool", id=pool["id"], enabled=True)
    small = {"cpunumber": 1, "cpuspeed": 500, "memory": 512, "tags": "filer"}
    offering = cloud.admin("createServiceOffering", name="on it", displaytext="on it", **small)["serviceoffering"]
    made = cloud.deploy("web", serviceofferingid=offering["id"])
    cloud.admin("updateStoragePool", id=pool["id"], enabled=False)
    here = cloud.host(made["hostname"]).cluster_id
    other = next(c["id"] for c in cloud.listed("listClusters", "cluster") if c["id"] != here)
    asked = {"clusterid": other, "storageid": pool["id"]}
    (affected,) = cloud.listed("listAffectedVmsForStorageScopeChange", "affectedvmsforstoragescopechange", **asked)
    assert (affected["name"], affected["hostname"], affected["clusterid"]) == ("web", made["hostname"], here)
    error = refused(536, cloud.admin, "changeStoragePoolScope", id=pool["id"], scope="CLUSTER", clusterid=other)
    assert "1 instances" in error.text and len(mounted(cloud, pool)) == 4
    asked["clusterid"] = here
    assert cloud.listed("listAffectedVmsForStorageScopeChange", "affectedvmsforstoragescopechange", **asked) == []
    change(cloud, pool, scope="CLUSTER", clusterid=here)


def test_hosts_look_at_a_pool_again(cloud: TwoRacks, pool: dict[str, Any]) -> None:
    host = next(h for h in cloud.world.hosts.values() if pool["id"] in h.hypervisor.mounted).hypervisor
    host.mounted[pool["id"]].used += 12345
    seen = cloud.admin("updateStorageCapabilities", id=pool["id"])["storagepool"]
    assert seen["disksizeused"] == host.mounted[pool["id"]].used
