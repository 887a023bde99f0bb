"""The scripts that change the host's network: called with a time limit, their failures told as HypervisorError."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from cloudsim.agent.noting import noted
from cloudsim.hypervisor import HypervisorError

FOLDER = Path(__file__).parent / "scripts"
STILL_USED = 3
"""The exit code of a script that leaves a thing as it is because others use it."""
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


async def run_script(what: str, script: str, *arguments: str, limit: float = 30.0) -> tuple[int, str]:
    """Run scripts/`script`; returns exit code (0 or STILL_USED) and what it printed.

    Raises HypervisorError, beginning with `what`, when it fails or takes more than `limit` seconds; it is killed then.
    """
    with noted(what, {"script": (script, *arguments)}):
        return await _run(what, script, *arguments, limit=limit)


async def _run(what: str, script: str, *arguments: str, limit: float) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "/bin/bash",
        str(FOLDER / script),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_ENVIRONMENT,
        start_new_session=True,
    )
    name = " ".join((script, *arguments[:1]))
    try:
        async with asyncio.timeout(limit):
            output, errors = await process.communicate()
    except TimeoutError:
        raise HypervisorError(f"{what}: {name} did not end within {limit:g} s") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # its own session, so whatever it waits for goes too
            await process.wait()
    if process.returncode not in (0, STILL_USED):
        reason = " ".join(errors.decode(errors="replace").split()) or f"exit code {process.returncode}"
        raise HypervisorError(f"{what}: {name}: {reason}")
    return process.returncode, output.decode(errors="replace")
