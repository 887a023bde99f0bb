"""Work that may hang (a file server that is gone, a stuck program), done off the event loop and given up on in time."""

from __future__ import annotations

import asyncio
import os
import resource
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from cloudsim.agent.noting import noted
from cloudsim.hypervisor import HypervisorError

T = TypeVar("T")

QUICK = 30.0
"""Seconds for what touches a few blocks only."""

_BURIAL = 5.0
"""Seconds that a killed process may take to go: one that waits for a dead file server does not go at all."""


class ProgramFailed(HypervisorError):
    """A program ended with a `code` that is not 0."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


async def in_thread(what: str, function: Callable[[], T], limit: float = QUICK) -> T:
    """`function()` on a thread of its own. HypervisorError for an OSError, or if it took longer than `limit` seconds.

    The thread of one that was given up on (or cancelled) goes on by itself, and nobody hears of what it does.
    """
    with noted(what):
        return await _in_thread(what, function, limit)


async def _in_thread(what: str, function: Callable[[], T], limit: float) -> T:
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is None:
            outcome.set_result(result)
        else:
            outcome.set_exception(error)

    def run() -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            result = function()
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name=what).start()
    try:
        done, _ = await asyncio.wait([outcome], timeout=limit)
        if not done:
            raise HypervisorError(f"{what}: the storage did not answer within {limit:g} s")
        return outcome.result()
    except OSError as error:
        raise HypervisorError(f"{what}: {error.strerror or error}") from error
    finally:
        outcome.cancel()


async def in_process(what: str, *command: str, limit: float = QUICK, memory: int | None = None) -> bytes:
    """Run a program and return its output; HypervisorError with its own text if it fails or takes over `limit` seconds.

    It is killed, and gone, before this raises, also when the caller is cancelled. `memory` bounds its address space.
    """
    with noted(what, {"program": command}):
        return await _in_process(what, *command, limit=limit, memory=memory)


async def _in_process(what: str, *command: str, limit: float, memory: int | None) -> bytes:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError as error:
        raise HypervisorError(f"{what}: {command[0]}: {error.strerror or error}") from error
    try:
        if memory is not None:
            _bound(process.pid, memory)
        async with asyncio.timeout(limit):
            output, errors = await process.communicate()
    except TimeoutError:
        raise HypervisorError(f"{what}: {command[0]} took longer than {limit:g} s") from None
    finally:
        if process.returncode is None:
            await _kill(process)
    if process.returncode:
        text = (errors or output).decode(errors="replace").strip().removeprefix(f"{command[0]}: ")
        text = text or f"{command[0]} ended with code {process.returncode}"
        raise ProgramFailed(f"{what}: {text}", process.returncode)
    return output


def _bound(pid: int, memory: int) -> None:
    with suppress(ProcessLookupError):  # it is through already
        resource.prlimit(pid, resource.RLIMIT_AS, (memory, memory))


async def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    with suppress(TimeoutError):
        async with asyncio.timeout(_BURIAL):
            await process.wait()
