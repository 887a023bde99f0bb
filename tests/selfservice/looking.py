"""Looking at everything as everybody: whether a list shows what its caller may not see, or hides what it may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cloudsim.invariants import Violation
from cloudsim.model import (
    Account,
    AffinityGroup,
    Backup,
    BackupSchedule,
    Domain,
    FirewallRule,
    InstanceGroup,
    IpForwardingRule,
    LoadBalancerRule,
    Network,
    PortForwardingRule,
    Project,
    PublicIp,
    ResourceTag,
    SecurityGroup,
    Snapshot,
    SshKeyPair,
    User,
    UserData,
    VirtualMachine,
    VmSnapshot,
    Volume,
    Vpc,
    VpnUser,
)
from cloudsim.model.identity import PROJECT_ACCOUNT
from cloudsim.store import Row
from server.api.command import COMMANDS, Command
from tests.selfservice.cloud import ServedCloud
from tests.selfservice.ownership import ROOT_TYPE, USER_TYPE, Ownership
from tests.selfservice.shapes import wrong

LEFT_OUT = frozenset({"listApis", "listTopology", "listTraces"})
NEEDS = {"listTemplates": {"templatefilter": "all"}, "listIsos": {"isofilter": "all"}}
_EITHER = frozenset({"listLBStickinessPolicies", "listLBHealthCheckPolicies"})
"""Lists that need one of two ids."""
FILTERS = ("featured", "self", "selfexecutable", "sharedexecutable", "executable", "community")

_REFUSED = frozenset({401, 430, 431, 432, 531})
_NEEDS_HOSTS = frozenset({"prepareTemplate"})
"""Answers a list of what it does, which it cannot do (534) while no host is up."""


def list_commands() -> list[Command]:
    return [c for c in COMMANDS.values() if c.many and c.name not in LEFT_OUT and c.name != "updateResourceCount"]


class Looking:
    """Probes of lists. `seen` counts the rows that were compared with the oracle."""

    def __init__(self, cloud: ServedCloud, generator: np.random.Generator) -> None:
        self._cloud = cloud
        self._chance = generator
        self.probes = self.seen = 0

    def at_random(self, users: list[User], probes: int) -> Iterator[Violation]:
        """So many random lists, each as a random user."""
        commands = list_commands()
        for _ in range(probes):
            user = users[int(self._chance.integers(len(users)))]
            command = commands[int(self._chance.integers(len(commands)))]
            own = self._cloud.store.table(Account)[user.account_id]
            if self._cloud.server.roles.allows(own, command.name, command.roles):
                yield from self._probe(user, command)

    def _probe(self, user: User, command: Command) -> Iterator[Violation]:
        parameters: dict[str, Any] = dict(NEEDS.get(command.name, {}))
        takes = {p.name: p for p in command.parameters}
        for p in command.parameters:
            if p.required and p.entity is not None and p.name not in parameters:
                row = self._any(p.entity)
                if row is None:
                    return
                parameters[p.name] = row.id
        if "templatefilter" in takes and self._maybe(0.7):
            parameters["templatefilter"] = FILTERS[int(self._chance.integers(len(FILTERS)))]
        if "isofilter" in takes and self._maybe(0.7):
            parameters["isofilter"] = FILTERS[int(self._chance.integers(len(FILTERS)))]
        ways: list[Callable[[], dict[str, Any]]] = [
            dict,
            lambda: {"listall": True},
            lambda: {"listall": True, "isrecursive": True},
        ]
        if "account" in takes and "domainid" in takes:
            account, domain = self._any(Account), self._any(Domain)
            ways += [
                lambda: {"account": account.name, "domainid": account.domain_id},  # type: ignore[union-attr]
                lambda: {"account": account.name},  # type: ignore[union-attr]
                lambda: {"domainid": domain.id},  # type: ignore[union-attr]
                lambda: {"domainid": domain.id, "isrecursive": True, "listall": True},  # type: ignore[union-attr]
            ]
        project = self._any(Project)
        if "projectid" in takes:
            ways += [lambda: {"projectid": "-1"}, lambda: {"projectid": "-1", "listall": True}]
            if project is not None:
                ways += [lambda: {"projectid": project.id}] * 2
        parameters |= ways[int(self._chance.integers(len(ways)))]()
        entities = [p for p in command.parameters if p.entity is not None and p.name not in parameters and p.name != "domainid"]
        if entities and self._maybe(0.4):
            p = entities[int(self._chance.integers(len(entities)))]
            if p.entity is not None and (row := self._any(p.entity)) is not None:
                parameters[p.name] = row.id
        if "keyword" in takes and self._maybe(0.1):
            parameters["keyword"] = "a"
        yield from self._ask(user, command, parameters)

    def _maybe(self, probability: float) -> bool:
        return bool(self._chance.random() < probability)

    def _any(self, row_type: type[Row]) -> Any:
        rows = self._cloud.store.table(row_type).page(0, 1_000_000)
        return rows[int(self._chance.integers(len(rows)))] if rows else None

    def _ask(self, user: User, command: Command, parameters: dict[str, Any]) -> Iterator[Violation]:
        cloud = self._cloud
        self.probes += 1
        answer = cloud.ask(user, command.name, **({"pagesize": -1} | parameters))
        said = f"{user.username}: {command.name} {parameters}"
        if answer.status != 200:
            unserved = answer.status == 534 and command.name in _NEEDS_HOSTS
            if answer.status not in (0, *_REFUSED) and not unserved:
                yield Violation("what may be asked is answered", f"{said}: {answer.status} {answer.text}")
            return
        yield from wrong(command, answer.body)
        oracle = Ownership(cloud.store)
        for rows in answer.body.values():
            if not isinstance(rows, list):
                continue
            for shown in rows:
                self.seen += 1
                secret = self._secret(oracle, user, command, shown)
                if secret is not None:
                    yield Violation("nobody sees what is not his", f"{said} shows {secret}")

    def _secret(self, oracle: Ownership, user: User, command: Command, shown: Any) -> str | None:
        """What of an answer's row the caller may not see."""
        store = self._cloud.store
        if not isinstance(shown, dict):
            return None
        entity = command.view.entity if command.view is not None else None
        row = store.table(entity).get(shown.get("id", "")) if entity is not None else None
        if row is not None:
            return None if oracle.sees(user, row) else f"{type(row).__name__} {row.id}"
        project = store.table(Project).get(shown.get("projectid", ""))
        if project is not None:
            return None if oracle.sees(user, project) else f"something of project {project.name}"
        if "account" in shown and "domainid" in shown:
            accounts = store.table(Account)
            owner = accounts.find(("domain_id", "name"), (shown["domainid"], shown["account"]))
            if owner is not None and not oracle.rules(user, owner) and not self._offered(command):
                return f"something of account {owner.name}"
        return None

    def _offered(self, command: Command) -> bool:
        """Answers that tell of other accounts by their nature: members of one's project."""
        return command.name in ("listProjectAccounts", "listTags", "listNetworkPermissions", "listTemplatePermissions")

    def by_keyword(self, user: User) -> Iterator[Violation]:
        """Every list that takes a keyword, narrowed by one."""
        for command in list_commands():
            parameters: dict[str, Any] = {"keyword": "a", **NEEDS.get(command.name, {})}
            takes = {p.name for p in command.parameters}
            wanted = [p for p in command.parameters if p.required and p.entity is not None]
            if command.name in _EITHER:
                wanted += [p for p in command.parameters if p.name == "lbruleid"]
            rows = {p.name: self._any(p.entity) for p in wanted if p.entity is not None}
            if "keyword" in takes and None not in rows.values():
                yield from self._ask(user, command, parameters | {name: row.id for name, row in rows.items()})

    # what must be there

    def complete(self, users: list[User]) -> Iterator[Violation]:
        """With listall everybody is shown all that belongs to him, or to those below him, and only that."""
        for user in users:
            for name, row_type, keep in COMPLETE:
                for projects in (False, True):
                    yield from self._complete(user, name, row_type, keep, projects)

    def _complete(
        self, user: User, name: str, row_type: type[Row], keep: Callable[[Any], bool], projects: bool
    ) -> Iterator[Violation]:
        cloud, command = self._cloud, COMMANDS[name.lower()]
        store = cloud.store
        own = store.table(Account)[user.account_id]
        where = {"projectid": "-1"} if projects else {"listall": True}
        answer = cloud.ask(user, name, pagesize=-1, **where, **NEEDS.get(name, {}))
        self.probes += 1
        if answer.status != 200:
            yield Violation("what may be asked is answered", f"{user.username}: {name}: {answer.status} {answer.text}")
            return
        rows = answer.body.get(command.key, [])
        shown = {row["id"] for row in rows} if rows and "id" in rows[0] else None
        oracle = Ownership(store)
        wanted = set()
        for row in store.table(row_type):
            owner = oracle.owner(row)
            shown_to_him = getattr(row, "display", True) or own.type == ROOT_TYPE
            if owner is None or not keep(row) or not shown_to_him or (owner.name == "system" and row_type is not ResourceTag):
                continue
            of_project = owner.type == PROJECT_ACCOUNT
            if of_project is projects and self._his(oracle, user, own, owner):
                wanted.add(row.id)
        if shown is None:
            if len(rows) != len(wanted) and not projects:
                yield Violation("lists are complete", f"{user.username}: {name} {where}: {len(rows)} of {len(wanted)}")
            return
        if projects and own.type == USER_TYPE and not wanted:
            return  # without projects one's own are shown
        if projects:
            missing, more = wanted - shown, set()
        else:
            missing, more = wanted - shown, shown - wanted
        more = {each for each in more if not oracle.sees(user, store.table(row_type)[each])}
        for row_id in missing:
            yield Violation("lists are complete", f"{user.username}: {name} {where} lacks {store.table(row_type)[row_id]}")
        for row_id in more:
            yield Violation("nobody sees what is not his", f"{user.username}: {name} {where} shows {row_id}")

    def _his(self, oracle: Ownership, user: User, own: Account, owner: Account) -> bool:
        if owner.type == PROJECT_ACCOUNT:
            assert owner.project_id is not None
            return own.type == ROOT_TYPE or oracle.is_member(user, owner.project_id)
        return oracle.rules(user, owner)


def _user_vm(vm: VirtualMachine) -> bool:
    return vm.type == "User" and vm.state not in ("Destroyed", "Expunging")


def _volume(volume: Volume) -> bool:
    return volume.state not in ("Destroy", "Expunging", "Expunged")


def _network(network: Network) -> bool:
    return network.acl_type != "Domain" and network.traffic_type == "Guest"


COMPLETE: tuple[tuple[str, type[Row], Callable[[Any], bool]], ...] = (
    ("listVirtualMachines", VirtualMachine, _user_vm),
    ("listVolumes", Volume, _volume),
    ("listSnapshots", Snapshot, lambda row: True),
    ("listVMSnapshot", VmSnapshot, lambda row: True),
    ("listBackups", Backup, lambda row: True),
    ("listBackupSchedule", BackupSchedule, lambda row: True),
    ("listNetworks", Network, _network),
    ("listPublicIpAddresses", PublicIp, lambda row: row.state == "Allocated"),
    ("listFirewallRules", FirewallRule, lambda row: row.direction == "Ingress"),
    ("listPortForwardingRules", PortForwardingRule, lambda row: True),
    ("listIpForwardingRules", IpForwardingRule, lambda row: True),
    ("listLoadBalancerRules", LoadBalancerRule, lambda row: row.scheme == "Public"),
    ("listSecurityGroups", SecurityGroup, lambda row: True),
    ("listAffinityGroups", AffinityGroup, lambda row: True),
    ("listInstanceGroups", InstanceGroup, lambda row: True),
    ("listSSHKeyPairs", SshKeyPair, lambda row: True),
    ("listUserData", UserData, lambda row: True),
    ("listVPCs", Vpc, lambda row: True),
    ("listVpnUsers", VpnUser, lambda row: True),
    ("listTags", ResourceTag, lambda row: True),
)
"""List command -> the rows that it is about, and which of them it always shows."""
