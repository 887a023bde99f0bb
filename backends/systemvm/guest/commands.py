"""Running the guest's programs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from typing import Any

from backends.systemvm.guest.errors import GuestError

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/root"}
_LONGEST_ANSWER = 4000


def run(command: Sequence[str], text: str = "", limit: float = 20.0) -> str:
    """Run it with `text` as its input; what it prints. Raises GuestError with what it says if it fails."""
    code, output, errors = tried(command, text, limit)
    if code:
        said = (errors.strip() or output.strip() or f"exit code {code}")[-_LONGEST_ANSWER:]
        raise GuestError(f"{os.path.basename(command[0])}: {said}")
    return output


def tried(command: Sequence[str], text: str = "", limit: float = 20.0) -> tuple[int, str, str]:
    """Exit code, output and errors. Raises GuestError if it is not there or does not end within `limit` seconds."""
    name = os.path.basename(command[0])
    try:
        done = subprocess.run(
            list(command), input=text, capture_output=True, text=True, errors="replace", timeout=limit, env=ENVIRONMENT
        )
    except FileNotFoundError:
        raise GuestError(f"there is no program {name}") from None
    except subprocess.TimeoutExpired:
        raise GuestError(f"{name} did not end within {limit:g} s") from None
    except OSError as error:
        raise GuestError(f"{name} cannot be run: {error.strerror}") from None
    return done.returncode, done.stdout, done.stderr


def listed(*command: str) -> list[dict[str, Any]]:
    """What `ip -j ...` lists. `ip` prints an empty entry for what does not match."""
    found = json.loads(run(["ip", "-j", *command]) or "[]")
    return [entry for entry in found if entry]
