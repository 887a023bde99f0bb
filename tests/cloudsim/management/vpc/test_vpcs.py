"""VPCs: what one can be, its router, and its end."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.errors import (
    InvalidParameterValue,
    PermissionDenied,
    ResourceAllocationFailed,
    ResourceUnavailable,
)
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.limited_resources import BY_NAME
from cloudsim.management.vpc.private_gateways import PrivateGatewayRequest
from cloudsim.management.vpc.vpc_offerings import VpcOfferingRequest
from cloudsim.management.vpc.vpcs import VpcRequest
from cloudsim.model import (
    NetworkAcl,
    NetworkAclList,
    PrivateGateway,
    PublicIp,
    StaticRoute,
    Vpc,
)
from tests.cloudsim.management.vpc.vpc_bench import VpcBench


def test_a_vpc_is_enabled_at_once_and_its_cidr_is_kept_as_it_was_written(bench: VpcBench) -> None:
    vpc = bench.vpc(cidr="10.10.1.0/16")
    assert (vpc.state, vpc.cidr, vpc.started, vpc.display_text) == ("Enabled", "10.10.1.0/16", False, "vpc")
    assert vpc.network_domain == "cs.cloud.internal"
    assert bench.routers.told == []


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"name": ""}, "needs a name"),
        ({"cidr": "10.20.0.0"}, "Invalid format for cidr"),
        ({"cidr": "10.20.0.0/33"}, "Invalid format for cidr"),
        ({"cidr": "8.8.0.0/16"}, "RFC 1918"),
        ({"cidr": "10.20.0.0/30"}, "from 8 to 29"),
        ({"network_domain": "-"}, "Invalid network domain"),
        ({"public_mtu": 10}, "publicmtu must be from 576"),
        ({"dns1": "name"}, "valid IP address for dns1"),
        ({"dns2": "8.8.8.8"}, "dns2 needs a dns1"),
    ],
)
def test_what_a_vpc_cannot_be(bench: VpcBench, asked: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidParameterValue, match=text):
        bench.vpc(**asked)
    assert bench.rows(Vpc) == []


def test_offerings_that_no_vpc_can_be_made_from(bench: VpcBench) -> None:
    def make(name: str) -> None:
        request = VpcRequest(name="vpc", cidr="10.20.0.0/16")
        bench.vpcs.create(bench.admin, bench.ann, bench.zone, bench.offering(name), request)

    with pytest.raises(InvalidParameterValue, match="is Disabled"):
        make("Default VPC  offering with Netscaler")
    for name, service, provider in (("overlay", "Connectivity", "Ovs"), ("other", "Dns", "VirtualRouter")):
        bench.offerings.create(VpcOfferingRequest(name=name, providers=((service, provider),), enable=True))
        with pytest.raises(InvalidParameterValue, match=f"Provider {provider} of service {service} is not enabled"):
            make(name)
    wide = (("Connectivity", "RegionLevelVPC", "true"),)
    bench.offerings.create(VpcOfferingRequest(name="wide", services=("Dns",), capabilities=wide, enable=True))
    with pytest.raises(InvalidParameterValue, match="there are none"):
        make("wide")


def test_a_disabled_zone_is_for_root_admins(bench: VpcBench) -> None:
    with bench.store.transaction():
        zone = bench.store.table(type(bench.zone)).update("zone", allocation_state="Disabled")
    request = VpcRequest(name="vpc", cidr="10.20.0.0/16")
    with pytest.raises(PermissionDenied, match="Zone is currently disabled"):
        bench.vpcs.create(Caller(bench.ann), bench.ann, zone, bench.offering(), request)
    bench.vpcs.create(bench.admin, bench.ann, zone, bench.offering(), request)


def test_vpcs_count_against_their_limit(bench: VpcBench) -> None:
    bench.limits.set(bench.admin, bench.ann, BY_NAME["vpc"], 1)
    bench.vpc()
    assert bench.limits.count("ann", BY_NAME["vpc"]) == 1
    with pytest.raises(ResourceAllocationFailed, match="for vpc would be exceeded"):
        bench.vpc("another")
    bench.vpc("of bob", owner=bench.bob)


def test_a_vpc_starts_its_router(bench: VpcBench) -> None:
    vpc = bench.vpc()
    assert bench.do(bench.vpcs.start_new(vpc.id)).started
    assert bench.routers.told == [("ensure", vpc.id)]


def test_a_new_vpc_whose_router_cannot_start_is_gone_again(bench: VpcBench) -> None:
    vpc = bench.vpc()

    async def full(vpc_id: str) -> None:
        raise ResourceUnavailable("no host has room")

    bench.routers.ensure_vpc = full  # type: ignore[method-assign]
    assert "no host has room" in bench.refused(bench.vpcs.start_new(vpc.id)).text
    assert bench.rows(Vpc) == []


def test_a_vpc_is_renamed(bench: VpcBench) -> None:
    vpc = bench.vpc()
    changes = bench.vpcs.check_update(vpc, name="other", display_text="Other", display=False, public_mtu=1400)
    changed = bench.do(bench.vpcs.update(vpc.id, changes))
    assert (changed.name, changed.display_text, changed.display, changed.public_mtu) == (
        "other",
        "Other",
        False,
        1400,
    )
    with pytest.raises(InvalidParameterValue, match="needs a name"):
        bench.vpcs.check_update(vpc, name=" ")


def test_a_restart_is_with_the_router_there_is_or_with_a_new_one_but_never_with_two(bench: VpcBench) -> None:
    vpc = bench.vpc()
    with bench.store.transaction():
        bench.store.table(Vpc).update(vpc.id, restart_required=True)
    assert not bench.do(bench.vpcs.restart(vpc.id, cleanup=False)).restart_required
    bench.do(bench.vpcs.restart(vpc.id, cleanup=True))
    assert bench.routers.told == [("restart", vpc.id), ("restart with a new router", vpc.id)]
    with pytest.raises(InvalidParameterValue, match="one router serves each VPC"):
        bench.vpcs.check_restart(vpc, redundant=True)


# the address that it is seen as


def source_nat(bench: VpcBench, vpc: Vpc) -> list[str]:
    return [ip.ip for ip in bench.store.table(PublicIp).where("vpc_id", vpc.id) if ip.source_nat]


def test_a_vpc_may_be_seen_as_an_address_that_its_owner_chose(bench: VpcBench) -> None:
    vpc = bench.vpc(source_nat_ip="192.168.2.50")
    assert source_nat(bench, vpc) == ["192.168.2.50"]
    with pytest.raises(InvalidParameterValue, match="in use already"):
        bench.vpc("another", source_nat_ip="192.168.2.50")
    with pytest.raises(InvalidParameterValue, match="not a public address of zone"):
        bench.vpc("another", source_nat_ip="192.168.3.50")
    assert bench.rows(Vpc) == [vpc]


def test_another_address_comes_with_another_router_and_the_old_one_stays_the_vpcs(bench: VpcBench) -> None:
    vpc = bench.vpc(source_nat_ip="192.168.2.50")
    bench.do(bench.source_nat.change(vpc, "192.168.2.51"))
    assert bench.routers.told == [("restart with a new router", vpc.id)]
    assert source_nat(bench, vpc) == ["192.168.2.51"]
    bench.do(bench.source_nat.change(vpc, "192.168.2.50"))
    assert source_nat(bench, vpc) == ["192.168.2.50"]
    assert len(bench.rows(PublicIp)) == 2
    bench.do(bench.source_nat.change(vpc, "192.168.2.50"))
    assert len(bench.routers.told) == 2


def test_a_vpc_without_router_has_another_address_at_once(bench: VpcBench) -> None:
    vpc = bench.vpc()
    bench.routers.runs = False
    bench.do(bench.source_nat.change(vpc, "192.168.2.51"))
    assert (source_nat(bench, vpc), bench.routers.told) == (["192.168.2.51"], [])


def test_where_the_new_router_fails_the_address_is_the_old_one(bench: VpcBench) -> None:
    vpc = bench.vpc(source_nat_ip="192.168.2.50")
    bench.routers.broken = True
    bench.refused(bench.source_nat.change(vpc, "192.168.2.51"))
    assert source_nat(bench, vpc) == ["192.168.2.50"]
    assert len(bench.rows(PublicIp)) == 1


def test_addresses_that_a_vpc_cannot_be_seen_as(bench: VpcBench) -> None:
    vpc = bench.vpc(source_nat_ip="192.168.2.50")
    theirs = bench.vpc("other", source_nat_ip="192.168.2.60")
    mine = bench.public_ips.acquire(bench.ann, bench.zone, vpc=vpc, wanted="192.168.2.61")
    bench.public_ips.update(mine, static_nat_vm_id="vm")
    for wanted in ("192.168.2.60", "192.168.2.61"):
        with pytest.raises(InvalidParameterValue, match="in use already"):
            bench.source_nat.check(vpc, wanted)
    with pytest.raises(InvalidParameterValue, match="valid IP address for sourcenatipaddress"):
        bench.source_nat.check(vpc, "that one")
    assert "not a public address" in bench.refused(bench.source_nat.change(theirs, "10.9.9.9")).text
    assert source_nat(bench, vpc) == ["192.168.2.50"]


# its end


def full(bench: VpcBench) -> Vpc:
    """A VPC with one of everything but tiers."""
    vpc = bench.vpc()
    bench.rule(bench.acl(vpc))
    request = PrivateGatewayRequest(ip="10.99.0.2", gateway="10.99.0.1", netmask="255.255.255.0", vlan="400")
    gateway = bench.do(bench.gateways.apply(bench.gateways.create(vpc, request).id))
    bench.do(bench.routes.apply(bench.routes.create("10.200.0.0/16", gateway=gateway).id))
    bench.public_ips.acquire(bench.ann, bench.zone, vpc=vpc, source_nat=True)
    return vpc


def test_a_vpc_goes_with_its_router_and_all_that_is_its_own(bench: VpcBench) -> None:
    theirs = bench.vpc("of bob", owner=bench.bob)
    kept = bench.rule(bench.acl(theirs))
    vpc = full(bench)
    bench.routers.told.clear()
    bench.do(bench.vpcs.delete(vpc.id))
    assert bench.routers.told == [("remove", vpc.id)]
    assert bench.rows(Vpc) == [theirs]
    for kind in (PublicIp, StaticRoute, PrivateGateway):
        assert bench.rows(kind) == []
    assert [each for each in bench.rows(NetworkAclList) if each.vpc_id == vpc.id] == []
    assert bench.now(kept) == kept
    assert len([each for each in bench.rows(NetworkAcl) if each.list_id != kept.list_id]) == 4


def test_a_vpc_with_tiers_is_not_deleted(bench: VpcBench) -> None:
    vpc = bench.vpc()
    bench.tier(vpc)
    with pytest.raises(InvalidParameterValue, match="used by 1 networks"):
        bench.vpcs.check_deletable(vpc)
    assert "used by 1 networks" in bench.refused(bench.vpcs.delete(vpc.id)).text
    assert bench.now(vpc).state == "Enabled"


def test_a_vpc_whose_router_stays_is_inactive_until_its_deletion_is_done(bench: VpcBench) -> None:
    vpc = full(bench)
    bench.routers.broken = True
    bench.refused(bench.vpcs.delete(vpc.id))
    assert bench.now(vpc).state == "Inactive"
    assert len(bench.rows(PublicIp)) == 1
    with pytest.raises(InvalidParameterValue, match="is Inactive"):
        bench.acl(bench.now(vpc))
    bench.do(bench.vpcs.clean_up())
    assert bench.now(vpc) is not None
    bench.routers.broken = False
    bench.do(bench.vpcs.clean_up())
    assert bench.now(vpc) is None
    assert bench.rows(PublicIp) == []


def test_an_accounts_vpcs_go_with_it(bench: VpcBench) -> None:
    bench.vpc()
    bench.vpc("another")
    theirs = bench.vpc("of bob", owner=bench.bob)
    bench.do(bench.vpcs.delete_of(bench.ann))
    assert bench.rows(Vpc) == [theirs]
