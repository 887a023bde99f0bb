"""For whom a thing is made: the `account`, `domainid` and `projectid` that creating commands share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller
from cloudsim.model import Account, Domain, Project
from cloudsim.store import Store
from server.api.command import Call
from server.api.parameters import Param, parameter

ACCOUNT = parameter("account", Annotated[str | None, Param("the account that is to own it; with domainid")], None)
DOMAIN = parameter("domainid", Annotated[Domain | None, Param("the domain of that account")], None)
PROJECT = parameter("projectid", Annotated[Project | None, Param("the project that is to own it")], None)


def account_named(store: Store, name: str, domain: Domain) -> Account:
    """The account of that name in the domain, in any case of letters. InvalidParameterValue if there is none."""
    table = store.table(Account)
    account = table.find(("domain_id", "name"), (domain.id, name))
    if account is None:
        wanted = name.lower()
        account = next((a for a in table.where("domain_id", domain.id) if a.name.lower() == wanted), None)
    if account is None or account.project_id is not None:
        raise InvalidParameterValue(f"could not find account {name} in domain {domain.id}")
    return account


def resolve_owner(
    store: Store, caller: Caller, name: str | None, domain: Domain | None, project: Project | None
) -> Account:
    """The account that is to own something: the caller's own unless the parameters name another.

    As in CloudStack, a domain alone names none.
    """
    if project is not None:
        if name is not None:
            raise InvalidParameterValue("Parameters account and projectid exclude each other")
        if project.state != "Active":
            raise PermissionDenied(f"Project {project.name} is {project.state}: nothing can be added to it")
        return store.table(Account)[project.account_id]
    if name is None:
        return caller.account
    if domain is None:
        raise InvalidParameterValue("Parameters account and domainid must be given together")
    if not caller.is_admin and (name != caller.account.name or domain.id != caller.account.domain_id):
        raise PermissionDenied(f"{caller.account.name} cannot act for account {name} in domain {domain.id}")
    account = account_named(store, name, domain)
    visibility.check(store, caller, account)
    return account


class _Owner:
    def __init__(self, *, projects: bool) -> None:
        self.parameters = (ACCOUNT, DOMAIN, PROJECT) if projects else (ACCOUNT, DOMAIN)

    def value(self, call: Call, values: Mapping[str, Any]) -> Account:
        return resolve_owner(
            call.store,
            call.caller,
            values.get("account") or None,
            values.get("domainid"),
            values.get("projectid"),
        )


class _Named:
    """Whose a thing is said to be, where it exists already: None when nothing says."""

    def __init__(self, *, projects: bool) -> None:
        about = "the account whose it is; of your own domain without domainid"
        account = parameter("account", Annotated[str | None, Param(about)], None)
        project = parameter("projectid", Annotated[Project | None, Param("the project whose it is")], None)
        self.parameters = (account, DOMAIN, project) if projects else (account, DOMAIN)

    def value(self, call: Call, values: Mapping[str, Any]) -> Account | None:
        account, domain, project = values.get("account") or None, values.get("domainid"), values.get("projectid")
        if account is None and project is None:
            return None
        if account is not None and domain is None:
            domain = call.store.table(Domain)[call.caller.account.domain_id]
        return resolve_owner(call.store, call.caller, account, domain, project)


def check_named(named: Account | None, account_id: str, what: str) -> None:
    """Raise InvalidParameterValue for an account or project that is said to have what is another's."""
    if named is not None and named.id != account_id:
        raise InvalidParameterValue(f"Parameters account, domainid and projectid: {what} is not {named.name}'s")


NamedAccount = Annotated[Account | None, _Named(projects=False)]
"""The account that account and domainid name, for commands of what exists: see `check_named`."""
NamedOwner = Annotated[Account | None, _Named(projects=True)]
"""The same, or a project's, which projectid names."""
Owner = Annotated[Account, _Owner(projects=True)]
"""The owner of what is created, from account + domainid or projectid; the caller's account by default."""
AccountOwner = Annotated[Account, _Owner(projects=False)]
"""The same without projectid."""
