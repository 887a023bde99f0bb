"""Removing templates and ISOs, and what deleted ones left behind."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.storage.template_images import TemplateImages
from cloudsim.model import Template, TemplateOnPool, TemplateOnStore, VirtualMachine, Volume, Zone
from cloudsim.model.compute import GONE


class TemplateRemoval:
    """Removes templates from zones, and forgets them once nothing refers to them."""

    def __init__(self, foundation: Foundation, images: TemplateImages) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._images = images
        self._table = foundation.table(Template)
        self._copies = foundation.table(TemplateOnStore)
        self._vms = foundation.table(VirtualMachine)

    def check_deletable(
        self, template: Template, zone: Zone | None = None, *, forced: bool = False, system: bool = False
    ) -> None:
        """Raise what stands against removing the template (from that zone). `system`: it may be one of system VMs."""
        if template.type in ("SYSTEM", "ROUTING") and not system:
            raise InvalidParameterValue(
                f"Template {template.name} is a {template.type} template and cannot be deleted without issystem"
            )
        if not forced:
            users = [
                vm.name
                for vm in (
                    *self._vms.where("template_id", template.id),
                    *self._vms.where("iso_id", template.id),
                )
                if vm.state not in GONE and (zone is None or vm.zone_id == zone.id)
            ]
            if users:
                raise ResourceInUse(
                    f"Unable to delete template {template.id} because VM instances: {', '.join(users[:10])} are using it."
                )
        for copy in self._copies_of(template.id, zone):
            self._images.check_removable(copy)

    def _copies_of(self, template_id: str, zone: Zone | None) -> list[TemplateOnStore]:
        copies = self._copies.where("template_id", template_id)
        return [copy for copy in copies if zone is None or copy.zone_id == zone.id]

    async def delete(
        self, template_id: str, zone: Zone | None = None, *, forced: bool = False, system: bool = False
    ) -> None:
        """Remove the template from a zone, or everywhere. Its row stays, Inactive, while a disk is a clone of it."""
        template = self._table[template_id]
        self.check_deletable(template, zone, forced=forced, system=system)
        for copy in self._copies_of(template_id, zone):
            await self._images.remove(copy)
        if self._copies.count("template_id", template_id) and zone is not None:
            return
        with self._store.transaction():
            self._table.update(
                template_id,
                state="Inactive",
                removed=self._foundation.now(),
                is_public=False,
                is_featured=False,
                shared_with=(),
            )
            remove_leftovers(self._foundation, template_id)
        await self._images.leave_pools(template_id)
        self.sweep(template_id)

    def sweep(self, template_id: str) -> bool:
        """Forget a deleted template that nothing refers to any more; whether it is gone."""
        template = self._table.get(template_id)
        if template is None:
            return True
        if (
            template.state == "Active"
            or self._vms.count("template_id", template_id)
            or self._vms.count("iso_id", template_id)
            or self._foundation.table(TemplateOnPool).count("template_id", template_id)
            or any(v.template_id == template_id for v in self._foundation.table(Volume))
        ):
            return False
        with self._store.transaction():
            self._table.delete(template_id)
        return True

    async def sweep_all(self) -> None:
        """Remove what deleted templates left on pools and in the store: to be called now and then."""
        for template in [t for t in self._table if t.state == "Inactive"]:
            await self._images.leave_pools(template.id)
            self.sweep(template.id)
