"""Moving what secondary storage holds from one image store to another of the same zone: copied, noted, then removed.

A file stays readable where it was until its row names the copy; what is left over of one that could not be removed
then is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal, NamedTuple

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.storage.secondary_storage import ImageFailed, SecondaryStorage
from cloudsim.model import ImageStore, Snapshot, Template, TemplateOnStore, VolumeOnStore
from cloudsim.protocol.commands import CopyImageAnswer, CopyImageCommand
from cloudsim.protocol.specs import ImageSpec

log = logging.getLogger(__name__)

MigrationType = Literal["Complete", "Balance"]
Held = TemplateOnStore | Snapshot | VolumeOnStore


class Moved(NamedTuple):
    """What became of a migration: how many objects were moved, how many could not be, and the first reason."""

    moved: int
    failed: int
    reason: str = ""


class ImageMigration:
    """Empties image stores, or evens them out."""

    def __init__(self, foundation: Foundation, agents: Agents, secondary: SecondaryStorage) -> None:
        self._store = foundation.store
        self._agents = agents
        self._secondary = secondary
        self._stores = foundation.table(ImageStore)
        self._templates = foundation.table(Template)
        self._copies = foundation.table(TemplateOnStore)
        self._snapshots = foundation.table(Snapshot)
        self._uploads = foundation.table(VolumeOnStore)

    def check(self, source: ImageStore, targets: Sequence[ImageStore]) -> None:
        """Raise InvalidParameterValue unless what is on `source` can go to all the targets."""
        if not targets:
            raise InvalidParameterValue("No destination image store is given")
        for target in targets:
            if target.id == source.id:
                raise InvalidParameterValue(f"Image store {source.name} is both the source and a destination")
            if target.zone_id != source.zone_id:
                raise InvalidParameterValue(
                    f"Image store {target.name} is not in the zone of {source.name}: data moves within a zone"
                )
            if target.read_only:
                raise InvalidParameterValue(f"Image store {target.name} is read-only, and takes nothing new")

    def held(self, store: ImageStore) -> list[Held]:
        """What the store holds of users: ready templates and ISOs, snapshots, uploaded volumes; the largest first."""
        copies = [
            copy
            for copy in self._copies.where("store_id", store.id)
            if copy.state == "Ready"
            and (template := self._templates.get(copy.template_id)) is not None
            and template.type not in ("SYSTEM", "BUILTIN")
        ]
        zone_id = store.zone_id
        near = list(self._snapshots) if zone_id is None else self._snapshots.where("zone_id", zone_id)
        snapshots = [s for s in near if s.store_id == store.id and s.state == "BackedUp"]
        uploads = [upload for upload in self._uploads.where("store_id", store.id) if upload.path]
        held: list[Held] = [*copies, *snapshots, *uploads]
        return sorted(held, key=lambda each: (-_size(each), each.id))

    def chosen(
        self, store: ImageStore, templates: Sequence[Template], snapshots: Sequence[Snapshot]
    ) -> list[Held]:
        """What the store holds of these. Raises InvalidParameterValue for one that it does not."""
        held = self.held(store)
        found: list[Held] = []
        for template in templates:
            copies = [h for h in held if isinstance(h, TemplateOnStore) and h.template_id == template.id]
            if not copies:
                raise InvalidParameterValue(f"Template {template.name} is not ready on image store {store.name}")
            found += copies
        for snapshot in snapshots:
            if not any(h.id == snapshot.id for h in held):
                raise InvalidParameterValue(f"Snapshot {snapshot.name} is not on image store {store.name}")
            found.append(snapshot)
        if not found:
            raise InvalidParameterValue("Neither templates nor snapshots are given")
        return found

    async def migrate(
        self, source: ImageStore, targets: Sequence[ImageStore], kind: MigrationType = "Complete"
    ) -> Moved:
        """Move everything to the targets, each thing to the one that is least full; or so much that all are about as full.

        A complete migration makes the source read-only first, so that it ends.
        """
        if kind == "Complete" and not source.read_only:
            with self._store.transaction():
                self._stores.update(source.id, read_only=True)
        used = {store.id: sum(map(_size, self.held(store))) for store in (source, *targets)}
        sized = all(store.capacity for store in (source, *targets))

        def fullness(store: ImageStore, size: int = 0) -> float:
            return (used[store.id] + size) / (store.capacity if sized else 1)

        moved, failed, reason = 0, 0, ""
        for held in self.held(source):
            size = _size(held)
            target = min(targets, key=fullness)
            if kind == "Balance" and fullness(target, size) >= fullness(source):
                continue
            try:
                await self.move(held, target)
            except CloudError as error:
                failed, reason = failed + 1, reason or error.text
                log.warning("what image store %s holds at %s stays there: %s", source.name, held.path, error.text)
                continue
            moved += 1
            used[target.id] += size
            used[source.id] -= size
        return Moved(moved, failed, reason)

    async def move_all(self, chosen: Sequence[Held], target: ImageStore) -> Moved:
        """Move these to the target; those that fail stay where they are."""
        moved, failed, reason = 0, 0, ""
        for held in chosen:
            try:
                await self.move(held, target)
                moved += 1
            except CloudError as error:
                failed, reason = failed + 1, reason or error.text
        return Moved(moved, failed, reason)

    async def move(self, held: Held, target: ImageStore) -> None:
        """Move one thing. Raises CloudError, and it is where it was."""
        source = self._stores.get(held.store_id)
        if source is None or held.path is None:
            raise ImageFailed("What was to be moved is gone")
        old = ImageSpec(source.url, held.path, held.size)
        if not (isinstance(held, TemplateOnStore) and self._is_on(held, target)):
            answer = await self._agents.send(
                self._secondary.host_for(held.zone_id).id, CopyImageCommand(image=old, store_url=target.url)
            )
            if not isinstance(answer, CopyImageAnswer) or not answer.ok:
                raise ImageFailed(answer.error or f"{held.path} was not copied to image store {target.name}")
        if not self._note(held, target):
            await self._remove(ImageSpec(target.url, held.path, held.size), held.zone_id)
            raise ImageFailed(f"{held.path} of image store {source.name} changed while it was being moved")
        await self._remove(old, held.zone_id)

    def _is_on(self, copy: TemplateOnStore, target: ImageStore) -> bool:
        other = self._copies.find(("template_id", "store_id"), (copy.template_id, target.id))
        return other is not None and other.state == "Ready"

    def _note(self, held: Held, target: ImageStore) -> bool:
        """Say in its row that it is on the target now; False if the row is not what it was."""
        table = self._store.tables[type(held).__name__]
        now = table.get(held.id)
        if now is None or (now.store_id, now.path) != (held.store_id, held.path):
            return False
        if isinstance(held, TemplateOnStore | Snapshot) and now.state != held.state:
            return False
        with self._store.transaction():
            if isinstance(held, TemplateOnStore) and self._is_on(held, target):
                table.delete(held.id)
            else:
                table.update(held.id, store_id=target.id)
        return True

    async def _remove(self, image: ImageSpec, zone_id: str) -> None:
        try:
            await self._secondary.delete(image, zone_id)
        except CloudError as error:
            log.warning("%s is left over in secondary storage %s: %s", image.path, image.store_url, error.text)


def _size(held: Held) -> int:
    return held.physical_size or held.size
