"""Random calls: a command, and parameters that mean something, made from the command's own declaration.

Most calls are of things that belong together, namely to one account or project in the caller's hands; one in ten
reaches for what is another's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudsim.management.operations.tags import TAGGABLE
from cloudsim.model import Account, Project, User
from cloudsim.store import Row
from server.api.command import COMMANDS, Command
from server.api.parameters import Parameter
from tests.selfservice.ownership import ROOT_TYPE, USER_TYPE
from tests.selfservice.picking import Nothing, Picker
from tests.selfservice.values import BY_COMMAND, SPECIAL, VALUES
from tests.selfservice.weights import ALWAYS_GIVEN, AT_ONCE, FURNITURE, NEVER_GIVEN, OWN_SAY, weights_of

TAGGED = ("UserVm", "Volume", "Network", "Template", "Snapshot", "PublicIpAddress", "Project", "Domain", "Account")


class Asked(NamedTuple):
    """A call to be made: by whom, what, and what it names that exists."""

    user: User
    command: Command
    parameters: dict[str, Any]
    named: tuple[tuple[Parameter, Row], ...]


class Asker(Picker):
    """Makes calls for one cloud."""

    def users(self) -> list[User]:
        """Everybody who can call."""
        accounts = self.table(Account)
        return [
            user
            for user in self.table(User)
            if user.username != "system" and user.state == "enabled" and accounts[user.account_id].state == "enabled"
        ]

    def call(self) -> Asked | None:
        """A random call; None when it came to nothing."""
        user = self.one(self.users())
        type = self.table(Account)[user.account_id].type
        kind = {ROOT_TYPE: "root", USER_TYPE: "user"}.get(type, "domain")
        names, probabilities = weights_of(kind)
        return self._made(user, names[int(self.chance.choice(len(names), p=probabilities))])

    def bunch(self) -> list[Asked]:
        """Many calls of one command by one user, or by all, to be made at one instant."""
        users = self.users()
        everybody, user, name = self.often(0.3), self.one(users), self.one(AT_ONCE)
        made = (self._made(self.one(users) if everybody else user, name) for _ in range(self.number(3, 8)))
        return [asked for asked in made if asked is not None]

    def furniture(self, user: User) -> list[Asked]:
        """Calls that give the user one of everything that costs little."""
        return [asked for name in FURNITURE if (asked := self._made(user, name, own=True)) is not None]

    def _made(self, user: User, name: str, *, own: bool = False) -> Asked | None:
        try:
            return self.of(user, COMMANDS[name.lower()], own=own)
        except Nothing:
            return None

    def of(self, user: User, command: Command, *, own: bool = False) -> Asked:
        """A call of that command by that user, for itself if `own`. Raises Nothing where there is nothing to call it on."""
        owner = self.table(Account)[user.account_id] if own else self._owner(user)
        parameters: dict[str, Any] = {}
        named: list[tuple[Parameter, Row]] = []
        for p in command.parameters:
            if not self._wanted(command, p):
                continue
            try:
                value = self._value(command, p, owner, named)
            except Nothing:
                if _needed(command, p):
                    raise
                continue
            if value is not None:
                parameters[p.name] = value
        self._for_owner(command, user, owner, parameters, named)
        if "resourceids" in parameters:
            name = self.one(TAGGED)
            row = self._row(TAGGABLE[name], owner)
            parameters |= {"resourcetype": name, "resourceids": [row.id]}
            named.append((next(p for p in command.parameters if p.name == "resourceids"), row))
        if command.group in ("User", "Account") and any(getattr(row, "is_default", False) for _, row in named):
            raise Nothing  # the run's root admin is to stay
        return Asked(user, command, parameters, tuple(named))

    def filled(self, user: User, command: Command, given: dict[str, Any]) -> dict[str, Any]:
        """Parameters of a call with those `given`, and what it cannot do without: the user's own if there is such."""
        own = self.table(Account)[user.account_id]
        parameters = dict(given)
        for p in command.parameters:
            if p.name in parameters or not _needed(command, p) or p.name in ("account", "domainid", "projectid"):
                continue
            try:
                value = self._value(command, p, own, [])
            except Nothing:
                row = next(iter(self.table(p.entity)), None) if p.entity is not None else None
                value = None if row is None else row.id
            if value is not None:
                parameters[p.name] = value
        return parameters

    def _wanted(self, command: Command, p: Parameter) -> bool:
        if p.name in ("account", "domainid", "projectid") and command.name not in OWN_SAY:
            return False
        return _needed(command, p) or (p.name not in NEVER_GIVEN and self.often(0.12))

    def _owner(self, user: User) -> Account:
        """Whose things the call is about."""
        accounts = self.table(Account)
        draw = self.chance.random()
        if draw < 0.6:
            own: Account = accounts[user.account_id]
            return own
        others = [a for a in accounts if a.name != "system"]
        if draw < 0.9:
            oracle = self.oracle
            others = [a for a in others if oracle.rules(user, a)]
        return self.one(others)

    def _for_owner(
        self,
        command: Command,
        user: User,
        owner: Account,
        parameters: dict[str, Any],
        named: list[tuple[Parameter, Row]],
    ) -> None:
        """Say whose it is to be, where the command lets one say it."""
        takes = {p.name: p for p in command.parameters}
        if command.name in OWN_SAY or (owner.id == user.account_id and not self.often(0.1)):
            return
        if owner.project_id is not None:
            project = self.table(Project).get(owner.project_id)
            if "projectid" in takes and project is not None:
                parameters["projectid"] = project.id
                named.append((takes["projectid"], project))
        elif "account" in takes and "domainid" in takes:
            parameters |= {"account": owner.name, "domainid": owner.domain_id}
            named.append((takes["account"], owner))

    # values

    def _value(self, command: Command, p: Parameter, owner: Account, named: list[tuple[Parameter, Row]]) -> Any:
        make = BY_COMMAND.get((command.name, p.name)) or VALUES.get(p.name)
        if make is not None:
            value = make(self, owner)
            if isinstance(value, Row):
                named.append((p, value))
                return value.id
            return value
        if p.entity is not None:
            rows = [self._row(p.entity, owner) for _ in range(self.number(1, 2) if p.type == "list" else 1)]
            named += [(p, row) for row in rows]
            return list(dict.fromkeys(row.id for row in rows)) if p.type == "list" else rows[0].id
        if p.values:
            return self.one(p.values)
        if p.type == "boolean":
            return self.often(0.5)
        if p.type in ("integer", "long", "short", "float"):
            return self.number(1, 4)
        return self.fresh(p.name) if p.type == "string" else None

    def _row(self, row_type: type[Row], owner: Account) -> Row:
        """A row of that type: the owner's mostly, or what is nobody's."""
        pick = SPECIAL.get(row_type)
        row: Row = self.owned(row_type, owner) if pick is None else pick(self, owner)
        return row


def _needed(command: Command, p: Parameter) -> bool:
    return p.required or p.name in ALWAYS_GIVEN.get(command.name, ())
