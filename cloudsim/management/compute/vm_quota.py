"""What owners of instances that are there may still have: more of a size, an instance back, more disks."""

from __future__ import annotations

from collections.abc import Sequence

from cloudsim.management.compute.vm_sizes import Sizes
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.limited_resources import Kind
from cloudsim.management.identity.quota import Quota
from cloudsim.management.identity.tagged_counts import vm_tags, volume_tags
from cloudsim.model import Account, DiskOffering, ServiceOffering, VirtualMachine, Volume


class VmQuota:
    """Checks changes of instances against their owners' limits."""

    def __init__(self, foundation: Foundation, quota: Quota) -> None:
        self._store = foundation.store
        self._accounts = foundation.table(Account)
        self._services = foundation.table(ServiceOffering)
        self._quota = quota

    def check_growth(self, vm: VirtualMachine, size: Sizes, offering: ServiceOffering) -> None:
        """Raise ResourceAllocationFailed unless the instance's owner may have it of that size, by that offering.

        Its root disk follows the service offering where it has no disk offering.
        """
        owner = self._accounts[vm.account_id]
        had, tags = vm_tags(self._store, vm), offering.host_tags
        growing: tuple[tuple[Kind, int, int], ...] = (
            ("user_vm", 1, 1),
            ("cpu", vm.cpus, size.cpus),
            ("memory", vm.memory_mib, size.memory_mib),
            ("gpu", vm.gpus, offering.gpus),
        )
        for kind, before, after in growing:
            self._quota.check_growth(owner, kind, before, after, had=had, tags=tags)
        for volume in self._store.table(Volume).where("vm_id", vm.id):
            if volume.type == "ROOT" and volume.disk_offering_id is None:
                had, tags = volume_tags(self._store, volume), offering.storage_tags
                self._quota.check_growth(owner, "volume", 1, 1, had=had, tags=tags)
                self._quota.check_growth(owner, "primary_storage", volume.size, volume.size, had=had, tags=tags)

    def check_return(self, vm: VirtualMachine) -> None:
        """Raise ResourceAllocationFailed unless the owner of a destroyed instance may have it back."""
        owner = self._accounts[vm.account_id]
        tags = vm_tags(self._store, vm)
        self._quota.check(owner, "user_vm", 1, tags=tags)
        self._quota.check(owner, "cpu", vm.cpus, tags=tags)
        self._quota.check(owner, "memory", vm.memory_mib, tags=tags)
        self._quota.check(owner, "gpu", vm.gpus, tags=tags)

    def check_root(
        self, vm: VirtualMachine, old: Sequence[Volume], size: int, offering: DiskOffering | None
    ) -> None:
        """Raise ResourceAllocationFailed unless the instance's owner may have a root disk of that size instead of the old.

        Without a disk offering it is by the old one's, or by the instance's service offering.
        """
        owner = self._accounts[vm.account_id]
        had = volume_tags(self._store, old[0]) if old else ()
        if offering is not None:
            tags = offering.tags
        else:
            tags = had if old else self._services[vm.service_offering_id].storage_tags
        present = sum(volume.size for volume in old)
        self._quota.check_growth(owner, "volume", len(old), 1, had=had, tags=tags)
        self._quota.check_growth(owner, "primary_storage", present, size, had=had, tags=tags)
