"""Whose rows a list command means: the `account`, `domainid`, `listall`, `isrecursive` and `projectid` that lists share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.identity.membership import memberships
from cloudsim.model import Account, Domain, Project
from cloudsim.model.identity import PROJECT_ACCOUNT
from cloudsim.store import Store
from server.api.command import Call
from server.api.ownership import account_named
from server.api.parameters import Param, Parameter, parameter


@dataclass(frozen=True)
class Ownership:
    """Whose rows: those of `accounts`, or of every account (None) but `without`."""

    accounts: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()

    def owns(self, account_id: str) -> bool:
        if self.accounts is None:
            return account_id not in self.without
        return account_id in self.accounts


_ACCOUNT = parameter("account", Annotated[str | None, Param("rows of that account; with domainid")], None)
_DOMAIN = parameter("domainid", Annotated[Domain | None, Param("rows of that domain")], None, access="use")
_LISTALL = parameter("listall", Annotated[bool, Param("everything the caller may see, not only its own")], False)
_RECURSIVE = parameter("isrecursive", Annotated[bool, Param("with domainid: those of its subdomains too")], False)
_PROJECT = parameter(
    "projectid",
    Annotated[str | None, Param("rows of that project; -1 for all projects", type="uuid", length=40, entity=Project)],
    None,
)


class _ScopeParameters:
    def __init__(self, *, projects: bool, project_alone: bool = False) -> None:
        self._project_alone = project_alone
        self.parameters: tuple[Parameter, ...] = (_ACCOUNT, _DOMAIN, _LISTALL, _RECURSIVE)
        if projects:
            self.parameters += (_PROJECT,)

    def value(self, call: Call, values: Mapping[str, Any]) -> Ownership:
        project = values.get("projectid") or None
        of_project = self._project_alone and project is not None
        return ownership(
            call,
            account=None if of_project else values.get("account") or None,
            domain=values.get("domainid"),
            project=project,
            listall=values.get("listall", False),
            recursive=values.get("isrecursive", False),
            named=bool(call.fields.get("id")),
            some=bool(call.fields.get("ids")),
        )


def asks_itself(call: Call) -> bool:
    """Whether the caller is the cloud's own account, as on the integration port: what it owns is not only system VMs."""
    system: str = call.manager.identity.system()[0].id
    return call.caller.account.id == system


def of_users(call: Call, scope: Ownership) -> Ownership:
    """The scope without what is the cloud's own: system VMs and their disks. Where it asks itself, those are left in."""
    if asks_itself(call):
        return scope
    system: str = call.manager.identity.system()[0].id
    if scope.accounts is None:
        return Ownership(None, (*scope.without, system))
    return Ownership(tuple(account for account in scope.accounts if account != system))


Scope = Annotated[Ownership, _ScopeParameters(projects=True)]
"""account, domainid, listall, isrecursive and projectid."""
ProjectOrAccountScope = Annotated[Ownership, _ScopeParameters(projects=True, project_alone=True)]
"""The same where account counts for nothing beside projectid, instead of being refused."""
AccountScope = Annotated[Ownership, _ScopeParameters(projects=False)]
"""The same without projectid."""


def ownership(
    call: Call,
    *,
    account: str | None = None,
    domain: Domain | None = None,
    project: str | None = None,
    listall: bool = False,
    recursive: bool = False,
    named: bool = False,
    some: bool = False,
) -> Ownership:
    """Whose rows a list call means; `named` when it asks for one by its id, `some` when for several.

    As in CloudStack the one is looked for among all that the caller may see, several among the caller's own without
    `listall`; of projects both are found.
    """
    store, caller = call.store, call.caller
    own = caller.account
    if account is not None:
        if project is not None:
            raise InvalidParameterValue("Parameters account and projectid exclude each other")
        found = account_named(store, account, domain or store.table(Domain)[own.domain_id])
        visibility.check(store, caller, found)
        return Ownership((found.id,))
    if project == "-1":
        return _all_projects(call, listall)
    if project is not None:
        row = store.table(Project).get(project)
        if row is None:
            raise InvalidParameterValue(
                f"Unable to execute API command {call.command.name.lower()} due to invalid value. Invalid parameter "
                f"projectid value={project} due to incorrect long value format, or entity does not exist or due to "
                "incorrect parameter annotation for the field in api cmd class."
            )
        visibility.check(store, caller, row, operate=False)
        return Ownership((row.account_id,))
    if domain is not None:
        if not caller.is_admin:
            return Ownership((own.id,))
        return Ownership(accounts_of(store, domain, recursive=recursive, projects=named or some))
    if not caller.is_admin:
        return Ownership((own.id, *member_accounts(store, own.id, caller.user_id)) if named or some else (own.id,))
    if not listall and not named:
        return Ownership((own.id,))
    if caller.is_root_admin:
        return Ownership(None, () if named or some else project_accounts(store))
    subtree = store.table(Domain)[own.domain_id]
    return Ownership(accounts_of(store, subtree, recursive=True, projects=named or some))


def _all_projects(call: Call, listall: bool) -> Ownership:
    store, caller = call.store, call.caller
    if caller.is_root_admin:
        return Ownership(None) if listall else Ownership(project_accounts(store))
    mine = member_accounts(store, caller.account.id, caller.user_id)
    return Ownership((*mine, caller.account.id) if listall or not mine else mine)


def project_accounts(store: Store) -> tuple[str, ...]:
    """The accounts that own projects' resources."""
    return tuple(project.account_id for project in store.table(Project))


def member_accounts(store: Store, account_id: str, user_id: str | None = None) -> tuple[str, ...]:
    """The project accounts of the projects that an account, or that user of it, is a member of."""
    projects = store.table(Project)
    members = memberships(store, account_id, user_id)
    return tuple(dict.fromkeys(projects[m.project_id].account_id for m in members if m.project_id in projects))


def subtree(store: Store, domain: Domain) -> list[Domain]:
    """The domain and all below it, parents first."""
    table = store.table(Domain)
    found = [domain]
    for each in found:
        found.extend(table.where("parent_id", each.id))
    return found


def accounts_of(store: Store, domain: Domain, *, recursive: bool, projects: bool) -> tuple[str, ...]:
    """Accounts of a domain, or of its subtree; with `projects`, those of projects as well."""
    table = store.table(Account)
    domains = subtree(store, domain) if recursive else [domain]
    return tuple(
        account.id
        for each in domains
        for account in table.where("domain_id", each.id)
        if projects or account.type != PROJECT_ACCOUNT
    )
