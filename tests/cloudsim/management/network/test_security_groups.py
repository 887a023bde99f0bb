"""Security groups: what may be asked of one, what its rules mean for instances, and that their hosts are told."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.deploy_request import DeployRequest, NicRequest
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.network_requests import NetworkRequest
from cloudsim.management.network.security_groups import RuleRequest, SecurityGroups
from cloudsim.management.network.security_members import SecurityMembers
from cloudsim.management.network.security_rules import SecurityRules
from cloudsim.model import (
    ROW_TYPES,
    Account,
    Network,
    NetworkOffering,
    Nic,
    SecurityGroup,
    SecurityGroupRule,
    ServiceOffering,
    VirtualMachine,
    Zone,
)
from cloudsim.protocol.commands import SecurityRulesCommand
from cloudsim.protocol.specs import SecurityRule
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from tests.cloudsim.management.cloud_harness import Cloud

OFFERING = "DefaultSharedNetworkOfferingWithSGService"


class Guarded:
    """A cloud with a network whose instances are in security groups, and what its hosts enforce."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.groups: SecurityGroups = cloud.manager.security_groups
        self.network = self.make_network("guarded", OFFERING, "1234")
        self.sent: list[SecurityRulesCommand] = []
        inner = cloud.manager.agents.send

        async def send(host_id: str, command: Any, timeout: float | None = None) -> Any:
            if isinstance(command, SecurityRulesCommand):
                self.sent.append(command)
            return await inner(host_id, command, timeout)

        cloud.manager.agents.send = send

    def make_network(self, name: str, offering: str, vlan: str) -> Network:
        request = NetworkRequest(
            name=name,
            vlan=vlan,
            gateway="172.20.0.1",
            netmask="255.255.255.0",
            start_ip="172.20.0.10",
            end_ip="172.20.0.99",
        )
        made: Network = self.cloud.manager.networks.create(
            self.cloud.admin, self.cloud.owner, self.cloud.zone, self.cloud.network_offering(offering), request
        )
        return made

    def deploy(self, name: str, *groups: SecurityGroup) -> VirtualMachine:
        cloud = self.cloud
        request = DeployRequest(
            zone_id=cloud.zone.id,
            template_id=cloud.template.id,
            service_offering_id=cloud.named(ServiceOffering, "Small Instance").id,
            owner=cloud.owner,
            name=name,
            nics=(NicRequest(self.network.id),),
            security_groups=groups,
        )
        vm = cloud.call(cloud.manager.vms.allocate, cloud.admin, request)
        started: VirtualMachine = cloud.do(cloud.manager.vms.start(vm.id, first=True))
        return started

    def allow(self, group: SecurityGroup, **traffic: Any) -> list[SecurityGroupRule]:
        made: list[SecurityGroupRule] = self.cloud.call(
            self.groups.authorize, group, RuleRequest(**{"ingress": True, **traffic})
        )
        return made

    def enforced(self, vm: VirtualMachine) -> tuple[SecurityRule, ...] | None:
        """The rules of the instance's first card on its host, once everything sent has been answered."""
        while not self.cloud.manager.security_delivery.idle:
            self.cloud.wait(1)
        return self.on_host(vm)

    def on_host(self, vm: VirtualMachine) -> tuple[SecurityRule, ...] | None:
        """The same, now."""
        vm = self.cloud.table(VirtualMachine)[vm.id]
        host = next(h for h in self.cloud.world.hosts.values() if vm.instance_name in h.hypervisor.guests)
        rules: tuple[SecurityRule, ...] | None = host.hypervisor.guests[vm.instance_name].nics[0].rules
        return rules

    def ip(self, vm: VirtualMachine) -> str:
        address: str = self.cloud.manager.nics.of(vm)[0].ip
        return address


@pytest.fixture
def guarded(cloud: Cloud) -> Guarded:
    return Guarded(cloud)


# what may be asked


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({}, "At least one cidr or at least one security group"),
        ({"cidrs": ("10.0.0.0/33",)}, "Invalid cidr 10.0.0.0/33"),
        ({"cidrs": ("::/0",)}, "IPv6 is not supported"),
        ({"protocol": "gre"}, "Invalid protocol gre"),
        ({"protocol": "tcp"}, "Invalid port range specified, startPort = None"),
        ({"protocol": "tcp", "start_port": 5}, "Invalid port range specified"),
        ({"protocol": "tcp", "start_port": 5, "end_port": 4}, "Invalid port range 5:4"),
        ({"protocol": "udp", "start_port": -1, "end_port": 4}, "Invalid port numbers"),
        ({"protocol": "udp", "start_port": 1, "end_port": 65536}, "Invalid port numbers"),
        ({"protocol": "icmp"}, "Invalid ICMP type/code specified"),
        ({"protocol": "icmp", "icmp_type": 256, "icmp_code": 0}, "Invalid icmp type/code"),
        ({"protocol": "icmp", "icmp_type": -1, "icmp_code": 0}, "Invalid icmp code"),
        ({"protocol": "all", "start_port": 1, "end_port": 2}, "without specifying protocol"),
    ],
)
def test_rules_that_cannot_be(guarded: Guarded, asked: dict[str, Any], text: str) -> None:
    group = guarded.groups.create(guarded.cloud.owner, "web")
    if asked:
        asked = {"cidrs": ("10.0.0.0/8",), **asked}
    with pytest.raises(InvalidParameterValue, match=text):
        guarded.allow(group, **asked)
    assert guarded.groups.rules_of(group) == []


def test_rules_that_are_there_already_are_not_made_twice(guarded: Guarded) -> None:
    group = guarded.groups.create(guarded.cloud.owner, "web")
    guarded.allow(group, cidrs=("10.0.0.0/8",))
    (new,) = guarded.allow(group, cidrs=("10.0.0.0/8", "10.0.0.1/32"))
    assert new.cidr == "10.0.0.1/32" and len(guarded.groups.rules_of(group)) == 2
    with pytest.raises(InvalidParameterValue, match="these rules already"):
        guarded.allow(group, protocol="all", cidrs=("10.0.0.0/8",))


def test_an_instance_joins_groups_of_its_account_on_networks_that_have_them(guarded: Guarded) -> None:
    cloud = guarded.cloud
    other = next(a for a in cloud.table(Account) if a.id != cloud.owner.id)
    theirs = guarded.groups.create(other, "theirs")
    with pytest.raises(PermissionDenied, match="theirs is not of admin"):
        guarded.deploy("web", theirs)
    plain = guarded.make_network("plain", "DefaultSharedNetworkOffering", "1235")
    mine = guarded.groups.create(cloud.owner, "mine")
    with pytest.raises(InvalidParameterValue, match="feature is not enabled"):
        guarded.groups.check_choice(cloud.owner, [plain], [mine])
    assert len(cloud.table(VirtualMachine)) == 0
    assert guarded.groups.choice(cloud.owner, [plain], []) == ()
    assert guarded.groups.choice(cloud.owner, [guarded.network], [mine]) == (mine.id,)


def test_a_nic_on_a_guarded_network_brings_the_default_group(guarded: Guarded) -> None:
    cloud = guarded.cloud
    vm = cloud.deploy("web")
    assert vm.security_group_ids == ()
    vm = cloud.do(cloud.manager.nic_changes.add(vm.id, guarded.network.id))
    assert vm.security_group_ids == (guarded.groups.default_of(cloud.owner).id,)
    assert [cloud.manager.nics.spec(nic).rules for nic in cloud.manager.nics.of(vm)] == [None, ()]


def test_an_accounts_groups_go_with_it_and_what_others_say_of_them(guarded: Guarded) -> None:
    cloud = guarded.cloud
    other = next(a for a in cloud.table(Account) if a.id != cloud.owner.id)
    theirs, mine = guarded.groups.create(other, "theirs"), guarded.groups.create(cloud.owner, "mine")
    guarded.allow(theirs, cidrs=("10.0.0.0/8",))
    guarded.allow(mine, groups=(theirs, mine))
    cloud.do(guarded.groups.delete_all_of(other))
    assert [group.name for group in cloud.table(SecurityGroup)] == ["mine"]
    assert [rule.other_group_id for rule in guarded.groups.rules_of(mine)] == [mine.id]


# what hosts are told


def test_nothing_comes_in_until_a_rule_lets_it_and_all_goes_out(guarded: Guarded) -> None:
    group = guarded.groups.create(guarded.cloud.owner, "web")
    vm = guarded.deploy("web", group)
    assert guarded.enforced(vm) == () and guarded.sent == []
    (rule,) = guarded.allow(group, protocol="tcp", start_port=22, end_port=23, cidrs=("10.0.0.0/8",))
    assert guarded.enforced(vm) == (SecurityRule(True, "tcp", "10.0.0.0/8", 22, 23),)
    guarded.cloud.call(guarded.groups.revoke, rule.id)
    assert guarded.enforced(vm) == ()


def test_members_of_a_named_group_are_let_in_while_they_have_a_host(guarded: Guarded) -> None:
    cloud = guarded.cloud
    servers, clients = (guarded.groups.create(cloud.owner, name) for name in ("servers", "clients"))
    guarded.allow(servers, groups=(clients,))
    server = guarded.deploy("server", servers)
    assert guarded.enforced(server) == ()
    client = guarded.deploy("client", clients)
    entry = SecurityRule(True, "all", f"{guarded.ip(client)}/32")
    assert guarded.enforced(server) == (entry,)
    cloud.stop(client)
    assert guarded.enforced(server) == ()
    cloud.do(cloud.manager.nic_changes.change_ip(cloud.manager.nics.of(client)[0], "172.20.0.77"))
    cloud.do(cloud.manager.vms.start(client.id))
    assert guarded.enforced(server) == (SecurityRule(True, "all", "172.20.0.77/32"),)
    cloud.do(cloud.manager.nic_changes.add_ip(cloud.manager.nics.of(client)[0], "172.20.0.76"))
    assert guarded.enforced(server) == (SecurityRule(True, "all", "172.20.0.76/31"),)


def test_with_an_egress_rule_for_a_group_without_members_nothing_goes_out(guarded: Guarded) -> None:
    servers, nobody = (guarded.groups.create(guarded.cloud.owner, name) for name in ("servers", "nobody"))
    vm = guarded.deploy("server", servers)
    guarded.allow(servers, ingress=False, groups=(nobody,))
    (rule,) = guarded.enforced(vm) or ()
    assert not rule.ingress and rule.cidr == "0.0.0.0/32"


def test_many_changes_at_once_make_few_commands(guarded: Guarded) -> None:
    group = guarded.groups.create(guarded.cloud.owner, "web")
    vm = guarded.deploy("web", group)

    def many() -> None:
        for port in range(1, 101):
            guarded.groups.authorize(
                group,
                RuleRequest(ingress=True, protocol="tcp", start_port=port, end_port=port, cidrs=("0.0.0.0/0",)),
            )

    guarded.cloud.call(many)
    assert len(guarded.enforced(vm) or ()) == 100
    assert len(guarded.sent) <= 2


def test_rules_that_change_while_an_instance_starts_reach_it(guarded: Guarded) -> None:
    cloud = guarded.cloud
    group = guarded.groups.create(cloud.owner, "web")
    vm = guarded.deploy("web", group)
    cloud.stop(vm)

    async def change_meanwhile() -> None:
        starting = asyncio.ensure_future(cloud.manager.vms.start(vm.id))
        await asyncio.sleep(3)  # its host has been told of it by now
        assert cloud.table(VirtualMachine)[vm.id].state == "Starting"
        guarded.groups.authorize(group, RuleRequest(ingress=True, cidrs=("10.0.0.0/8",)))
        await starting

    cloud.do(change_meanwhile())
    assert guarded.enforced(vm) == (SecurityRule(True, "all", "10.0.0.0/8"),)


def test_a_host_that_comes_back_is_told_again(guarded: Guarded) -> None:
    cloud = guarded.cloud
    group = guarded.groups.create(cloud.owner, "web")
    vm = guarded.deploy("web", group)
    assert vm.host_id is not None
    cloud.call(cloud.manager.agents.drop_link, vm.host_id)
    guarded.allow(group, cidrs=("10.0.0.0/8",))
    while not cloud.manager.agents.is_connected(vm.host_id):
        cloud.wait(1)
    assert guarded.enforced(vm) == (SecurityRule(True, "all", "10.0.0.0/8"),)


def test_a_host_that_does_not_answer_holds_up_nobody_elses_rules(guarded: Guarded) -> None:
    cloud = guarded.cloud
    group = guarded.groups.create(cloud.owner, "web")
    vms = [guarded.deploy(f"web-{number}", group) for number in range(9)]
    by_host: dict[str | None, list[VirtualMachine]] = {}
    for vm in vms:
        by_host.setdefault(vm.host_id, []).append(vm)
    (deaf, silent), (_, answering) = sorted(by_host.items(), key=lambda pair: -len(pair[1]))
    assert len(silent) > 4
    inner, released = cloud.manager.agents.send, asyncio.Event()

    async def send(host_id: str, command: Any, timeout: float | None = None) -> Any:
        if host_id == deaf:
            await released.wait()
        return await inner(host_id, command, timeout)

    cloud.manager.agents.send = send
    guarded.allow(group, cidrs=("10.0.0.0/8",))
    cloud.wait(5)
    wanted = (SecurityRule(True, "all", "10.0.0.0/8"),)
    assert [guarded.on_host(vm) for vm in answering] == [wanted] * len(answering)
    assert [guarded.on_host(vm) for vm in silent] == [()] * len(silent)
    cloud.call(released.set)
    assert [guarded.enforced(vm) for vm in silent] == [wanted] * len(silent)


def test_basic_zones_are_guarded_throughout(guarded: Guarded) -> None:
    cloud = guarded.cloud
    zone = cloud.manager.zones.create(name="basic", network_type="Basic", dns1="8.8.8.8", internal_dns1="8.8.4.4")
    network = next(n for n in cloud.table(Network) if n.zone_id == zone.id)
    assert cloud.manager.security_rules.guards(network)
    assert not cloud.manager.security_rules.guards(cloud.manager.networks.defaults.of(cloud.zone))


# the rules against a slow model


class Bare:
    """Rows of instances, NICs, groups and rules, and the services that reckon with them, without a world."""

    def __init__(self) -> None:
        self.store = Store(ROW_TYPES)
        foundation = Foundation(self.store, Randomness(1), lambda: 0.0)
        self.members = SecurityMembers(foundation)
        self.rules = SecurityRules(foundation, self.members)
        table = self.store.table
        with self.store.transaction():
            for number in (1, 2):
                table(Zone).insert(
                    Zone(id=f"z{number}", name=f"z{number}", network_type="Advanced", dns1="", internal_dns1="")
                )
            for name, services in (("guarded", {"SecurityGroup": ("SecurityGroupProvider",)}), ("plain", {})):
                table(NetworkOffering).insert(
                    NetworkOffering(id=name, name=name, display_text=name, guest_type="Shared", services=services)
                )
                for zone in ("z1", "z2"):
                    table(Network).insert(
                        Network(
                            id=f"{name} {zone}",
                            name=name,
                            display_text=name,
                            zone_id=zone,
                            network_offering_id=name,
                            account_id="a",
                            domain_id="d",
                        )
                    )
            for number in range(4):
                table(SecurityGroup).insert(
                    SecurityGroup(id=f"g{number}", name=f"g{number}", account_id="a", domain_id="d")
                )

    def allowed(self, nic: Nic, ingress: bool, protocol: str, port: int, address: str) -> bool:
        """Straight from the rows, one at a time: whether the traffic may pass."""
        table = self.store.table
        vm = table(VirtualMachine)[nic.vm_id]
        rules = [r for r in table(SecurityGroupRule) if r.group_id in vm.security_group_ids and r.ingress == ingress]
        if not rules and not ingress:
            return True
        for rule in rules:
            if rule.protocol != "all" and rule.protocol != protocol:
                continue
            first, last = rule.start_port, rule.end_port
            if first is not None and last is not None and not first <= port <= last:
                continue
            if rule.icmp_type is not None and rule.icmp_type not in (-1, port):
                continue
            if rule.cidr is not None:
                if ipaddress.IPv4Address(address) in ipaddress.IPv4Network(rule.cidr):
                    return True
                continue
            for other in table(Nic):
                owner = table(VirtualMachine)[other.vm_id]
                network = table(Network)[other.network_id]
                if (
                    rule.other_group_id in owner.security_group_ids
                    and owner.host_id is not None
                    and network.zone_id == vm.zone_id
                    and network.network_offering_id == "guarded"
                    and address in (other.ip, *(ip for _, ip in other.secondary_ips))
                ):
                    return True
        return False


def passes(rules: tuple[SecurityRule, ...], ingress: bool, protocol: str, port: int, address: str) -> bool:
    """What a host does with the traffic that has these rules."""
    mine = [rule for rule in rules if rule.ingress == ingress]
    if not mine and not ingress:
        return True
    return any(
        rule.protocol in ("all", protocol)
        and ipaddress.IPv4Address(address) in ipaddress.IPv4Network(rule.cidr)
        and (
            rule.protocol == "all"
            or (rule.first in (-1, port) if protocol == "icmp" else rule.first <= port <= rule.last)
        )
        for rule in mine
    )


GROUP_IDS = st.lists(st.sampled_from(["g0", "g1", "g2", "g3"]), unique=True, max_size=3).map(tuple)
ADDRESSES = st.integers(0, 15).map(lambda last: f"10.0.0.{last}")
STEPS = st.one_of(
    st.tuples(st.just("instance"), st.sampled_from(["z1", "z2"]), GROUP_IDS, st.booleans()),
    st.tuples(st.just("nic"), st.integers(0, 5), st.sampled_from(["guarded", "plain"]), ADDRESSES),
    st.tuples(st.just("second"), st.integers(0, 5), ADDRESSES),
    st.tuples(st.just("moved"), st.integers(0, 5), ADDRESSES),
    st.tuples(st.just("unplugged"), st.integers(0, 5)),
    st.tuples(st.just("power"), st.integers(0, 5)),
    st.tuples(st.just("joined"), st.integers(0, 5), GROUP_IDS),
    st.tuples(st.just("expunged"), st.integers(0, 5)),
    st.tuples(
        st.just("rule"),
        st.sampled_from(["g0", "g1", "g2", "g3"]),
        st.booleans(),
        st.sampled_from([("all", None), ("tcp", (22, 80)), ("udp", (53, 53)), ("icmp", 8), ("icmp", -1)]),
        st.sampled_from(["g0", "g1", "g2", "g3", "10.0.0.4/30", "0.0.0.0/0"]),
    ),
    st.tuples(st.just("revoked"), st.integers(0, 5)),
)


def apply(bare: Bare, number: int, step: tuple[Any, ...]) -> None:
    table = bare.store.table
    vms, nics, rules = list(table(VirtualMachine)), list(table(Nic)), list(table(SecurityGroupRule))
    kind, *rest = step
    taken = {
        (nic.network_id, ip) for nic in nics for ip in (nic.ip, *(other for _, other in nic.secondary_ips))
    }
    if kind == "instance":
        zone, groups, on = rest
        table(VirtualMachine).insert(
            VirtualMachine(
                id=f"v{number}",
                name="n",
                display_name="n",
                instance_name=f"i-{number}",
                account_id="a",
                domain_id="d",
                zone_id=zone,
                template_id="t",
                service_offering_id="o",
                cpus=1,
                cpu_mhz=1,
                memory_mib=1,
                security_group_ids=groups,
                host_id="h" if on else None,
            )
        )
    elif kind == "nic" and vms:
        vm = vms[rest[0] % len(vms)]
        network = f"{rest[1]} {vm.zone_id}"
        if (network, rest[2]) not in taken:
            table(Nic).insert(
                Nic(id=f"n{number}", vm_id=vm.id, network_id=network, mac=f"m{number}", ip=rest[2])
            )
    elif kind in ("second", "moved") and nics:
        nic = nics[rest[0] % len(nics)]
        if (nic.network_id, rest[1]) not in taken:
            fields: dict[str, Any] = {"ip": rest[1]}
            if kind == "second":
                fields = {"secondary_ips": (*nic.secondary_ips, (f"s{number}", rest[1]))}
            table(Nic).update(nic.id, **fields)
    elif kind == "unplugged" and nics:
        table(Nic).delete(nics[rest[0] % len(nics)].id)
    elif kind == "power" and vms:
        vm = vms[rest[0] % len(vms)]
        table(VirtualMachine).update(vm.id, host_id=None if vm.host_id else "h")
    elif kind == "joined" and vms:
        table(VirtualMachine).update(vms[rest[0] % len(vms)].id, security_group_ids=rest[1])
    elif kind == "expunged" and vms:
        vm = vms[rest[0] % len(vms)]
        for nic in table(Nic).where("vm_id", vm.id):
            table(Nic).delete(nic.id)
        table(VirtualMachine).delete(vm.id)
    elif kind == "rule":
        group, ingress, (protocol, what), side = rest
        table(SecurityGroupRule).insert(
            SecurityGroupRule(
                id=f"r{number}",
                group_id=group,
                ingress=ingress,
                protocol=protocol,
                start_port=what[0] if isinstance(what, tuple) else None,
                end_port=what[1] if isinstance(what, tuple) else None,
                icmp_type=what if protocol == "icmp" else None,
                icmp_code=-1 if protocol == "icmp" else None,
                cidr=side if "/" in side else None,
                other_group_id=None if "/" in side else side,
            )
        )
    elif kind == "revoked" and rules:
        table(SecurityGroupRule).delete(rules[rest[0] % len(rules)].id)


@settings(max_examples=120, deadline=None)
@given(st.lists(STEPS, min_size=8, max_size=30), st.data())
def test_hosts_are_told_what_the_groups_say_and_of_every_change(steps: list[Any], data: st.DataObject) -> None:
    bare = Bare()
    told: dict[str, tuple[SecurityRule, ...] | None] = {}
    concerned: set[str] = set()
    bare.members.on_change.append(concerned.update)
    for number, step in enumerate(steps):
        concerned.clear()
        with bare.store.transaction():
            apply(bare, number, step)
        for nic in bare.store.table(Nic):
            rules = bare.rules.of(nic)
            if nic.id in told and told[nic.id] != rules:
                assert nic.vm_id in concerned
            told[nic.id] = rules
    for nic in bare.store.table(Nic):
        rules = bare.rules.of(nic)
        if not nic.network_id.startswith("guarded"):
            assert rules is None
            continue
        assert rules is not None
        for ingress in (True, False):
            for protocol, port in (("tcp", 22), ("tcp", 81), ("udp", 53), ("icmp", 8), ("icmp", 0)):
                for address in data.draw(st.lists(ADDRESSES, min_size=4, max_size=4, unique=True)):
                    told_so = passes(rules, ingress, protocol, port, address)
                    assert told_so == bare.allowed(nic, ingress, protocol, port, address)
