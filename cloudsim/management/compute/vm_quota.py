"""What owners of instances that are there may still have: more of a size, an instance back, more disks."""

from __future__ import annotations

from cloudsim.management.compute.vm_sizes import Sizes
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.quota import Quota
from cloudsim.management.identity.tagged_counts import vm_tags
from cloudsim.model import Account, VirtualMachine


class VmQuota:
    """Checks changes of instances against their owners' limits."""

    def __init__(self, foundation: Foundation, quota: Quota) -> None:
        self._store = foundation.store
        self._accounts = foundation.table(Account)
        self._quota = quota

    def check_growth(self, vm: VirtualMachine, size: Sizes, gpus: int) -> None:
        """Raise ResourceAllocationFailed unless the instance's owner may have it of that size."""
        owner = self._accounts[vm.account_id]
        tags = vm_tags(self._store, vm)
        self._quota.check(owner, "cpu", size.cpus - vm.cpus, tags=tags)
        self._quota.check(owner, "memory", size.memory_mib - vm.memory_mib, tags=tags)
        self._quota.check(owner, "gpu", gpus - vm.gpus, tags=tags)

    def check_return(self, vm: VirtualMachine) -> None:
        """Raise ResourceAllocationFailed unless the owner of a destroyed instance may have it back."""
        owner = self._accounts[vm.account_id]
        tags = vm_tags(self._store, vm)
        self._quota.check(owner, "user_vm", 1, tags=tags)
        self._quota.check(owner, "cpu", vm.cpus, tags=tags)
        self._quota.check(owner, "memory", vm.memory_mib, tags=tags)
        self._quota.check(owner, "gpu", vm.gpus, tags=tags)

    def check_disk(self, vm: VirtualMachine, disks: int, size: int) -> None:
        """Raise ResourceAllocationFailed unless the instance's owner may have so many more disks, of so many more bytes."""
        owner = self._accounts[vm.account_id]
        self._quota.check(owner, "volume", disks)
        self._quota.check(owner, "primary_storage", size)
