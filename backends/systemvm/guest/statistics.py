"""What a router tells of its work: leases, and the state of the servers behind its load balancer."""

from __future__ import annotations

import csv
import socket
from pathlib import Path
from typing import Any

from backends.systemvm.guest import counters, tunnels
from backends.systemvm.guest.errors import GuestError

_UP = ("UP", "no check", "DRAIN", "OPEN")


def router_statistics(root: Path, number: int) -> dict[str, Any]:
    """As `RouterStatisticsResult`. Raises GuestError."""
    up, down = members(root / "haproxy.sock")
    return {
        "type": "RouterStatisticsResult",
        "number": number,
        "traffic": counters.traffic(),
        "leases": leases(root / "leases"),
        "members_up": up,
        "members_down": down,
        "sites_up": tunnels.sites_up(root),
    }


def leases(file: Path) -> list[list[str]]:
    """MAC and address of every lease in dnsmasq's file."""
    try:
        lines = [line.split() for line in file.read_text(errors="replace").splitlines()]
    except OSError:
        return []
    return [[fields[1], fields[2]] for fields in lines if len(fields) >= 4 and fields[0].isdecimal()]


def members(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    """(backend, server) of those that haproxy finds up, and of those down; none where it does not run."""
    up: list[list[str]] = []
    down: list[list[str]] = []
    for row in csv.DictReader(_asked(path, "show stat").lstrip("# ").splitlines()):
        if row["svname"] not in ("FRONTEND", "BACKEND"):
            (up if row["status"].startswith(_UP) else down).append([row["pxname"], row["svname"]])
    return up, down


def _asked(path: Path, command: str) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5.0)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return ""
        try:
            connection.sendall(f"{command}\n".encode())
            answer = b""
            while part := connection.recv(65536):
                answer += part
        except OSError as error:
            raise GuestError(f"haproxy does not say how its servers are: {error}") from None
    return answer.decode(errors="replace")
