"""Access control lists, of one VPC or for all of them, and the rules in them: the first that matches decides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from cloudsim.errors import CloudError, InvalidParameterValue, PermissionDenied, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.vpc.acl_rules import AclRuleRequest, checked, merged
from cloudsim.management.vpc.first_vpc_offerings import DEFAULT_ALLOW, DEFAULT_DENY, default_list
from cloudsim.management.vpc.routing import VpcRouting
from cloudsim.management.vpc.vpcs import check_enabled
from cloudsim.model import Network, NetworkAcl, NetworkAclList, NetworkOffering, PrivateGateway, Vpc
from cloudsim.store import Store

LARGEST_NUMBER = (1 << 31) - 1


class NetworkAcls:
    """Makes, changes and removes lists and their rules, and says which list a tier has.

    What changes a list that is in use is in force once the routers of its VPCs have it; where it cannot be, all is as
    it was.
    """

    def __init__(self, foundation: Foundation, routing: VpcRouting) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._routing = routing
        self._lists = foundation.table(NetworkAclList)
        self._rules = foundation.table(NetworkAcl)
        self._networks = foundation.table(Network)
        self._gateways = foundation.table(PrivateGateway)
        self._vpcs = foundation.table(Vpc)
        self._randomness = foundation.randomness.branch("network acls")

    # lists

    def default_deny(self) -> NetworkAclList:
        """The list of private gateways that name none."""
        return default_list(self._store, DEFAULT_DENY)

    def create_list(
        self, vpc: Vpc | None, *, name: str, description: str | None = None, display: bool = True
    ) -> NetworkAclList:
        """A list without rules; without a VPC a global one, for any tier of any. Raises InvalidParameterValue."""
        if vpc is not None:
            check_enabled(vpc)
        check_list_name(name, of_vpc=vpc is not None)
        with self._store.transaction():
            return self._lists.insert(
                NetworkAclList(
                    id=self._randomness.uuid(),
                    name=name,
                    description=description or "",
                    vpc_id=vpc.id if vpc is not None else None,
                    display=display,
                    created=self._foundation.now(),
                )
            )

    def check_update_list(
        self,
        acl: NetworkAclList,
        *,
        name: str | None = None,
        description: str | None = None,
        display: bool | None = None,
    ) -> dict[str, Any]:
        """The fields to change. Raises InvalidParameterValue."""
        self._check_changeable(acl)
        if name is not None:
            check_list_name(name, of_vpc=acl.vpc_id is not None)
        asked = {"name": name, "description": description, "display": display}
        return {field: value for field, value in asked.items() if value is not None}

    def update_list(self, list_id: str, changes: dict[str, Any]) -> NetworkAclList:
        """Make the changes that `check_update_list` has allowed."""
        with self._store.transaction():
            return self._lists.update(list_id, **changes)

    def check_deletable(self, acl: NetworkAclList) -> None:
        """Raise what stands against deleting the list."""
        if is_default(acl):
            raise InvalidParameterValue("Default ACL cannot be removed")
        tiers = self._networks.where("acl_id", acl.id)
        if tiers:
            raise ResourceInUse(
                f"ACL is still associated with {len(tiers)} tiers, such as {tiers[0].name}. "
                f"Cannot delete network ACL: {acl.name}"
            )
        if _gateways_with(self._store, acl):
            raise ResourceInUse(
                f"ACL is still associated with a private gateway. Cannot delete network ACL: {acl.name}"
            )

    def delete_list(self, list_id: str) -> None:
        """Remove a list that nothing has, and its rules."""
        self.check_deletable(self._lists[list_id])
        with self._store.transaction():
            self._remove_list(list_id)

    def _remove_list(self, list_id: str) -> None:
        for rule in self._rules.where("list_id", list_id):
            self._remove(rule)
        remove_leftovers(self._foundation, list_id)
        self._lists.delete(list_id)

    def remove_of(self, vpc: Vpc) -> None:
        """Remove the lists of a VPC that goes. Needs an open transaction."""
        for acl in self._lists.where("vpc_id", vpc.id):
            self._remove_list(acl.id)

    # who has which

    def check_fits(self, acl: NetworkAclList, vpc_id: str, what: str) -> None:
        """Raise InvalidParameterValue unless `what`, which is in that VPC, may have the list."""
        if acl.vpc_id is not None and acl.vpc_id != vpc_id:
            raise InvalidParameterValue(f"{what} and ACL {acl.name} do not belong to the same VPC")

    def check_replace(
        self, acl: NetworkAclList, network: Network | None, gateway: PrivateGateway | None
    ) -> None:
        """Raise what stands against giving the list to that tier or private gateway (one of them)."""
        if (network is None) == (gateway is None):
            raise InvalidParameterValue("Give networkid or gatewayid, and not both")
        if gateway is not None:
            if gateway.state != "Ready":
                raise InvalidParameterValue(f"Private gateway {gateway.ip} is {gateway.state}, not Ready")
            self.check_fits(acl, gateway.vpc_id, f"Private gateway {gateway.ip}")
            return
        assert network is not None
        if network.vpc_id is None:
            raise InvalidParameterValue(f"Network is not part of a VPC: {network.name}")
        offering = self._foundation.table(NetworkOffering).get(network.network_offering_id)
        if offering is None or "NetworkACL" not in offering.services:
            raise InvalidParameterValue(
                "Cannot apply NetworkACL. Network Offering does not support NetworkACL service"
            )
        self.check_fits(acl, network.vpc_id, f"Network {network.name}")

    async def replace(self, list_id: str, row: Network | PrivateGateway) -> None:
        """Give the list to the tier or private gateway."""
        table: Any = self._networks if isinstance(row, Network) else self._gateways
        before = table[row.id].acl_id
        with self._store.transaction():
            table.update(row.id, acl_id=self._lists[list_id].id)
        try:
            await self._routing.sync_vpc(table[row.id].vpc_id)
        except CloudError:
            with self._store.transaction():
                if row.id in table and (before is None or before in self._lists):
                    table.update(row.id, acl_id=before)
            raise

    # rules

    def rules_of(self, list_id: str) -> list[NetworkAcl]:
        """The rules of a list in their order."""
        return sorted(self._rules.where("list_id", list_id), key=lambda rule: rule.number)

    def create_rule(
        self, acl: NetworkAclList | None, network: Network | None, request: AclRuleRequest
    ) -> NetworkAcl:
        """A rule that is not in force yet (`apply`): in the list, or of the tier's own, which is made if need be.

        Raises InvalidParameterValue.
        """
        fields = checked(request)
        if acl is None:
            if network is None:
                raise InvalidParameterValue(
                    "Cannot create Network ACL Item. ACL Id or network Id is required"
                )
            if network.vpc_id is None:
                raise InvalidParameterValue(f"Network: {network.name} does not belong to VPC")
            acl = self._lists.get(network.acl_id)
            if acl is None:
                return self._first_rule(network, fields, request.number or 1)
        self._check_changeable(acl)
        number = self._number(acl, request.number)
        with self._store.transaction():
            return self._insert(acl.id, fields, number)

    def _first_rule(self, tier: Network, fields: dict[str, Any], number: int) -> NetworkAcl:
        """The rule, in a list of the tier's own, of which it has had none."""
        vpc = self._vpcs[tier.vpc_id or ""]
        self.check_replace(self.default_deny(), tier, None)  # whether it may have a list at all
        name = f"VPC_{vpc.name}_Tier_{tier.name}_ACL_{tier.id}"
        with self._store.transaction():
            acl = self.create_list(vpc, name=name, description=f"ACL for {name}")
            self._networks.update(tier.id, acl_id=acl.id)
            return self._insert(acl.id, fields, number)

    def _insert(self, list_id: str, fields: dict[str, Any], number: int) -> NetworkAcl:
        return self._rules.insert(
            NetworkAcl(
                id=self._randomness.uuid(),
                list_id=list_id,
                number=number,
                state="Add",
                created=self._foundation.now(),
                **fields,
            )
        )

    def _number(self, acl: NetworkAclList, wanted: int | None) -> int:
        if wanted is None:
            last = max((rule.number for rule in self._rules.where("list_id", acl.id)), default=0)
            if last >= LARGEST_NUMBER:
                raise InvalidParameterValue(f"After rule {last} of ACL {acl.name} there is no number left")
            return last + 1
        if self._rules.find(("list_id", "number"), (acl.id, wanted)) is not None:
            raise InvalidParameterValue(f"ACL item with number {wanted} already exists in ACL: {acl.name}")
        return wanted

    def _check_changeable(self, acl: NetworkAclList) -> None:
        if is_default(acl):
            raise InvalidParameterValue("Default ACL cannot be modified")

    async def apply(self, rule_id: str) -> NetworkAcl:
        """Put a new rule in force. One that cannot be is removed again, and the reason raised."""

        def undo() -> None:
            if rule_id in self._rules:
                self._remove(self._rules[rule_id])

        await self._sync(self._rules[rule_id].list_id, undo)
        with self._store.transaction():
            return self._rules.update(rule_id, state="Active")

    def check_update_rule(
        self, rule: NetworkAcl, request: AclRuleRequest, *, partial: bool = True
    ) -> dict[str, Any]:
        """The fields to change; without `partial`, what the request leaves open is as in a new rule.

        Raises InvalidParameterValue.
        """
        acl = self._lists[rule.list_id]
        self._check_changeable(acl)
        whole = merged(rule, request) if partial else request
        fields = checked(whole)
        if request.number is not None and request.number != rule.number:
            fields["number"] = self._number(acl, request.number)
        return fields

    async def update_rule(self, rule_id: str, changes: dict[str, Any]) -> NetworkAcl:
        """Make the changes that `check_update_rule` has allowed."""
        before = self._rules[rule_id]
        self._check_number_free(before, changes.get("number"))
        with self._store.transaction():
            changed = self._rules.update(rule_id, **changes)

        def undo() -> None:
            if rule_id in self._rules:
                self._rules.update(rule_id, **{field: getattr(before, field) for field in changes})

        await self._sync(changed.list_id, undo)
        return self._rules[rule_id]

    def _check_number_free(self, rule: NetworkAcl, number: int | None) -> None:
        if number is not None and number != rule.number:
            self._number(self._lists[rule.list_id], number)

    def check_rule_deletable(self, rule: NetworkAcl) -> None:
        """Raise InvalidParameterValue for a rule of a default list."""
        if is_default(self._lists[rule.list_id]):
            raise InvalidParameterValue("ACL Items in default ACL cannot be deleted")

    async def delete_rule(self, rule_id: str) -> None:
        """Take a rule out of force and remove it. If that fails it stays in state Revoke, to be deleted again."""
        with self._store.transaction():
            rule = self._rules.update(rule_id, state="Revoke")
        await self._sync(rule.list_id)
        with self._store.transaction():
            self._remove(self._rules[rule_id])

    def _remove(self, rule: NetworkAcl) -> None:
        remove_leftovers(self._foundation, rule.id)
        self._rules.delete(rule.id)

    # their order

    def check_move(
        self,
        rule: NetworkAcl,
        previous: NetworkAcl | None,
        following: NetworkAcl | None,
        consistency: str | None = None,
    ) -> None:
        """Raise what stands against moving the rule to between those two (one None: as the last, or the first).

        `consistency` is the MD5 sum of the list's rule ids in their order, as the caller knows it.
        """
        self._check_changeable(self._lists[rule.list_id])
        if previous is None and following is None:
            raise InvalidParameterValue("Both previous and next ACL rule IDs cannot be empty")
        for other in (previous, following):
            if other is not None and other.list_id != rule.list_id:
                raise InvalidParameterValue("The rules must all be of the same ACL list")
            if other is not None and other.id == rule.id:
                raise InvalidParameterValue("A rule cannot be moved to before or after itself")
        ordered = self.rules_of(rule.list_id)
        if consistency and consistency.lower() != consistency_hash(ordered):
            raise InvalidParameterValue(
                "The rules of the ACL list are not in the order that aclconsistencyhash says: they were changed "
                "meanwhile. List them again"
            )
        if previous is not None and following is not None:
            ids = [each.id for each in ordered if each.id != rule.id]
            if ids.index(following.id) != ids.index(previous.id) + 1:
                raise InvalidParameterValue("nextaclruleid must be the rule right after previousaclruleid")

    async def move(self, rule_id: str, previous_id: str | None, following_id: str | None) -> NetworkAcl:
        """Move the rule to right after `previous_id`, or right before `following_id`."""
        ordered = self.rules_of(self._rules[rule_id].list_id)
        numbers = renumbered(ordered, rule_id, previous_id, following_id)
        changed = [rule for rule in ordered if numbers[rule.id] != rule.number]
        self._set_numbers({rule.id: numbers[rule.id] for rule in changed})
        list_id = self._rules[rule_id].list_id
        await self._sync(
            list_id,
            lambda: self._set_numbers({rule.id: rule.number for rule in changed if rule.id in self._rules}),
        )
        return self._rules[rule_id]

    def _set_numbers(self, numbers: dict[str, int]) -> None:
        with self._store.transaction():
            for place, rule_id in enumerate(numbers):  # out of each other's way first: numbers are unique
                self._rules.update(rule_id, number=-1 - place)
            for rule_id, number in numbers.items():
                self._rules.update(rule_id, number=number)

    async def _sync(self, list_id: str, undo: Callable[[], None] | None = None) -> None:
        """Bring the routers of the VPCs that have the list up to date. Where one cannot be, `undo`, on all, and raise."""
        told: list[str] = []
        try:
            for vpc_id in vpcs_with(self._store, self._lists[list_id]):
                await self._routing.sync_vpc(vpc_id)
                told.append(vpc_id)
        except CloudError:
            if undo is not None:
                with self._store.transaction():
                    undo()
                for vpc_id in told:
                    with suppress(CloudError):
                        await self._routing.sync_vpc(vpc_id)
            raise


def is_default(acl: NetworkAclList) -> bool:
    """Whether it is one of the two lists that are there from the start, for everybody, and stay as they are."""
    return acl.vpc_id is None and acl.name in (DEFAULT_ALLOW, DEFAULT_DENY)


def check_may_change(caller: Caller, acl: NetworkAclList | None, refusal: str) -> None:
    """Raise PermissionDenied, saying so, for a global list (None: one to be made) unless the root admin asks."""
    if (acl is None or (acl.vpc_id is None and not is_default(acl))) and not caller.is_root_admin:
        raise PermissionDenied(refusal)


def _gateways_with(store: Store, acl: NetworkAclList) -> list[PrivateGateway]:
    table = store.table(PrivateGateway)
    rows = table if acl.vpc_id is None else table.where("vpc_id", acl.vpc_id)
    return [gateway for gateway in rows if gateway.acl_id == acl.id]


def vpcs_with(store: Store, acl: NetworkAclList) -> list[str]:
    """The VPCs that have the list at a tier or a private gateway, in order."""
    tiers = {tier.vpc_id for tier in store.table(Network).where("acl_id", acl.id) if tier.vpc_id is not None}
    return sorted(tiers | {gateway.vpc_id for gateway in _gateways_with(store, acl)})


def check_list_name(name: str, *, of_vpc: bool = True) -> None:
    """Raise InvalidParameterValue for what is no name of a list; a global one has no default list's."""
    if not name.strip():
        raise InvalidParameterValue("A network ACL list needs a name")
    if not of_vpc and name in (DEFAULT_ALLOW, DEFAULT_DENY):
        raise InvalidParameterValue(f"name: {name} is a default ACL")


def consistency_hash(ordered: Sequence[NetworkAcl]) -> str:
    """What tells whether two have the same rules in the same order: the MD5 sum of their ids one after the other."""
    return hashlib.md5("".join(rule.id for rule in ordered).encode(), usedforsecurity=False).hexdigest()


def renumbered(
    ordered: Sequence[NetworkAcl], rule_id: str, previous_id: str | None, following_id: str | None
) -> dict[str, int]:
    """Rule id -> number, with the rule moved to right after `previous_id`, else to right before `following_id`.

    Only as many rules get other numbers as have to.
    """
    moving = next(rule for rule in ordered if rule.id == rule_id)
    rest = [rule for rule in ordered if rule.id != rule_id]
    ids = [rule.id for rule in rest]
    place = ids.index(previous_id) + 1 if previous_id is not None else ids.index(following_id or "")
    numbers = {rule.id: rule.number for rule in rest}
    last = rest[place - 1].number if place else 0
    for rule in (moving, *rest[place:]):
        if rule is not moving and rule.number > last:
            break
        last += 1
        numbers[rule.id] = last
    return numbers
