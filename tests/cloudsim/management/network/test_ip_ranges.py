"""IP ranges: public ones, and those of shared networks; apart from one another, dedicated, kept while in use."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.network.address_pool import number_of
from cloudsim.management.network.ip_ranges import RangeRequest
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.security_members import SecurityMembers
from cloudsim.management.network.security_rules import SecurityRules
from cloudsim.model import IpRange, Network, Nic, VirtualMachine
from tests.cloudsim.management.network.site import Site


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_public_range_is_on_the_wire_that_carries_public_traffic(site: Site) -> None:
    row = site.public(vlan="vlan://50")
    assert (row.zone_id, row.physical_network_id, row.vlan, row.public) == (
        site.zone.id,
        site.wire.id,
        "50",
        True,
    )
    assert (row.start_ip, row.end_ip, row.gateway, row.netmask) == (
        "192.0.2.10",
        "192.0.2.19",
        "192.0.2.1",
        "255.255.255.0",
    )


@pytest.mark.parametrize("vlan", ["untagged", "vlan://untagged", "", None])
def test_untagged(site: Site, vlan: str | None) -> None:
    assert site.public(vlan=vlan).vlan is None


def test_without_an_end_a_range_is_one_address(site: Site) -> None:
    asked = RangeRequest(
        zone=site.zone, start_ip="192.0.2.10", gateway="192.0.2.1", netmask="255.255.255.0", public=True
    )
    assert site.ranges.create(asked).end_ip == "192.0.2.10"


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"start": ""}, "StartIP or startIPv6 is missing"),
        ({"start": "192.0.2.30"}, "comes after"),
        ({"start": "198.51.100.1"}, "is not an address of"),
        ({"start": "192.0.2.1"}, "The gateway"),
        ({"gateway": None}, "Gateway, netmask and zoneId have to be passed in"),
        ({"netmask": None}, "Gateway, netmask and zoneId have to be passed in"),
        ({"netmask": "255.0.255.0"}, "netmask"),
        ({"vlan": "4095"}, "vlan must be a VLAN id from 1 to 4094"),
        ({"vlan": "-1"}, "vlan must be"),
        ({"vlan": "fifty"}, "vlan must be"),
        ({"vlan": "150"}, "already being used for dynamic vlan allocation"),
        ({"zone": None}, "needs zoneid or physicalnetworkid"),
        ({"public": False}, "Network Id is required"),
    ],
)
def test_what_is_no_public_range_is_refused(site: Site, wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidParameterValue, match=text):
        site.public(**wrong)
    assert len(site.store.table(IpRange)) == 0


def test_a_wire_without_public_traffic_has_no_public_range(site: Site) -> None:
    other = site.wires.create(site.zone, name="storage only")
    with pytest.raises(InvalidParameterValue, match="does not carry Public traffic"):
        site.public(physical=other)
    bare = site.zones.create(name="y", network_type="Advanced", dns1="8.8.8.8", internal_dns1="8.8.8.8")
    with pytest.raises(
        InvalidParameterValue, match="Unable to find physical network with traffic type Public"
    ):
        site.public(zone=bare)


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ({"start": "192.0.2.19", "end": "192.0.2.30"}, "overlaps with the range"),
        ({"start": "192.0.2.12", "end": "192.0.2.13"}, "overlaps with the range"),
        ({"start": "192.0.2.20", "end": "192.0.2.30", "vlan": "51"}, "has VLAN 50"),
        ({"start": "192.0.2.20", "end": "192.0.2.30", "gateway": "192.0.2.254"}, "gateway 192.0.2.1"),
        (
            {"start": "192.0.2.20", "end": "192.0.2.30", "netmask": "255.255.255.128"},
            "The subnet of the range",
        ),
    ],
)
def test_ranges_that_overlap_are_refused(site: Site, other: dict[str, Any], text: str) -> None:
    site.public()
    with pytest.raises(InvalidParameterValue, match=text):
        site.public(**other)
    assert len(site.store.table(IpRange)) == 1


def test_ranges_beside_one_another_and_in_other_zones_are_fine(site: Site) -> None:
    site.public()
    site.public("192.0.2.20", "192.0.2.30")
    site.public("198.51.100.10", "198.51.100.20", gateway="198.51.100.1", vlan="51")
    site.zone = site.zones.create(name="y", network_type="Advanced", dns1="8.8.8.8", internal_dns1="8.8.8.8")
    wire = site.wires.create(site.zone, name="m")
    site.wires.add_traffic_type(wire, "Public")
    assert site.public().physical_network_id == wire.id


def test_a_range_in_a_pods_management_addresses_is_refused(site: Site) -> None:
    site.pods.create(
        site.zone,
        name="p",
        gateway="192.0.2.1",
        netmask="255.255.255.0",
        start_ip="192.0.2.15",
        end_ip="192.0.2.16",
    )
    with pytest.raises(InvalidParameterValue, match="management addresses of pod p"):
        site.public()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(2, 40), st.integers(2, 40)), min_size=1, max_size=6))
def test_no_address_is_in_two_ranges_of_a_zone(asked: list[tuple[int, int]]) -> None:
    site = Site()
    for first, last in asked:
        before = len(site.store.table(IpRange))
        try:
            site.public(f"192.0.2.{first}", f"192.0.2.{last}")
        except InvalidParameterValue:
            assert len(site.store.table(IpRange)) == before
    numbers = [
        number
        for row in site.store.table(IpRange)
        for number in range(number_of(row.start_ip), number_of(row.end_ip) + 1)
    ]
    assert len(numbers) == len(set(numbers))


# changing and removing


def test_a_range_with_addresses_in_use_is_not_deleted(site: Site) -> None:
    row = site.public()
    ip = site.ips.acquire(site.ann, site.zone)
    with pytest.raises(ResourceInUse, match="1 of its addresses are in use"):
        site.ranges.delete(row)
    site.ips.release(ip)
    site.ranges.delete(row)
    assert len(site.store.table(IpRange)) == 0


def test_a_range_is_changed_as_long_as_it_holds_what_is_in_use(site: Site) -> None:
    row = site.public()
    site.ips.acquire(site.ann, site.zone, wanted="192.0.2.15")
    with pytest.raises(InvalidParameterValue, match="must hold all addresses"):
        site.ranges.update(row, end_ip="192.0.2.14")
    row = site.ranges.update(row, start_ip="192.0.2.15", end_ip="192.0.2.16", for_system_vms=False)
    assert site.ips.acquire(site.ann, site.zone).ip == "192.0.2.16"
    assert site.ips.count(row) == (2, 2)


def test_a_changed_range_stays_apart_from_others(site: Site) -> None:
    row = site.public()
    site.public("192.0.2.20", "192.0.2.30")
    with pytest.raises(InvalidParameterValue, match="overlaps"):
        site.ranges.update(row, end_ip="192.0.2.20")


def test_dedicating_and_releasing(site: Site) -> None:
    row = site.public()
    row = site.ranges.dedicate(row, site.ann, site.root)
    assert (row.account_id, row.domain_id) == (site.ann.id, site.root.id)
    with pytest.raises(InvalidParameterValue, match="already been dedicated"):
        site.ranges.dedicate(row, site.bob, site.root)
    site.ranges.release(row)
    (row,) = site.store.table(IpRange)
    assert (row.account_id, row.domain_id) == (None, None)
    with pytest.raises(InvalidParameterValue, match="not dedicated to any domain"):
        site.ranges.release(row)


def test_a_range_that_others_use_is_not_dedicated(site: Site) -> None:
    row = site.public()
    site.ips.acquire(site.bob, site.zone)
    with pytest.raises(InvalidParameterValue, match="in use by another account"):
        site.ranges.dedicate(row, site.ann, site.root)
    site.ranges.dedicate(row, site.bob, site.root)


# with what they are on


def test_zones_and_wires_go_with_ranges_that_nobody_uses(site: Site) -> None:
    site.public()
    ip = site.ips.acquire(site.ann, site.zone)
    with pytest.raises(CloudError, match=r"addresses of its IP range 192\.0\.2\.10-192\.0\.2\.19"):
        site.wires.delete(site.wire)
    site.ips.release(ip)
    site.wires.delete(site.wire)
    site.zones.delete(site.zone)
    assert len(site.store.table(IpRange)) == 0


def test_public_traffic_stays_where_there_are_public_ranges(site: Site) -> None:
    site.public()
    (traffic,) = [t for t in site.store.tables["TrafficType"] if t.traffic_type == "Public"]
    with pytest.raises(CloudError, match="has public IP ranges"):
        site.wires.delete_traffic_type(traffic)


# of shared networks


class Shared:
    """A shared network with the addresses .10 to .11, and what gives them."""

    def __init__(self) -> None:
        self.site = Site()
        self.nics = Nics(
            self.site.foundation, SecurityRules(self.site.foundation, SecurityMembers(self.site.foundation))
        )
        own = {
            "guest_type": "Shared",
            "acl_type": "Domain",
            "vlan": "98",
            "start_ip": "10.9.9.10",
            "end_ip": "10.9.9.11",
        }
        subnet = {"cidr": "10.9.9.0/24", "gateway": "10.9.9.1"}
        self.network = self.site.network(self.site.ann, "shared", **own, **subnet)

    def add(self, start: str, end: str, **more: Any) -> IpRange:
        return self.site.ranges.create(RangeRequest(network=self.network, start_ip=start, end_ip=end, **more))

    def take(self, ip: str | None = None) -> Nic:
        vm = VirtualMachine(
            id=self.site.foundation.uuid(),
            name="v",
            display_name="v",
            account_id=self.site.ann.id,
            domain_id=self.site.root.id,
            zone_id=self.site.zone.id,
            template_id="",
            service_offering_id="",
            instance_name="i",
            cpus=1,
            cpu_mhz=500,
            memory_mib=128,
        )
        with self.site.store.transaction():
            network = self.site.store.table(Network)[self.network.id]
            return self.nics.allocate(vm, network, ip=ip)


def test_instances_get_addresses_of_all_ranges_of_a_shared_network() -> None:
    shared = Shared()
    shared.add("10.9.9.20", "10.9.9.21")
    assert [shared.take().ip for _ in range(3)] == ["10.9.9.10", "10.9.9.11", "10.9.9.20"]
    shared.add("10.9.9.30", "10.9.9.30", vlan="vlan://98", gateway="10.9.9.1", netmask="255.255.255.0")
    assert {shared.take().ip, shared.take().ip} == {"10.9.9.21", "10.9.9.30"}
    with pytest.raises(CloudError, match="no free address"):
        shared.take()


def test_a_further_range_of_which_an_instance_has_an_address_is_not_deleted() -> None:
    shared = Shared()
    row = shared.add("10.9.9.20", "10.9.9.21")
    nic = shared.take("10.9.9.21")
    with pytest.raises(ResourceInUse):
        shared.site.ranges.delete(row)
    with pytest.raises(InvalidParameterValue, match="must hold all addresses"):
        shared.site.ranges.update(row, end_ip="10.9.9.20")
    with shared.site.store.transaction():
        shared.site.store.table(Nic).delete(nic.id)
    shared.site.ranges.delete(row)
    with pytest.raises(InvalidParameterValue, match="not in the range"):
        shared.take("10.9.9.21")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"gateway": "10.9.9.2"}, "ranges of another subnet are not supported"),
        ({"netmask": "255.255.0.0"}, "ranges of another subnet are not supported"),
        ({"vlan": "97"}, "vlan must be that of network shared"),
        ({"public": True}, "forvirtualnetwork cannot be true"),
        ({"for_system_vms": True}, "Only public IP ranges can be"),
    ],
)
def test_what_is_no_range_of_a_shared_network_is_refused(wrong: dict[str, Any], text: str) -> None:
    shared = Shared()
    with pytest.raises(InvalidParameterValue, match=text):
        shared.add("10.9.9.20", "10.9.9.21", **wrong)


def test_isolated_networks_have_no_ranges(site: Site) -> None:
    with pytest.raises(InvalidParameterValue, match="only shared networks have further ranges"):
        site.ranges.create(RangeRequest(network=site.network(site.ann), start_ip="10.1.1.5"))
