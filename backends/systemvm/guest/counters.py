"""How many bytes went through each public address: counted in a table of its own, which a plan's rules do not touch.

What leaves is counted after its source was translated, what comes in before its destination is, so that both
carry the public address.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from backends.systemvm.guest.commands import run, tried
from backends.systemvm.guest.interfaces import name_of

TABLE = "ip systemvm_traffic"
_MAKE = f"""
table {TABLE} {{
 map sent {{
  type ifname . ipv4_addr : counter
 }}
 map received {{
  type ifname . ipv4_addr : counter
 }}
 chain leaving {{
  type filter hook postrouting priority 200; policy accept;
  counter name oifname . ip saddr map @sent
 }}
 chain coming {{
  type filter hook prerouting priority -300; policy accept;
  counter name iifname . ip daddr map @received
 }}
}}
"""

Place = tuple[str, str]
"""Device and address."""


def bring_about(counted: Iterable[dict[str, Any]]) -> None:
    """Count for these addresses and no others; those counted already go on from where they are. Raises GuestError."""
    wanted = {(name_of(each["mac"]), str(each["ip"])) for each in counted}
    present = _present()
    orders = []
    for device, ip in sorted(wanted - present):
        for way in ("sent", "received"):
            orders.append(f"add counter {TABLE} {_name(way, device, ip)}")
            orders.append(f'add element {TABLE} {way} {{ "{device}" . {ip} : "{_name(way, device, ip)}" }}')
    for device, ip in sorted(present - wanted):
        for way in ("sent", "received"):
            orders.append(f'delete element {TABLE} {way} {{ "{device}" . {ip} }}')
            orders.append(f"delete counter {TABLE} {_name(way, device, ip)}")
    if orders:
        make = "" if _exists() else _MAKE
        run(["nft", "-f", "-"], make + "\n".join(orders) + "\n")


def traffic() -> list[dict[str, Any]]:
    """As `RouterStatisticsResult.traffic`."""
    found: dict[str, dict[str, Any]] = {}
    for name, count in _counters().items():
        way, _, ip = _parts(name)
        entry = found.setdefault(ip, {"ip": ip, "sent": 0, "received": 0})
        entry[way] += count
    return [found[ip] for ip in sorted(found)]


def _name(way: str, device: str, ip: str) -> str:
    return f"{way}_{device}_{ip.replace('.', '_')}"


def _parts(name: str) -> tuple[str, str, str]:
    way, device, ip = name.split("_", 2)
    return way, device, ip.replace("_", ".")


def _exists() -> bool:
    return tried(["nft", "list", "map", *TABLE.split(), "sent"])[0] == 0


def _present() -> set[Place]:
    return {_parts(name)[1:] for name in _counters()}


def _counters() -> dict[str, int]:
    code, output, _ = tried(["nft", "-j", "list", "counters", "table", *TABLE.split()])
    if code or not output.strip():
        return {}
    entries = json.loads(output)["nftables"]
    return {each["counter"]["name"]: int(each["counter"]["bytes"]) for each in entries if "counter" in each}
