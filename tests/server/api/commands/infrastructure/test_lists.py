"""What the operator's lists tell, and how they are narrowed."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.server.api.api_harness import refused


def test_hosts_are_narrowed(datacenter: Any) -> None:
    cluster = datacenter.build()
    host = datacenter.host(cluster, "h1", hosttags="fast", allocationstate="Disabled")
    admin = datacenter.admin

    def found(**filters: Any) -> list[str]:
        return [row["id"] for row in admin("listHosts", **filters).get("host", [])]

    assert len(found()) == 2
    for filters in (
        {"name": host["name"]},
        {"resourcestate": "disabled"},
        {"id": host["id"]},
        {"keyword": host["name"][-12:]},
    ):
        assert found(**filters) == [host["id"]], filters
    for filters in ({"state": "Up"}, {"type": "routing"}, {"hypervisor": "simulator"}, {"arch": "x86_64"}):
        assert len(found(**filters)) == 2, filters
    server = admin("listManagementServers")["managementserver"][0]
    assert len(found(managementserverid=server["id"])) == 2 and server["agentscount"] == 2
    for filters in (
        {"state": "Down"},
        {"type": "ConsoleProxy"},
        {"hahost": True},
        {"outofbandmanagementenabled": True},
    ):
        assert found(**filters) == [], filters
    admin("updateConfiguration", name="ha.tag", value="fast")
    assert found(hahost=True) == [host["id"]] and host["id"] not in found(hahost=False) and len(found()) == 2
    assert [row["hahost"] for row in admin("listHosts", id=host["id"])["host"]] == [True]
    assert admin("listHostTags")["hosttag"] == [{"id": "fast", "name": "fast", "isimplicit": False}]


def test_a_host_is_changed(datacenter: Any) -> None:
    datacenter.build()
    admin = datacenter.admin
    host = admin("listHosts")["host"][0]
    category = admin("listOsCategories", name="Ubuntu")["oscategory"][0]
    changed = admin(
        "updateHost", id=host["id"], allocationstate="Disable", hosttags="a,b", oscategoryid=category["id"]
    )["host"]
    assert (changed["resourcestate"], changed["hosttags"]) == ("Disabled", "a,b")
    assert changed["oscategoryname"] == "Ubuntu" and "details" not in changed
    assert "hosttags" not in admin("updateHost", id=host["id"], hosttags="")["host"]
    refused(431, admin, "updateHost", id=host["id"], allocationstate="Perhaps")
    assert admin("updateHost", id=host["id"], allocationstate="Enable")["host"]["resourcestate"] == "Enabled"
    assert admin("reconnectHost", id=host["id"])["host"]["state"] == "Up"


def test_pools_are_narrowed_and_changed(datacenter: Any) -> None:
    cluster = datacenter.build()
    admin = datacenter.admin
    zone_wide = admin(
        "createStoragePool",
        zoneid=cluster["zoneid"],
        name="wide",
        scope="ZONE",
        hypervisor="Simulator",
        url="rbd://admin:SECRET@ceph-mons.domain/poolname",
    )["storagepool"]
    assert (zone_wide["type"], zone_wide["path"], zone_wide["scope"]) == ("RBD", "poolname", "ZONE")
    assert "SECRET" not in str(zone_wide) and "clusterid" not in zone_wide
    host = admin("listHosts")["host"][0]
    assert admin("listStoragePools", hostid=host["id"])["count"] == 2
    for filters in (
        {"scope": "zone"},
        {"name": "wide"},
        {"ipaddress": "ceph-mons.domain"},
        {"path": "poolname"},
    ):
        assert [row["id"] for row in admin("listStoragePools", **filters)["storagepool"]] == [
            zone_wide["id"]
        ], filters
    changed = admin("updateStoragePool", id=zone_wide["id"], enabled=False, tags="a,b", capacityiops=900)[
        "storagepool"
    ]
    assert (changed["state"], changed["tags"], changed["capacityiops"]) == ("Disabled", "a,b", 900)
    assert [row["name"] for row in admin("listStorageTags")["storagetag"]] == ["a", "b"]
    assert admin("listStoragePools", status="Disabled")["count"] == 1
    assert "tags" not in admin("updateStoragePool", id=zone_wide["id"], tags="")["storagepool"]
    assert admin("listStorageProviders", type="image")["dataStoreProvider"] == [
        {"name": "NFS", "type": "IMAGE"}
    ]
    assert (
        admin("cancelStorageMaintenance", id=_maintained(admin, changed["id"]))["storagepool"]["state"]
        == "Up"
    )


def _maintained(admin: Any, pool_id: str) -> str:
    assert admin("enableStorageMaintenance", id=pool_id)["storagepool"]["state"] == "Maintenance"
    return pool_id


def test_capacity_is_shown_where_asked(datacenter: Any) -> None:
    cluster = datacenter.build()
    admin = datacenter.admin
    for command, key in (("listZones", "zone"), ("listPods", "pod"), ("listClusters", "cluster")):
        (plain,) = admin(command)[key]
        assert "capacity" not in plain
        (shown,) = admin(command, showcapacities=True)[key]
        cpu = next(row for row in shown["capacity"] if row["type"] == 1)
        assert (cpu["capacitytotal"], cpu["capacityused"], cpu["percentused"]) == (32_000, 0, "0")
    (cpu,) = admin("listCapacity", type=1, clusterid=cluster["id"])["capacity"]
    assert (cpu["name"], cpu["clustername"], cpu["zonename"]) == ("CPU", "cluster", "zone")
    (row,) = admin("listCapacity", type=0, sortby="usage", pagesize=1, page=1)["capacity"]
    assert row["clusterid"] == cluster["id"]


def test_metrics_say_the_same_in_other_words(datacenter: Any) -> None:
    datacenter.build()
    admin = datacenter.admin
    (zone,) = admin("listZonesMetrics")["zone"]
    assert (zone["clusters"], zone["cputotal"], zone["cpuallocated"]) == ("1 / 1", "32.00 Ghz", "0.00%")
    (cluster,) = admin("listClustersMetrics")["cluster"]
    assert (cluster["hosts"], cluster["memorytotal"]) == ("1 / 1", "8.00 GB")
    (host,) = admin("listHostsMetrics")["host"]
    assert (host["instances"], host["cputotalghz"], host["cpuallocatedthreshold"]) == (
        "0 / 0",
        "32.00 Ghz",
        False,
    )
    (pool,) = admin("listStoragePoolsMetrics")["storagepool"]
    assert pool["disksizeallocatedgb"] == "0.00 GB" and pool["storageallocateddisablethreshold"] is False


def test_clusters_are_narrowed_and_changed(datacenter: Any) -> None:
    cluster = datacenter.build()
    admin = datacenter.admin
    assert admin("listClusters", hypervisor="simulator", managedstate="Managed")["count"] == 1
    assert admin("listClusters", hypervisor="KVM") == {}
    admin("updateConfiguration", name="cpu.overprovisioning.factor", value="2.0", clusterid=cluster["id"])
    changed = admin("updateCluster", id=cluster["id"], clustername="c2", allocationstate="Disabled")[
        "cluster"
    ]
    assert (changed["name"], changed["cpuovercommitratio"], changed["allocationstate"]) == (
        "c2",
        "2.0",
        "Disabled",
    )
    refused(432, admin, "updateCluster", id=cluster["id"], managedstate="Unmanaged")


def test_secondary_storage_is_changed(datacenter: Any) -> None:
    zone = datacenter.zone()
    admin = datacenter.admin
    store = admin("addSecondaryStorage", url="nfs://filer/s", zoneid=zone["id"])["imagestore"]
    changed = admin("updateImageStore", id=store["id"], name="s", readonly=True, capacitybytes=77)[
        "imagestore"
    ]
    assert (changed["name"], changed["readonly"], changed["disksizetotal"]) == ("s", True, 77)
    assert admin("listImageStores", name="s", protocol="NFS", provider="nfs")["count"] == 1
    assert admin("listImageStores", readonly=False) == {}
    refused(431, admin, "addImageStore", provider="NFS", zoneid=zone["id"])


def test_physical_networks_and_traffic(datacenter: Any) -> None:
    zone = datacenter.zone()
    admin = datacenter.admin
    network = admin("createPhysicalNetwork", zoneid=zone["id"], name="n", tags="t")["physicalnetwork"]
    refused(431, admin, "createPhysicalNetwork", zoneid=zone["id"], name="n")
    traffic = admin(
        "addTrafficType", physicalnetworkid=network["id"], traffictype="Guest", kvmnetworklabel="br0"
    )
    traffic = admin("updateTrafficType", id=traffic["traffictype"]["id"], xennetworklabel="xenbr0")[
        "traffictype"
    ]
    assert (traffic["kvmnetworklabel"], traffic["xennetworklabel"]) == ("br0", "xenbr0")
    assert admin("deleteTrafficType", id=traffic["id"]) == {"success": True}
    assert admin("listTrafficTypes", physicalnetworkid=network["id"]) == {}
    assert admin("deletePhysicalNetwork", id=network["id"]) == {"success": True}
    assert admin("listPhysicalNetworks", zoneid=zone["id"]) == {}


def test_minus_one_is_the_id_of_nothing(datacenter: Any) -> None:
    datacenter.build()
    admin = datacenter.admin
    for command, names in (
        ("listStoragePools", ("id", "clusterid", "podid", "zoneid")),
        ("listHosts", ("id", "clusterid")),
        ("listServiceOfferings", ("id", "zoneid", "domainid")),
        ("listDiskOfferings", ("id", "domainid")),
    ):
        assert admin(command)["count"] >= 1
        for name in names:
            assert admin(command, **{name: "-1"}) == {}, (command, name)
    assert "-1" in refused(431, admin, "listDomains", id="-1").text
    assert "-1" in refused(431, admin, "listAccounts", domainid="-1").text
    assert "-1" in refused(431, admin, "deleteHost", id="-1").text


def test_a_hypervisor_that_there_is_not_is_no_condition_and_a_state_of_no_pool_is_refused(datacenter: Any) -> None:
    datacenter.build()
    admin = datacenter.admin
    assert admin("listHosts", hypervisor="nothing")["count"] == 1 and admin("listHosts", hypervisor="KVM") == {}
    assert admin("listStoragePools", scope="cluster", status="up")["count"] == 1
    assert admin("listStoragePools", status="ErrorInMaintenance") == {}
    for name in ("scope", "status"):
        assert name in refused(431, partial(admin, **{name: "invalid"}), "listStoragePools").text
