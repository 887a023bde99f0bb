"""A router's guest, in namespaces, with the real programs: what clients around it see of the plans that it is told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from backends.systemvm.plan import (
    BALANCER_SOCKET,
    LEASES,
    ROOT,
    CountedAddress,
    Interface,
    Metadata,
    MetadataGuest,
    Plan,
    PlannedRoute,
    PlannedRule,
    Service,
    interface_name,
)
from tests.backends.systemvm.guest import guest_world
from tests.backends.systemvm.guest.guest_world import Client, Guest, eventually

pytestmark = pytest.mark.skipif(guest_world.what_is_missing() is not None, reason=str(guest_world.what_is_missing()))

OUTSIDE, INSIDE, THIRD = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
PUBLIC = "198.51.100.10"
DNSMASQ, HAPROXY = f"{ROOT}/dnsmasq.conf", f"{ROOT}/haproxy.cfg"


def dnsmasq(hosts: str) -> dict[str, str]:
    lines = ["interface=" + interface_name(INSIDE), "bind-interfaces", "no-resolv", "no-hosts", "no-ping"]
    lines += ["dhcp-range=10.1.1.0,static", f"dhcp-leasefile={LEASES}", "dhcp-authoritative", "domain=cs.local"]
    lines += ["dhcp-option=option:router,10.1.1.1", f"dhcp-hostsfile={ROOT}/hosts", f"addn-hosts={ROOT}/names"]
    return {DNSMASQ: "\n".join(lines) + "\n", f"{ROOT}/hosts": hosts, f"{ROOT}/names": "10.1.1.20 web.cs.local web\n"}


def haproxy(servers: str) -> dict[str, str]:
    lines = ["global", f"  stats socket {BALANCER_SOCKET} mode 600 level admin expose-fd listeners", "defaults"]
    lines += ["  mode tcp", "  timeout connect 2s", "  timeout client 30s", "  timeout server 30s"]
    lines += ["listen shop", f"  bind {PUBLIC}:8000", servers]
    return {HAPROXY: "\n".join(lines) + "\n"}


def rules(forwards: str = "", dropped: str = "") -> str:
    nat = f"  chain entering {{\n    type nat hook prerouting priority dstnat;\n    {forwards}\n  }}\n"
    seen_as = f"oifname {interface_name(OUTSIDE)} snat to {PUBLIC}"
    nat += f"  chain leaving {{\n    type nat hook postrouting priority srcnat;\n    {seen_as}\n  }}\n"
    passing = "    type filter hook forward priority filter; policy accept;\n    ct state established,related accept\n"
    nat += f"  chain passing {{\n{passing}    {dropped}\n  }}\n"
    return f"table ip router\ndelete table ip router\ntable ip router {{\n{nat}}}\n"


def service(name: str, *command: str, **more: Any) -> Service:
    return Service(name, command, **more)


PROGRAMS = (
    service(
        "dnsmasq", "dnsmasq", "--keep-in-foreground", "--user=root", f"--conf-file={DNSMASQ}",
        reload="HUP", reload_on=(f"{ROOT}/hosts", f"{ROOT}/names"), restart_on=(DNSMASQ,),
        check=("dnsmasq", "--test", f"--conf-file={DNSMASQ}"),
    ),
    service(
        "haproxy", "haproxy", "-W", "-f", HAPROXY, reload="USR2", reload_on=(HAPROXY,),
        check=("haproxy", "-c", "-f", HAPROXY),
    ),
)  # fmt: skip
SERVERS = "  server one 10.1.1.20:80 check inter 200\n  server two 10.1.1.21:80 check inter 200"


class World:
    """A router between a client outside and one inside, which is 10.1.1.20."""

    def __init__(self, folder: Path, supervised: bool = False) -> None:
        self.guest, self.outside, self.inside = Guest(folder, supervised), Client(), Client()
        self.folder = folder
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> None:
        self.guest.plugged(OUTSIDE, self.outside, "eth0", "198.51.100.1/24")
        self.guest.plugged(INSIDE, self.inside, "eth0")
        self.inside.run("ip", "link", "set", "dev", "eth0", "address", "02:00:00:00:01:14")
        self.plan = Plan(
            number=1,
            hostname="r-1-VM",
            role="router",
            interfaces=(Interface(OUTSIDE, (f"{PUBLIC}/24",)), Interface(INSIDE, ("10.1.1.1/24",))),
            routes=(PlannedRoute("0.0.0.0/0", "198.51.100.1", OUTSIDE),),
            sysctls={"net.ipv4.ip_forward": "1"},
            nft=rules(),
            counted=(CountedAddress(PUBLIC, OUTSIDE),),
            files={**dnsmasq("02:00:00:00:01:14,10.1.1.20,web\n"), **haproxy(SERVERS)},
            services=PROGRAMS,
            metadata=Metadata(
                ("10.1.1.1",), (MetadataGuest("10.1.1.20", "aGVsbG8=", {"vm-id": "v1", "local-ipv4": "10.1.1.20"}, "s3"),)
            ),
        )

    def apply(self, **changes: Any) -> None:
        self.plan = replace(self.plan, number=self.plan.number + 1, **changes)
        assert self.guest.apply(self.plan) is None

    def address_inside(self) -> None:
        self.inside.run("ip", "address", "replace", "10.1.1.20/24", "dev", "eth0")
        self.inside.run("ip", "route", "replace", "default", "via", "10.1.1.1")

    def close(self) -> None:
        for space in (self.guest, self.outside, self.inside):
            space.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("guest"))
    yield world
    world.close()


@pytest.fixture
def world(shared: World) -> World:
    """The router as it is at first, whatever a test before did to it."""
    shared.plan = replace(
        shared.plan,
        interfaces=(Interface(OUTSIDE, (f"{PUBLIC}/24",)), Interface(INSIDE, ("10.1.1.1/24",))),
        nft=rules(),
        files={**dnsmasq("02:00:00:00:01:14,10.1.1.20,web\n"), **haproxy(SERVERS)},
        services=PROGRAMS,
        rules=(),
        routes=(PlannedRoute("0.0.0.0/0", "198.51.100.1", OUTSIDE),),
    )
    shared.apply()
    return shared


def said(connection: socket.socket) -> bytes:
    connection.sendall(b"hello")
    return connection.recv(100)


def test_a_client_gets_its_address_and_finds_names(world: World) -> None:
    lease = world.inside.lease("eth0", world.folder)
    assert (lease["ip"], lease["router"], lease["hostname"]) == ("10.1.1.20", "10.1.1.1", "web")
    assert "10.1.1.20" in world.inside.run("busybox", "nslookup", "web.cs.local", "10.1.1.1", check=False)
    assert ["02:00:00:00:01:14", "10.1.1.20"] in world.guest.ask("RouterStatistics")["leases"]


def test_leases_survive_a_restart_of_the_dhcp_server(world: World) -> None:
    assert world.inside.lease("eth0", world.folder)["ip"] == "10.1.1.20"
    files = {**world.plan.files, DNSMASQ: world.plan.files[DNSMASQ] + "dhcp-option=option:mtu,1400\n"}
    world.apply(files=files)
    assert ["02:00:00:00:01:14", "10.1.1.20"] in world.guest.ask("RouterStatistics")["leases"]
    assert world.inside.lease("eth0", world.folder)["mtu"] == "1400"


def test_an_instance_is_told_about_itself_and_its_password_once(world: World) -> None:
    world.address_inside()
    assert world.inside.get("http://10.1.1.1/latest/user-data") == (200, "hello")
    assert world.inside.get("http://10.1.1.1/latest/meta-data/local-ipv4") == (200, "10.1.1.20")
    ask = [("DomU_Request", "send_my_password")]
    assert world.inside.get("http://10.1.1.1:8080/", ask) == (200, "s3")
    assert world.inside.get("http://10.1.1.1:8080/", [("DomU_Request", "saved_password")]) == (200, "saved_password")
    world.apply()  # with the password in it still
    assert world.inside.get("http://10.1.1.1:8080/", ask) == (200, "saved_password")


def test_the_load_balancer_tells_who_is_up_and_keeps_connections_when_its_servers_change(world: World) -> None:
    world.address_inside()
    world.inside.serve(80, b"one")

    def states() -> tuple[list[list[str]], list[list[str]]]:
        told = world.guest.ask("RouterStatistics")
        return told["members_up"], told["members_down"]

    eventually(lambda: states() == ([["shop", "one"]], [["shop", "two"]]))
    with world.outside.connect(PUBLIC, 8000) as kept:
        assert said(kept) == b"one"
        world.apply(files={**world.plan.files, **haproxy("  server one 10.1.1.20:80 check inter 200")})
        eventually(lambda: states() == ([["shop", "one"]], []))
        assert said(kept) == b"one"
        with world.outside.connect(PUBLIC, 8000) as another:
            assert said(another) == b"one"


def test_rules_are_replaced_whole_and_connections_through_the_router_live_on(world: World) -> None:
    world.address_inside()
    world.inside.serve(81, b"inside")
    world.apply(nft=rules(f"ip daddr {PUBLIC} tcp dport 2222 dnat to 10.1.1.20:81"))
    with world.outside.connect(PUBLIC, 2222) as kept:
        assert said(kept) == b"inside"
        before = world.guest.ask("RouterStatistics")["traffic"]
        world.apply(nft=rules(dropped="drop"))
        with pytest.raises(OSError):
            world.outside.connect(PUBLIC, 2222, 0.5)
        assert said(kept) == b"inside"
    (after,) = world.guest.ask("RouterStatistics")["traffic"]
    assert before[0]["ip"] == after["ip"] == PUBLIC
    assert after["sent"] > before[0]["sent"] > 0 and after["received"] > before[0]["received"] > 0


def test_what_a_program_refuses_changes_nothing(world: World) -> None:
    files = {**world.plan.files, HAPROXY: "nonsense\n", f"{ROOT}/new": "x"}
    wrong = replace(world.plan, number=world.plan.number + 1, files=files)
    assert "service haproxy: haproxy: " in str(world.guest.apply(wrong))
    wrong = replace(world.plan, number=world.plan.number + 1, nft="table ip router {\n  no such thing\n}\n")
    assert str(world.guest.apply(wrong)).startswith("nft: ")
    assert world.guest.ask("RouterStatistics")["number"] == world.plan.number
    checks = {check["name"]: check["success"] for check in world.guest.ask("CheckHealth")["checks"]}
    assert checks["service.haproxy"] and checks["packet.filter"]
    world.apply()


@pytest.mark.parametrize("path", ["/etc/passwd", f"{ROOT}/../../etc/x", "relative", ROOT])
def test_no_file_of_a_plan_is_outside_of_its_folder(world: World, path: str) -> None:
    wrong = replace(world.plan, number=world.plan.number + 1, files={path: "x"})
    assert world.guest.apply(wrong) == f"file {path} is not below {ROOT}"


def test_an_older_plan_is_refused(world: World) -> None:
    older = replace(world.plan, number=world.plan.number - 1)
    assert world.guest.apply(older) == (
        f"configuration {older.number} is older than that in force, {world.plan.number}"
    )
    assert world.guest.apply(world.plan) is None


def test_addresses_routes_and_rules_become_what_the_plan_says(world: World) -> None:
    def addresses(mac: str) -> list[str]:
        shown = json.loads(world.guest.run("ip", "-j", "-4", "address", "show", "dev", interface_name(mac)))
        return [f"{each['local']}/{each['prefixlen']}" for entry in shown for each in entry.get("addr_info", ())]

    more = ("198.51.100.12/24", f"{PUBLIC}/24", "203.0.113.7/32")
    routes = (
        PlannedRoute("0.0.0.0/0", "198.51.100.1", OUTSIDE),
        PlannedRoute("10.9.0.0/16", "10.1.1.20"),
        PlannedRoute("0.0.0.0/0", "203.0.113.1", OUTSIDE, table=7, source="203.0.113.7"),
    )
    world.apply(
        interfaces=(Interface(OUTSIDE, more, 1400), Interface(INSIDE, ("10.1.1.1/24",))),
        routes=routes,
        rules=(PlannedRule(1000, 7, source="203.0.113.7/32"), PlannedRule(1001, 7, mark=3, mac=INSIDE)),
    )
    assert sorted(addresses(OUTSIDE)) == sorted(more) and addresses(OUTSIDE)[0] == "198.51.100.12/24"
    assert "via 10.1.1.20" in world.guest.run("ip", "route", "get", "10.9.0.1")
    assert "src 203.0.113.7" in world.guest.run("ip", "route", "show", "table", "7")
    assert "mtu 1400" in world.guest.run("ip", "link", "show", "dev", interface_name(OUTSIDE))
    shown = world.guest.run("ip", "rule", "show")
    assert "1000:\tfrom 203.0.113.7 lookup 7" in shown and "1001:\tfrom all fwmark 0x3 iif" in shown
    world.apply(
        interfaces=(Interface(OUTSIDE, (f"{PUBLIC}/24",)), Interface(INSIDE, ("10.1.1.1/24",))),
        routes=(PlannedRoute("0.0.0.0/0", "198.51.100.1", OUTSIDE),),
        rules=(),
    )
    assert addresses(OUTSIDE) == [f"{PUBLIC}/24"]
    assert "lookup 7" not in world.guest.run("ip", "rule", "show")
    assert "unreachable" in world.guest.run("ip", "route", "get", "10.9.0.1", check=False) or (
        "via 198.51.100.1" in world.guest.run("ip", "route", "get", "10.9.0.1")
    )


def test_a_card_that_is_plugged_in_later_is_found_and_one_that_no_plan_names_is_down(world: World) -> None:
    third = Client()
    try:
        wrong = replace(world.plan, number=world.plan.number + 1, interfaces=(Interface(THIRD, ("10.1.2.1/24",)),))
        world.guest.plugged(THIRD, third, "eth0", "10.1.2.2/24")
        assert world.guest.apply(replace(wrong, interfaces=(*world.plan.interfaces, *wrong.interfaces))) is None
        world.plan = replace(world.plan, number=wrong.number)
        assert "1 received" in third.run("ping", "-c", "1", "-W", "2", "10.1.2.1")
        world.apply()
        assert "state DOWN" in world.guest.run("ip", "link", "show", "dev", interface_name(THIRD))
        assert "10.1.2.1" not in world.guest.run("ip", "-4", "address")
    finally:
        third.close()


def test_a_program_that_dies_is_started_again(world: World) -> None:
    def pid() -> str:
        return world.guest.run("pgrep", "--ns", str(world.guest.pid), "--nslist", "net", "-x", "dnsmasq", check=False).strip()

    old = pid()
    os.kill(int(old), signal.SIGKILL)
    eventually(lambda: pid() not in ("", old))
    checks = {check["name"]: check["success"] for check in world.guest.ask("CheckHealth")["checks"]}
    assert checks["service.dnsmasq"]


def test_half_lines_and_nonsense_on_the_channel_disturb_nobody(world: World) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as broken:
        broken.connect(str(world.guest.socket))
        broken.sendall(b'{"type": "Pi')
        assert world.guest.ask("Ping")["role"] == "router"
        broken.sendall(b'\n[1]\nnonsense\n{"type": "Nothing", "id": 7}\n{"type": "Ping", "id": 8}\n')
        with broken.makefile() as lines:
            replies = {reply["id"]: reply for reply in (json.loads(next(l for l in lines if l.strip())) for _ in (1, 2))}
    assert replies[7] == {"type": "Done", "error": "'Nothing' is no request", "id": 7}
    assert replies[8]["type"] == "Pong"


def test_diagnostics_run_tools_and_nothing_else(world: World) -> None:
    world.address_inside()
    done = world.guest.ask("RunDiagnostics", tool="ping", address="10.1.1.20", parameters=["-c", "1"])
    assert done["exit_code"] == 0 and "1 received" in done["stdout"]
    missing = world.guest.ask("RunDiagnostics", tool="ping", address="10.1.1.77", parameters=["-c", "1", "-W", "1"])
    assert missing["exit_code"] == 1
    for tool, address, parameters in (("sh", "x", []), ("ping", "-f", []), ("ping", "10.1.1.20", ["-c", "1;reboot"])):
        assert world.guest.ask("RunDiagnostics", tool=tool, address=address, parameters=parameters)["error"]


def test_requests_for_a_service_that_does_not_run_say_so(world: World) -> None:
    assert "consoleproxy does not answer" in world.guest.ask("ConsoleSessions")["error"]


def test_an_agent_that_is_started_again_goes_on_with_what_it_was_told(tmp_path: Path) -> None:
    world = World(tmp_path, supervised=True)

    def processes(name: str) -> list[str]:
        inside = ("pgrep", "--ns", str(world.guest.pid), "--nslist", "pid", "-f", name)
        return subprocess.run(inside, capture_output=True, text=True).stdout.split()

    try:
        assert world.guest.apply(world.plan) is None
        assert world.inside.lease("eth0", tmp_path)["ip"] == "10.1.1.20"
        world.address_inside()
        world.inside.serve(81, b"inside")
        world.apply(nft=rules(f"ip daddr {PUBLIC} tcp dport 2222 dnat to 10.1.1.20:81"))
        servers, agents = processes("^dnsmasq"), processes("backends.systemvm.guest --version")
        assert len(agents) > 1
        with world.outside.connect(PUBLIC, 2222) as kept:
            assert said(kept) == b"inside"
            for agent in agents:
                if agent != str(world.guest.pid):
                    os.kill(int(agent), signal.SIGKILL)
            eventually(lambda: world.guest.ask("Ping")["role"] == "router")
            assert said(kept) == b"inside"
        told = world.guest.ask("RouterStatistics")
        assert told["number"] == world.plan.number and told["leases"] == [["02:00:00:00:01:14", "10.1.1.20"]]
        eventually(lambda: len(processes("^dnsmasq")) == 1 and processes("^dnsmasq") != servers)
        world.apply()
    finally:
        world.close()


def test_with_its_first_process_the_whole_router_is_gone(tmp_path: Path) -> None:
    world = World(tmp_path)
    try:
        assert world.guest.apply(world.plan) is None
        group = str(world.guest.pid)
        assert subprocess.run(["pgrep", "--ns", group, "haproxy"], capture_output=True).returncode == 0
        namespace = os.readlink(f"/proc/{group}/ns/pid")
        world.guest.holder.kill()

        def left() -> list[str]:
            found = []
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    if os.readlink(process / "ns" / "pid") == namespace and "State:\tZ" not in (process / "status").read_text():
                        found.append(process.name)
                except OSError:
                    continue
            return found

        eventually(lambda: not left())
    finally:
        world.close()
