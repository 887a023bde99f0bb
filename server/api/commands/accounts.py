"""Accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.operations.details import shown as shown_details
from cloudsim.model import Account, Domain, Role, User
from cloudsim.model.identity import PROJECT_ACCOUNT
from server.api.command import ADMINS, Call, Job, Listed, command
from server.api.commands.users import UserView
from server.api.key_access import KeyAccess, access_meant, check_access, shown_access
from server.api.listing import Page, page_of
from server.api.ownership import account_named
from server.api.parameters import Param
from server.api.resource_fields import (
    Details,
    LimitTag,
    WithProjects,
    account_resources,
    show_resources,
    wants_resources,
)
from server.api.scope import accounts_of
from server.api.views import Date, Long, Wire, date, domain_fields


class AccountView(WithProjects):
    """An account with its users, and what it has and may have."""

    entity: ClassVar = Account
    key: ClassVar = "account"

    id: Annotated[str | None, "the account's id"] = None
    name: str | None = None
    accounttype: Annotated[int | None, "0 user, 1 root admin, 2 domain admin, 3 resource admin"] = None
    roleid: str | None = None
    roletype: str | None = None
    rolename: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    receivedbytes: Long | None = None
    sentbytes: Long | None = None
    vmstopped: Annotated[int | None, "instances that are stopped"] = None
    vmrunning: Annotated[int | None, "instances that run"] = None
    state: Annotated[str | None, "enabled, disabled or locked"] = None
    iscleanuprequired: bool | None = None
    created: Date | None = None
    user: list[UserView] | None = None
    networkdomain: str | None = None
    accountdetails: dict[str, str] | None = None
    apikeyaccess: Annotated[str | None, Wire("apikeyaccess"), "ENABLED, DISABLED or INHERIT"] = None
    isdefault: Annotated[bool | None, "whether it came with the cloud"] = None
    groups: list[str] | None = None

    @classmethod
    def of(cls, row: Account, call: Call) -> Self:
        role = call.store.table(Role).get(row.role_id)
        fields: dict[str, Any] = account_resources(call, row) if wants_resources(call) else {}
        return cls(
            id=row.id,
            name=row.name,
            accounttype=row.type,
            roleid=row.role_id,
            roletype=role.type if role is not None else None,
            rolename=role.name if role is not None else None,
            receivedbytes=0,
            sentbytes=0,
            state=row.state,
            iscleanuprequired=row.deleting,
            created=date(row.created),
            user=[UserView.of(user, call) for user in call.store.table(User).where("account_id", row.id)],
            networkdomain=row.network_domain,
            accountdetails=shown_details(call.store, call.caller, row) or None,
            apikeyaccess=shown_access(row.api_key_access),
            isdefault=row.is_default,
            groups=[],
            **domain_fields(call, row.domain_id),
            **fields,
        )


@command("listAccounts", view=AccountView, group="Account")
async def list_accounts(
    call: Call,
    *,
    page: Page,
    id: Account | None = None,
    name: str | None = None,
    accounttype: Annotated[int | None, Param("only accounts of that type")] = None,
    state: str | None = None,
    iscleanuprequired: Annotated[bool, Param("only those whose deletion has not come to its end")] = False,
    domainid: Annotated[Domain | None, Param("only accounts of that domain", access="use")] = None,
    isrecursive: Annotated[bool, Param("with domainid: those of its subdomains too")] = False,
    listall: Annotated[bool, Param("everything the caller may see, not only its own account")] = False,
    details: Details = (),
    apikeyaccess: KeyAccess = None,
    tag: LimitTag = None,
) -> Listed:
    """Lists accounts; those of projects are shown by listProjects."""
    show_resources(call, details, tag)
    wanted = name.lower() if name else None
    rows = [
        account
        for account in _candidates(call, id, name, domainid, isrecursive, listall)
        if account.type != PROJECT_ACCOUNT
        and (wanted is None or account.name.lower() == wanted)
        and (accounttype is None or account.type == accounttype)
        and (state is None or account.state == state.lower())
        and (not iscleanuprequired or account.deleting)
        and (apikeyaccess is None or account.api_key_access is access_meant(apikeyaccess))
        and (call.caller.is_root_admin or not account.is_default)
    ]
    return page_of(rows, page)


def _candidates(
    call: Call, id: Account | None, name: str | None, domain: Domain | None, recursive: bool, listall: bool
) -> list[Account]:
    """A user sees its own account. An admin sees its own, or what listall, id, name or domainid widen that to."""
    store, caller = call.store, call.caller
    table = store.table(Account)
    if id is not None:
        return [id] if visibility.may(store, caller, id, operate=True) else []
    if not caller.is_admin:
        return [caller.account]
    if domain is not None:
        return [table[a] for a in accounts_of(store, domain, recursive=recursive or listall, projects=False)]
    if not listall and name is None:
        return [caller.account]
    if caller.is_root_admin:
        return list(table)
    top = store.table(Domain)[caller.account.domain_id]
    return [table[a] for a in accounts_of(store, top, recursive=True, projects=False)]


@command("createAccount", view=AccountView, roles=ADMINS, group="Account", event="ACCOUNT.CREATE")
async def create_account(
    call: Call,
    *,
    username: Annotated[str, Param("the first user's name to log in with, unique in the domain")],
    password: Annotated[str, Param("in plain text")],
    email: str,
    firstname: str,
    lastname: str,
    account: Annotated[str | None, Param("the account's name; by default the user's")] = None,
    accounttype: Annotated[int | None, Param("0 user, 1 root admin, 2 domain admin; or give roleid")] = None,
    roleid: Annotated[Role | None, Param("what the account may do")] = None,
    domainid: Annotated[Domain | None, Param("the domain to live in; by default the caller's", access="operate")] = None,
    timezone: str | None = None,
    networkdomain: Annotated[str | None, Param("DNS suffix of its networks")] = None,
    accountdetails: Annotated[Mapping[str, str] | None, Param("anything worth keeping with it")] = None,
    accountid: Annotated[str | None, Param("the id it is to have")] = None,
    userid: Annotated[str | None, Param("the id the user is to have")] = None,
) -> Account:
    """Creates an account with its first user."""
    created: Account = call.manager.identity.accounts.create(
        call.caller,
        name=account,
        username=username,
        password=password,
        domain=domainid or call.store.table(Domain)[call.caller.account.domain_id],
        type=accounttype,
        role=roleid,
        first_name=firstname,
        last_name=lastname,
        email=email,
        timezone=timezone,
        network_domain=networkdomain,
        details=accountdetails,
        account_id=accountid or None,
        user_id=userid or None,
    )
    return created


def _meant(call: Call, id: Account | None, name: str | None, domain: Domain | None) -> Account:
    """The account that id, or account and domainid, mean. Raises unless the caller may operate it."""
    if id is not None:
        return id
    if not name or domain is None:
        raise InvalidParameterValue("Which account? Give its id, or account and domainid")
    account = account_named(call.store, name, domain)
    visibility.check(call.store, call.caller, account)
    return account


@command("updateAccount", view=AccountView, roles=ADMINS, group="Account", event="ACCOUNT.UPDATE")
async def update_account(
    call: Call,
    *,
    id: Account | None = None,
    account: Annotated[str | None, Param("name of the account; with domainid, instead of id")] = None,
    domainid: Domain | None = None,
    newname: Annotated[str | None, Param("its new name")] = None,
    roleid: Annotated[Role | None, Param("its new role")] = None,
    networkdomain: str | None = None,
    accountdetails: Mapping[str, str] | None = None,
    apikeyaccess: KeyAccess = None,
) -> Account:
    """Changes an account."""
    meant = _meant(call, id, account, domainid)
    check_access(call, apikeyaccess)
    accounts = call.manager.identity.accounts
    with call.store.transaction():
        updated: Account = accounts.update(
            call.caller, meant, name=newname, role=roleid, network_domain=networkdomain, details=accountdetails
        )
        if apikeyaccess is not None:
            updated = accounts.set_api_key_access(updated, access_meant(apikeyaccess))
    return updated


@command("enableAccount", view=AccountView, roles=ADMINS, group="Account", event="ACCOUNT.ENABLE")
async def enable_account(
    call: Call, *, id: Account | None = None, account: str | None = None, domainid: Domain | None = None
) -> Account:
    """Lets a disabled or locked account act again."""
    meant = _meant(call, id, account, domainid)
    enabled: Account = call.manager.identity.accounts.set_state(meant, "enabled")
    return enabled


@command("lockAccount", view=AccountView, roles=ADMINS, group="Account", event="ACCOUNT.LOCK")
async def lock_account(call: Call, *, account: str, domainid: Domain) -> Account:
    """Keeps an account's users out; what it runs goes on."""
    accounts = call.manager.identity.accounts
    meant = _meant(call, None, account, domainid)
    accounts.check_change(call.caller, meant, "locked")
    locked: Account = accounts.set_state(meant, "locked")
    return locked


@command("disableAccount", view=AccountView, roles=ADMINS, group="Account", job=True, event="ACCOUNT.DISABLE")
async def disable_account(
    call: Call,
    *,
    lock: Annotated[bool, Param("only lock it: what it runs goes on")],
    id: Account | None = None,
    account: str | None = None,
    domainid: Domain | None = None,
) -> Job:
    """Keeps an account's users out and stops what it runs, or with lock=true only locks it."""
    accounts = call.manager.identity.accounts
    meant = _meant(call, id, account, domainid)
    accounts.check_change(call.caller, meant, "locked" if lock else "disabled")

    async def work() -> Account:
        done: Account = accounts.set_state(meant, "locked") if lock else await accounts.disable(meant.id)
        return done

    return Job(work, meant)


@command("deleteAccount", roles=ADMINS, group="Account", job=True, event="ACCOUNT.DELETE")
async def delete_account(call: Call, *, id: Account) -> Job:
    """Deletes an account with all it owns."""
    accounts = call.manager.identity.accounts
    accounts.check_delete(call.caller, id)
    return Job(lambda: accounts.delete(id.id), id)
