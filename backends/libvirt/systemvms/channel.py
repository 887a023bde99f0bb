"""The host's end of a system VM's channel: requests and replies in lines of JSON, over one connection that is kept.

QEMU, or the router in a namespace, listens at a Unix socket. Replies find their request by its id, which is new for every
request of every agent, so what a connection before was told matters to nobody.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from contextlib import suppress
from typing import Any

from cloudsim.hypervisor import HypervisorError

log = logging.getLogger(__name__)

LONGEST_LINE = 64 << 20
"""Bytes of a reply."""


class Channel:
    """The channel of the system VM `name` at the socket `path`. Only the loop's thread uses it."""

    def __init__(self, name: str, path: str) -> None:
        self.path = path
        self._name = name
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()

    async def ask(self, request: dict[str, Any], limit: float) -> dict[str, Any]:
        """The reply. Raises HypervisorError if there is none within `limit` seconds."""
        number = uuid.uuid4().hex
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(limit):
                writer = await self._open()
                line = json.dumps({**request, "id": number}, separators=(",", ":"))
                writer.write(f"\n{line}\n".encode())
                await writer.drain()
                return await answer
        except TimeoutError:
            raise HypervisorError(f"system VM {self._name} did not answer within {limit:g} s") from None
        except OSError as error:
            del self._waiting[number]
            self._drop()
            raise HypervisorError(
                f"system VM {self._name} cannot be reached: {error.strerror or error}"
            ) from None
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        reading = self._reading
        self._drop()
        if reading is not None:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def _open(self) -> asyncio.StreamWriter:
        async with self._opening:
            if self._writer is None:
                reader, self._writer = await asyncio.open_unix_connection(self.path, limit=LONGEST_LINE)
                self._reading = asyncio.create_task(self._read(reader, self._writer))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self._take(line)
        except (OSError, ValueError) as error:  # ValueError: a line without an end
            log.info("the channel of %s: %s", self._name, error)
        finally:
            if self._writer is writer:
                self._drop()
            else:
                writer.close()

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return  # the end of what was meant for an earlier agent
        answer = self._waiting.get(str(message.get("id"))) if isinstance(message, dict) else None
        if answer is not None and not answer.done():
            answer.set_result(message)

    def _drop(self) -> None:
        """The connection is of no use any more: whoever waits for a reply is told so."""
        if self._writer is not None:
            self._writer.close()
        self._writer = self._reading = None
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError("it closed its channel"))
