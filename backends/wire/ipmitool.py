"""Switching the power of real hosts by IPMI: the program `ipmitool`, which the management server's machine must have.

Passwords go to the program by its environment and its input, where other users of the machine do not see them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil

from cloudsim.out_of_band import ManagementController, OutOfBandError, PowerAction

_WORDS: dict[PowerAction, str] = {"ON": "on", "OFF": "off", "CYCLE": "cycle", "RESET": "reset", "SOFT": "soft"}
_LONGEST_PASSWORD = 20
"""Bytes, as IPMI 2.0 has it."""
_SAFE = re.compile(r"[\x21-\x7e]+")


class Ipmitool:
    """Implements `cloudsim.out_of_band.PowerDriver`. `program`: where it is; by default it is looked for on PATH.

    Of a controller's options, `interface` is ipmitool's (lanplus, lan) and `retries` how often it asks again.
    """

    def __init__(self, program: str | None = None) -> None:
        self._program = program

    async def act(self, controller: ManagementController, action: PowerAction) -> None:
        await self._run(controller, "chassis", "power", _WORDS[action])

    async def is_on(self, controller: ManagementController) -> bool:
        told = await self._run(controller, "chassis", "power", "status")
        found = re.search(r"power is (on|off)", told, re.IGNORECASE)
        if found is None:
            raise OutOfBandError(f"ipmitool does not tell the power's state, but {_last_line(told)!r}")
        return found[1].lower() == "on"

    async def change_password(self, controller: ManagementController, password: str) -> None:
        if len(password) > _LONGEST_PASSWORD or not _SAFE.fullmatch(password) or set(password) & set("\"'\\#"):
            raise OutOfBandError(
                f"IPMI takes passwords of up to {_LONGEST_PASSWORD} letters, digits and signs, without quotes, # and \\"
            )
        number = await self._number_of_user(controller)
        length = "20" if len(password) > 16 else "16"
        await self._run(
            controller, "exec", "/dev/stdin", said=f"user set password {number} {password} {length}\n", secret=password
        )

    async def _number_of_user(self, controller: ManagementController) -> str:
        told = await self._run(controller, "user", "list")
        for line in told.splitlines():
            words = line.split()
            if len(words) >= 2 and words[0].isdigit() and words[1] == controller.username:
                return words[0]
        raise OutOfBandError(f"the management controller has no user {controller.username}")

    async def _run(self, controller: ManagementController, *words: str, said: str = "", secret: str = "") -> str:
        """What ipmitool prints. Raises OutOfBandError with its own words when it fails, without those of `secret`."""
        program = self._program or shutil.which("ipmitool")
        if program is None:
            raise OutOfBandError("the management server's machine has no ipmitool")
        options = controller.options
        arguments = (
            *("-I", options.get("interface", "lanplus"), "-R", options.get("retries", "1")),
            *("-H", controller.address, "-p", str(controller.port), "-U", controller.username, "-E"),
        )
        environment = {name: value for name, value in os.environ.items() if not name.startswith("IPMI")}
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *arguments,
                *words,
                env=environment | {"IPMI_PASSWORD": controller.password},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise OutOfBandError(f"ipmitool cannot be run: {error.strerror or error}") from error
        try:
            out, errors = await process.communicate(said.encode())
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        if process.returncode != 0:
            text = _last_line(errors.decode(errors="replace") or out.decode(errors="replace"))
            if secret:
                text = text.replace(secret, "****")
            raise OutOfBandError(f"ipmitool: {text or f'ended with {process.returncode}'}")
        return out.decode(errors="replace")


def _last_line(text: str) -> str:
    """Where ipmitool says why it failed, after what it missed on the way."""
    return text.strip().rpartition("\n")[2][:200]
