"""Instance groups: names under which an account gathers instances."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import Account, InstanceGroup, VirtualMachine


class InstanceGroups:
    """Makes, renames and removes instance groups."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(InstanceGroup)
        self._vms = foundation.table(VirtualMachine)
        self._randomness = foundation.randomness.branch("instance_groups")
        self._now = foundation.now

    def create(self, owner: Account, name: str) -> InstanceGroup:
        self._check_free(owner.id, name)
        with self._store.transaction():
            return self._table.insert(
                InstanceGroup(
                    id=self._randomness.uuid(),
                    name=name,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    created=self._now(),
                )
            )

    def ensure(self, owner: Account, name: str) -> InstanceGroup:
        """The account's group of that name, made if there is none: what a deploy with `group` asks for."""
        group = self._table.find(("account_id", "name"), (owner.id, name))
        return self.create(owner, name) if group is None else group

    def rename(self, group: InstanceGroup, name: str) -> InstanceGroup:
        if name == group.name:
            return group
        self._check_free(group.account_id, name)
        with self._store.transaction():
            return self._table.update(group.id, name=name)

    def delete(self, group: InstanceGroup) -> None:
        """Remove the group; its instances stay and are in no group then."""
        with self._store.transaction():
            for vm in self._vms.where("group_id", group.id):
                self._vms.update(vm.id, group_id=None)
            remove_leftovers(self._foundation, group.id)
            self._table.delete(group.id)

    def _check_free(self, account_id: str, name: str) -> None:
        if not name.strip():
            raise InvalidParameterValue("An instance group needs a name")
        if self._table.find(("account_id", "name"), (account_id, name)) is not None:
            raise InvalidParameterValue(
                f"Unable to create vm group, a group with name {name} already exists for the account"
            )
