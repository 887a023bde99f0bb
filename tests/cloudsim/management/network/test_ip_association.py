"""Addresses for networks and VPCs: the router has them before the caller does, and no longer when they are released."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from cloudsim.errors import InvalidParameterValue, PermissionDenied, ResourceInUse, ResourceUnavailable
from cloudsim.management.identity.caller import Caller
from cloudsim.management.network.ip_association import IpAssociation
from cloudsim.model import Network, NetworkOffering, PublicIp, RemoteAccessVpn, Vpc, VpnGateway
from tests.cloudsim.management.network.site import Site


class Routers:
    """Records, for each time that it is told something, the addresses that a network or VPC has then."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.told: list[tuple[str, dict[str, str]]] = []
        self.implemented: list[str] = []
        self.broken = False

    async def implement(self, network_id: str) -> Network:
        self.implemented.append(network_id)
        return self.site.store.table(Network)[network_id]

    async def sync(self, network_id: str) -> None:
        self._tell("network_id", network_id)

    async def sync_vpc(self, vpc_id: str) -> None:
        self._tell("vpc_id", vpc_id)

    def _tell(self, index: str, key: str) -> None:
        if self.broken:
            raise ResourceUnavailable("the router does not answer")
        ips = self.site.store.table(PublicIp).where(index, key)
        self.told.append((key, {ip.ip: ip.state for ip in ips}))


class Association(Site):
    def __init__(self) -> None:
        super().__init__()
        self.public()
        self.routers = Routers(self)
        self.without_rules: list[str] = []
        self.service = IpAssociation(
            self.foundation, self.ips, self.routers, self.routers, self.without_rules.append
        )
        self.net = self.network(self.ann)

    def associate(self, **more: Any) -> PublicIp:
        ip = self.service.acquire(Caller(self.ann), self.ann, **({"network": self.net} | more))
        assert ip.state == "Allocating"
        return run(self.service.bring_up(ip.id))  # type: ignore[no-any-return]

    def vpc(self) -> Vpc:
        with self.store.transaction():
            return self.store.table(Vpc).insert(
                Vpc(
                    id=self.foundation.uuid(),
                    name="vpc",
                    display_text="vpc",
                    zone_id=self.zone.id,
                    account_id=self.ann.id,
                    domain_id=self.root.id,
                    vpc_offering_id="",
                    cidr="10.0.0.0/8",
                )
            )


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


@pytest.fixture
def site() -> Association:
    return Association()


def test_an_address_is_allocated_once_the_networks_router_has_it(site: Association) -> None:
    ip = site.associate()
    assert (ip.state, ip.network_id, ip.vpc_id, ip.source_nat) == ("Allocated", site.net.id, None, False)
    assert site.routers.implemented == [site.net.id]
    assert site.routers.told == [(site.net.id, {ip.ip: "Allocating"})]


def test_an_address_that_the_router_does_not_take_is_free_again(site: Association) -> None:
    site.routers.broken = True
    with pytest.raises(ResourceUnavailable):
        site.associate()
    assert site.addresses() == []


def test_an_address_of_a_vpc_and_of_one_of_its_tiers(site: Association) -> None:
    vpc = site.vpc()
    tier = site.network(site.ann, "tier", vpc_id=vpc.id)
    first = site.associate(network=None, vpc=vpc)
    assert (first.vpc_id, first.network_id) == (vpc.id, None)
    assert site.routers.told[-1] == (vpc.id, {first.ip: "Allocating"})
    second = site.associate(network=tier, vpc=vpc)
    assert (second.vpc_id, second.network_id) == (vpc.id, tier.id)
    with site.store.transaction():
        site.service.leave(tier)
    assert {ip.network_id for ip in site.addresses()} == {None}
    with pytest.raises(InvalidParameterValue, match="not a tier of VPC vpc"):
        site.associate(network=site.net, vpc=vpc)


def test_a_reserved_address_can_be_associated_by_its_owner_only(site: Association) -> None:
    reserved = site.ips.acquire(site.ann, site.zone, wanted="192.0.2.14", state="Reserved")
    with pytest.raises(InvalidParameterValue, match="in use"):
        bobs = site.network(site.bob)
        site.service.acquire(Caller(site.bob), site.bob, network=bobs, wanted="192.0.2.14")
    ip = site.associate(wanted="192.0.2.14")
    assert (ip.id, ip.state, ip.network_id) == (reserved.id, "Allocated", site.net.id)
    assert len(site.addresses()) == 1


def test_a_reserved_address_on_another_vlan_than_the_networks_is_refused(site: Association) -> None:
    site.associate()
    site.public("198.51.100.10", "198.51.100.11", gateway="198.51.100.1", vlan="51")
    site.ips.acquire(site.ann, site.zone, wanted="198.51.100.10", state="Reserved")
    with pytest.raises(InvalidParameterValue, match="several VLANs"):
        site.associate(wanted="198.51.100.10")
    assert [ip.state for ip in site.addresses()] == ["Allocated", "Reserved"]


def test_what_an_address_cannot_be_for(site: Association) -> None:
    with pytest.raises(InvalidParameterValue, match="specify either zoneId, or networkId, or vpcId"):
        site.service.acquire(Caller(site.ann), site.ann)
    with pytest.raises(PermissionDenied, match="which is another account's"):
        site.service.acquire(Caller(site.bob), site.bob, network=site.net)
    shared = site.network(site.ann, "shared", guest_type="Shared")
    with pytest.raises(InvalidParameterValue, match="not an isolated guest network"):
        site.associate(network=shared)
    other = site.zones.create(name="y", network_type="Advanced", dns1="8.8.8.8", internal_dns1="8.8.8.8")
    with pytest.raises(InvalidParameterValue, match="not in zone y"):
        site.associate(zone=other)
    with site.store.transaction():
        site.store.table(NetworkOffering).update(
            site.net.network_offering_id, services={"Dhcp": ("VirtualRouter",)}
        )
    with pytest.raises(InvalidParameterValue, match="no service that uses one"):
        site.associate()
    assert site.addresses() == []


def test_users_get_no_address_in_a_disabled_zone(site: Association) -> None:
    site.zone = site.zones.update(site.zone, allocation_state="Disabled")
    with pytest.raises(PermissionDenied, match="Zone is currently disabled"):
        site.associate()
    assert site.service.acquire(site.admin, site.ann, network=site.net).state == "Allocating"


def test_a_call_that_names_only_a_zone_means_the_accounts_one_isolated_network(site: Association) -> None:
    assert site.service.only_network(site.ann, site.zone) == site.net
    with pytest.raises(InvalidParameterValue, match="doesn't have any Isolated networks"):
        site.service.only_network(site.bob, site.zone)
    site.network(site.ann, "second")
    with pytest.raises(InvalidParameterValue, match="more than one Isolated network"):
        site.service.only_network(site.ann, site.zone)


# releasing


def test_releasing_takes_rules_and_vpn_along_and_the_router_lets_go_before_the_address_is_free(
    site: Association,
) -> None:
    ip = site.associate()
    with site.store.transaction():
        site.store.table(RemoteAccessVpn).insert(
            RemoteAccessVpn(
                id="vpn",
                public_ip_id=ip.id,
                account_id=site.ann.id,
                domain_id=site.root.id,
                preshared_key="k",
                ip_range="10.1.2.1-10.1.2.8",
            )
        )
    run(site.service.release(ip.id))
    assert site.without_rules == [ip.id]
    assert site.routers.told[-1] == (site.net.id, {ip.ip: "Releasing"})
    assert site.addresses() == [] and len(site.store.table(RemoteAccessVpn)) == 0
    run(site.service.release(ip.id))  # it is gone: nothing is left to do


def test_an_address_stays_as_long_as_the_router_cannot_be_told(site: Association) -> None:
    ip = site.associate()
    site.routers.broken = True
    with pytest.raises(ResourceUnavailable):
        run(site.service.release(ip.id))
    (kept,) = site.addresses()
    assert (kept.state, kept.network_id) == ("Allocated", site.net.id)


def test_what_is_not_released(site: Association) -> None:
    nat = site.ips.acquire(site.ann, site.zone, network=site.net, source_nat=True)
    system = site.ips.take_for_system(site.zone)
    vpc = site.vpc()
    gateway = site.associate(network=None, vpc=vpc)
    with site.store.transaction():
        site.store.table(VpnGateway).insert(
            VpnGateway(
                id="g", vpc_id=vpc.id, public_ip_id=gateway.id, account_id=site.ann.id, domain_id=site.root.id
            )
        )
    for ip, text, kind in (
        (nat, "used for source nat purposes", InvalidParameterValue),
        (system, "a system VM's", InvalidParameterValue),
        (gateway, "VPN gateway", ResourceInUse),
    ):
        with pytest.raises(kind, match=text):
            run(site.service.release(ip.id))
    assert len(site.addresses()) == 3


def test_addresses_go_with_their_network_and_their_account(site: Association) -> None:
    site.associate()
    site.ips.acquire(site.bob, site.zone)
    with site.store.transaction():
        site.service.leave(site.net)
    assert [ip.account_id for ip in site.addresses()] == [site.bob.id]
    run(site.service.release_of(site.bob))
    assert site.addresses() == []


def test_after_a_restart_addresses_that_were_coming_or_going_are_free(site: Association) -> None:
    vpc = site.vpc()
    tier = site.network(site.ann, "tier", vpc_id=vpc.id)
    kept = site.associate()
    site.service.acquire(Caller(site.ann), site.ann, network=site.net)
    site.ips.update(site.associate(network=None, vpc=vpc), state="Releasing")
    assert site.service.settle_after_restart() == {site.net.id, tier.id}
    assert [ip.id for ip in site.addresses()] == [kept.id]
