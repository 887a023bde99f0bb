"""The software of a simulated secondary storage VM: downloads, files that are served, uploads that are awaited."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from backends.simulated.flows import Channel, Flow
from backends.simulated.internet import Served, check_outside
from backends.simulated.storage import ImageStore, Part
from backends.simulated.systemvms.appliance import Appliance
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.systemvm import (
    CancelTransfer,
    Done,
    ExpectUpload,
    PublishFile,
    StartDownload,
    SystemVmReply,
    SystemVmRequest,
    TransferResult,
    TransferStatus,
)

if TYPE_CHECKING:
    from backends.simulated.guest import Guest
    from backends.simulated.machine import Machine

ATTEMPTS = 5
PAUSE = 10.0
"""How often a download that breaks off is begun, and the seconds between two attempts."""


class DoorClosed(Exception):
    """What somebody wanted at the storage VM's door is refused, with an HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class _Download:
    __slots__ = ("error", "flow", "part", "request", "result", "task")

    def __init__(self, request: StartDownload) -> None:
        self.request = request
        self.part: Part | None = None
        self.flow: Flow | None = None
        self.result: TransferResult | None = None
        self.error: str | None = None
        self.task: asyncio.Task[None] | None = None


class _Upload:
    __slots__ = ("error", "receiving", "request", "result")

    def __init__(self, request: ExpectUpload) -> None:
        self.request = request
        self.receiving = False
        self.result: TransferResult | None = None
        self.error: str | None = None


class SimulatedStorageVm(Appliance):
    """A download takes its share of the internet, of the VM's host's network card, of the links between and of the
    store's disks. What came before the VM died is in the store, where the next one goes on with it.
    """

    def __init__(self, machine: Machine, guest: Guest) -> None:
        super().__init__(machine, guest)
        self.downloads: dict[str, _Download] = {}
        self.published: dict[str, PublishFile] = {}
        self.uploads: dict[str, _Upload] = {}

    def stop(self) -> None:
        for download in self.downloads.values():
            if download.task is not None:
                self._stand_still(download)
                download.task.cancel()

    async def reply(self, request: SystemVmRequest) -> SystemVmReply:
        match request:
            case StartDownload():
                return self._start(request)
            case TransferStatus():
                return self._status(request.transfer_id)
            case PublishFile():
                return self._publish(request)
            case ExpectUpload():
                self.uploads.setdefault(request.transfer_id, _Upload(request))
                return self._status(request.transfer_id)
            case CancelTransfer():
                return self._cancel(request)
        return await super().reply(request)

    def _status(self, id: str) -> TransferResult:
        download, upload = self.downloads.get(id), self.uploads.get(id)
        if id in self.published:
            return TransferResult(state="Published")
        if upload is not None:
            if upload.error is not None:
                return TransferResult(state="Failed", reason=upload.error)
            return upload.result or TransferResult(state="Running" if upload.receiving else "Published")
        if download is None:
            return TransferResult(state="Unknown")
        if download.error is not None:
            return TransferResult(state="Failed", reason=download.error)
        if download.result is not None:
            return download.result
        part = download.part
        if part is None:
            return TransferResult(state="Running")
        return TransferResult(state="Running", done=int(self._arrived(download, part)), size=part.size)

    def _cancel(self, request: CancelTransfer) -> Done:
        download, upload = self.downloads.pop(request.transfer_id, None), self.uploads.pop(request.transfer_id, None)
        if download is not None and download.task is not None:
            download.task.cancel()
        self.published.pop(request.transfer_id, None)
        found = download or upload
        url, path = request.store_url, request.path
        if found is not None:
            url, path = found.request.store_url, found.request.path
        if url and path:
            self._store(url).remove(path)
        return Done()

    def _store(self, url: str) -> ImageStore:
        return self.machine.site.store(url, self.machine.place)

    # downloads

    def _start(self, request: StartDownload) -> TransferResult:
        if request.transfer_id not in self.downloads:
            download = self.downloads[request.transfer_id] = _Download(request)
            try:
                size = self._store(request.store_url).files.get(request.path)
                if size is not None:  # whoever fetched it died before it could tell
                    download.result = _done(request.path, size, request.checksum)
                else:
                    check_outside(Served.host_of(request.url), request.allowed_networks)
                    work = self._fetch(download)
                    download.task = self.machine.site.loop.create_task(work)
            except HypervisorError as error:
                download.error = str(error)
        return self._status(request.transfer_id)

    async def _fetch(self, download: _Download) -> None:
        request = download.request
        store = self._store(request.store_url)
        try:
            for attempt in range(ATTEMPTS):
                try:
                    served = self._open(download, store)
                    await self._carry(download, store)
                    break
                except _BrokeOff:
                    if attempt == ATTEMPTS - 1:
                        raise
                    await asyncio.sleep(PAUSE)
            await self.machine.take("template_download")
            found = served.check(request.checksum)
            if store.parts.get(request.path) is download.part:
                store.finish(request.path)
            download.result = _done(request.path, served.size, found)
        except HypervisorError as error:
            if store.parts.get(request.path) is download.part:
                store.give_up(request.path)
            download.error = str(error)
        finally:
            download.task = None

    def _open(self, download: _Download, store: ImageStore) -> Served:
        """Ask the server, and find in the store what there is of its file already."""
        request = download.request
        there = store.parts.get(request.path)
        known = there if there is not None and there.url == request.url else None
        served = Served(request.url, self.machine.site.sampler, known.size if known is not None else None)
        if request.largest is not None and served.size > request.largest:
            store.give_up(request.path)
            raise HypervisorError(
                f"{request.url} is {served.size} bytes, and no more than {request.largest} are allowed"
            )
        if known is None or not served.resumable:
            known = store.begin(request.path, request.url, served.size)
        download.part = known
        return served

    async def _carry(self, download: _Download, store: ImageStore) -> None:
        part, machine = download.part, self.machine
        assert part is not None
        core = store.place.parent or store.place

        def begun(flow: Flow) -> None:
            download.flow = flow

        try:
            way: list[Channel] = [machine.site.internet]
            way += machine.reach(core, machine.place) + machine.reach(machine.place, store.place)
            await machine.site.flows.transfer([*way, store.disks], part.size - part.done, begun)
        except HypervisorError as error:
            self._stand_still(download)
            raise _BrokeOff(str(error)) from error
        part.done = part.size
        download.flow = None

    def _arrived(self, download: _Download, part: Part) -> float:
        if download.flow is None:
            return part.done
        return part.size - self.machine.site.flows.left(download.flow)

    def _stand_still(self, download: _Download) -> None:
        """No more comes: what has come is in the store, whole bytes of it."""
        if download.part is not None:
            download.part.done = max(download.part.done, math.floor(self._arrived(download, download.part)))
        download.flow = None

    # the door

    def _publish(self, request: PublishFile) -> TransferResult:
        try:
            self._store(request.store_url).find(request.path, request.size)
        except HypervisorError as error:
            return TransferResult(state="Failed", reason=str(error))
        self.published[request.transfer_id] = request
        return TransferResult(state="Published")

    def open(self, id: str, signature: str, now: float) -> tuple[PublishFile, int]:
        """The published file and its bytes, for who has the signed URL. Raises DoorClosed. `now`: Unix seconds."""
        found = self.published.get(id)
        if found is None:
            raise DoorClosed(404, "There is no such file here")
        _check(found.key_hash, signature, found.expires, now)
        try:
            return found, self._store(found.store_url).find(found.path, found.size)
        except HypervisorError as error:
            raise DoorClosed(404, str(error)) from error

    def receive(self, id: str, signature: str, now: float) -> Callable[[int, dict[str, str]], None]:
        """Take an upload. What is returned is called once all of it is there, with its bytes and its checksums
        by algorithm, and raises DoorClosed for what is not wanted. Raises DoorClosed.
        """
        upload = self.uploads.get(id)
        if upload is None:
            raise DoorClosed(404, "No such upload is expected here")
        _check(upload.request.key_hash, signature, upload.request.expires, now)
        if upload.receiving or upload.result is not None:
            raise DoorClosed(409, "It is being uploaded, or was, already")
        upload.receiving = True

        def whole(size: int, sums: dict[str, str]) -> None:
            upload.receiving = False
            try:
                self._take_in(upload, size, sums)
            except HypervisorError as error:
                upload.error = str(error)
                raise DoorClosed(400, upload.error) from error

        return whole

    def broke_off(self, id: str) -> None:
        """The upload ended before all of it was there; it may be sent again."""
        if id in self.uploads:
            self.uploads[id].receiving = False

    def _take_in(self, upload: _Upload, size: int, sums: dict[str, str]) -> None:
        request = upload.request
        if request.largest is not None and size > request.largest:
            raise HypervisorError(f"{size} bytes were sent, and no more than {request.largest} are allowed")
        if not size:
            raise HypervisorError("an empty file was sent")
        if request.checksum and not _same(request.checksum, sums):
            raise HypervisorError(f"what was sent does not have the checksum {request.checksum}")
        self._store(request.store_url).add(request.path, size)
        upload.result = _done(request.path, size, request.checksum or f"{{SHA-256}}{sums['sha256']}")


class _BrokeOff(HypervisorError):
    """The download may be begun again where it stopped."""


def _done(path: str, size: int, checksum: str | None) -> TransferResult:
    return TransferResult(
        state="Done", done=size, size=size, physical_size=size, virtual_size=size, path=path, checksum=checksum
    )


def _check(key_hash: str, signature: str, expires: float, now: float) -> None:
    if not hmac.compare_digest(hashlib.sha256(signature.encode()).hexdigest(), key_hash):
        raise DoorClosed(403, "The signature is wrong")
    if now > expires:
        raise DoorClosed(410, "The URL has expired")


def _same(checksum: str, sums: dict[str, str]) -> bool:
    """Whether a checksum, bare or {SHA-256}hex, is one of the sums."""
    return checksum.rpartition("}")[2].strip().lower() in sums.values()
