"""IPv6 addresses of ranges: public ones, those of shared networks, apart from each other, changed and taken away."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.model import IpRange
from tests.server.api.api_harness import Api, refused
from tests.server.api.commands.network.test_ip_ranges import Wired

SIX = {"ip6gateway": "2001:db8:0:1::1", "ip6cidr": "2001:db8:0:1::/64"}
NO_FOUR = {"startip": "", "endip": "", "gateway": "", "netmask": ""}
FIELDS = ("ip6gateway", "ip6cidr", "startipv6", "endipv6")


@pytest.fixture
def wired(api: Api) -> Wired:
    return Wired(api)


def six(row: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(row.get(name) for name in FIELDS)


def test_a_public_range_of_ipv6_addresses_alone(wired: Wired) -> None:
    made = wired.range(**NO_FOUR, **SIX)
    (row,) = wired.admin("listVlanIpRanges", zoneid=wired.zone)["vlaniprange"]
    assert row == made
    assert six(row) == ("2001:db8:0:1::1", "2001:db8:0:1::/64", None, None)
    assert not {"startip", "endip", "gateway", "netmask", "cidr"} & set(row)
    assert (row["vlan"], row["description"]) == ("vlan://50", "vlan://50 2001:db8:0:1::/64")
    assert wired.admin("deleteVlanIpRange", id=made["id"]) == {"success": True}
    assert wired.admin("listVlanIpRanges") == {}


def test_a_zone_with_public_ipv6_addresses_alone_gives_out_no_ipv4_ones(wired: Wired) -> None:
    wired.range(**NO_FOUR, **SIX)
    assert wired.admin("listPublicIpAddresses", allocatedonly=False) == {}
    wired.range()
    (public,) = wired.admin("listCapacity", type=4, zoneid=wired.zone)["capacity"]
    assert public["capacitytotal"] == 199
    assert wired.admin("listPublicIpAddresses", allocatedonly=False)["count"] == 199


def test_a_range_of_both_has_addresses_in_their_usual_form(wired: Wired) -> None:
    row = wired.range(
        ip6gateway="2001:0db8:0:1::0001",
        ip6cidr="2001:db8:0:1::/64",
        startipv6="2001:DB8:0:1::10",
        endipv6="2001:db8:0:1::2f",
    )
    assert six(row) == ("2001:db8:0:1::1", "2001:db8:0:1::/64", "2001:db8:0:1::10", "2001:db8:0:1::2f")
    assert (row["startip"], row["cidr"]) == ("192.168.2.2", "192.168.2.0/24")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"ip6gateway": ""}, "ip6gateway and ip6cidr should be defined"),
        ({"ip6cidr": ""}, "ip6gateway and ip6cidr should be defined"),
        ({"ip6cidr": "2001:db8:0:1::/56"}, "ip6cidr"),
        ({"ip6cidr": "2001:db8::/48"}, "prefix length of 64"),
        ({"ip6cidr": "10.0.0.0/24"}, "ip6cidr must be an IPv6 network"),
        ({"ip6cidr": "fe80::/64"}, "no network of addresses that are routed"),
        ({"ip6gateway": "10.0.0.1"}, "ip6gateway must be an IPv6 address"),
        ({"ip6gateway": "2001:db8:0:2::1"}, "not an address of ip6cidr"),
        ({"startipv6": "2001:db8:0:2::1"}, "startipv6"),
        ({"endipv6": "2001:db8:0:1::9"}, "endipv6 needs a startipv6"),
        ({"startipv6": "2001:db8:0:1::9", "endipv6": "2001:db8:0:1::5"}, "comes after"),
        ({"startipv6": "2001:db8:0:1::1", "endipv6": "2001:db8:0:1::5"}, "must not be in the range"),
    ],
)
def test_what_is_no_range_is_refused_and_changes_nothing(
    wired: Wired, wrong: dict[str, str], text: str
) -> None:
    asked = {"zoneid": wired.zone, "vlan": "50", "forvirtualnetwork": True, **SIX, **wrong}
    assert text in refused(431, wired.admin, "createVlanIpRange", **asked).text
    assert len(wired.store.table(IpRange)) == 0


def test_ranges_of_one_subnet_share_its_gateway_and_vlan_and_no_address(wired: Wired) -> None:
    wired.range(**NO_FOUR, **SIX, startipv6="2001:db8:0:1::10", endipv6="2001:db8:0:1::1f")
    asked = {"zoneid": wired.zone, "forvirtualnetwork": True, "vlan": "50", **SIX}
    more = {"startipv6": "2001:db8:0:1::20", "endipv6": "2001:db8:0:1::2f"}
    shared = {**more, "startipv6": "2001:db8:0:1::1f"}
    assert "overlap" in refused(431, wired.admin, "createVlanIpRange", **asked, **shared).text
    assert (
        "overlaps" in refused(431, wired.admin, "createVlanIpRange", **{**asked, "vlan": "51"}, **more).text
    )
    other = {**asked, "ip6gateway": "2001:db8:0:1::2"}
    assert "overlaps" in refused(431, wired.admin, "createVlanIpRange", **other, **more).text
    wired.admin("createVlanIpRange", **asked, **more)
    assert len(wired.store.table(IpRange)) == 2


def test_a_shared_network_is_made_with_ipv6_addresses(wired: Wired) -> None:
    network = wired.shared(**SIX, startipv6="2001:db8:0:1::10", endipv6="2001:db8:0:1::1f")
    assert (network["ip6gateway"], network["ip6cidr"]) == ("2001:db8:0:1::1", "2001:db8:0:1::/64")
    assert network["internetprotocol"] == "DualStack"
    (row,) = wired.admin("listVlanIpRanges", networkid=network["id"])["vlaniprange"]
    assert six(row)[2:] == ("2001:db8:0:1::10", "2001:db8:0:1::1f")


def test_a_shared_network_gets_ipv6_addresses_by_a_further_range_and_loses_them_with_it(wired: Wired) -> None:
    network = wired.shared()
    assert network["internetprotocol"] == "IPv4" and "ip6cidr" not in network
    asked = {"networkid": network["id"], "startip": "10.9.9.30", "endip": "10.9.9.39", "vlan": "vlan://98"}
    made = wired.admin("createVlanIpRange", **asked, **SIX)["vlan"]
    assert (made["startip"], *six(made)[:2]) == ("10.9.9.30", SIX["ip6gateway"], SIX["ip6cidr"])
    (now,) = wired.admin("listNetworks", id=network["id"])["network"]
    assert (now["ip6cidr"], now["internetprotocol"]) == (SIX["ip6cidr"], "DualStack")
    other = {"networkid": network["id"], "ip6gateway": "2001:db8:0:2::1", "ip6cidr": "2001:db8:0:2::/64"}
    assert "must be those of network" in refused(431, wired.admin, "createVlanIpRange", **other).text
    wired.admin("deleteVlanIpRange", id=made["id"])
    (now,) = wired.admin("listNetworks", id=network["id"])["network"]
    assert now["internetprotocol"] == "IPv4" and "ip6cidr" not in now


def test_two_networks_have_different_subnets(wired: Wired) -> None:
    wired.shared(**SIX)
    wired.range(**NO_FOUR, ip6gateway="2001:db8:0:9::1", ip6cidr="2001:db8:0:9::/64")
    other = wired.shared(name="other", vlan="99", gateway="10.8.8.1", startip="10.8.8.5", endip="10.8.8.9")
    for taken in (SIX, {"ip6gateway": "2001:db8:0:9::1", "ip6cidr": "2001:db8:0:9::/64"}):
        assert (
            "overlaps" in refused(431, wired.admin, "createVlanIpRange", networkid=other["id"], **taken).text
        )


def test_a_network_with_security_groups_has_no_ipv6_addresses(wired: Wired) -> None:
    offering = wired.admin("listNetworkOfferings", name="DefaultSharedNetworkOfferingWithSGService")
    wired.enable()
    asked = {
        "name": "guarded",
        "zoneid": wired.zone,
        "networkofferingid": offering["networkoffering"][0]["id"],
        "vlan": "97",
        "gateway": "10.7.7.1",
        "netmask": "255.255.255.0",
        "startip": "10.7.7.5",
    }
    assert "security groups" in refused(431, wired.admin, "createNetwork", **asked, **SIX).text


def test_a_range_gets_changes_and_keeps_its_ipv6_addresses(wired: Wired) -> None:
    row = wired.range()
    changed = wired.admin("updateVlanIpRange", id=row["id"], **SIX)["vlan"]
    assert six(changed)[:2] == (SIX["ip6gateway"], SIX["ip6cidr"]) and changed["startip"] == row["startip"]
    span = {"startipv6": "2001:db8:0:1::5", "endipv6": "2001:db8:0:1::9"}
    changed = wired.admin("updateVlanIpRange", id=row["id"], **span)["vlan"]
    assert six(changed) == (SIX["ip6gateway"], SIX["ip6cidr"], *span.values())
    assert (
        "comes after"
        in refused(431, wired.admin, "updateVlanIpRange", id=row["id"], startipv6="2001:db8:0:1::a").text
    )
    assert wired.admin("listVlanIpRanges", id=row["id"])["vlaniprange"] == [changed]


def test_a_range_of_ipv6_addresses_is_dedicated_and_released(wired: Wired) -> None:
    made, _ = wired.api.account("ann")
    row = wired.range(**NO_FOUR, **SIX)
    where = {"account": "ann", "domainid": made["domainid"]}
    changed = wired.admin("dedicatePublicIpRange", id=row["id"], **where)["vlan"]
    assert changed["account"] == "ann" and six(changed) == six(row)
    assert [each["id"] for each in wired.admin("listVlanIpRanges", **where)["vlaniprange"]] == [row["id"]]
    wired.admin("releasePublicIpRange", id=row["id"])
    assert wired.admin("listVlanIpRanges", id=row["id"])["vlaniprange"][0]["account"] == "system"
