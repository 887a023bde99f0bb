"""Builds a zone on a lab's hosts, as an operator would: by the public API, one call after the other."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import msgspec

from server.lab.client import ApiClient, ApiError, wait_for

HYPERVISOR = "KVM"
HOSTS_UP_WITHIN = 180.0
TEMPLATE_WITHIN = 300.0
_TRAFFIC = ("Management", "Guest", "Storage")
_ROUTERS = ("VirtualRouter", "VpcVirtualRouter")
_BALANCERS = "InternalLbVm"
_QUICK = {"ping.interval": "5", "ping.timeout": "2"}
"""How often agents are heard, and after how many silent intervals a host is suspected: a fault is seen in seconds."""


class PublicPlan(msgspec.Struct, frozen=True):
    """The zone's public addresses: the `addresses` of `network`, whose first one is the gateway, untagged."""

    network: IPv4Network
    addresses: tuple[int, int] = (10, 200)


class ZonePlan(msgspec.Struct, frozen=True):
    """What to build. `network` is the lab's management network; `addresses` of it are kept for system VMs.

    Without `public` addresses the zone has no routers or other system VMs.
    """

    name: str
    network: IPv4Network
    guest_cidr: str = "10.1.1.0/24"
    vlans: str = "5000-5099"
    addresses: tuple[int, int] = (220, 250)
    public: PublicPlan | None = None

    @property
    def pod(self) -> str:
        return f"{self.name}-pod"

    @property
    def cluster(self) -> str:
        return f"{self.name}-cluster"


class Zone:
    """A zone in the making. Each method raises ApiError; what was built before stays."""

    def __init__(self, api: ApiClient, plan: ZonePlan) -> None:
        self.api = api
        self.plan = plan
        self.id = ""
        self.cluster_id = ""

    def lay_out(self) -> None:
        """The zone itself, disabled, its network, its pod and its cluster: where hosts can join."""
        api, plan = self.api, self.plan
        # Templates may come from this machine.
        settings = {**_QUICK, "secstorage.allowed.internal.sites": str(plan.network)}
        for name, value in settings.items():
            api.call("updateConfiguration", name=name, value=value)
        if plan.public is not None:  # the lab's own images come from these networks, and from nowhere else
            sites = f"{plan.network},{plan.public.network}"
            api.call("updateConfiguration", name="secstorage.allowed.internal.sites", value=sites)
        resolver = plan.network.network_address + 1
        zone = api.call(
            "createZone",
            name=plan.name,
            networktype="Advanced",
            dns1=resolver,
            internaldns1=resolver,
            guestcidraddress=plan.guest_cidr,
        )
        self.id = zone["zone"]["id"]
        physical = api.job(
            "createPhysicalNetwork",
            zoneid=self.id,
            name=f"{plan.name}-network",
            isolationmethods="VXLAN",
            vlan=plan.vlans,
        )["physicalnetwork"]["id"]
        for traffic in (*_TRAFFIC, *(("Public",) if plan.public is not None else ())):
            api.job("addTrafficType", physicalnetworkid=physical, traffictype=traffic)
        self._enable_providers(physical)
        api.job("updatePhysicalNetwork", id=physical, state="Enabled")
        if plan.public is not None:
            self._add_public(physical, plan.public)
        first, last = (plan.network.network_address + number for number in plan.addresses)
        pod = api.call(
            "createPod",
            zoneid=self.id,
            name=plan.pod,
            gateway=resolver,
            netmask=plan.network.netmask,
            startip=first,
            endip=last,
        )["pod"]["id"]
        cluster = api.call(
            "addCluster",
            zoneid=self.id,
            podid=pod,
            clustername=plan.cluster,
            clustertype="CloudManaged",
            hypervisor=HYPERVISOR,
        )
        self.cluster_id = _one(cluster["cluster"])["id"]

    def _enable_providers(self, physical: str) -> None:
        """Every network service provider, those that system VMs stand behind after their element."""
        api = self.api
        for provider in api.list("listNetworkServiceProviders", physicalnetworkid=physical):
            kind = "VirtualRouter" if provider["name"] in _ROUTERS else "InternalLoadBalancer"
            if provider["name"] in (*_ROUTERS, _BALANCERS):
                for element in api.list(f"list{kind}Elements", nspid=provider["id"]):
                    api.job(f"configure{kind}Element", id=element["id"], enabled=True)
            api.job("updateNetworkServiceProvider", id=provider["id"], state="Enabled")

    def _add_public(self, physical: str, public: PublicPlan) -> None:
        first, last = (public.network.network_address + number for number in public.addresses)
        self.api.call(
            "createVlanIpRange",
            zoneid=self.id,
            physicalnetworkid=physical,
            forvirtualnetwork=True,
            gateway=public.network.network_address + 1,
            netmask=public.network.netmask,
            startip=first,
            endip=last,
            vlan="untagged",
        )

    def wait_for_hosts(self, names: Sequence[str]) -> None:
        """Until the agents on these hosts have joined."""
        missing = list(names)

        def up() -> bool:
            found = self.api.list("listHosts", type="Routing", zoneid=self.id, state="Up")
            missing[:] = sorted(set(names) - {host["name"] for host in found})
            return not missing

        try:
            wait_for("listHosts", up, HOSTS_UP_WITHIN)
        except ApiError as error:
            said = ", ".join(missing)
            raise ApiError(f"not Up within {HOSTS_UP_WITHIN:g} s: {said}. See the agents' logs ({error})") from error

    def add_storage(self, primary: Path, secondary: Path) -> None:
        self.api.call(
            "createStoragePool",
            zoneid=self.id,
            name="primary",
            url=f"sharedmountpoint://localhost{primary}",
            scope="ZONE",
            hypervisor=HYPERVISOR,
        )
        self.api.call(
            "addImageStore", zoneid=self.id, name="secondary", provider="NFS", url=f"file://{secondary}"
        )

    def open(self) -> None:
        """Users may use it from now on."""
        self.api.call("updateZone", id=self.id, allocationstate="Enabled")

    def add_template(self, name: str, url: str, text: str, *, system: bool = False) -> str:
        """Register a template (`system`: of system VMs) and wait until its image is here; its id."""
        os_types = self.api.list("listOsTypes", keyword="Other Linux (64-bit)")
        template = self.api.call(
            "registerTemplate",
            zoneid=self.id,
            name=name,
            displaytext=text,
            url=url,
            format="QCOW2",
            hypervisor=HYPERVISOR,
            ostypeid=os_types[0]["id"] if os_types else None,
            ispublic=not system,
            isfeatured=not system,
            passwordenabled=not system,
            templatetype="SYSTEM" if system else None,
        )
        found = str(_one(template["template"])["id"])

        def ready() -> bool:
            listed = self.api.list("listTemplates", templatefilter="all", id=found, zoneid=self.id)
            status = str(listed[0].get("status", "")) if listed else "it is gone"
            if not listed or "error" in status.lower() or "fail" in status.lower():
                raise ApiError(f"registerTemplate: {name} was not downloaded: {status}")
            return listed[0].get("isready") is True

        wait_for(f"registerTemplate: the download of {name}", ready, TEMPLATE_WITHIN)
        return found

    def add_offering(self, name: str, text: str, *, cores: int, mhz: int, memory_mib: int) -> str:
        """The id of a service offering with a root disk of the template's size."""
        found = self.api.call(
            "createServiceOffering",
            name=name,
            displaytext=text,
            cpunumber=cores,
            cpuspeed=mhz,
            memory=memory_mib,
            offerha=True,
        )
        return str(found["serviceoffering"]["id"])


def _one(found: Any) -> dict[str, Any]:
    """CloudStack answers some creations with a list of one."""
    return dict(found[0] if isinstance(found, list) else found)
