"""VPNs over rows alone: a VPC and an isolated network with a public address each, and routers that say what is up."""

from __future__ import annotations

from typing import Any

from cloudsim.errors import ResourceUnavailable
from cloudsim.management.network.rules import NetworkRules
from cloudsim.management.vpn.customer_gateways import CustomerGatewayRequest, CustomerGateways
from cloudsim.management.vpn.remote_access import RemoteAccess
from cloudsim.management.vpn.site_to_site import SiteToSite
from cloudsim.model import Account, Network, PublicIp, Vpc, VpnConnection, VpnCustomerGateway
from cloudsim.protocol.systemvm import AnyReply, AnyRequest, RouterStatistics, RouterStatisticsResult
from tests.cloudsim.management.vpc.vpc_bench import RecordingRouters, VpcBench

SITE: dict[str, Any] = {
    "gateway": "198.51.100.1",
    "cidrs": "10.251.0.0/16",
    "preshared_key": "secret",
    "ike_policy": "aes128-sha1;modp1536",
    "esp_policy": "aes128-sha1",
}


class TalkingRouters(RecordingRouters):
    """`up` are the connections that routers say are established."""

    def __init__(self) -> None:
        super().__init__()
        self.up: tuple[str, ...] = ()

    async def sync(self, network_id: str) -> None:
        self._asked("sync network", network_id)

    async def ask(self, vm_id: str, request: AnyRequest) -> AnyReply:
        assert isinstance(request, RouterStatistics)
        if self.broken:
            raise ResourceUnavailable("the router does not answer")
        return RouterStatisticsResult(sites_up=self.up)


class VpnBench(VpcBench):
    """`vpc` has the source NAT address `ip`; the network `net`, which has the address `net_ip`, is isolated."""

    def __init__(self) -> None:
        super().__init__()
        self.talking = TalkingRouters()
        self.customers = CustomerGateways(self.foundation)
        self.sites = SiteToSite(self.foundation, self.talking, self.talking)
        rules = NetworkRules(self.foundation, self.talking, lambda row_id: False)
        self.dial_in = RemoteAccess(self.foundation, self.talking, rules.use, rules.firewall)
        self.rules = rules
        self.mine: Vpc = self.vpc()
        self.ip: PublicIp = self.public_ips.acquire(self.ann, self.zone, vpc=self.mine, source_nat=True)
        with self.store.transaction():
            self.net: Network = self.add(
                Network(
                    id="net",
                    name="net",
                    display_text="net",
                    zone_id="zone",
                    network_offering_id="DefaultIsolatedNetworkOfferingWithSourceNatService",
                    account_id="ann",
                    domain_id="root",
                    cidr="10.1.1.0/24",
                )
            )
        self.net_ip: PublicIp = self.public_ips.acquire(self.ann, self.zone, network=self.net, source_nat=True)

    def customer(self, name: str | None = None, owner: Account | None = None, **asked: Any) -> VpnCustomerGateway:
        request = CustomerGatewayRequest(**{**SITE, **asked}, name=name)
        return self.customers.create(owner or self.ann, request)

    def connect(self, customer: VpnCustomerGateway, *, passive: bool = False) -> VpnConnection:
        """A connection of the VPC, set up; with its gateway made if need be."""
        gateway = self.sites._gateways.find("vpc_id", self.mine.id) or self.sites.create_gateway(self.mine)
        made: VpnConnection = self.do(self.sites.apply(self.sites.create(gateway, customer, passive=passive).id))
        return made
