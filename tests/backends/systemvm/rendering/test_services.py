"""dnsmasq and haproxy with what is rendered for them, in the router's namespace, asked by guests in theirs."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from backends.systemvm.guest.statistics import leases as leases_in
from backends.systemvm.guest.statistics import members as members_in
from backends.systemvm.plan import ROOT, Service
from backends.systemvm.rendering import render
from cloudsim.protocol.router import (
    AclEntry,
    Balancer,
    BalancerMember,
    HealthCheck,
    IngressRule,
    RouterConfiguration,
    RouterGuest,
    Stickiness,
    Traffic,
)
from cloudsim.systemvm import leases_and_names
from tests.backends.systemvm.rendering.asking import lease, resolve
from tests.backends.systemvm.rendering.networks import MAY_BE_THERE, OUTSIDE, POOL, WIRES, address, gateway
from tests.backends.systemvm.rendering.probing import Crossing, what_is_missing
from tests.backends.systemvm.rendering.rich import PUBLICS, SERVICES, network

OPEN = (AclEntry(True, True, Traffic("all")),)


class RouterInANamespace:
    """A crossing whose router has also the programs of its plan, with their files in a folder of their own."""

    def __init__(self, crossing: Crossing) -> None:
        self.crossing = crossing
        self.folder = Path(tempfile.mkdtemp(prefix="router-", dir="/tmp"))
        self.folder.chmod(0o755)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def configure(self, configuration: RouterConfiguration) -> None:
        """Files and programs are new each time: how changes are made is for others to test."""
        plan = render(configuration)
        self.crossing.configure(plan.interfaces, plan.routes, plan.rules, plan.sysctls, plan.nft)
        self.stop()
        for path, content in {**plan.files, **plan.secret_files}.items():
            file = Path(self._here(path))
            file.parent.mkdir(exist_ok=True)
            file.write_text(self._here(content))
        for service in plan.services:
            self._start(service)

    def _start(self, service: Service) -> None:
        if shutil.which(service.name) is None:
            pytest.skip(f"there is no {service.name}")
        done = subprocess.run([self._here(word) for word in service.check], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        command = [self._here(word) for word in service.command]
        into = ["nsenter", f"--net={self.crossing.router.path}"]
        with (self.folder / f"{service.name}.log").open("wb") as log:
            self._running[service.name] = subprocess.Popen([*into, *command], stdout=log, stderr=log)

    def _here(self, text: str) -> str:
        return text.replace(ROOT, str(self.folder))

    def stop(self) -> None:
        for program in self._running.values():
            program.terminate()
        for program in self._running.values():
            program.wait(60)
        self._running.clear()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def crossing() -> Iterator[Crossing]:
    missing = what_is_missing()
    if missing:
        pytest.skip(missing)
    made = Crossing(WIRES, MAY_BE_THERE)
    yield made
    made.close()


@pytest.fixture
def router(crossing: Crossing) -> Iterator[RouterInANamespace]:
    made = RouterInANamespace(crossing)
    yield made
    made.close()


def eventually(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


# leases and names

FRONT = replace(
    network(0, services=SERVICES, acl=OPEN, domain="front.example", dns=(OUTSIDE[0],), mtu=1450),
    dhcp_options={"42": "192.0.2.77", "114": "http://portal.example"},
)
OWN = {"26": "1400", "42": "192.0.2.78", "66": "boot.example", "67": "pxe/start file, one", "224": "anything"}
FRONT = replace(FRONT, guests=(replace(FRONT.guests[0], dhcp_options=OWN), *FRONT.guests[1:]))
BACK = network(1, services=SERVICES, acl=OPEN, domain="back.example")
NAMELESS = replace(network(2, services=("Dhcp",), acl=OPEN), dns=("192.0.2.53", "192.0.2.54"))
TWINS = (*BACK.guests, RouterGuest("0a:01:00:00:00:99", address(1, 99), "vm-0-10", default=False))
VPC = RouterConfiguration(
    name="r-9-VM", firewalled=False, public=PUBLICS[:1], guests=(FRONT, replace(BACK, guests=TWINS), NAMELESS)
)


def test_guests_get_the_leases_that_the_oracle_says(router: RouterInANamespace) -> None:
    router.configure(VPC)
    space = router.crossing.spaces
    eventually(lambda: lease(space["net0"], FRONT.guests[0].mac, 0.3), "dnsmasq does not answer")
    for wire, each in (("net0", FRONT), ("net1", replace(BACK, guests=TWINS)), ("net2", NAMELESS)):
        for guest in each.guests:
            got, said = lease(space[wire], guest.mac, 20.0), leases_and_names.lease(VPC, guest.mac)
            assert got is not None and said is not None
            assert (got.pop("ip"), got.pop("netmask"), got.pop("hostname")) == (
                said.ip,
                said.netmask,
                said.hostname,
            )
            of_the_exchange = ("51", "53", "54", "28", "58", "59")
            assert {name: value for name, value in got.items() if name not in of_the_exchange} == said.options
    taken = {tuple(each) for each in leases_in(router.folder / "leases")}
    assert taken == {(guest.mac, guest.ip) for each in VPC.guests for guest in each.guests}
    assert lease(space["net0"], "0a:77:00:00:00:01", 0.3) is None, "a stranger gets none"
    assert lease(space["net1"], FRONT.guests[0].mac, 0.3) is None, "nor anybody on a network that is not his"


def test_an_address_is_free_for_the_next_one_when_its_guest_is_gone(router: RouterInANamespace) -> None:
    router.configure(VPC)
    space = router.crossing.spaces["net0"]
    eventually(lambda: lease(space, FRONT.guests[0].mac, 0.3), "dnsmasq does not answer")
    heir = RouterGuest("0a:00:00:00:00:77", FRONT.guests[0].ip, "heir")
    router.configure(replace(VPC, guests=(replace(FRONT, guests=(heir, *FRONT.guests[1:])), BACK)))
    eventually(lambda: lease(space, heir.mac, 0.3), "the lease of the one before keeps the address")
    assert (lease(space, heir.mac, 20.0) or {})["ip"] == heir.ip


def test_the_router_answers_names_as_the_oracle_says(router: RouterInANamespace) -> None:
    router.configure(VPC)
    spaces = router.crossing.spaces
    eventually(lambda: resolve(spaces["net0"], address(0, 10), gateway(0), "data-server", 0.2), "no DNS")
    names = [
        "vm-0-11", "vm-0-11.front.example", "VM-0-11.Front.Example", "vm-0-11.back.example", "vm-1-10", "vm-0-10",
        "data-server", "data-server.front.example", "nobody", "nobody.back.example", "vm-2-10", "back.example",
        "10.0.1.10.in-addr.arpa", "11.1.1.10.in-addr.arpa", "1.0.1.10.in-addr.arpa", "77.1.1.10.in-addr.arpa",
    ]  # fmt: skip
    for wire, each in (("net0", FRONT), ("net1", VPC.guests[1])):
        for name in names:
            said = leases_and_names.resolve(VPC, each, name)
            patience = 1.0 if said is None else 20.0
            got = resolve(spaces[wire], each.guests[0].ip, each.router_ip, name, patience)
            assert (sorted(got) if got is not None else None) == (
                sorted(said) if said is not None else None
            ), name
    assert leases_and_names.resolve(VPC, FRONT, "www.example.org") is None
    outside = spaces["public"].call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    with outside:
        outside.bind((OUTSIDE[0], 53))
        outside.settimeout(30)
        resolve(spaces["net1"], BACK.guests[0].ip, gateway(1), "www.example.org", 0.2)
        data, asker = outside.recvfrom(512)
    assert b"\x03www\x07example\x03org" in data and asker[0] == POOL[0], "it asks the zone's servers"
    assert resolve(spaces["net2"], address(2, 10), gateway(2), "vm-0-11", 0.2) is None, (
        "no DNS for who has none"
    )


# load balancers


class Web:
    """A web server in a guest's namespace that tells which it is, and who asked."""

    def __init__(self, crossing: Crossing, wire: str, ip: str) -> None:
        self._listening = crossing.spaces[wire].call(
            lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        )
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.bind((ip, 80))
        self._listening.listen()
        self.ip = ip
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, asker = self._listening.accept()
                with connection, suppress(OSError):
                    connection.settimeout(30)
                    asked = connection.recv(4096).decode()
                    proxy = asked.split("\r\n")[0] if asked.startswith("PROXY") else ""
                    body = f"{self.ip} {asker[0]} {proxy}".strip()
                    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                    connection.sendall((head + body).encode())

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


class Connection(http.client.HTTPConnection):
    """From a namespace, and from an address there."""

    def __init__(self, crossing: Crossing, source: str, port: int, within: float) -> None:
        super().__init__(POOL[0], port, timeout=within)
        made = crossing.spaces["public"].call(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        made.settimeout(within)
        made.bind((source, 0))
        made.connect((POOL[0], port))
        self.sock = made


def get(
    crossing: Crossing, port: int, source: str = OUTSIDE[0], cookie: str = "", within: float = 30.0
) -> tuple[str, str]:
    """The body and the cookie that is set; "" if nobody answers."""
    connection = None
    try:
        connection = Connection(crossing, source, port, within)
        connection.request("GET", "/", headers={"Cookie": cookie} if cookie else {})
        response = connection.getresponse()
        if response.status != 200:
            return "", ""
        return response.read().decode(), response.headers.get("Set-Cookie", "")
    except (OSError, http.client.HTTPException):
        return "", ""
    finally:
        if connection is not None:
            connection.close()


MEMBERS = tuple(BalancerMember(f"member-{host}", address(0, host), 80) for host in (10, 11))
QUICK = HealthCheck("/", interval=1, timeout=20, healthy=1, unhealthy=1)


def balancing() -> RouterConfiguration:
    """A balancer of each kind, on ports 80 to 84."""
    cookie = Stickiness("LbCookie", "sticky", {"cookie-name": "SEAT", "nocache": "true"})
    by_source = Stickiness("SourceBased", "sticky", {"expire": "5m"})
    balancers = (
        Balancer("lb-80", POOL[0], 80, members=MEMBERS, health_check=QUICK),
        Balancer("lb-81", POOL[0], 81, members=MEMBERS, stickiness=cookie),
        Balancer("lb-82", POOL[0], 82, members=MEMBERS, stickiness=by_source),
        Balancer("lb-83", POOL[0], 83, "tcp-proxy", members=MEMBERS),
        Balancer("lb-84", POOL[0], 84, members=MEMBERS, sources=("198.51.100.0/24",)),
    )
    rule = IngressRule(POOL[0], Traffic("tcp", 80, 84))
    net = network(0, services=("Lb",))
    return RouterConfiguration(
        name="r-9-VM", public=PUBLICS[:1], guests=(net,), ingress=(rule,), balancers=balancers
    )


def test_connections_are_spread_over_the_members_that_answer(router: RouterInANamespace) -> None:
    crossing = router.crossing
    webs = [Web(crossing, "net0", member.ip) for member in MEMBERS]
    try:
        router.configure(balancing())
        both = {f"{member.ip} {gateway(0)}" for member in MEMBERS}
        eventually(
            lambda: {get(crossing, 80)[0] for _ in range(2)} == both, "both are served from, by the router"
        )
        seats = [get(crossing, 81)[1].split(";")[0] for _ in range(4)]
        assert set(seats) == {"SEAT=member-10", "SEAT=member-11"}
        for seat in seats:
            answers = {get(crossing, 81, cookie=seat)[0].split()[0] for _ in range(3)}
            assert answers == {address(0, int(seat[-2:]))}, "a cookie keeps its server"
        assert len({get(crossing, 82)[0] for _ in range(4)}) == 1, "an address keeps its server"
        assert f"PROXY TCP4 {OUTSIDE[0]} {POOL[0]}" in get(crossing, 83)[0]
        assert get(crossing, 84)[0] and not get(crossing, 84, source=OUTSIDE[2], within=2.0)[0], "not everybody may come"
        up, down = members_in(router.folder / "haproxy.sock")
        assert ["lb-80", "member-10"] in up and not down
        webs[0].close()
        eventually(
            lambda: ["lb-80", "member-10"] in members_in(router.folder / "haproxy.sock")[1],
            "it is seen to be down",
        )
        assert {get(crossing, 80)[0] for _ in range(4)} == {f"{MEMBERS[1].ip} {gateway(0)}"}
    finally:
        for web in webs:
            web.close()
