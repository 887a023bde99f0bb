"""Interfaces by MAC address: their names, addresses and MTU, and announcing addresses that are new."""

from __future__ import annotations

import ipaddress
import socket
import struct
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from backends.systemvm.guest.commands import listed, run
from backends.systemvm.guest.errors import GuestError

PLUGGED_WITHIN = 10.0
"""Seconds within which a card that the host has just plugged in is to be seen."""
_NO_CARDS = ("lo", "ppp", "ip_vti", "ip6", "sit", "gre", "erspan", "tunl", "ipsec", "xfrm", "dummy", "ifb")


def name_of(mac: str) -> str:
    """What the interface with this MAC is called: as `backends.systemvm.plan.interface_name`, which the host has.

    >>> name_of("02:00:4C:00:00:0A")
    'n02004c00000a'
    """
    return "n" + mac.replace(":", "").lower()


def devices() -> list[tuple[int, str]]:
    """All devices as the kernel counts them: one that was taken out and put in again has another number."""
    return sorted(socket.if_nameindex())


def cards() -> dict[str, str]:
    """The machine's network cards: MAC address to the name it has now."""
    found = {}
    for entry in listed("link", "show"):
        name, mac = str(entry["ifname"]), str(entry.get("address", ""))
        if entry.get("link_type") == "ether" and not name.startswith(_NO_CARDS):
            found[mac.lower()] = name
    return found


def bring_about(interfaces: Iterable[dict[str, Any]], present: dict[str, str]) -> None:
    """Have these interfaces up and with just their addresses, and all other cards of `present` down and bare.

    Raises GuestError.
    """
    wanted = {str(each["mac"]).lower(): each for each in interfaces}
    state = {str(entry["ifname"]): entry for entry in listed("address", "show")}
    links = {str(entry["ifname"]): entry for entry in listed("link", "show")}
    for mac, interface in wanted.items():
        _bring_about(mac, interface, state.get(name_of(mac), {}), links.get(name_of(mac), {}))
    for mac, name in present.items():
        if mac not in wanted and (state.get(name, {}).get("addr_info") or "UP" in links.get(name, {}).get("flags", ())):
            run(["ip", "address", "flush", "dev", name])
            run(["ip", "link", "set", "dev", name, "down"])


def wait_for(interfaces: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Once these are all there: the machine's cards by MAC address, each under its name now. Raises GuestError."""
    wanted = {str(each["mac"]).lower() for each in interfaces}
    end = time.monotonic() + PLUGGED_WITHIN
    while missing := wanted - (found := cards()).keys():
        if time.monotonic() >= end:
            raise GuestError(f"there is no network card {', '.join(sorted(missing))}")
        time.sleep(0.1)
    for mac, name in found.items():
        if name != name_of(mac):
            run(["ip", "link", "set", "dev", name, "down"])
            run(["ip", "link", "set", "dev", name, "name", name_of(mac)])
            found[mac] = name_of(mac)
    return found


def _bring_about(mac: str, interface: dict[str, Any], state: dict[str, Any], link: dict[str, Any]) -> None:
    name, mtu = name_of(mac), int(interface.get("mtu") or 1500)
    given = [str(ipaddress.ip_interface(each)) for each in interface.get("addresses") or ()]
    addresses = [each for each in given if ":" not in each]
    has = [f"{each['local']}/{each['prefixlen']}" for each in state.get("addr_info", ()) if each["family"] == "inet"]
    too_much = [each for each in has if each not in addresses]
    if _in_other_order(has, addresses):
        too_much = has
    kept = [each for each in has if each not in too_much]
    orders = [f"address del {each} dev {name}" for each in too_much]
    orders += [f"address add {each} brd + dev {name}" for each in addresses if each not in kept]
    if link.get("mtu") != mtu:
        orders.insert(0, f"link set dev {name} mtu {mtu}")
    if "UP" not in link.get("flags", ()):
        # An address that goes takes those beside it along, unless they are to move up.
        with suppress(OSError):
            Path(f"/proc/sys/net/ipv4/conf/{name}/promote_secondaries").write_text("1")
        orders.append(f"link set dev {name} up")
    orders += _ipv6_orders(name, [each for each in given if ":" in each], state)
    if orders:
        run(["ip", "-batch", "-"], "\n".join(orders) + "\n")
    announce(name, mac, [each.split("/")[0] for each in addresses if each not in kept])


def _ipv6_orders(name: str, wanted: list[str], state: dict[str, Any]) -> list[str]:
    """Have these addresses beside the one of the link; nobody else is asked whether they are free."""
    has = {
        f"{each['local']}/{each['prefixlen']}"
        for each in state.get("addr_info", ())
        if each["family"] == "inet6" and each.get("scope") == "global"
    }
    orders = [f"address del {each} dev {name}" for each in sorted(has.difference(wanted))]
    return orders + [f"address add {each} dev {name} nodad" for each in wanted if each not in has]


def _in_other_order(has: list[str], wanted: list[str]) -> bool:
    """Whether what stays has another main address in some subnet, which only adding it first can change."""

    def first_of(addresses: list[str]) -> dict[ipaddress.IPv4Network, str]:
        found: dict[ipaddress.IPv4Network, str] = {}
        for each in addresses:
            found.setdefault(ipaddress.IPv4Interface(each).network, each)
        return found

    now, then = first_of(has), first_of(wanted)
    return any(now[subnet] != first for subnet, first in then.items() if subnet in now)


def announce(device: str, mac: str, addresses: Iterable[str]) -> None:
    """Tell the neighbours where these addresses are now (ARP announcement, RFC 5227 section 3)."""
    own, everyone = bytes.fromhex(mac.replace(":", "")), b"\xff" * 6
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw, suppress(OSError):
        raw.bind((device, 0x0806))
        for address in addresses:
            ip = socket.inet_aton(address)
            body = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, own, ip, b"\0" * 6, ip)
            raw.send((everyone + own + b"\x08\x06" + body).ljust(60, b"\0"))
