"""Roles: what an account may call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal, get_args

from cloudsim.errors import InvalidParameterValue, PermissionDenied, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.model import Account, Role
from cloudsim.model.identity import DOMAIN_ADMIN, NORMAL_USER, RESOURCE_DOMAIN_ADMIN, ROOT_ADMIN
from cloudsim.store import Change

RoleType = Literal["Admin", "ResourceAdmin", "DomainAdmin", "User"]
ROLE_TYPES: tuple[RoleType, ...] = get_args(RoleType)
_ACCOUNT_TYPES = {
    "Admin": ROOT_ADMIN,
    "DomainAdmin": DOMAIN_ADMIN,
    "ResourceAdmin": RESOURCE_DOMAIN_ADMIN,
    "User": NORMAL_USER,
}
_READING = (
    ("getUserKeys", "deny"),
    ("list*", "allow"),
    ("get*", "allow"),
    ("find*", "allow"),
    ("query*", "allow"),
    ("is*", "allow"),
    ("followChanges", "allow"),
    ("exportTrace", "allow"),
    ("login", "allow"),
    ("logout", "allow"),
)
_SUPPORT = (
    ("start*VirtualMachine", "allow"),
    ("stop*VirtualMachine", "allow"),
    ("reboot*VirtualMachine", "allow"),
    ("createConsoleEndpoint", "allow"),
    ("attachVolume", "allow"),
    ("detachVolume", "allow"),
    ("restartNetwork", "allow"),
    ("startRouter", "allow"),
    ("stopRouter", "allow"),
    ("rebootRouter", "allow"),
    ("prepareHostForMaintenance", "allow"),
    ("cancelHostMaintenance", "allow"),
)
_DENY_REST = (("*", "deny"),)
_DEFAULTS: tuple[tuple[str, RoleType, str, tuple[tuple[str, str], ...]], ...] = (
    ("Root Admin", "Admin", "May do everything", (("*", "allow"),)),
    ("Resource Admin", "ResourceAdmin", "Administers the resources of its domain", ()),
    ("Domain Admin", "DomainAdmin", "Administers its domain and those below", ()),
    ("User", "User", "Uses the cloud for itself", ()),
    ("Read-Only Admin - Default", "Admin", "Sees everything, changes nothing", _READING + _DENY_REST),
    ("Read-Only User - Default", "User", "Sees what a user sees, changes nothing", _READING + _DENY_REST),
    (
        "Support Admin - Default",
        "Admin",
        "Sees everything, starts and stops",
        _READING + _SUPPORT + _DENY_REST,
    ),
    (
        "Support User - Default",
        "User",
        "Sees what a user sees, starts and stops",
        _READING + _SUPPORT + _DENY_REST,
    ),
)


def notes_of(notes: Mapping[str, str], rules: tuple[tuple[str, str], ...], last: str | None) -> dict[str, str]:
    """What is said of these rules: of each what was, of the last `last` where it is given."""
    patterns = [pattern.lower() for pattern, _ in rules]
    kept = {pattern: notes[pattern] for pattern in patterns if pattern in notes}
    return kept | {patterns[-1]: last} if last and patterns else kept


class Roles:
    """The roles, and whether an account's role allows a command.

    Rules are tried in order, first match wins. Where none matches, a default role allows the commands declared for
    its type, another role nothing.
    """

    def __init__(self, foundation: Foundation) -> None:
        self._store = foundation.store
        self._table = foundation.table(Role)
        self._randomness = foundation.randomness.branch("roles")
        self._decided: dict[tuple[str, str], bool] = {}
        foundation.store.subscribe(self._changed, Role)

    def _changed(self, changes: list[Change]) -> None:
        if any(change.table is self._table for change in changes):
            self._decided.clear()

    def seed(self) -> None:
        """Make the roles that every cloud has."""
        with self._store.transaction():
            for name, type, description, rules in _DEFAULTS:
                self._table.insert(
                    Role(
                        id=self._randomness.uuid(),
                        name=name,
                        type=type,
                        description=description,
                        is_default=True,
                        rules=rules,
                    )
                )

    def default(self, type: str) -> Role:
        """The default role of a type."""
        for name, each, _, _ in _DEFAULTS:
            if each == type:
                role = self._table.find("name", name)
                if role is not None:
                    return role
        raise InvalidParameterValue(f"There is no default role of type {type}")

    def numbered(self, number: int) -> Role | None:
        """The default role that clients know by its number: 1 to 4 are Root, Resource and Domain Admin, and User."""
        if not 1 <= number <= len(_DEFAULTS):
            return None
        return self._table.find("name", _DEFAULTS[number - 1][0])

    def of(self, account_type: int | None, role: Role | None) -> Role:
        """The role that an account type or a role given means."""
        if role is not None:
            return role
        if account_type is None:
            raise InvalidParameterValue("An account needs a role: give accounttype or roleid")
        for type, number in _ACCOUNT_TYPES.items():
            if number == account_type:
                return self.default(type)
        raise InvalidParameterValue(f"There is no account type {account_type}; there are 0, 1, 2 and 3")

    @staticmethod
    def account_type(role: Role) -> int:
        return _ACCOUNT_TYPES[role.type]

    def type_of(self, account: Account) -> RoleType:
        """The type of the account's role, or of the account where it has none."""
        role = self._table.get(account.role_id)
        if role is not None:
            return role.type
        return next(type for type in ROLE_TYPES if _ACCOUNT_TYPES[type] == account.type)

    def allows(self, account: Account, command: str, declared: frozenset[str]) -> bool:
        """Whether the account may call the command, whose declaration allows it to the role types `declared`."""
        if account.role_id is None:
            return account.type == ROOT_ADMIN
        key = (account.role_id, command)
        decided = self._decided.get(key)
        if decided is None:
            decided = self._decided[key] = self._decide(account.role_id, command, declared)
        return decided

    def _decide(self, role_id: str, command: str, declared: frozenset[str]) -> bool:
        role = self._table.get(role_id)
        if role is None or not role.is_enabled:
            return False
        for pattern, permission in role.rules:
            if fnmatchcase(command.lower(), pattern.lower()):
                return permission == "allow" and self._within(role, declared)
        return role.is_default and role.type in declared

    @staticmethod
    def _within(role: Role, declared: frozenset[str]) -> bool:
        """A default read-only role stays within its type; a role made by an admin is what its rules say."""
        return not role.is_default or role.type in declared

    def check_grant(self, caller: Caller, role: Role) -> None:
        """Raise PermissionDenied when the caller would give away more than it has."""
        if not caller.is_admin:
            raise PermissionDenied("Only an admin gives roles to accounts")
        if not role.is_enabled:
            raise InvalidParameterValue(f"Role {role.name} is disabled")
        if role.type == "Admin" and not caller.is_root_admin:
            raise PermissionDenied(f"{caller.account.name} cannot give the role {role.name}")

    # roles made by admins

    def create(
        self,
        name: str,
        *,
        type: RoleType | None,
        like: Role | None,
        description: str = "",
        public: bool = True,
        rules: tuple[tuple[str, str], ...] = (),
    ) -> Role:
        """Add a role of a type, or one like another role; with those rules."""
        if (type is None) == (like is None):
            raise InvalidParameterValue("A new role is given either a type or the role that it is like")
        self._check_name(name)
        with self._store.transaction():
            return self._table.insert(
                Role(
                    id=self._randomness.uuid(),
                    name=name,
                    type=like.type if like is not None else (type or "User"),
                    description=description,
                    is_public=public,
                    rules=rules,
                    notes=like.notes if like is not None else {},
                )
            )

    def update(
        self,
        role: Role,
        *,
        name: str | None = None,
        type: RoleType | None = None,
        description: str | None = None,
        public: bool | None = None,
    ) -> Role:
        self._check_own(role)
        if name is not None and name != role.name:
            self._check_name(name)
        if type is not None and type != role.type and self._users(role):
            raise ResourceInUse(f"Role {role.name} is held by accounts: its type stays")
        fields = {"name": name, "type": type, "description": description, "is_public": public}
        changed = {field: value for field, value in fields.items() if value is not None}
        if not changed:
            return role
        with self._store.transaction():
            return self._table.update(role.id, **changed)

    def enable(self, role: Role, enabled: bool) -> None:
        """Have the role's accounts call what its rules say, or nothing."""
        self._check_own(role)
        with self._store.transaction():
            self._table.update(role.id, is_enabled=enabled)

    def imported(
        self,
        name: str,
        rules: Sequence[tuple[str, str]],
        *,
        type: RoleType,
        description: str | None = None,
        public: bool | None = None,
        forced: bool = False,
        notes: Mapping[str, str] | None = None,
    ) -> Role:
        """Add a role with those rules; with `forced` in place of the one of that name and type.

        `notes`: what is said of rules, by the rule in lower case.
        """
        patterns = [pattern.lower() for pattern, _ in rules]
        if len(patterns) != len(set(patterns)):
            raise InvalidParameterValue("Parameter rules has more than one rule for the same commands")
        found = self._table.find("name", name)
        if found is None:
            with self._store.transaction():
                role = self.create(name, type=type, like=None, description=description or "", public=public is not False)
                return self._table.update(role.id, rules=tuple(rules), notes=dict(notes or {}))
        if not forced:
            raise InvalidParameterValue(f"A role named {name} exists already: forced=true puts this in its place")
        if found.type != type:
            raise InvalidParameterValue(f"Role {name} is of type {found.type}, not {type}")
        with self._store.transaction():
            self.update(found, description=description, public=public)
            return self._table.update(found.id, rules=tuple(rules), notes=dict(notes or {}))

    def delete(self, role: Role) -> None:
        self._check_own(role)
        held = self._users(role)
        if held:
            raise ResourceInUse(f"Role {role.name} is held by {held} accounts")
        with self._store.transaction():
            self._table.delete(role.id)

    def change_rules(
        self,
        role: Role,
        change: Callable[[tuple[tuple[str, str], ...]], tuple[tuple[str, str], ...]],
        note: str | None = None,
    ) -> Role:
        """Replace a role's rules by what `change` makes of them; `note` is said of the last."""
        self._check_own(role)
        rules = change(role.rules)
        patterns = [pattern.lower() for pattern, _ in rules]
        if len(patterns) != len(set(patterns)):
            raise InvalidParameterValue(f"Role {role.name} has a rule for that already")
        with self._store.transaction():
            return self._table.update(role.id, rules=rules, notes=notes_of(role.notes, rules, note))

    def _users(self, role: Role) -> int:
        return sum(account.role_id == role.id for account in self._store.table(Account))

    @staticmethod
    def _check_own(role: Role) -> None:
        if role.is_default:
            raise PermissionDenied(f"Role {role.name} comes with the cloud: it cannot be changed")

    def _check_name(self, name: str) -> None:
        if self._table.find("name", name) is not None:
            raise InvalidParameterValue(f"A role named {name} exists already")
