"""Affinity groups as constraints on placement: which hosts an instance must, and must not, be put on."""

from __future__ import annotations

from cloudsim.management.foundation import Foundation
from cloudsim.model import AffinityGroup, VirtualMachine
from cloudsim.store import Change

ANTI_AFFINITY = "host anti-affinity"
AFFINITY = "host affinity"
SOFT_ANTI_AFFINITY = "non-strict host anti-affinity"
SOFT_AFFINITY = "non-strict host affinity"
EXPLICIT_DEDICATION = "ExplicitDedication"
"""The type of the groups that come with dedicated resources; nobody makes one by itself."""
TYPES = (ANTI_AFFINITY, AFFINITY, SOFT_ANTI_AFFINITY, SOFT_AFFINITY)


class Affinity:
    """Knows the members of every group, from the store's change feed."""

    def __init__(self, foundation: Foundation) -> None:
        self._groups = foundation.table(AffinityGroup)
        self._vms = foundation.table(VirtualMachine)
        self._members: dict[str, dict[str, None]] = {}
        for vm in self._vms:
            self._count(None, vm)
        foundation.store.subscribe(self._changed, VirtualMachine)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            if table is self._vms:
                self._count(before, after)

    def _count(self, before: VirtualMachine | None, after: VirtualMachine | None) -> None:
        old = before.affinity_group_ids if before is not None else ()
        new = after.affinity_group_ids if after is not None else ()
        if old == new:
            return
        vm = before or after
        assert vm is not None
        for group_id in old:
            del self._members[group_id][vm.id]
        for group_id in new:
            self._members.setdefault(group_id, {})[vm.id] = None

    def members(self, group_id: str) -> list[VirtualMachine]:
        """The instances in the group."""
        return [self._vms[vm_id] for vm_id in self._members.get(group_id, ())]

    def is_dedicated(self, vm: VirtualMachine) -> bool:
        """Whether the instance is to run on what is dedicated to its owner."""
        groups = (self._groups.get(group_id) for group_id in vm.affinity_group_ids)
        return any(group is not None and group.type == EXPLICIT_DEDICATION for group in groups)

    def constraints(self, vm: VirtualMachine) -> tuple[set[str] | None, set[str]]:
        """Ids of the only hosts allowed (None: any), and of those forbidden, by the strict groups."""
        allowed: set[str] | None = None
        forbidden: set[str] = set()
        for group_id in vm.affinity_group_ids:
            group = self._groups.get(group_id)
            if group is None:
                continue
            hosts = self._hosts_of_others(vm, group_id)
            if group.type == ANTI_AFFINITY:
                forbidden |= hosts
            elif group.type == AFFINITY and hosts:
                allowed = hosts if allowed is None else allowed & hosts
        return allowed, forbidden

    def wishes(self, vm: VirtualMachine) -> tuple[set[str] | None, set[str]]:
        """As `constraints`, by the groups that are not strict."""
        preferred: set[str] | None = None
        disliked: set[str] = set()
        for group_id in vm.affinity_group_ids:
            group = self._groups.get(group_id)
            if group is None:
                continue
            if group.type == SOFT_ANTI_AFFINITY:
                disliked |= self._hosts_of_others(vm, group_id)
            elif group.type == SOFT_AFFINITY:
                preferred = (preferred or set()) | self._hosts_of_others(vm, group_id)
        return preferred or None, disliked

    def _hosts_of_others(self, vm: VirtualMachine, group_id: str) -> set[str]:
        hosts: set[str] = set()
        for other in self.members(group_id):
            if other.id != vm.id:
                hosts.update(h for h in (other.host_id, other.migrating_to) if h is not None)
        return hosts
