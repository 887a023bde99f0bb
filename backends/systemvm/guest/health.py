"""A system VM's checks of itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backends.systemvm.guest.commands import listed, tried
from backends.systemvm.guest.errors import GuestError
from backends.systemvm.guest.interfaces import name_of
from backends.systemvm.guest.machine import Machine

LEAST_DISK = 0.05
"""Of the disk's size, which must be free."""
LEAST_MEMORY = 0.05
_PING = ("ping", "-c", "1", "-W", "2")

Check = tuple[str, bool, str, str]
"""Name, success, details, type."""


def health_report(machine: Machine) -> dict[str, Any]:
    """As `HealthReport`."""
    checks = []
    for name, success, details, kind in _checks(machine):
        checks.append({"name": name, "success": success, "details": details, "type": kind})
    return {"type": "HealthReport", "checks": checks}


def _checks(machine: Machine) -> Iterator[Check]:
    yield _writable(machine.root)
    yield _disk(machine.root)
    yield _memory()
    yield _interfaces(machine.plan)
    for name, wrong in machine.services.state().items():
        yield f"service.{name}", not wrong, wrong or "running", "basic"
    if machine.plan.get("nft"):
        yield _filter()
    yield from _gateways(machine.plan)


def _writable(root: Path) -> Check:
    try:
        (root / ".health").write_text("x")
        return "filesystem.writable", True, "", "basic"
    except OSError as error:
        return "filesystem.writable", False, str(error), "basic"


def _disk(root: Path) -> Check:
    """What is written goes there; a system VM's disk itself is read-only."""
    found = os.statvfs(root)
    free = found.f_bavail / max(1, found.f_blocks)
    return "disk.space", free >= LEAST_DISK, f"{100 * free:.0f} % free", "basic"


def _memory() -> Check:
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available, total = (int(lines[key].split()[0]) for key in ("MemAvailable", "MemTotal"))
    return "memory", available >= LEAST_MEMORY * total, f"{available // 1024} of {total // 1024} MiB available", "basic"


def _interfaces(plan: dict[str, Any]) -> Check:
    try:
        state = {str(entry["ifname"]): entry for entry in listed("-4", "address", "show")}
    except GuestError as error:
        return "interfaces", False, str(error), "basic"
    lacking = []
    for interface in plan.get("interfaces") or ():
        entry = state.get(name_of(interface["mac"]), {})
        has = {f"{each['local']}/{each['prefixlen']}" for each in entry.get("addr_info", ())}
        lacking += [each for each in interface.get("addresses") or () if each not in has]
        if entry and entry.get("operstate") == "DOWN":
            lacking.append(f"{interface['mac']} is down")
    return "interfaces", not lacking, f"not there: {', '.join(lacking)}" if lacking else "", "basic"


def _filter() -> Check:
    code, output, errors = tried(["nft", "list", "tables"])
    return "packet.filter", code == 0 and bool(output.strip()), errors.strip(), "basic"


def _gateways(plan: dict[str, Any]) -> Iterator[Check]:
    gateways = dict.fromkeys(
        str(route["gateway"])
        for route in plan.get("routes") or ()
        if route.get("gateway") and route["destination"] == "0.0.0.0/0"
    )
    for gateway in gateways:
        code, output, errors = tried([*_PING, gateway])
        yield f"gateway.{gateway}", code == 0, "" if code == 0 else (errors or output).strip(), "advanced"
