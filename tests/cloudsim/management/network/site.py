"""A zone with a physical network and public addresses, on a bare foundation: for tests of addresses."""

from __future__ import annotations

from typing import Any

from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import Identity
from cloudsim.management.identity.limits import Limits
from cloudsim.management.infrastructure.pods import Pods
from cloudsim.management.infrastructure.zones import Zones
from cloudsim.management.network.ip_ranges import IpRanges, RangeRequest
from cloudsim.management.network.physical_networks import PhysicalNetworks
from cloudsim.management.network.public_ips import PublicIps
from cloudsim.model import Account, Domain, IpRange, Network, NetworkOffering, PublicIp
from tests.cloudsim.management.bare import bare

SERVICES = {
    name: ("VirtualRouter",) for name in ("Dhcp", "SourceNat", "StaticNat", "Firewall", "PortForwarding")
}


class Site:
    def __init__(self) -> None:
        self.foundation = bare()
        self.store = self.foundation.store
        self.identity = Identity(self.foundation)
        self.identity.users.passwords.log_cost = 4  # so that no test waits for a password
        with self.store.transaction():
            self.identity.seed("password")
        self.limits = Limits(self.foundation)
        self.wires = PhysicalNetworks(self.foundation)
        self.zones = Zones(self.foundation)
        self.pods = Pods(self.foundation)
        self.ranges = IpRanges(self.foundation)
        self.ips = PublicIps(self.foundation, self.limits)
        self.zone = self.zones.create(
            name="z",
            network_type="Advanced",
            dns1="8.8.8.8",
            internal_dns1="8.8.8.8",
            allocation_state="Enabled",
        )
        self.wire = self.wires.create(self.zone, name="n", vlan="100-199")
        for traffic in ("Guest", "Public", "Management", "Storage"):
            self.wires.add_traffic_type(self.wire, traffic)
        self.ann, self.bob = self.account("ann"), self.account("bob")

    @property
    def root(self) -> Domain:
        return self.identity.domains.root

    @property
    def admin(self) -> Caller:
        found = self.identity.accounts.named("admin", self.root.id)
        assert found is not None
        return Caller(found)

    def account(self, name: str, domain: Domain | None = None) -> Account:
        with self.store.transaction():
            return self.store.table(Account).insert(
                Account(
                    id=self.foundation.uuid(),
                    name=name,
                    domain_id=(domain or self.root).id,
                    type=0,
                    role_id=next(iter(self.store.tables["Role"])).id,
                )
            )

    def public(self, start: str = "192.0.2.10", end: str = "192.0.2.19", **more: Any) -> IpRange:
        """A public range of 192.0.2.0/24 on VLAN 50."""
        asked = {"gateway": "192.0.2.1", "netmask": "255.255.255.0", "vlan": "50", "zone": self.zone} | more
        return self.ranges.create(RangeRequest(start_ip=start, end_ip=end, **asked))

    def network(self, owner: Account, name: str = "net", **fields: Any) -> Network:
        with self.store.transaction():
            offerings = self.store.table(NetworkOffering)
            offering = offerings.find("name", "isolated") or offerings.insert(
                NetworkOffering(
                    id=self.foundation.uuid(),
                    name="isolated",
                    display_text="isolated",
                    guest_type="Isolated",
                    services=SERVICES,
                )
            )
            return self.store.table(Network).insert(
                Network(
                    **{
                        "id": self.foundation.uuid(),
                        "name": name,
                        "display_text": name,
                        "zone_id": self.zone.id,
                        "network_offering_id": offering.id,
                        "account_id": owner.id,
                        "domain_id": owner.domain_id,
                        "physical_network_id": self.wire.id,
                        "cidr": "10.1.1.0/24",
                        "gateway": "10.1.1.1",
                        "netmask": "255.255.255.0",
                        **fields,
                    }
                )
            )

    def addresses(self) -> list[PublicIp]:
        return list(self.store.table(PublicIp))
