"""Whether a call that named another's things was let through."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cloudsim.invariants import Violation
from cloudsim.model import Account, User
from cloudsim.store import Row
from server.api.command import COMMANDS, Command
from server.api.parameters import Parameter
from tests.selfservice.asking import Asked, Asker
from tests.selfservice.cloud import ServedCloud
from tests.selfservice.ownership import Ownership
from tests.selfservice.weights import LEFT_OUT

Guards = list[tuple[Parameter, Row, str]]
"""What a call names that its caller may not, and how."""

OFFERS = frozenset({"createNetworkPermissions", "removeNetworkPermissions"})
"""What is one's own is offered to any account or project of the domain, so that these are named without being one's own."""

NAMED = frozenset(
    {
        ("updateProject", "userid"),
        ("updateProject", "account"),
        ("deleteUserFromProject", "userid"),
        ("updateProjectInvitation", "projectid"),
    }
)
"""(command, parameter) that name members of a project, whom its leader need not rule, or a project one is asked into."""


def answered(oracle: Ownership, user: User, asked: Asked) -> Guards:
    """What of a call's things is not the caller's to name, by CloudStack's rules, before it is made."""
    found: Guards = []
    if asked.command.name in OFFERS:
        return [(p, row, "change") for p, row in asked.named if p.name == "networkid" and not oracle.changes(user, row)]
    for p, row in asked.named:
        if (asked.command.name, p.name) in NAMED:
            continue
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
        what = f"{verb} {type(row).__name__} {name} as {p.name}"
        text = f"{asked.user.username} could {what}: {asked.command.name} {asked.parameters}"
        yield Violation("nobody changes what is not his", text)


class Trespassing:
    """Tries, as somebody, every command on another's things, parameter by parameter; `tried` counts the calls."""

    def __init__(self, cloud: ServedCloud, asker: Asker, generator: np.random.Generator) -> None:
        self._cloud = cloud
        self._asker = asker
        self._chance = generator
        self.tried = 0

    def everything(self, user: User) -> Iterator[Violation]:
        """Each command that the user's role may call, with each parameter that names a thing naming another's."""
        own = self._cloud.store.table(Account)[user.account_id]
        for command in COMMANDS.values():
            if command.name in LEFT_OUT or not self._cloud.server.roles.allows(own, command.name, command.roles):
                continue
            for p in command.parameters:
                left_out = command.name in OFFERS and p.name != "networkid"
                if p.entity is None or (command.name, p.name) in NAMED or (command.many and p.name != "id") or left_out:
                    continue
                row = self._of_another(user, p)
                if row is not None:
                    yield from self._try(user, command, p, row)

    def _of_another(self, user: User, p: Parameter) -> Row | None:
        """A thing that the user may not name there."""
        oracle = Ownership(self._cloud.store)
        assert p.entity is not None
        changes = p.name in ("id", "ids")
        rows = [row for row in self._cloud.store.table(p.entity) if not oracle.sees(user, row)]
        if changes and not rows:
            rows = [row for row in self._cloud.store.table(p.entity) if not oracle.changes(user, row)]
        return rows[int(self._chance.integers(len(rows)))] if rows else None

    def _try(self, user: User, command: Command, p: Parameter, row: Row) -> Iterator[Violation]:
        parameters = self._asker.filled(user, command, {p.name: row.id})
        store = self._cloud.store
        before = store.sequence
        self.tried += 1
        answer = self._cloud.ask(user, command.name, **parameters)
        said = f"{user.username}: {command.name} {parameters}, with {p.name} {type(row).__name__} of another's"
        if answer.status == 200 and command.many and not answer.body:
            return
        if answer.status == 200 and Ownership(store).sees(user, row) and command.name.startswith(READING):
            return
        if answer.status in (0, 200):
            yield Violation("nobody changes what is not his", f"{said}: {answer.status} {str(answer.body)[:100]}")
        elif answer.status not in REFUSED:
            yield Violation("what is another's is refused as CloudStack does", f"{said}: {answer.status} {answer.text}")
        if store.sequence != before:
            yield Violation("what is refused changes nothing", said)


REFUSED = frozenset({401, 430, 431, 432, 531, 535, 536, 537})
READING = ("get", "find", "copy", "extract", "attachIso", "list")
"""Commands that only use what their id names."""
