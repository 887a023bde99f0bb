"""Private gateways and static routes through the API, down to what the router is told and has plugged in."""

from __future__ import annotations

from typing import Any

from tests.server.api.api_harness import refused
from tests.server.api.commands.vpc.vpc_api import VpcApi

ADDRESSES = {"ipaddress": "10.99.0.2", "gateway": "10.99.0.1", "netmask": "255.255.255.0", "vlan": "400"}


def gateway(api: VpcApi, vpc: dict[str, Any], **more: Any) -> dict[str, Any]:
    asked = {**ADDRESSES, "vpcid": vpc["id"], **more}
    made: dict[str, Any] = api.admin("createPrivateGateway", **asked)["privategateway"]
    return made


def test_a_gateways_life(api: VpcApi) -> None:
    vpc = api.vpc()
    made = gateway(api, vpc, sourcenatsupported=True, aclid=api.default_list("default_allow"))
    assert (made["state"], made["vlan"], made["aclname"], made["vpcname"], made["sourcenatsupported"]) == (
        "Ready",
        "vlan://400",
        "default_allow",
        "shop",
        True,
    )
    (leg,) = api.configuration(vpc).private
    assert (leg.ip, leg.gateway, leg.source_nat) == ("10.99.0.2", "10.99.0.1", True)
    nics = {nic["macaddress"]: nic for nic in api.one("listRouters", "router", vpcid=vpc["id"], listall=True)["nic"]}
    assert nics[leg.mac]["ipaddress"] == "10.99.0.2"
    for filter in ({"vlan": "400"}, {"vlan": "vlan://400"}, {"ipaddress": "10.99.0.2"}, {"state": "ready"}):
        assert api.one("listPrivateGateways", "privategateway", **filter)["id"] == made["id"]
    assert api.admin("listPrivateGateways", vlan="401") == {}
    assert api.admin("deletePrivateGateway", id=made["id"]) == {"success": True}
    assert api.configuration(vpc).private == ()
    left = api.one("listRouters", "router", vpcid=vpc["id"], listall=True)["nic"]
    assert leg.mac not in [nic["macaddress"] for nic in left]


def test_the_network_of_a_gateway_is_no_guest_network(api: VpcApi) -> None:
    vpc = api.vpc()
    made = gateway(api, vpc)
    assert made["id"] not in [each["id"] for each in api.listed("listNetworks", "network", listall=True)]
    api.admin("deleteVPC", id=vpc["id"])
    assert made["id"] not in api.store.tables["Network"]
    assert api.admin("listPrivateGateways", listall=True) == {}


def test_a_gateway_of_a_vpc_without_router_is_there_when_the_router_comes(api: VpcApi) -> None:
    vpc = api.vpc(start=False)
    made = gateway(api, vpc)
    api.deploy("web", api.tier(vpc))
    (leg,) = api.configuration(vpc).private
    assert (made["state"], leg.ip) == ("Ready", "10.99.0.2")


def test_a_gateways_list_is_replaced(api: VpcApi) -> None:
    vpc = api.vpc()
    made = gateway(api, vpc)
    acl = api.admin("createNetworkACLList", name="list", vpcid=vpc["id"])["networkacllist"]
    api.admin("replaceNetworkACLList", aclid=acl["id"], gatewayid=made["id"])
    assert api.one("listPrivateGateways", "privategateway", id=made["id"])["aclname"] == "list"
    assert api.configuration(vpc).private[0].acl == ()
    api.admin("createNetworkACL", aclid=acl["id"], protocol="tcp")
    assert len(api.configuration(vpc).private[0].acl) == 1
    refused(536, api.admin, "deleteNetworkACLList", id=acl["id"])


def test_a_routes_life(api: VpcApi) -> None:
    vpc = api.vpc()
    made = gateway(api, vpc)
    route = api.admin("createStaticRoute", gatewayid=made["id"], cidr="10.200.0.0/16")["staticroute"]
    assert (route["state"], route["nexthop"], route["vpcgatewayip"]) == ("Active", "10.99.0.1", "10.99.0.2")
    assert [(each.cidr, each.next_hop) for each in api.configuration(vpc).routes] == [("10.200.0.0/16", "10.99.0.1")]
    assert api.one("listStaticRoutes", "staticroute", gatewayid=made["id"])["id"] == route["id"]
    assert api.one("listStaticRoutes", "staticroute", vpcid=vpc["id"], state="active")["id"] == route["id"]
    refused(537, api.admin, "createStaticRoute", gatewayid=made["id"], cidr="10.200.9.0/24")
    refused(536, api.admin, "deletePrivateGateway", id=made["id"])
    api.admin("deleteStaticRoute", id=route["id"])
    assert api.configuration(vpc).routes == ()
    hop = api.admin("createStaticRoute", vpcid=vpc["id"], nexthop="10.99.0.9", cidr="10.200.0.0/16")
    assert hop["staticroute"]["vpcgatewayid"] == made["id"]


def test_private_gateways_are_operators_and_routes_their_vpcs_owners(api: VpcApi) -> None:
    ann, bob = api.account("ann"), api.account("bob")
    vpc = api.vpc(ann)
    refused(401, ann, "createPrivateGateway", vpcid=vpc["id"], **ADDRESSES)
    made = gateway(api, vpc)
    assert ann("listPrivateGateways")["privategateway"][0]["id"] == made["id"]
    assert bob("listPrivateGateways") == {}
    refused(531, bob, "createStaticRoute", gatewayid=made["id"], cidr="10.200.0.0/16")
    route = ann("createStaticRoute", gatewayid=made["id"], cidr="10.200.0.0/16")["staticroute"]
    refused(531, bob, "deleteStaticRoute", id=route["id"])
    ann("deleteStaticRoute", id=route["id"])
