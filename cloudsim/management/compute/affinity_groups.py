"""Affinity groups: instances that must share a host, or must not."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.compute.affinity import EXPLICIT_DEDICATION, TYPES, Affinity
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import in_subtree
from cloudsim.model import Account, AffinityGroup, Domain, VirtualMachine


class AffinityGroups:
    """Makes and removes groups; placement reads them."""

    def __init__(self, foundation: Foundation, affinity: Affinity) -> None:
        self._store = foundation.store
        self._affinity = affinity
        self._table = foundation.table(AffinityGroup)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("affinity_groups")
        self._now = foundation.now

    def create(self, owner: Account, name: str, type: str, description: str = "") -> AffinityGroup:
        """A group of one of the types that placement knows."""
        if type not in TYPES:
            raise InvalidParameterValue(
                f"Unable to create affinity group, invalid affinity group type: {type}"
            )
        if not name.strip():
            raise InvalidParameterValue("An affinity group needs a name")
        if self._table.find(("account_id", "name"), (owner.id, name)) is not None:
            raise InvalidParameterValue(
                f"Unable to create affinity group, a group with name {name} already exists."
            )
        with self._store.transaction():
            return self._table.insert(
                AffinityGroup(
                    id=self._randomness.uuid(),
                    name=name,
                    type=type,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    description=description,
                    created=self._now(),
                )
            )

    def create_for_dedication(self, owner: Account, domain: Domain, name: str, *, of_domain: bool) -> AffinityGroup:
        """The group of those to whom something is dedicated. Needs an open transaction."""
        return self._table.insert(
            AffinityGroup(
                id=self._randomness.uuid(),
                name=self._free_name(owner, name),
                type=EXPLICIT_DEDICATION,
                account_id=owner.id,
                domain_id=domain.id,
                of_domain=of_domain,
                description="dedicated resources group",
                created=self._now(),
            )
        )

    def _free_name(self, owner: Account, name: str) -> str:
        free, number = name, 1
        while self._table.find(("account_id", "name"), (owner.id, free)) is not None:
            number += 1
            free = f"{name}-{number}"
        return free

    def check_use(self, owner: Account, group: AffinityGroup) -> None:
        """Raise PermissionDenied unless the owner's instances may be in the group."""
        theirs = group.account_id == owner.id
        if group.of_domain:
            theirs = in_subtree(self._store, owner.domain_id, group.domain_id)
        if not theirs:
            raise PermissionDenied(
                f"Affinity group {group.name} is not of {owner.name}, whose the instance is to be"
            )

    def of_name(self, owner: Account, name: str) -> AffinityGroup:
        """The account's group of that name. Raises InvalidParameterValue."""
        group = self._table.find(("account_id", "name"), (owner.id, name))
        if group is None:
            raise InvalidParameterValue(f"Unable to find affinity group {name} of account {owner.name}")
        return group

    def members(self, group: AffinityGroup) -> list[VirtualMachine]:
        """The instances in the group."""
        return self._affinity.members(group.id)

    def of_domains(self, account: Account) -> list[AffinityGroup]:
        """The groups of whole domains that the account may use."""
        return [
            group
            for group in self._table
            if group.of_domain and in_subtree(self._store, account.domain_id, group.domain_id)
        ]

    def check_delete(self, group: AffinityGroup) -> None:
        """Raise InvalidParameterValue for a group that goes with dedicated resources."""
        if group.type == EXPLICIT_DEDICATION:
            raise InvalidParameterValue(
                f"Affinity group {group.name} goes when nothing is dedicated to its owner any more: release that"
            )

    def delete(self, group: AffinityGroup) -> None:
        """Remove the group; its instances stay where they are and are free of it from then on."""
        with self._store.transaction():
            for vm in self.members(group):
                left = tuple(group_id for group_id in vm.affinity_group_ids if group_id != group.id)
                self._vms.update(vm.id, affinity_group_ids=left)
            self._table.delete(group.id)
