"""A simulated cloud with public addresses, whose VPCs are made and used through its API."""

from __future__ import annotations

from typing import Any

from cloudsim.model import NetworkOffering, SystemVm, VpcOffering
from cloudsim.systemvm.reachability import Reach
from server.api.dispatch import Dispatcher
from tests.cloudsim.management.systemvm.routed_cloud import RoutedCloud
from tests.server.api.api_harness import Client
from tests.server.api.commands.cloud_api import CloudApi

OUTSIDE = "198.51.100.7"
"""A machine in the Internet."""
TIER = "DefaultIsolatedNetworkOfferingForVpcNetworks"
WITHOUT_LB = "DefaultIsolatedNetworkOfferingForVpcNetworksNoLB"
WITH_INTERNAL_LB = "DefaultIsolatedNetworkOfferingForVpcNetworksWithInternalLB"


class VpcApi(CloudApi):
    """No VPC yet."""

    def __init__(self) -> None:
        self.cloud: RoutedCloud = RoutedCloud()
        self.manager = self.cloud.manager
        self.store = self.cloud.store
        self.dispatcher = Dispatcher(self.manager)
        self.admin = self.client("admin")

    def offering(self, name: str = "Default VPC offering") -> str:
        found = self.store.table(VpcOffering).find("name", name)
        assert found is not None
        return found.id

    def network_offering(self, name: str) -> str:
        found = self.store.table(NetworkOffering).find("name", name)
        assert found is not None
        return found.id

    def vpc(self, call: Client | None = None, **more: Any) -> dict[str, Any]:
        asked = {
            "name": "shop",
            "displaytext": "Shop",
            "cidr": "10.20.0.0/16",
            "vpcofferingid": self.offering(),
            "zoneid": self.zone,
            **more,
        }
        made: dict[str, Any] = (call or self.admin)("createVPC", **asked)["vpc"]
        return made

    def tier(
        self, vpc: dict[str, Any], number: int = 1, offering: str = WITHOUT_LB, **more: Any
    ) -> dict[str, Any]:
        """10.20.`number`.0/24."""
        made: dict[str, Any] = self.admin(
            "createNetwork",
            name=f"tier{number}",
            displaytext=f"tier{number}",
            zoneid=self.zone,
            networkofferingid=self.network_offering(offering),
            gateway=f"10.20.{number}.1",
            netmask="255.255.255.0",
            vpcid=vpc["id"],
            **more,
        )["network"]
        return made

    def deploy(self, name: str, tier: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self.admin(
            "deployVirtualMachine",
            name=name,
            zoneid=self.zone,
            templateid=self.cloud.template.id,
            serviceofferingid=next(iter(self.store.tables["ServiceOffering"])).id,
            networkids=tier["id"],
        )["virtualmachine"]
        return made

    def one(self, command: str, key: str, **parameters: Any) -> dict[str, Any]:
        (found,) = self.admin(command, **parameters)[key]
        return dict(found)

    def default_list(self, name: str) -> str:
        lists = self.admin("listNetworkACLLists")["networkacllist"]
        return str(next(each["id"] for each in lists if each["name"] == name))

    def router(self, vpc: dict[str, Any]) -> SystemVm:
        (found,) = self.store.table(SystemVm).where("vpc_id", vpc["id"])
        return found

    def configuration(self, vpc: dict[str, Any]) -> Any:
        """What the VPC's router does now, as the machine itself knows it."""
        return self.cloud.appliance(self.router(vpc)).configuration

    def reaches(self, source: str, destination: str, port: int = 80, protocol: str = "tcp") -> bool:
        """Whether a packet from one address gets to another, by what is in force on the hosts."""
        found: Reach = self.cloud.world.reachability().can_reach(source, destination, protocol, port)
        return bool(found.ends)
