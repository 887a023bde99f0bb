"""Random calls: a command, and parameters that mean something, made from the command's own declaration.

Most calls are of things that belong together, namely to one account or project in the caller's hands; one in ten
reaches for what is another's. Where a name tells nothing of what a parameter takes, VALUES and BY_COMMAND say it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cloudsim.management.operations.tags import TAGGABLE
from cloudsim.model import (
    Account,
    Domain,
    GuestOs,
    Host,
    Network,
    NetworkOffering,
    Nic,
    Project,
    ProjectInvitation,
    ProjectMember,
    ServiceOffering,
    SshKeyPair,
    Template,
    User,
    VirtualMachine,
    Volume,
    Zone,
)
from cloudsim.store import Row
from server.api.command import COMMANDS, Command
from server.api.parameters import Parameter
from tests.selfservice.cloud import ServedCloud
from tests.selfservice.ownership import ROOT_TYPE, USER_TYPE, Ownership
from tests.selfservice.weights import ALWAYS_GIVEN, NEVER_GIVEN, weights_of

PUBLIC_KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkAm8eyFVfrMkVBPNfPMgqmxKnZPs0NoyaHWqdyMrYj"  # of a pair made for this test
)


class Asked(NamedTuple):
    """A call to be made: by whom, what, of whose things, and whose or what it names that exists."""

    user: User
    command: Command
    parameters: dict[str, Any]
    named: tuple[tuple[Parameter, Row], ...]


class _Nothing(Exception):
    """There is nothing that a parameter could name."""


class Asker:
    """Makes calls for one cloud. All chance comes from `generator`."""

    def __init__(self, cloud: ServedCloud, generator: np.random.Generator) -> None:
        self._cloud = cloud
        self._chance = generator
        self._count = 0

    # chance

    def _often(self, probability: float) -> bool:
        return bool(self._chance.random() < probability)

    def _one(self, of: Any) -> Any:
        among = list(of)
        if not among:
            raise _Nothing
        return among[int(self._chance.integers(len(among)))]

    def _number(self, low: int, high: int) -> int:
        return int(self._chance.integers(low, high + 1))

    def fresh(self, word: str) -> str:
        """A name that nothing has, or now and then one that something may have."""
        self._count += 1
        return f"{word}-{self._number(1, 5) if self._often(0.1) else self._count}"

    # calls

    def users(self) -> list[User]:
        """Everybody who can call."""
        store = self._cloud.store
        accounts = store.table(Account)
        return [
            user
            for user in store.table(User)
            if user.username != "system" and user.state == "enabled" and accounts[user.account_id].state == "enabled"
        ]

    def call(self) -> Asked | None:
        """A random call; None when it came to nothing."""
        user = self._one(self.users())
        own = self._cloud.store.table(Account)[user.account_id]
        names, probabilities = weights_of("root" if own.type == ROOT_TYPE else "user" if own.type == USER_TYPE else "domain")
        command = COMMANDS[names[int(self._chance.choice(len(names), p=probabilities))].lower()]
        try:
            return self.of(user, command)
        except _Nothing:
            return None

    def bunch(self) -> list[Asked]:
        """Many calls of one command by one user, or by all, to be made at one instant."""
        users = self.users()
        everybody = self._often(0.3)
        user = self._one(users)
        name = self._one(
            ("deployVirtualMachine", "createVolume", "createNetwork", "associateIpAddress", "createSnapshot", "startVirtualMachine",
             "destroyVirtualMachine", "createTemplate", "recoverVirtualMachine", "createVMSnapshot", "attachVolume", "createProject")
        )  # fmt: skip
        calls = []
        for _ in range(self._number(3, 8)):
            try:
                calls.append(self.of(self._one(users) if everybody else user, COMMANDS[name.lower()]))
            except _Nothing:
                continue
        return calls

    def of(self, user: User, command: Command) -> Asked:
        """A call of that command by that user."""
        owner = self._owner(user)
        parameters: dict[str, Any] = {}
        named: list[tuple[Parameter, Row]] = []
        for p in command.parameters:
            if not self._wanted(command, p):
                continue
            try:
                value = self._value(command, p, user, owner, named)
            except _Nothing:
                if p.required or p.name in ALWAYS_GIVEN.get(command.name, ()):
                    raise
                continue
            if value is not None:
                parameters[p.name] = value
        self._for_owner(command, user, owner, parameters, named)
        if "resourceids" in parameters:
            resource_type, row = self.resource(owner)
            parameters |= {"resourcetype": resource_type, "resourceids": [row.id]}
            named.append((next(p for p in command.parameters if p.name == "resourceids"), row))
        if command.group in ("User", "Account") and any(getattr(row, "is_default", False) for _, row in named):
            raise _Nothing  # the run's root admin is to stay
        return Asked(user, command, parameters, tuple(named))

    def filled(self, user: User, command: Command, given: dict[str, Any]) -> dict[str, Any]:
        """Parameters of a call with those `given`, and what it cannot do without: the user's own if there is such."""
        own = self._cloud.store.table(Account)[user.account_id]
        parameters = dict(given)
        for p in command.parameters:
            if p.name in parameters or not (p.required or p.name in ALWAYS_GIVEN.get(command.name, ())):
                continue
            if p.name in ("account", "domainid", "projectid"):
                continue
            try:
                value = self._value(command, p, user, own, [])
            except _Nothing:
                value = self._any_id(p.entity) if p.entity is not None else None
            if value is not None:
                parameters[p.name] = value
        return parameters

    def _any_id(self, row_type: type[Row]) -> str | None:
        found = next(iter(self._cloud.store.table(row_type)), None)
        return None if found is None else found.id

    def _wanted(self, command: Command, p: Parameter) -> bool:
        if p.name in ("account", "domainid", "projectid") and command.name not in _OWN_SAY:
            return False
        if p.required or p.name in ALWAYS_GIVEN.get(command.name, ()):
            return True
        return p.name not in NEVER_GIVEN and self._often(0.12)

    def _owner(self, user: User) -> Account:
        """Whose things the call is about."""
        store = self._cloud.store
        accounts = store.table(Account)
        own = accounts[user.account_id]
        draw = self._chance.random()
        if draw < 0.6:
            return own
        oracle = Ownership(store)
        others = [a for a in accounts if a.name != "system"]
        if draw < 0.9:
            others = [a for a in others if oracle.rules(user, a)]
        found: Account = self._one(others)
        return found

    def _for_owner(
        self, command: Command, user: User, owner: Account, parameters: dict[str, Any], named: list[tuple[Parameter, Row]]
    ) -> None:
        """Say whose it is to be, where the command lets one say it."""
        takes = {p.name: p for p in command.parameters}
        if command.name in _OWN_SAY or (owner.id == user.account_id and not self._often(0.1)):
            return
        if owner.project_id is not None:
            project = self._cloud.store.table(Project).get(owner.project_id)
            if "projectid" in takes and project is not None:
                parameters["projectid"] = project.id
                named.append((takes["projectid"], project))
        elif "account" in takes and "domainid" in takes:
            parameters |= {"account": owner.name, "domainid": owner.domain_id}
            named.append((takes["account"], owner))

    # values

    def _value(
        self, command: Command, p: Parameter, user: User, owner: Account, named: list[tuple[Parameter, Row]]
    ) -> Any:
        make = BY_COMMAND.get((command.name, p.name)) or VALUES.get(p.name)
        if make is not None:
            value = make(self, owner)
            if isinstance(value, Row):
                named.append((p, value))
                return value.id
            return value
        if p.entity is not None and p.type == "list":
            rows = {row.id: row for row in (self._row(p.entity, owner) for _ in range(self._number(1, 2)))}
            named += [(p, row) for row in rows.values()]
            return list(rows)
        if p.entity is not None:
            row = self._row(p.entity, owner)
            named.append((p, row))
            return row.id
        if p.values:
            return self._one(p.values)
        if p.type == "boolean":
            return self._often(0.5)
        if p.type in ("integer", "long", "short", "float"):
            return self._number(1, 4)
        if p.type == "string":
            return self.fresh(p.name)
        return None

    def _row(self, row_type: type[Row], owner: Account) -> Row:
        """A row of that type: the owner's mostly, or what is nobody's."""
        store = self._cloud.store
        table = store.table(row_type)
        if row_type is Template:
            return self._template(owner)
        if row_type in _SPECIAL:
            found: Row = _SPECIAL[row_type](self, owner)
            return found
        if self._often(0.08):
            anyone: Row = self._one(table)
            return anyone
        oracle = Ownership(store)
        owned = []
        for row in table:
            whose = oracle.owner(row)
            if whose is None or whose.id == owner.id:
                owned.append(row)
        row_found: Row = self._one(owned)
        return row_found

    def _template(self, owner: Account) -> Row:
        table = self._cloud.store.table(Template)
        own = [t for t in table.where("account_id", owner.id) if t.state == "Active"]
        if own and self._often(0.5):
            return self._one(own)  # type: ignore[no-any-return]
        return self._one(table) if self._often(0.1) else self._cloud.template  # type: ignore[no-any-return]

    def domain(self, owner: Account) -> Row:
        """The owner's domain, or one below or beside it."""
        table = self._cloud.store.table(Domain)
        if self._often(0.6):
            below = [d for d in table if Ownership(self._cloud.store).below(d.id, owner.domain_id)]
            return self._one(below)  # type: ignore[no-any-return]
        return self._one(table)  # type: ignore[no-any-return]

    def account(self, owner: Account) -> Row:
        """Someone of the owner's domain, or of another."""
        table = self._cloud.store.table(Account)
        near = [a for a in table if a.domain_id == owner.domain_id or self._often(0.1)]
        return self._one(a for a in near if a.name != "system" and a.project_id is None)  # type: ignore[no-any-return]

    def offering(self, row_type: type[Row], **fields: Any) -> Row:
        """One that can be chosen."""
        rows = [
            row
            for row in self._cloud.store.table(row_type)
            if not getattr(row, "is_system", False)
            and getattr(row, "state", "Active") in ("Active", "Enabled")
            and all(getattr(row, field) == value for field, value in fields.items())
        ]
        return self._one(rows)  # type: ignore[no-any-return]

    def network_offering(self) -> Row:
        names = ("DefaultIsolatedNetworkOfferingWithSourceNatService", "DefaultL2NetworkOffering")
        name = names[0] if self._often(0.8) else names[1]
        return next(o for o in self._cloud.store.table(NetworkOffering) if o.name == name)

    def tags(self, owner: Account) -> dict[str, str]:
        return {self._one(("env", "role", "team")): self._one(("a", "b"))}

    def resource(self, owner: Account) -> tuple[str, Row]:
        """Something that carries tags, and the name of its type."""
        kinds = ("UserVm", "Volume", "Network", "Template", "Snapshot", "PublicIpAddress", "Project", "Domain", "Account")
        name = self._one(kinds)
        return name, self._row(TAGGABLE[name], owner)

    @property
    def cloud(self) -> ServedCloud:
        return self._cloud


Make = Callable[[Asker, Account], Any]


def _member(asker: Asker, owner: Account) -> Any:
    """The name of an account that could be a project's member."""
    return asker.account(owner).name  # type: ignore[attr-defined]


def _username(asker: Asker, owner: Account) -> Any:
    users = [u for u in asker.cloud.store.table(User) if u.domain_id == owner.domain_id]
    return asker._one(users).username


def _project(asker: Asker, owner: Account) -> Any:
    table = asker.cloud.store.table(Project)
    if owner.project_id in table:
        return table[owner.project_id]  # type: ignore[index]
    mine = [table[m.project_id] for m in asker.cloud.store.table(ProjectMember) if m.account_id == owner.id]
    return asker._one(mine) if mine and not asker._often(0.1) else asker._one(table)


def _invited(asker: Asker, owner: Account) -> Any:
    invitations = asker.cloud.store.table(ProjectInvitation)
    mine = [i for i in invitations if i.account_id == owner.id]
    chosen = asker._one(mine or list(invitations))
    return asker.cloud.store.table(Project)[chosen.project_id]


def _key_pair(asker: Asker, owner: Account) -> Any:
    return asker._one(asker.cloud.store.table(SshKeyPair).where("account_id", owner.id)).name


def _secondary_ip(asker: Asker, owner: Account) -> Any:
    oracle = Ownership(asker.cloud.store)
    nics = [nic for nic in asker.cloud.store.table(Nic) if nic.secondary_ips and oracle.owner(nic) == owner]
    return asker._one(asker._one(nics).secondary_ips)[0]


_SPECIAL: dict[type[Row], Make] = {
    Domain: lambda a, o: a.domain(o),
    Account: lambda a, o: a.account(o),
    Project: _project,
    ServiceOffering: lambda a, o: a.offering(ServiceOffering),
    NetworkOffering: lambda a, o: a.network_offering(),
    Zone: lambda a, o: a.cloud.zone,
    GuestOs: lambda a, o: next(iter(a.cloud.store.table(GuestOs))),
    Host: lambda a, o: a._one(a.cloud.store.table(Host)),
}

_OWN_SAY = frozenset(
    {"addAccountToProject", "addUserToProject", "deleteAccountFromProject", "deleteUserFromProject", "updateProjectInvitation",
     "updateResourceLimit", "updateResourceCount", "createAccount", "createUser", "listAccounts", "updateProject", "createProjectRole",
     "createProjectRolePermission", "deleteProjectRole", "deleteProjectRolePermission", "updateProjectRole",
     "updateProjectRolePermission", "lockAccount", "disableAccount", "enableAccount", "deleteDomain", "assignVirtualMachine", "assignVolume",
     "createProject"}
)  # fmt: skip
"""Commands whose account, domainid and projectid are what they work on, not for whom."""

VALUES: dict[str, Make] = {
    "username": lambda a, o: a.fresh("user"),
    "password": lambda a, o: "Secret-123",
    "email": lambda a, o: f"{a.fresh('mail')}@example.org",
    "timezone": lambda a, o: "UTC",
    "networkdomain": lambda a, o: "cs.example.org",
    "cidrlist": lambda a, o: a._one((["0.0.0.0/0"], ["10.0.0.0/8"], ["192.0.2.0/24", "198.51.100.0/24"])),
    "protocol": lambda a, o: a._one(("tcp", "udp", "tcp")),
    "startport": lambda a, o: a._number(1, 60),
    "endport": lambda a, o: a._number(60, 70),
    "publicport": lambda a, o: a._number(1, 40),
    "privateport": lambda a, o: a._number(1, 40),
    "size": lambda a, o: a._number(1, 6),
    "rootdisksize": lambda a, o: a._number(1, 5),
    "userdata": lambda a, o: "IyEvYmluL3NoCg==",
    "publickey": lambda a, o: f"{PUBLIC_KEY} {a.fresh('key')}",
    "max": lambda a, o: a._one((-1, 0, 1, 2, 3, 5, 8, 12, 30)),
    "resourcetype": lambda a, o: a._number(0, 11),
    "tags": lambda a, o: a.tags(o),
    "hypervisor": lambda a, o: "Simulator",
    "format": lambda a, o: "VHD",
    "url": lambda a, o: f"http://images.example.org/{a.fresh('image')}.vhd?size={a._number(1, 3)}g",
    "name": lambda a, o: a.fresh("name"),
    "maxsnaps": lambda a, o: a._number(1, 3),
    "algorithm": lambda a, o: "roundrobin",
    "payloadurl": lambda a, o: "http://hooks.example.org/in",
    "startvm": lambda a, o: a._often(0.7),
    "acltype": lambda a, o: a._one(("Account", "Account", "Domain")),
    "lock": lambda a, o: a._often(0.5),
}
"""By the parameter's name. A row stands for its id, and is among what the call names."""


BY_COMMAND: dict[tuple[str, str], Make] = {
    ("createAccount", "accounttype"): lambda a, o: a._one((0, 0, 2)),
    ("createAccount", "domainid"): lambda a, o: a.domain(o),
    ("createUser", "account"): _member,
    ("createUser", "domainid"): lambda a, o: a.cloud.store.table(Domain)[o.domain_id],
    ("createAffinityGroup", "type"): lambda a, o: a._one(("host affinity", "host anti-affinity", "non-strict host anti-affinity")),
    ("createTags", "resourceids"): lambda a, o: [],
    ("createTags", "resourcetype"): lambda a, o: "",
    ("deleteTags", "resourceids"): lambda a, o: [],
    ("deleteTags", "resourcetype"): lambda a, o: "",
    ("createVolume", "diskofferingid"): lambda a, o: a.cloud.disk_offering(),
    ("resizeVolume", "diskofferingid"): lambda a, o: a.cloud.disk_offering(),
    ("deployVirtualMachine", "diskofferingid"): lambda a, o: a.cloud.disk_offering(),
    ("deployVirtualMachine", "keypair"): _key_pair,
    ("resetSSHKeyForVirtualMachine", "keypair"): _key_pair,
    ("deleteSSHKeyPair", "name"): _key_pair,
    ("removeIpFromNic", "id"): _secondary_ip,
    ("createSnapshotPolicy", "intervaltype"): lambda a, o: "HOURLY",
    ("createSnapshotPolicy", "schedule"): lambda a, o: str(a._number(0, 59)),
    ("createVMSchedule", "schedule"): lambda a, o: f"{a._number(0, 59)} * * * *",
    ("createVMSchedule", "action"): lambda a, o: a._one(("START", "STOP", "REBOOT", "FORCE_STOP")),
    ("createVPC", "cidr"): lambda a, o: "10.20.0.0/16",
    ("createUser", "username"): lambda a, o: a.fresh("login"),
    ("registerIso", "url"): lambda a, o: f"http://images.example.org/{a.fresh('iso')}.iso?size=1g",
    ("updateProjectInvitation", "projectid"): _invited,
    ("updateProjectInvitation", "account"): lambda a, o: o.name,
    ("updateProjectInvitation", "accept"): lambda a, o: a._often(0.7),
    ("addAccountToProject", "account"): _member,
    ("addUserToProject", "username"): _username,
    ("deleteAccountFromProject", "account"): _member,
    ("createProject", "account"): lambda a, o: None,
    ("createProject", "domainid"): lambda a, o: None,
    ("updateProject", "account"): _member,
    ("updateResourceLimit", "domainid"): lambda a, o: a.cloud.store.table(Domain)[o.domain_id],
    ("updateResourceLimit", "account"): lambda a, o: o.name if o.project_id is None and a._often(0.7) else None,
    ("updateResourceLimit", "projectid"): lambda a, o: a.cloud.store.table(Project).get(o.project_id),
    ("updateResourceCount", "domainid"): lambda a, o: a.cloud.store.table(Domain)[o.domain_id],
    ("assignVirtualMachine", "account"): _member,
    ("assignVirtualMachine", "domainid"): lambda a, o: a.cloud.store.table(Domain)[o.domain_id],
    ("assignVolume", "accountid"): lambda a, o: a.account(o),
    ("lockAccount", "account"): _member,
    ("lockAccount", "domainid"): lambda a, o: a.cloud.store.table(Domain)[o.domain_id],
    ("createProjectRolePermission", "rule"): lambda a, o: a._one(("list*", "deploy*", "create*", "*")),
    ("deployVirtualMachine", "name"): lambda a, o: a.fresh("vm"),
    ("deployVirtualMachine", "networkids"): lambda a, o: [n.id for n in a.cloud.store.table(Network).where("account_id", o.id)][:2] or None,
    ("attachVolume", "id"): lambda a, o: a._one(v for v in a.cloud.store.table(Volume).where("account_id", o.id) if v.vm_id is None),
    ("recoverVirtualMachine", "id"): lambda a, o: a._one(
        v for v in a.cloud.store.table(VirtualMachine).where("account_id", o.id) if v.state == "Destroyed"
    ),
    ("updateConfiguration", "name"): lambda a, o: "project.invite.required",
    ("updateConfiguration", "value"): lambda a, o: a._one(("true", "false")),
}
