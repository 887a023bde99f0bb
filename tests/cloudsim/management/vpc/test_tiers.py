"""Tiers of VPCs: where they may be, and what they have."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.network.network_requests import NetworkRequest
from cloudsim.model import Network
from tests.cloudsim.management.vpc.vpc_bench import TIER, WITH_INTERNAL_LB, WITHOUT_LB, VpcBench


def test_a_tier_has_its_vpcs_domain_and_name_servers_and_no_list_at_first(bench: VpcBench) -> None:
    vpc = bench.vpc(network_domain="shop.example", dns1="9.9.9.9")
    tier = bench.tier(vpc)
    assert (tier.vpc_id, tier.cidr, tier.gateway) == (vpc.id, "10.20.1.0/24", "10.20.1.1")
    assert (tier.network_domain, tier.dns1, tier.dns2) == ("shop.example", "9.9.9.9", None)
    assert tier.acl_id is None
    mine = bench.acl(vpc)
    other = bench.tier(vpc, "10.20.2.1", offering=WITHOUT_LB, acl=mine, dns1="1.1.1.1")
    assert (other.acl_id, other.dns1) == (mine.id, "1.1.1.1")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"gateway": "10.99.1.1"}, "is not within vpc vpc cidr 10.20.0.0/16"),
        ({"gateway": "10.20.1.1", "netmask": "255.254.0.0"}, "is not within vpc"),
        ({"gateway": "10.20.7.1"}, "crosses other network cidr 10.20.7.0/24"),
        ({"gateway": "10.20.6.1", "netmask": "255.255.254.0"}, "crosses other network cidr"),
        ({"network_domain": "other.example"}, "should match network domain of VPC"),
        ({"offering": "DefaultIsolatedNetworkOfferingWithSourceNatService"}, "can't be used for VPC networks"),
        ({"offering": TIER}, "Public LB service is already supported by network first"),
        ({"gateway": None, "netmask": None}, "gateway and netmask are required"),
    ],
)
def test_what_a_second_tier_cannot_be(bench: VpcBench, asked: dict[str, Any], text: str) -> None:
    vpc = bench.vpc()
    first = bench.tier(vpc, "10.20.7.1", name="first")
    with pytest.raises(InvalidParameterValue, match=text):
        bench.tier(vpc, **{"offering": WITHOUT_LB, **asked})
    assert bench.rows(Network) == [first]


def test_internal_load_balancers_may_be_in_every_tier(bench: VpcBench) -> None:
    vpc = bench.vpc()
    bench.tier(vpc, "10.20.1.1", offering=TIER)
    bench.tier(vpc, "10.20.2.1", offering=WITH_INTERNAL_LB)
    bench.tier(vpc, "10.20.3.1", offering=WITH_INTERNAL_LB)
    assert len(bench.rows(Network)) == 3


def test_a_tier_is_its_vpcs_owners_and_in_its_zone(bench: VpcBench) -> None:
    vpc = bench.vpc()
    with pytest.raises(InvalidParameterValue, match="owner is different"):
        bench.tier(vpc, owner=bench.bob)
    with bench.store.transaction():
        elsewhere = bench.add(
            type(bench.zone)(
                id="elsewhere", name="elsewhere", network_type="Advanced", dns1="8.8.8.8", internal_dns1="8.8.8.8"
            )
        )
    request = NetworkRequest(name="tier", gateway="10.20.1.1", netmask="255.255.255.0", vpc=vpc)
    with pytest.raises(InvalidParameterValue, match="zone elsewhere is not that of VPC"):
        bench.networks.create(bench.admin, bench.ann, elsewhere, bench.network_offering(), request)


def test_a_list_of_another_vpc_is_not_a_tiers(bench: VpcBench) -> None:
    vpc, other = bench.vpc(), bench.vpc("other", "10.30.0.0/16")
    with pytest.raises(InvalidParameterValue, match="does not belong to the vpc"):
        bench.tier(vpc, acl=bench.acl(other))
    bench.tier(vpc, acl=bench.default("default_allow"))


def test_a_list_is_for_tiers_alone(bench: VpcBench) -> None:
    offering = bench.network_offering("DefaultIsolatedNetworkOfferingWithSourceNatService")
    with pytest.raises(InvalidParameterValue, match="aclid is for networks of a VPC"):
        bench.networks.create(
            bench.admin,
            bench.ann,
            bench.zone,
            offering,
            NetworkRequest(name="plain", acl=bench.default("default_allow")),
        )
    with pytest.raises(InvalidParameterValue, match="VPC networks only"):
        bench.networks.create(
            bench.admin, bench.ann, bench.zone, bench.network_offering(TIER), NetworkRequest(name="plain")
        )


def test_a_vpc_has_so_many_tiers_as_its_zone_allows(bench: VpcBench) -> None:
    vpc = bench.vpc()
    for number in (1, 2, 3):
        bench.tier(vpc, f"10.20.{number}.1", offering=WITHOUT_LB)
    with pytest.raises(InvalidParameterValue, match=r"can't extend 3; increase it using .* vpc\.max\.networks"):
        bench.tier(vpc, "10.20.4.1", offering=WITHOUT_LB)
    with bench.store.transaction():
        bench.foundation.settings.set("vpc.max.networks", "4")
    bench.tier(vpc, "10.20.4.1", offering=WITHOUT_LB)


def test_a_tier_changes_to_another_offering_for_tiers_only(bench: VpcBench) -> None:
    vpc = bench.vpc()
    balanced = bench.tier(vpc, "10.20.1.1")
    tier = bench.tier(vpc, "10.20.2.1", offering=WITHOUT_LB)
    changed = bench.networks.update(tier, offering=bench.network_offering(WITH_INTERNAL_LB))
    assert changed.network_offering_id == bench.network_offering(WITH_INTERNAL_LB).id
    with pytest.raises(InvalidParameterValue, match="Public LB service is already supported"):
        bench.networks.update(changed, offering=bench.network_offering(TIER))
    with pytest.raises(InvalidParameterValue, match="Can't upgrade network"):
        offering = bench.network_offering("DefaultIsolatedNetworkOfferingWithSourceNatService")
        bench.networks.update(changed, offering=offering)
    back = bench.networks.update(balanced, offering=bench.network_offering(WITHOUT_LB))
    assert bench.networks.update(back, offering=bench.network_offering(TIER)).id == balanced.id


SUBNETS = st.builds(
    lambda number, prefix: ipaddress.IPv4Network((0x0A14_0000 + number, prefix), strict=False),
    st.integers(-0x200, 0xFFFF + 0x200),
    st.integers(20, 30),
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(("10.20.0.0/16", "10.20.64.0/18", "10.20.1.0/22")), st.lists(SUBNETS, max_size=12))
def test_tiers_are_within_their_vpc_and_apart_and_nothing_else_is_refused(
    cidr: str, asked: list[ipaddress.IPv4Network]
) -> None:
    bench = VpcBench()
    with bench.store.transaction():
        bench.foundation.settings.set("vpc.max.networks", "100")
    vpc = bench.vpc(cidr=cidr)
    whole = ipaddress.IPv4Network(cidr, strict=False)
    tiers: list[ipaddress.IPv4Network] = []
    for net in asked:
        fits = net.subnet_of(whole) and not any(net.overlaps(tier) for tier in tiers)
        try:
            bench.tier(vpc, str(net[1]), str(net.netmask), offering=WITHOUT_LB)
        except CloudError:
            assert not fits, net
        else:
            assert fits, net
            tiers.append(net)
    assert [tier.cidr for tier in bench.rows(Network)] == [str(net) for net in tiers]
