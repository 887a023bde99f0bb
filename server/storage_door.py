"""The door of simulated secondary storage VMs: their addresses lead nowhere, so their files are at the API's port.

GET /userdata/ID.SUFFIX and POST /upload/ID as real ones answer them. A simulated file has a size but no content; what
is sent for it is `content_of` its path: blocks of BLOCK bytes that each say what they are of and where they begin. What
is uploaded is measured and forgotten.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import flask

from backends.simulated.systemvms.secstorage import DoorClosed, SimulatedStorageVm
from backends.simulated.world import SimulatedWorld
from cloudsim.management.server import ManagementServer
from cloudsim.model import Host, Transfer, VirtualMachine
from server.api.door import Door

BLOCK = 4096
LARGEST_UPLOAD = 1 << 30
_PIECE = 64 * BLOCK
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_CROSS_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "x-signature, x-metadata, x-expires, content-type, range",
}


class _Opened(NamedTuple):
    path: str
    name: str
    size: int


def content_of(path: str, first: int, count: int) -> Iterator[bytes]:
    """`count` bytes of a simulated file from byte `first` on.

    >>> b"".join(content_of("templates/t.qcow2", 0, 31))
    b'simulated templates/t.qcow2 at '
    >>> b"".join(content_of("a", 4090, 30))
    b'......simulated a at 4096\\n.....'
    """
    while count > 0:
        start = first - first % BLOCK
        blocks = [_block(path, start + n) for n in range(0, min(_PIECE, count + BLOCK), BLOCK)]
        piece = b"".join(blocks)[first - start :][:count]
        first += len(piece)
        count -= len(piece)
        yield piece


def _block(path: str, start: int) -> bytes:
    return f"simulated {path} at {start}\n".encode().ljust(BLOCK, b".")[:BLOCK]


class SimulatedStorageDoor:
    """Finds the storage VM that a request is for, by the transfer that it names."""

    def __init__(self, manager: ManagementServer, world: SimulatedWorld) -> None:
        self._manager = manager
        self._world = world
        store = manager.foundation.store
        self._transfers = store.table(Transfer)
        self._vms = store.table(VirtualMachine)
        self._hosts = store.table(Host)

    def _vm(self, transfer_id: str) -> SimulatedStorageVm:
        transfer = self._transfers.get(transfer_id)
        vm = self._vms.get(transfer.vm_id) if transfer is not None else None
        host = self._hosts.get(vm.host_id) if vm is not None else None
        if transfer is None or vm is None or host is None or host.guid not in self._world.hosts:
            raise DoorClosed(404, "There is no such file here")
        machine = self._world.host(host.guid).hypervisor
        guest = machine.guests.get(vm.instance_name)
        if not machine.powered or guest is None or guest.state != "running":
            raise DoorClosed(503, f"System VM {vm.instance_name} does not answer")
        found = machine.appliance(guest)
        assert isinstance(found, SimulatedStorageVm)
        return found

    async def open(self, transfer_id: str, signature: str, expires: str) -> _Opened:
        request, size = self._vm(transfer_id).open(transfer_id, signature, self._manager.foundation.now())
        if expires != str(int(request.expires)):
            raise DoorClosed(403, "The signature is wrong")
        return _Opened(request.path, request.name, size)

    async def receive(self, transfer_id: str, signature: str) -> Callable[[int, dict[str, str]], None]:
        return self._vm(transfer_id).receive(transfer_id, signature, self._manager.foundation.now())

    async def received(self, whole: Callable[[int, dict[str, str]], None], size: int, sums: dict[str, str]) -> None:
        whole(size, sums)

    async def broke_off(self, transfer_id: str) -> None:
        self._vm(transfer_id).broke_off(transfer_id)

    def origin(self, url: str) -> str:
        """Where clients reach this server: as the setting endpoint.url says, unless nobody set it."""
        settings = self._manager.settings
        named = settings.get("endpoint.url")
        if named == settings.key("endpoint.url").default:
            return url
        parts = urlsplit(named)
        return f"{parts.scheme}://{parts.netloc}"


def add_routes(app: flask.Flask, storage: SimulatedStorageDoor) -> None:
    """Answer for the storage VMs of a simulated cloud, beside the API."""
    door: Door = app.extensions["door"]

    @app.route("/userdata/<name>", methods=["GET", "HEAD"])
    def file(name: str) -> flask.Response:
        given = flask.request.args
        try:
            opened = door.on_loop(
                storage.open(name.partition(".")[0], given.get("signature", ""), given.get("expires", ""))
            )
        except DoorClosed as closed:
            return _said(closed.status, str(closed))
        return _sent(opened)

    @app.route("/upload/<transfer_id>", methods=["POST", "OPTIONS"])
    def upload(transfer_id: str) -> flask.Response:
        if flask.request.method == "OPTIONS":
            return _said(204, "")
        flask.request.max_content_length = LARGEST_UPLOAD
        signature = flask.request.headers.get("X-signature") or flask.request.args.get("signature", "")
        try:
            whole = door.on_loop(storage.receive(transfer_id, signature))
            try:
                size, sums = _measured()
            except Exception:
                door.on_loop(storage.broke_off(transfer_id))
                raise
            door.on_loop(storage.received(whole, size, sums))
        except DoorClosed as closed:
            return _said(closed.status, str(closed))
        return _said(200, "It is there")


def _measured() -> tuple[int, dict[str, str]]:
    """How much was sent, and its checksums by algorithm."""
    request = flask.request
    files = list(request.files.values())
    source: Any = files[0].stream if files else request.stream
    sums = {name: hashlib.new(name, usedforsecurity=False) for name in ("md5", "sha1", "sha256", "sha512")}
    size = 0
    while block := source.read(1 << 20):
        size += len(block)
        for each in sums.values():
            each.update(block)
    return size, {name: each.hexdigest() for name, each in sums.items()}


def _said(status: int, text: str) -> flask.Response:
    response = flask.jsonify(status=status, text=text) if text else flask.Response()
    response.status_code = status
    response.headers.update(_CROSS_ORIGIN)
    return response


def _sent(opened: _Opened) -> flask.Response:
    size = opened.size
    asked = _RANGE.fullmatch(flask.request.headers.get("Range", "").strip())
    first, last = 0, size - 1
    if asked is not None and (asked[1] or asked[2]):
        first = int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
        last = min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1
        if first > last:
            response = _said(416, "There are no such bytes")
            response.headers["Content-Range"] = f"bytes */{size}"
            return response
    count = last - first + 1
    body = content_of(opened.path, first, count) if flask.request.method == "GET" else ()
    response = flask.Response(body, status=200 if asked is None else 206, content_type="application/octet-stream")
    response.headers.update(_CROSS_ORIGIN)
    response.headers["Content-Length"] = str(count)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(opened.name)}"
    response.headers["Cache-Control"] = "no-store"
    if asked is not None:
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return response
