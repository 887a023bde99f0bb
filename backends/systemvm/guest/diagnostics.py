"""Diagnostic tools, run for an operator who has no login here."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from typing import Any

from backends.systemvm.guest.commands import ENVIRONMENT, tried
from backends.systemvm.guest.errors import GuestError

LIMIT = 50.0
"""Seconds that a tool may take."""
_MOST = 100_000  # characters of what it printed
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,253}")
_PARAMETER = re.compile(r"-?[A-Za-z0-9.:_]+")
_COUNT = "4"


def run_diagnostics(request: dict[str, Any]) -> dict[str, Any]:
    """As `DiagnosticsResult`. Raises GuestError for what is not to be run."""
    tool, address = str(request["tool"]), str(request["address"])
    parameters = [str(each) for each in request.get("parameters") or ()]
    if not _HOST.fullmatch(address):
        raise GuestError(f"{address!r} is no address")
    for each in parameters:
        if not _PARAMETER.fullmatch(each):
            raise GuestError(f"{each!r} is no parameter of {tool}")
    command = [tool, *_defaults(tool, address, parameters), *parameters, address]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=LIMIT, env=ENVIRONMENT,
        )  # fmt: skip
    except FileNotFoundError:
        raise GuestError(f"there is no program {tool}") from None
    except subprocess.TimeoutExpired as error:
        printed = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else ""
        return _result(printed, f"{tool} did not end within {LIMIT:g} s", 124)
    return _result(done.stdout, done.stderr, done.returncode)


def _result(stdout: str, stderr: str, code: int) -> dict[str, Any]:
    cut = {"stdout": stdout[:_MOST].strip(), "stderr": stderr[:_MOST].strip(), "exit_code": code}
    return {"type": "DiagnosticsResult", **cut}


def _defaults(tool: str, address: str, parameters: Sequence[str]) -> list[str]:
    """What makes each of them end, and arping, which knows no routes, leave by the right interface."""
    has = {each[:2] for each in parameters}
    found = []
    match tool:
        case "ping":
            found = [] if "-c" in has else ["-c", _COUNT]
        case "arping":
            found = [] if "-c" in has else ["-c", _COUNT]
            if "-I" not in has:
                found += ["-I", _way_to(address)]
        case "traceroute":
            found = [] if "-w" in has else ["-w", "2"]
        case _:
            raise GuestError(f"{tool!r} is no diagnostic tool")
    return found


def _way_to(address: str) -> str:
    code, output, errors = tried(["ip", "-o", "-4", "route", "get", address])
    match = re.search(r" dev (\S+)", output)
    if code or match is None:
        raise GuestError(f"there is no way to {address}: {errors.strip() or output.strip()}")
    return match[1]
