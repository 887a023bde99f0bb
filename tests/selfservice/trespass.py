"""Whether a call that named another's things was let through."""

from __future__ import annotations

from collections.abc import Iterator

from cloudsim.invariants import Violation
from cloudsim.model import Account, User
from cloudsim.store import Row
from server.api.parameters import Parameter
from tests.selfservice.asking import Asked
from tests.selfservice.ownership import Ownership

Guards = list[tuple[Parameter, Row, str]]
"""What a call names that its caller may not, and how."""

OFFERS = frozenset({"createNetworkPermissions", "removeNetworkPermissions"})
"""What is one's own is offered to any account or project of the domain, so that these are named without being one's own."""


def answered(oracle: Ownership, user: User, asked: Asked) -> Guards:
    """What of a call's things is not the caller's to name, by CloudStack's rules, before it is made."""
    found: Guards = []
    if asked.command.name in OFFERS:
        return [(p, row, "change") for p, row in asked.named if p.name == "networkid" and not oracle.changes(user, row)]
    for p, row in asked.named:
        if isinstance(row, Account) and p.name == "account":
            if not oracle.rules(user, row):
                found.append((p, row, "act for"))
        elif p.name in ("id", "ids") and not asked.command.name.startswith(("get", "find", "copy", "extract", "attachIso")):
            if not oracle.changes(user, row):
                found.append((p, row, "change"))
        elif not oracle.sees(user, row):
            found.append((p, row, "use"))
    return found


def refused_in_time(asked: Asked, guards: Guards) -> Iterator[Violation]:
    """The violations of a call that was not refused."""
    for p, row, verb in guards:
        name = getattr(row, "name", None) or row.id
        text = f"{asked.user.username} could {verb} {type(row).__name__} {name}: {asked.command.name} {asked.parameters} ({p.name})"
        yield Violation("nobody changes what is not his", text)
