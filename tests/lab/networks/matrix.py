"""The matrix of network services: what is configured through the API, and what is then reached, in either world.

A row is a question with its right answer. `rows` configures one thing after the other and yields the questions in
between, so that each is asked while what it asks about is so.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

OUTSIDE = "outside"
"""A machine beyond the public network."""
ANYWHERE = "0.0.0.0/0"
CORNERS = "10.7.0.240/28"
"""Addresses of the shared network that no instance has."""
ISOLATED = "DefaultIsolatedNetworkOfferingWithSourceNatService"
GROUPED = "DefaultSharedNetworkOfferingWithSGService"
TIER = "DefaultIsolatedNetworkOfferingForVpcNetworksNoLB"


class World(Protocol):
    """A zone with public addresses, in which instances serve HTTP on port 80 and ssh on port 22."""

    def call(self, command: str, **parameters: Any) -> dict[str, Any]:
        """What the command answers; of a job, its result."""

    def deploy(self, name: str, networks: list[str], host: int, **more: Any) -> dict[str, Any]:
        """A running instance on the first or second host whose guest is up, as the API tells it."""

    def reaches(self, source: str, destination: str, protocol: str, port: int, expected: bool) -> bool:
        """Whether a new connection from that instance (by name) or from outside gets to the address and is answered.

        A world in which things take their time asks again, for a while, until it is as expected.
        """

    def address_of(self, instance: str) -> str | None:
        """The address that the instance's guest got by DHCP."""

    def ip6_of(self, instance: str) -> str | None:
        """The IPv6 address that the instance's guest made of what is advertised to it."""

    def public_ipv6(self) -> dict[str, Any]:
        """Gateway, subnet and VLAN of IPv6 addresses beside the public IPv4 ones."""

    def add_route(self, subnet: str, gateway: str) -> None:
        """Have the machine outside send what is for that subnet there, as an operator does upstream."""

    def resolves(self, instance: str, name: str) -> str | None:
        """The address that a name has for the instance's guest."""

    def metadata(self, instance: str, path: str) -> str | None:
        """What the metadata service answers to the guest."""

    def password(self, instance: str) -> str | None:
        """The password that the guest was given."""

    def answering(self, destination: str, port: int) -> set[str]:
        """The names of the instances that answer HTTP requests from outside there."""

    def kill(self, instance: str) -> None:
        """End the instance as a power cut would."""

    def pause(self) -> None:
        """A moment in which changes of security groups get to the hosts: nobody waits for them."""

    def zone_id(self) -> str:
        """The zone."""

    def spare_vlan(self) -> str:
        """The id of a VLAN (or VXLAN) that the zone does not give out by itself."""

    def outside_ip(self) -> str:
        """Address of the machine outside; it serves HTTP on port 80 and 8081."""


class Row(NamedTuple):
    """`answer` is what the world said, `right` what it should have said."""

    name: str
    answer: Any
    right: Any


def asked(
    world: World, name: str, source: str, destination: str, protocol: str, port: int, right: bool
) -> Row:
    """The row of a question for `reaches`."""
    return Row(name, world.reaches(source, destination, protocol, port, right), right)


class Zone:
    """What the matrix needs over and over."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.zone = world.zone_id()

    def offering(self, name: str) -> str:
        found = self.world.call("listNetworkOfferings", name=name)["networkoffering"]
        return str(found[0]["id"])

    def network(self, name: str, offering: str = ISOLATED, **more: Any) -> str:
        wanted = {"name": name, "displaytext": name, "zoneid": self.zone, **more}
        made = self.world.call("createNetwork", networkofferingid=self.offering(offering), **wanted)
        return str(made["network"]["id"])

    def public_ip(self, **where: Any) -> dict[str, Any]:
        return dict(self.world.call("associateIpAddress", **where)["ipaddress"])

    def source_nat(self, **where: Any) -> dict[str, Any]:
        found = self.world.call("listPublicIpAddresses", issourcenat=True, listall=True, **where)
        return dict(found["publicipaddress"][0])


def isolated(world: World) -> Iterator[Row]:
    """DHCP, names, user data, egress, forwarding, firewall, static NAT, load balancing on an isolated network."""
    zone = Zone(world)
    front = zone.network("front")
    secret = base64.b64encode(b"#!/bin/sh\necho configured\n").decode()
    one = world.deploy("one", [front], 0, userdata=secret)
    two = world.deploy("two", [front], 1)
    ip_one, ip_two = (vm["nic"][0]["ipaddress"] for vm in (one, two))

    yield Row("DHCP gives the address that the cloud chose", world.address_of("one"), ip_one)
    yield Row("DHCP serves guests of another host", world.address_of("two"), ip_two)
    yield Row("a name of the network is resolved", world.resolves("one", "two"), ip_two)
    yield Row("user data comes from the router", world.metadata("one", "user-data"), "#!/bin/sh\necho configured\n")
    yield Row("metadata tells the guest its name", world.metadata("two", "local-hostname"), "two")
    yield Row("the guest has the password of the API", world.password("two"), two["password"])
    yield asked(world, "guests of one network reach each other", "one", ip_two, "tcp", 80, True)

    there = world.outside_ip()
    yield asked(world, "egress is denied at first", "one", there, "tcp", 80, False)
    world.call("createEgressFirewallRule", networkid=front, protocol="tcp", startport=80, endport=80)
    yield asked(world, "egress is allowed by a rule", "one", there, "tcp", 80, True)
    yield asked(world, "and other ports stay denied", "one", there, "tcp", 8081, False)
    world.call("createEgressFirewallRule", networkid=front, protocol="icmp", icmptype=-1, icmpcode=-1)
    yield asked(world, "ICMP is allowed by a rule", "one", there, "icmp", 0, True)

    nat = zone.source_nat(associatednetworkid=front)
    world.call(
        "createPortForwardingRule",
        ipaddressid=nat["id"],
        protocol="tcp",
        publicport=2222,
        privateport=22,
        virtualmachineid=one["id"],
        openfirewall=False,
    )
    yield asked(world, "a forwarded port is closed at first", OUTSIDE, nat["ipaddress"], "tcp", 2222, False)
    rule = world.call(
        "createFirewallRule",
        ipaddressid=nat["id"],
        protocol="tcp",
        startport=2222,
        endport=2222,
        cidrlist=[ANYWHERE],
    )["firewallrule"]
    yield asked(world, "and open with a firewall rule", OUTSIDE, nat["ipaddress"], "tcp", 2222, True)
    world.call("deleteFirewallRule", id=rule["id"])
    yield asked(world, "and closed again without it", OUTSIDE, nat["ipaddress"], "tcp", 2222, False)

    fixed = zone.public_ip(networkid=front)
    world.call("enableStaticNat", ipaddressid=fixed["id"], virtualmachineid=two["id"])
    yield asked(world, "static NAT is closed at first", OUTSIDE, fixed["ipaddress"], "tcp", 80, False)
    world.call(
        "createFirewallRule",
        ipaddressid=fixed["id"],
        protocol="tcp",
        startport=80,
        endport=80,
        cidrlist=[ANYWHERE],
    )
    yield asked(world, "static NAT is open with a firewall rule", OUTSIDE, fixed["ipaddress"], "tcp", 80, True)
    yield asked(world, "but for that port only", OUTSIDE, fixed["ipaddress"], "tcp", 22, False)

    shared = zone.public_ip(networkid=front)
    balancer = world.call(
        "createLoadBalancerRule",
        publicipid=shared["id"],
        name="web",
        algorithm="roundrobin",
        publicport=80,
        privateport=80,
    )["loadbalancer"]
    world.call("assignToLoadBalancerRule", id=balancer["id"], virtualmachineids=[one["id"], two["id"]])
    yield Row("both servers answer for the balancer", world.answering(shared["ipaddress"], 80), {"one", "two"})
    world.kill("one")
    yield Row("one answers when the other is dead", world.answering(shared["ipaddress"], 80), {"two"})


def tiers(world: World) -> Iterator[Row]:
    """Tiers of a VPC with access control lists between them."""
    zone = Zone(world)
    offering = world.call("listVPCOfferings", name="Default VPC offering")["vpcoffering"][0]["id"]
    vpc = world.call(
        "createVPC", name="vpc", displaytext="vpc", cidr="10.9.0.0/16", vpcofferingid=offering, zoneid=zone.zone
    )["vpc"]["id"]
    lists = {each["name"]: each["id"] for each in world.call("listNetworkACLLists")["networkacllist"]}
    own = world.call("createNetworkACLList", name="data", vpcid=vpc)["networkacllist"]["id"]
    subnet = {"netmask": "255.255.255.0", "vpcid": vpc}
    app = zone.network("app", TIER, gateway="10.9.1.1", aclid=lists["default_allow"], **subnet)
    data = zone.network("data", TIER, gateway="10.9.2.1", aclid=own, **subnet)
    one = world.deploy("app", [app], 0)
    two = world.deploy("data", [data], 1)
    ip_app, ip_data = (vm["nic"][0]["ipaddress"] for vm in (one, two))
    yield Row("a tier's DHCP", world.address_of("data"), ip_data)
    yield asked(world, "a list lets nothing in that it does not name", "app", ip_data, "tcp", 80, False)
    world.call(
        "createNetworkACL",
        aclid=own,
        protocol="tcp",
        startport=80,
        endport=80,
        cidrlist=["10.9.1.0/24"],
        action="Allow",
        traffictype="Ingress",
        number=10,
    )
    yield asked(world, "and in what it allows", "app", ip_data, "tcp", 80, True)
    yield asked(world, "but for that port only", "app", ip_data, "tcp", 22, False)
    yield asked(world, "default_allow lets all in", "data", ip_app, "tcp", 22, True)
    world.call(
        "createNetworkACL",
        aclid=own,
        protocol="tcp",
        startport=80,
        endport=80,
        cidrlist=["10.9.1.0/24"],
        action="Deny",
        traffictype="Ingress",
        number=5,
    )
    yield asked(world, "an earlier rule goes first", "app", ip_data, "tcp", 80, False)
    nat = zone.source_nat(vpcid=vpc)
    ip = zone.public_ip(vpcid=vpc)
    world.call(
        "createPortForwardingRule",
        ipaddressid=ip["id"],
        protocol="tcp",
        publicport=8080,
        privateport=80,
        virtualmachineid=one["id"],
        networkid=app,
    )
    yield asked(world, "a port of a VPC's address is forwarded", OUTSIDE, ip["ipaddress"], "tcp", 8080, True)
    yield asked(world, "another address of it is not", OUTSIDE, nat["ipaddress"], "tcp", 8080, False)
    yield asked(world, "a tier gets out", "app", world.outside_ip(), "tcp", 80, True)


def dual_stack(world: World) -> Iterator[Row]:
    """An isolated network with IPv4 and IPv6: addresses by advertisement, and the IPv6 firewall."""
    zone = Zone(world)
    public = world.public_ipv6()
    world.call("updateConfiguration", name="ipv6.offering.enabled", value="true")
    world.call("createVlanIpRange", zoneid=zone.zone, forvirtualnetwork=True, **public)
    world.call("createGuestNetworkIpv6Prefix", zoneid=zone.zone, prefix="2001:db8:0:1100::/56")
    services = ("Dhcp", "Dns", "SourceNat", "Firewall", "UserData")
    providers = {
        f"serviceproviderlist[{at}].{key}": value
        for at, service in enumerate(services)
        for key, value in (("service", service), ("provider", "VirtualRouter"))
    }
    world.call(
        "createNetworkOffering",
        name="dual",
        displaytext="dual",
        traffictype="Guest",
        guestiptype="Isolated",
        internetprotocol="DualStack",
        supportedservices=",".join(services),
        enable=True,
        **providers,
    )
    dual = zone.network("dual", "dual")
    vm = world.deploy("six", [dual], 0)
    ip6 = vm["nic"][0]["ip6address"]
    (route,) = world.call("listNetworks", id=dual)["network"][0]["ip6routes"]
    world.add_route(route["subnet"], route["gateway"])
    yield Row("a guest makes the address that the cloud says", world.ip6_of("six"), ip6)
    yield Row("and has its IPv4 one by DHCP", world.address_of("six"), vm["nic"][0]["ipaddress"])
    yield asked(world, "from outside it is closed at first", OUTSIDE, ip6, "tcp", 80, False)
    rule = {"networkid": dual, "protocol": "tcp", "startport": 80, "endport": 80}
    made = world.call("createIpv6FirewallRule", **rule)["ipv6firewallrule"]
    yield asked(world, "and open with a rule", OUTSIDE, ip6, "tcp", 80, True)
    yield asked(world, "but for that port only", OUTSIDE, ip6, "tcp", 22, False)
    world.call("deleteIpv6FirewallRule", id=made["id"])
    yield asked(world, "and closed again without it", OUTSIDE, ip6, "tcp", 80, False)
    there = public["ip6gateway"]
    yield asked(world, "IPv6 egress is denied at first", "six", there, "icmp", 0, False)
    world.call("createIpv6FirewallRule", networkid=dual, protocol="icmp", traffictype="Egress")
    yield asked(world, "and allowed by a rule", "six", there, "icmp", 0, True)


def groups(world: World) -> Iterator[Row]:
    """Security groups between instances of a shared network."""
    zone = Zone(world)
    network = zone.network(
        "shared",
        GROUPED,
        gateway="10.7.0.1",
        netmask="255.255.255.0",
        startip="10.7.0.10",
        endip="10.7.0.20",
        vlan=world.spare_vlan(),
    )
    web = world.call("createSecurityGroup", name="web")["securitygroup"]["id"]
    db = world.call("createSecurityGroup", name="db")["securitygroup"]["id"]
    for group_id in (web, db):  # from where real guests are asked
        world.call(
            "authorizeSecurityGroupIngress",
            securitygroupid=group_id,
            protocol="tcp",
            startport=22,
            endport=22,
            cidrlist=[CORNERS],
        )
    world.deploy("sg-web", [network], 0, securitygroupids=[web])
    two = world.deploy("sg-db", [network], 1, securitygroupids=[db])
    ip = two["nic"][0]["ipaddress"]
    yield asked(world, "a group lets nothing in at first", "sg-web", ip, "tcp", 80, False)
    group = {"usersecuritygrouplist[0].account": "admin", "usersecuritygrouplist[0].group": "web"}
    rules = world.call(
        "authorizeSecurityGroupIngress", securitygroupid=db, protocol="tcp", startport=80, endport=80, **group
    )["securitygroup"]["ingressrule"]
    rule = next(each["ruleid"] for each in rules if each["startport"] == 80)
    world.pause()
    yield asked(world, "and in what it allows to another group", "sg-web", ip, "tcp", 80, True)
    yield asked(world, "but for that port only", "sg-web", ip, "tcp", 22, False)
    world.call("revokeSecurityGroupIngress", id=rule)
    world.pause()
    yield asked(world, "until it is revoked", "sg-web", ip, "tcp", 80, False)
