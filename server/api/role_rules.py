"""The rules of a role, or of a role within a project, as the API names and changes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import NAMESPACE_OID, uuid5

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import Role
from server.api.command import COMMANDS

Rules = tuple[tuple[str, str], ...]


class HasRules(Protocol):
    """A role of either kind. `rules` are (command name or pattern, "allow" | "deny")."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def rules(self) -> Rules: ...
    @property
    def notes(self) -> dict[str, str]: ...


def check_rule(rule: str) -> None:
    """Raise InvalidParameterValue unless it is a command's name or a pattern."""
    if not rule.replace("*", "a").isalnum() or not rule.isascii():
        raise InvalidParameterValue(f"{rule!r} is neither a command's name nor a pattern with *")


def rules_in_full(role: Role) -> Rules:
    """The role's rules; those of a default role that goes by its type are a rule for each command of that type."""
    if role.rules or not role.is_default:
        return role.rules
    return tuple((c.name, "allow") for c in sorted(COMMANDS.values(), key=lambda c: c.name) if role.type in c.roles)


def rule_id(role: HasRules, rule: str) -> str:
    """A rule's id: it follows from the role and the rule, which is there once."""
    return str(uuid5(NAMESPACE_OID, f"{role.id}/{rule.lower()}"))


def position(role: HasRules, permission_id: str, kind: str = "Role") -> int:
    """Where the rule of that id stands. Raises InvalidParameterValue."""
    for at, (rule, _) in enumerate(role.rules):
        if rule_id(role, rule) == permission_id:
            return at
    raise InvalidParameterValue(f"{kind} {role.name} has no rule with id {permission_id}")


def changing(
    role: HasRules, order: Sequence[str] | None, permission_id: str | None, permission: str | None, kind: str = "Role"
) -> Callable[[Rules], Rules]:
    """What puts the role's rules into that order, or gives one of them another permission."""

    def change(rules: Rules) -> Rules:
        if order is not None:
            if len(order) != len(rules):
                raise InvalidParameterValue(f"Role {role.name} has {len(rules)} rules, all of which must be named")
            return tuple(rules[position(role, each, kind)] for each in order)
        at = position(role, permission_id or "", kind)
        return (*rules[:at], (rules[at][0], permission or ""), *rules[at + 1 :])

    return change
