"""A simulated datacenter behind the API, with nothing added yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backends.simulated.datacenter import uniform
from backends.simulated.world import SimulatedWorld
from cloudsim.management.first_state import seed
from cloudsim.management.server import ManagementServer
from cloudsim.model import ROW_TYPES
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from server.api.dispatch import Dispatcher
from tests.server.api.api_harness import PASSWORD, Api, Client

GIB = 1 << 30


class Datacenter(Api):
    """A cloud on a simulated world. `build` adds what clients' bootstraps add, in their order."""

    def __init__(self) -> None:
        world: Any = SimulatedWorld(uniform(hosts_per_rack=1), seed=3)
        self.world = world
        self.loop = world.loop
        self.store = Store(ROW_TYPES)
        self.manager: Any = ManagementServer(self.store, world, Randomness(7))
        self.manager.identity.users.passwords.log_cost = 4
        manager = self.manager
        seed(
            manager.foundation, manager.identity, manager.offerings, manager.guest_os, admin_password=PASSWORD
        )
        self.run(self._start())
        self.dispatcher = Dispatcher(manager)
        self.system = Client(self)
        self.admin = self.client(self.user("admin"))

    async def _start(self) -> None:
        self.manager.start()

    def zone(self, name: str = "zone", **more: Any) -> dict[str, Any]:
        given = {"networktype": "Advanced", "dns1": "8.8.8.8", "internaldns1": "10.0.0.1"}
        made: dict[str, Any] = self.admin("createZone", name=name, **{**given, **more})["zone"]
        return made

    def pod(self, zone: dict[str, Any], name: str = "pod") -> dict[str, Any]:
        made: dict[str, Any] = self.admin(
            "createPod",
            zoneid=zone["id"],
            name=name,
            gateway="172.16.15.1",
            netmask="255.255.255.0",
            startip="172.16.15.2",
            endip="172.16.15.200",
        )["pod"]
        return made

    def cluster(self, zone: dict[str, Any], pod: dict[str, Any], name: str = "cluster") -> dict[str, Any]:
        made: dict[str, Any] = self.admin(
            "addCluster",
            zoneid=zone["id"],
            podid=pod["id"],
            clustername=name,
            clustertype="CloudManaged",
            hypervisor="simulator",
        )["cluster"][0]
        return made

    def host(self, cluster: dict[str, Any], name: str = "h0", **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.admin(
            "addHost",
            zoneid=cluster["zoneid"],
            podid=cluster["podid"],
            clusterid=cluster["id"],
            hypervisor="simulator",
            url=f"http://sim/c/{name}",
            username="root",
            password="password",
            **more,
        )["host"][0]
        return made

    def pool(self, cluster: dict[str, Any], name: str = "primary", **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.admin(
            "createStoragePool",
            zoneid=cluster["zoneid"],
            podid=cluster["podid"],
            clusterid=cluster["id"],
            name=name,
            url=f"nfs://10.147.28.6:/export/{name}",
            **more,
        )["storagepool"]
        return made

    def build(self) -> dict[str, Any]:
        """One zone, pod, cluster, host and pool; answers the cluster."""
        zone = self.zone()
        cluster = self.cluster(zone, self.pod(zone))
        self.host(cluster)
        self.pool(cluster)
        self.admin("addImageStore", provider="NFS", url="nfs://10.147.28.6/secondary", zoneid=zone["id"])
        self.admin("updateZone", id=zone["id"], allocationstate="Enabled")
        return cluster

    def close(self) -> None:
        self.run(self.manager.stop())


@pytest.fixture
def datacenter() -> Iterator[Datacenter]:
    made = Datacenter()
    yield made
    made.close()
