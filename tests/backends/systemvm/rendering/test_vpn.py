"""Two VPC routers in namespaces, joined by a site-to-site VPN that strongSwan makes with what is rendered for it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from backends.systemvm.guest import tunnels
from backends.systemvm.plan import ROOT, interface_name
from backends.systemvm.rendering import render
from cloudsim.protocol.router import (
    AclEntry,
    GuestNetworkConfiguration,
    PublicAddress,
    RouterConfiguration,
    Traffic,
    VpnDialIn,
    VpnSite,
)
from tests.backends.systemvm.rendering.probing import (
    Arrival,
    Namespace,
    Outcome,
    Probe,
    Prober,
    at_once,
    what_is_missing,
)

MASK = "255.255.255.0"
KEY = 'not "so" secret'


def missing() -> str | None:
    if shutil.which("swanctl") is None or not (
        shutil.which("charon") or Path("/usr/lib/ipsec/charon").exists()
    ):
        return "there is no strongSwan"
    return what_is_missing()


def configuration(number: int, *, key: str = KEY, passive: bool = False) -> RouterConfiguration:
    """Of the VPC 10.NUMBER.0.0/16 at 203.0.113.NUMBER, whose tier lets in TCP port 80 of the other's, and echoes."""
    other = 3 - number
    far = f"10.{other}.0.0/16"
    acl = (
        AclEntry(True, True, Traffic("tcp", 80, 80, (far,))),
        AclEntry(True, True, Traffic("icmp", sources=(far,))),
    )
    return RouterConfiguration(
        name=f"r-{number}-VM",
        vpc_cidr=f"10.{number}.0.0/16",
        firewalled=False,
        public=(
            PublicAddress(
                f"203.0.113.{number}", MASK, f"203.0.113.{other}", f"02:00:00:00:01:0{number}", True
            ),
        ),
        guests=(
            GuestNetworkConfiguration(
                f"net{number}",
                f"02:00:00:00:00:0{number}",
                f"10.{number}.0.1",
                f"10.{number}.0.1",
                MASK,
                acl=acl,
            ),
        ),
        sites=(
            VpnSite(
                f"site-{number}",
                f"203.0.113.{number}",
                f"203.0.113.{other}",
                f"10.{number}.0.0/16",
                (far,),
                key,
                "aes128-sha256;modp2048",
                "aes128-sha256;modp2048",
                dead_peer_detection=True,
                passive=passive,
            ),
        ),
    )


class Site:
    """A router and, behind it, an instance."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.router, self.guest = Namespace(), Namespace()
        self.folder = Path(tempfile.mkdtemp(prefix="site-", dir="/tmp"))
        self._daemon: subprocess.Popen[bytes] | None = None
        device, mac = interface_name(f"02:00:00:00:00:0{number}"), f"02:00:00:00:00:0{number}"
        self.router.run("ip", "link", "add", device, "address", mac, "type", "veth", "peer", "name", "eth0",
                        "netns", self.guest.path)  # fmt: skip
        self.router.run("ip", "link", "set", device, "up")
        lines = ("link set lo up", "link set eth0 up", f"address add 10.{number}.0.10/24 dev eth0")
        self.guest.run(
            "ip", "-batch", "-", given="\n".join((*lines, f"route add default via 10.{number}.0.1", ""))
        )
        at_once(self.guest)

    def configure(self, given: RouterConfiguration) -> None:
        plan = render(given)
        lines = ["link set lo up"]
        for interface in plan.interfaces:
            device = interface_name(interface.mac)
            lines += [f"link set {device} up", f"address flush dev {device}"]
            lines += [f"address add {address} dev {device}" for address in interface.addresses]
        lines += [
            f"route replace {r.destination} via {r.gateway} dev {interface_name(r.mac)}" for r in plan.routes
        ]
        self.router.run("ip", "-batch", "-", given="\n".join(lines) + "\n")
        self.router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0")
        self.router.run("nft", "-f", "-", given=plan.nft)
        for path, content in {**plan.files, **plan.secret_files}.items():
            Path(self._here(path)).write_text(self._here(content))
        service = next(each for each in plan.services if each.name == "ipsec")
        if self._daemon is None:
            with (self.folder / "log").open("wb") as log:
                into = ["nsenter", f"--net={self.router.path}"]
                command = [*into, *(self._here(word) for word in service.command)]
                self._daemon = subprocess.Popen(command, stdout=log, stderr=log)
        (after,) = service.after
        eventually(lambda: self._run([self._here(word) for word in after]) == 0, self.log)

    def _run(self, command: list[str]) -> int:
        return subprocess.run(
            ["nsenter", f"--net={self.router.path}", *command], capture_output=True
        ).returncode

    def _here(self, text: str) -> str:
        return text.replace(ROOT, str(self.folder))

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def up(self) -> list[str]:
        return self.router.call(lambda: tunnels.sites_up(self.folder))

    def close(self) -> None:
        if self._daemon is not None:
            self._daemon.terminate()
            self._daemon.wait(60)
        shutil.rmtree(self.folder)
        self.router.close()


def eventually(true: Callable[[], object], what: Callable[[], str]) -> None:
    end = time.monotonic() + 90
    while not true():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


@pytest.fixture
def sites() -> Iterator[tuple[Site, Site]]:
    lacking = missing()
    if lacking:
        pytest.skip(lacking)
    one, two = Site(1), Site(2)
    a, b = interface_name("02:00:00:00:01:01"), interface_name("02:00:00:00:01:02")
    one.router.run("ip", "link", "add", a, "address", "02:00:00:00:01:01", "type", "veth", "peer", "name", b,
                   "address", "02:00:00:00:01:02", "netns", two.router.path)  # fmt: skip
    one.router.run("ip", "link", "set", a, "up")
    yield one, two
    one.close()
    two.close()


def test_tiers_of_two_vpcs_reach_each_other_under_their_lists_and_nothing_goes_in_the_clear(
    sites: tuple[Site, Site],
) -> None:
    one, two = sites
    prober = Prober({"one": one.guest, "two": two.guest})
    wire = one.router.call(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)))
    wire.bind((interface_name("02:00:00:00:01:01"), 0x0800))
    wire.setblocking(False)
    allowed = Probe("one", "10.1.0.10", "10.2.0.10", "tcp", 80)
    echo = Probe("two", "10.2.0.10", "10.1.0.10", "icmp")
    denied = Probe("one", "10.1.0.10", "10.2.0.10", "tcp", 22)
    nothing = Outcome(frozenset(), False)
    try:
        two.configure(configuration(2, passive=True))
        one.configure(configuration(1, key="wrong"))
        eventually(lambda: "AUTH_FAILED" in one.log(), one.log)
        assert prober.send([allowed, echo, denied], 0.3) == [nothing] * 3
        assert one.up() == [] and two.up() == []
        one.configure(configuration(1))
        eventually(lambda: one.up() == ["site-1"] and two.up() == ["site-2"], lambda: one.log() + two.log())
        passed, answered, dropped = prober.send([allowed, echo, denied], 2.0)
        assert passed == Outcome(frozenset({Arrival("two", "10.1.0.10", "10.2.0.10", 80)}), True)
        assert answered == Outcome(frozenset({Arrival("one", "10.2.0.10", "10.1.0.10", -1)}), True)
        assert dropped == nothing
        assert not [packet for packet in heard(wire) if packet[12:13] == b"\x0a"], (
            "a private address was on the wire"
        )
    finally:
        wire.close()
        prober.close()


def heard(wire: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield wire.recv(2048)
        except BlockingIOError:
            return


def test_what_is_rendered_for_dialling_in_is_read_without_complaint(tmp_path: Path) -> None:
    if missing() or shutil.which("xl2tpd") is None:
        pytest.skip(missing() or "there is no xl2tpd")
    dial_in = VpnDialIn("203.0.113.1", KEY, "10.9.0.1", "10.9.0.2", "10.9.0.9", (("ann", "pass word"),))
    plan = render(replace(configuration(1), sites=(), dial_in=(dial_in,)))
    assert {service.name for service in plan.services} == {"ipsec", "l2tp"}
    assert plan.secret_files[f"{ROOT}/chap-secrets"] == '"ann" * "pass word" *\n'
    site = Site(1)
    try:
        site.router.run("ip", "link", "add", interface_name("02:00:00:00:01:01"), "type", "veth")
        site.configure(replace(configuration(1), dial_in=(dial_in,)))
        listed = site.router.call(lambda: tunnels.asked(site.folder, "--list-conns"))
        assert "l2tp-0 {" in listed and "TRANSPORT" in listed and "site-1 {" in listed
    finally:
        site.close()
        site.guest.close()


def test_a_key_with_a_control_character_is_refused() -> None:
    with pytest.raises(ValueError, match="control character"):
        render(configuration(1, key="a\nb"))
