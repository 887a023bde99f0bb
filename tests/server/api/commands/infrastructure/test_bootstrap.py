"""A zone from nothing to its first host, through the commands that clients use, and back to nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.server.api.api_harness import refused

GIB = 1 << 30


def test_a_zone_from_nothing(datacenter: Any) -> None:
    admin = datacenter.admin
    zone = datacenter.zone(guestcidraddress="10.1.1.0/24")
    assert zone["allocationstate"] == "Disabled" and zone["securitygroupsenabled"] is False
    network = admin("createPhysicalNetwork", zoneid=zone["id"], name="wire", isolationmethods="VLAN")[
        "physicalnetwork"
    ]
    assert network["state"] == "Disabled"
    for kind in ("Guest", "Management", "Public"):
        traffic = admin("addTrafficType", physicalnetworkid=network["id"], traffictype=kind)["traffictype"]
        assert traffic["traffictype"] == kind
    network = admin("updatePhysicalNetwork", id=network["id"], state="Enabled", vlan="100-200")[
        "physicalnetwork"
    ]
    assert (network["state"], network["vlan"]) == ("Enabled", "100-200")
    assert admin("listTrafficTypes", physicalnetworkid=network["id"])["count"] == 3

    pod = datacenter.pod(zone)
    assert (pod["startip"], pod["endip"]) == (["172.16.15.2"], ["172.16.15.200"])
    cluster = datacenter.cluster(zone, pod)
    assert (cluster["hypervisortype"], cluster["podname"]) == ("Simulator", "pod")
    host = datacenter.host(cluster, hosttags="a,b")
    assert (host["state"], host["resourcestate"], host["hypervisor"], host["type"]) == (
        "Up",
        "Enabled",
        "Simulator",
        "Routing",
    )
    assert re.fullmatch(r"SimulatedAgent\.[0-9a-f-]{36}", host["name"])
    assert (host["cpunumber"], host["cpuspeed"], host["memorytotal"]) == (4, 8000, 8 * GIB)
    assert host["ipaddress"].startswith("172.16.15.") and host["hosttags"] == "a,b"
    pool = datacenter.pool(cluster, tags="x")
    assert (pool["type"], pool["ipaddress"], pool["path"]) == (
        "NetworkFilesystem",
        "10.147.28.6",
        "/export/primary",
    )
    assert pool["state"] == "Up" and pool["disksizetotal"] > 0 and pool["tags"] == "x"
    store = admin("addImageStore", provider="NFS", url="nfs://10.147.28.6/secondary", zoneid=zone["id"])[
        "imagestore"
    ]
    assert (store["protocol"], store["providername"], store["scope"]) == ("nfs", "NFS", "ZONE")
    assert (
        admin("updateZone", id=zone["id"], allocationstate="Enabled")["zone"]["allocationstate"] == "Enabled"
    )

    assert admin("listHosts", clusterid=cluster["id"], zoneid=zone["id"])["host"][0]["id"] == host["id"]
    assert admin("listInfrastructure")["infrastructure"]["hosts"] == 1
    types = {row["type"] for row in admin("listCapacity", zoneid=zone["id"])["capacity"]}
    assert {0, 1, 2, 3} <= types


def test_a_zone_back_to_nothing(datacenter: Any) -> None:
    admin, cluster = datacenter.admin, datacenter.build()
    zone = {"id": cluster["zoneid"]}
    refused(530, admin, "deleteZone", **zone)
    refused(530, admin, "deletePod", id=cluster["podid"])
    refused(530, admin, "deleteCluster", id=cluster["id"])
    pool = admin("listStoragePools")["storagepool"][0]
    refused(431, admin, "deleteStoragePool", id=pool["id"])
    assert admin("enableStorageMaintenance", id=pool["id"])["storagepool"]["state"] == "Maintenance"
    assert admin("deleteStoragePool", id=pool["id"]) == {"success": True}
    host = admin("listHosts")["host"][0]
    assert admin("prepareHostForMaintenance", id=host["id"])["host"]["resourcestate"] == "Maintenance"
    refused(431, admin, "prepareHostForMaintenance", id=host["id"])
    assert admin("cancelHostMaintenance", id=host["id"])["host"]["resourcestate"] == "Enabled"
    assert admin("deleteHost", id=host["id"]) == {"success": True}
    assert admin("listHosts") == {}
    store = admin("listImageStores")["imagestore"][0]
    assert admin("deleteImageStore", id=store["id"]) == {"success": True}
    for command, row_id in (
        ("deleteCluster", cluster["id"]),
        ("deletePod", cluster["podid"]),
        ("deleteZone", zone["id"]),
    ):
        assert admin(command, id=row_id) == {"success": True}
    assert admin("listZones") == {}
    events = {event["type"] for event in admin("listEvents", listall=True, pagesize=500, page=1)["event"]}
    assert {"ZONE.CREATE", "ZONE.DELETE", "HOST.CREATE", "MAINT.PREPARE", "MAINT.CANCEL"} <= events


@pytest.mark.parametrize(
    ("command", "parameters", "status"),
    [
        (
            "createZone",
            {"name": "z", "networktype": "Odd", "dns1": "8.8.8.8", "internaldns1": "8.8.8.8"},
            431,
        ),
        ("createZone", {"name": "z", "networktype": "Basic"}, 431),
        ("listPods", {"zoneid": "nonsense"}, 431),
    ],
)
def test_what_is_wrong_is_refused(
    datacenter: Any, command: str, parameters: dict[str, str], status: int
) -> None:
    refused(status, datacenter.admin, command, **parameters)
    assert datacenter.admin("listZones") == {}


def test_a_host_by_the_name_of_a_new_cluster(datacenter: Any) -> None:
    zone = datacenter.zone()
    pod = datacenter.pod(zone)
    given = {"zoneid": zone["id"], "podid": pod["id"], "hypervisor": "Simulator", "url": "http://sim/c/h"}
    refused(431, datacenter.admin, "addHost", **given)
    first = datacenter.admin("addHost", clustername="c", **given)["host"][0]
    second = datacenter.admin("addHost", clustername="c", **given)["host"][0]
    assert first["clusterid"] == second["clusterid"] and first["id"] != second["id"]
    refused(431, datacenter.admin, "addHost", **{**given, "url": "http://elsewhere/h", "clustername": "c"})


def test_users_see_enabled_zones_without_their_insides(datacenter: Any) -> None:
    cluster = datacenter.build()
    datacenter.zone("hidden")
    _, user = datacenter.account("alice")
    zones = user("listZones")["zone"]
    assert [zone["id"] for zone in zones] == [cluster["zoneid"]]
    assert "dns1" not in zones[0] and zones[0]["localstorageenabled"] is False
    assert user("listZones", available=False) == {}
    assert datacenter.admin("listZones")["count"] == 2
    refused(401, user, "listHosts")
    refused(401, user, "createZone", name="z", networktype="Basic", dns1="8.8.8.8", internaldns1="8.8.8.8")


def test_a_zone_of_one_domain(datacenter: Any) -> None:
    domain = datacenter.admin("createDomain", name="d")["domain"]
    datacenter.zone("private", domainid=domain["id"], allocationstate="Enabled")
    _, outside = datacenter.account("outside")
    _, inside = datacenter.account("inside", domain=domain["id"])
    assert outside("listZones") == {}
    assert inside("listZones")["zone"][0]["domainname"] == "d"


def test_an_edge_zone_is_advanced_and_says_so(datacenter: Any) -> None:
    assert datacenter.zone()["type"] == "Core"
    edge = datacenter.zone("edge", isedge=True)
    assert edge["type"] == "Edge"
    (listed,) = datacenter.admin("listZones", id=edge["id"])["zone"]
    assert listed["type"] == "Edge"
    given = {"name": "basic", "networktype": "Basic", "dns1": "8.8.8.8", "internaldns1": "8.8.8.8"}
    assert "isedge" in refused(431, datacenter.admin, "createZone", isedge=True, **given).text
