"""A suite that makes its own zones through the integration port, without keys, and goes on with those it asked for.

It spells things as deployment tools do: hypervisors in any case, hosts at http://sim/..., NFS exports as host:/path, the
VLANs of a physical network given when it is enabled; in zones of each kind instances must then run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.server.serving import Connection, ServerProcess

EXPORT = "nfs://10.147.28.6:/export/home/sandbox"
ELEMENTS = {
    "VirtualRouter": "VirtualRouter",
    "VpcVirtualRouter": "VirtualRouter",
    "InternalLbVm": "InternalLoadBalancer",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Beside a zone that was there before."""
    rack = tmp_path_factory.mktemp("rack") / "rack.yaml"
    rack.write_text("zones: [{pods: [{racks: [{hosts: 1}]}]}]\n")
    options = ("--pace", "max", "--datacenter", str(rack), "--integration-port", "0")
    made = ServerProcess(rack.parent / "data", *options)
    yield made
    made.stop()


class Trusted:
    """Calls without keys."""

    def __init__(self, served: ServerProcess) -> None:
        (line,) = [line for line in served.lines if "Without keys" in line]
        self._url = line.split()[2]

    def __call__(self, command: str, **parameters: Any) -> Any:
        """The answer without its envelope; a job's result where it is one."""
        body = self._get(command, **parameters)
        while "jobid" in body and "jobstatus" not in body:
            found = self._get("queryAsyncJobResult", jobid=body["jobid"])
            if found["jobstatus"]:
                assert found["jobstatus"] == 1, found
                return found["jobresult"]
            time.sleep(0.02)
        return body

    def _get(self, command: str, **parameters: Any) -> Any:
        given = {name: value for name, value in parameters.items() if value is not None}
        with urlopen(f"{self._url}?{urlencode({'command': command, 'response': 'json', **given})}") as answer:
            return next(iter(json.load(answer).values()))

    # what a deployment does

    def zone(self, name: str, *, type: str = "Advanced", guarded: bool = False, edge: bool = False) -> str:
        wanted = {"dns1": "10.147.28.6", "internaldns1": "10.147.28.6", "networktype": type}
        wanted |= {"securitygroupenabled": "true"} if guarded else {"guestcidraddress": "10.1.1.0/24"}
        wanted |= {"isedge": "true", "localstorageenabled": "true"} if edge else {}
        return str(self("createZone", name=name, **wanted)["zone"]["id"])

    def wire(
        self, zone: str, isolation: str, traffic: list[str], providers: list[str], vlan: str | None = None
    ) -> None:
        made = self("createPhysicalNetwork", zoneid=zone, name="pnet", isolationmethods=isolation)
        wire = made["physicalnetwork"]["id"]
        for each in traffic:
            self("addTrafficType", physicalnetworkid=wire, traffictype=each)
        for name in providers:
            disabled = {"physicalnetworkid": wire, "state": "Disabled", "name": name}
            (provider,) = self("listNetworkServiceProviders", **disabled)["networkserviceprovider"]
            if name in ELEMENTS:
                kind = ELEMENTS[name]
                (element,) = self(f"list{kind}Elements", nspid=provider["id"])[f"{kind.lower()}element"]
                self(f"configure{kind}Element", enabled="true", id=element["id"])
            self("updateNetworkServiceProvider", id=provider["id"], state="Enabled")
        self("updatePhysicalNetwork", id=wire, state="Enabled", vlan=vlan)

    def guests(self, zone: str, **subnet: str) -> str:
        name = "DefaultSharedNetworkOfferingWithSGService"
        (offering,) = self("listNetworkOfferings", name=name)["networkoffering"]
        named = {
            "name": "guests",
            "displaytext": "guests",
            "networkofferingid": offering["id"],
            "zoneid": zone,
        }
        return str(self("createNetwork", **named, **subnet)["network"]["id"])

    def pod(
        self, zone: str, prefix: str, hypervisor: str, hosts: list[str], network: str | None = None
    ) -> None:
        span = {
            "gateway": f"{prefix}.1",
            "netmask": "255.255.255.0",
            "startip": f"{prefix}.2",
            "endip": f"{prefix}.200",
        }
        pod = self("createPod", name="POD0", zoneid=zone, **span)["pod"]["id"]
        if network is not None:
            addresses = {"gateway": "60.147.41.1", "netmask": "255.255.255.0"}
            addresses |= {"startip": "60.147.41.2", "endip": "60.147.41.254", "forvirtualnetwork": "false"}
            self("createVlanIpRange", zoneid=zone, podid=pod, networkid=network, **addresses)
        where = {"zoneid": zone, "podid": pod, "hypervisor": hypervisor}
        made = self("addCluster", clustername="C0", clustertype="CloudManaged", **where)
        where["clusterid"] = made["cluster"][0]["id"]
        for url in hosts:
            self("addHost", url=url, username="root", password="password", **where)
        found = self("listHosts", clusterid=where["clusterid"], zoneid=zone)["host"]
        assert [host["state"] for host in found] == ["Up"] * len(hosts)
        del where["hypervisor"]
        self("createStoragePool", name="PS0", url=f"{EXPORT}/{zone}", **where)

    def opened(self, zone: str, *, images: bool = True) -> None:
        if images:
            self("addImageStore", zoneid=zone, provider="NFS", url=f"{EXPORT}/images-{zone}")
        self("updateZone", id=zone, allocationstate="Enabled")


@pytest.fixture(scope="module")
def trusted(served: ServerProcess) -> Trusted:
    return Trusted(served)


def advanced(call: Trusted, name: str = "adv", *, edge: bool = False) -> str:
    zone = call.zone(name, edge=edge)
    providers = ["VirtualRouter", "VpcVirtualRouter", "InternalLbVm"]
    call.wire(zone, "VLAN", ["Guest", "Management", "Public"], providers, "500-520" if edge else "100-200")
    call.pod(
        zone,
        "172.16.16" if edge else "172.16.15",
        "simulator",
        [f"http://sim/{name}/h0", f"http://sim/{name}/h1"],
    )
    prefix = "192.168.3" if edge else "192.168.2"
    span = {
        "startip": f"{prefix}.2",
        "endip": f"{prefix}.200",
        "netmask": "255.255.255.0",
        "gateway": f"{prefix}.1",
    }
    call("createVlanIpRange", zoneid=zone, vlan="50", forvirtualnetwork="true", **span)
    call.opened(zone, images=not edge)
    return zone


def basic(call: Trusted) -> str:
    zone = call.zone("basic", type="Basic", guarded=True)
    call.wire(zone, "L3", ["Guest", "Management"], ["VirtualRouter", "SecurityGroupProvider"])
    call.pod(zone, "172.16.17", "simulator", ["http://sim/basic/h0"], call.guests(zone))
    call.opened(zone)
    return zone


def guarded(call: Trusted) -> str:
    zone = call.zone("sg", guarded=True)
    call.wire(zone, "VLAN", ["Guest", "Management"], ["VirtualRouter", "SecurityGroupProvider"])
    span = {
        "startip": "10.147.31.150",
        "endip": "10.147.31.159",
        "netmask": "255.255.255.0",
        "gateway": "10.147.31.1",
    }
    call.guests(zone, vlan="31", **span)
    call.pod(zone, "10.147.29", "Simulator", ["http://simulator0"])
    call.opened(zone)
    return zone


@pytest.mark.parametrize(
    ("make", "prefix"), [(advanced, "10.1.1."), (basic, "60.147.41."), (guarded, "10.147.31.")]
)
def test_an_instance_runs_in_the_zone(
    served: ServerProcess, trusted: Trusted, make: Any, prefix: str
) -> None:
    zone = make(trusted)
    call = Connection(served)
    template = None
    end = time.monotonic() + 60
    while template is None:
        found = call("listTemplates", templatefilter="featured", zoneid=zone).get("template", [])
        ready = [each for each in found if each["isready"] and each["templatetype"] == "BUILTIN"]
        template = ready[0]["id"] if ready else None
        assert time.monotonic() < end, found
    offering = call("listServiceOfferings", name="Small Instance")["serviceoffering"][0]["id"]
    asked = call("deployVirtualMachine", zoneid=zone, templateid=template, serviceofferingid=offering)
    vm = call.job(asked["jobid"])["virtualmachine"]
    assert vm["state"] == "Running" and vm["nic"][0]["ipaddress"].startswith(prefix)
    call.close()


def test_an_edge_zone_needs_no_secondary_storage(trusted: Trusted) -> None:
    zone = advanced(trusted, "edge", edge=True)
    (row,) = trusted("listZones", id=zone)["zone"]
    assert (row["type"], row["allocationstate"]) == ("Edge", "Enabled")


def test_keys_asked_for_without_keys_are_good_on_the_other_port(
    served: ServerProcess, trusted: Trusted
) -> None:
    (user,) = trusted("listUsers", account="admin")["user"]
    keys = trusted("registerUserKeys", id=user["id"])["userkeys"]
    served.admin |= {"apikey": keys["apikey"], "secretkey": keys["secretkey"]}
    call = Connection(served)
    assert call("getUser", userapikey=keys["apikey"])["user"]["username"] == "admin"
    call.close()
