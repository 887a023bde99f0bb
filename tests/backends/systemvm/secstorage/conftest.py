"""A storage VM's service in this process, with a store, a door, and a server of images to fetch from."""

from __future__ import annotations

import hashlib
import http.client
import json
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.systemvm.secstorage import downloads
from backends.systemvm.secstorage.door import Door
from backends.systemvm.secstorage.service import StorageService
from tests.backends.systemvm.secstorage.image_server import MIB, ImageServer

STORE = "nfs://files.example/secondary"
HERE = ("127.0.0.0/8",)
KEY = "a key that nobody guesses"


def qcow2(length: int = MIB, virtual: int = 10 << 30, backing: int = 0) -> bytes:
    """The bytes of an image whose header says what it has to, and no more."""
    head = struct.pack(">4sIQIIQ", b"QFI\xfb", 2, backing, 0, 16, virtual)
    body = bytes(range(256)) * (length // 256)
    return head + body[len(head) :]


class Service:
    """The service and what it works on."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "store"
        self.store.mkdir()
        self.table = folder / "stores.json"
        self.table.write_text(json.dumps({STORE: str(self.store)}))
        self.service = StorageService(self.table, silence=2.0)
        self.door = Door(self.service, "127.0.0.1", 0)
        self.door.start()
        self.images = ImageServer()

    def ask(self, kind: str, transfer_id: str = "t", **more: Any) -> dict[str, Any]:
        return self.service.reply({"type": kind, "transfer_id": transfer_id, **more})

    def download(self, source: str, transfer_id: str = "t", **more: Any) -> dict[str, Any]:
        """Ask for a path of the image server, or a whole URL."""
        request = {
            "url": source if "://" in source else self.images.url(source),
            "store_url": STORE,
            "path": f"templates/{transfer_id}.qcow2",
            "format": "QCOW2",
            "checksum": None,
            "largest": None,
            "allowed_networks": HERE,
        }
        return self.ask("StartDownload", transfer_id, **{**request, **more})

    def status(self, transfer_id: str = "t") -> dict[str, Any]:
        return self.ask("TransferStatus", transfer_id)

    def ended(self, transfer_id: str = "t") -> dict[str, Any]:
        """The status once it is not Running."""
        return until(lambda: self.status(transfer_id), lambda found: found["state"] != "Running")

    def publish(self, path: str, transfer_id: str = "t", expires: float | None = None, name: str = "a.qcow2") -> str:
        """Have a file served; the path and query of its URL."""
        expires = float(int(time.time() + 3600 if expires is None else expires))
        key_hash = hashlib.sha256(KEY.encode()).hexdigest()
        found = self.ask(
            "PublishFile", transfer_id, store_url=STORE, path=path, name=name, key_hash=key_hash, expires=expires
        )
        assert found["state"] == "Published", found
        return f"/userdata/{transfer_id}.qcow2?expires={int(expires)}&signature={KEY.replace(' ', '+')}"

    def expect(self, transfer_id: str = "u", expires: float | None = None, **more: Any) -> dict[str, Any]:
        request = {
            "store_url": STORE,
            "path": f"volumes/{transfer_id}.qcow2",
            "format": "QCOW2",
            "key_hash": hashlib.sha256(KEY.encode()).hexdigest(),
            "expires": time.time() + 600 if expires is None else expires,
            "checksum": None,
            "largest": None,
        }
        return self.ask("ExpectUpload", transfer_id, **{**request, **more})

    def http(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """An answer, whose body is read."""
        connection = http.client.HTTPConnection("127.0.0.1", self.door.port, timeout=60)
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        response.content = response.read()  # type: ignore[attr-defined]
        connection.close()
        return response

    def file(self, path: str) -> Path:
        return self.store / path

    def files(self) -> set[str]:
        """Everything in the store."""
        return {str(each.relative_to(self.store)) for each in self.store.rglob("*") if each.is_file()}

    def close(self) -> None:
        self.service.close()
        for server in (self.door, self.images):
            server.shutdown()
            server.server_close()


def until(look: Callable[[], Any], right: Callable[[Any], bool], seconds: float = 90.0) -> Any:
    """What `look` finds once it is `right`."""
    end = time.monotonic() + seconds
    while not right(found := look()):
        assert time.monotonic() < end, found
        time.sleep(0.01)
    return found


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(downloads, "PAUSE", 0.01)
    made = Service(tmp_path)
    yield made
    made.close()
