"""Routes and routing policy rules. Those of a plan are marked: routes by their protocol, rules by their priority."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from backends.systemvm.guest.commands import listed, run, tried
from backends.systemvm.guest.errors import GuestError
from backends.systemvm.guest.interfaces import name_of

PROTOCOL = "201"
MAIN_TABLE = 254
FIRST_PRIORITY, LAST_PRIORITY = 1000, 29_999
_TABLES = {"local": 255, "main": MAIN_TABLE, "default": 253}

Route = tuple[int, str, str, str, str]
"""Table, destination, gateway, device, preferred source."""
Rule = tuple[int, int, str, str, int, str]
"""Priority, table, source, destination, mark, device."""


def bring_about(routes: Iterable[dict[str, Any]], rules: Iterable[dict[str, Any]]) -> None:
    """Have just these. Raises GuestError."""
    wanted = {_wanted_route(each) for each in routes}
    present = _routes()
    orders = [f"route del {_route_words(each)}" for each in sorted(present - wanted)]
    orders += [f"route replace {_route_words(each)}" for each in sorted(wanted - present)]
    _batch(orders)
    rules_wanted = {_wanted_rule(each) for each in rules}
    rules_present = _rules()
    orders = [f"rule add {_rule_words(each)}" for each in sorted(rules_wanted - rules_present)]
    orders += [f"rule del {_rule_words(each)}" for each in sorted(rules_present - rules_wanted)]
    _batch(orders)


def _batch(orders: list[str]) -> None:
    if orders:
        run(["ip", "-batch", "-"], "\n".join(orders) + "\n")


def _wanted_route(route: dict[str, Any]) -> Route:
    mac = str(route.get("mac") or "")
    return (
        int(route.get("table") or MAIN_TABLE),
        str(ipaddress.ip_network(route["destination"])),
        str(route.get("gateway") or ""),
        name_of(mac) if mac else "",
        str(route.get("source") or ""),
    )


def _routes() -> set[Route]:
    return {
        _found_route(each, everything)
        for kind, everything in (("-4", "0.0.0.0/0"), ("-6", "::/0"))
        for each in _routes_of(kind)
    }


def _routes_of(kind: str) -> list[dict[str, Any]]:
    shown = (kind, "route", "show", "table", "all", "proto", PROTOCOL)
    code, output, errors = tried(["ip", "-j", *shown])
    if code and "FIB table does not exist" not in errors:
        raise GuestError(f"ip: {errors.strip()}")
    if code or not output.strip():
        return []
    return listed(*shown)


def _found_route(entry: dict[str, Any], everything: str) -> Route:
    table = str(entry.get("table", "main"))
    destination = everything if entry["dst"] == "default" else str(ipaddress.ip_network(entry["dst"]))
    gateway, device = str(entry.get("gateway", "")), str(entry.get("dev", ""))
    return _TABLES.get(table) or int(table), destination, gateway, device, str(entry.get("prefsrc", ""))


def _route_words(route: Route) -> str:
    table, destination, gateway, device, source = route
    words = f"{destination}"
    if gateway:
        words += f" via {gateway}"
    if device:
        words += f" dev {device}"
    if gateway and device:
        words += " onlink"  # whatever other addresses the device has
    if source:
        words += f" src {source}"
    return f"{words} table {table} proto {PROTOCOL}"


def _wanted_rule(rule: dict[str, Any]) -> Rule:
    priority, mac = int(rule["priority"]), str(rule.get("mac") or "")
    if not FIRST_PRIORITY <= priority <= LAST_PRIORITY:
        raise GuestError(f"a routing rule has priority {priority}, not {FIRST_PRIORITY} to {LAST_PRIORITY}")
    ends = (str(ipaddress.IPv4Network(rule[key])) if rule.get(key) else "" for key in ("source", "destination"))
    return priority, int(rule["table"]), *ends, int(rule.get("mark") or 0), name_of(mac) if mac else ""  # type: ignore[return-value]


def _rules() -> set[Rule]:
    found: set[Rule] = set()
    for entry in listed("-4", "rule", "show"):
        priority = int(entry["priority"])
        if FIRST_PRIORITY <= priority <= LAST_PRIORITY:
            table = str(entry.get("table", "main"))
            number = _TABLES.get(table) or int(table)
            source, destination = _end(entry, "src"), _end(entry, "dst")
            mark = int(str(entry.get("fwmark", "0")), 0)
            found.add((priority, number, source, destination, mark, str(entry.get("iif", ""))))
    return found


def _end(entry: dict[str, Any], key: str) -> str:
    address = entry.get(key, "all")
    if address == "all":
        return ""
    return str(ipaddress.IPv4Network(f"{address}/{entry.get(f'{key}len', 32)}"))


def _rule_words(rule: Rule) -> str:
    priority, table, source, destination, mark, device = rule
    words = f"pref {priority} from {source or 'all'}"
    if destination:
        words += f" to {destination}"
    if mark:
        words += f" fwmark {mark}"
    if device:
        words += f" iif {device}"
    return f"{words} lookup {table}"
