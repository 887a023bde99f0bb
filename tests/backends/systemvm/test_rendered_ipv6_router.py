"""A configuration with IPv6, rendered and applied: an instance makes its address of what is advertised, and is reached."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from backends.systemvm.rendering import render
from cloudsim.management.network.ipv6_addresses import address_of_mac
from cloudsim.protocol.router import (
    GuestNetworkConfiguration,
    PublicAddress,
    PublicAddress6,
    RouterConfiguration,
    RouterGuest,
    Traffic,
)
from tests.backends.systemvm.guest.guest_world import Client, Guest, eventually, what_is_missing

PUBLIC_MAC, INSIDE_MAC = "02:00:00:00:00:02", "02:00:00:00:00:01"
WEB = RouterGuest("0a:00:00:00:00:07", "10.1.1.7", "web-1")
SUBNET, GATEWAY = "2001:db8:0:11::/64", "2001:db8:0:11::1"
OWN, UPSTREAM, OUTSIDE = "2001:db8:0:1::2", "2001:db8:0:1::1", "2001:db8:ffff::7"
WEB6 = address_of_mac(SUBNET, WEB.mac)


def configuration(*let_in: Traffic, ip6: str = GATEWAY) -> RouterConfiguration:
    return RouterConfiguration(
        name="r-4-VM",
        public=(PublicAddress("203.0.113.5", "255.255.255.0", "203.0.113.1", PUBLIC_MAC, source_nat=True),),
        guests=(
            GuestNetworkConfiguration(
                "net",
                INSIDE_MAC,
                "10.1.1.1",
                "10.1.1.1",
                "255.255.255.0",
                services=("Dhcp", "Dns"),
                domain="cs.example",
                guests=(WEB,),
                egress_allowed=True,
                ip6=ip6,
                ingress6=let_in,
                mtu=1400,
            ),
        ),
        public6=PublicAddress6(OWN, UPSTREAM, PUBLIC_MAC) if ip6 else None,
    )


class Place:
    """The router, the Internet in front of it, which knows the way to its network, and an instance behind it."""

    def __init__(self, folder: Path) -> None:
        self.router, self.internet, self.web = Guest(folder), Client(), Client()
        self.number = 0
        self.router.plugged(PUBLIC_MAC, self.internet, "eth0", "203.0.113.1/24")
        for address, device in ((f"{UPSTREAM}/64", "eth0"), (f"{OUTSIDE}/128", "lo")):
            self.internet.run("ip", "address", "add", address, "dev", device, "nodad")
        self.internet.run("ip", "route", "add", SUBNET, "via", OWN)
        self.router.plugged(INSIDE_MAC, self.web, "eth0")
        self.web.run("ip", "link", "set", "eth0", "down")
        self.web.run("ip", "link", "set", "eth0", "address", WEB.mac)
        self.web.run("ip", "link", "set", "eth0", "up")
        for space in (self.internet, self.web):
            serve(space)

    def apply(self, wanted: RouterConfiguration) -> None:
        self.number += 1
        assert self.router.apply(replace(render(wanted), number=self.number, role="router")) is None

    def close(self) -> None:
        for space in (self.internet, self.web, self.router):
            space.close()


def serve(space: Client) -> None:
    """Whoever connects to port 80 there is told a word."""
    listening = space.inside(lambda: socket.create_server(("::", 80), family=socket.AF_INET6))

    def accept() -> None:
        while True:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(b"hello")

    threading.Thread(target=accept, daemon=True).start()


def reaches(space: Client, address: str, port: int = 80) -> bool:
    try:
        with space.connect(address, port, 0.5) as connection:
            return connection.recv(10) == b"hello"
    except OSError:
        return False


def addresses(space: Any, device: str) -> str:
    return str(space.run("ip", "-6", "-o", "address", "show", "dev", device, "scope", "global"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    missing = what_is_missing()
    if missing:
        pytest.skip(missing)
    made = Place(tmp_path_factory.mktemp("router"))
    try:
        made.apply(configuration())
        yield made
    finally:
        made.close()


def test_an_instance_makes_its_address_and_finds_its_way_out_by_what_is_advertised(place: Place) -> None:
    eventually(lambda: WEB6 in addresses(place.web, "eth0"))
    eventually(lambda: "default" in place.web.run("ip", "-6", "route"))
    assert "mtu 1400" in place.web.run("ip", "-6", "route", "show", "default")
    assert "tentative" not in addresses(place.router, "n020000000001")
    eventually(lambda: reaches(place.web, OUTSIDE))


def test_it_is_reached_from_outside_as_far_as_the_firewall_is_opened(place: Place) -> None:
    eventually(lambda: reaches(place.web, OUTSIDE))
    assert not reaches(place.internet, WEB6)
    place.apply(configuration(Traffic("tcp", 80, 80, ("2001:db8:ffff::/48", f"{UPSTREAM}/128"))))
    assert reaches(place.internet, WEB6)
    place.apply(configuration())
    assert not reaches(place.internet, WEB6)


def test_a_router_whose_network_has_no_ipv6_any_more_has_none(place: Place) -> None:
    place.apply(configuration(ip6=""))
    assert addresses(place.router, "n020000000001") == "" == addresses(place.router, "n020000000002")
    assert "default" not in place.router.run("ip", "-6", "route")
    place.apply(configuration())
    assert GATEWAY in addresses(place.router, "n020000000001")
