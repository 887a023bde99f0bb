"""Programs that the lab runs on the machine."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files

from backends.lab.errors import LabError

COMMAND_TIMEOUT = 60.0
"""Seconds after which a program that should be quick is given up."""
_LAST_WORDS = 0.5


def run(
    what: str, argv: Sequence[str], *, timeout: float = COMMAND_TIMEOUT, sent: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. Raises LabError, which begins with `what`, if it fails, lacks or does not end."""
    try:
        started = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL if sent is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        raise LabError(f"{what}: there is no program {argv[0]}") from None
    try:
        stdout, stderr = started.communicate(sent, timeout)
    except subprocess.TimeoutExpired:
        started.kill()
        with suppress(subprocess.TimeoutExpired):  # a frozen one dies later, and what it started may hold the pipes
            started.communicate(timeout=_LAST_WORDS)
        raise LabError(f"{what}: it did not end within {timeout:g} s") from None
    if started.returncode:
        said = (stderr.strip() or stdout.strip()).splitlines()
        raise LabError(f"{what}: {said[-1] if said else f'it ended with {started.returncode}'}")
    return subprocess.CompletedProcess(list(argv), started.returncode, stdout, stderr)


def script(name: str) -> list[str]:
    """The beginning of a command line that runs one of the lab's scripts."""
    return ["bash", str(files("backends.lab") / "scripts" / name)]
