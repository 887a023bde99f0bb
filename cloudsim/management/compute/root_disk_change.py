"""What becomes of an instance's root disk when the instance gets another service offering."""

from __future__ import annotations

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.disk_plan import checked_iops
from cloudsim.management.compute.disk_traits import ROOT_OFFERING, DiskTraits, traits_of
from cloudsim.management.foundation import Foundation
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.volume_offering import VolumeOfferings
from cloudsim.model import DiskOffering, ServiceOffering, VirtualMachine, Volume


class RootDiskWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller says of the root disk. IOPS are for offerings that leave them open.

    `auto_migrate`: it may be moved to a pool that suits; `shrink_ok`: it may become smaller.
    """

    min_iops: int | None = None
    max_iops: int | None = None
    auto_migrate: bool = False
    shrink_ok: bool = False


NO_WISH = RootDiskWish()


class RootDiskChange:
    """Has root disks follow service offerings: to the disk offering that one names, or to what it says of disks itself."""

    def __init__(self, foundation: Foundation, disks: Disks, volume_offerings: VolumeOfferings) -> None:
        self._store = foundation.store
        self._disks = disks
        self._volume_offerings = volume_offerings
        self._volumes = foundation.table(Volume)
        self._offerings = foundation.table(DiskOffering)

    def check(self, vm: VirtualMachine, service: ServiceOffering, wish: RootDiskWish) -> None:
        """Raise what stands against the change, as far as it can be told at once."""
        root, offering = self._root(vm), self._other_offering(vm, service)
        if root is not None and offering is not None:
            self._volume_offerings.check(
                root,
                offering,
                min_iops=wish.min_iops,
                max_iops=wish.max_iops,
                auto_migrate=wish.auto_migrate,
            )
            return
        if wish.min_iops is not None or wish.max_iops is not None:
            traits = DiskTraits() if root is None else self._traits(root, service)
            if not traits.customized_iops:
                raise InvalidParameterValue(
                    f"miniops and maxiops cannot be given: the root disk of {vm.name} with service offering "
                    f"{service.name} does not take them"
                )
            checked_iops(wish.min_iops, wish.max_iops)
        if root is not None and wish.auto_migrate:
            self._volume_offerings.check_place(root, self._traits(root, service), service.name)

    async def make(self, vm: VirtualMachine, service: ServiceOffering, wish: RootDiskWish) -> None:
        """Change the root disk, as `check` found that it can be. Moved it stays moved when the rest fails."""
        root, offering = self._root(vm), self._other_offering(vm, service)
        if root is None:
            return
        if offering is not None:
            await self._volume_offerings.change(
                root.id,
                offering,
                min_iops=wish.min_iops,
                max_iops=wish.max_iops,
                auto_migrate=wish.auto_migrate,
                shrink_ok=wish.shrink_ok,
            )
            return
        if wish.auto_migrate:
            await self._volume_offerings.place(root, self._traits(root, service), service.name)
        chosen = {name: value for name in ("min_iops", "max_iops") if (value := getattr(wish, name)) is not None}
        if chosen:
            with self._store.transaction():
                self._volumes.update(root.id, **chosen)

    def _root(self, vm: VirtualMachine) -> Volume | None:
        return next((volume for volume in self._disks.of(vm) if volume.type == "ROOT"), None)

    def _other_offering(self, vm: VirtualMachine, service: ServiceOffering) -> DiskOffering | None:
        """The disk offering that the service offering names, where the root disk is not of it already."""
        root, named = self._root(vm), self._offerings.get(service.details.get(ROOT_OFFERING))
        return None if root is None or named is None or root.disk_offering_id == named.id else named

    def _traits(self, root: Volume, service: ServiceOffering) -> DiskTraits | DiskOffering:
        return self._offerings.get(root.disk_offering_id) or traits_of(service)
