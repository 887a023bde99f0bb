"""Security groups of accounts and their rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

import msgspec

from cloudsim.errors import InvalidParameterValue, PermissionDenied, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.security_members import SecurityMembers
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import Account, Network, SecurityGroup, SecurityGroupRule, VirtualMachine

DEFAULT = "default"
PROTOCOLS = ("tcp", "udp", "icmp", "all")
ICMP_NUMBER = "1"
"""Given as a number it is ICMP of every type."""
LARGEST_PROTOCOL = 255
LARGEST_PORT = 65_535


class RuleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic to be allowed, from or to `cidrs` and the members of `groups`."""

    ingress: bool
    protocol: str | None = None
    start_port: int | None = None
    end_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    cidrs: tuple[str, ...] = ()
    groups: tuple[SecurityGroup, ...] = ()


class SecurityGroups:
    """Makes, changes and removes groups and rules. Rules come into force at once: see `security_delivery`."""

    def __init__(self, foundation: Foundation, members: SecurityMembers) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._members = members
        self._table = foundation.table(SecurityGroup)
        self._rules = foundation.table(SecurityGroupRule)
        self._randomness = foundation.randomness.branch("security_groups")

    # groups

    def create(self, owner: Account, name: str, description: str | None = None) -> SecurityGroup:
        """A group without rules."""
        if not name.strip():
            raise InvalidParameterValue("A security group needs a name")
        if name == DEFAULT:
            self.default_of(owner)  # it is there once somebody has asked for it
        self._check_free(owner.id, name, "create")
        return self._insert(owner, name, description or "")

    def _check_free(self, account_id: str, name: str, verb: str) -> None:
        if self._table.find(("account_id", "name"), (account_id, name)) is not None:
            raise InvalidParameterValue(
                f"Unable to {verb} security group, a group with name {name} already exists."
            )

    def _insert(self, owner: Account, name: str, description: str) -> SecurityGroup:
        with self._store.transaction():
            return self._table.insert(
                SecurityGroup(
                    id=self._randomness.uuid(),
                    name=name,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    description=description,
                    created=self._foundation.now(),
                )
            )

    def default_of(self, owner: Account) -> SecurityGroup:
        """The account's group for instances that name none, made if there is none yet."""
        found = self._table.find(("account_id", "name"), (owner.id, DEFAULT))
        return found or self._insert(owner, DEFAULT, "Default Security Group")

    def of_name(self, owner: Account, name: str) -> SecurityGroup:
        """The account's group of that name. Raises InvalidParameterValue."""
        if name == DEFAULT:
            return self.default_of(owner)
        group = self._table.find(("account_id", "name"), (owner.id, name))
        if group is None:
            raise InvalidParameterValue(
                f"Unable to find security group {name} for account {owner.name} in domain {owner.domain_id}"
            )
        return group

    def rename(self, group: SecurityGroup, name: str | None) -> SecurityGroup:
        """Give the group another name. The default one keeps its."""
        if name is None or name == group.name:
            return group
        if not name.strip():
            raise InvalidParameterValue("A security group needs a name")
        if group.name == DEFAULT:
            raise InvalidParameterValue("The default security group cannot be renamed")
        if name == DEFAULT:
            raise InvalidParameterValue(f"The security group name {DEFAULT} is reserved")
        self._check_free(group.account_id, name, "update")
        with self._store.transaction():
            return self._table.update(group.id, name=name)

    def check_deletable(self, group: SecurityGroup) -> None:
        """Raise what stands against deleting the group."""
        if group.name == DEFAULT:
            raise InvalidParameterValue("The network group default is reserved")
        if any(rule.group_id != group.id for rule in self._rules.where("other_group_id", group.id)):
            raise ResourceInUse("Cannot delete group when there are security rules that allow this group")
        if self._members.count(group.id):
            raise ResourceInUse("Cannot delete group when it's in use by virtual machines")

    def delete(self, group: SecurityGroup) -> None:
        """Remove a group that no instance is in and no other group's rule names."""
        self.check_deletable(group)
        with self._store.transaction():
            self._remove(group)

    def _remove(self, group: SecurityGroup) -> None:
        for rule in (*self._rules.where("group_id", group.id), *self._rules.where("other_group_id", group.id)):
            if rule.id in self._rules:
                remove_leftovers(self._foundation, rule.id)
                self._rules.delete(rule.id)
        remove_leftovers(self._foundation, group.id)
        self._table.delete(group.id)

    async def delete_all_of(self, account: Account) -> None:
        """The account goes, and has no instances any more: its groups go, and what rules of others say of them."""
        with self._store.transaction():
            for group in self._table.where("account_id", account.id):
                self._remove(group)

    # rules

    def rules_of(self, group: SecurityGroup) -> list[SecurityGroupRule]:
        """The group's rules, oldest first."""
        return self._rules.where("group_id", group.id)

    def check(self, request: RuleRequest) -> RuleRequest:
        """The rules asked for, as they are kept. Raises InvalidParameterValue."""
        if not request.cidrs and not request.groups:
            raise InvalidParameterValue("At least one cidr or at least one security group needs to be specified")
        protocol = (request.protocol or "all").strip().lower()
        if protocol == ICMP_NUMBER:
            request = msgspec.structs.replace(request, icmp_type=-1, icmp_code=-1)
            protocol = "icmp"
        numbered = protocol.isdecimal() and protocol.isascii() and int(protocol) <= LARGEST_PROTOCOL
        if protocol not in PROTOCOLS and not numbered:
            raise InvalidParameterValue(
                f"Invalid protocol {request.protocol}; it is {', '.join(PROTOCOLS)} or a number up to {LARGEST_PROTOCOL}"
            )
        cidrs = tuple(dict.fromkeys(_cidr(text) for text in request.cidrs))
        checked = msgspec.structs.replace(request, protocol=protocol, cidrs=cidrs)
        if protocol == "icmp":
            _check_icmp(request.icmp_type, request.icmp_code)
            return msgspec.structs.replace(checked, start_port=None, end_port=None)
        checked = msgspec.structs.replace(checked, icmp_type=None, icmp_code=None)
        if numbered:  # all of that protocol, which may have no ports
            return msgspec.structs.replace(checked, protocol=str(int(protocol)), start_port=None, end_port=None)
        if protocol == "all":
            if request.start_port is not None or request.end_port is not None:
                raise InvalidParameterValue("Cannot specify startPort or endPort without specifying protocol")
            return checked
        start, end = _ports(request.start_port, request.end_port)
        return msgspec.structs.replace(checked, start_port=start, end_port=end)

    def authorize(self, group: SecurityGroup, request: RuleRequest) -> list[SecurityGroupRule]:
        """Add the rules asked for, one for each CIDR and each group; those that are there already stay. Returns the new."""
        wanted = self.check(request)
        if group.id not in self._table:
            raise InvalidParameterValue(f"Unable to find security group by id {group.id}")
        for other in wanted.groups:
            if other.id not in self._table:
                raise InvalidParameterValue(f"Unable to find security group by id {other.id}")
        now = self._foundation.now()
        sides: list[tuple[str | None, str | None]] = [(cidr, None) for cidr in wanted.cidrs]
        sides += [(None, other_id) for other_id in dict.fromkeys(other.id for other in wanted.groups)]
        rows = [
            SecurityGroupRule(
                id=self._randomness.uuid(),
                group_id=group.id,
                ingress=wanted.ingress,
                protocol=wanted.protocol or "all",
                start_port=wanted.start_port,
                end_port=wanted.end_port,
                icmp_type=wanted.icmp_type,
                icmp_code=wanted.icmp_code,
                cidr=cidr,
                other_group_id=other_id,
                created=now,
            )
            for cidr, other_id in sides
        ]
        there = {_meaning(rule) for rule in self.rules_of(group)}
        rows = [row for row in rows if _meaning(row) not in there]
        if not rows:
            raise InvalidParameterValue(f"Security group {group.name} has these rules already")
        with self._store.transaction():
            return [self._rules.insert(row) for row in rows]

    def check_revocable(self, rule: SecurityGroupRule, *, ingress: bool) -> None:
        """Raise InvalidParameterValue unless the rule is of that direction."""
        if rule.ingress != ingress:
            kind, named = ("egress", "ingress") if ingress else ("ingress", "egress")
            raise InvalidParameterValue(
                f"Mismatch in rule type for security rule with id {rule.id}: it is an {kind} and not an {named} rule"
            )

    def revoke(self, rule_id: str) -> None:
        """Remove the rule; again is no error."""
        if rule_id in self._rules:
            with self._store.transaction():
                remove_leftovers(self._foundation, rule_id)
                self._rules.delete(rule_id)

    # instances

    def check_choice(
        self, owner: Account, networks: Iterable[Network], groups: Sequence[SecurityGroup]
    ) -> None:
        """Raise what stands against an instance of the owner on these networks that names these groups."""
        if groups and not any(self._members.guards(network) for network in networks):
            raise InvalidParameterValue(
                "Can't create vm with security groups; security group feature is not enabled per zone"
            )
        for group in groups:
            if group.account_id != owner.id:
                raise PermissionDenied(f"Security group {group.name} is not of {owner.name}, who owns the instance")

    def choice(
        self, owner: Account, networks: Iterable[Network], groups: Sequence[SecurityGroup]
    ) -> tuple[str, ...]:
        """Ids of the groups that it is in then: its account's default one, made if need be, where it names none."""
        if not groups and any(self._members.guards(network) for network in networks):
            return (self.default_of(owner).id,)
        return tuple(dict.fromkeys(group.id for group in groups))

    def join(self, vm: VirtualMachine, network: Network) -> None:
        """The instance gets a NIC on the network: if that needs a group and it is in none, the default one."""
        if self._members.guards(network) and not vm.security_group_ids:
            owner = self._foundation.table(Account)[vm.account_id]
            with self._store.transaction():
                group = self.default_of(owner)
                self._foundation.table(VirtualMachine).update(vm.id, security_group_ids=(group.id,))


def _meaning(rule: SecurityGroupRule) -> SecurityGroupRule:
    return msgspec.structs.replace(rule, id="", created=0.0)


def _cidr(text: str) -> str:
    try:
        net = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise InvalidParameterValue(f"Invalid cidr {text}") from None
    if net.version != 4:
        raise InvalidParameterValue(
            f"Invalid cidr {text}: IPv6 is not supported in security groups, whose hosts let IPv4 alone through"
        )
    return str(net)


def _check_icmp(type: int | None, code: int | None) -> None:
    if type is None or code is None:
        raise InvalidParameterValue(
            f"Invalid ICMP type/code specified, icmpType = {type}, icmpCode = {code}"
        )
    if not -1 <= type <= 255 or not -1 <= code <= 255:
        raise InvalidParameterValue(f"Invalid icmp type/code: {type}/{code}; they are from -1 (any) to 255")
    if type == -1 and code != -1:
        raise InvalidParameterValue("Invalid icmp code: a code needs an icmp type")


def _ports(start: int | None, end: int | None) -> tuple[int, int]:
    if start is None or end is None:
        raise InvalidParameterValue(f"Invalid port range specified, startPort = {start}, endPort = {end}")
    if (start, end) == (0, 0):
        return 0, LARGEST_PORT
    for port in (start, end):
        if not 0 <= port <= LARGEST_PORT:
            raise InvalidParameterValue(f"Invalid port numbers {start}:{end}: they are from 0 to {LARGEST_PORT}")
    if start > end:
        raise InvalidParameterValue(f"Invalid port range {start}:{end}")
    return start, end
