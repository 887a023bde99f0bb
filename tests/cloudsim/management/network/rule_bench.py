"""Rules over rows alone: two networks and a VPC of one account, and routers that only keep account of what they are told."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from backends.simulated.loop import SimLoop
from cloudsim.errors import ResourceUnavailable
from cloudsim.management.network.first_network_offerings import FIRST_OFFERINGS
from cloudsim.management.network.load_balancers import Balancing
from cloudsim.management.network.port_forwarding import Forwarding
from cloudsim.management.network.rule_traffic import RuleTraffic
from cloudsim.management.network.rules import NetworkRules
from cloudsim.model import (
    FirewallRule,
    IpForwardingRule,
    LoadBalancerRule,
    Network,
    NetworkOffering,
    Nic,
    PortForwardingRule,
    PublicIp,
    VirtualMachine,
)
from cloudsim.store import Row
from tests.cloudsim.management.bare import bare

ISOLATED = "DefaultIsolatedNetworkOfferingWithSourceNatService"
TIER = "DefaultIsolatedNetworkOfferingForVpcNetworks"


class RecordingRouters:
    """`told` are the networks synchronised; `broken`: the next ones fail; `looks` are called while they happen."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.broken = False
        self.looks: list[Callable[[], None]] = []

    async def sync(self, network_id: str) -> None:
        for look in self.looks:
            look()
        if self.broken:
            raise ResourceUnavailable("the router does not answer")
        self.told.append(network_id)


class RuleBench:
    """`web` and `db` are instances of the network `front`, `far` is one of `back`, `tiered` one of the VPC's `tier`."""

    def __init__(self) -> None:
        self.loop = SimLoop()
        self.foundation = bare()
        self.store = self.foundation.store
        self.routers = RecordingRouters()
        self.busy: set[str] = set()
        """Ids of what a job works on."""
        self.rules = NetworkRules(self.foundation, self.routers, self.busy.__contains__)
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
            self.front = self.network("front", "10.1.1.0/24")
            self.back = self.network("back", "10.1.2.0/24")
            self.tier = self.network("tier", "10.20.1.0/24", TIER, vpc_id="vpc")
            self.tier2 = self.network("tier2", "10.20.2.0/24", TIER, vpc_id="vpc")
            self.web = self.instance("web", self.front, "10.1.1.10", "10.1.1.110")
            self.db = self.instance("db", self.front, "10.1.1.11")
            self.far = self.instance("far", self.back, "10.1.2.10")
            self.tiered = self.instance("tiered", self.tier, "10.20.1.10")
            self.tiered2 = self.instance("tiered2", self.tier2, "10.20.2.10")
            self.ip = self.address("203.0.113.10", self.front)
            self.other_ip = self.address("203.0.113.11", self.front)
            self.vpc_ip = self.address("203.0.113.20", vpc_id="vpc")

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def add(self, row: Row) -> Any:
        return self.store.table(type(row)).insert(row)

    def rows(self, kind: type[Row]) -> list[Any]:
        return list(self.store.table(kind))

    def now(self, row: Any) -> Any:
        """The row as it is now, or None."""
        return self.store.table(type(row)).get(row.id)

    def network(
        self,
        name: str,
        cidr: str,
        offering: str = ISOLATED,
        vpc_id: str | None = None,
        account: str = "ann",
        **more: Any,
    ) -> Network:
        made: Network = self.add(
            Network(
                id=name,
                name=name,
                display_text=name,
                zone_id="zone",
                network_offering_id=offering,
                account_id=account,
                domain_id="root",
                cidr=cidr,
                vpc_id=vpc_id,
                **more,
            )
        )
        return made

    def instance(
        self, name: str, network: Network, ip: str, *further: str, account: str = "ann"
    ) -> VirtualMachine:
        vm: VirtualMachine = self.add(
            VirtualMachine(
                id=name,
                name=name,
                display_name=name,
                instance_name=f"i-{name}",
                account_id=account,
                domain_id="root",
                zone_id="zone",
                template_id="template",
                service_offering_id="small",
                cpus=1,
                cpu_mhz=1000,
                memory_mib=512,
                state="Running",
            )
        )
        number = len(self.store.table(Nic)) + 1
        self.add(
            Nic(
                id=f"nic-{name}",
                vm_id=name,
                network_id=network.id,
                mac=f"02:00:00:00:00:{number:02x}",
                ip=ip,
                secondary_ips=tuple((f"{name}-{each}", each) for each in further),
            )
        )
        return vm

    def nic(self, vm: VirtualMachine) -> Nic:
        return self.store.table(Nic)[f"nic-{vm.id}"]

    def address(
        self, ip: str, network: Network | None = None, vpc_id: str | None = None, **more: Any
    ) -> PublicIp:
        made: PublicIp = self.add(
            PublicIp(
                id=ip,
                ip=ip,
                zone_id="zone",
                range_id="range",
                account_id="ann",
                domain_id="root",
                network_id=None if network is None else network.id,
                vpc_id=vpc_id,
                **more,
            )
        )
        return made

    # rules, in force at once

    def open(self, address: PublicIp, **traffic: Any) -> FirewallRule:
        firewall = self.rules.firewall
        rule: FirewallRule = self.do(
            firewall.enforce(firewall.create_ingress(address, RuleTraffic(**traffic)))
        )
        return rule

    def let_out(self, network: Network, **traffic: Any) -> FirewallRule:
        firewall = self.rules.firewall
        rule: FirewallRule = self.do(
            firewall.enforce(firewall.create_egress(network, RuleTraffic(**traffic)))
        )
        return rule

    def forward(
        self,
        public_port: int,
        address: PublicIp | None = None,
        vm: VirtualMachine | None = None,
        *,
        network: Network | None = None,
        **asked: Any,
    ) -> PortForwardingRule:
        forwarding = self.rules.port_forwarding
        what = Forwarding(**{"protocol": "tcp", "private_port": 22, "public_port": public_port, **asked})
        address = self.store.table(PublicIp)[(address or self.ip).id]
        made = forwarding.create(address, vm or self.web, what, network)
        rule: PortForwardingRule = self.do(forwarding.enforce(made))
        return rule

    def balance(
        self,
        public_port: int,
        address: PublicIp | None = None,
        *,
        network: Network | None = None,
        **asked: Any,
    ) -> LoadBalancerRule:
        balancers = self.rules.load_balancers
        what = {"name": "lb", "private_port": 8080, "public_port": public_port, "algorithm": "roundrobin"}
        address = self.store.table(PublicIp)[(address or self.ip).id]
        made = balancers.create(address, Balancing(**{**what, **asked}), network)
        rule: LoadBalancerRule = self.do(balancers.enforce(made))
        return rule

    def enable(self, address: PublicIp, vm: VirtualMachine, **more: Any) -> None:
        address = self.store.table(PublicIp)[address.id]
        self.do(self.rules.static_nats.enable(address, vm, **more))

    def let_in(self, address: PublicIp, start_port: int, **more: Any) -> IpForwardingRule:
        nats = self.rules.static_nats
        address = self.store.table(PublicIp)[address.id]
        made = nats.create_rule(address, **{"protocol": "tcp", "start_port": start_port, **more})
        rule: IpForwardingRule = self.do(nats.enforce(made))
        return rule
