"""The service of a secondary storage VM: what its host's agent asks of it, and the door that clients come to."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backends.systemvm.secstorage import parts
from backends.systemvm.secstorage.downloads import Download
from backends.systemvm.secstorage.errors import TransferError
from backends.systemvm.secstorage.stores import Stores
from backends.systemvm.secstorage.uploads import Upload

Message = dict[str, Any]
FORGOTTEN_AFTER = 3600.0
"""Seconds for which an end, or that a URL has expired, is remembered."""
REQUESTS = ("StartDownload", "TransferStatus", "CancelTransfer", "PublishFile", "ExpectUpload")


class StorageService:
    """One storage VM's transfers. `stores`: a file, {URL of an image store: folder where it is mounted}."""

    def __init__(self, stores: Path, silence: float = 60.0) -> None:
        self._stores = Stores(stores)
        self._silence = silence
        self._lock = threading.Lock()
        self._downloads: dict[str, Download] = {}
        self._uploads: dict[str, Upload] = {}
        self._published: dict[str, Message] = {}

    def reply(self, request: Mapping[str, Any]) -> Message:
        """Do what is asked; the reply. Raises LookupError for a request that is none of a storage VM's."""
        kind = request.get("type")
        if kind not in REQUESTS:
            raise LookupError(f"a secondary storage VM does not know the request {kind}")
        asked = str(request["transfer_id"])
        with self._lock:
            self._forget_old()
            match kind:
                case "StartDownload":
                    download = self._downloads.get(asked)
                    if download is None or download.state == "Stopped":
                        self._downloads[asked] = Download(request, self._stores, self._silence)
                case "ExpectUpload":
                    self._uploads.setdefault(asked, Upload(request, self._stores))
                case "PublishFile":
                    return self._publish(asked, dict(request))
                case "CancelTransfer":
                    return self._cancel(asked, request)
            return self._status(asked)

    def _forget_old(self) -> None:
        """Forget what has ended, and nobody asked about for long."""
        for name, download in list(self._downloads.items()):
            if download.state != "Running" and download.unasked > FORGOTTEN_AFTER:
                del self._downloads[name]
        for name, upload in list(self._uploads.items()):
            if upload.state != "Running" and upload.late > FORGOTTEN_AFTER:
                del self._uploads[name]
        for name, request in list(self._published.items()):
            if time.time() > float(request["expires"]) + FORGOTTEN_AFTER:
                del self._published[name]

    def _status(self, transfer_id: str) -> Message:
        if transfer_id in self._published:
            return _result("Published")
        found = self._downloads.get(transfer_id) or self._uploads.get(transfer_id)
        if found is None:
            return _result("Unknown")
        if isinstance(found, Download):
            found.asked()
            if found.state == "Stopped":
                return _result("Unknown")
        if found.state == "Failed":
            return _result("Failed", reason=found.reason)
        if found.finished is not None and found.state == "Done":
            return _result(
                "Done",
                done=found.finished.size,
                size=found.finished.size,
                physical_size=found.finished.size,
                virtual_size=found.finished.virtual_size,
                path=str(found.request["path"]),
                checksum=found.finished.checksum,
            )
        return _result(found.state, done=found.done, size=found.size)

    def _publish(self, transfer_id: str, request: Message) -> Message:
        try:
            if not self._stores.file(request["store_url"], request["path"]).is_file():
                raise TransferError(
                    f"there is no {request['path']} in secondary storage {request['store_url']}"
                )
        except TransferError as error:
            return _result("Failed", reason=str(error))
        self._published[transfer_id] = request
        return _result("Published")

    def _cancel(self, transfer_id: str, request: Mapping[str, Any]) -> Message:
        self._published.pop(transfer_id, None)
        found = self._downloads.pop(transfer_id, None) or self._uploads.pop(transfer_id, None)
        if found is not None:
            found.stop()
        store, path = request.get("store_url"), request.get("path")
        if found is not None:
            store, path = found.request["store_url"], found.request["path"]
        try:
            if store and path:
                parts.remove(self._stores.file(str(store), str(path)))
        except (TransferError, OSError) as error:
            return {"type": "Done", "error": f"{path} is not removed: {error}"}
        return {"type": "Done"}

    # for the door

    def published(self, transfer_id: str) -> tuple[Message, Path] | None:
        """A published file: what was said of it, and where it is."""
        found = self._published.get(transfer_id)
        if found is None:
            return None
        return found, self._stores.file(found["store_url"], found["path"])

    def upload(self, transfer_id: str) -> Upload | None:
        return self._uploads.get(transfer_id)

    def close(self) -> None:
        """Stop everything; what has come stays."""
        for download in list(self._downloads.values()):
            download.stop(2.0)


def _result(state: str, **more: Any) -> Message:
    return {"type": "TransferResult", "state": state, **more}
