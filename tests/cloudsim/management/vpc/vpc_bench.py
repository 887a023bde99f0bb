"""VPCs over rows alone: a zone with public addresses, accounts, and routers that only keep account of what they are told."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from backends.simulated.loop import SimLoop
from cloudsim.errors import CloudError, ResourceUnavailable
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.limits import Limits
from cloudsim.management.network.first_network_offerings import FIRST_OFFERINGS
from cloudsim.management.network.ipv6_prefixes import GuestIpv6Prefixes
from cloudsim.management.network.network_requests import NetworkRequest
from cloudsim.management.network.networks import Networks
from cloudsim.management.network.providers import NetworkServiceProviders
from cloudsim.management.network.public_ips import PublicIps
from cloudsim.management.network.public_ipv6 import PublicIpv6s
from cloudsim.management.network.source_nat import SourceNat
from cloudsim.management.vpc.acl_rules import AclRuleRequest
from cloudsim.management.vpc.acls import NetworkAcls
from cloudsim.management.vpc.first_vpc_offerings import seed_vpc_rows
from cloudsim.management.vpc.private_gateways import PrivateGateways
from cloudsim.management.vpc.static_routes import StaticRoutes
from cloudsim.management.vpc.vpc_offerings import VpcOfferings
from cloudsim.management.vpc.vpcs import VpcRequest, Vpcs
from cloudsim.model import (
    Account,
    Domain,
    IpRange,
    Network,
    NetworkAcl,
    NetworkAclList,
    NetworkOffering,
    PhysicalNetwork,
    PrivateGateway,
    SystemVm,
    Vpc,
    VpcOffering,
    Zone,
)
from cloudsim.model.identity import NORMAL_USER, ROOT_ADMIN
from cloudsim.store import Row
from tests.cloudsim.management.bare import bare

TIER = "DefaultIsolatedNetworkOfferingForVpcNetworks"
WITHOUT_LB = "DefaultIsolatedNetworkOfferingForVpcNetworksNoLB"
WITH_INTERNAL_LB = "DefaultIsolatedNetworkOfferingForVpcNetworksWithInternalLB"


class RecordingRouters:
    """`told`: what was asked, in order, as (what, id). While `broken`, nothing can be done. `runs`: VPCs have routers."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.broken = False
        self.runs = True

    def of_vpc(self, vpc_id: str) -> SystemVm | None:
        return SystemVm(id="router", kind="DomainRouter", zone_id="zone", vpc_id=vpc_id) if self.runs else None

    def of(self, network: Network) -> SystemVm | None:
        return None if network.vpc_id is None else self.of_vpc(network.vpc_id)

    def _asked(self, what: str, row_id: str) -> None:
        if self.broken:
            raise ResourceUnavailable("the router does not answer")
        self.told.append((what, row_id))

    async def ensure_vpc(self, vpc_id: str) -> None:
        self._asked("ensure", vpc_id)

    async def sync_vpc(self, vpc_id: str) -> None:
        self._asked("sync", vpc_id)

    async def remove_vpc_router(self, vpc_id: str) -> None:
        self._asked("remove", vpc_id)

    async def restart_vpc(self, vpc: Vpc, *, cleanup: bool) -> None:
        self._asked("restart with a new router" if cleanup else "restart", vpc.id)

    async def restart(self, network: Network, *, cleanup: bool) -> None:
        self._asked("restart with a new router" if cleanup else "restart", network.id)

    async def plug_private(self, gateway: PrivateGateway) -> None:
        self._asked("plug", gateway.id)

    async def unplug_private(self, gateway: PrivateGateway) -> None:
        self._asked("unplug", gateway.id)


class VpcBench:
    """A zone `zone`, the accounts `ann` and `bob`, and a root admin."""

    def __init__(self) -> None:
        self.loop = SimLoop()
        self.foundation = bare()
        self.store = self.foundation.store
        self.routers = RecordingRouters()
        with self.store.transaction():
            for first in FIRST_OFFERINGS:
                self.add(
                    NetworkOffering(
                        id=first.name,
                        name=first.name,
                        display_text=first.display_text,
                        guest_type=first.guest_type,
                        services=first.services,
                        for_vpc=first.for_vpc,
                        conserve_mode=first.conserve_mode,
                    )
                )
            seed_vpc_rows(self.foundation)
            self.root: Domain = self.add(Domain(id="root", name="ROOT", path="ROOT"))
            self.ann = self.account("ann")
            self.bob = self.account("bob")
            self.zone: Zone = self.add(
                Zone(
                    id="zone",
                    name="zone",
                    network_type="Advanced",
                    dns1="8.8.8.8",
                    internal_dns1="8.8.4.4",
                    allocation_state="Enabled",
                )
            )
            self.wire: PhysicalNetwork = self.add(
                PhysicalNetwork(id="wire", name="wire", zone_id="zone", vlan="100-199", state="Enabled")
            )
            providers = NetworkServiceProviders(self.foundation)
            providers.add_first(self.wire)
            providers.enable_all(self.wire)
            self.add(
                IpRange(
                    id="11111111-1111-1111-1111-111111111111",
                    zone_id="zone",
                    gateway="192.168.2.1",
                    netmask="255.255.255.0",
                    start_ip="192.168.2.10",
                    end_ip="192.168.2.99",
                )
            )
        self.admin = Caller(self.account("admin", ROOT_ADMIN))
        self.limits = Limits(self.foundation)
        self.public_ips = PublicIps(self.foundation, self.limits)
        public6 = PublicIpv6s(self.foundation, self.public_ips)
        self.networks = Networks(self.foundation, self.limits, GuestIpv6Prefixes(self.foundation), public6)
        self.offerings = VpcOfferings(self.foundation)
        self.vpcs = Vpcs(self.foundation, self.limits, self.routers, self.public_ips, public6)
        self.source_nat = SourceNat(self.foundation, self.public_ips, self.routers)
        self.acls = NetworkAcls(self.foundation, self.routers)
        self.gateways = PrivateGateways(self.foundation, self.routers, self.acls)
        self.routes = StaticRoutes(self.foundation, self.routers)
        self.vpcs.on_delete += (self.routes.remove_of, self.gateways.remove_of, self.acls.remove_of)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def add(self, row: Row) -> Any:
        return self.store.table(type(row)).insert(row)

    def rows(self, kind: type[Row]) -> list[Any]:
        return list(self.store.table(kind))

    def now(self, row: Any) -> Any:
        """The row as it is now, or None."""
        return self.store.table(type(row)).get(row.id)

    def account(self, name: str, type: int = NORMAL_USER) -> Account:
        with self.store.transaction():
            made: Account = self.add(Account(id=name, name=name, type=type, domain_id="root", role_id="role"))
        return made

    def offering(self, name: str = "Default VPC offering") -> VpcOffering:
        found = self.store.table(VpcOffering).find("name", name)
        assert found is not None
        return found

    def network_offering(self, name: str = TIER) -> NetworkOffering:
        found = self.store.table(NetworkOffering).find("name", name)
        assert found is not None
        return found

    def default(self, name: str) -> NetworkAclList:
        return next(each for each in self.store.table(NetworkAclList) if each.name == name)

    def vpc(
        self, name: str = "vpc", cidr: str = "10.20.0.0/16", owner: Account | None = None, **more: Any
    ) -> Vpc:
        made: Vpc = self.vpcs.create(
            self.admin, owner or self.ann, self.zone, self.offering(), VpcRequest(name=name, cidr=cidr, **more)
        )
        return made

    def tier(
        self,
        vpc: Vpc,
        gateway: str = "10.20.1.1",
        netmask: str = "255.255.255.0",
        *,
        name: str = "tier",
        offering: str = TIER,
        owner: Account | None = None,
        **more: Any,
    ) -> Network:
        request = NetworkRequest(name=name, gateway=gateway, netmask=netmask, vpc=vpc, **more)
        return self.networks.create(
            self.admin, owner or self.ann, self.zone, self.network_offering(offering), request
        )

    def acl(self, vpc: Vpc, name: str = "list") -> NetworkAclList:
        return self.acls.create_list(vpc, name=name)

    def rule(self, acl: NetworkAclList, number: int | None = None, **asked: Any) -> NetworkAcl:
        """A rule in force."""
        made = self.acls.create_rule(acl, None, AclRuleRequest(**{"protocol": "tcp", **asked, "number": number}))
        in_force: NetworkAcl = self.do(self.acls.apply(made.id))
        return in_force

    def refused(self, work: Coroutine[Any, Any, Any]) -> CloudError:
        """The error that the work ends with."""
        try:
            self.do(work)
        except CloudError as error:
            return error
        raise AssertionError("it was done")
