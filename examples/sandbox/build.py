"""Builds zones through the public API as an operator would, with the client `cs` and a description in YAML.

    cloudsim serve --pace max --datacenter examples/sandbox/nothing.yaml --data /tmp/sandbox &
    CLOUDSTACK_CONFIG=/tmp/sandbox/cloudstack.ini python examples/sandbox/build.py examples/sandbox/zones.yaml

Each step waits for the one before; a failure says which call was refused, and what was built until then stays.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import yaml
from cs import CloudStack, read_config

HYPERVISOR = "Simulator"
TEMPLATE_WITHIN = 300.0
_ELEMENTS = {
    "VirtualRouter": "VirtualRouter",
    "VpcVirtualRouter": "VirtualRouter",
    "InternalLbVm": "InternalLoadBalancer",
}


class Builder:
    """Builds what a description says in the cloud that `cs` calls."""

    def __init__(self, cs: CloudStack) -> None:
        self.cs = cs

    def call(self, command: str, **parameters: Any) -> dict[str, Any]:
        """A command's answer, or the result of its job."""
        return dict(getattr(self.cs, command)(fetch_result=True, **parameters))

    def build(self, description: dict[str, Any]) -> list[str]:
        """Build all zones; their ids."""
        for name, value in description.get("settings", {}).items():
            self.call("updateConfiguration", name=name, value=str(value).lower())
        return [self.zone(each) for each in description["zones"]]

    def zone(self, zone: dict[str, Any]) -> str:
        """One zone, from its networks to its storage; enabled at the end, when its templates are there."""
        own = {k: v for k, v in zone.items() if isinstance(v, str | bool)}
        zone_id = str(self.call("createZone", **own)["zone"]["id"])
        networks = [self.physical_network(zone_id, each) for each in zone["physical_networks"]]
        guest = self.guest_network(zone_id, zone["guest_network"]) if "guest_network" in zone else None
        for each in zone.get("public_ranges", []):
            self.call(
                "createVlanIpRange", zoneid=zone_id, physicalnetworkid=networks[0], forvirtualnetwork=True, **each
            )
        for each in zone["pods"]:
            self.pod(zone_id, guest, each)
        for each in zone["secondary_storage"]:
            self.call("addImageStore", zoneid=zone_id, provider="NFS", **each)
        self.call("updateZone", id=zone_id, allocationstate="Enabled")
        self.wait_for_templates(zone_id)
        return zone_id

    def physical_network(self, zone_id: str, network: dict[str, Any]) -> str:
        own = {k: v for k, v in network.items() if isinstance(v, str)}
        made = self.call("createPhysicalNetwork", zoneid=zone_id, **own)["physicalnetwork"]["id"]
        for traffic in network["traffic_types"]:
            self.call("addTrafficType", physicalnetworkid=made, traffictype=traffic)
        self.call("updatePhysicalNetwork", id=made, state="Enabled")
        for provider in self.call("listNetworkServiceProviders", physicalnetworkid=made)["networkserviceprovider"]:
            if provider["name"] in network["providers"]:
                element = _ELEMENTS.get(provider["name"])
                if element is not None:
                    (found,) = self.call(f"list{element}Elements", nspid=provider["id"])[f"{element.lower()}element"]
                    self.call(f"configure{element}Element", id=found["id"], enabled=True)
                self.call("updateNetworkServiceProvider", id=provider["id"], state="Enabled")
        return str(made)

    def guest_network(self, zone_id: str, network: dict[str, Any]) -> str:
        """The network of a zone whose guests all share one."""
        (offering,) = self.call("listNetworkOfferings", name=network["offering"])["networkoffering"]
        name = network["name"]
        made = self.call(
            "createNetwork", zoneid=zone_id, name=name, displaytext=name, networkofferingid=offering["id"]
        )
        return str(made["network"]["id"])

    def pod(self, zone_id: str, guest: str | None, pod: dict[str, Any]) -> None:
        own = {k: v for k, v in pod.items() if isinstance(v, str)}
        pod_id = self.call("createPod", zoneid=zone_id, **own)["pod"]["id"]
        if "guest_range" in pod:
            self.call(
                "createVlanIpRange",
                zoneid=zone_id,
                podid=pod_id,
                networkid=guest,
                forvirtualnetwork=False,
                vlan="untagged",
                **pod["guest_range"],
            )
        where = {"zoneid": zone_id, "podid": pod_id}
        for cluster in pod["clusters"]:
            made = self.call(
                "addCluster",
                clustername=cluster["name"],
                clustertype="CloudManaged",
                hypervisor=HYPERVISOR,
                **where,
            )["cluster"][0]["id"]
            for url in cluster["hosts"]:
                self.call(
                    "addHost",
                    clusterid=made,
                    hypervisor=HYPERVISOR,
                    url=url,
                    username="root",
                    password="password",
                    **where,
                )
            for pool in cluster["primary_storage"]:
                self.call("createStoragePool", clusterid=made, scope="CLUSTER", **pool, **where)

    def wait_for_templates(self, zone_id: str) -> None:
        """Until every template of the zone is ready."""
        end = time.monotonic() + TEMPLATE_WITHIN
        while True:
            found = self.call("listTemplates", templatefilter="all", zoneid=zone_id).get("template", [])
            if found and all(template["isready"] for template in found):
                return
            if time.monotonic() > end:
                raise SystemExit(f"the templates of zone {zone_id} are not ready within {TEMPLATE_WITHIN:g} s")
            time.sleep(0.5)


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    config = {k: v for k, v in read_config().items() if k in ("endpoint", "key", "secret", "timeout")}
    builder = Builder(CloudStack(**config, fetch_result=True, poll_interval=0.2))
    for zone_id in builder.build(yaml.safe_load(Path(sys.argv[1]).read_text())):
        print(zone_id)


if __name__ == "__main__":
    main()
