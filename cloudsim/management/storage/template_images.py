"""Templates' files: brought into secondary storage, made of disks and snapshots, and removed again.

Each zone has its own copy, a TemplateOnStore row, which goes through the states of NEXT.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import msgspec

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.secondary_storage import ImageFailed, SecondaryStorage
from cloudsim.management.storage.volume_states import check_at_rest
from cloudsim.model import (
    ImageStore,
    Snapshot,
    StoragePool,
    Template,
    TemplateOnPool,
    TemplateOnStore,
    Transfer,
    VirtualMachine,
    Volume,
    Zone,
)
from cloudsim.protocol.commands import (
    CreateTemplateAnswer,
    CreateTemplateCommand,
    DeleteTemplateCommand,
    DownloadTemplateAnswer,
    DownloadTemplateCommand,
)
from cloudsim.protocol.specs import DiskSpec, ImageSpec

NEXT: dict[str, frozenset[str]] = {
    "Allocated": frozenset({"Creating", "Failed"}),
    "Creating": frozenset({"Ready", "Allocated", "Failed"}),
    "Ready": frozenset({"Destroying"}),
    "Failed": frozenset({"Creating", "Allocated", "Destroying"}),
    "Destroying": frozenset({"Ready", "Failed"}),
}
"""Which states of a copy may follow which. A removed copy's row is gone."""

Spawn = Callable[[Coroutine[Any, Any, Any]], object]
FETCHED = ("http", "https", "ftp")
"""Schemes of URLs that secondary storage VMs fetch from; hosts see to the others."""


class Carrier(Protocol):
    """Fetches files by way of secondary storage VMs; `cloudsim.management.systemvm.transfers`."""

    def takes(self, zone_id: str) -> bool: ...
    def add(self, transfer: Transfer) -> Transfer: ...
    def begin(self, transfer: Transfer) -> None: ...
    def cancel(self, transfer: Transfer) -> None: ...
    def open_of(self, object_id: str, *, zone_id: str | None = None) -> list[Transfer]: ...
    async def wait(self, transfer_id: str) -> Transfer: ...


class TemplateImages:
    """The copies of templates. `spawn` runs downloads in the background.

    Downloads go through the zone's secondary storage VMs (`carrier`) where one is up, else through a host. So does
    always the download of a system VM template, without which there are no system VMs.
    """

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        disks: Disks,
        secondary: SecondaryStorage,
        spawn: Spawn,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._disks = disks
        self._secondary = secondary
        self._spawn = spawn
        self._templates = foundation.table(Template)
        self._copies = foundation.table(TemplateOnStore)
        self._on_pool = foundation.table(TemplateOnPool)
        self._pools = foundation.table(StoragePool)
        self._stores = foundation.table(ImageStore)
        self._volumes = foundation.table(Volume)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("template_images")
        self.carrier: Carrier | None = None

    def _move(self, copy_id: str, state: Any, **fields: Any) -> TemplateOnStore:
        copy = self._copies[copy_id]
        if state not in NEXT[copy.state]:
            raise InvalidParameterValue(
                f"The copy {copy.id} of a template is {copy.state} and cannot become {state}"
            )
        return self._copies.update(copy_id, state=state, **fields)

    # where a template is

    def in_zone(self, template_id: str, zone_id: str) -> TemplateOnStore | None:
        """The template's copy for that zone: its own, or one in a store that serves every zone."""
        for copy in self._copies.where("template_id", template_id):
            store = self._stores.get(copy.store_id)
            if copy.zone_id == zone_id or (store is not None and store.zone_id is None):
                return copy
        return None

    def add(self, template: Template, zone: Zone | str, store: ImageStore | None = None) -> TemplateOnStore:
        """A copy to be made for that zone, in that store or the one with most room.

        Needs an open transaction; raises ResourceUnavailable without a store.
        """
        zone_id = zone if isinstance(zone, str) else zone.id
        return self._copies.insert(
            TemplateOnStore(
                id=self._randomness.uuid(),
                template_id=template.id,
                store_id=(store or self._secondary.store_for(zone_id)).id,
                zone_id=zone_id,
                created=self._foundation.now(),
            )
        )

    def associate(self, store: ImageStore) -> list[TemplateOnStore]:
        """Bring every cross-zone template to a store that is new in its zone."""
        if store.zone_id is None:
            return []
        missing = [
            template
            for template in self._templates
            if template.cross_zones
            and template.state == "Active"
            and self.in_zone(template.id, store.zone_id) is None
        ]
        with self._store.transaction():
            added = [self.add(template, store.zone_id) for template in missing]
        for copy in added:
            self.begin(copy)
        return added

    # downloads

    def begin(self, copy: TemplateOnStore) -> None:
        """Download a copy in the background."""
        self._spawn(self.download(copy.id))

    def resume(self) -> None:
        """Begin downloads that wait for a host: to be called now and then, and after a restart."""
        for copy in self._copies:
            template = self._templates.get(copy.template_id)
            if copy.state == "Allocated" and template is not None and template.url is not None:
                self.begin(copy)

    def settle_after_restart(self) -> None:
        """After a restart: what was being downloaded is begun anew, what was being made has failed."""
        with self._store.transaction():
            for copy in list(self._copies):
                template = self._templates.get(copy.template_id)
                if self._transfers_of(copy):
                    continue
                if copy.state == "Creating" and template is not None and template.url is not None:
                    self._move(copy.id, "Allocated", download_state="NOT_DOWNLOADED", download_percent=0)
                elif copy.state in ("Allocated", "Creating") and (template is None or template.url is None):
                    self._copies.delete(copy.id)
                    if template is not None and not self._copies.count("template_id", template.id):
                        self._templates.delete(template.id)
                elif copy.state == "Destroying":
                    self._move(copy.id, "Ready")

    async def download(self, copy_id: str) -> None:
        """Fetch the template's URL into the copy's store: Ready, or Failed with the reason in `error`."""
        copy = self._copies.get(copy_id)
        if copy is None or copy.state not in ("Allocated", "Failed"):
            return
        template = self._templates[copy.template_id]
        if self.carrier is not None and self._is_carried(template, copy.zone_id):
            await self._have_carried(self.carrier, template, copy)
            return
        with self._store.transaction():
            self._move(
                copy_id, "Creating", download_state="DOWNLOAD_IN_PROGRESS", download_percent=0, error=None
            )
        try:
            host = self._secondary.host_for(copy.zone_id)
        except ResourceUnavailable:  # no host yet: `resume` tries again
            with self._store.transaction():
                self._move(copy_id, "Allocated", download_state="NOT_DOWNLOADED")
            return
        try:
            command = DownloadTemplateCommand(
                template_id=template.id,
                url=self._url(template, copy),
                store_url=self._stores[copy.store_id].url,
                format=template.format,
                checksum=template.checksum,
            )
            answer = await self._agents.send(host.id, command)
            if not isinstance(answer, DownloadTemplateAnswer) or not answer.ok:
                raise ImageFailed(answer.error or f"Template {template.name} was not downloaded")
        except CloudError as error:
            self._fail(copy_id, error.text)
            return
        except asyncio.CancelledError:  # the server ends: the next one begins it anew
            raise
        except BaseException:
            self._fail(copy_id, "The download was interrupted")
            raise
        self._ready(copy_id, template.id, answer.path, answer.size, answer.checksum)

    # by way of secondary storage VMs

    def _is_carried(self, template: Template, zone_id: str) -> bool:
        assert self.carrier is not None
        url = (template.url or "").strip().lower()
        return (
            template.type != "SYSTEM"
            and url.partition("://")[0] in FETCHED
            and self.carrier.takes(zone_id)
        )

    async def _have_carried(self, carrier: Carrier, template: Template, copy: TemplateOnStore) -> None:
        with self._store.transaction():
            self._move(
                copy.id, "Creating", download_state="DOWNLOAD_IN_PROGRESS", download_percent=0, error=None
            )
            transfer = carrier.add(
                msgspec.structs.replace(
                    self.transfer(template, copy), url=(template.url or "").strip(), checksum=template.checksum
                )
            )
        carrier.begin(transfer)
        try:
            await carrier.wait(transfer.id)
        except ResourceUnavailable:
            return  # the template was deleted

    def transfer(self, template: Template, copy: TemplateOnStore) -> Transfer:
        """A download of the template's file to where the copy is to be: where a host would put it, too."""
        return Transfer(
            id=self._randomness.uuid(),
            kind="Download",
            object_type="Iso" if template.format == "ISO" else "Template",
            object_id=template.id,
            zone_id=copy.zone_id,
            account_id=template.account_id,
            domain_id=template.domain_id,
            store_id=copy.store_id,
            path=f"templates/{template.id}.{template.format.lower()}",
            format=template.format,
            created=self._foundation.now(),
        )

    def _transfers_of(self, copy: TemplateOnStore) -> list[Transfer]:
        """What is under way to make the copy."""
        if self.carrier is None:
            return []
        found = self.carrier.open_of(copy.template_id, zone_id=copy.zone_id)
        return [each for each in found if each.kind != "Extract" and each.state != "Cancelling"]

    def transfer_changed(self, transfer: Transfer) -> None:
        """Make the copy what its transfer is. In the transaction that changes it."""
        copy = self._copies.find(("template_id", "store_id"), (transfer.object_id, transfer.store_id))
        if transfer.kind == "Extract" or copy is None or copy.state not in ("Creating", "Allocated"):
            return
        if transfer.state in ("Running", "Waiting", "Published"):
            percent = 100 * transfer.done // transfer.size if transfer.size else 0
            percent = max(copy.download_percent, min(percent, 99))
            if transfer.kind == "Upload":
                begun = transfer.state == "Running"
                state = "UPLOAD_IN_PROGRESS" if begun else "NOT_UPLOADED"
                self._copies.update(copy.id, state="Creating", download_state=state, download_percent=percent)
            elif percent != copy.download_percent:
                self._copies.update(copy.id, download_percent=percent)
        elif transfer.state == "Done":
            if copy.state == "Allocated":
                self._move(copy.id, "Creating")
            size, physical = transfer.virtual_size, transfer.physical_size
            self._ready(copy.id, transfer.object_id, transfer.path, size, transfer.checksum, physical)
        elif transfer.state == "Expired":
            self._fail(copy.id, "It was not uploaded in time", "UPLOAD_ABANDONED")
        elif transfer.error is None:  # to be downloaded by a host
            self._move(copy.id, "Allocated", download_state="NOT_DOWNLOADED", download_percent=0)
        else:
            state = "UPLOAD_ERROR" if transfer.kind == "Upload" else "DOWNLOAD_ERROR"
            self._fail(copy.id, transfer.error, state)

    # the file

    def _url(self, template: Template, copy: TemplateOnStore) -> str:
        """Where to fetch the template from: its URL, or the file of another zone's copy."""
        if template.url is not None:
            return template.url
        for other in self._copies.where("template_id", template.id):
            store = self._stores.get(other.store_id)
            if other.state == "Ready" and other.id != copy.id and store is not None:
                return f"{store.url.rstrip('/')}/{other.path.lstrip('/')}"
        raise ResourceUnavailable(f"Template {template.name} has no URL and no ready copy to fetch it from")

    def _fail(self, copy_id: str, text: str, state: str = "DOWNLOAD_ERROR") -> None:
        if copy_id in self._copies:
            with self._store.transaction():
                self._move(copy_id, "Failed", download_state=state, error=text)

    def _ready(
        self,
        copy_id: str,
        template_id: str,
        path: str,
        size: int,
        checksum: str | None = None,
        physical: int = 0,
    ) -> None:
        template = self._templates.get(template_id)
        if copy_id not in self._copies or template is None:
            return
        with self._store.transaction():
            self._move(
                copy_id,
                "Ready",
                download_state="DOWNLOADED",
                download_percent=100,
                path=path,
                size=size,
                physical_size=physical,
            )
            if not template.size:
                self._templates.update(template_id, size=size)
            if template.checksum is None and checksum is not None:
                self._templates.update(template_id, checksum=checksum)

    # made of something

    async def make(self, copy_id: str, source: Snapshot | Volume) -> None:
        """Make the copy's file of a snapshot or a volume. Raises what went wrong; the copy is Failed then."""
        copy = self._copies[copy_id]
        template = self._templates[copy.template_id]
        with self._store.transaction():
            self._move(copy_id, "Creating")
        try:
            image: ImageSpec | None = None
            disk: DiskSpec | None = None
            if isinstance(source, Snapshot):
                image = self._secondary.image(source.store_id, source.path or "", source.size)
                host = self._secondary.host_for(copy.zone_id)
            else:
                check_at_rest(source)
                disk = self._disks.spec(source)
                host = self._disks.reach.host_for(self._pools[source.pool_id or ""])
            command = CreateTemplateCommand(
                template_id=template.id, store_url=self._stores[copy.store_id].url, image=image, disk=disk
            )
            answer = await self._agents.send(host.id, command)
            if not isinstance(answer, CreateTemplateAnswer) or not answer.ok:
                raise ImageFailed(answer.error or f"Template {template.name} was not made")
        except CloudError as error:
            self._fail(copy_id, error.text)
            raise
        except BaseException:
            self._fail(copy_id, "It was interrupted")
            raise
        self._ready(copy_id, template.id, answer.path, answer.size or source.size)

    # removal

    def check_removable(self, copy: TemplateOnStore) -> None:
        """Raise while a host is making or removing the copy."""
        if copy.state in ("Creating", "Destroying") and not self._transfers_of(copy):
            raise InvalidParameterValue("Please specify a template that is not currently being downloaded.")

    async def remove(self, copy: TemplateOnStore) -> None:
        """Remove a copy and its file; Ready again when the file cannot be removed. A transfer to it is given up."""
        if self.carrier is not None:
            with self._store.transaction():
                for transfer in self.carrier.open_of(copy.template_id, zone_id=copy.zone_id):
                    self.carrier.cancel(transfer)
        if copy.path:
            store = self._stores.get(copy.store_id)
            if store is not None:
                with self._store.transaction():
                    self._move(copy.id, "Destroying")
                try:
                    await self._secondary.delete(ImageSpec(store.url, copy.path, copy.size), copy.zone_id)
                except BaseException:
                    if copy.id in self._copies:
                        with self._store.transaction():
                            self._move(copy.id, "Ready")
                    raise
        if copy.id in self._copies:
            with self._store.transaction():
                self._copies.delete(copy.id)

    async def leave_pools(self, template_id: str) -> bool:
        """Remove the template from pools where no volume is a clone of it; whether none is left."""
        left = False
        for on_pool in self._on_pool.where("template_id", template_id):
            used = any(v.template_id == template_id for v in self._volumes.where("pool_id", on_pool.pool_id))
            if used or on_pool.state not in ("Ready", "Unknown"):
                left = True
                continue
            try:
                host = self._disks.reach.host_for(self._pools[on_pool.pool_id])
                command = DeleteTemplateCommand(pool_id=on_pool.pool_id, path=on_pool.path)
                answer = await self._agents.send(host.id, command)
                if not answer.ok:
                    left = True
                    continue
            except CloudError:
                left = True
                continue
            if on_pool.id in self._on_pool:
                with self._store.transaction():
                    self._on_pool.delete(on_pool.id)
        return not left
