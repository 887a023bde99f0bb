"""Networks, network offerings and NICs through the API."""

from __future__ import annotations

import ipaddress
from typing import Any

from cloudsim.model import Network, Nic, VirtualMachine
from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi


def test_a_networks_life(cloud_api: CloudApi) -> None:
    admin = cloud_api.admin
    made = cloud_api.network(gateway="10.1.1.1", netmask="255.255.255.0")
    (row,) = cloud_api.listed("listNetworks", "network", id=made["id"])
    assert (row["state"], row["cidr"], row["type"], row["gateway"]) == (
        "Allocated",
        "10.1.1.0/24",
        "Isolated",
        "10.1.1.1",
    )
    assert {"Dhcp", "SourceNat"} <= {service["name"] for service in row["service"]}
    changed = admin("updateNetwork", id=made["id"], name="other", displaytext="Other")["network"]
    assert (changed["name"], changed["displaytext"]) == ("other", "Other")
    assert admin("deleteNetwork", id=made["id"]) == {"success": True}
    assert admin("listNetworks", id=made["id"]) == {}


def test_a_busy_network_is_not_deleted(cloud_api: CloudApi) -> None:
    made = cloud_api.network()
    cloud_api.cloud.deploy(network=cloud_api.store.table(Network)[made["id"]])
    refused(536, cloud_api.admin, "deleteNetwork", id=made["id"])
    (row,) = cloud_api.listed("listNetworks", "network", id=made["id"])
    assert row["state"] == "Implemented"


def test_who_sees_which_networks(cloud_api: CloudApi) -> None:
    ann, admin = cloud_api.account("ann"), cloud_api.admin
    mine, theirs = cloud_api.network("mine", ann), cloud_api.network("theirs")
    assert {n["name"] for n in ann("listNetworks")["network"]} == {"mine", "defaultGuestNetwork"}
    assert {n["name"] for n in admin("listNetworks", listall=True)["network"]} == {
        "mine",
        "theirs",
        "defaultGuestNetwork",
    }
    assert [n["name"] for n in ann("listNetworks", networkfilter="account")["network"]] == ["mine"]
    refused(531, ann, "deleteNetwork", id=theirs["id"])
    assert "vlan" not in ann("listNetworks", id=mine["id"])["network"][0]


def test_a_projects_network_is_listed_with_the_project_only(cloud_api: CloudApi) -> None:
    project = cloud_api.admin("createProject", name="prj", displaytext="prj")["project"]
    made = cloud_api.network("prjnet", projectid=project["id"])
    assert made["projectid"] == project["id"]
    assert [n["id"] for n in cloud_api.listed("listNetworks", "network", projectid=project["id"])] == [
        made["id"]
    ]
    assert cloud_api.listed("listNetworks", "network", keyword="prjnet") == []


def test_a_shared_network(cloud_api: CloudApi) -> None:
    offering = cloud_api.cloud.network_offering("DefaultSharedNetworkOffering")
    asked = {
        "networkofferingid": offering.id,
        "vlan": "98",
        "gateway": "172.16.0.1",
        "netmask": "255.255.255.0",
        "startip": "172.16.0.10",
        "endip": "172.16.0.20",
    }
    made = cloud_api.network("shared", **asked)
    assert (made["type"], made["acltype"], made["vlan"], made["broadcasturi"]) == (
        "Shared",
        "Domain",
        "98",
        "vlan://98",
    )
    refused(431, cloud_api.admin, "createNetwork", name="again", zoneid=cloud_api.zone, **asked)
    ann = cloud_api.account("ann")
    assert made["id"] in [n["id"] for n in ann("listNetworks")["network"]]
    refused(531, ann, "createNetwork", name="hers", zoneid=cloud_api.zone, **{**asked, "vlan": "99"})


def test_a_domains_network_is_for_the_domains_below_where_it_says_so(cloud_api: CloudApi) -> None:
    offering = cloud_api.cloud.network_offering("DefaultSharedNetworkOffering")
    admin = cloud_api.admin
    north = admin("createDomain", name="north")["domain"]["id"]
    below = admin("createDomain", name="below", parentdomainid=north)["domain"]["id"]
    callers = {
        "ann": cloud_api.account("ann", domainid=north),
        "bob": cloud_api.account("bob", domainid=below),
        "eve": cloud_api.account("eve"),
    }

    def made(number: int, **more: Any) -> str:
        subnet = f"172.16.{number}"
        addresses = {"gateway": f"{subnet}.1", "netmask": "255.255.255.0"}
        span = {"startip": f"{subnet}.10", "endip": f"{subnet}.20", "vlan": str(1000 + number)}
        return str(cloud_api.network("shared", networkofferingid=offering.id, **addresses, **span, **more)["id"])

    def who(network: str) -> set[str]:
        return {name for name, call in callers.items() if call("listNetworks", id=network)}

    wide = made(1, acltype="Domain", domainid=north, subdomainaccess=True)
    narrow = made(2, acltype="Domain", domainid=north, subdomainaccess=False)
    assert who(wide) == {"ann", "bob"} and who(narrow) == {"ann"}
    rows = {row["id"]: row for row in cloud_api.listed("listNetworks", "network", listall=True)}
    assert [rows[each]["subdomainaccess"] for each in (wide, narrow)] == [True, False]
    assert rows[narrow]["domainid"] == north and "account" not in rows[narrow]
    admin("updateConfiguration", name="allow.subdomain.network.access", value="false")
    assert who(made(3, acltype="Domain", domainid=north)) == {"ann"}
    assert who(made(4, acltype="Domain")) == {"eve"}


def test_a_part_of_an_isolated_networks_subnet_is_kept_from_instances(cloud_api: CloudApi) -> None:
    made = cloud_api.network(gateway="10.1.1.1", netmask="255.255.255.0")
    network, admin = made["id"], cloud_api.admin
    early = refused(431, admin, "updateNetwork", id=network, guestvmcidr="10.1.1.0/26")
    assert "Implemented" in early.text
    table = cloud_api.store.table(Network)
    first = cloud_api.cloud.deploy(network=table[network])
    changed = admin("updateNetwork", id=network, guestvmcidr="10.1.1.0/28")["network"]
    assert (changed["cidr"], changed["networkcidr"]) == ("10.1.1.0/28", "10.1.1.0/24")
    assert changed["reservediprange"] == "10.1.1.16-10.1.1.255" and changed["netmask"] == "255.255.255.0"
    vms = [first, *(cloud_api.cloud.deploy(name, network=table[network]) for name in ("b", "c", "d"))]
    given = {ipaddress.IPv4Address(ip) for vm in vms for ip in ips(cloud_api, vm)}
    assert len(given) == 4 and all(ip in ipaddress.IPv4Network("10.1.1.0/28") for ip in given)
    for bad in ("10.1.1.64/26", "10.2.1.0/26", "10.1.0.0/16", "10.1.1.0/31", "ten"):
        refused(431, admin, "updateNetwork", id=network, guestvmcidr=bad)
    middle = admin("updateNetwork", id=network, guestvmcidr="10.1.1.0/25")["network"]
    assert middle["reservediprange"] == "10.1.1.128-10.1.1.255"
    whole = admin("updateNetwork", id=network, guestvmcidr="10.1.1.0/24")["network"]
    assert whole["cidr"] == "10.1.1.0/24" and not {"networkcidr", "reservediprange"} & set(whole)


def ips(cloud_api: CloudApi, vm: VirtualMachine) -> list[str]:
    return [str(nic.ip) for nic in cloud_api.store.table(Nic).where("vm_id", vm.id)]


def test_a_domain_alone_does_not_own_a_network(cloud_api: CloudApi) -> None:
    domain = cloud_api.admin("createDomain", name="north")["domain"]["id"]
    shared = cloud_api.cloud.network_offering("DefaultSharedNetworkOffering")
    isolated = cloud_api.cloud.network_offering("DefaultIsolatedNetworkOfferingWithSourceNatService")
    asked = {"name": "n", "zoneid": cloud_api.zone, "domainid": domain}
    refused(431, cloud_api.admin, "createNetwork", networkofferingid=isolated.id, **asked)
    refused(431, cloud_api.admin, "createNetwork", networkofferingid=shared.id, acltype="Account", **asked)


def test_network_offerings(cloud_api: CloudApi) -> None:
    admin = cloud_api.admin
    rows = cloud_api.listed("listNetworkOfferings", "networkoffering")
    assert all(
        {"id", "name", "displaytext", "guestiptype", "serviceofferingid", "forvpc"} <= set(r) for r in rows
    )
    made = admin(
        "createNetworkOffering",
        name="mine",
        displaytext="Mine",
        guestiptype="Isolated",
        traffictype="GUEST",
        supportedservices="Dhcp,Dns",
        **{"serviceproviderlist[0].service": "Dhcp", "serviceproviderlist[0].provider": "VirtualRouter"},
    )["networkoffering"]
    assert made["state"] == "Disabled" and [s["name"] for s in made["service"]] == ["Dhcp", "Dns"]
    assert (
        admin("updateNetworkOffering", id=made["id"], state="Enabled")["networkoffering"]["state"]
        == "Enabled"
    )
    found = cloud_api.listed(
        "listNetworkOfferings", "networkoffering", supportedservices="Dhcp,Dns", keyword="mine"
    )
    assert [o["id"] for o in found] == [made["id"]]
    assert admin("deleteNetworkOffering", id=made["id"]) == {"success": True}
    refused(
        401,
        cloud_api.account("ann"),
        "createNetworkOffering",
        name="x",
        guestiptype="L2",
        traffictype="Guest",
    )


def test_a_second_nic_and_secondary_addresses(cloud_api: CloudApi) -> None:
    admin, cloud = cloud_api.admin, cloud_api.cloud
    first, second = (
        cloud_api.network(),
        cloud_api.network("net2", gateway="10.1.2.1", netmask="255.255.255.0"),
    )
    vm = cloud.deploy(network=cloud_api.store.table(Network)[first["id"]])
    shown = admin("addNicToVirtualMachine", virtualmachineid=vm.id, networkid=second["id"])["virtualmachine"]
    assert len(shown["nic"]) == 2
    nics = cloud_api.listed("listNics", "nic", virtualmachineid=vm.id)
    default, added = nics
    assert default["isdefault"] is True and added["isdefault"] is False and added["deviceid"] == "1"
    assert ipaddress.ip_address(added["ipaddress"]) in ipaddress.ip_network("10.1.2.0/24")
    refused(431, admin, "removeNicFromVirtualMachine", virtualmachineid=vm.id, nicid=default["id"])
    secondary = admin("addIpToNic", nicid=added["id"])["nicsecondaryip"]
    (row,) = cloud_api.listed("listNics", "nic", virtualmachineid=vm.id, networkid=second["id"])
    assert [s["ipaddress"] for s in row["secondaryip"]] == [secondary["ipaddress"]]
    assert secondary["ipaddress"] != added["ipaddress"]
    assert admin("removeIpFromNic", id=secondary["id"]) == {"success": True}
    (row,) = cloud_api.listed("listNics", "nic", virtualmachineid=vm.id, nicid=added["id"])
    assert not row.get("secondaryip")
    changed = admin("updateDefaultNicForVirtualMachine", virtualmachineid=vm.id, nicid=added["id"])[
        "virtualmachine"
    ]
    assert changed["ipaddress"] == added["ipaddress"]
    admin("removeNicFromVirtualMachine", virtualmachineid=vm.id, nicid=default["id"])
    assert len(cloud_api.listed("listNics", "nic", virtualmachineid=vm.id)) == 1
    refused(431, admin, "updateVmNicIp", nicid=added["id"], ipaddress="10.1.2.99")
    cloud.stop(vm)
    shown = admin("updateVmNicIp", nicid=added["id"], ipaddress="10.1.2.99")["virtualmachine"]
    assert shown["nic"][0]["ipaddress"] == "10.1.2.99"


def test_another_accounts_nics_are_not_to_be_touched(cloud_api: CloudApi) -> None:
    ann, cloud = cloud_api.account("ann"), cloud_api.cloud
    vm = cloud.deploy()
    nic = cloud.manager.nics.of(vm)[0]
    refused(531, ann, "addIpToNic", nicid=nic.id)
    refused(531, ann, "listNics", virtualmachineid=vm.id)
    refused(431, ann, "removeIpFromNic", id="nothing")
