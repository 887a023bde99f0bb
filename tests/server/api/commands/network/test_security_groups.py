"""Security groups through the API, as clients of CloudStack use them."""

from __future__ import annotations

from typing import Any

from cloudsim.model import NetworkOffering, Nic, VirtualMachine
from tests.server.api.api_harness import Client, refused
from tests.server.api.commands.cloud_api import CloudApi

GROUPS_OFFERING = "DefaultSharedNetworkOfferingWithSGService"


def group(call: Client, **wanted: Any) -> dict[str, Any]:
    """The one group that listSecurityGroups finds."""
    (found,) = call("listSecurityGroups", **wanted)["securitygroup"]
    return dict(found)


def guarded_network(api: CloudApi) -> str:
    """A shared network whose instances are in security groups."""
    offering = api.cloud.named(NetworkOffering, GROUPS_OFFERING).id
    subnet = {"gateway": "172.20.0.1", "netmask": "255.255.255.0", "startip": "172.20.0.10", "endip": "172.20.0.99"}
    return str(api.network("guarded", networkofferingid=offering, vlan="1234", **subnet)["id"])


def deploy(api: CloudApi, name: str, **more: Any) -> dict[str, Any]:
    offering = next(o for o in api.store.tables["ServiceOffering"] if o.name == "Small Instance")
    made = api.admin(
        "deployVirtualMachine",
        name=name,
        zoneid=api.zone,
        templateid=api.cloud.template.id,
        serviceofferingid=offering.id,
        **more,
    )
    return dict(made["virtualmachine"])


def test_rules_appear_in_their_group_and_go(cloud_api: CloudApi) -> None:
    admin = cloud_api.admin
    made = admin("createSecurityGroup", name="web", description="d")["securitygroup"]
    ingress = {"protocol": "TCP", "startport": 22, "endport": 23, "cidrlist": ["10.0.0.0/8", "10.2.3.4/24"]}
    answer = admin("authorizeSecurityGroupIngress", securitygroupid=made["id"], **ingress)["securitygroup"]
    assert answer["name"] == "web" and [r["cidr"] for r in answer["ingressrule"]] == ["10.0.0.0/8", "10.2.3.0/24"]
    egress = {"protocol": "icmp", "icmptype": 8, "icmpcode": 0, "cidrlist": "0.0.0.0/0"}
    answer = admin("authorizeSecurityGroupEgress", securitygroupname="web", **egress)["securitygroup"]
    assert answer["ingressrule"] == [] and len(answer["egressrule"]) == 1

    found = group(admin, id=made["id"])
    first, second = found["ingressrule"]
    assert (first["protocol"], first["startport"], first["endport"]) == ("tcp", 22, 23)
    (out,) = found["egressrule"]
    assert (out["protocol"], out["icmptype"], out["icmpcode"]) == ("icmp", 8, 0)

    refused(431, admin, "revokeSecurityGroupEgress", id=first["ruleid"])
    assert admin("revokeSecurityGroupIngress", id=first["ruleid"]) == {"success": True}
    assert [r["ruleid"] for r in group(admin, id=made["id"])["ingressrule"]] == [second["ruleid"]]
    assert admin("deleteSecurityGroup", id=made["id"]) == {"success": True}
    assert admin("listSecurityGroups", securitygroupname="web") == {}
    refused(431, admin, "revokeSecurityGroupIngress", id=second["ruleid"])


def test_a_rule_may_name_a_group_of_another_account(cloud_api: CloudApi) -> None:
    ann = cloud_api.account("ann")
    theirs = ann("createSecurityGroup", name="clients")["securitygroup"]
    mine = cloud_api.admin("createSecurityGroup", name="servers")["securitygroup"]
    named = {"usersecuritygrouplist[0].account": "ann", "usersecuritygrouplist[0].group": "clients"}
    cloud_api.admin("authorizeSecurityGroupIngress", securitygroupid=mine["id"], **named)
    (rule,) = group(cloud_api.admin, id=mine["id"])["ingressrule"]
    assert (rule["protocol"], rule["account"], rule["securitygroupname"]) == ("all", "ann", "clients")
    assert "cidr" not in rule
    refused(536, ann, "deleteSecurityGroup", id=theirs["id"])
    refused(531, ann, "revokeSecurityGroupIngress", id=rule["ruleid"])
    refused(531, ann, "authorizeSecurityGroupIngress", securitygroupid=mine["id"], cidrlist="0.0.0.0/0")
    nobody = {"usersecuritygrouplist[0].account": "ann", "usersecuritygrouplist[0].group": "nobody"}
    refused(431, cloud_api.admin, "authorizeSecurityGroupIngress", securitygroupid=mine["id"], **nobody)


def test_rules_of_other_protocols_are_given_by_number(cloud_api: CloudApi) -> None:
    admin, network = cloud_api.admin, guarded_network(cloud_api)
    made = admin("createSecurityGroup", name="vrrp")["securitygroup"]["id"]
    anywhere = {"securitygroupid": made, "cidrlist": "0.0.0.0/0"}
    for protocol in ("112", "1"):
        admin("authorizeSecurityGroupIngress", protocol=protocol, **anywhere)
    vrrp, icmp = group(admin, id=made)["ingressrule"]
    assert vrrp["protocol"] == "112" and "startport" not in vrrp
    assert (icmp["protocol"], icmp["icmptype"], icmp["icmpcode"]) == ("icmp", -1, -1)
    for wrong in ("256", "-1", "vrrp"):
        refused(431, admin, "authorizeSecurityGroupIngress", protocol=wrong, **anywhere)
    vm = deploy(cloud_api, "first", networkids=network, securitygroupnames="vrrp")
    (nic,) = cloud_api.store.table(Nic).where("vm_id", vm["id"])
    rules = cloud_api.manager.nics.spec(nic).rules
    assert [(rule.protocol, rule.first, rule.last) for rule in rules if rule.ingress][:2] == [
        ("112", -1, -1),
        ("icmp", -1, -1),
    ]


def test_each_account_has_its_own_groups_and_a_default_one(cloud_api: CloudApi) -> None:
    ann = cloud_api.account("ann")
    assert [g["name"] for g in ann("listSecurityGroups")["securitygroup"]] == ["default"]
    ann("createSecurityGroup", name="web")
    cloud_api.admin("createSecurityGroup", name="web")
    text = "Unable to create security group, a group with name web already exists."
    assert refused(431, ann, "createSecurityGroup", name="web").text == text
    refused(431, ann, "createSecurityGroup", name="default")
    default = group(ann, securitygroupname="default")
    refused(431, ann, "deleteSecurityGroup", id=default["id"])
    refused(431, ann, "updateSecurityGroup", id=default["id"], name="other")
    assert ann("updateSecurityGroup", id=group(ann, securitygroupname="web")["id"], name="www")
    assert ann("deleteSecurityGroup", name="www") == {"success": True}
    refused(431, ann, "deleteSecurityGroup", name="www")
    refused(431, ann, "deleteSecurityGroup")


def test_an_admin_who_names_an_account_sees_its_default_group(cloud_api: CloudApi) -> None:
    cloud_api.account("ann")
    whose = {"account": "ann", "domainid": cloud_api.cloud.owner.domain_id}
    assert group(cloud_api.admin, **whose)["name"] == "default"


def test_instances_say_their_groups_and_groups_their_instances(cloud_api: CloudApi) -> None:
    admin, network = cloud_api.admin, guarded_network(cloud_api)
    web = admin("createSecurityGroup", name="web")["securitygroup"]["id"]
    first = deploy(cloud_api, "first", networkids=network, securitygroupnames="web")
    second = deploy(cloud_api, "second", networkids=network)
    plain = deploy(cloud_api, "plain")
    assert [g["name"] for g in first["securitygroup"]] == ["web"]
    assert [g["name"] for g in second["securitygroup"]] == ["default"]
    assert plain["securitygroup"] == []
    assert group(admin, id=web)["virtualmachineids"] == [first["id"]]
    assert group(admin, virtualmachineid=second["id"])["virtualmachinecount"] == 1
    (found,) = admin("listVirtualMachines", securitygroupid=web)["virtualmachine"]
    assert found["id"] == first["id"]

    refused(431, admin, "updateVirtualMachine", id=second["id"], securitygroupids=web)
    admin("stopVirtualMachine", id=second["id"])
    changed = admin("updateVirtualMachine", id=second["id"], securitygroupids=web)["virtualmachine"]
    assert [g["name"] for g in changed["securitygroup"]] == ["web"]
    refused(536, admin, "deleteSecurityGroup", id=web)
    refused(431, admin, "deployVirtualMachine", name="x", zoneid=cloud_api.zone, securitygroupids=web,
            templateid=cloud_api.cloud.template.id, serviceofferingid=plain["serviceofferingid"])


def test_a_network_that_system_vms_are_in_stays(cloud_api: CloudApi) -> None:
    """Where all guests are in shared networks, console proxies have their public cards there."""
    network = guarded_network(cloud_api)
    made = deploy(cloud_api, "proxy", networkids=network)
    with cloud_api.store.transaction():
        cloud_api.store.table(VirtualMachine).update(made["id"], type="ConsoleProxy")
    error = refused(536, cloud_api.admin, "deleteNetwork", id=network)
    assert "system vm proxy is in it" in error.text
    assert cloud_api.admin("listNetworks", id=network)["count"] == 1
