"""Network offerings, and which services they can have together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.network.first_network_offerings import FIRST_OFFERINGS
from cloudsim.management.network.network_offerings import NetworkOfferingRequest
from cloudsim.management.network.network_requests import NetworkRequest
from cloudsim.management.network.offered_services import GUEST_TYPES, SERVICES, services_offered
from cloudsim.model import (
    Domain,
    LoadBalancerRule,
    Network,
    NetworkOffering,
    PublicIp,
    ServiceOffering,
)
from tests.cloudsim.management.cloud_harness import Cloud
from tests.cloudsim.management.systemvm.routed_cloud import RoutedCloud

ROUTER = "VirtualRouter"


def create(cloud: Cloud, name: str = "mine", guest_type: str = "Isolated", **fields: Any) -> NetworkOffering:
    request = NetworkOfferingRequest(name=name, guest_type=guest_type, **fields)
    made: NetworkOffering = cloud.manager.network_offerings.create(request)
    return made


def network(cloud: Cloud, offering: NetworkOffering, **fields: Any) -> Network:
    made: Network = cloud.manager.networks.create(
        cloud.admin, cloud.owner, cloud.zone, offering, NetworkRequest(name="net", **fields)
    )
    return made


def test_they_are_made_disabled_changed_and_removed_when_unused(cloud: Cloud) -> None:
    offerings = cloud.manager.network_offerings
    made = create(cloud, guest_type="isolated", services=["dhcp", "Dns"], providers=[("Dhcp", "virtualrouter")])
    assert made.state == "Disabled" and made.services == {"Dhcp": (ROUTER,), "Dns": (ROUTER,)}
    with pytest.raises(InvalidParameterValue, match="SourceNat enabled"):
        offerings.update(made, availability="Required")
    enabled = offerings.update(made, state="enabled", name="ours", tags="fast, cheap")
    assert (enabled.state, enabled.name, enabled.tags) == ("Enabled", "ours", ("fast", "cheap"))
    enabled = offerings.update(enabled, tags="")
    used = network(cloud, enabled)
    with pytest.raises(ResourceInUse, match="used by networks"):
        offerings.delete(enabled)
    cloud.do(cloud.manager.network_life.delete(used.id))
    offerings.delete(enabled)
    with pytest.raises(InvalidParameterValue, match="Default network offering"):
        offerings.delete(cloud.network_offering())


NAT = ["Dhcp", "Dns", "SourceNat"]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"services": ["Teleport"]}, "Invalid service"),
        ({"services": ["Dhcp"], "providers": [("Dhcp", "Nobody")]}, "Provider Nobody is not supported"),
        ({"services": ["Dhcp"], "providers": [("Dns", ROUTER)]}, "is not enabled for the network offering"),
        (
            {"services": ["Dhcp"], "providers": [("Dhcp", ROUTER), ("Dhcp", "ConfigDrive")]},
            "Only one provider can be specified for service Dhcp",
        ),
        ({"services": ["PortForwarding"]}, "Service PortForwarding needs service SourceNat"),
        ({"services": ["NetworkACL"]}, "NetworkACL is supported by VPC networks only"),
        ({"services": ["SecurityGroup"]}, "not supported by network offerings with guest type Isolated"),
        ({"services": ["Lb", "SourceNat"], "providers": [("Lb", "InternalLbVm")]}, "InternalLbVm is not supported"),
        ({"services": ["Dhcp"], "providers": [("Dhcp", "VpcVirtualRouter")]}, "VpcVirtualRouter is not supported"),
        ({"for_vpc": True, "services": ["Firewall"]}, "Firewall is not supported by VPC networks"),
        ({"for_vpc": True, "services": ["Dhcp"], "providers": [("Dhcp", ROUTER)]}, "VirtualRouter is not supported"),
        ({"for_vpc": True, "guest_type": "L2"}, "guest type Isolated"),
        ({"guest_type": "Party"}, "guestIpType"),
        ({"guest_type": "Shared"}, "SpecifyVlan"),
        ({"guest_type": "Shared", "specify_vlan": True}, "SpecifyIpRanges"),
        (
            {"guest_type": "Shared", "specify_vlan": True, "specify_ip_ranges": True, "persistent": True},
            "isPersistent should be false",
        ),
        ({"guest_type": "Shared", "services": NAT}, "SourceNat is not supported by network offerings"),
        ({"guest_type": "L2", "services": ["Dhcp"]}, "guest type L2"),
        ({"specify_ip_ranges": True, "services": NAT}, "SpecifyIpRanges can only be true"),
        ({"egress_default_policy": True, "services": ["Dhcp"]}, "egressdefaultpolicy"),
        ({"max_connections": 10, "services": NAT}, "for offerings with service Lb"),
        ({"max_connections": 0, "services": [*NAT, "Lb"]}, "1 or more"),
        ({"network_rate": -1}, "networkrate"),
        ({"details": {"speed": "high"}}, "Unsupported detail speed"),
        ({"traffic_type": "Public"}, "Guest traffic"),
        ({"availability": "Sometimes"}, "Availability"),
        ({"name": " "}, "needs a name"),
        ({"name": "DefaultL2NetworkOffering"}, "exists already"),
    ],
)
def test_what_one_cannot_be(cloud: Cloud, fields: dict[str, Any], text: str) -> None:
    before = len(cloud.table(NetworkOffering))
    with pytest.raises(InvalidParameterValue, match=text):
        create(cloud, **fields)
    assert len(cloud.table(NetworkOffering)) == before


def capability(service: str, kind: str, value: str) -> dict[str, str]:
    return {"service": service, "capabilitytype": kind, "capabilityvalue": value}


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        (capability("SourceNat", "SupportedSourceNatTypes", "perzone"), "perzone is not supported"),
        (capability("SourceNat", "RedundantRouter", "true"), "RedundantRouter of service SourceNat is not supported"),
        (capability("Lb", "SupportedLBIsolation", "shared"), "must be dedicated"),
        (capability("Lb", "ElasticLb", "true"), "is not supported"),
        (capability("StaticNat", "ElasticIp", "true"), "which the offering does not have"),
        (capability("Lb", "LbSchemes", "Internal"), "does not balance load of scheme Internal"),
        (capability("Dhcp", "DhcpAccrossMultipleSubnets", "true"), "not for 'Dhcp'"),
        (capability("Lb", "Colour", "red"), "has no capability 'Colour'"),
    ],
)
def test_capabilities_that_there_are_not(cloud: Cloud, chosen: dict[str, str], text: str) -> None:
    with pytest.raises(InvalidParameterValue, match=text):
        create(cloud, services=[*NAT, "Lb"], capabilities=[chosen])


def test_capabilities_that_there_are(cloud: Cloud) -> None:
    chosen = [capability("sourcenat", "SupportedSourceNatTypes", "peraccount"), capability("lb", "lbschemes", "PUBLIC")]
    made = create(cloud, services=[*NAT, "Lb"], capabilities=chosen)
    assert made.capabilities == {"SourceNat": {"SupportedSourceNatTypes": "peraccount"}, "Lb": {"LbSchemes": "Public"}}


def test_only_offerings_for_routers_are_taken_for_routers(cloud: Cloud) -> None:
    small = cloud.named(ServiceOffering, "Small Instance")
    with pytest.raises(InvalidParameterValue, match="not a system offering for virtual routers"):
        create(cloud, services=NAT, service_offering=small)
    router = cloud.named(ServiceOffering, "System Offering For Software Router")
    assert create(cloud, services=NAT, service_offering=router).service_offering_id == router.id


def test_networks_are_made_in_the_zones_and_on_the_wires_that_an_offering_is_for(cloud: Cloud) -> None:
    far = cloud.manager.zones.create(name="far", network_type="Advanced", dns1="8.8.8.8", internal_dns1="8.8.8.8")
    elsewhere = create(cloud, "elsewhere", zones=[far], enable=True)
    with pytest.raises(InvalidParameterValue, match="not offered in zone"):
        network(cloud, elsewhere)
    tagged = create(cloud, "tagged", tags="fast", enable=True)
    with pytest.raises(InvalidParameterValue, match="match the tags fast"):
        network(cloud, tagged)
    fast = cloud.manager.physical_networks.create(cloud.zone, name="fast wire", vlan="200-209", tags=("fast",))
    fast = cloud.manager.physical_networks.update(fast, state="Enabled")
    assert network(cloud, tagged).physical_network_id == fast.id
    sub = cloud.table(Domain).find("path", "ROOT")
    assert create(cloud, "sub", domains=[sub]).domain_ids == (sub.id,)


def test_the_default_network_of_a_zone_with_security_groups_has_them(cloud: Cloud) -> None:
    zone = cloud.manager.zones.create(
        name="sg", network_type="Advanced", dns1="8.8.8.8", internal_dns1="8.8.8.8", security_groups=True
    )
    default = cloud.manager.networks.defaults.of(zone)
    offering = cloud.table(NetworkOffering)[default.network_offering_id]
    assert offering.name == "DefaultSharedNetworkOfferingWithSGService"
    with pytest.raises(InvalidParameterValue, match="has security groups"):
        cloud.manager.networks.update(default, offering=cloud.network_offering("DefaultSharedNetworkOffering"))


# combinations


@pytest.mark.parametrize("first", [each for each in FIRST_OFFERINGS if each.usable], ids=lambda each: str(each.name))
def test_the_offerings_of_a_fresh_cloud_keep_to_the_rules(first: Any) -> None:
    pairs = [(service, by[0]) for service, by in first.services.items()]
    made = services_offered(first.guest_type, first.for_vpc, list(first.services), pairs)
    assert made == first.services


PROVIDERS = ["VirtualRouter", "VpcVirtualRouter", "ConfigDrive", "InternalLbVm", "SecurityGroupProvider", None]


@settings(max_examples=600)
@given(
    st.sampled_from(GUEST_TYPES),
    st.booleans(),
    st.dictionaries(st.sampled_from(sorted(SERVICES)), st.sampled_from(PROVIDERS), max_size=8),
)
def test_services_are_offered_exactly_where_somebody_can_provide_them(
    guest_type: Any, for_vpc: bool, wanted: dict[str, str | None]
) -> None:
    pairs = [(service, by) for service, by in wanted.items() if by is not None]
    possible = all(_can_have(guest_type, for_vpc, service, by, wanted) for service, by in wanted.items())
    try:
        made = services_offered(guest_type, for_vpc, list(wanted), pairs)
    except InvalidParameterValue:
        assert not possible
        return
    assert possible
    assert all(made[service] == (by,) for service, by in pairs)
    assert set(made) - set(wanted) <= {"Firewall", "Gateway"}
    if guest_type == "Isolated" and not for_vpc and "SourceNat" in made:
        assert made["Firewall"] == made["Gateway"] == (ROUTER,)
    assert services_offered(guest_type, for_vpc, list(made), [(s, by[0]) for s, by in made.items()]) == made


def _can_have(
    guest_type: str, for_vpc: bool, service: str, by: str | None, wanted: dict[str, str | None]
) -> bool:
    """A network's services, one by one, told again."""
    router = "VpcVirtualRouter" if for_vpc else ROUTER
    if service == "SecurityGroup":
        return guest_type == "Shared" and by in (None, "SecurityGroupProvider") and not for_vpc
    if guest_type == "L2":
        return service == "UserData" and by in (None, "ConfigDrive")
    if service in ("Dhcp", "Dns", "UserData"):
        return by in (None, router, "ConfigDrive")
    if guest_type == "Shared":
        return False
    if service == "NetworkACL":
        return for_vpc and by in (None, router)
    if service == "Firewall" and for_vpc:
        return False
    if service == "Lb" and for_vpc:
        return by in (None, router, "InternalLbVm")
    return by in (None, router) and (for_vpc or "SourceNat" in wanted)


# what routers are told


def test_a_router_is_told_what_its_networks_offering_says_of_load_balancers() -> None:
    cloud = RoutedCloud()
    try:
        offering = create(
            cloud, "busy", services=[*NAT, "Lb"], max_connections=9000, keep_alive=True, enable=True
        )
        net = cloud.network("busy", offering=offering.name)
        cloud.deploy(network=net)
        (public,) = cloud.table(PublicIp).where("network_id", net.id)
        with cloud.store.transaction():
            cloud.table(LoadBalancerRule).insert(
                LoadBalancerRule(
                    id="lb",
                    name="lb",
                    network_id=net.id,
                    account_id=cloud.owner.id,
                    domain_id=cloud.owner.domain_id,
                    public_port=80,
                    private_port=80,
                    public_ip_id=public.id,
                )
            )
        cloud.do(cloud.manager.routers.sync(net.id))
        (balancer,) = cloud.appliance(cloud.router_of(net)).configuration.balancers
        assert (balancer.max_connections, balancer.keep_alive) == (9000, True)
    finally:
        cloud.close()
