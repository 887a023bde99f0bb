"""Site-to-site VPN: both ends, the connections between them, and what the router says of those."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.vpn.customer_gateways import CustomerGatewayRequest
from cloudsim.management.vpn.policies import ENCRYPTION, GROUPS, HASH, check_policy
from cloudsim.model import PublicIp, VpnConnection, VpnCustomerGateway, VpnGateway
from cloudsim.protocol.systemvm import RouterStatisticsResult
from tests.cloudsim.management.vpn.vpn_bench import SITE, VpnBench

# customers' gateways


def test_a_customer_gateway_has_cloudstacks_lifetimes_unless_it_names_others(bench: VpnBench) -> None:
    made = bench.customer("office")
    assert (made.gateway, made.cidrs, made.ike_lifetime, made.esp_lifetime, made.ike_version) == (
        "198.51.100.1",
        ("10.251.0.0/16",),
        86_400,
        3_600,
        "ike",
    )
    other = bench.customer(gateway="vpn.example.org", cidrs="10.252.0.0/16, 10.253.7.0/16", ike_lifetime=600)
    assert (other.name, other.gateway, other.cidrs, other.ike_lifetime) == (
        "VPN-vpn.example.org",
        "vpn.example.org",
        ("10.252.0.0/16", "10.253.0.0/16"),
        600,
    )


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"gateway": "300.1.1.1"}, "ip/Domain 300.1.1.1 is invalid"),
        ({"gateway": "-host"}, "is invalid"),
        ({"cidrs": "10.251.0.0/33"}, "contains an invalid cidr"),
        ({"cidrs": ""}, "from 1 to 10 CIDRs, not 0"),
        ({"cidrs": "10.0.0.0/8,10.1.0.0/16"}, "overlaps itself at"),
        ({"cidrs": ",".join(f"10.{n}.0.0/16" for n in range(11))}, "from 1 to 10 CIDRs, not 11"),
        ({"preshared_key": 'a"b'}, "ipsecpsk must be"),
        ({"ike_policy": "aes128-sha1"}, r"Diffie Hellman \(DH\) group"),
        ({"ike_policy": "aes-sha1;modp1536"}, "IKE policy .* is invalid"),
        ({"esp_policy": "aes128-sha1;modp1"}, "ESP policy .* is invalid"),
        ({"ike_lifetime": 86_401}, "IKE lifetime 86401"),
        ({"esp_lifetime": 0}, "ESP lifetime 0"),
        ({"ike_version": "ikev3"}, "IKE version ikev3 is invalid"),
    ],
)
def test_what_a_customer_gateway_cannot_be(bench: VpnBench, asked: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidParameterValue, match=text):
        bench.customer(**asked)
    assert bench.rows(VpnCustomerGateway) == []


def test_names_are_unique_in_an_account(bench: VpnBench) -> None:
    bench.customer("office")
    with pytest.raises(InvalidParameterValue, match="name office already existed"):
        bench.customer("office")
    bench.customer("office", bench.bob)


PROPOSALS = st.builds(
    lambda cipher, digest, group: f"{cipher}-{digest}" + (f";{group}" if group else ""),
    st.sampled_from(ENCRYPTION),
    st.sampled_from(HASH),
    st.sampled_from((None, *GROUPS)),
)


@given(st.lists(PROPOSALS, min_size=1, max_size=3))
def test_policies_are_lists_of_proposals_and_ike_needs_a_group_in_each(proposals: list[str]) -> None:
    text = ", ".join(proposals).upper()
    assert check_policy("ESP", text, group_required=False) == ",".join(proposals)
    if all(";" in proposal for proposal in proposals):
        assert check_policy("IKE", text, group_required=True) == ",".join(proposals)
    else:
        with pytest.raises(InvalidParameterValue):
            check_policy("IKE", text, group_required=True)


# a VPC's gateway


def test_a_vpcs_gateway_is_on_its_source_nat_address(bench: VpnBench) -> None:
    made = bench.sites.create_gateway(bench.mine)
    assert made.public_ip_id == bench.ip.id
    with pytest.raises(InvalidParameterValue, match="already existed"):
        bench.sites.create_gateway(bench.mine)


def test_a_vpcs_gateway_needs_an_address_of_the_vpc(bench: VpnBench) -> None:
    idle = bench.vpc("idle", "10.30.0.0/16")
    with pytest.raises(InvalidParameterValue, match="Cannot found source nat ip"):
        bench.sites.create_gateway(idle)
    with pytest.raises(InvalidParameterValue, match="is not a free address of VPC"):
        bench.sites.create_gateway(idle, address=bench.ip)
    second = bench.public_ips.acquire(bench.ann, bench.zone, vpc=bench.mine)
    assert bench.sites.create_gateway(bench.mine, address=second).public_ip_id == second.id


def test_ends_that_are_connected_stay(bench: VpnBench) -> None:
    customer = bench.customer()
    connection = bench.connect(customer)
    (gateway,) = bench.rows(VpnGateway)
    with pytest.raises(ResourceInUse, match="still related VPN connections"):
        bench.sites.delete_gateway(gateway.id)
    with pytest.raises(ResourceInUse, match="still related VPN connections"):
        bench.customers.delete(customer.id)
    bench.do(bench.sites.delete(connection.id))
    bench.sites.delete_gateway(gateway.id)
    bench.customers.delete(customer.id)
    assert (bench.rows(VpnGateway), bench.rows(VpnCustomerGateway)) == ([], [])


# connections


def test_a_connections_state_is_what_the_router_says(bench: VpnBench) -> None:
    first = bench.connect(bench.customer())
    assert first.state == "Disconnected"
    bench.talking.up = (first.id,)
    second = bench.connect(bench.customer(gateway="198.51.100.2", cidrs="10.252.0.0/16"), passive=True)
    assert (bench.now(first).state, second.state) == ("Connected", "Disconnected")
    bench.talking.up = (second.id,)
    assert bench.do(bench.sites.reset(first.id)).state == "Disconnected"
    assert bench.now(second).state == "Connected"


def test_a_connection_of_a_vpc_without_router_waits_for_one(bench: VpnBench) -> None:
    bench.talking.runs = False
    made = bench.connect(bench.customer())
    assert made.state == "Pending"
    bench.talking.runs, bench.talking.up = True, (made.id,)
    router = bench.talking.of_vpc(bench.mine.id)
    assert router is not None
    bench.do(bench.sites.router_is_up(router))
    assert bench.now(made).state == "Connected"


def test_what_a_router_tells_of_its_work_is_noted(bench: VpnBench) -> None:
    made = bench.connect(bench.customer())
    router = bench.talking.of_vpc(bench.mine.id)
    assert router is not None
    bench.sites.router_told(router, RouterStatisticsResult(sites_up=(made.id, "another")))
    assert bench.now(made).state == "Connected"
    bench.sites.router_told(router, RouterStatisticsResult())
    assert bench.now(made).state == "Disconnected"


def test_a_router_that_does_not_answer_has_no_connections(bench: VpnBench) -> None:
    made = bench.connect(bench.customer())
    bench.talking.up = (made.id,)
    bench.do(bench.sites.look(bench.mine.id))
    assert bench.now(made).state == "Connected"
    bench.talking.broken = True
    bench.do(bench.sites.look(bench.mine.id))
    assert bench.now(made).state == "Disconnected"


def test_a_connection_that_the_router_refuses_is_gone_and_one_that_it_keeps_is_deleted_again(
    bench: VpnBench,
) -> None:
    made = bench.connect(bench.customer())
    (gateway,) = bench.rows(VpnGateway)
    other = bench.sites.create(gateway, bench.customer(gateway="198.51.100.2", cidrs="10.252.0.0/16"))
    bench.talking.broken = True
    bench.refused(bench.sites.apply(other.id))
    bench.refused(bench.sites.delete(made.id))
    assert [(each.id, each.state) for each in bench.rows(VpnConnection)] == [(made.id, "Removed")]
    bench.talking.broken = False
    bench.do(bench.sites.look(bench.mine.id))
    assert bench.now(made).state == "Removed"
    bench.do(bench.sites.delete(made.id))
    assert bench.rows(VpnConnection) == []


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"cidrs": "10.20.5.0/24"}, "overlapped with VPC cidr"),
        ({"cidrs": "10.251.9.0/24"}, "overlapped with those of customer gateway"),
        ({"gateway": "198.51.100.1"}, "already leads to 198.51.100.1"),
    ],
)
def test_sites_that_are_connected_do_not_get_into_each_others_way(
    bench: VpnBench, asked: dict[str, Any], text: str
) -> None:
    bench.connect(bench.customer())
    (gateway,) = bench.rows(VpnGateway)
    other = bench.customer("other", **{"gateway": "198.51.100.2", "cidrs": "10.252.0.0/16", **asked})
    with pytest.raises(InvalidParameterValue, match=text):
        bench.sites.create(gateway, other)


def test_a_connection_is_between_ends_of_one_account_and_once(bench: VpnBench) -> None:
    customer = bench.customer()
    bench.connect(customer)
    (gateway,) = bench.rows(VpnGateway)
    with pytest.raises(InvalidParameterValue, match="already existed"):
        bench.sites.create(gateway, customer)
    with pytest.raises(InvalidParameterValue, match="same account's"):
        bench.sites.create(gateway, bench.customer(owner=bench.bob))


def test_a_gateway_has_so_many_connections_as_the_setting_allows(bench: VpnBench) -> None:
    for number in range(4):
        bench.connect(bench.customer(gateway=f"198.51.100.{number}", cidrs=f"10.{100 + number}.0.0/16"))
    (gateway,) = bench.rows(VpnGateway)
    with pytest.raises(InvalidParameterValue, match="The limit is 4"):
        bench.sites.create(gateway, bench.customer(gateway="198.51.100.9", cidrs="10.110.0.0/16"))


def test_a_changed_customer_gateway_changes_its_connections_or_nothing(bench: VpnBench) -> None:
    customer = bench.customer("office")
    bench.connect(customer)
    bench.talking.told.clear()
    request = CustomerGatewayRequest(**{**SITE, "preshared_key": "another", "gateway": "198.51.100.7"})
    changes = bench.customers.check_update(customer, request)
    bench.sites.check_customer(customer, changes)
    changed = bench.do(bench.sites.update_customer(customer.id, changes))
    assert (changed.name, changed.gateway, changed.preshared_key) == ("office", "198.51.100.7", "another")
    assert bench.talking.told == [("sync", bench.mine.id)]
    bench.talking.broken = True
    bench.refused(bench.sites.update_customer(customer.id, {"preshared_key": "third"}))
    assert bench.now(customer) == changed
    overlapping = bench.customers.check_update(
        customer, CustomerGatewayRequest(**{**SITE, "cidrs": "10.20.0.0/24"})
    )
    with pytest.raises(InvalidParameterValue, match="overlapped with VPC cidr"):
        bench.sites.check_customer(customer, overlapping)


def test_connections_go_with_their_vpc_and_customer_gateways_with_their_account(bench: VpnBench) -> None:
    bench.connect(bench.customer())
    with bench.store.transaction():
        bench.sites.remove_of(bench.mine)
    assert (bench.rows(VpnConnection), bench.rows(VpnGateway)) == ([], [])
    theirs = bench.customer(owner=bench.bob)
    bench.do(bench.sites.delete_of(bench.ann))
    assert bench.rows(VpnCustomerGateway) == [theirs]
    assert len(bench.rows(PublicIp)) == 2
