"""Giving templates, ISOs, volumes and snapshots out: their file is served by a secondary storage VM at a signed URL."""

from __future__ import annotations

import logging
import re
from typing import Literal

import msgspec

from cloudsim.errors import CloudError, InvalidParameterValue, PermissionDenied, ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.published_keys import new_key
from cloudsim.management.storage.secondary_storage import ImageFailed, SecondaryStorage
from cloudsim.management.storage.template_images import TemplateImages
from cloudsim.management.storage.volume_states import check_at_rest
from cloudsim.management.systemvm.transfers import Transfers
from cloudsim.model import (
    ImageStore,
    Snapshot,
    StoragePool,
    Template,
    Transfer,
    VirtualMachine,
    Volume,
    VolumeOnStore,
    Zone,
)
from cloudsim.protocol.commands import BackupSnapshotAnswer, BackupSnapshotCommand
from cloudsim.protocol.specs import ImageSpec

log = logging.getLogger(__name__)

ObjectType = Literal["Template", "Iso", "Volume", "Snapshot"]
MODES = ("HTTP_DOWNLOAD", "FTP_UPLOAD")
_STRANGE = re.compile(r"[^A-Za-z0-9._-]+")


class _File(msgspec.Struct, frozen=True):
    store_id: str
    path: str
    size: int


class Extraction:
    """Extractions of one cloud. Who extracts the same thing again gets the same URL, as long as it is good for."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        disks: Disks,
        secondary: SecondaryStorage,
        images: TemplateImages,
        transfers: Transfers,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._disks = disks
        self._secondary = secondary
        self._images = images
        self._transfers = transfers
        self._templates = foundation.table(Template)
        self._stores = foundation.table(ImageStore)
        self._uploaded = foundation.table(VolumeOnStore)
        self._pools = foundation.table(StoragePool)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("extraction")

    # what stands against it

    def check_template(self, caller: Caller, template: Template, zone: Zone | None, mode: str) -> Zone:
        """The zone to extract from. Raises what stands against extracting the template (or ISO)."""
        self._check_mode(mode)
        if template.type == "SYSTEM":
            raise InvalidParameterValue(
                f"Unable to extract the Template {template.name} as it is a default System Template"
            )
        if not template.is_extractable and not caller.is_root_admin:
            raise PermissionDenied(f"Template {template.name} is not extractable")
        if zone is None:
            raise InvalidParameterValue("Please specify a valid zone. Parameter zoneid is missing")
        copy = self._images.in_zone(template.id, zone.id)
        if copy is None or copy.state != "Ready":
            raise InvalidParameterValue(f"The template {template.name} has not been downloaded to zone {zone.name}")
        self._check_door(zone)
        return zone

    def check_volume(self, caller: Caller, volume: Volume, zone: Zone, mode: str) -> None:
        """Raise what stands against extracting the volume."""
        self._check_mode(mode)
        if volume.zone_id != zone.id:
            raise InvalidParameterValue(f"Volume {volume.name} is not in zone {zone.name}")
        template = self._templates.get(volume.template_id)
        if not caller.is_root_admin and (
            not volume.is_extractable
            or (volume.type == "ROOT" and template is not None and not template.is_extractable)
        ):
            raise PermissionDenied(f"Volume {volume.name} is not extractable")
        vm = self._vms.get(volume.vm_id)
        if vm is not None and vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Invalid state of the volume with ID: {volume.id}. "
                "It should be either detached or the VM should be in stopped state."
            )
        check_at_rest(volume)
        if volume.state not in ("Ready", "Uploaded"):
            raise InvalidParameterValue(f"Volume {volume.name} is {volume.state}: it has nothing to extract yet")
        self._check_door(zone)

    def check_snapshot(self, snapshot: Snapshot, zone: Zone) -> None:
        """Raise what stands against extracting the snapshot."""
        if snapshot.zone_id != zone.id:
            raise InvalidParameterValue(f"Snapshot {snapshot.name} is not in zone {zone.name}")
        if snapshot.state != "BackedUp" or snapshot.path is None or snapshot.store_id is None:
            raise InvalidParameterValue(f"Snapshot {snapshot.name} is not in BackedUp state but {snapshot.state}")
        self._check_door(zone)

    def _check_mode(self, mode: str) -> None:
        if mode.upper() not in MODES:
            raise InvalidParameterValue(
                f"Please specify a valid extract Mode. Supported modes: {', '.join(MODES)}"
            )
        if mode.upper() != "HTTP_DOWNLOAD":
            raise InvalidParameterValue("Extraction by FTP_UPLOAD is not supported: mode must be HTTP_DOWNLOAD")

    def _check_door(self, zone: Zone) -> None:
        if not self._transfers.takes(zone.id):
            raise ResourceUnavailable(
                f"Zone {zone.name} has no secondary storage VM that is up, through which files are fetched"
            )

    # doing it

    async def template(self, template: Template, zone: Zone) -> Transfer:
        """Have the template (or ISO) served. Raises ResourceUnavailable, or the storage VM's error."""
        copy = self._images.in_zone(template.id, zone.id)
        if copy is None or copy.state != "Ready":
            raise InvalidParameterValue(f"The template {template.name} has not been downloaded to zone {zone.name}")
        kind: ObjectType = "Iso" if template.format == "ISO" else "Template"
        file = _File(copy.store_id, copy.path, copy.physical_size or copy.size or template.size)
        return await self._serve(kind, template.id, template.name, template, zone.id, file)

    async def snapshot(self, snapshot: Snapshot) -> Transfer:
        """Have the snapshot's backup served. Raises as `template`."""
        assert snapshot.store_id is not None and snapshot.path is not None
        file = _File(snapshot.store_id, snapshot.path, snapshot.physical_size or snapshot.size)
        return await self._serve("Snapshot", snapshot.id, snapshot.name, snapshot, snapshot.zone_id, file)

    async def volume(self, volume: Volume) -> Transfer:
        """Copy the volume to secondary storage, unless it lies there, and have it served. Raises as `template`."""
        served = self._served(volume.id)
        if served is not None:
            return await self._published(served)
        uploaded = self._uploaded.find("volume_id", volume.id)
        if volume.state == "Uploaded" and uploaded is not None:
            file = _File(uploaded.store_id, uploaded.path, uploaded.physical_size or uploaded.size)
            return await self._serve("Volume", volume.id, volume.name, volume, volume.zone_id, file)
        store = self._secondary.store_for(volume.zone_id)
        host = self._disks.reach.host_for(self._pools[volume.pool_id or ""])
        command = BackupSnapshotCommand(
            snapshot_id=self._randomness.uuid(), disk=self._disks.spec(volume), store_url=store.url
        )
        answer = await self._agents.send(host.id, command)
        if not isinstance(answer, BackupSnapshotAnswer) or not answer.ok:
            raise ImageFailed(answer.error or f"Volume {volume.name} was not copied to secondary storage")
        file = _File(store.id, answer.path, answer.physical_size)
        return await self._serve("Volume", volume.id, volume.name, volume, volume.zone_id, file)

    def _served(self, object_id: str, zone_id: str | None = None) -> Transfer | None:
        now = self._foundation.now()
        for row in self._transfers.open_of(object_id, "Extract", zone_id):
            if row.state in ("Waiting", "Published") and row.expires is not None and row.expires > now:
                return row
        return None

    async def _serve(
        self,
        kind: ObjectType,
        object_id: str,
        name: str,
        owner: Template | Snapshot | Volume,
        zone_id: str,
        file: _File,
    ) -> Transfer:
        served = self._served(object_id, zone_id)
        if served is not None:
            return await self._published(served)
        transfer_id = self._randomness.uuid()
        key, key_hash = new_key(self._randomness)
        now = self._foundation.now()
        expires = now + self._foundation.settings.integer("extract.url.expiration.interval")
        suffix = file.path.rpartition("/")[2].rpartition(".")[2] if "." in file.path.rpartition("/")[2] else "img"
        query = f"expires={int(expires)}&signature={key}"
        with self._store.transaction():
            transfer = self._transfers.add(
                Transfer(
                    id=transfer_id,
                    kind="Extract",
                    object_type=kind,
                    object_id=object_id,
                    zone_id=zone_id,
                    account_id=owner.account_id,
                    domain_id=owner.domain_id,
                    store_id=file.store_id,
                    url=f"/userdata/{transfer_id}.{suffix}?{query}",
                    path=file.path,
                    name=f"{_STRANGE.sub('_', name)[:100] or object_id}.{suffix}",
                    size=file.size,
                    key_hash=key_hash,
                    expires=float(int(expires)),
                    created=now,
                )
            )
        return await self._published(transfer)

    async def _published(self, transfer: Transfer) -> Transfer:
        self._transfers.begin(transfer)
        done = await self._transfers.wait(transfer.id, until=("Published",))
        if done.state != "Published":
            raise CloudError(done.error or "The file is not served")
        return done

    async def clean(self) -> None:
        """Remove what expired URLs were of: to be called every extract.url.cleanup.interval."""
        for state in ("Expired", "Failed"):
            for row in self._transfers.rows.where("state", state):
                if row.kind == "Extract" and await self._remove(row):
                    with self._store.transaction():
                        self._transfers.rows.delete(row.id)

    async def _remove(self, row: Transfer) -> bool:
        """Remove the copy that was made of a volume to be served; whether nothing is left."""
        store = self._stores.get(row.store_id)
        uploaded = self._uploaded.find("volume_id", row.object_id)
        if row.object_type != "Volume" or store is None or (uploaded is not None and uploaded.path == row.path):
            return True
        try:
            await self._secondary.delete(ImageSpec(store.url, row.path, row.size), row.zone_id)
        except CloudError as error:
            log.warning("the copy %s of a volume is left over: %s", row.path, error.text)
            return False
        return True
