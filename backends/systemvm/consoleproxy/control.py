"""The socket at which the service takes its requests from the machine's agent: lines of JSON, see `backends.systemvm.plan`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_LONGEST_REQUEST = 1 << 20

Reply = Callable[[Mapping[str, Any]], dict[str, Any]]


async def serve_control(path: Path, reply: Reply) -> asyncio.Server:
    """Take requests at a Unix socket at `path`, in place of one that was left there. Raises OSError."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):  # ValueError: a line that is too long
            while line := await reader.readline():
                writer.write(answered(line, reply))
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()

    return await asyncio.start_unix_server(answer, sock=_bound(path), limit=_LONGEST_REQUEST)


def _bound(path: Path) -> socket.socket:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(path))
    path.chmod(0o600)
    return bound


def answered(line: bytes, reply: Reply) -> bytes:
    """The line that answers a request's."""
    request: Any = None
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise ValueError("a request is an object")
        found = reply(request)
    except (LookupError, ValueError) as error:
        found = {"type": "Done", "error": str(error.args[0] if error.args else error)}
    given = request.get("id") if isinstance(request, dict) else None
    return json.dumps({**found, "id": given}).encode() + b"\n"
