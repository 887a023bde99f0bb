"""Private gateways, and the static routes through them."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.errors import InvalidParameterValue, ResourceInUse, RuleConflict
from cloudsim.management.vpc.private_gateways import PrivateGatewayRequest
from cloudsim.model import Network, PrivateGateway, StaticRoute, Vpc
from tests.cloudsim.management.vpc.vpc_bench import VpcBench

ADDRESSES = {"ip": "10.99.0.2", "gateway": "10.99.0.1", "netmask": "255.255.255.0", "vlan": "400"}


def create(bench: VpcBench, vpc: Vpc, **asked: Any) -> PrivateGateway:
    return bench.gateways.create(vpc, PrivateGatewayRequest(**{**ADDRESSES, **asked}))


def ready(bench: VpcBench, vpc: Vpc, **asked: Any) -> PrivateGateway:
    made: PrivateGateway = bench.do(bench.gateways.apply(create(bench, vpc, **asked).id))
    return made


def test_a_gateway_is_ready_once_the_router_has_its_leg(bench: VpcBench) -> None:
    vpc = bench.vpc()
    made = create(bench, vpc, vlan="vlan://400")
    assert (made.state, made.vlan, made.physical_network_id) == ("Creating", "400", "wire")
    assert made.acl_id == bench.default("default_deny").id
    assert bench.do(bench.gateways.apply(made.id)).state == "Ready"
    assert bench.routers.told == [("plug", made.id)]


def test_every_gateway_has_a_mac_of_its_own(bench: VpcBench) -> None:
    vpc = bench.vpc()
    macs = {create(bench, vpc, ip=f"10.{n}.0.2", gateway=f"10.{n}.0.1").mac for n in range(99, 104)}
    assert len(macs) == 5


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"ip": "10.99.0"}, "is not valid"),
        ({"netmask": "255.0.255.0"}, "is not valid"),
        ({"netmask": "255.255.255.254"}, "leaves no room"),
        ({"gateway": "10.98.0.1"}, "is not an address of 10.99.0.0/24"),
        ({"ip": "10.99.0.255"}, "is not an address of"),
        ({"gateway": "10.99.0.2"}, "must be different"),
        ({"ip": "10.20.9.2", "gateway": "10.20.9.1"}, "overlaps the cidr 10.20.0.0/16 of VPC"),
        ({"vlan": None}, "vlan must be given"),
        ({"vlan": "5000"}, "valid VLAN id"),
        ({"vlan": "150"}, "already being used for dynamic vlan allocation"),
    ],
)
def test_what_a_gateway_cannot_be(bench: VpcBench, asked: dict[str, Any], text: str) -> None:
    vpc = bench.vpc()
    with pytest.raises(InvalidParameterValue, match=text):
        create(bench, vpc, **asked)
    assert bench.rows(PrivateGateway) == []


def test_a_vlan_of_guest_networks_may_be_taken_on_purpose(bench: VpcBench) -> None:
    assert create(bench, bench.vpc(), vlan="150", overlap_allowed=True).vlan == "150"


def test_an_address_in_a_vlan_is_one_gateways(bench: VpcBench) -> None:
    vpc, other = bench.vpc(), bench.vpc("other", "10.30.0.0/16")
    create(bench, vpc)
    with pytest.raises(InvalidParameterValue, match="already used in vlan 400"):
        create(bench, other)
    with pytest.raises(InvalidParameterValue, match=r"overlaps 10\.99\.0\.0/24 of private gateway"):
        create(bench, vpc, ip="10.99.0.3", vlan="401")
    create(bench, other, ip="10.99.0.3")


def test_a_gateway_that_the_router_does_not_get_is_gone(bench: VpcBench) -> None:
    vpc = bench.vpc()
    made = create(bench, vpc)

    async def refuse(gateway: PrivateGateway) -> None:
        raise InvalidParameterValue("no such wire")

    bench.routers.plug_private = refuse  # type: ignore[method-assign]
    assert "no such wire" in bench.refused(bench.gateways.apply(made.id)).text
    assert bench.now(made) is None


def test_a_gateway_goes_after_its_routes_and_with_its_network(bench: VpcBench) -> None:
    vpc = bench.vpc()
    gateway = ready(bench, vpc)
    with bench.store.transaction():  # as a router's leg makes it
        bench.add(
            Network(
                id=gateway.id,
                name="private",
                display_text="",
                zone_id="zone",
                network_offering_id="",
                account_id="ann",
                domain_id="root",
                traffic_type="Private",
            )
        )
    route = bench.do(bench.routes.apply(bench.routes.create("10.200.0.0/16", gateway=gateway).id))
    with pytest.raises(ResourceInUse, match="has 1 static routes"):
        bench.gateways.check_deletable(gateway)
    bench.do(bench.routes.delete(route.id))
    bench.routers.told.clear()
    bench.do(bench.gateways.delete(gateway.id))
    assert bench.routers.told == [("unplug", gateway.id)]
    assert (bench.rows(PrivateGateway), bench.rows(Network)) == ([], [])


# static routes


def test_a_route_leads_to_the_far_side_of_its_gateway(bench: VpcBench) -> None:
    vpc = bench.vpc()
    gateway = ready(bench, vpc)
    made = bench.routes.create("10.200.7.0/16", gateway=gateway)
    assert (made.cidr, made.next_hop, made.vpc_id, made.state) == (
        "10.200.0.0/16",
        "10.99.0.1",
        vpc.id,
        "Add",
    )
    assert bench.do(bench.routes.apply(made.id)).state == "Active"
    assert bench.routers.told[-1] == ("sync", vpc.id)


def test_a_route_by_its_next_hop_finds_the_gateway(bench: VpcBench) -> None:
    vpc = bench.vpc()
    gateway = ready(bench, vpc)
    by_gateway = bench.routes.create("10.200.0.0/16", gateway=None, vpc=vpc, next_hop="10.99.0.7")
    assert (by_gateway.gateway_id, by_gateway.next_hop) == (gateway.id, "10.99.0.7")
    bench.tier(vpc)
    by_tier = bench.routes.create("10.201.0.0/16", gateway=None, vpc=vpc, next_hop="10.20.1.9")
    assert by_tier.gateway_id is None


@pytest.mark.parametrize("hop", ["10.50.0.1", "10.99.0.2", "10.20.1.1", "there"])
def test_a_next_hop_is_a_neighbour_of_the_router(bench: VpcBench, hop: str) -> None:
    vpc = bench.vpc()
    ready(bench, vpc)
    bench.tier(vpc)
    with pytest.raises(InvalidParameterValue, match="nexthop"):
        bench.routes.create("10.200.0.0/16", gateway=None, vpc=vpc, next_hop=hop)


@pytest.mark.parametrize(
    ("cidr", "error", "text"),
    [
        ("10.200.0.0", InvalidParameterValue, "valid CIDR"),
        ("10.20.5.0/24", InvalidParameterValue, "outside of VPC vpc cidr"),
        ("10.0.0.0/8", InvalidParameterValue, "outside of VPC vpc cidr"),
        ("169.254.7.0/24", InvalidParameterValue, "link local"),
        ("192.0.2.128/25", InvalidParameterValue, "blacklisted routes"),
        ("10.201.4.0/24", RuleConflict, "conflicts with existing route 10.201.0.0/16"),
    ],
)
def test_where_no_route_may_lead(bench: VpcBench, cidr: str, error: type[Exception], text: str) -> None:
    vpc = bench.vpc()
    gateway = ready(bench, vpc)
    bench.routes.create("10.201.0.0/16", gateway=gateway)
    with bench.store.transaction():
        bench.foundation.settings.set("blacklisted.routes", "198.51.100.0/24, 192.0.2.0/24")
    with pytest.raises(error, match=text):
        bench.routes.create(cidr, gateway=gateway)
    assert len(bench.rows(StaticRoute)) == 1


def test_a_route_needs_a_gateway_that_is_ready(bench: VpcBench) -> None:
    vpc = bench.vpc()
    with pytest.raises(InvalidParameterValue, match="is Creating, not Ready"):
        bench.routes.create("10.200.0.0/16", gateway=create(bench, vpc))
    with pytest.raises(InvalidParameterValue, match="Give gatewayid, or vpcid and nexthop"):
        bench.routes.create("10.200.0.0/16", gateway=None, vpc=vpc)


def test_a_route_that_the_router_does_not_take_is_gone_and_one_that_it_keeps_is_revoked_again(
    bench: VpcBench,
) -> None:
    gateway = ready(bench, bench.vpc())
    kept = bench.do(bench.routes.apply(bench.routes.create("10.200.0.0/16", gateway=gateway).id))
    bench.routers.broken = True
    bench.refused(bench.routes.apply(bench.routes.create("10.201.0.0/16", gateway=gateway).id))
    bench.refused(bench.routes.delete(kept.id))
    assert [(each.cidr, each.state) for each in bench.rows(StaticRoute)] == [("10.200.0.0/16", "Revoke")]
    bench.routers.broken = False
    bench.do(bench.routes.delete(kept.id))
    assert bench.rows(StaticRoute) == []
