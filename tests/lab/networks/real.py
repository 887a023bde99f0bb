"""The matrix's world on real hosts: guests are asked by ssh from a corner of their network, and the machine is outside."""

from __future__ import annotations

import contextlib
import http.server
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from backends.lab.errors import LabError
from backends.lab.state import gateway_of
from tests.lab.lab_cloud import KEY, WITHIN, LabCloud, eventually
from tests.lab.networks.matrix import OUTSIDE

PUBLIC_6 = "2001:db8:0:1::/64"
CORNER = "corner"
"""The namespace on a host from which its guests are asked, and its link."""
GUEST_UP_WITHIN = 400.0
BALANCED_WITHIN = 180.0
REACHED_WITHIN = 90.0
"""What has been changed is so at once, but a packet may be lost, or late on a machine with other work."""


class OpenPort(NamedTuple):
    """A port of a public address that somebody outside should reach."""

    ip: str
    port: int
    vpc: bool


class RealWorld:
    """Implements `matrix.World` on a lab with routers and two hosts."""

    def __init__(self, cloud: LabCloud) -> None:
        self.cloud = cloud
        self._vms: dict[str, dict[str, Any]] = {}
        self._corners: dict[tuple[str, str], str] = {}
        self._networks: dict[str, dict[str, Any]] = {}
        self._servers: list[subprocess.Popen[bytes]] = []
        self._offering = self._without_high_availability()
        for port in (80, 8081):
            self._serve(port)

    def _without_high_availability(self) -> str:
        """The id of an offering whose dead stay dead: with the lab's own, `kill` is a race against their restart."""
        made = self.cloud.cs.createServiceOffering(
            name="mortal", displaytext="tiny, without HA", cpunumber=1, cpuspeed=500, memory=128, offerha=False
        )
        return str(made["serviceoffering"]["id"])

    def close(self) -> None:
        for server in self._servers:
            server.kill()
            server.wait()

    def _serve(self, port: int) -> None:
        argv = [sys.executable, "-m", "http.server", "--bind", self.outside_ip(), str(port)]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        folder = self.cloud.lab.folder / "outside"
        folder.mkdir(exist_ok=True)
        self._servers.append(subprocess.Popen(argv, cwd=folder, **quiet))  # type: ignore[call-overload]

    # what the matrix asks

    def zone_id(self) -> str:
        return str(self.cloud.zone)

    def pause(self) -> None:
        """Not needed: `reaches` asks again."""

    def spare_vlan(self) -> str:
        return "6001"

    def outside_ip(self) -> str:
        return str(gateway_of(self.cloud.lab.public_network))

    def call(self, command: str, **parameters: Any) -> dict[str, Any]:
        return dict(getattr(self.cloud.cs, command)(**parameters, fetch_result=True))

    def deploy(self, name: str, networks: list[str], host: int, **more: Any) -> dict[str, Any]:
        hosts = self.cloud.hosts()
        wanted = hosts[sorted(hosts)[host]]["id"]
        vm = self.cloud.job(
            "deployVirtualMachine",
            name=name,
            zoneid=self.cloud.zone,
            templateid=self.cloud.template,
            serviceofferingid=self._offering,
            networkids=networks,
            keypair=KEY,
            hostid=wanted,
            **more,
        )["virtualmachine"]
        self._vms[name] = vm
        self.shell(name, "true", GUEST_UP_WITHIN)
        return dict(vm)

    def reaches(self, source: str, destination: str, protocol: str, port: int, expected: bool) -> bool:
        with contextlib.suppress(AssertionError):
            eventually(
                f"{source} to {destination}: {expected}",
                lambda: self._reaches(source, destination, protocol, port) == expected,
                REACHED_WITHIN,
                1.0,
            )
            return expected
        return not expected

    def _reaches(self, source: str, destination: str, protocol: str, port: int) -> bool:
        if source == OUTSIDE:
            return _answers(destination, port)
        if protocol == "icmp":
            kind = "-6 " if ":" in destination else ""
            return self._succeeds(source, f"ping {kind}-c 1 -W 3 {destination}")
        asked = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 8 nc -w 4 {destination} {port} | head -c 1"
        return self._succeeds(source, f'[ "$({asked})" ]')

    def _succeeds(self, instance: str, command: str) -> bool:
        return self.shell(instance, f"if {command} >/dev/null 2>&1; then echo yes; else echo no; fi") == "yes"

    def address_of(self, instance: str) -> str | None:
        shown = self.shell(instance, "ip -4 -o addr show dev eth0")
        return shown.split("inet ")[1].split("/")[0] if "inet " in shown else None

    def ip6_of(self, instance: str) -> str | None:
        """Once it has one: a guest asks for what is advertised some moments after it is up."""

        def made() -> str | None:
            shown = self.shell(instance, "ip -6 -o addr show dev eth0 scope global")
            return shown.split("inet6 ")[1].split("/")[0] if "inet6 " in shown else None

        return eventually(f"{instance} has an IPv6 address", made, pause=1.0)

    def public_ipv6(self) -> dict[str, Any]:
        """The machine has the gateway's address on its link to the public network."""
        link, gateway = self.cloud.lab.names.public_link, "2001:db8:0:1::1"
        subprocess.run(["sysctl", "-qw", f"net.ipv6.conf.{link}.disable_ipv6=0"], check=True)
        subprocess.run(["ip", "address", "add", f"{gateway}/64", "dev", link, "nodad"], check=True)
        return {"ip6gateway": gateway, "ip6cidr": PUBLIC_6, "vlan": "untagged"}

    def add_route(self, subnet: str, gateway: str) -> None:
        link = self.cloud.lab.names.public_link
        subprocess.run(["ip", "route", "replace", subnet, "via", gateway, "dev", link], check=True)

    def resolves(self, instance: str, name: str) -> str | None:
        def found() -> str | None:
            shown = self.shell(instance, f"ping -c 1 -W 1 {name} || true")
            return shown.split("(")[1].split(")")[0] if "(" in shown else None

        return eventually(f"{instance} resolves {name}", found, REACHED_WITHIN, 1.0)

    def metadata(self, instance: str, path: str) -> str | None:
        gateway = self._vms[instance]["nic"][0]["gateway"]
        item = path if path == "user-data" else f"meta-data/{path}"
        got = self.shell(instance, f"timeout 10 wget -q -O - http://{gateway}/latest/{item}")
        return f"{got}\n" if path == "user-data" else got

    def password(self, instance: str) -> str | None:
        """The one that the API answered, if the guest has set it."""
        said = str(self._vms[instance]["password"])
        shadow = self.shell(instance, "grep ^root: /etc/shadow").split(":")[1]
        salt = shadow.split("$")[2]
        made = self.shell(instance, f"echo {said} | busybox mkpasswd -P 0 -m sha512 -S {salt}")
        return said if made == shadow else None

    def answering(self, destination: str, port: int) -> set[str]:
        """Once every request is answered: a balancer takes a moment to notice who is dead."""
        last: set[str] = set()

        def all_answered() -> bool:
            nonlocal last
            pages = [_page(destination, port) for _ in range(8)]
            last = {page for page in pages if page}
            return all(pages)

        with contextlib.suppress(AssertionError):
            eventually(f"answers of {destination}:{port}", all_answered, BALANCED_WITHIN, 1.0)
        return last

    def kill(self, instance: str) -> None:
        vm = self.cloud.vm(self._vms[instance]["id"])
        host = self.cloud.host(vm["hostname"])
        subprocess.run(["kill", "-9", str(host.qemus()[vm["instancename"]])], check=True)
        eventually(f"{instance} is gone", lambda: vm["instancename"] not in host.qemus())

    # what dies, and what comes slowly

    def open_ports(self) -> list[OpenPort]:
        """The ports of public addresses that are forwarded, or by static NAT open, to an instance that runs."""
        cs = self.cloud.cs
        running = {vm["id"] for vm in self.cloud.vms() if vm["state"] == "Running"}
        found = []
        for ip in cs.listPublicIpAddresses(listall=True, allocatedonly=True)["publicipaddress"]:
            for rule in cs.listPortForwardingRules(ipaddressid=ip["id"], listall=True).get("portforwardingrule", []):
                if ip.get("vpcid") and rule["virtualmachineid"] in running:
                    found.append(OpenPort(ip["ipaddress"], int(rule["publicport"]), True))
            if ip.get("isstaticnat") and ip.get("virtualmachineid") in running:
                found.append(OpenPort(ip["ipaddress"], 80, bool(ip.get("vpcid"))))
        return found

    def router_process(self, router: dict[str, Any]) -> str | None:
        """What runs the router, wherever it is now: the host and the process of its machine, or the first in its namespace."""
        for host in self.cloud.lab.hosts:
            machine = host.qemus().get(router["name"])
            if machine is not None:
                return f"{host.name} {machine}"
            first = host.folder.agent / "namespaces" / router["name"] / "process"
            if first.exists():
                return f"{host.name} {first.read_text().split()[0]}"
        return None

    def kill_router(self, router: dict[str, Any]) -> None:
        """End the router's machine, or its namespace's first process and with it all others, at once."""
        host = self.cloud.host(router["hostname"])
        machine = host.qemus().get(router["name"])
        if machine is not None:
            subprocess.run(["kill", "-9", str(machine)], check=True)
            return
        first = (host.folder.agent / "namespaces" / router["name"] / "process").read_text().split()[0]
        host.exec(["kill", "-9", first])

    @contextlib.contextmanager
    def slow_file(self, mib: int, seconds: float) -> Iterator[str]:
        """The URL of a disk image that takes that long to come, from the middle on if that is asked for."""
        file = self.cloud.lab.folder / "outside" / "slow.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=full", str(file), f"{mib}M"], check=True)
        content = file.read_bytes()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._head(0)

            def do_GET(self) -> None:
                asked = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0]
                at = self._head(int(asked or 0))
                chunk = max(1, len(content) // 200)
                with contextlib.suppress(OSError):
                    while at < len(content):
                        self.wfile.write(content[at : at + chunk])
                        at += chunk
                        time.sleep(seconds / 200)

            def _head(self, at: int) -> int:
                self.send_response(206 if at else 200)
                self.send_header("Content-Length", str(len(content) - at))
                self.send_header("Accept-Ranges", "bytes")
                if at:
                    self.send_header("Content-Range", f"bytes {at}-{len(content) - 1}/{len(content)}")
                self.end_headers()
                return at

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer((self.outside_ip(), 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{self.outside_ip()}:{server.server_port}/slow.qcow2"
        finally:
            server.shutdown()
            server.server_close()

    # in the guests

    def shell(self, instance: str, command: str, within: float = WITHIN) -> str:
        """What a command prints in the guest, as root."""
        vm = self.cloud.vm(self._vms[instance]["id"])
        nic = vm["nic"][0]
        space = self._corner(vm["hostname"], nic)
        argv = ["ip", "netns", "exec", space, "ssh", "-i", str(self.cloud.key)]
        for option in (
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "ConnectTimeout=30",
        ):
            argv += ["-o", option]
        argv += [f"root@{nic['ipaddress']}", command]
        last = ""

        def done() -> str | None:
            nonlocal last
            try:
                return self.cloud.host(vm["hostname"]).exec(argv, timeout=60.0).stdout + "\n"
            except LabError as error:
                last = str(error)
                return None

        try:
            return eventually(f"{instance}: {command}", done, within, 0.5).rstrip("\n")
        except AssertionError as error:
            raise AssertionError(f"{error}: {last}") from None

    def _corner(self, host: str, nic: dict[str, Any]) -> str:
        """A namespace of the host with a link into the bridge of the guest's network, at an address nobody has."""
        key = (host, nic["networkid"])
        if key not in self._corners:
            number = len(self._corners)
            bridge, space, link = self._bridge(nic["networkid"]), f"{CORNER}{number}", f"{CORNER}{number}"
            address = nic["gateway"].rpartition(".")[0] + f".{240 + number}/24"
            script = (
                f"ip netns add {space} && ip link add {link} type veth peer name {link}p && "
                f"ip link set {link}p netns {space} && ip link set {link} master {bridge} up && "
                f"ip -n {space} addr add {address} dev {link}p && ip -n {space} link set {link}p up && "
                f"ip -n {space} link set lo up"
            )
            self.cloud.host(host).exec(["sh", "-c", script])
            self._corners[key] = space
        return self._corners[key]

    def _bridge(self, network_id: str) -> str:
        network = self.cloud.cs.listNetworks(id=network_id, listall=True)["network"][0]
        return f"brvx-{network['vlan']}"


def _answers(destination: str, port: int) -> bool:
    try:
        with socket.create_connection((destination, port), timeout=4.0) as connection:
            connection.settimeout(4.0)
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return bool(connection.recv(1))
    except OSError:
        return False


def _page(destination: str, port: int) -> str | None:
    """The name in the page's title."""
    try:
        with socket.create_connection((destination, port), timeout=4.0) as connection:
            connection.settimeout(6.0)
            connection.sendall(b"GET /cgi-bin/index.cgi HTTP/1.0\r\n\r\n")
            got = b""
            while part := connection.recv(4096):
                got += part
    except OSError:
        return None
    text = got.decode(errors="replace")
    return text.split("<title>")[1].split("</title>")[0] if "<title>" in text else None


def real_world(cloud: LabCloud) -> Iterator[RealWorld]:
    """What a fixture yields; it is closed afterwards."""
    world = RealWorld(cloud)
    try:
        yield world
    finally:
        world.close()


