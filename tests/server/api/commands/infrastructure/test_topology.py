"""The picture of the datacenter says what the lists say, and what has changed of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.server.api.api_harness import parse_xml, refused
from tests.server.api.cloud_harness import TwoRacks


@pytest.fixture
def cloud() -> TwoRacks:
    return TwoRacks()


def picture(cloud: TwoRacks, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = cloud.admin("listTopology", **asked)["topology"]
    return found


def clusters(seen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (each for zone in seen["zone"] for pod in zone["pod"] for each in pod["cluster"])


def hosts(seen: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {host["id"]: host for cluster in clusters(seen) for host in cluster["host"]}


def test_it_is_the_tree_that_the_lists_tell(cloud: TwoRacks) -> None:
    seen = picture(cloud)
    assert seen["complete"] is True and seen["regionname"] == cloud.admin("listRegions")["region"][0]["name"]
    zones, pods = cloud.listed("listZones", "zone"), cloud.listed("listPods", "pod")
    assert [(z["id"], z["name"]) for z in seen["zone"]] == [(z["id"], z["name"]) for z in zones]
    drawn = [(zone["id"], pod["id"], pod["name"]) for zone in seen["zone"] for pod in zone["pod"]]
    assert drawn == [(pod["zoneid"], pod["id"], pod["name"]) for pod in pods]
    rows = cloud.listed("listClusters", "cluster")
    assert [(c["id"], c["name"]) for c in clusters(seen)] == [(c["id"], c["name"]) for c in rows]
    pools = {pool["id"]: cluster["id"] for cluster in clusters(seen) for pool in cluster["storagepool"]}
    assert pools == {p["id"]: p["clusterid"] for p in cloud.listed("listStoragePools", "storagepool")}
    stores = cloud.listed("listImageStores", "imagestore")
    assert [s["id"] for zone in seen["zone"] for s in zone["imagestore"]] == [s["id"] for s in stores]
    standing = {host["id"]: cluster["id"] for cluster in clusters(seen) for host in cluster["host"]}
    assert standing == {host["id"]: host["clusterid"] for host in cloud.listed("listHosts", "host")}


def test_a_host_looks_as_in_the_list_of_hosts(cloud: TwoRacks) -> None:
    cloud.admin("updateHost", id=cloud.listed("listHosts", "host")[0]["id"], hosttags="fast,big")
    for _ in range(3):
        cloud.deploy()
    drawn = hosts(picture(cloud))
    running = cloud.running()
    assert sum(host["instances"] for host in drawn.values()) == len(running) >= 3
    for row in cloud.listed("listHosts", "host"):
        host = drawn[row["id"]]
        assert {name: host.get(name) for name in ("name", "state", "resourcestate", "hosttags")} == {
            name: row.get(name) for name in ("name", "state", "resourcestate", "hosttags")
        }
        assert (host["cpu"], host["cpuused"]) == (
            int(row["cpuwithoverprovisioning"]),
            row["cpuallocatedvalue"],
        )
        assert host["memory"] << 20 == int(row["memorywithoverprovisioning"])
        assert host["memoryused"] << 20 == row["memoryallocated"]
        assert host["instances"] == list(running.values()).count(row["name"])


def test_one_zone_or_pod_is_drawn_alone(cloud: TwoRacks) -> None:
    other = cloud.admin(
        "createZone", name="other", networktype="Advanced", dns1="8.8.8.8", internaldns1="10.0.0.1"
    )["zone"]
    assert [zone["name"] for zone in picture(cloud)["zone"]][-1] == "other"
    (only,) = picture(cloud, zoneid=other["id"])["zone"]
    assert (only["id"], only["pod"]) == (other["id"], [])
    pod = cloud.listed("listPods", "pod")[0]
    (zone,) = picture(cloud, podid=pod["id"])["zone"]
    assert (zone["id"], [each["id"] for each in zone["pod"]]) == (pod["zoneid"], [pod["id"]])
    assert picture(cloud, podid=pod["id"], zoneid=other["id"])["zone"] == []


def test_only_the_root_admin_sees_it(cloud: TwoRacks) -> None:
    refused(401, cloud.account("somebody"), "listTopology")
    refused(401, cloud.domain_account("chief", type=2), "listTopology")


def test_it_can_be_had_as_xml(cloud: TwoRacks) -> None:
    request = cloud.admin.sign({"command": "listTopology"})
    root = parse_xml(cloud.run(cloud.dispatcher.answer(request)))
    assert len(root.findall("./topology/zone/pod/cluster/host/id")) == 4


def test_since_a_version_there_is_only_what_changed(cloud: TwoRacks) -> None:
    first = picture(cloud)
    quiet = picture(cloud, since=first["version"])
    assert (quiet["complete"], quiet["host"]) == (False, [])
    vm = cloud.deploy()
    second = picture(cloud, since=quiet["version"])
    changed = {host["id"]: host for host in second["host"]}
    assert not second["complete"] and "zone" not in second and vm["hostid"] in changed
    assert changed[vm["hostid"]]["memoryused"] == vm["memory"] + hosts(first)[vm["hostid"]]["memoryused"]
    assert not picture(cloud, since=second["version"])["host"]


def test_a_host_that_fails_is_among_the_changes(cloud: TwoRacks) -> None:
    before = picture(cloud)
    host = cloud.listed("listHosts", "host")[0]
    cloud.world.crash_host(host["name"])
    cloud.cloud.wait(600)
    (found,) = picture(cloud, since=before["version"])["host"]
    (listed,) = cloud.listed("listHosts", "host", id=host["id"])
    assert (found["id"], found["state"]) == (host["id"], listed["state"]) and listed["state"] != "Up"


@pytest.mark.parametrize(
    "change",
    [
        lambda cloud: cloud.admin("updatePod", id=cloud.listed("listPods", "pod")[0]["id"], name="renamed"),
        lambda cloud: cloud.admin(
            "updateConfiguration", name="cpu.overprovisioning.factor", value="2", clusterid=_cluster(cloud)
        ),
        lambda cloud: cloud.admin("deleteHost", id=_last_host(cloud)),
    ],
    ids=["a new name", "another over-commit", "a host less"],
)
def test_when_more_than_hosts_changed_all_of_it_is_told_again(
    cloud: TwoRacks, change: Callable[[TwoRacks], object]
) -> None:
    before = picture(cloud)
    change(cloud)
    after = picture(cloud, since=before["version"])
    assert after["complete"] and after["zone"] != before["zone"]
    assert not picture(cloud, since=after["version"])["complete"]


def _cluster(cloud: TwoRacks) -> str:
    return str(cloud.listed("listClusters", "cluster")[0]["id"])


def _last_host(cloud: TwoRacks) -> str:
    host = cloud.listed("listHosts", "host")[-1]
    cloud.admin("prepareHostForMaintenance", id=host["id"])
    return str(host["id"])


@pytest.mark.parametrize("since", ["", "yesterday", "1.2", "7.-1"])
def test_a_version_of_no_answer_of_this_server_gets_all_of_it(cloud: TwoRacks, since: str) -> None:
    assert picture(cloud)["complete"] and picture(cloud, since=since)["complete"]


def test_links_are_as_the_network_is_described(cloud: TwoRacks) -> None:
    seen = picture(cloud)
    fabric = cloud.world.datacenter.fabric
    assert [zone["bandwidth"] for zone in seen["zone"]] == [fabric.core.gbps * 1000]
    assert {cluster["bandwidth"] for cluster in clusters(seen)} == {fabric.rack.gbps * 1000}
    assert {host["bandwidth"] for host in hosts(seen).values()} == {fabric.host.gbps * 1000}
    pools = [pool["bandwidth"] for cluster in clusters(seen) for pool in cluster["storagepool"]]
    assert set(pools) == {fabric.storage.gbps * 1000}


def test_a_migration_is_seen_on_the_links_that_it_crosses(cloud: TwoRacks) -> None:
    vm = cloud.deploy()
    row = cloud.host(vm["hostname"])
    (other,) = (
        h for h in cloud.listed("listHosts", "host") if h["clusterid"] == row.cluster_id and h["id"] != row.id
    )
    assert "link" not in picture(cloud) or not picture(cloud)["link"]
    reply = cloud.admin.reply("migrateVirtualMachine", virtualmachineid=vm["id"], hostid=other["id"])
    job = json.loads(reply.text())["migratevirtualmachineresponse"]["jobid"]

    while not cloud.world.site.flows.active:
        cloud.run(asyncio.sleep(0.01))
    cloud.run(asyncio.sleep(0))
    seen = picture(cloud)
    links = {link["lower"]: link for link in seen["link"]}
    assert set(links) == {row.id, other["id"]}
    assert {link["upper"] for link in links.values()} == {row.cluster_id}
    assert (links[row.id]["up"], links[row.id]["down"]) == (1.0, 0.0)
    assert (links[other["id"]]["up"], links[other["id"]]["down"]) == (0.0, 1.0)
    assert hosts(seen)[other["id"]]["instances"] >= 1 and hosts(seen)[row.id]["instances"] >= 1
    cloud.admin.job(job)
    assert cloud.vm(vm["id"])["hostid"] == other["id"] and not picture(cloud)["link"]


def test_a_cut_link_is_told_until_it_is_mended(cloud: TwoRacks) -> None:
    rack = cloud.world.layout.zones[0].pods[0].racks[1]
    cloud.world.cut_link(rack.path)
    (link,) = picture(cloud)["link"]
    (cluster,) = (each for each in cloud.listed("listClusters", "cluster") if each["name"] == rack.name)
    assert (link["lower"], link["upper"], link["cut"]) == (cluster["id"], cluster["podid"], True)
    assert picture(cloud, since=picture(cloud)["version"])["link"] == [link]
    other = cloud.admin(
        "createZone", name="other", networktype="Advanced", dns1="8.8.8.8", internaldns1="10.0.0.1"
    )["zone"]
    assert picture(cloud, zoneid=other["id"])["link"] == []
    cloud.world.restore_link(rack.path)
    assert picture(cloud)["link"] == []
