"""Firewall, port forwarding, static NAT and load balancing through the API, and what follows for who reaches whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.model import FirewallRule, Host, PortForwardingRule, SystemVm, VirtualMachine
from tests.cloudsim.management.network.test_load_balancing import KEY, LEAF, ROOT, _pem
from tests.server.api.api_harness import refused
from tests.server.api.commands.network.routed_api import ELSEWHERE, OUTSIDE, RoutedApi


@pytest.fixture
def api() -> Iterator[RoutedApi]:
    made = RoutedApi()
    yield made
    made.cloud.close()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the job that made it."""
    return {name: value for name, value in row.items() if not name.startswith("job")}


def _forward(api: RoutedApi, **more: Any) -> dict[str, Any]:
    asked = {
        "ipaddressid": api.ip["id"],
        "protocol": "tcp",
        "publicport": 2222,
        "privateport": 22,
        "virtualmachineid": api.web["id"],
    }
    rule: dict[str, Any] = api.admin("createPortForwardingRule", **{**asked, **more})["portforwardingrule"]
    return _plain(rule)


def _balance(api: RoutedApi, **more: Any) -> dict[str, Any]:
    asked = {
        "publicipid": api.ip["id"],
        "name": "lb",
        "algorithm": "roundrobin",
        "publicport": 80,
        "privateport": 8080,
    }
    rule: dict[str, Any] = api.admin("createLoadBalancerRule", **{**asked, **more})["loadbalancer"]
    return rule


# port forwarding and the firewall


def test_a_forwarded_port_is_reached_from_outside_as_long_as_the_rule_is_there(api: RoutedApi) -> None:
    assert not api.reach(api.ip["ipaddress"], 2222)
    rule = _forward(api)
    assert (rule["state"], rule["publicport"], rule["publicendport"], rule["privateport"]) == (
        "Active",
        "2222",
        "2222",
        "22",
    )
    assert rule["vmguestip"] == api.web["nic"][0]["ipaddress"]
    assert rule["virtualmachinename"] == "web"
    assert api.ends(api.ip["ipaddress"], 2222) == {(api.web["instancename"], 22)}
    assert api.listed("listPortForwardingRules", "portforwardingrule", networkid=api.front["id"]) == [
        _plain(rule)
    ]
    (opened,) = api.listed("listFirewallRules", "firewallrule", ipaddressid=api.ip["id"])
    assert (opened["startport"], opened["cidrlist"], opened["state"]) == (2222, "0.0.0.0/0", "Active")
    api.admin("deletePortForwardingRule", id=rule["id"])
    assert not api.reach(api.ip["ipaddress"], 2222)
    assert api.admin("listPortForwardingRules") == api.admin("listFirewallRules") == {}


def test_the_firewall_is_opened_apart_from_forwarding(api: RoutedApi) -> None:
    rule = _forward(api, openfirewall=False)
    assert not api.reach(api.ip["ipaddress"], 2222)
    opened = api.admin(
        "createFirewallRule",
        ipaddressid=api.ip["id"],
        protocol="tcp",
        startport=2222,
        cidrlist=f"{OUTSIDE}/32",
    )["firewallrule"]
    assert api.reach(api.ip["ipaddress"], 2222)
    assert not api.reach(api.ip["ipaddress"], 2222, ELSEWHERE)
    refused(537, api.admin, "createFirewallRule", ipaddressid=api.ip["id"], protocol="tcp", startport=2222)
    refused(431, api.admin, "deleteEgressFirewallRule", id=opened["id"])
    api.admin("deleteFirewallRule", id=opened["id"])
    assert not api.reach(api.ip["ipaddress"], 2222)
    api.admin("deletePortForwardingRule", id=rule["id"])


def test_a_range_is_forwarded_port_by_port_and_may_be_led_elsewhere(api: RoutedApi) -> None:
    rule = _forward(api, publicport=3000, publicendport=3009, privateport=4000, privateendport=4009)
    assert api.ends(api.ip["ipaddress"], 3007) == {(api.web["instancename"], 4007)}
    changed = api.admin(
        "updatePortForwardingRule",
        id=rule["id"],
        privateport=5000,
        virtualmachineid=api.db["id"],
        cidrlist=f"{OUTSIDE}/32",
    )["portforwardingrule"]
    assert (changed["privateendport"], changed["virtualmachineid"]) == ("5009", api.db["id"])
    assert api.ends(api.ip["ipaddress"], 3007) == {(api.db["instancename"], 5007)}
    assert not api.reach(api.ip["ipaddress"], 3007, ELSEWHERE)
    refused(537, api.admin, "createPortForwardingRule", **_asked(api, publicport=3009))
    refused(
        431,
        api.admin,
        "createPortForwardingRule",
        **_asked(api, publicport=3010, publicendport=3011, privateendport=9),
    )
    api.admin("deletePortForwardingRule", id=rule["id"])


def _asked(api: RoutedApi, **more: Any) -> dict[str, Any]:
    return {
        "ipaddressid": api.ip["id"],
        "protocol": "tcp",
        "publicport": 22,
        "privateport": 22,
        "virtualmachineid": api.web["id"],
        **more,
    }


def test_what_leaves_a_network_is_what_egress_rules_let_out(api: RoutedApi) -> None:
    web = api.web["instancename"]
    assert not api.reach(OUTSIDE, 443, web)
    rule = api.admin(
        "createEgressFirewallRule",
        networkid=api.front["id"],
        protocol="tcp",
        startport=443,
        endport=443,
        destcidrlist=f"{OUTSIDE}/32",
    )["firewallrule"]
    assert (rule["traffictype"], rule["cidrlist"], rule["destcidrlist"]) == (
        "Egress",
        api.front["cidr"],
        f"{OUTSIDE}/32",
    )
    assert "ipaddressid" not in rule
    assert api.reach(OUTSIDE, 443, web)
    assert not api.reach(OUTSIDE, 80, web)
    assert not api.reach(ELSEWHERE, 443, web)
    assert api.listed("listEgressFirewallRules", "firewallrule", networkid=api.front["id"]) == [_plain(rule)]
    assert api.admin("listFirewallRules", networkid=api.front["id"]) == {}
    hidden = api.admin("updateEgressFirewallRule", id=rule["id"], fordisplay=False)["firewallrule"]
    assert hidden["fordisplay"] is False
    refused(
        431,
        api.admin,
        "createEgressFirewallRule",
        networkid=api.front["id"],
        protocol="tcp",
        cidrlist="10.200.0.0/16",
    )
    api.admin("deleteEgressFirewallRule", id=rule["id"])
    assert not api.reach(OUTSIDE, 443, web)


def test_an_acknowledged_rule_has_a_job_an_id_events_and_tags(api: RoutedApi) -> None:
    reply = api.admin.reply("createFirewallRule", ipaddressid=api.ip["id"], protocol="icmp")
    body = reply.body
    rule = api.admin.job(body["jobid"])["firewallrule"]
    assert (rule["id"], rule["icmptype"], rule["icmpcode"]) == (body["id"], -1, -1)
    api.admin("createTags", resourcetype="FirewallRule", resourceids=rule["id"], tags={"for": "ping"})
    (shown,) = api.listed("listFirewallRules", "firewallrule", tags={"for": "ping"})
    assert shown["tags"][0]["value"] == "ping"
    api.admin("deleteFirewallRule", id=rule["id"])
    events = {event["type"] for event in api.listed("listEvents", "event", resourceid=rule["id"])}
    assert events == {"FIREWALL.OPEN", "FIREWALL.CLOSE"}


def test_rules_are_their_owners_alone(api: RoutedApi) -> None:
    rule, ann = _forward(api), api.account("ann")
    refused(531, ann, "createFirewallRule", ipaddressid=api.ip["id"], protocol="icmp")
    refused(531, ann, "createPortForwardingRule", **_asked(api))
    refused(531, ann, "createEgressFirewallRule", networkid=api.front["id"], protocol="all")
    refused(531, ann, "deletePortForwardingRule", id=rule["id"])
    refused(531, ann, "enableStaticNat", ipaddressid=api.ip["id"], virtualmachineid=api.web["id"])
    assert ann("listPortForwardingRules", listall=True) == {}
    api.admin("deletePortForwardingRule", id=rule["id"])


def test_a_rule_that_no_router_takes_is_no_rule(api: RoutedApi) -> None:
    router = next(iter(api.store.table(SystemVm)))
    host = api.store.table(Host)[api.store.table(VirtualMachine)[router.id].host_id]
    api.cloud.world.crash_host(host.guid)
    refused(534, api.admin, "createPortForwardingRule", **_asked(api))
    assert len(api.store.table(PortForwardingRule)) == len(api.store.table(FirewallRule)) == 0


# static NAT


def test_a_static_nat_address_leads_to_its_instance_by_the_ports_that_are_let_in(api: RoutedApi) -> None:
    ip = api.acquire(networkid=api.front["id"])
    assert api.admin("enableStaticNat", ipaddressid=ip["id"], virtualmachineid=api.web["id"]) == {
        "success": True
    }
    (shown,) = api.listed("listPublicIpAddresses", "publicipaddress", id=ip["id"])
    assert (shown["isstaticnat"], shown["virtualmachineid"], shown["vmipaddress"]) == (
        True,
        api.web["id"],
        api.web["nic"][0]["ipaddress"],
    )
    assert not api.reach(ip["ipaddress"], 8080)
    rule = api.admin(
        "createIpForwardingRule", ipaddressid=ip["id"], protocol="tcp", startport=8080, endport=8081
    )
    rule = rule["ipforwardingrule"]
    assert (rule["startport"], rule["endport"], rule["publicport"], rule["state"]) == (
        8080,
        8081,
        "8080",
        "Active",
    )
    assert api.ends(ip["ipaddress"], 8081) == {(api.web["instancename"], 8081)}
    assert api.listed("listIpForwardingRules", "ipforwardingrule", virtualmachineid=api.web["id"]) == [
        _plain(rule)
    ]
    refused(431, api.admin, "createPortForwardingRule", **_asked(api, ipaddressid=ip["id"]))
    refused(537, api.admin, "enableStaticNat", ipaddressid=ip["id"], virtualmachineid=api.db["id"])
    api.admin("deleteIpForwardingRule", id=rule["id"])
    assert not api.reach(ip["ipaddress"], 8081)
    api.admin("createIpForwardingRule", ipaddressid=ip["id"], protocol="tcp", startport=80)
    api.admin("disableStaticNat", ipaddressid=ip["id"])
    refused(431, api.admin, "disableStaticNat", ipaddressid=ip["id"])
    assert api.admin("listIpForwardingRules") == {}
    api.admin("disassociateIpAddress", id=ip["id"])


# load balancing


def test_a_port_is_spread_over_instances(api: RoutedApi) -> None:
    rule = _balance(api, description="two of them")
    assert (rule["state"], rule["publicport"], rule["privateport"], rule["protocol"]) == (
        "Active",
        "80",
        "8080",
        "tcp",
    )
    ids = [api.web["id"], api.db["id"]]
    api.admin("assignToLoadBalancerRule", id=rule["id"], virtualmachineids=ids)
    behind = api.listed("listLoadBalancerRuleInstances", "loadbalancerruleinstance", id=rule["id"])
    assert [vm["id"] for vm in behind] == ids
    assert api.ends(api.ip["ipaddress"], 80) == {
        (api.web["instancename"], 8080),
        (api.db["instancename"], 8080),
    }
    with_ips = api.listed("listLoadBalancerRuleInstances", "lbrulevmidip", id=rule["id"], lbvmips=True)
    assert [entry["lbvmipaddresses"] for entry in with_ips] == [
        [vm["nic"][0]["ipaddress"]] for vm in (api.web, api.db)
    ]
    assert api.admin("listLoadBalancerRuleInstances", id=rule["id"], applied=False) == {}
    (found,) = api.listed("listLoadBalancerRules", "loadbalancerrule", virtualmachineid=api.db["id"])
    assert found["id"] == rule["id"]
    api.admin("removeFromLoadBalancerRule", id=rule["id"], virtualmachineids=api.db["id"])
    assert api.ends(api.ip["ipaddress"], 80) == {(api.web["instancename"], 8080)}
    refused(431, api.admin, "removeFromLoadBalancerRule", id=rule["id"], virtualmachineids=api.db["id"])
    changed = api.admin("updateLoadBalancerRule", id=rule["id"], algorithm="source", cidrlist=f"{OUTSIDE}/32")
    assert changed["loadbalancer"]["algorithm"] == "source"
    assert not api.reach(api.ip["ipaddress"], 80, ELSEWHERE)
    api.admin("deleteLoadBalancerRule", id=rule["id"])
    assert not api.reach(api.ip["ipaddress"], 80)


def test_an_instance_is_behind_a_rule_by_addresses_of_its_own(api: RoutedApi) -> None:
    nic = api.web["nic"][0]
    further = api.admin("addIpToNic", nicid=nic["id"])["nicsecondaryip"]
    rule = _balance(api)
    entry = {"vmidipmap[0].vmid": api.web["id"], "vmidipmap[0].vmip": further["ipaddress"]}
    api.admin("assignToLoadBalancerRule", id=rule["id"], **entry)
    refused(536, api.admin, "removeIpFromNic", id=further["id"])
    refused(431, api.admin, "assignToLoadBalancerRule", id=rule["id"], **entry)
    api.admin("removeFromLoadBalancerRule", id=rule["id"], **entry)
    api.admin("removeIpFromNic", id=further["id"])
    api.admin("deleteLoadBalancerRule", id=rule["id"])


def test_a_network_balances_on_its_source_nat_address_if_no_other_is_named(api: RoutedApi) -> None:
    refused(
        431, api.admin, "createLoadBalancerRule", name="lb", algorithm="source", publicport=81, privateport=81
    )
    rule = api.admin(
        "createLoadBalancerRule",
        name="lb",
        algorithm="source",
        publicport=81,
        privateport=81,
        networkid=api.front["id"],
    )["loadbalancer"]
    (source_nat,) = api.listed(
        "listPublicIpAddresses", "publicipaddress", associatednetworkid=api.front["id"], issourcenat=True
    )
    assert rule["publicipid"] == source_nat["id"]
    api.admin("deleteLoadBalancerRule", id=rule["id"])


def test_policies_of_a_load_balancer_rule(api: RoutedApi) -> None:
    rule = _balance(api)
    (none,) = api.listed("listLBStickinessPolicies", "stickinesspolicies", lbruleid=rule["id"])
    assert none["stickinesspolicy"] == []
    sticky = api.admin(
        "createLBStickinessPolicy",
        lbruleid=rule["id"],
        name="keep",
        methodname="LbCookie",
        **{"param[0].name": "cookie-name", "param[0].value": "C1", "param[1].name": "nocache"},
    )["stickinesspolicies"]["stickinesspolicy"][0]
    assert (sticky["methodname"], sticky["params"]) == ("LbCookie", {"cookie-name": "C1", "nocache": "true"})
    (shown,) = api.listed("listLBStickinessPolicies", "stickinesspolicies", lbruleid=rule["id"])
    assert shown["stickinesspolicy"] == [sticky]
    refused(431, api.admin, "createLBStickinessPolicy", lbruleid=rule["id"], name="x", methodname="Luck")
    refused(431, api.admin, "listLBStickinessPolicies")
    check = api.admin("createLBHealthCheckPolicy", lbruleid=rule["id"], pingpath="/up", intervaltime=9)
    (check,) = check["healthcheckpolicies"]["healthcheckpolicy"]
    assert (check["pingpath"], check["healthcheckinterval"]) == ("/up", 9)
    stranger = api.account("eve")
    refused(531, stranger, "deleteLBStickinessPolicy", id=sticky["id"])
    refused(531, stranger, "listLBHealthCheckPolicies", id=check["id"])
    router = next(iter(api.store.table(SystemVm)))
    (balancer,) = api.cloud.appliance(router).configuration.balancers
    assert (balancer.stickiness.method, balancer.health_check.path) == ("LbCookie", "/up")
    api.admin("deleteLBStickinessPolicy", id=sticky["id"])
    api.admin("deleteLBHealthCheckPolicy", id=check["id"])
    (balancer,) = api.cloud.appliance(router).configuration.balancers
    assert balancer.stickiness is balancer.health_check is None
    api.admin("deleteLoadBalancerRule", id=rule["id"])


def test_a_certificate_comes_to_its_rule_and_to_nobody_else(api: RoutedApi) -> None:
    uploaded = api.admin("uploadSslCert", name="www", certificate=LEAF, privatekey=_pem(KEY), certchain=ROOT)
    uploaded = uploaded["sslcert"]
    assert "privatekey" not in uploaded
    rule = _balance(api, publicport=443, protocol="ssl")
    api.admin("assignCertToLoadBalancer", lbruleid=rule["id"], certid=uploaded["id"])
    (shown,) = api.admin("listSslCerts", lbruleid=rule["id"])["sslcert"]
    assert shown["loadbalancerrulelist"] == [rule["id"]]
    got = api.admin("getLoadBalancerSslCertificate", id=rule["id"])["data"]
    assert (got["crt"], got["chain"]) == (LEAF, ROOT)
    refused(531, api.account("mallory"), "getLoadBalancerSslCertificate", id=rule["id"])
    router = next(iter(api.store.table(SystemVm)))
    (balancer,) = api.cloud.appliance(router).configuration.balancers
    assert "PRIVATE KEY" in balancer.certificate
    refused(536, api.admin, "deleteSslCert", id=uploaded["id"])
    refused(431, api.admin, "assignCertToLoadBalancer", lbruleid=rule["id"], certid=uploaded["id"])
    api.admin("removeCertFromLoadBalancer", lbruleid=rule["id"])
    api.admin("deleteSslCert", id=uploaded["id"])
    assert api.admin("listSslCerts") == {}
    api.admin("deleteLoadBalancerRule", id=rule["id"])


# what goes along


def test_rules_follow_an_instance_that_gets_another_address_and_go_with_it(api: RoutedApi) -> None:
    app = api.deploy("app", api.front["id"])
    ip = api.acquire(networkid=api.front["id"])
    _forward(api, publicport=5000, virtualmachineid=app["id"])
    balancer = _balance(api, publicport=90)
    api.admin("assignToLoadBalancerRule", id=balancer["id"], virtualmachineids=app["id"])
    api.admin("enableStaticNat", ipaddressid=ip["id"], virtualmachineid=app["id"])
    api.admin("createIpForwardingRule", ipaddressid=ip["id"], protocol="tcp", startport=22)
    api.admin("stopVirtualMachine", id=app["id"])
    moved = api.admin("updateVmNicIp", nicid=app["nic"][0]["id"])["virtualmachine"]["nic"][0]["ipaddress"]
    assert moved != app["nic"][0]["ipaddress"]
    api.admin("startVirtualMachine", id=app["id"])
    assert api.ends(api.ip["ipaddress"], 5000) == {(app["instancename"], 22)}
    assert api.ends(api.ip["ipaddress"], 90) == {(app["instancename"], 8080)}
    assert api.ends(ip["ipaddress"], 22) == {(app["instancename"], 22)}
    api.admin("destroyVirtualMachine", id=app["id"], expunge=True)
    assert api.admin("listPortForwardingRules") == api.admin("listIpForwardingRules") == {}
    assert api.admin("listLoadBalancerRuleInstances", id=balancer["id"]) == {}
    (shown,) = api.listed("listPublicIpAddresses", "publicipaddress", id=ip["id"])
    assert shown["isstaticnat"] is False
    router = next(iter(api.store.table(SystemVm)))
    configuration = api.cloud.appliance(router).configuration
    assert configuration.forwards == configuration.static_nats == ()
    api.admin("deleteLoadBalancerRule", id=balancer["id"])
    api.admin("disassociateIpAddress", id=ip["id"])


def test_rules_go_with_their_address_their_network_and_their_account(api: RoutedApi) -> None:
    ip = api.acquire(networkid=api.front["id"])
    _forward(api, ipaddressid=ip["id"])
    api.admin("disassociateIpAddress", id=ip["id"])
    assert api.admin("listPortForwardingRules") == {}
    back = api.network("back", gateway="10.7.0.1", netmask="255.255.255.0")
    ip = api.acquire(networkid=back["id"])
    api.admin("createFirewallRule", ipaddressid=ip["id"], protocol="icmp")
    api.admin("createEgressFirewallRule", networkid=back["id"], protocol="all")
    api.admin("deleteNetwork", id=back["id"])
    assert api.admin("listFirewallRules") == api.admin("listEgressFirewallRules") == {}
    carol = api.account("carol")
    net = api.network("carols", carol)
    vm = api.deploy("carols", net["id"], carol)
    ip = carol("associateIpAddress", networkid=net["id"])["ipaddress"]
    _forward_of = {**_asked(api), "ipaddressid": ip["id"], "virtualmachineid": vm["id"]}
    carol("createPortForwardingRule", **_forward_of)
    carol("uploadSslCert", name="www", certificate=LEAF, privatekey=_pem(KEY))
    account = api.listed("listAccounts", "account", name="carol", listall=True)[0]
    api.admin("deleteAccount", id=account["id"])
    assert len(api.store.tables["SslCertificate"]) == 0


def test_the_lb_service_tells_what_it_can(api: RoutedApi) -> None:
    (network,) = api.listed("listNetworks", "network", id=api.front["id"])
    (lb,) = [service for service in network["service"] if service["name"] == "Lb"]
    told = {each["name"]: each["value"] for each in lb["capability"]}
    assert "SourceBased" in told["SupportedStickinessMethods"]
    assert told["SupportedProtocols"].split(",") == ["tcp", "udp", "tcp-proxy", "ssl"]


# in a VPC


def test_addresses_of_a_vpc_serve_the_tier_of_their_first_rule(api: RoutedApi) -> None:
    offering = api.listed("listVPCOfferings", "vpcoffering", name="Default VPC offering")[0]["id"]
    vpc = api.admin(
        "createVPC", name="v", displaytext="v", cidr="10.20.0.0/16", zoneid=api.zone, vpcofferingid=offering
    )
    vpc_id = vpc["vpc"]["id"]
    allow = api.listed("listNetworkACLLists", "networkacllist", name="default_allow")[0]["id"]
    tiers = [
        api.network(
            f"tier{n}",
            vpcid=vpc_id,
            gateway=f"10.20.{n}.1",
            netmask="255.255.255.0",
            aclid=allow,
            networkofferingid=api.cloud.network_offering(
                f"DefaultIsolatedNetworkOfferingForVpcNetworks{lb}"
            ).id,
        )
        for n, lb in ((1, "NoLB"), (2, ""))
    ]
    first, second = (api.deploy(f"app{n}", tier["id"]) for n, tier in enumerate(tiers))
    ip = api.acquire(vpcid=vpc_id)
    asked = _asked(api, ipaddressid=ip["id"], virtualmachineid=first["id"])
    refused(431, api.admin, "createPortForwardingRule", **asked)
    rule = api.admin("createPortForwardingRule", **asked, networkid=tiers[0]["id"])["portforwardingrule"]
    assert api.ends(ip["ipaddress"], 22) == {(first["instancename"], 22)}
    assert api.admin("listFirewallRules") == {}
    refused(431, api.admin, "createFirewallRule", ipaddressid=ip["id"], protocol="icmp")
    refused(537, api.admin, "enableStaticNat", ipaddressid=ip["id"], virtualmachineid=first["id"])
    api.admin("deletePortForwardingRule", id=rule["id"])
    assert "associatednetworkid" not in api.listed("listPublicIpAddresses", "publicipaddress", id=ip["id"])[0]
    api.admin(
        "enableStaticNat", ipaddressid=ip["id"], virtualmachineid=second["id"], networkid=tiers[1]["id"]
    )
    assert api.ends(ip["ipaddress"], 443) == {(second["instancename"], 443)}
    api.admin("disableStaticNat", ipaddressid=ip["id"])
    assert not api.reach(ip["ipaddress"], 443)
    balancer = _balance(api, publicipid=ip["id"], networkid=tiers[1]["id"])
    api.admin("assignToLoadBalancerRule", id=balancer["id"], virtualmachineids=second["id"])
    assert api.ends(ip["ipaddress"], 80) == {(second["instancename"], 8080)}
    api.admin("disassociateIpAddress", id=ip["id"])
    assert api.admin("listLoadBalancerRules") == {}
