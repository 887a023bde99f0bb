"""IPv6 prefixes of zones: what may be one, how many subnets it has, and when it may go."""

from __future__ import annotations

import pytest

from cloudsim.errors import InsufficientCapacity
from cloudsim.model import GuestIpv6Prefix, GuestIpv6Subnet, Network, Zone
from tests.server.api.api_harness import Api, refused
from tests.server.api.commands.network.test_ip_ranges import Wired


@pytest.fixture
def wired(api: Api) -> Wired:
    return Wired(api)


def test_a_prefix_is_made_listed_and_deleted(wired: Wired) -> None:
    made = wired.admin("createGuestNetworkIpv6Prefix", zoneid=wired.zone, prefix="2001:DB8:0:1100::/56")
    row = made["guestnetworkipv6prefix"]
    assert (row["prefix"], row["zoneid"]) == ("2001:db8:0:1100::/56", wired.zone)
    assert (row["usedsubnets"], row["availablesubnets"], row["totalsubnets"]) == (0, 256, 256)
    for by in ({"id": row["id"]}, {"zoneid": wired.zone}, {"keyword": "1100"}):
        (found,) = wired.admin("listGuestNetworkIpv6Prefixes", **by)["guestnetworkipv6prefix"]
        assert found.items() <= row.items()
    assert wired.admin("listGuestNetworkIpv6Prefixes", keyword="2200") == {}
    assert wired.admin("deleteGuestNetworkIpv6Prefix", id=row["id"]) == {"success": True}
    assert wired.admin("listGuestNetworkIpv6Prefixes") == {}


def test_only_root_administrators_see_and_make_prefixes(wired: Wired) -> None:
    _, ann = wired.api.account("ann")
    refused(401, ann, "createGuestNetworkIpv6Prefix", zoneid=wired.zone, prefix="2001:db8::/56")
    refused(401, ann, "listGuestNetworkIpv6Prefixes")


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        ("2001:db8::", "prefix must be an IPv6 network"),
        ("2001:db8::1/56", "prefix must be an IPv6 network"),
        ("10.0.0.0/8", "prefix must be an IPv6 network"),
        ("2001:db8::/65", "prefix length of 16 to 64"),
        ("2001::/12", "prefix"),
        ("fe80::/56", "no network of addresses that are routed"),
        ("2001:db8:0:1180::/57", "overlaps 2001:db8:0:1100::/56"),
        ("2001:db8::/32", "overlaps"),
    ],
)
def test_what_is_no_prefix_is_refused_and_changes_nothing(wired: Wired, prefix: str, text: str) -> None:
    wired.admin("createGuestNetworkIpv6Prefix", zoneid=wired.zone, prefix="2001:db8:0:1100::/56")
    assert (
        text
        in refused(431, wired.admin, "createGuestNetworkIpv6Prefix", zoneid=wired.zone, prefix=prefix).text
    )
    assert len(wired.store.table(GuestIpv6Prefix)) == 1


def test_prefixes_and_ranges_of_a_zone_have_different_addresses(wired: Wired) -> None:
    six = {"ip6gateway": "2001:db8:0:1::1", "ip6cidr": "2001:db8:0:1::/64"}
    wired.range(**six)
    asked = {"zoneid": wired.zone, "prefix": "2001:db8::/48"}
    assert "IP range" in refused(431, wired.admin, "createGuestNetworkIpv6Prefix", **asked).text
    wired.admin("createGuestNetworkIpv6Prefix", zoneid=wired.zone, prefix="2001:db8:1::/48")
    other = {"ip6gateway": "2001:db8:1:1::1", "ip6cidr": "2001:db8:1:1::/64"}
    asked = {"zoneid": wired.zone, "vlan": "50", "forvirtualnetwork": True}
    assert "prefix of the zone's" in refused(431, wired.admin, "createVlanIpRange", **asked, **other).text


def test_networks_get_each_subnet_once_until_none_is_left_and_give_it_back(wired: Wired) -> None:
    prefixes = wired.api.manager.ipv6_prefixes
    zone = wired.store.table(Zone)[wired.zone]
    row = prefixes.create(zone, "2001:db8:0:10::/62")

    def take(name: str) -> tuple[str, str]:
        with wired.store.transaction():
            found: tuple[str, str] = prefixes.take(zone, name)
        return found

    assert [take(name) for name in "abcd"] == [
        (f"2001:db8:0:1{digit}::/64", f"2001:db8:0:1{digit}::1") for digit in "0123"
    ]
    with pytest.raises(InsufficientCapacity):
        take("e")
    assert prefixes.used(row) == 4
    refused(536, wired.admin, "deleteGuestNetworkIpv6Prefix", id=row.id)
    network = next(iter(wired.store.table(Network)))
    subnets = wired.store.table(GuestIpv6Subnet)
    with wired.store.transaction():
        subnets.update(subnets.find("network_id", "c").id, network_id=network.id)
        prefixes.release(network)
    assert take("e") == ("2001:db8:0:12::/64", "2001:db8:0:12::1")


def test_a_zone_takes_its_prefixes_with_it(wired: Wired) -> None:
    zone = {"networktype": "Advanced", "dns1": "8.8.8.8", "internaldns1": "8.8.8.8"}
    other = wired.admin("createZone", name="other", **zone)["zone"]["id"]
    wired.admin("createGuestNetworkIpv6Prefix", zoneid=other, prefix="2001:db8::/48")
    wired.admin("deleteZone", id=other)
    assert len(wired.store.table(GuestIpv6Prefix)) == 0
