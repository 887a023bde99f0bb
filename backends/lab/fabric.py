"""The switches between the hosts of a lab: a management network and a public one. The machine is on both."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Network, ip_network
from pathlib import Path

from backends.lab.errors import LabError
from backends.lab.names import Names, port
from backends.lab.running import run, script
from backends.lab.state import gateway_of

NETNS = Path("/run/netns")
SWITCHES = ("mgmt", "pub")
_NETWORKS = ip_network("10.99.0.0/16")
_PUBLIC_NETWORKS = ip_network("10.98.0.0/16")


class Fabric:
    """`network` is the management network."""

    def __init__(self, names: Names, network: IPv4Network) -> None:
        self.names = names
        self.network = network

    def up(self) -> None:
        address = f"{gateway_of(self.network)}/{self.network.prefixlen}"
        public = public_network(self.network)
        outside = [self.names.public_link, f"{gateway_of(public)}/{public.prefixlen}"]
        argv = [*script("fabric-up.sh"), self.names.fabric, self.names.root_link, address, *outside]
        run("making the switches", argv)

    def plug_host(self, number: int, name: str, mac: str, address: str) -> None:
        """Make the host's network namespace, with its cables plugged in."""
        argv = [self.names.host(number), self.names.fabric, name, mac, f"{address}/{self.network.prefixlen}"]
        run(f"plugging in {name}", [*script("host-network.sh"), *argv])

    def unplug_host(self, number: int) -> None:
        """Take the host's network namespace and cables away. What is gone already is fine."""
        for switch in SWITCHES:
            _tolerant(["ip", "-n", self.names.fabric, "link", "delete", port(number, switch)])
        remove_namespace(self.names.host(number))

    def set_port(self, number: int, *, up: bool) -> None:
        """Cut the host's cables at the switch, or mend them."""
        for switch in SWITCHES:
            argv = ["ip", "-n", self.names.fabric, "link", "set", port(number, switch), "up" if up else "down"]
            run(f"setting the port {port(number, switch)}", argv)

    def is_port_up(self, number: int) -> bool:
        shown = run(
            f"asking for the port {port(number, SWITCHES[0])}",
            ["ip", "-n", self.names.fabric, "-json", "link", "show", port(number, SWITCHES[0])],
        )
        return "UP" in json.loads(shown.stdout)[0]["flags"]


def free_network(taken: Iterable[str]) -> IPv4Network:
    """The first 10.99.x.0/24 that overlaps none of `taken` (networks or addresses). Raises LabError if there is none."""
    found = [ip_network(text, strict=False) for text in taken]
    for network in _NETWORKS.subnets(new_prefix=24):
        assert isinstance(network, IPv4Network)
        if not any(network.overlaps(one) or public_network(network).overlaps(one) for one in found):
            return network
    raise LabError(f"there is no free network for a lab in {_NETWORKS}")


def public_network(network: IPv4Network) -> IPv4Network:
    """That of the lab with this management network.

    >>> public_network(IPv4Network("10.99.7.0/24"))
    IPv4Network('10.98.7.0/24')
    """
    offset = int(network.network_address) - int(_NETWORKS.network_address)
    return IPv4Network((int(_PUBLIC_NETWORKS.network_address) + offset, network.prefixlen))


def networks_in_use() -> list[str]:
    """Where the machine has routes to; its default route does not count."""
    shown = run("asking for the machine's routes", ["ip", "-4", "-json", "route", "show", "table", "all"])
    return [route["dst"] for route in json.loads(shown.stdout) if route["dst"] != "default"]


def namespaces() -> dict[str, int]:
    """The named network namespaces of the machine and their inodes."""
    found = {}
    if NETNS.is_dir():
        for entry in sorted(NETNS.iterdir()):
            try:
                found[entry.name] = entry.stat().st_ino
            except OSError:
                continue
    return found


def remove_namespace(name: str) -> None:
    """With all devices in it: a copy of the machine's mounts, which others may have, can keep a namespace alive."""
    if (NETNS / name).exists():
        for device in _devices(name):
            _tolerant(["ip", "-n", name, "link", "delete", device])
        _tolerant(["ip", "netns", "delete", name])


def _devices(namespace: str) -> list[str]:
    argv = ["ip", "-n", namespace, "-json", "link"]
    shown = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    found = json.loads(shown.stdout) if shown.returncode == 0 and shown.stdout.strip() else []
    return [device["ifname"] for device in found if device["ifname"] != "lo"]


def link_exists(name: str) -> bool:
    return Path("/sys/class/net", name).exists()


def remove_link(name: str) -> None:
    _tolerant(["ip", "link", "delete", name])


def _tolerant(argv: list[str]) -> None:
    """Removes what may be gone, or go by itself a moment later; whether all is gone is asked for at the end."""
    subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
