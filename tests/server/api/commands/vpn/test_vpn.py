"""VPNs through the API, down to what the router is told."""

from __future__ import annotations

from typing import Any

from cloudsim.model import PublicIp, VpnUser
from tests.server.api.api_harness import Client, refused
from tests.server.api.commands.vpc.vpc_api import VpcApi

SITE = {
    "gateway": "198.51.100.1",
    "cidrlist": "10.251.0.0/16",
    "ipsecpsk": "secret",
    "ikepolicy": "aes128-sha1;modp1536",
    "esppolicy": "aes128-sha1",
}


def customer(api: VpcApi, name: str = "office", call: Client | None = None, **more: Any) -> dict[str, Any]:
    asked = {"name": name, **SITE, **more}
    made: dict[str, Any] = (call or api.admin)("createVpnCustomerGateway", **asked)["vpncustomergateway"]
    return made


def source_nat(api: VpcApi, vpc: dict[str, Any]) -> PublicIp:
    (found,) = [ip for ip in api.store.table(PublicIp).where("vpc_id", vpc["id"]) if ip.source_nat]
    return found


def test_a_vpc_is_connected_with_another_site(api: VpcApi) -> None:
    vpc = api.vpc()
    gateway = api.admin("createVpnGateway", vpcid=vpc["id"])["vpngateway"]
    assert (gateway["publicip"], gateway["vpcname"]) == (source_nat(api, vpc).ip, "shop")
    office = customer(api)
    made = api.admin(
        "createVpnConnection", s2svpngatewayid=gateway["id"], s2scustomergatewayid=office["id"]
    )["vpnconnection"]
    assert (made["state"], made["publicip"], made["gateway"], made["cidrlist"], made["passive"]) == (
        "Connected",
        gateway["publicip"],
        "198.51.100.1",
        "10.251.0.0/16",
        False,
    )
    (site,) = api.configuration(vpc).sites
    assert (site.id, site.ip, site.peer, site.local_cidr, site.peer_cidrs, site.preshared_key) == (
        made["id"],
        gateway["publicip"],
        "198.51.100.1",
        "10.20.0.0/16",
        ("10.251.0.0/16",),
        "secret",
    )
    assert api.one("listVpnConnections", "vpnconnection", vpcid=vpc["id"])["id"] == made["id"]
    refused(536, api.admin, "deleteVpnGateway", id=gateway["id"])
    refused(536, api.admin, "deleteVpnCustomerGateway", id=office["id"])
    api.admin("deleteVpnConnection", id=made["id"])
    assert api.configuration(vpc).sites == ()
    api.admin("deleteVpnCustomerGateway", id=office["id"])
    api.admin("deleteVpnGateway", id=gateway["id"])
    assert api.admin("listVpnGateways", vpcid=vpc["id"]) == {}
    assert api.admin("listVpnConnections", vpcid=vpc["id"]) == {}


def test_a_passive_connection_waits_for_the_other_site(api: VpcApi) -> None:
    vpc = api.vpc()
    gateway = api.admin("createVpnGateway", vpcid=vpc["id"])["vpngateway"]
    ends = {"s2svpngatewayid": gateway["id"], "s2scustomergatewayid": customer(api)["id"]}
    made = api.admin("createVpnConnection", passive=True, **ends)["vpnconnection"]
    assert (made["state"], made["passive"]) == ("Disconnected", True)
    assert api.configuration(vpc).sites[0].passive
    hidden = api.admin("updateVpnConnection", id=made["id"], fordisplay=False)["vpnconnection"]
    assert hidden["fordisplay"] is False


def test_a_connection_that_comes_up_later_is_seen_to(api: VpcApi) -> None:
    vpc = api.vpc()
    gateway = api.admin("createVpnGateway", vpcid=vpc["id"])["vpngateway"]
    ends = {"s2svpngatewayid": gateway["id"], "s2scustomergatewayid": customer(api)["id"]}
    made = api.admin("createVpnConnection", passive=True, **ends)["vpnconnection"]

    def state() -> str:
        return str(api.one("listVpnConnections", "vpnconnection", id=made["id"])["state"])

    assert state() == "Disconnected"
    appliance = api.cloud.appliance(api.router(vpc))
    appliance._sites_up = lambda: (made["id"],)  # the other site has called
    api.cloud.until(lambda: state() == "Connected", within=60)


def test_a_connection_is_up_again_with_the_vpcs_next_router(api: VpcApi) -> None:
    vpc = api.vpc()
    gateway = api.admin("createVpnGateway", vpcid=vpc["id"])["vpngateway"]
    ends = {"s2svpngatewayid": gateway["id"], "s2scustomergatewayid": customer(api)["id"]}
    made = api.admin("createVpnConnection", **ends)["vpnconnection"]
    api.admin("restartVPC", id=vpc["id"], cleanup=True)
    again = api.admin("resetVpnConnection", id=made["id"])["vpnconnection"]
    assert again["state"] == "Connected"
    assert [site.id for site in api.configuration(vpc).sites] == [made["id"]]


def test_a_changed_customer_gateway_is_told_to_the_router(api: VpcApi) -> None:
    vpc = api.vpc()
    gateway = api.admin("createVpnGateway", vpcid=vpc["id"])["vpngateway"]
    office = customer(api)
    api.admin("createVpnConnection", s2svpngatewayid=gateway["id"], s2scustomergatewayid=office["id"])
    changed = {**SITE, "ipsecpsk": "another", "dpd": True}
    shown = api.admin("updateVpnCustomerGateway", id=office["id"], **changed)["vpncustomergateway"]
    assert (shown["name"], shown["ipsecpsk"], shown["dpd"]) == ("office", "another", True)
    (site,) = api.configuration(vpc).sites
    assert (site.preshared_key, site.dead_peer_detection) == ("another", True)
    refused(431, api.admin, "updateVpnCustomerGateway", id=office["id"], **{**SITE, "cidrlist": "10.20.0.0/24"})


def test_users_dial_in_to_a_vpc(api: VpcApi) -> None:
    vpc = api.vpc()
    address = source_nat(api, vpc)
    made = api.admin("createRemoteAccessVpn", publicipid=address.id)["remoteaccessvpn"]
    assert (made["state"], made["publicip"], made["iprange"]) == ("Running", address.ip, "10.1.2.1-10.1.2.8")
    user = api.admin("addVpnUser", username="carol", password="secret1")["vpnuser"]
    assert (user["state"], user["username"], user["account"]) == ("Active", "carol", "admin")
    assert "password" not in user
    (dial_in,) = api.configuration(vpc).dial_in
    assert (dial_in.ip, dial_in.preshared_key, dial_in.users) == (
        address.ip,
        made["presharedkey"],
        (("carol", "secret1"),),
    )
    assert (dial_in.local_ip, dial_in.first, dial_in.last) == ("10.1.2.1", "10.1.2.2", "10.1.2.8")
    assert api.one("listRemoteAccessVpns", "remoteaccessvpn", publicipid=address.id)["id"] == made["id"]
    api.admin("removeVpnUser", username="carol")
    assert api.configuration(vpc).dial_in[0].users == ()
    refused(431, api.admin, "removeVpnUser", username="carol")
    api.admin("deleteRemoteAccessVpn", publicipid=address.id)
    assert api.configuration(vpc).dial_in == ()
    refused(431, api.admin, "deleteRemoteAccessVpn", publicipid=address.id)


def test_users_dial_in_to_an_isolated_network_past_its_firewall(api: VpcApi) -> None:
    front = api.network("front")
    api.deploy("web", front)
    (address,) = [ip for ip in api.store.table(PublicIp).where("network_id", front["id"]) if ip.source_nat]
    made = api.admin("createRemoteAccessVpn", publicipid=address.id, iprange="10.3.3.1-10.3.3.9")["remoteaccessvpn"]
    rules = api.listed("listFirewallRules", "firewallrule", ipaddressid=address.id)
    assert sorted((rule["protocol"], rule["startport"], rule["state"]) for rule in rules) == [
        ("udp", port, "Active") for port in (500, 1701, 4500)
    ]
    does = api.cloud.appliance(api.cloud.manager.routers.of(api.store.tables["Network"][front["id"]])).configuration
    assert [(each.ip, each.last) for each in does.dial_in] == [(address.ip, "10.3.3.9")]
    assert len(does.ingress) == 3
    assert api.one("listRemoteAccessVpns", "remoteaccessvpn", networkid=front["id"])["id"] == made["id"]
    api.admin("deleteRemoteAccessVpn", publicipid=address.id)
    assert api.listed("listFirewallRules", "firewallrule", ipaddressid=address.id) == []


def test_who_sees_and_changes_whose_vpns(api: VpcApi) -> None:
    ann, bob = api.account("ann"), api.account("bob")
    vpc = api.vpc(ann)
    gateway = ann("createVpnGateway", vpcid=vpc["id"])["vpngateway"]
    office = customer(api, call=ann)
    ends = {"s2svpngatewayid": gateway["id"], "s2scustomergatewayid": office["id"]}
    refused(531, bob, "createVpnGateway", vpcid=vpc["id"])
    refused(531, bob, "createVpnConnection", **ends)
    refused(531, bob, "deleteVpnCustomerGateway", id=office["id"])
    refused(531, bob, "createRemoteAccessVpn", publicipid=source_nat(api, vpc).id)
    connection = ann("createVpnConnection", **ends)["vpnconnection"]
    refused(531, bob, "resetVpnConnection", id=connection["id"])
    for command in ("listVpnGateways", "listVpnCustomerGateways", "listVpnConnections"):
        assert bob(command) == {}
        assert ann(command)["count"] == 1
    mine = customer(api, call=bob)
    refused(431, api.admin, "createVpnConnection", s2svpngatewayid=gateway["id"], s2scustomergatewayid=mine["id"])


def test_users_go_with_their_account(api: VpcApi) -> None:
    ann = api.account("ann")
    customer(api, call=ann)
    ann("addVpnUser", username="carol", password="secret1")
    account = api.one("listAccounts", "account", name="ann", listall=True)
    assert api.one("listVpnUsers", "vpnuser", account="ann", domainid=account["domainid"])["username"] == "carol"
    api.admin("deleteAccount", id=account["id"])
    assert not len(api.store.table(VpnUser))
    assert api.admin("listVpnCustomerGateways", listall=True) == {}


def test_an_address_that_is_given_back_is_no_more_dialled(api: VpcApi) -> None:
    front = api.network("front")
    api.deploy("web", front)
    address = api.admin("associateIpAddress", networkid=front["id"])["ipaddress"]
    api.admin("createRemoteAccessVpn", publicipid=address["id"])
    api.admin("disassociateIpAddress", id=address["id"])
    assert api.admin("listRemoteAccessVpns", listall=True) == {}
