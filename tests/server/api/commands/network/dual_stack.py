"""A zone with public IPv6 addresses and a prefix for its guest networks, and offerings of networks and VPCs with both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from server.api.dispatch import Dispatcher
from tests.cloudsim.management.systemvm.routed_cloud import RoutedCloud
from tests.server.api.api_harness import Refused
from tests.server.api.commands.network.routed_api import RoutedApi

OUTSIDE6, ELSEWHERE6 = "2001:db8:ffff::7", "2001:db8:eeee::9"
"""Two machines in the Internet."""
PUBLIC6 = {"ip6gateway": "2001:db8:0:1::1", "ip6cidr": "2001:db8:0:1::/64"}
PREFIX = "2001:db8:0:1100::/56"
SERVICES = ("Dhcp", "Dns", "SourceNat", "StaticNat", "PortForwarding", "Firewall", "UserData")
TIER_SERVICES = ("Dhcp", "Dns", "SourceNat", "StaticNat", "PortForwarding", "NetworkACL", "UserData")


def denied(status: int, asked: Callable[..., Any], *about: Any, **more: Any) -> str:
    """What is said of a call that has to be answered with an error of that status."""
    with pytest.raises(Refused) as caught:
        asked(*about, **more)
    assert caught.value.status == status, caught.value
    return caught.value.text


class DualStackApi(RoutedApi):
    """No network yet. `offering`, `closed`: the offering of isolated networks that let all out, or nothing."""

    def __init__(self) -> None:
        self.cloud = RoutedCloud()
        self.manager = self.cloud.manager
        self.store = self.cloud.store
        self.dispatcher = Dispatcher(self.manager)
        self.admin = self.client("admin")
        self.admin("updateConfiguration", name="ipv6.offering.enabled", value="true")
        self.range = self.admin(
            "createVlanIpRange", zoneid=self.zone, forvirtualnetwork=True, vlan="50", **PUBLIC6
        )["vlan"]
        self.prefix = self.admin("createGuestNetworkIpv6Prefix", zoneid=self.zone, prefix=PREFIX)[
            "guestnetworkipv6prefix"
        ]
        self.offering = self.network_offering("dual stack", egressdefaultpolicy=True)["id"]
        self.closed = self.network_offering("dual stack, closed")["id"]

    def network_offering(self, name: str, **more: Any) -> dict[str, Any]:
        for_vpc = more.get("forvpc")
        provider = "VpcVirtualRouter" if for_vpc else "VirtualRouter"
        services = TIER_SERVICES if for_vpc else SERVICES
        listed = {
            f"serviceproviderlist[{at}].{key}": value
            for at, service in enumerate(services)
            for key, value in (("service", service), ("provider", provider))
        }
        made: dict[str, Any] = self.admin(
            "createNetworkOffering",
            **{
                "name": name,
                "displaytext": name,
                "traffictype": "Guest",
                "guestiptype": "Isolated",
                "internetprotocol": "DualStack",
                "supportedservices": ",".join(services),
                "enable": True,
                **listed,
                **more,
            },
        )["networkoffering"]
        return made

    def dual(self, name: str = "front", **more: Any) -> dict[str, Any]:
        return self.network(name, **{"networkofferingid": self.offering, **more})

    def subnets(self) -> int:
        """How many subnets of the prefix networks have."""
        (row,) = self.admin("listGuestNetworkIpv6Prefixes")["guestnetworkipv6prefix"]
        return int(row["usedsubnets"])

    def nic(self, vm: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.admin("listNics", virtualmachineid=vm["id"])["nic"][0]
        return found

    def let_in(self, network: dict[str, Any], **what: Any) -> dict[str, Any]:
        asked = {"networkid": network["id"], "protocol": "tcp", "startport": 22, "endport": 22, **what}
        made: dict[str, Any] = self.admin("createIpv6FirewallRule", **asked)["ipv6firewallrule"]
        return made
