"""Users and their API keys."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import in_subtree
from cloudsim.model import Account, Domain, Role, User
from cloudsim.model.identity import ROOT_ADMIN
from server.api.command import ADMINS, Call, Job, Listed, command
from server.api.key_access import KeyAccess, access_meant, check_access, shown_access
from server.api.listing import Page, listed
from server.api.ownership import account_named
from server.api.parameters import Param
from server.api.scope import AccountScope
from server.api.views import Date, View, Wire, date


class UserView(View):
    """A user. The secret key is shown by getUserKeys alone."""

    entity: ClassVar = User
    key: ClassVar = "user"

    id: Annotated[str | None, "the user's id"] = None
    username: Annotated[str | None, "the name to log in with"] = None
    firstname: str | None = None
    lastname: str | None = None
    email: str | None = None
    created: Date | None = None
    state: Annotated[str | None, "enabled, disabled or locked"] = None
    account: Annotated[str | None, "name of the account it belongs to"] = None
    accountid: str | None = None
    accounttype: Annotated[int | None, "0 user, 1 root admin, 2 domain admin, 3 resource admin"] = None
    usersource: Annotated[str | None, "where the user comes from: native"] = None
    roleid: str | None = None
    roletype: str | None = None
    rolename: str | None = None
    domain: str | None = None
    domainid: str | None = None
    timezone: str | None = None
    apikey: str | None = None
    secretkey: str | None = None
    iscallerchilddomain: Annotated[bool | None, "whether it lives below the caller's domain"] = None
    isdefault: Annotated[bool | None, "whether it came with the cloud"] = None
    is2faenabled: bool | None = None
    is2famandated: bool | None = None
    apikeyaccess: Annotated[str | None, Wire("apikeyaccess"), "ENABLED, DISABLED or INHERIT"] = None

    @classmethod
    def of(cls, row: User, call: Call) -> Self:
        store = call.store
        account, domain = store.table(Account).get(row.account_id), store.table(Domain).get(row.domain_id)
        role = store.table(Role).get(account.role_id) if account is not None else None
        own = call.caller.account.domain_id
        return cls(
            id=row.id,
            username=row.username,
            firstname=row.first_name,
            lastname=row.last_name,
            email=row.email,
            created=date(row.created),
            state=row.state,
            account=account.name if account is not None else None,
            accountid=row.account_id,
            accounttype=account.type if account is not None else None,
            usersource="native",
            roleid=role.id if role is not None else None,
            roletype=role.type if role is not None else None,
            rolename=role.name if role is not None else None,
            domain=domain.name if domain is not None else None,
            domainid=row.domain_id,
            timezone=row.timezone,
            apikey=row.api_key,
            iscallerchilddomain=row.domain_id != own and in_subtree(store, row.domain_id, own),
            isdefault=row.is_default,
            is2faenabled=row.two_factor_confirmed,
            is2famandated=call.manager.identity.two_factor.is_mandated(row),
            apikeyaccess=shown_access(row.api_key_access),
        )


class UserKeysView(View):
    """A user's keys; members are missing where the user has none."""

    key: ClassVar = "userkeys"

    apikey: str | None = None
    secretkey: str | None = None
    apikeyaccess: Annotated[bool | None, "whether the keys are taken"] = None

    @classmethod
    def of(cls, row: User, call: Call) -> Self:
        if row.api_key is None:
            return cls()
        account = call.store.table(Account)[row.account_id]
        taken = call.manager.identity.users.may_use_api_keys(row, account)
        return cls(apikey=row.api_key, secretkey=row.secret_key, apikeyaccess=taken)


@command("listUsers", view=UserView, group="User")
async def list_users(
    call: Call,
    *,
    page: Page,
    scope: AccountScope,
    id: User | None = None,
    username: Annotated[str | None, Param("only the user of that name")] = None,
    state: str | None = None,
    accounttype: Annotated[int | None, Param("only users of accounts of that type")] = None,
    apikeyaccess: KeyAccess = None,
    usersource: Literal["native", "ldap", "saml2", "oauth2", "unknown"] | None = None,
) -> Listed:
    """Lists users."""
    if usersource not in (None, "native"):  # there are no others
        return Listed([], 0)
    accounts = call.store.table(Account)

    def keep(user: User) -> bool:
        return (
            (accounttype is None or accounts[user.account_id].type == accounttype)
            and (state is None or user.state == state.lower())
            and (username is None or user.username.lower() == username.lower())
            and (call.caller.is_root_admin or not user.is_default)
            and (apikeyaccess is None or user.api_key_access is access_meant(apikeyaccess))
        )

    return listed(
        call,
        User,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        keep=keep,
        search=("username", "first_name", "last_name", "email"),
    )


@command("getUser", view=UserView, group="User")
async def get_user(call: Call, *, userapikey: Annotated[str, Param("an API key")]) -> User:
    """Shows the user who has an API key."""
    user = call.store.table(User).find("api_key", userapikey)
    if user is None or not visibility.may(call.store, call.caller, user, operate=True):
        raise InvalidParameterValue("No user has that API key")
    return user


@command("createUser", view=UserView, roles=ADMINS, group="User", event="USER.CREATE")
async def create_user(
    call: Call,
    *,
    account: Annotated[str, Param("name of the account to add it to")],
    username: Annotated[str, Param("the name to log in with, unique in the domain")],
    password: Annotated[str, Param("in plain text")],
    email: str,
    firstname: str,
    lastname: str,
    domainid: Annotated[Domain | None, Param("domain of the account; by default the caller's")] = None,
    timezone: str | None = None,
    userid: Annotated[str | None, Param("the id it is to have")] = None,
) -> User:
    """Adds a user to an account."""
    domain = domainid or call.store.table(Domain)[call.caller.account.domain_id]
    owner = account_named(call.store, account, domain)
    visibility.check(call.store, call.caller, owner)
    created: User = call.manager.identity.users.create(
        owner,
        username,
        password,
        first_name=firstname,
        last_name=lastname,
        email=email,
        timezone=timezone,
        id=userid or None,
    )
    return created


@command("updateUser", view=UserView, group="User", event="USER.UPDATE")
async def update_user(
    call: Call,
    *,
    id: User,
    username: str | None = None,
    firstname: str | None = None,
    lastname: str | None = None,
    email: str | None = None,
    timezone: str | None = None,
    password: Annotated[str | None, Param("the new password, in plain text")] = None,
    currentpassword: Annotated[str | None, Param("needed to change one's own password without being admin")] = None,
    userapikey: Annotated[str | None, Param("a new API key; with usersecretkey")] = None,
    usersecretkey: Annotated[str | None, Param("a new secret key; with userapikey")] = None,
    apikeyaccess: KeyAccess = None,
    mandate2fa: Annotated[bool | None, Param("whether it must have a second factor; for admins", since="4.18.0.0")] = None,
) -> User:
    """Changes a user."""
    identity = call.manager.identity
    check_access(call, apikeyaccess)
    if mandate2fa is not None and not call.caller.is_admin:
        raise PermissionDenied("Parameter mandate2fa: only admins mandate second factors")
    if password is not None and not call.caller.is_admin:
        identity.check_current_password(id, currentpassword)
    with call.store.transaction():
        updated: User = identity.users.update(
            id,
            username=username,
            first_name=firstname,
            last_name=lastname,
            email=email,
            timezone=timezone,
            password=password,
            api_key=userapikey,
            secret_key=usersecretkey,
        )
        if apikeyaccess is not None:
            updated = identity.users.set_api_key_access(updated, access_meant(apikeyaccess))
        if mandate2fa is not None:
            updated = identity.two_factor.mandate(updated, mandate2fa)
    if password is not None and call.door is not None:
        call.door.sessions.end_all_of(id.id)
    return updated


@command("moveUser", roles=ADMINS, group="User", since="4.11", event="USER.MOVE")
async def move_user(
    call: Call,
    *,
    id: User,
    account: Annotated[str | None, Param("name of the account that is to have the user; or give accountid")] = None,
    accountid: Account | None = None,
) -> None:
    """Moves a user to another account of the same domain."""
    if bool(account) == (accountid is not None):
        raise InvalidParameterValue("Give either account or accountid")
    target = accountid or account_named(call.store, account or "", call.store.table(Domain)[id.domain_id])
    visibility.check(call.store, call.caller, target)
    if target.type == ROOT_ADMIN and not call.caller.is_root_admin:
        raise PermissionDenied(f"Only root admins move users into account {target.name}")
    call.manager.identity.users.move(id, target)
    if call.door is not None:
        call.door.sessions.end_all_of(id.id)


@command("deleteUser", roles=ADMINS, group="User", event="USER.DELETE")
async def delete_user(call: Call, *, id: User) -> None:
    """Deletes a user; its account stays."""
    call.manager.identity.users.delete(id)


@command("enableUser", view=UserView, roles=ADMINS, group="User", event="USER.ENABLE")
async def enable_user(call: Call, *, id: User) -> User:
    """Lets a disabled or locked user in again."""
    enabled: User = call.manager.identity.users.set_state(id, "enabled")
    return enabled


@command("disableUser", view=UserView, roles=ADMINS, group="User", job=True, event="USER.DISABLE")
async def disable_user(call: Call, *, id: User) -> Job:
    """Keeps a user out."""
    users = call.manager.identity.users
    users.check_change(id, "disabled")

    async def work() -> User:
        disabled: User = users.set_state(id, "disabled")
        return disabled

    return Job(work, id)


@command("lockUser", view=UserView, roles=ADMINS, group="User", event="USER.LOCK")
async def lock_user(call: Call, *, id: User) -> User:
    """Locks a user out."""
    locked: User = call.manager.identity.users.set_state(id, "locked")
    return locked


@command("registerUserKeys", view=UserKeysView, group="User", event="REGISTER.USER.KEY")
async def register_user_keys(call: Call, *, id: User) -> User:
    """Gives a user a new API key and secret key."""
    registered: User = call.manager.identity.users.register_keys(id)
    return registered


@command("getUserKeys", view=UserKeysView, group="User", since="4.10.0")
async def get_user_keys(call: Call, *, id: User) -> User:
    """Shows a user's API key and secret key."""
    return id
