"""Templates' copies on storage pools, of which root disks are clones: made when they are first needed."""

from __future__ import annotations

import asyncio

from cloudsim.errors import ResourceUnavailable, StorageFailed
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents, OutcomeUnknown
from cloudsim.management.storage.pool_reach import PoolReach
from cloudsim.model import Host, ImageStore, StoragePool, Template, TemplateOnPool, TemplateOnStore
from cloudsim.protocol.commands import CopyTemplateAnswer, CopyTemplateCommand
from cloudsim.protocol.specs import ImageSpec
from cloudsim.randomness import Randomness


def template_file(template_id: str) -> str:
    """What hosts call a template's copy on a pool."""
    return f"template-{template_id}"


class PoolTemplates:
    """Brings templates from secondary storage onto pools. `randomness` gives the copies their ids."""

    def __init__(
        self, foundation: Foundation, agents: Agents, reach: PoolReach, randomness: Randomness
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._reach = reach
        self._randomness = randomness
        self._on_pool = foundation.table(TemplateOnPool)
        self._on_store = foundation.table(TemplateOnStore)
        self._copies: dict[tuple[str, str], asyncio.Future[TemplateOnPool]] = {}

    def recover(self) -> None:
        """After a restart: copies that were being made are perhaps there. Needs an open transaction."""
        for copy in list(self._on_pool):
            if copy.state == "Creating":
                self._on_pool.update(copy.id, state="Unknown")

    async def prepare(self, template: Template, pool: StoragePool) -> TemplateOnPool:
        """Bring the template onto the pool before anything needs it there."""
        copy = self._ready(template.id, pool)
        return copy or await self._copy(template.id, pool, self._reach.host_for(pool))

    async def path(self, template_id: str, pool: StoragePool, host: Host) -> str:
        """The path of the template's copy on the pool, which the host makes if there is none."""
        copy = self._ready(template_id, pool) or await self._copy(template_id, pool, host)
        return copy.path

    def _ready(self, template_id: str, pool: StoragePool) -> TemplateOnPool | None:
        copy = self._on_pool.find(("template_id", "pool_id"), (template_id, pool.id))
        return copy if copy is not None and copy.state == "Ready" else None

    async def _copy(self, template_id: str, pool: StoragePool, host: Host) -> TemplateOnPool:
        """Bring the template onto the pool, once however many ask for it."""
        key = (template_id, pool.id)
        running = self._copies.get(key)
        if running is None:
            running = asyncio.get_running_loop().create_task(self._fetch(template_id, pool, host))
            self._copies[key] = running
            running.add_done_callback(
                lambda done: (self._copies.pop(key, None), done.cancelled() or done.exception())
            )
        await asyncio.wait((running,))  # not a shield, which would keep the failure for a waiter that is no more
        return running.result()

    async def _fetch(self, template_id: str, pool: StoragePool, host: Host) -> TemplateOnPool:
        image = self.image(self._foundation.table(Template)[template_id], pool.zone_id)
        with self._store.transaction():
            row = self._on_pool.find(("template_id", "pool_id"), (template_id, pool.id))
            if row is None:
                row = self._on_pool.insert(
                    TemplateOnPool(
                        id=self._randomness.uuid(),
                        template_id=template_id,
                        pool_id=pool.id,
                        path=template_file(template_id),
                    )
                )
            else:
                self._on_pool.update(row.id, state="Creating")
        try:
            command = CopyTemplateCommand(image=image, pool_id=pool.id, template_id=template_id)
            answer = await self._agents.send(host.id, command)
            if not isinstance(answer, CopyTemplateAnswer) or not answer.ok:
                raise StorageFailed(answer.error or f"Template {template_id} was not copied to {pool.name}")
        except OutcomeUnknown:
            self._perhaps(row)
            raise
        except BaseException:
            if row.id in self._on_pool:
                with self._store.transaction():
                    if row.state == "Unknown":  # that this attempt failed says nothing of an earlier one
                        self._on_pool.update(row.id, state="Unknown")
                    else:
                        self._on_pool.delete(row.id)
            raise
        with self._store.transaction():
            return self._on_pool.update(row.id, state="Ready", path=answer.path, size=answer.size)

    def _perhaps(self, row: TemplateOnPool) -> None:
        """Nobody knows whether the host copied it: the row stays, and the next copy, which finds the file, settles it."""
        if row.id in self._on_pool:
            with self._store.transaction():
                self._on_pool.update(row.id, state="Unknown")

    def image(self, template: Template, zone_id: str) -> ImageSpec:
        """The template's file in the zone's secondary storage. Raises ResourceUnavailable."""
        stores = self._foundation.table(ImageStore)
        for copy in self._on_store.where("template_id", template.id):
            store = stores.get(copy.store_id)
            if copy.state == "Ready" and copy.zone_id == zone_id and store is not None:
                return ImageSpec(
                    store.url, copy.path, copy.size or template.size, template.format, template.checksum
                )
        raise ResourceUnavailable(f"Template {template.name} is not ready in the zone's secondary storage")
