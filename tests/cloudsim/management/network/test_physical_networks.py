"""Physical networks, the traffic on them, and VLAN ranges."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.infrastructure.zones import Zones
from cloudsim.management.network.physical_networks import PhysicalNetworks
from cloudsim.management.network.vlans import join_vlans, parse_vlans, vlan_number
from cloudsim.model import Network, PhysicalNetwork, TrafficType, Zone
from tests.cloudsim.management.bare import bare


class Site:
    def __init__(self) -> None:
        self.foundation = bare()
        self.networks = PhysicalNetworks(self.foundation)
        self.zones = Zones(self.foundation)
        self.zone = self.add_zone("z", "Advanced")

    def add_zone(self, name: str, kind: str) -> Zone:
        return self.zones.create(name=name, network_type=kind, dns1="8.8.8.8", internal_dns1="8.8.8.8")


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("", []),
        ("100", [(100, 100)]),
        ("300-310, 100-200", [(100, 200), (300, 310)]),
        ("100-150,151-160,155-170", [(100, 170)]),
    ],
)
def test_vlan_ranges(text: str, ranges: list[tuple[int, int]]) -> None:
    assert parse_vlans(text) == ranges
    assert parse_vlans(join_vlans(ranges)) == ranges


@pytest.mark.parametrize("text", ["a", "1-b", "200-100", "-5", "1--2"])
def test_what_is_no_vlan_range(text: str) -> None:
    with pytest.raises(InvalidParameterValue):
        parse_vlans(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("98", 98), ("vlan://98", 98), ("vlan://untagged", None), ("untagged", None), (None, None)],
)
def test_vlan_number(text: str | None, number: int | None) -> None:
    assert vlan_number(text) == number


def test_a_physical_network_is_disabled_at_first(site: Site) -> None:
    made = site.networks.create(site.zone, name="n", vlan="100-200,300", tags=("a",), network_speed="1G")
    assert (made.state, made.vlan, made.isolation_methods) == ("Disabled", "100-200,300-300", ("VLAN",))
    assert site.networks.update(made, state="Enabled", vlan="5-6", tags=[]).vlan == "5-6"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"vlan": "4000-5000"},
        {"isolation_methods": ["VLAN", "GRE"]},
        {"isolation_methods": ["STRING"]},
        {"broadcast_domain_range": "POD"},
        {"broadcast_domain_range": "PLANET"},
    ],
)
def test_a_physical_network_that_is_wrong_is_not_made(site: Site, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterValue):
        site.networks.create(site.zone, **{"name": "n", **wrong})


def test_vxlan_has_more_ids(site: Site) -> None:
    assert (
        site.networks.create(site.zone, name="n", vlan="5000-6000", isolation_methods=["vxlan"]).vlan
        == "5000-6000"
    )


def test_a_basic_zone_has_one_without_vlans(site: Site) -> None:
    zone = site.add_zone("b", "Basic")
    with pytest.raises(InvalidParameterValue):
        site.networks.create(zone, name="n", vlan="1-2")
    assert site.networks.create(zone, name="n").broadcast_domain_range == "POD"
    with pytest.raises(InvalidParameterValue):
        site.networks.create(zone, name="m")


def test_a_vlan_in_use_stays(site: Site) -> None:
    made = site.networks.create(site.zone, name="n", vlan="100-200")
    table = site.foundation.table(Network)
    with site.foundation.store.transaction():
        table.insert(
            Network(
                id="g",
                name="g",
                display_text="",
                zone_id=site.zone.id,
                network_offering_id="",
                account_id="",
                domain_id="",
                physical_network_id=made.id,
                vlan="150",
            )
        )
    with pytest.raises(ResourceInUse, match="150"):
        site.networks.update(made, vlan="100-140")
    assert site.networks.update(made, vlan="140-160").vlan == "140-160"
    guest = site.networks.add_traffic_type(made, "Guest")
    for removal in (lambda: site.networks.delete(made), lambda: site.networks.delete_traffic_type(guest)):
        with pytest.raises(CloudError):
            removal()


def test_traffic_types(site: Site) -> None:
    a, b = (site.networks.create(site.zone, name=name) for name in "ab")
    public = site.networks.add_traffic_type(a, "public", {"kvm": "cloudbr0", "xen": ""})
    assert (public.traffic_type, public.labels) == ("Public", {"kvm": "cloudbr0"})
    for network, kind in ((a, "Public"), (b, "Public"), (a, "Postal")):
        with pytest.raises(InvalidParameterValue):
            site.networks.add_traffic_type(network, kind)
    site.networks.add_traffic_type(a, "Guest")
    site.networks.add_traffic_type(b, "Guest")
    assert site.networks.update_traffic_type(public, {"kvm": "", "xen": "xenbr0"}).labels == {"xen": "xenbr0"}
    site.networks.delete_traffic_type(public)
    site.networks.delete(a)
    assert len(site.foundation.table(TrafficType)) == 1 and len(site.foundation.table(PhysicalNetwork)) == 1
