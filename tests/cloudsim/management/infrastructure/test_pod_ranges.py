"""Further ranges of pods, of the management and the storage network."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.infrastructure.pod_ranges import PodRanges
from cloudsim.model import Pod, PodIpRange, StorageIpRange
from tests.cloudsim.management.network.site import Site

SUBNET = {"gateway": "10.0.0.1", "netmask": "255.255.255.0"}


class Ranges(Site):
    """A pod with the management addresses .10 to .11."""

    def __init__(self) -> None:
        super().__init__()
        self.made = PodRanges(self.foundation)
        self.pod = self.pods.create(self.zone, name="p", start_ip="10.0.0.10", end_ip="10.0.0.11", **SUBNET)

    def add(self, start: str = "10.0.0.20", end: str | None = "10.0.0.21", **more: Any) -> PodIpRange:
        return self.made.add(self.pod, start_ip=start, end_ip=end, **(SUBNET | more))

    def add_storage(
        self, start: str = "10.0.5.10", end: str | None = "10.0.5.20", **more: Any
    ) -> StorageIpRange:
        subnet = {"gateway": "10.0.5.1", "netmask": "255.255.255.0"}
        return self.made.add_storage(self.pod, start_ip=start, end_ip=end, **(subnet | more))


@pytest.fixture
def site() -> Ranges:
    return Ranges()


def test_system_vms_get_addresses_of_all_ranges_of_their_pod(site: Ranges) -> None:
    site.ips.take_pod_ip(site.pod, "a")
    row = site.add(vlan="vlan://untagged")
    assert (row.vlan, row.for_system_vms) == (None, False)
    assert [site.ips.take_pod_ip(site.pod, v).ip for v in "bcd"] == ["10.0.0.11", "10.0.0.20", "10.0.0.21"]
    assert site.ips.pod_ips.count(site.pod) == (4, 4)


def test_without_an_end_a_range_is_one_address(site: Ranges) -> None:
    assert site.add(end=None).end_ip == "10.0.0.20"


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"gateway": "10.0.0.2"}, "Multiple subnets for pod p are not supported"),
        ({"netmask": "255.255.0.0"}, "Multiple subnets for pod p are not supported"),
        ({"start": "10.0.0.11"}, "overlaps with 10.0.0.10-10.0.0.11 of pod p"),
        ({"start": "10.0.0.22"}, "comes after"),
        ({"start": "10.0.1.20"}, "not an address of"),
        ({"vlan": "4095"}, "vlan must be a VLAN id from 1 to 4094"),
        ({"vlan": "x"}, "vlan must be"),
    ],
)
def test_what_is_no_range_of_a_pod_is_refused(site: Ranges, wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidParameterValue, match=text):
        site.add(**wrong)
    assert len(site.store.table(PodIpRange)) == 0


def test_ranges_of_a_zone_stay_apart(site: Ranges) -> None:
    site.add()
    site.public()
    for start, end in (("10.0.0.21", "10.0.0.30"), ("10.0.0.5", "10.0.0.30")):
        with pytest.raises(InvalidParameterValue, match="overlaps"):
            site.add(start, end)
    with pytest.raises(InvalidParameterValue, match="of the public network"):
        site.add_storage("192.0.2.10", "192.0.2.10", gateway="192.0.2.1")
    with pytest.raises(InvalidParameterValue, match="of pod p"):
        site.add_storage("10.0.0.21", "10.0.0.22", gateway="10.0.0.1")
    site.add_storage()
    with pytest.raises(InvalidParameterValue, match="of the storage network"):
        site.add_storage("10.0.5.20", "10.0.5.21")


def test_a_range_is_removed_when_nobody_has_an_address_of_it(site: Ranges) -> None:
    site.add()
    for vm_id in "abc":
        site.ips.take_pod_ip(site.pod, vm_id)
    with pytest.raises(ResourceInUse, match="1 of its addresses are in use"):
        site.made.remove(site.pod, "10.0.0.20", "10.0.0.21")
    site.ips.release_pod_ips("c")
    with pytest.raises(InvalidParameterValue, match="is on VLAN untagged, not 5"):
        site.made.remove(site.pod, "10.0.0.20", "10.0.0.21", "5")
    site.made.remove(site.pod, "10.0.0.20", "10.0.0.21", "untagged")
    assert site.ips.pod_ips.count(site.pod) == (2, 2)


def test_the_pods_own_range_stays_and_others_must_exist(site: Ranges) -> None:
    with pytest.raises(InvalidParameterValue, match="it goes with the pod"):
        site.made.remove(site.pod, "10.0.0.10", "10.0.0.11")
    with pytest.raises(InvalidParameterValue, match=r"has no IP range 10\.0\.0\.30"):
        site.made.remove(site.pod, "10.0.0.30", "10.0.0.31")


def test_a_range_is_changed_as_long_as_it_holds_what_is_in_use(site: Ranges) -> None:
    site.add()
    for vm_id in "abc":
        site.ips.take_pod_ip(site.pod, vm_id)
    with pytest.raises(InvalidParameterValue, match="must hold all addresses"):
        site.made.update(site.pod, "10.0.0.20", "10.0.0.21", new_start="10.0.0.21")
    site.made.update(site.pod, "10.0.0.20", "10.0.0.21", new_end="10.0.0.25")
    site.made.update(site.pod, "10.0.0.10", "10.0.0.11", new_start="10.0.0.9")
    with pytest.raises(InvalidParameterValue, match="overlaps"):
        site.made.update(site.pod, "10.0.0.9", "10.0.0.11", new_end="10.0.0.20")
    assert site.ips.pod_ips.count(site.store.table(Pod)[site.pod.id]) == (9, 3)


def test_a_storage_range_is_made_changed_and_removed(site: Ranges) -> None:
    row = site.add_storage(vlan=7)
    assert (row.zone_id, row.pod_id, row.vlan) == (site.zone.id, site.pod.id, "7")
    row = site.made.update_storage(row, end_ip="10.0.5.30", vlan=0)
    assert (row.start_ip, row.end_ip, row.vlan) == ("10.0.5.10", "10.0.5.30", None)
    with pytest.raises(InvalidParameterValue, match="not an address of"):
        site.made.update_storage(row, end_ip="10.0.6.30")
    site.made.remove_storage(row)
    assert len(site.store.table(StorageIpRange)) == 0


def test_storage_ranges_need_storage_traffic(site: Ranges) -> None:
    (traffic,) = [t for t in site.store.tables["TrafficType"] if t.traffic_type == "Storage"]
    site.wires.delete_traffic_type(traffic)
    with pytest.raises(InvalidParameterValue, match="Storage network is not enabled in this zone"):
        site.add_storage()


def test_ranges_go_with_their_pod(site: Ranges) -> None:
    site.add()
    site.add_storage()
    site.pods.delete(site.pod)
    assert len(site.store.table(PodIpRange)) == len(site.store.table(StorageIpRange)) == 0
