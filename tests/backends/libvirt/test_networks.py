"""Guest networks as guests see them: two hosts and their guests, made of namespaces, and frames between them."""

from __future__ import annotations

import base64
import ipaddress
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backends.libvirt.networks import GuestNetworks
from backends.libvirt.settings import HostSettings
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, SecurityRule, VmSpec
from tests.backends.libvirt.network_lab import SOON, Fabric, Guest, Host, passes, what_is_missing

GATEWAY = "10.1.1.1"
ALL = ("Dhcp", "Dns", "UserData")
BROADCAST = "ff:ff:ff:ff:ff:ff"
Frame = Callable[[Guest, Guest], bytes]


@pytest.fixture(scope="module")
def fabric(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fabric]:
    missing = what_is_missing()
    if missing:
        pytest.skip(missing)
    made = Fabric(tmp_path_factory.mktemp("hosts"))
    try:
        made.host()
        made.host()
        yield made
    finally:
        made.close()


@pytest.fixture
def hosts(fabric: Fabric) -> Iterator[list[Host]]:
    """Two hosts. What a test leaves on them is its failure."""
    with as_before(fabric.hosts):
        yield fabric.hosts


@pytest.fixture
def host(fabric: Fabric) -> Iterator[Host]:
    with as_before(fabric.hosts[:1]):
        yield fabric.hosts[0]


@contextmanager
def as_before(hosts: list[Host]) -> Iterator[None]:
    before = [host.state() for host in hosts]
    yield
    for host in hosts:
        host.clear()
    assert [host.state() for host in hosts] == before


def nic(number: int, vlan: str | None = "5001", **more: Any) -> NicSpec:
    """The card with address 10.1.1.NUMBER on the network of that VXLAN."""
    last = int(vlan or 0) & 255
    values: dict[str, Any] = {
        "id": f"nic-{vlan}-{number}",
        "mac": f"02:00:{last:02x}:00:00:{number:02x}",
        "network_id": f"network-{vlan}",
        "ip": f"10.1.1.{number}",
        "netmask": "255.255.255.0",
        "gateway": GATEWAY,
        "vlan": vlan,
        "isolation": "VXLAN",
        "domain": "cs1.internal",
    }
    return NicSpec(**(values | more))


def instance(*nics: NicSpec, **more: Any) -> VmSpec:
    name = f"i-2-{nics[0].mac[-2:]}{nics[0].vlan}-VM"
    return VmSpec(
        name, f"id-of-{name}", 1, 1000, 128, nics=nics, **({"hostname": f"web-{nics[0].mac[-2:]}"} | more)
    )


def allow(
    first: int, *, ingress: bool = True, cidr: str = "0.0.0.0/0", protocol: Any = "tcp"
) -> SecurityRule:
    return SecurityRule(ingress, protocol, cidr, first, first)


# frames


def ethernet(source: str, target: str, kind: int, content: bytes) -> bytes:
    addresses = bytes.fromhex((target + source).replace(":", ""))
    return (addresses + struct.pack("!H", kind) + content).ljust(60, b"\0")


def arp(mac: str, ip: str, target: str, operation: int = 1) -> bytes:
    head = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation)
    sender = bytes.fromhex(mac.replace(":", "")) + ipaddress.IPv4Address(ip).packed
    return head + sender + bytes(6) + ipaddress.IPv4Address(target).packed


def ipv4(source: str, target: str, protocol: int, content: bytes) -> bytes:
    pair = ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(target).packed
    start = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(content), 7, 0, 64, protocol, 0)
    total = sum(struct.unpack("!10H", start + pair))
    total = (total & 0xFFFF) + (total >> 16)
    check = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return start[:10] + struct.pack("!H", check) + pair + content


def udp(source: int, target: int, content: bytes = b"payload" * 4) -> bytes:
    return struct.pack("!HHHH", source, target, 8 + len(content), 0) + content


def router_advertisement(mac: str) -> bytes:
    message = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
    start = struct.pack("!IHBB", 0x60000000, len(message), 58, 255)
    addresses = ipaddress.IPv6Address("fe80::1").packed + ipaddress.IPv6Address("ff02::1").packed
    return ethernet(mac, "33:33:00:00:00:01", 0x86DD, start + addresses + message)


def talk(sender: Guest, receiver: Guest, source: str | None = None, kind: int = 9) -> bytes:
    """An ordinary datagram from the one guest to the other, but perhaps for its source address."""
    packet = ipv4(source or sender.nic.ip or "", receiver.nic.ip or "", 17, udp(5555, kind))
    return ethernet(sender.nic.mac, receiver.nic.mac, 0x0800, packet)


def has_come(card: socket.socket, content: bytes) -> bool:
    with suppress(TimeoutError):
        while content not in card.recv(2048):
            pass
        return True
    return False


# what a host serves


@pytest.mark.lab
def test_a_guest_gets_its_address_name_and_user_data_from_its_host(host: Host) -> None:
    one = instance(
        nic(10, services=ALL),
        user_data=base64.b64encode(b"#!/bin/sh\n").decode(),
        password="Secret7",
        public_keys=("ssh-ed25519 AAAA one",),
        metadata={"service-offering": "Small Instance"},
    )
    two = instance(nic(11, services=ALL))
    [first], [second] = host.start(one), host.start(two)
    since = time.time()
    assert host.call("awaited", one.nics[0], since, 0.0) is False
    lease = first.dhcp()
    assert lease == {
        "ip": "10.1.1.10",
        "mask": "24",
        "router": GATEWAY,
        "dns": GATEWAY,
        "domain": "cs1.internal",
        "hostname": "web-0a",
        "mtu": "1450",
        "lease": "31536000",
    }
    assert host.call("awaited", one.nics[0], since, 30.0) is True
    assert host.call("awaited", one.nics[0], since + 60, 0.0) is False
    assert second.dhcp()["ip"] == "10.1.1.11"

    assert first.get(f"http://{GATEWAY}/latest/user-data") == (200, "#!/bin/sh\n")
    assert first.get("http://169.254.169.254/latest/meta-data/local-hostname") == (200, "web-0a")
    assert first.get(f"http://{GATEWAY}/latest/meta-data/service-offering") == (200, "Small Instance")
    assert second.get(f"http://{GATEWAY}/latest/meta-data/local-ipv4") == (200, "10.1.1.11")
    assert second.get(f"http://{GATEWAY}/latest/user-data")[0] == 404

    ask, set_it = "DomU_Request: send_my_password\r\n", "DomU_Request: saved_password\r\n"
    assert second.get(f"http://{GATEWAY}:8080/", ask) == (200, "saved_password")
    assert first.get(f"http://{GATEWAY}:8080/", ask) == (200, "Secret7")
    assert first.get(f"http://{GATEWAY}:8080/", set_it) == (200, "saved_password")
    host.call("prepare", one)
    assert first.get(f"http://{GATEWAY}:8080/", ask) == (200, "saved_password")

    private = host.data / "networks/services/network-5001/metadata"
    assert {path.stat().st_mode & 0o777 for path in private.rglob("*") if path.is_file()} == {0o600}
    answer = first.run("busybox", "nslookup", "web-0b.cs1.internal", GATEWAY)
    assert "10.1.1.11" in answer.split("web-0b")[-1]


@pytest.mark.lab
def test_a_card_has_dhcp_options_of_its_own_and_gets_others_while_it_is_there(host: Host) -> None:
    one, two = instance(nic(10, services=ALL, dhcp_options={"26": "1300"})), instance(nic(11, services=ALL))
    [first], [second] = host.start(one), host.start(two)
    assert (first.dhcp()["mtu"], second.dhcp()["mtu"]) == ("1300", "1450")
    changed = nic(10, services=ALL, dhcp_options={"26": "1310", "15": "own.example"})
    host.call("plug", instance(changed), changed)
    assert (first.dhcp()["mtu"], first.lease["domain"]) == ("1310", "own.example")
    host.start(instance(nic(12, services=ALL)))  # the server reads anew what it serves, and is still there
    assert (first.dhcp()["mtu"], second.dhcp()["mtu"]) == ("1310", "1450")


@pytest.mark.lab
def test_a_stranger_gets_no_address(host: Host) -> None:
    [guest] = host.start(instance(nic(10, services=ALL)), guard=False)
    guest.run("ip", "link", "set", "eth0", "address", "02:00:00:99:99:99")
    assert guest.dhcp(tries=1) == {}


@pytest.mark.lab
def test_only_the_default_card_gets_a_router(host: Host) -> None:
    vm = instance(nic(10, services=ALL), nic(20, "5002", services=ALL, device=1, default=False))
    first, second = host.start(vm)
    assert (first.dhcp()["router"], second.dhcp()["router"]) == (GATEWAY, "")
    assert second.lease["ip"] == "10.1.1.20"
    host.start(instance(nic(21, "5002", services=ALL)))
    assert second.dhcp()["ip"] == "10.1.1.20"


@pytest.mark.lab
def test_an_address_whose_instance_has_gone_is_leased_to_the_next_one(host: Host) -> None:
    old, other = instance(nic(10, services=ALL)), instance(nic(11, services=ALL))
    [first], _ = host.start(old), host.start(other)
    assert first.dhcp()["ip"] == "10.1.1.10"
    host.stop(old, [first])
    new = instance(nic(12, services=ALL, ip="10.1.1.10"), hostname="new")
    [guest] = host.start(new)
    assert guest.dhcp()["ip"] == "10.1.1.10"
    assert guest.get(f"http://{GATEWAY}/latest/meta-data/local-hostname") == (200, "new")


@pytest.mark.lab
def test_a_card_that_is_plugged_is_served_and_one_unplugged_is_not(host: Host) -> None:
    first, more = nic(10, services=ALL), nic(20, "5002", services=ALL, device=1)
    vm = instance(first, more)
    host.start(instance(first))
    assert host.call("plug", vm, more) == "brvx-5002"
    guest = Guest(host, more, "brvx-5002")
    host.guard(vm, [guest])
    assert guest.dhcp()["ip"] == "10.1.1.20"
    guest.close()
    host.call("unplug", instance(first), more)
    state = host.state()
    assert (
        "network-5002" not in str(state) and "brvx-5002" not in str(state) and more.mac[3:] not in str(state)
    )
    assert "net-network-5001" in state["namespaces"]


# between hosts


@pytest.mark.lab
def test_guests_on_two_hosts_share_a_vxlan(hosts: list[Host]) -> None:
    one, two = instance(nic(10, services=ALL)), instance(nic(11, services=ALL))
    [first], [second] = hosts[0].start(one), hosts[1].start(two)
    assert (first.dhcp()["ip"], second.dhcp()["ip"]) == ("10.1.1.10", "10.1.1.11")
    assert first.pings("10.1.1.11")
    second.listen(80)
    assert first.reaches(second, 80)


@pytest.mark.lab
def test_each_guest_talks_to_the_gateway_of_its_own_host(hosts: list[Host]) -> None:
    one, two = instance(nic(10, services=ALL)), instance(nic(11, services=ALL))
    [first], [second] = hosts[0].start(one), hosts[1].start(two)
    first.configure()
    second.configure()
    assert first.get(f"http://{GATEWAY}/latest/meta-data/hypervisor-host-name") == (200, "host1")
    assert second.get(f"http://{GATEWAY}/latest/meta-data/hypervisor-host-name") == (200, "host2")

    ask = ethernet(first.nic.mac, BROADCAST, 0x0806, arp(first.nic.mac, "10.1.1.10", GATEWAY))
    metadata = ethernet(first.nic.mac, BROADCAST, 0x0806, arp(first.nic.mac, "10.1.1.10", "169.254.169.254"))
    discover = ethernet(first.nic.mac, BROADCAST, 0x0800, ipv4("0.0.0.0", "255.255.255.255", 17, udp(68, 67)))
    neighbour = ethernet(first.nic.mac, BROADCAST, 0x0806, arp(first.nic.mac, "10.1.1.10", "10.1.1.11"))
    assert not passes(first, second, ask)
    assert not passes(first, second, metadata)
    assert not passes(first, second, discover)
    assert passes(first, second, neighbour)

    hosts[1].run("ip", "netns", "exec", "net-network-5001", "ip", "link", "set", "eth0", "down")
    second.run("ip", "neighbour", "flush", "all")
    assert second.get(f"http://{GATEWAY}/latest/user-data") == (0, "")  # the other host's is no substitute
    for host in hosts:
        host.run("nft", "delete", "table", "bridge", "cloudsim")
    assert passes(first, second, ask)
    assert passes(first, second, discover)
    second.run("ip", "neighbour", "flush", "all")
    assert second.get(f"http://{GATEWAY}/latest/user-data")[0] == 404  # this was the other host's


@pytest.mark.lab
def test_the_gateway_has_one_mac_address_everywhere_and_another_in_each_network(hosts: list[Host]) -> None:
    hosts[0].start(instance(nic(10, services=ALL)))
    hosts[1].start(instance(nic(11, services=ALL)))
    hosts[1].start(instance(nic(12, "5002", services=ALL)))

    def address(host: Host, network: str) -> str:
        shown = host.run("ip", "-n", f"net-{network}", "-o", "link", "show", "eth0")
        return shown.split("link/ether ")[1].split()[0]

    assert address(hosts[0], "network-5001") == address(hosts[1], "network-5001")
    assert address(hosts[1], "network-5001") != address(hosts[1], "network-5002")


# what a guest may say


@pytest.fixture
def pair(host: Host) -> tuple[Guest, Guest, VmSpec]:
    """Two guests on one host, not guarded yet, and the first one's instance."""
    one, two = instance(nic(10, secondary_ips=("10.1.1.60",))), instance(nic(11))
    [first], [second] = host.start(one, guard=False), host.start(two, guard=False)
    first.configure()
    second.configure()
    return first, second, one


FORGED: dict[str, Frame] = {
    "a MAC address": lambda me, other: ethernet(
        "02:00:00:99:99:99", other.nic.mac, 0x0800, ipv4("10.1.1.10", "10.1.1.11", 17, udp(5555, 9))
    ),
    "an IP address": lambda me, other: talk(me, other, "10.1.1.77"),
    "an ARP address": lambda me, other: ethernet(
        me.nic.mac, BROADCAST, 0x0806, arp(me.nic.mac, "10.1.1.77", "10.1.1.11", 2)
    ),
    "an ARP MAC address": lambda me, other: ethernet(
        me.nic.mac, BROADCAST, 0x0806, arp("02:00:00:99:99:99", "10.1.1.10", "10.1.1.11", 2)
    ),
    "a DHCP server": lambda me, other: ethernet(
        me.nic.mac, other.nic.mac, 0x0800, ipv4("10.1.1.10", "10.1.1.11", 17, udp(67, 68))
    ),
    "an IPv6 router": lambda me, other: router_advertisement(me.nic.mac),
}
HONEST: dict[str, Frame] = {
    "itself": talk,
    "its second address": lambda me, other: talk(me, other, "10.1.1.60"),
    "ARP": lambda me, other: ethernet(
        me.nic.mac, BROADCAST, 0x0806, arp(me.nic.mac, "10.1.1.10", "10.1.1.11")
    ),
    "an ARP probe": lambda me, other: ethernet(
        me.nic.mac, BROADCAST, 0x0806, arp(me.nic.mac, "0.0.0.0", "10.1.1.10")
    ),
    "an announcement after a migration": lambda me, other: ethernet(
        me.nic.mac, BROADCAST, 0x8035, arp(me.nic.mac, "0.0.0.0", "0.0.0.0", 3)
    ),
    "a DHCP client": lambda me, other: ethernet(
        me.nic.mac, BROADCAST, 0x0800, ipv4("0.0.0.0", "255.255.255.255", 17, udp(68, 67))
    ),
}


@pytest.mark.lab
def test_a_guarded_guest_speaks_only_for_itself(pair: tuple[Guest, Guest, VmSpec]) -> None:
    me, other, vm = pair
    for what, frame in (FORGED | HONEST).items():
        assert passes(me, other, frame(me, other)), f"unguarded: {what}"
    me.host.guard(vm, [me])
    for what, frame in HONEST.items():
        assert passes(me, other, frame(me, other)), f"guarded: {what}"
    for what, frame in FORGED.items():
        assert not passes(me, other, frame(me, other)), f"guarded, forging {what}"
    for what, frame in FORGED.items():
        if what != "a MAC address":
            assert passes(other, me, frame(other, me)), f"the other is not guarded: {what}"


@pytest.mark.lab
def test_an_address_that_is_taken_away_is_no_longer_the_guests(pair: tuple[Guest, Guest, VmSpec]) -> None:
    me, other, vm = pair
    me.host.guard(vm, [me])
    assert passes(me, other, talk(me, other, "10.1.1.60"))
    me.host.guard(instance(nic(10)), [me])
    assert not passes(me, other, talk(me, other, "10.1.1.60"))


@pytest.mark.lab
def test_on_a_network_without_addresses_only_the_mac_address_counts(host: Host) -> None:
    bare: dict[str, Any] = {"ip": None, "netmask": None, "gateway": None}
    [me], [other] = host.start(instance(nic(10, **bare))), host.start(instance(nic(11, **bare)))
    for what, frame in FORGED.items():
        if what != "an IP address":
            assert passes(me, other, frame(me, other)) == (what != "a MAC address"), what


@pytest.mark.lab
def test_a_guest_on_the_operators_bridge_sends_no_vlan_tags(host: Host) -> None:
    one, two = instance(nic(10, None)), instance(nic(11, None))
    [me], [other] = host.start(one, guard=False), host.start(two)
    me.configure()
    other.configure()
    tagged = ethernet(me.nic.mac, other.nic.mac, 0x8100, struct.pack("!HH", 7, 0x0800) + b"hop")
    ear, mouth = other.frames(), me.frames()
    ear.settimeout(SOON)
    mouth.send(tagged)
    assert has_come(ear, b"hop")  # without its tag, which the kernel keeps beside the frame
    host.guard(one, [me])
    mouth.send(tagged)
    assert not has_come(ear, b"hop")
    assert passes(me, other, talk(me, other))
    host.stop(one, [me])
    host.stop(two, [other])
    assert "cloudbr0" in host.run("ip", "-br", "link")


@pytest.mark.lab
def test_a_guest_network_is_no_way_to_the_host(host: Host) -> None:
    [me] = host.start(instance(nic(10)))
    me.configure()
    mac = host.run("cat", "/sys/class/net/brvx-5001/address").strip()
    ask = ethernet(me.nic.mac, BROADCAST, 0x0806, arp(me.nic.mac, "10.1.1.10", "10.99.0.11"))
    card = me.frames()
    card.settimeout(SOON)
    card.send(ask)
    assert not has_come(card, bytes.fromhex(mac.replace(":", "")))
    me.run("ip", "neighbour", "replace", "10.99.0.11", "lladdr", mac, "dev", "eth0")
    me.run("ip", "route", "replace", "10.99.0.11", "dev", "eth0")
    with me.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        before = host.run("nstat", "-az", "UdpNoPorts", "UdpInDatagrams")
        mouth.sendto(b"hello", ("10.99.0.11", 16514))
        time.sleep(0.05)
        assert host.run("nstat", "-az", "UdpNoPorts", "UdpInDatagrams") == before
    assert "inet6" not in host.run("ip", "address", "show", "brvx-5001")


# security groups


@pytest.mark.lab
def test_a_security_group_lets_in_what_it_allows_and_answers(hosts: list[Host]) -> None:
    web = instance(nic(10, services=ALL, rules=(allow(80, cidr="10.1.1.11/32"),)))
    near, far = instance(nic(11, services=ALL)), instance(nic(12, services=ALL))
    [guest], [friend] = hosts[0].start(web), hosts[0].start(near)
    [stranger] = hosts[1].start(far)
    assert guest.dhcp()["ip"] == "10.1.1.10"  # DHCP, metadata and the gateway pass always
    assert guest.get(f"http://{GATEWAY}/latest/meta-data/vm-id")[0] == 200
    assert "1 received" in hosts[0].run(
        "ip", "netns", "exec", "net-network-5001", "ping", "-c1", "-W5", "10.1.1.10"
    )
    friend.configure()
    stranger.configure()
    guest.listen(80)
    guest.listen(81)
    stranger.listen(80)
    assert friend.reaches(guest, 80)
    assert not friend.reaches(guest, 81)
    assert not stranger.reaches(guest, 80)
    assert not friend.pings("10.1.1.10")
    assert guest.reaches(stranger, 80) and guest.pings("10.1.1.12")

    broadcast = ethernet(friend.nic.mac, BROADCAST, 0x0800, ipv4("10.1.1.11", "10.1.1.255", 17, udp(5, 9)))
    assert not passes(friend, guest, broadcast)
    assert not passes(friend, guest, ethernet(friend.nic.mac, guest.nic.mac, 0x86DD, bytes(40)))

    open_to_all = (
        allow(80),
        SecurityRule(True, "icmp", "0.0.0.0/0", 8, 0),
        SecurityRule(True, "udp", "0.0.0.0/0"),
    )
    hosts[0].guard(instance(nic(10, services=ALL, rules=open_to_all)), [guest])
    assert stranger.reaches(guest, 80) and not stranger.reaches(guest, 81)
    assert stranger.pings("10.1.1.10")
    assert passes(friend, guest, talk(friend, guest))
    hosts[0].guard(instance(nic(10, services=ALL)), [guest])
    assert stranger.reaches(guest, 81)
    assert "table ip cloudsim" not in hosts[0].run("nft", "list", "ruleset")


@pytest.mark.lab
def test_with_egress_rules_nothing_else_leaves(host: Host) -> None:
    rules = (allow(80, ingress=False, cidr="10.1.1.11/32"), SecurityRule(True, "all", "0.0.0.0/0"))
    [guest], [other] = (
        host.start(instance(nic(10, services=ALL, rules=rules))),
        host.start(instance(nic(11, services=ALL))),
    )
    assert guest.dhcp()["ip"] == "10.1.1.10"
    assert guest.get(f"http://{GATEWAY}/latest/meta-data/vm-id")[0] == 200
    other.configure()
    other.listen(80)
    other.listen(81)
    guest.listen(82)
    assert guest.reaches(other, 80)
    assert not guest.reaches(other, 81)
    assert not guest.pings("10.1.1.11")
    assert other.reaches(guest, 82)  # answers leave


@pytest.mark.lab
def test_the_same_addresses_in_two_networks_are_kept_apart(host: Host) -> None:
    """Same addresses, same ports, at the same time: connections of the one network are none in the other."""
    pairs = []
    for vlan, port in (("5001", 80), ("5002", 81)):
        [client] = host.start(instance(nic(11, vlan, services=ALL)))
        [server] = host.start(instance(nic(10, vlan, services=ALL, rules=(allow(port),))))
        client.configure()
        server.configure()
        server.listen(80)
        server.listen(81)
        pairs.append((client, server))
    (client1, server1), (client2, server2) = pairs
    assert client1.reaches(server1, 80) and client2.reaches(server2, 81)
    with client1.open_socket(socket.AF_INET, socket.SOCK_STREAM) as open_one:
        open_one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        open_one.bind(("10.1.1.11", 40000))
        open_one.settimeout(30)
        open_one.connect(("10.1.1.10", 80))
        with client2.open_socket(socket.AF_INET, socket.SOCK_STREAM) as same_elsewhere:
            same_elsewhere.bind(("10.1.1.11", 40000))
            same_elsewhere.settimeout(0.5)
            with pytest.raises(TimeoutError):
                same_elsewhere.connect(("10.1.1.10", 80))
        assert open_one.recv(64).decode() == server1.nic.mac
    assert not client1.reaches(server1, 81)
    assert client1.get(f"http://{GATEWAY}/latest/meta-data/instance-id") == (200, "i-2-0b5001-VM")
    assert client2.get(f"http://{GATEWAY}/latest/meta-data/instance-id") == (200, "i-2-0b5002-VM")


# rates


@pytest.mark.lab
def test_a_rate_limit_holds_both_ways_and_can_be_lifted(host: Host) -> None:
    one, two = instance(nic(10, rate_mbit=8)), instance(nic(11))
    [slow], [other] = host.start(one), host.start(two)
    slow.configure()
    other.configure()

    def seconds(sender: Guest, receiver: Guest, size: int) -> float:
        with receiver.open_socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("0.0.0.0", 7))
            listening.listen()
            connection = sender.connect(receiver.nic.ip or "", 7)
            assert connection is not None
            accepted, _ = listening.accept()
            connection.settimeout(20)
            start = time.monotonic()
            with accepted, connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
                connection.setblocking(False)
                left, accepted_bytes = size, 0
                accepted.setblocking(False)
                while accepted_bytes < size:
                    with suppress(BlockingIOError):
                        left -= connection.send(bytes(min(left, 8192))) if left else 0
                    try:
                        accepted_bytes += len(accepted.recv(65536))
                    except BlockingIOError:
                        time.sleep(0.001)
            return time.monotonic() - start

    def quickest(sender: Guest, receiver: Guest, enough: float) -> float:
        """Of some tries, for a machine that has other work too, until one is quick enough."""
        best = seconds(sender, receiver, size)
        for _ in range(9):
            if best < enough:
                break
            best = min(best, seconds(sender, receiver, size))
        return best

    size = 2_000_000  # two seconds at 8 Mbit/s
    assert 1.5 < quickest(other, slow, 3.5) < 3.5
    assert 1.5 < quickest(slow, other, 3.5) < 3.5
    host.guard(instance(nic(10)), [slow])
    assert quickest(other, slow, 1.5) < 1.5
    assert quickest(slow, other, 1.5) < 1.5
    assert "ifb" not in host.run("ip", "-br", "link", "show", "type", "ifb")


# the host


@pytest.mark.lab
def test_doing_it_twice_is_doing_it_once_and_forgetting_leaves_nothing(host: Host) -> None:
    nothing = host.state()
    one = instance(nic(10, services=ALL, rules=(allow(80),), rate_mbit=100, secondary_ips=("10.1.1.60",)))
    two = instance(nic(11, services=ALL))
    guests = [*host.start(one), *host.start(two)]
    once = host.state()
    for vm in (one, two):
        host.call("prepare", vm)
        host.call("guard", vm, {guest.nic.mac: guest.tap for guest in guests})
    assert host.state() == once
    for vm, guest in zip((one, two), guests, strict=True):
        host.stop(vm, [guest])
    assert host.state() == nothing
    host.call("forget", one)
    assert host.state() == nothing


@pytest.mark.lab
def test_a_tap_name_that_is_used_again_is_the_new_instances(host: Host) -> None:
    old, new = instance(nic(10, rules=())), instance(nic(11))
    [gone] = host.start(old)
    gone.close()
    host.reuse_tap(gone.tap)
    [guest], [other] = host.start(new), host.start(instance(nic(12)))
    assert guest.tap == gone.tap
    assert passes(other, guest, talk(other, guest))  # past the security group of the one that had the tap
    host.call("forget", old)
    assert passes(guest, other, talk(guest, other)) and passes(other, guest, talk(other, guest))
    assert not passes(guest, other, talk(guest, other, "10.1.1.77"))


@pytest.mark.lab
def test_a_new_agent_serves_what_runs_and_removes_what_is_of_no_one(host: Host) -> None:
    one = instance(nic(10, services=ALL, rules=(allow(80),)), password="Secret7")
    gone = instance(nic(11, "5002", services=ALL, rules=(), rate_mbit=10))
    near = instance(nic(12))
    [guest], [other], [witness] = host.start(one), host.start(gone), host.start(near)
    running = host.state()["processes"]
    other.close()
    host.call("restart")
    host.call("restore", [one, near])
    state = host.state()
    assert state["namespaces"] == ["net-network-5001"]
    assert "5002" not in str(state) and "ifb" not in str(state) and "02:00:8a" not in str(state)
    assert state["processes"] == {pid: text for pid, text in running.items() if "5001" in text}
    assert guest.dhcp()["ip"] == "10.1.1.10"
    assert not passes(witness, guest, talk(witness, guest))  # its security group
    assert passes(guest, witness, talk(guest, witness))
    assert not passes(guest, witness, talk(guest, witness, "10.1.1.77"))

    for pid in state["processes"]:
        host.run("kill", "-KILL", pid)
    stranger = host.run("sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!").strip()
    folder = host.data / "networks/services/network-5001"
    for file in (folder / "dns/run/dnsmasq.pid", folder / "metadata.pid"):
        file.write_text(stranger)
    host.run("nft", "flush", "ruleset")
    host.call("restart")
    host.call("restore", [one, near])
    assert guest.dhcp()["ip"] == "10.1.1.10"
    assert guest.get(f"http://{GATEWAY}/latest/meta-data/vm-id")[0] == 200
    assert host.state()["rules"] == state["rules"]  # libvirt's taps are known by their MAC addresses
    assert host.run("kill", "-0", stranger) == ""
    host.run("kill", stranger)


@pytest.mark.lab
def test_after_a_reboot_what_was_kept_goes(host: Host) -> None:
    nothing = host.state()
    one = instance(nic(10, services=ALL))
    [guest] = host.start(one)
    guest.close()
    for pid in host.state()["processes"]:
        host.run("kill", "-KILL", pid)
    host.run(
        "sh", "-c", "ip netns delete net-network-5001; ip link delete brvx-5001; ip link delete vxlan5001"
    )
    host.run("nft", "flush", "ruleset")
    host.call("restart")
    host.call("restore", [])
    assert host.state() == nothing


@pytest.mark.lab
def test_a_bridge_that_is_used_by_others_stays(host: Host) -> None:
    one = instance(nic(10))
    [guest] = host.start(one)
    host.call("forget", one)
    assert "brvx-5001" in host.run("ip", "-br", "link")
    guest.close()
    host.call("restore", [])
    assert "brvx-5001" not in host.run("ip", "-br", "link")


@pytest.mark.lab
def test_what_cannot_be_made_is_said_and_leaves_nothing(host: Host) -> None:
    nothing = host.state()
    good = nic(10, services=ALL)
    if "vlan" not in host.run(
        "sh", "-c", "ip link add link eth0 name v.9 type vlan id 9 && echo vlan; ip link del v.9; :"
    ):
        with pytest.raises(HypervisorError, match=r"network-7: .*VLAN 7 on eth0.*8021q"):
            host.call("prepare", instance(good, nic(11, "7", isolation="VLAN")))
        assert host.state() == nothing
    host.run(
        "ip", "link", "add", "vxlan9", "type", "vxlan", "id", "5003", "dev", "cloudbr0", "dstport", "4789"
    )
    with pytest.raises(HypervisorError, match=r"network-5003: guest-bridge\.sh add: ."):
        host.call("prepare", instance(good, nic(11, "5003", services=ALL)))
    host.run("ip", "link", "delete", "vxlan9")
    assert host.state() == nothing
    with pytest.raises(HypervisorError, match="instance i-2-0a5001-VM: its user data is not base64"):
        host.call("prepare", instance(good, user_data="$$$"))
    assert host.state() == nothing


# without privileges


def networks(data: Path, guest_device: str = "lo") -> GuestNetworks:
    return GuestNetworks(
        HostSettings(name="h", guid="h", data=data, private_ip="", guest_device=guest_device)
    )


def test_bridges_are_named_after_their_broadcast_domains(tmp_path: Path) -> None:
    made = networks(tmp_path)
    assert made.bridge_of(nic(10, "5001")) == "brvx-5001"
    assert made.bridge_of(nic(10, "101", isolation="VLAN")) == "brlo-101"
    assert made.bridge_of(nic(10, None)) == "lo"
    long = networks(tmp_path, "enp0s31f6np1").bridge_of(nic(10, "4094", isolation="VLAN"))
    assert len(long) <= 15 and long == networks(tmp_path, "enp0s31f6np1").bridge_of(
        nic(11, "4094", isolation="VLAN")
    )
    assert [made.vlan_of_bridge(name) for name in ("brvx-5001", "brlo-101", long)] == ["5001", "101", "4094"]
    assert [made.vlan_of_bridge(name) for name in ("cloudbr0", "virbr0", "br-1a2b", "eth0-7")] == [None] * 4


@pytest.mark.parametrize(
    ("vlan", "isolation"),
    [("0", "VLAN"), ("4095", "VLAN"), ("x", "VLAN"), ("16777216", "VXLAN"), ("-1", "VXLAN")],
)
def test_an_id_that_is_none_is_refused(tmp_path: Path, vlan: str, isolation: str) -> None:
    wrong = msgspec.structs.replace(nic(10), vlan=vlan, isolation=isolation)
    with pytest.raises(HypervisorError, match=f"network network-5001: '{vlan}' is no {isolation} id"):
        networks(tmp_path).bridge_of(wrong)
