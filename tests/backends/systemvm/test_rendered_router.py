"""A configuration, rendered and applied: a router in namespaces, with instances and the Internet around it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from backends.systemvm.rendering import render
from cloudsim.protocol.router import (
    Balancer,
    BalancerMember,
    Forward,
    GuestNetworkConfiguration,
    HealthCheck,
    IngressRule,
    PublicAddress,
    RouterConfiguration,
    RouterGuest,
    StaticNat,
    Traffic,
)
from cloudsim.systemvm import leases_and_names
from tests.backends.systemvm.guest.guest_world import Client, Guest, eventually, what_is_missing

PUBLIC_MAC, INSIDE_MAC = "02:00:00:00:00:02", "02:00:00:00:00:01"
MASK = "255.255.255.0"
WEB = RouterGuest(
    "0a:00:00:00:00:07",
    "10.1.1.7",
    "web-1",
    "i-2-7-VM",
    "id-7",
    user_data=base64.b64encode(b"#!/bin/sh\n").decode(),
    public_keys=("ssh-ed25519 AAAA ann",),
    password="s3cret",
    metadata={"availability-zone": "east"},
)
DB = RouterGuest("0a:00:00:00:00:08", "10.1.1.8", "db-1", "i-2-8-VM", "id-8")
QUICK = HealthCheck("", 1, 1, 1, 1)


def configuration(**fields: Any) -> RouterConfiguration:
    network = GuestNetworkConfiguration(
        "net",
        INSIDE_MAC,
        "10.1.1.1",
        "10.1.1.1",
        MASK,
        services=("Dhcp", "Dns", "UserData", "Lb"),
        domain="cs.example",
        guests=(WEB, DB),
        egress=(Traffic("tcp", 80, 80),),
        **fields.pop("net", {}),
    )
    known: dict[str, Any] = {
        "public": tuple(
            PublicAddress(f"203.0.113.{n}", MASK, "203.0.113.1", PUBLIC_MAC, source_nat=n == 5)
            for n in (5, 6)
        ),
        "ingress": (
            IngressRule("203.0.113.5", Traffic("tcp", 2222, 2222)),
            IngressRule("203.0.113.5", Traffic("tcp", 8000, 8000)),
            IngressRule("203.0.113.6", Traffic("tcp", 80, 80)),
        ),
        "forwards": (Forward("203.0.113.5", "tcp", 2222, 2222, "10.1.1.7", 80),),
        "static_nats": (StaticNat("203.0.113.6", "10.1.1.8"),),
        "balancers": (
            Balancer(
                "lb",
                "203.0.113.5",
                8000,
                members=(BalancerMember("m-web", "10.1.1.7", 80), BalancerMember("m-db", "10.1.1.8", 80)),
                health_check=QUICK,
            ),
        ),
        **fields,
    }
    return RouterConfiguration(name="r-4-VM", guests=(network,), **known)


class Place:
    """The router, the Internet in front of it, and two instances behind it on one wire."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.leases: dict[str, dict[str, str]] = {}
        self.router = Guest(folder)
        self.internet, self.wire, self.web, self.db = Client(), Client(), Client(), Client()
        self.router.plugged(PUBLIC_MAC, self.internet, "eth0", "203.0.113.1/24")
        self.internet.run("ip", "address", "add", "198.51.100.7/32", "dev", "lo")
        self.wire.run("ip", "link", "add", "bridge", "type", "bridge")
        self.wire.run("ip", "link", "set", "bridge", "up")
        self.router.plugged(INSIDE_MAC, self.wire, "router")
        for name, guest, client in (("web", WEB, self.web), ("db", DB, self.db)):
            self.wire.run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "address", guest.mac,
                          "netns", str(client.pid))  # fmt: skip
            client.run("ethtool", "-K", "eth0", "tx", "off", check=False)
            client.run("ip", "link", "set", "eth0", "up")
        for port in ("router", "web", "db"):
            self.wire.run("ip", "link", "set", port, "up", "master", "bridge")
        self.internet.serve(80, b"the Internet\n")
        self.web.serve(80, b"web\n")
        self.db.serve(80, b"db\n")

    def says(self, client: Client, address: str, port: int) -> str:
        """What somebody there says to a line; "" if nobody answers soon."""
        try:
            with client.connect(address, port, 0.5) as connection:
                connection.sendall(b"hello\n")
                return connection.recv(100).decode().strip()
        except OSError:
            return ""

    def close(self) -> None:
        for space in (self.internet, self.wire, self.web, self.db, self.router):
            space.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    missing = what_is_missing()
    if missing:
        pytest.skip(missing)
    made = Place(tmp_path_factory.mktemp("router"))
    try:
        assert made.router.apply(replace(render(configuration()), number=1, role="router")) is None
        for client, guest in ((made.web, WEB), (made.db, DB)):
            made.leases[guest.mac] = client.lease("eth0", made.folder)
        yield made
    finally:
        made.close()


def test_instances_get_their_leases_and_are_told_about_themselves(place: Place) -> None:
    for guest in (WEB, DB):
        said = leases_and_names.lease(configuration(), guest.mac)
        got = place.leases[guest.mac]
        assert said is not None
        told = (got["ip"], got["router"], got["dns"], got["domain"], got["mtu"])
        assert told == (guest.ip, "10.1.1.1", "10.1.1.1", "cs.example", "1500")
        assert told == (said.ip, said.router, *said.dns, said.options["domain-name"], said.options["mtu"])
    for path in ("latest/user-data", "latest/meta-data/public-keys", "latest/meta-data/public-ipv4", "latest/vm-id",
                 "latest/meta-data/availability-zone", "latest/meta-data/"):  # fmt: skip
        for client, guest in ((place.web, WEB), (place.db, DB)):
            said_there = leases_and_names.metadata(configuration(), guest.ip, path)
            for server in ("10.1.1.1", "169.254.169.254"):
                status, body = client.get(f"http://{server}/{path}")
                assert (body if status == 200 else None) == (
                    said_there.decode() if said_there is not None else None
                ), path
    assert place.web.get("http://10.1.1.1:8080/", [("DomU_Request", "send_my_password")]) == (200, "s3cret")


def test_the_internet_gets_in_where_it_may_and_instances_get_out_where_they_may(place: Place) -> None:
    assert place.says(place.internet, "203.0.113.5", 2222) == "web"
    assert place.says(place.internet, "203.0.113.6", 80) == "db"
    assert (
        place.says(place.internet, "203.0.113.6", 81) == "" == place.says(place.internet, "203.0.113.5", 22)
    )
    assert place.says(place.web, "198.51.100.7", 80) == "the Internet"
    assert place.says(place.web, "198.51.100.7", 81) == ""
    assert place.says(place.web, "203.0.113.5", 2222) == "web" == place.says(place.db, "203.0.113.5", 2222)
    eventually(lambda: {place.says(place.internet, "203.0.113.5", 8000) for _ in range(4)} == {"web", "db"})


def test_it_tells_what_went_through_and_finds_itself_well(place: Place) -> None:
    before = {each["ip"]: each for each in place.router.ask("RouterStatistics")["traffic"]}
    for _ in range(5):
        assert place.says(place.internet, "203.0.113.6", 80) == "db"
    found = place.router.ask("RouterStatistics")
    after = {each["ip"]: each for each in found["traffic"]}
    grown = {ip: after[ip]["received"] - before[ip]["received"] for ip in after}
    assert grown["203.0.113.6"] > 5 * 40 and grown["203.0.113.5"] < grown["203.0.113.6"]
    assert sorted(found["leases"]) == sorted([each.mac, each.ip] for each in (WEB, DB))
    up = [["lb", "m-db"], ["lb", "m-web"]]
    eventually(lambda: sorted(place.router.ask("RouterStatistics")["members_up"]) == up)
    assert found["sites_up"] == []
    eventually(lambda: all(check["success"] for check in place.router.ask("CheckHealth")["checks"]))


def test_a_rule_that_goes_closes_the_port_and_connections_that_there_are_go_on(place: Place) -> None:
    with place.internet.connect("203.0.113.5", 2222) as connection:
        connection.sendall(b"x\n")
        assert connection.recv(10) == b"web\n"
        shut = configuration(ingress=(), net={"egress_allowed": True})
        assert place.router.apply(replace(render(shut), number=2, role="router")) is None
        assert place.says(place.internet, "203.0.113.5", 2222) == ""
        assert place.says(place.web, "198.51.100.7", 80) == "", (
            "the rule is now an exception from what is allowed"
        )
        connection.sendall(b"x\n")
        assert connection.recv(10) == b"web\n"
    assert place.router.apply(replace(render(configuration()), number=3, role="router")) is None
    assert place.says(place.internet, "203.0.113.5", 2222) == "web"
