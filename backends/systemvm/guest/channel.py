"""The guest's end of the channel to its host: lines of JSON, each a request or its reply.

Every message begins and ends with a newline, so that half a line, left by a host agent that was restarted in the middle
of it, spoils nothing: lines that are empty or no JSON are passed over.
"""

from __future__ import annotations

import json
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Message = dict[str, Any]
Send = Callable[[Message], None]
Handler = Callable[[Message, Send], None]

PORTS = Path("/sys/class/virtio-ports")
LONGEST_LINE = 64 << 20
"""Bytes; what is longer is no message."""
_CHUNK = 1 << 16
_NOBODY = 0.1  # seconds between looks whether the host has opened its end


def framed(message: Message) -> bytes:
    """
    >>> framed({"type": "Ping"})
    b'\\n{"type":"Ping"}\\n'
    """
    return b"\n" + json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Lines:
    """Messages out of pieces of a stream."""

    def __init__(self) -> None:
        self._begun = b""

    def taken(self, data: bytes) -> Iterator[Message]:
        """
        >>> lines = Lines()
        >>> list(lines.taken(b'half {\\n\\n{"id": 1}\\n{"id"'))
        [{'id': 1}]
        >>> list(lines.taken(b': 2}\\n'))
        [{'id': 2}]
        """
        *whole, self._begun = (self._begun + data).split(b"\n")
        if len(self._begun) > LONGEST_LINE:
            self._begun = b""
        for line in whole:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict):
                yield message


def virtio_port(name: str) -> str:
    """The device of the virtio port of that name, once there is one."""
    while True:
        for found in PORTS.glob("vport*"):
            try:
                if (found / "name").read_text().strip() == name:
                    return f"/dev/{found.name}"
            except OSError:
                continue
        time.sleep(_NOBODY)


def serve_port(device: str, handler: Handler) -> None:
    """Take requests from a virtio port, for ever. While nobody is at its other end, replies wait or are lost."""
    descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    writing = threading.Lock()

    def send(message: Message) -> None:
        data = framed(message)
        with writing:
            while data:
                _, ready, _ = select.select((), (descriptor,), (), 5.0)
                if not ready:
                    return  # the host is away, and will ask again
                try:
                    data = data[os.write(descriptor, data) :]
                except BlockingIOError:
                    time.sleep(_NOBODY)
                except OSError:
                    return

    lines = Lines()
    while True:
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            select.select((descriptor,), (), (), 5.0)
            continue
        except OSError:
            data = b""
        if not data:  # the host's end is closed
            time.sleep(_NOBODY)
            continue
        for message in lines.taken(data):
            handler(message, send)


def serve_socket(path: str, handler: Handler) -> None:
    """Take requests at a Unix socket, from any number of connections, for ever."""
    new = f"{path}.new"
    if os.path.exists(new):
        os.unlink(new)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(new)
    os.chmod(new, 0o600)
    listening.listen(16)
    os.replace(new, path)
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=_serve_connection, args=(connection, handler), daemon=True).start()


def _serve_connection(connection: socket.socket, handler: Handler) -> None:
    writing = threading.Lock()

    def send(message: Message) -> None:
        with writing:
            try:
                connection.sendall(framed(message))
            except OSError:
                return

    lines = Lines()
    with connection:
        while True:
            try:
                data = connection.recv(_CHUNK)
            except OSError:
                return
            if not data:
                return
            for message in lines.taken(data):
                handler(message, send)
