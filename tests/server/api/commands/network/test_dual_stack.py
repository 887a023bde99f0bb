"""Networks with IPv4 and IPv6: what they are made of, what their instances get, who reaches whom, and what goes with them."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network
from typing import Any

import pytest

from cloudsim.model import GuestIpv6Subnet, Ipv6FirewallRule, Network, PublicIpv6, SystemVm
from tests.server.api.api_harness import refused
from tests.server.api.commands.network.dual_stack import (
    ELSEWHERE6,
    OUTSIDE6,
    PREFIX,
    PUBLIC6,
    DualStackApi,
    denied,
)


@pytest.fixture
def api() -> DualStackApi:
    return DualStackApi()


def reaches(
    api: DualStackApi, destination: str, port: int = 22, source: str = OUTSIDE6, what: str = "tcp"
) -> bool:
    return bool(api.reach(destination, port, source, what))


# offerings


def test_offerings_with_both_are_made_once_that_is_enabled(api: DualStackApi) -> None:
    (row,) = api.admin("listNetworkOfferings", id=api.offering)["networkoffering"]
    assert row["internetprotocol"] == "DualStack"
    api.admin("updateConfiguration", name="ipv6.offering.enabled", value="false")
    said = denied(431, api.network_offering, "another")
    assert "ipv6.offering.enabled" in said
    said = denied(431, api.network_offering, "another", internetprotocol="IPv6")
    assert "IPv4 or DualStack" in said
    assert api.network_offering("plain", internetprotocol="ipv4")["internetprotocol"] == "IPv4"


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"supportedservices": "Dhcp,Dns", "guestiptype": "Isolated"}, "needs service SourceNat"),
        ({"guestiptype": "L2", "supportedservices": ""}, "guest type Isolated"),
    ],
)
def test_offerings_whose_networks_no_router_could_serve_are_refused(
    api: DualStackApi, wrong: dict[str, str], text: str
) -> None:
    asked = {"name": "x", "displaytext": "x", "traffictype": "Guest", "internetprotocol": "DualStack"}
    assert text in refused(431, api.admin, "createNetworkOffering", **asked, **wrong).text


# networks


def test_a_network_gets_a_subnet_of_the_prefix_and_a_public_address_that_leads_to_it(
    api: DualStackApi,
) -> None:
    first, second = api.dual("first"), api.dual("second")
    assert [net["ip6cidr"] for net in (first, second)] == ["2001:db8:0:1100::/64", "2001:db8:0:1101::/64"]
    assert first["ip6gateway"] == "2001:db8:0:1100::1"
    assert (first["internetprotocol"], first["ip6routing"], first["cidr"]) == (
        "DualStack",
        "Static",
        "10.1.1.0/24",
    )
    (route,) = first["ip6routes"]
    assert route["subnet"] == first["ip6cidr"]
    assert IPv6Address(route["gateway"]) in IPv6Network(PUBLIC6["ip6cidr"])
    assert route["gateway"] not in (PUBLIC6["ip6gateway"], second["ip6routes"][0]["gateway"])
    assert api.subnets() == 2
    (shown,) = api.admin("listNetworks", id=first["id"])["network"]
    assert shown["ip6routes"] == [route]


def test_a_network_gives_back_all_that_it_had(api: DualStackApi) -> None:
    network = api.dual()
    api.let_in(network)
    refused(536, api.admin, "deleteGuestNetworkIpv6Prefix", id=api.prefix["id"])
    refused(536, api.admin, "deleteVlanIpRange", id=api.range["id"])
    api.admin("deleteNetwork", id=network["id"])
    for kind in (GuestIpv6Subnet, PublicIpv6, Ipv6FirewallRule):
        assert len(api.store.table(kind)) == 0
    api.admin("deleteGuestNetworkIpv6Prefix", id=api.prefix["id"])
    api.admin("deleteVlanIpRange", id=api.range["id"])


def test_an_account_that_goes_leaves_no_addresses_behind(api: DualStackApi) -> None:
    ann = api.account("ann")
    network = api.dual(call=ann)
    api.let_in(network)
    (account,) = api.admin("listAccounts", name="ann")["account"]
    api.admin("deleteAccount", id=account["id"])
    for kind in (GuestIpv6Subnet, PublicIpv6, Ipv6FirewallRule):
        assert len(api.store.table(kind)) == 0


def test_without_a_prefix_or_a_public_range_there_is_no_network(api: DualStackApi) -> None:
    networks = len(api.store.table(Network))
    api.admin("deleteGuestNetworkIpv6Prefix", id=api.prefix["id"])
    assert "no IPv6 prefix" in denied(431, api.dual)
    api.admin("createGuestNetworkIpv6Prefix", zoneid=api.zone, prefix=PREFIX)
    api.admin("deleteVlanIpRange", id=api.range["id"])
    assert "no public IPv6 range" in denied(431, api.dual)
    other = {"zoneid": api.zone, "forvirtualnetwork": True, "vlan": "60", **PUBLIC6}
    api.admin("createVlanIpRange", **other)
    assert "on VLANs without public IPv4 addresses" in denied(431, api.dual)
    assert len(api.store.table(Network)) == networks
    assert api.subnets() == 0


def test_a_small_public_range_runs_out(api: DualStackApi) -> None:
    span = {"startipv6": "2001:db8:0:1::10", "endipv6": "2001:db8:0:1::11"}
    api.admin("updateVlanIpRange", id=api.range["id"], **span)
    gateways = {api.dual(name)["ip6routes"][0]["gateway"] for name in ("one", "two")}
    assert gateways == set(span.values())
    assert "no free address" in denied(533, api.dual, "three")
    wrong = {"startipv6": "2001:db8:0:1::11", "endipv6": "2001:db8:0:1::15"}
    assert "in use" in refused(431, api.admin, "updateVlanIpRange", id=api.range["id"], **wrong).text


def test_a_dedicated_range_is_for_its_account_alone(api: DualStackApi) -> None:
    ann, bob = api.account("ann"), api.account("bob")
    domain = api.admin("listAccounts", name="ann")["account"][0]["domainid"]
    api.admin("dedicatePublicIpRange", id=api.range["id"], account="ann", domainid=domain)
    assert "no public IPv6 range" in denied(431, api.dual, call=bob)
    assert api.dual(call=ann)["ip6routes"]


def test_a_network_keeps_to_offerings_of_its_kind(api: DualStackApi) -> None:
    dual, plain = api.dual(), api.network("plain")
    for network, offering in ((dual, plain["networkofferingid"]), (plain, api.offering)):
        said = refused(431, api.admin, "updateNetwork", id=network["id"], networkofferingid=offering).text
        assert "has IPv6" in said


# instances, and who reaches whom


def test_an_instance_has_the_address_that_its_guest_makes_of_its_mac(api: DualStackApi) -> None:
    network = api.dual()
    vm = api.deploy("web", network["id"])
    nic = api.nic(vm)
    octets = bytes.fromhex(nic["macaddress"].replace(":", ""))
    tail = bytes((octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]))
    expected = IPv6Network(network["ip6cidr"])[int.from_bytes(tail, "big")]
    assert (nic["ip6address"], nic["ip6cidr"], nic["ip6gateway"]) == (
        str(expected),
        network["ip6cidr"],
        network["ip6gateway"],
    )
    (shown,) = api.admin("listVirtualMachines", id=vm["id"])["virtualmachine"]
    assert shown["nic"][0]["ip6address"] == nic["ip6address"]


def test_from_outside_nobody_is_reached_until_the_firewall_is_opened(api: DualStackApi) -> None:
    network = api.dual()
    address = api.nic(api.deploy("web", network["id"]))["ip6address"]
    assert not reaches(api, address)
    rule = api.let_in(network, cidrlist="2001:db8:ffff::/48")
    assert (rule["state"], rule["traffictype"], rule["cidrlist"]) == (
        "Active",
        "Ingress",
        "2001:db8:ffff::/48",
    )
    assert reaches(api, address)
    assert not reaches(api, address, source=ELSEWHERE6)
    assert not reaches(api, address, 23)
    assert not reaches(api, address, what="icmp")
    api.admin("deleteIpv6FirewallRule", id=rule["id"])
    assert not reaches(api, address)


def test_an_instance_is_answered_from_outside_as_far_as_its_network_lets_it(api: DualStackApi) -> None:
    web = api.nic(api.deploy("web", api.dual("open")["id"]))["ip6address"]
    closed = api.dual("closed", networkofferingid=api.closed)
    db = api.nic(api.deploy("db", closed["id"]))["ip6address"]
    assert reaches(api, OUTSIDE6, source=web) and not reaches(api, OUTSIDE6, source=db)
    api.let_in(closed, traffictype="Egress", destcidrlist="2001:db8:ffff::/48")
    assert reaches(api, OUTSIDE6, source=db)
    assert not reaches(api, ELSEWHERE6, source=db)
    assert not reaches(api, OUTSIDE6, 80, source=db)


def test_two_networks_reach_each_other_by_way_of_the_outside(api: DualStackApi) -> None:
    one, two = api.dual("one"), api.dual("two")
    web, db = (
        api.nic(api.deploy(name, net["id"]))["ip6address"] for name, net in (("web", one), ("db", two))
    )
    assert not reaches(api, db, source=web)
    api.let_in(two, cidrlist=one["ip6cidr"])
    assert reaches(api, db, source=web) and not reaches(api, web, source=db)


def test_the_router_answers_echoes_and_names_and_nothing_else(api: DualStackApi) -> None:
    network = api.dual()
    web = api.nic(api.deploy("web", network["id"]))["ip6address"]
    gateway, outside = network["ip6gateway"], network["ip6routes"][0]["gateway"]
    (router,) = api.admin("listRouters", networkid=network["id"], listall=True)["router"]
    shown = {nic["traffictype"]: (nic["ip6address"], nic["ip6cidr"]) for nic in router["nic"]}
    assert shown == {
        "Guest": (gateway, network["ip6cidr"]),
        "Public": (outside, PUBLIC6["ip6cidr"]),
    }
    assert reaches(api, gateway, 53, source=web, what="udp") and reaches(
        api, gateway, source=web, what="icmp"
    )
    assert not reaches(api, gateway, 22, source=web)
    assert reaches(api, outside, what="icmp") and not reaches(api, outside, 53, what="udp")


def test_a_new_router_has_the_addresses_of_the_old_one(api: DualStackApi) -> None:
    network = api.dual()
    address = api.nic(api.deploy("web", network["id"]))["ip6address"]
    api.let_in(network)
    (before,) = (row.id for row in api.store.table(SystemVm) if row.network_id == network["id"])
    api.admin("restartNetwork", id=network["id"], cleanup=True)
    (after,) = (row.id for row in api.store.table(SystemVm) if row.network_id == network["id"])
    assert before != after
    (now,) = api.admin("listNetworks", id=network["id"])["network"]
    assert now["ip6routes"] == network["ip6routes"]
    assert reaches(api, address)


# shared networks


@pytest.fixture
def shared(api: DualStackApi) -> dict[str, Any]:
    """With addresses 2001:db8:0:9::10 to 1f to ask for; its gateway is a machine outside of the cloud."""
    offering = api.listed("listNetworkOfferings", "networkoffering", name="DefaultSharedNetworkOffering")[0]
    four = {"gateway": "10.9.9.1", "netmask": "255.255.255.0", "startip": "10.9.9.10", "endip": "10.9.9.19"}
    six = {"ip6gateway": "2001:db8:0:9::1", "ip6cidr": "2001:db8:0:9::/64"}
    span = {"startipv6": "2001:db8:0:9::10", "endipv6": "2001:db8:0:9::1f"}
    return api.network("shared", networkofferingid=offering["id"], vlan="98", **four, **six, **span)


def deployed(api: DualStackApi, network: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The NIC of a new instance on the network."""
    offering = next(iter(api.store.tables["ServiceOffering"])).id
    asked = {"zoneid": api.zone, "templateid": api.cloud.template.id, "serviceofferingid": offering}
    vm = api.admin("deployVirtualMachine", **asked, **{"networkids": network["id"], **more})["virtualmachine"]
    return api.nic(vm)


def test_on_a_shared_network_an_instance_has_the_address_of_its_mac_or_the_one_that_is_asked_for(
    api: DualStackApi, shared: dict[str, Any]
) -> None:
    own = deployed(api, shared, macaddress="02:00:4c:00:00:0a")
    assert (own["ip6address"], own["ip6gateway"]) == ("2001:db8:0:9:0:4cff:fe00:a", "2001:db8:0:9::1")
    asked = deployed(api, shared, ip6address="2001:DB8:0:9::0010")
    assert (asked["ip6address"], asked["ip6cidr"]) == ("2001:db8:0:9::10", shared["ip6cidr"])
    each = {"iptonetworklist[0].networkid": shared["id"], "iptonetworklist[0].ipv6": "2001:db8:0:9::11"}
    assert deployed(api, shared, networkids="", **each)["ip6address"] == "2001:db8:0:9::11"
    for address in (own["ip6address"], asked["ip6address"]):
        assert reaches(api, address) and reaches(api, OUTSIDE6, source=address)
    assert reaches(api, own["ip6address"], source=asked["ip6address"])


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("2001:db8:0:9::12", "in use already"),
        ("2001:db8:0:9::20", "not in the range"),
        ("2001:db8:0:8::10", "not in the range"),
        ("10.9.9.12", "must be an IPv6 address"),
    ],
)
def test_an_address_that_no_instance_can_get_is_refused_and_changes_nothing(
    api: DualStackApi, shared: dict[str, Any], wanted: str, text: str
) -> None:
    deployed(api, shared, ip6address="2001:db8:0:9::12")
    before = len(api.store.tables["VirtualMachine"])
    assert text in denied(431, deployed, api, shared, ip6address=wanted)
    assert len(api.store.tables["VirtualMachine"]) == before


def test_where_instances_make_their_addresses_none_is_asked_for(api: DualStackApi) -> None:
    network = api.dual()
    said = denied(431, deployed, api, network, ip6address="2001:db8:0:1100::5")
    assert "its instances make theirs themselves" in said
    assert "it has no IPv6 addresses" in denied(
        431, deployed, api, api.network("plain"), ip6address="2001:db8::5"
    )


def test_the_ipv6_subnet_stays_as_long_as_instances_have_addresses_of_it(
    api: DualStackApi, shared: dict[str, Any]
) -> None:
    (row,) = api.admin("listVlanIpRanges", networkid=shared["id"])["vlaniprange"]
    nic = deployed(api, shared, ip6address="2001:db8:0:9::12")
    other = {"ip6cidr": "2001:db8:0:8::/64", "ip6gateway": "2001:db8:0:8::1"}
    span = {"startipv6": "2001:db8:0:8::10", "endipv6": "2001:db8:0:8::1f"}
    refused(536, api.admin, "updateVlanIpRange", id=row["id"], **other, **span)
    refused(431, api.admin, "updateVlanIpRange", id=row["id"], startipv6="2001:db8:0:9::13")
    api.admin("destroyVirtualMachine", id=nic["virtualmachineid"], expunge=True)
    changed = api.admin("updateVlanIpRange", id=row["id"], startipv6="2001:db8:0:9::13")["vlan"]
    assert changed["startipv6"] == "2001:db8:0:9::13"
    assert deployed(api, shared, ip6address="2001:db8:0:9::13")["ip6address"] == "2001:db8:0:9::13"


# rules


def test_a_rule_is_changed_and_what_is_left_out_stays(api: DualStackApi) -> None:
    network = api.dual()
    address = api.nic(api.deploy("web", network["id"]))["ip6address"]
    rule = api.let_in(network, cidrlist="2001:db8:ffff::/48")
    changed = api.admin("updateIpv6FirewallRule", id=rule["id"], startport=80, endport=81)["ipv6firewallrule"]
    assert (changed["startport"], changed["endport"], changed["cidrlist"]) == (80, 81, "2001:db8:ffff::/48")
    assert reaches(api, address, 80) and not reaches(api, address, 22)
    changed = api.admin("updateIpv6FirewallRule", id=rule["id"], protocol="icmp", icmptype=128)[
        "ipv6firewallrule"
    ]
    assert (changed["protocol"], changed["icmptype"], changed.get("startport")) == ("icmp", 128, None)
    assert reaches(api, address, what="icmp") and not reaches(api, address, 80)


def test_rules_are_listed_by_network_and_direction_to_those_who_own_them(api: DualStackApi) -> None:
    ann, bob = api.account("ann"), api.account("bob")
    network = api.dual(call=ann)
    into = api.let_in(network)
    out = api.let_in(network, traffictype="Egress", protocol="all", startport="", endport="")

    def ids(call: Any, **by: Any) -> set[str]:
        return {row["id"] for row in call("listIpv6FirewallRules", **by).get("ipv6firewallrule", ())}

    assert ids(ann, networkid=network["id"]) == {into["id"], out["id"]}
    assert ids(ann, traffictype="Ingress") == {into["id"]} and ids(ann, traffictype="egress") == {out["id"]}
    assert ids(bob) == set() and ids(ann, id=into["id"]) == {into["id"]}
    refused(531, bob, "deleteIpv6FirewallRule", id=into["id"])


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"cidrlist": "10.0.0.0/8"}, "cidrlist takes IPv6 CIDRs"),
        ({"cidrlist": "2001:db8::"}, "cidrlist takes IPv6 CIDRs"),
        ({"destcidrlist": "2001:db8:5::/64"}, "destcidrlist: 2001:db8:5::/64 is not within the IPv6 subnet"),
        ({"traffictype": "Egress", "cidrlist": "2001:db8:5::/64"}, "cidrlist: 2001:db8:5::/64 is not within"),
        ({"protocol": "icmp"}, "start/end port"),
        ({"endport": 21}, "Start port"),
    ],
)
def test_what_is_no_rule_is_refused_and_changes_nothing(
    api: DualStackApi, wrong: dict[str, Any], text: str
) -> None:
    network = api.dual()
    assert text in denied(431, api.let_in, network, **wrong)
    assert len(api.store.table(Ipv6FirewallRule)) == 0


def test_two_rules_do_not_speak_of_the_same_traffic(api: DualStackApi) -> None:
    network = api.dual()
    api.let_in(network, cidrlist="2001:db8:ffff::/48")
    denied(537, api.let_in, network, startport=20, endport=30)
    api.let_in(network, cidrlist="2001:db8:eeee::/48")
    api.let_in(network, traffictype="Egress")


def test_networks_without_ipv6_have_no_rules_of_it(api: DualStackApi) -> None:
    assert "is none" in denied(431, api.let_in, api.network("plain"))


# VPCs


@pytest.fixture
def vpc(api: DualStackApi) -> dict[str, Any]:
    asked = {"name": "dual", "displaytext": "dual", "internetprotocol": "DualStack", "enable": True}
    services = "Dhcp,Dns,SourceNat,StaticNat,PortForwarding,NetworkACL,UserData"
    offering = api.admin("createVPCOffering", supportedservices=services, **asked)["vpcoffering"]
    assert offering["internetprotocol"] == "DualStack"
    where = {"zoneid": api.zone, "name": "shop", "displaytext": "shop", "cidr": "10.20.0.0/16"}
    made: dict[str, Any] = api.admin("createVPC", vpcofferingid=offering["id"], **where)["vpc"]
    return made


def tier(api: DualStackApi, vpc: dict[str, Any], number: int, **more: Any) -> dict[str, Any]:
    offerings = api.admin("listNetworkOfferings", name="dual tier").get("networkoffering")
    offering = offerings[0] if offerings else api.network_offering("dual tier", forvpc=True)
    where = {"gateway": f"10.20.{number}.1", "netmask": "255.255.255.0", "vpcid": vpc["id"]}
    return api.network(f"tier{number}", networkofferingid=offering["id"], **where, **more)


def test_tiers_have_subnets_of_the_prefix_and_one_address_leads_to_them_all(
    api: DualStackApi, vpc: dict[str, Any]
) -> None:
    one, two = tier(api, vpc, 1), tier(api, vpc, 2)
    (shown,) = api.admin("listVPCs", id=vpc["id"])["vpc"]
    assert [route["subnet"] for route in shown["ip6routes"]] == [one["ip6cidr"], two["ip6cidr"]]
    assert len({route["gateway"] for route in shown["ip6routes"]}) == 1
    assert one["ip6routes"] == shown["ip6routes"][:1]
    for network in (one, two):
        api.admin("deleteNetwork", id=network["id"])
    assert api.subnets() == 0
    api.admin("deleteVPC", id=vpc["id"])
    assert len(api.store.table(PublicIpv6)) == 0


def test_a_tiers_list_says_what_ipv6_it_lets_in_and_out(api: DualStackApi, vpc: dict[str, Any]) -> None:
    acl = api.admin("createNetworkACLList", vpcid=vpc["id"], name="mine")["networkacllist"]["id"]
    one, two = tier(api, vpc, 1, aclid=acl), tier(api, vpc, 2)
    web, db = (
        api.nic(api.deploy(name, net["id"]))["ip6address"] for name, net in (("web", one), ("db", two))
    )
    assert not reaches(api, web) and reaches(api, OUTSIDE6, source=web)
    asked = {"aclid": acl, "protocol": "tcp", "startport": 22, "endport": 22, "traffictype": "Ingress"}
    made = api.admin("createNetworkACL", **asked, cidrlist="2001:db8:ffff::/48,10.0.0.0/8", number=1)[
        "networkacl"
    ]
    assert made["cidrlist"] == "2001:db8:ffff::/48,10.0.0.0/8"
    assert reaches(api, web)
    assert not reaches(api, web, source=ELSEWHERE6) and not reaches(api, web, source=db)
    api.admin("createNetworkACL", **asked, cidrlist=two["ip6cidr"], number=2)
    assert reaches(api, web, source=db)
    out = {"aclid": acl, "protocol": "all", "traffictype": "Egress", "action": "Deny"}
    api.admin("createNetworkACL", **out, cidrlist="2001:db8:ffff::/48", number=3)
    api.admin("createNetworkACL", **{**out, "action": "Allow"}, cidrlist="::/0", number=4)
    assert not reaches(api, OUTSIDE6, source=web) and reaches(api, ELSEWHERE6, source=web)
    said = denied(431, api.let_in, one)
    assert "network ACL" in said


def test_the_first_lists_let_all_or_nothing_of_both_through(api: DualStackApi, vpc: dict[str, Any]) -> None:
    for number, (name, passes) in enumerate((("default_allow", True), ("default_deny", False)), 1):
        acl = api.listed("listNetworkACLLists", "networkacllist", name=name)[0]["id"]
        network = tier(api, vpc, number, aclid=acl)
        address = api.nic(api.deploy(f"vm{number}", network["id"]))["ip6address"]
        assert reaches(api, address) is passes and reaches(api, OUTSIDE6, source=address) is passes


def test_tiers_with_ipv6_are_for_vpcs_with_ipv6(api: DualStackApi) -> None:
    offering = api.listed("listVPCOfferings", "vpcoffering", name="Default VPC offering")[0]["id"]
    where = {"zoneid": api.zone, "name": "plain", "displaytext": "plain", "cidr": "10.20.0.0/16"}
    plain = api.admin("createVPC", vpcofferingid=offering, **where)["vpc"]
    assert "for IPv4 alone" in denied(431, tier, api, plain, 1)
    assert api.subnets() == 0
