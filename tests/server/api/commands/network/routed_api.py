"""A simulated cloud behind its API in which a network has a router, a public address and two instances."""

from __future__ import annotations

from typing import Any

from cloudsim.systemvm.reachability import Reach
from server.api.dispatch import Dispatcher
from tests.cloudsim.management.systemvm.routed_cloud import RoutedCloud
from tests.server.api.api_harness import Client
from tests.server.api.commands.cloud_api import CloudApi

OUTSIDE, ELSEWHERE = "198.51.100.7", "192.0.2.7"
"""Two machines in the Internet."""


class RoutedApi(CloudApi):
    """`web` and `db` run in the network `front` of the admin's; `ip` is an address of it."""

    def __init__(self) -> None:
        self.cloud: RoutedCloud = RoutedCloud()
        self.manager = self.cloud.manager
        self.store = self.cloud.store
        self.dispatcher = Dispatcher(self.manager)
        self.admin = self.client("admin")
        self.front = self.network("front")
        self.web, self.db = (self.deploy(name, self.front["id"]) for name in ("web", "db"))
        self.ip = self.acquire(networkid=self.front["id"])

    def deploy(self, name: str, network_id: str, call: Client | None = None) -> dict[str, Any]:
        made: dict[str, Any] = (call or self.admin)(
            "deployVirtualMachine",
            name=name,
            zoneid=self.zone,
            templateid=self.cloud.template.id,
            serviceofferingid=next(iter(self.store.tables["ServiceOffering"])).id,
            networkids=network_id,
        )["virtualmachine"]
        return made

    def acquire(self, **where: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.admin("associateIpAddress", **where)["ipaddress"]
        return made

    def reach(self, destination: str, port: int, source: str = OUTSIDE, protocol: str = "tcp") -> Reach:
        """Whether a machine in the Internet, or an instance, gets to that port, by what is in force on the hosts."""
        found: Reach = self.cloud.world.reachability().can_reach(source, destination, protocol, port)
        return found

    def ends(
        self, destination: str, port: int, source: str = OUTSIDE, protocol: str = "tcp"
    ) -> set[tuple[str, int]]:
        """The instances, by their names on the hosts, and the ports that a connection may arrive at."""
        return {(end.name, end.port) for end in self.reach(destination, port, source, protocol).ends}
