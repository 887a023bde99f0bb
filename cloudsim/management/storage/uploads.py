"""Bringing templates, ISOs and volumes in: sent by a client to a secondary storage VM, and volumes fetched by URL.

A volume that was brought in lies in secondary storage until it is attached for the first time.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceUnavailable
from cloudsim.management.compute.disk_traits import check_unencrypted
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.limits import Limits
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.storage.published_keys import new_key
from cloudsim.management.storage.secondary_storage import ImageFailed, SecondaryStorage
from cloudsim.management.storage.template_images import FETCHED
from cloudsim.management.storage.template_request import FORMATS, TemplateRequest
from cloudsim.management.storage.template_urls import check_source
from cloudsim.management.storage.templates import Templates
from cloudsim.management.storage.volume_states import move
from cloudsim.management.systemvm.transfers import Transfers
from cloudsim.model import (
    Account,
    DiskOffering,
    ImageStore,
    TemplateOnStore,
    Transfer,
    Volume,
    VolumeOnStore,
    Zone,
)
from cloudsim.protocol.commands import DownloadTemplateAnswer, DownloadTemplateCommand
from cloudsim.protocol.specs import ImageSpec

log = logging.getLogger(__name__)

MINUTE = 60.0


class UploadParameters(msgspec.Struct, frozen=True):
    """What a client has to send with a file. `expires` in Unix seconds."""

    id: str
    url: str
    signature: str
    metadata: str
    expires: float


class Uploads:
    """Uploads of one cloud. `spawn` runs a coroutine in the background."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        secondary: SecondaryStorage,
        limits: Limits,
        templates: Templates,
        transfers: Transfers,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._secondary = secondary
        self._limits = limits
        self._templates = templates
        self._transfers = transfers
        self._spawn = spawn
        self._volumes = foundation.table(Volume)
        self._on_store = foundation.table(VolumeOnStore)
        self._copies = foundation.table(TemplateOnStore)
        self._stores = foundation.table(ImageStore)
        self._randomness = foundation.randomness.branch("uploads")

    # volumes by URL

    def volume_from(
        self,
        caller: Caller,
        owner: Account,
        *,
        name: str,
        url: str,
        format: str,
        zone: Zone,
        checksum: str | None = None,
        offering: DiskOffering | None = None,
        store: ImageStore | None = None,
    ) -> Volume:
        """A volume whose file `fetch` then brings from the URL."""
        check_source(caller, url)
        return self._allocate(owner, name, format, zone, offering, store, "UploadOp", url.strip(), checksum)

    async def fetch(self, volume_id: str) -> Volume:
        """Bring a volume's file into secondary storage: Uploaded then. Raises what went wrong; it is UploadError then."""
        volume = self._volumes[volume_id]
        on_store = self._on_store.find("volume_id", volume_id)
        assert on_store is not None and on_store.url is not None
        if on_store.url.lower().partition("://")[0] in FETCHED and self._transfers.takes(volume.zone_id):
            with self._store.transaction():
                transfer = self._transfers.add(self._transfer("Download", volume, on_store, url=on_store.url))
            self._transfers.begin(transfer)
            ended = await self._transfers.wait(transfer.id)
            if ended.state == "Failed" and ended.error is None:
                return await self._fetch_by_host(volume, on_store)
            if ended.state != "Done":
                raise CloudError(ended.error or "It was not fetched")
            return self._volumes[volume_id]
        return await self._fetch_by_host(volume, on_store)

    async def _fetch_by_host(self, volume: Volume, on_store: VolumeOnStore) -> Volume:
        try:
            host = self._secondary.host_for(volume.zone_id)
            command = DownloadTemplateCommand(
                template_id=volume.id,
                url=on_store.url or "",
                store_url=self._stores[on_store.store_id].url,
                format=on_store.format,
                checksum=on_store.checksum,
            )
            answer = await self._agents.send(host.id, command)
            if not isinstance(answer, DownloadTemplateAnswer) or not answer.ok:
                raise ImageFailed(answer.error or f"Volume {volume.name} was not fetched")
        except CloudError as error:
            self._failed(volume.id, "UploadError", error.text)
            raise
        with self._store.transaction():
            return self._arrived(volume.id, answer.path, answer.size, answer.size, answer.checksum)

    def resume(self) -> None:
        """After a restart: fetch again what hosts were fetching, and expect no upload that nobody was told of."""
        for volume in self._volumes.where("state", "NotUploaded"):
            if not self._transfers.open_of(volume.id):
                self._failed(volume.id, "UploadAbandoned", "It was not expected anywhere")
        for volume in self._volumes.where("state", "UploadOp"):
            if not self._transfers.open_of(volume.id):
                self._spawn(self._fetch_again(volume.id))

    async def _fetch_again(self, volume_id: str) -> None:
        try:
            await self.fetch(volume_id)
        except CloudError as error:
            log.warning("volume %s was not fetched: %s", volume_id, error.text)

    # sent by clients

    async def volume(
        self,
        owner: Account,
        *,
        name: str,
        format: str,
        zone: Zone,
        checksum: str | None = None,
        offering: DiskOffering | None = None,
        store: ImageStore | None = None,
    ) -> UploadParameters:
        """A volume whose file its owner is to send. Raises ResourceUnavailable without a storage VM."""
        self._check_door(zone)
        volume = self._allocate(owner, name, format, zone, offering, store, "NotUploaded", None, checksum)
        on_store = self._on_store.find("volume_id", volume.id)
        assert on_store is not None
        try:
            return await self._expect(volume.id, self._transfer("Upload", volume, on_store))
        except BaseException:
            with self._store.transaction():
                self._give_up(volume.id)
                self._on_store.delete(on_store.id)
                self._volumes.delete(volume.id)
            raise

    async def template(
        self, caller: Caller, owner: Account, request: TemplateRequest, zone: Zone
    ) -> UploadParameters:
        """A template (or ISO) whose file its owner is to send. Raises ResourceUnavailable without a storage VM."""
        self._check_door(zone)
        template, copy = self._templates.expect(caller, owner, request, zone)
        transfer = self._templates.images.transfer(template, copy)
        transfer = msgspec.structs.replace(transfer, kind="Upload", checksum=template.checksum)
        try:
            return await self._expect(template.id, transfer)
        except BaseException:
            with self._store.transaction():
                self._give_up(template.id)
                self._copies.delete(copy.id)
                self._templates.forget(template.id)
            raise

    def _check_door(self, zone: Zone) -> None:
        if not self._transfers.takes(zone.id):
            raise ResourceUnavailable(
                f"Zone {zone.name} has no secondary storage VM that is up, to which files are sent"
            )

    async def _expect(self, object_id: str, transfer: Transfer) -> UploadParameters:
        key, key_hash = new_key(self._randomness)
        expires = self._foundation.now() + MINUTE * self._foundation.settings.integer("upload.operation.timeout")
        with self._store.transaction():
            transfer = self._transfers.add(
                msgspec.structs.replace(transfer, key_hash=key_hash, expires=float(int(expires)))
            )
        self._transfers.begin(transfer)
        expected = await self._transfers.wait(transfer.id, until=("Published",))
        url = self._transfers.address(expected)
        if expected.state != "Published" or not url:
            raise CloudError(expected.error or "The upload is not expected anywhere")
        about = {"id": object_id, "format": transfer.format, "checksum": transfer.checksum}
        return UploadParameters(
            id=object_id,
            url=url,
            signature=key,
            metadata=base64.b64encode(msgspec.json.encode(about)).decode(),
            expires=float(int(expires)),
        )

    def _give_up(self, object_id: str) -> None:
        for transfer in self._transfers.open_of(object_id):
            self._transfers.cancel(transfer)

    # rows

    def _allocate(
        self,
        owner: Account,
        name: str,
        format: str,
        zone: Zone,
        offering: DiskOffering | None,
        store: ImageStore | None,
        state: Any,
        url: str | None,
        checksum: str | None,
    ) -> Volume:
        format = format.upper()
        if not name.strip():
            raise InvalidParameterValue("A volume needs a name")
        if format not in FORMATS:
            raise InvalidParameterValue(
                f"Please specify a valid format: {format} is none of {', '.join(FORMATS)}"
            )
        if offering is not None and (offering.state != "Active" or not offering.customized):
            raise InvalidParameterValue(
                f"Disk offering {offering.name} does not leave the size open, as an uploaded volume needs it to"
            )
        if offering is not None:
            check_unencrypted(offering)
        if store is not None and (store.zone_id not in (None, zone.id) or store.read_only):
            raise InvalidParameterValue(f"Image store {store.name} is not one that zone {zone.name} can write to")
        self._limits.check(owner, "volume", tags=() if offering is None else offering.tags)
        self._limits.check(owner, "secondary_storage")
        store = store or self._secondary.store_for(zone.id)
        now = self._foundation.now()
        with self._store.transaction():
            volume = self._volumes.insert(
                Volume(
                    id=self._randomness.uuid(),
                    name=name,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    zone_id=zone.id,
                    type="DATADISK",
                    size=0,
                    state=state,
                    disk_offering_id=None if offering is None else offering.id,
                    created=now,
                )
            )
            self._on_store.insert(
                VolumeOnStore(
                    id=self._randomness.uuid(),
                    volume_id=volume.id,
                    store_id=store.id,
                    zone_id=zone.id,
                    format=format,
                    url=url,
                    checksum=checksum,
                    created=now,
                )
            )
        return volume

    def _transfer(self, kind: Any, volume: Volume, on_store: VolumeOnStore, url: str = "") -> Transfer:
        folder = "volumes" if kind == "Upload" else "templates"  # where a host would put what it fetches
        return Transfer(
            id=self._randomness.uuid(),
            kind=kind,
            object_type="Volume",
            object_id=volume.id,
            zone_id=volume.zone_id,
            account_id=volume.account_id,
            domain_id=volume.domain_id,
            store_id=on_store.store_id,
            url=url,
            path=f"{folder}/{volume.id}.{on_store.format.lower()}",
            format=on_store.format,
            checksum=on_store.checksum,
            created=self._foundation.now(),
        )

    def volume_changed(self, transfer: Transfer) -> None:
        """Make the volume what its transfer is. In the transaction that changes it."""
        volume = self._volumes.get(transfer.object_id)
        if transfer.kind == "Extract" or volume is None:
            return
        if transfer.state == "Done":
            self._arrived(
                volume.id,
                transfer.path,
                transfer.virtual_size,
                transfer.physical_size,
                transfer.checksum,
            )
        elif transfer.state == "Expired":
            self._failed(volume.id, "UploadAbandoned", "It was not uploaded in time")
        elif transfer.state == "Failed" and transfer.error is not None:
            self._failed(volume.id, "UploadError", transfer.error)
        elif transfer.kind == "Upload" and volume.state in ("NotUploaded", "UploadInProgress"):
            state = "UploadInProgress" if transfer.state == "Running" else "NotUploaded"
            if state != volume.state:
                move(self._volumes, volume.id, state)

    def _arrived(
        self, volume_id: str, path: str, size: int, physical_size: int, checksum: str | None
    ) -> Volume:
        on_store = self._on_store.find("volume_id", volume_id)
        assert on_store is not None
        self._on_store.update(
            on_store.id,
            path=path,
            size=size,
            physical_size=physical_size,
            checksum=checksum or on_store.checksum,
            error=None,
        )
        return move(self._volumes, volume_id, "Uploaded", size=size)

    def _failed(self, volume_id: str, state: Any, text: str) -> None:
        on_store = self._on_store.find("volume_id", volume_id)
        with self._store.transaction():
            if on_store is not None:
                self._on_store.update(on_store.id, error=text)
            if volume_id in self._volumes:
                move(self._volumes, volume_id, state)

    # what is not needed any more

    async def leave_store(self, volume: Volume) -> None:
        """Remove what was uploaded for a volume that is on a pool now, or gone; `sweep` tries again what fails."""
        gone = volume.id not in self._volumes
        transfers = self._transfers.open_of(volume.id)
        with self._store.transaction():
            for transfer in transfers:
                if transfer.kind != "Extract":
                    self._transfers.cancel(transfer)
                elif gone:
                    self._transfers.expire(transfer)
        on_store = self._on_store.find("volume_id", volume.id)
        if on_store is None or (not gone and any(each.kind == "Extract" for each in transfers)):
            return
        store = self._stores.get(on_store.store_id)
        if store is not None and on_store.path:
            try:
                image = ImageSpec(store.url, on_store.path, on_store.size, on_store.format)
                await self._secondary.delete(image, on_store.zone_id)
            except CloudError as error:
                log.warning("%s stays in secondary storage for now: %s", on_store.path, error.text)
                return
        if on_store.id in self._on_store:
            with self._store.transaction():
                self._on_store.delete(on_store.id)

    async def sweep(self) -> None:
        """`leave_store` for whatever does not need its upload any more."""
        for on_store in list(self._on_store):
            volume = self._volumes.get(on_store.volume_id)
            if volume is None:
                volume = Volume(
                    id=on_store.volume_id,
                    name="",
                    account_id="",
                    domain_id="",
                    zone_id=on_store.zone_id,
                    type="DATADISK",
                    size=0,
                )
            elif volume.path is None:
                continue
            await self.leave_store(volume)
