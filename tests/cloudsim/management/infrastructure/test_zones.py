"""Zones, pods and clusters: what is checked when they are made, changed and removed."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.errors import CloudError, InvalidParameterValue, UnsupportedCommand
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.clusters import Clusters
from cloudsim.management.infrastructure.pods import Pods
from cloudsim.management.infrastructure.zones import Zones
from cloudsim.management.network.physical_networks import PhysicalNetworks
from cloudsim.model import Cluster, Configuration, Network, Nic, Pod, Zone
from tests.cloudsim.management.bare import bare
from tests.cloudsim.management.cloud_harness import Cloud


class Site:
    """Services of an empty cloud, and short ways to make things with them."""

    def __init__(self) -> None:
        self.foundation: Foundation = bare()
        self.networks: list[str] = []
        self.zones = Zones(self.foundation, lambda zone: self.networks.append(zone.name))
        self.pods = Pods(self.foundation)
        self.clusters = Clusters(self.foundation)

    def zone(self, name: str = "z", **more: Any) -> Zone:
        given = {"network_type": "Advanced", "dns1": "8.8.8.8", "internal_dns1": "10.0.0.1", **more}
        return self.zones.create(name=name, **given)

    def pod(self, zone: Zone, name: str = "p", third: int = 1, start: int = 2, end: int = 200) -> Pod:
        return self.pods.create(
            zone,
            name=name,
            gateway=f"10.0.{third}.1",
            netmask="255.255.255.0",
            start_ip=f"10.0.{third}.{start}",
            end_ip=f"10.0.{third}.{end}",
        )

    def cluster(self, zone: Zone, pod: Pod, name: str = "c") -> Cluster:
        return self.clusters.create(zone, pod, name=name, hypervisor="simulator")


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_zone_is_disabled_and_has_a_default_network(site: Site) -> None:
    zone = site.zone(guest_cidr="10.1.1.7/24")
    assert (zone.allocation_state, zone.guest_cidr, zone.network_type) == (
        "Disabled",
        "10.1.1.0/24",
        "Advanced",
    )
    assert site.networks == ["z"]
    site.zones.update(zone, allocation_state="Enabled")
    assert site.networks == ["z", "z"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"network_type": "Fancy"},
        {"dns1": "8.8.8"},
        {"internal_dns1": ""},
        {"guest_cidr": "10.1.1.0"},
        {"guest_cidr": "10.1.1.0/40"},
        {"network_type": "Basic", "guest_cidr": "10.1.1.0/24"},
    ],
)
def test_a_zone_that_is_wrong_is_not_made(site: Site, wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidParameterValue):
        site.zone(**wrong)
    assert not len(site.foundation.table(Zone)) and not site.networks


def test_names_of_zones_pods_and_clusters_are_unique_where_they_are(site: Site) -> None:
    a, b = site.zone("a"), site.zone("b")
    with pytest.raises(InvalidParameterValue):
        site.zone("a")
    with pytest.raises(InvalidParameterValue):
        site.zones.update(b, name="a")
    pod = site.pod(a)
    site.pod(b)
    with pytest.raises(InvalidParameterValue):
        site.pod(a, third=2)
    site.cluster(a, pod)
    with pytest.raises(InvalidParameterValue):
        site.cluster(a, pod)


def test_an_optional_address_can_be_cleared(site: Site) -> None:
    zone = site.zone(dns2="1.1.1.1")
    assert site.zones.update(zone, dns2="").dns2 is None
    with pytest.raises(InvalidParameterValue):
        site.zones.update(zone, dns1="")


def test_pods_of_a_zone_share_no_subnet(site: Site) -> None:
    zone, other = site.zone("a"), site.zone("b")
    pod = site.pod(zone)
    with pytest.raises(InvalidParameterValue, match="conflicts with the subnet of pod p"):
        site.pod(zone, "q", start=210, end=220)
    site.pod(other, "q")
    site.foundation.settings.set("check.pod.cidrs", "false")
    site.pod(zone, "q", start=210, end=220)
    with pytest.raises(InvalidParameterValue):
        site.pods.update(pod, end_ip="10.0.1.215")
    assert site.pods.update(pod, end_ip="10.0.1.205", allocation_state="Disabled").end_ip == "10.0.1.205"


@pytest.mark.parametrize(
    "wrong",
    [
        {"gateway": None},
        {"gateway": "10.0.1.300"},
        {"netmask": "255.0.255.0"},
        {"start_ip": "10.0.2.2"},
        {"start_ip": "10.0.1.200", "end_ip": "10.0.1.100"},
        {"start_ip": "10.0.1.1"},
        {"end_ip": "10.0.1.255"},
    ],
)
def test_a_pod_with_a_wrong_range_is_not_made(site: Site, wrong: dict[str, Any]) -> None:
    right = {"gateway": "10.0.1.1", "netmask": "255.255.255.0", "start_ip": "10.0.1.2", "end_ip": "10.0.1.9"}
    with pytest.raises(InvalidParameterValue):
        site.pods.create(site.zone(), name="p", **{**right, **wrong})


def test_a_pod_without_an_end_goes_to_the_end_of_its_subnet(site: Site) -> None:
    pod = site.pods.create(
        site.zone(), name="p", gateway="10.0.1.254", netmask="255.255.255.0", start_ip="10.0.1.2", end_ip=None
    )
    assert pod.end_ip == "10.0.1.253"


def test_a_cluster_names_a_known_hypervisor_and_a_pod_of_its_zone(site: Site) -> None:
    a, b = site.zone("a"), site.zone("b")
    pod = site.pod(a)
    assert site.cluster(a, pod).hypervisor == "Simulator"
    with pytest.raises(InvalidParameterValue):
        site.cluster(b, pod, "other")
    with pytest.raises(InvalidParameterValue):
        site.clusters.create(a, pod, name="d", hypervisor="TurboVisor")
    with pytest.raises(InvalidParameterValue):
        site.clusters.create(a, pod, name="d", hypervisor="KVM", cluster_type="Homemade")


def test_a_cluster_stays_managed(site: Site) -> None:
    zone = site.zone()
    cluster = site.cluster(zone, site.pod(zone))
    assert site.clusters.update(cluster, allocation_state="Disabled").allocation_state == "Disabled"
    with pytest.raises(UnsupportedCommand):
        site.clusters.update(cluster, managed_state="Unmanaged")


def test_only_what_is_empty_is_removed_and_takes_its_settings_along(site: Site) -> None:
    zone = site.zone()
    pod = site.pod(zone)
    cluster = site.cluster(zone, pod)
    settings = site.foundation.settings
    settings.set("cpu.overprovisioning.factor", "2", "Cluster", cluster.id)
    settings.set("use.external.dns", "true", "Zone", zone.id)
    with pytest.raises(CloudError, match="there are pods in this zone"):
        site.zones.delete(zone)
    with pytest.raises(CloudError, match="there are clusters in this pod"):
        site.pods.delete(pod)
    site.clusters.delete(cluster)
    site.pods.delete(pod)
    site.zones.delete(zone)
    assert not len(site.foundation.table(Zone)) and not len(site.foundation.table(Configuration))


def test_a_physical_network_keeps_its_zone(site: Site) -> None:
    zone = site.zone()
    networks = PhysicalNetworks(site.foundation)
    physical = networks.create(zone, name="n")
    with pytest.raises(CloudError, match="physical networks"):
        site.zones.delete(zone)
    networks.delete(physical)
    site.zones.delete(zone)


def test_a_zone_with_hosts_stays_as_it_is(cloud: Cloud) -> None:
    manager = cloud.manager
    cluster = next(iter(cloud.table(Cluster)))
    pod = next(iter(cloud.table(Pod)))
    with pytest.raises(CloudError, match="servers"):
        manager.pods.delete(pod)
    with pytest.raises(CloudError, match="still has hosts"):
        manager.clusters.delete(cluster)
    with pytest.raises(InvalidParameterValue, match="must hold the old one"):
        manager.pods.update(pod, start_ip=pod.end_ip)
    with pytest.raises(InvalidParameterValue, match="cannot change"):
        manager.clusters.update(cluster, hypervisor="KVM")


def test_a_zones_default_network_goes_with_it_unless_it_is_used(site: Site) -> None:
    zone = site.zone()
    networks, nics = site.foundation.table(Network), site.foundation.table(Nic)
    with site.foundation.store.transaction():
        networks.insert(
            Network(
                id="n",
                name="n",
                display_text="",
                zone_id=zone.id,
                network_offering_id="",
                account_id="",
                domain_id="",
                is_default=True,
            )
        )
        nics.insert(Nic(id="i", vm_id="v", network_id="n", mac="02:00:00:00:00:01"))
    with pytest.raises(CloudError, match="networks"):
        site.zones.delete(zone)
    with site.foundation.store.transaction():
        nics.delete("i")
    site.zones.delete(zone)
    assert not len(networks)
