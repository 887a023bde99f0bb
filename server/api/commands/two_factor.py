"""Second factors of users: set up, confirmed, and asked for when one signs in."""

from __future__ import annotations

from typing import Annotated, ClassVar, NamedTuple, Self

from cloudsim.errors import InvalidParameterValue, PermissionDenied, SecondFactorRequired
from cloudsim.management.identity import visibility
from cloudsim.management.identity.two_factor import PROVIDERS
from cloudsim.model import User
from server.api.command import Call, Success, command
from server.api.parameters import Param
from server.api.session import Session
from server.api.views import View

GROUP = "Authentication"
SINCE = "4.18.0"


class Provider(NamedTuple):
    """A kind of second factor."""

    name: str
    description: str


class ProviderView(View):
    """A kind of second factor."""

    key: ClassVar = "providers"

    name: str | None = None
    description: str | None = None

    @classmethod
    def of(cls, row: Provider, call: Call) -> Self:
        return cls(name=row.name, description=row.description)


class SetupView(View):
    """Whose second factor was set up, and its secret. Nothing but the id after it was removed."""

    key: ClassVar = "setup2fa"

    id: str | None = None
    username: str | None = None
    accountid: str | None = None
    secretcode: Annotated[str | None, "the PIN, or what an authenticator app is to be given"] = None

    @classmethod
    def of(cls, row: User, call: Call) -> Self:
        return cls(id=row.id, username=row.username, accountid=row.account_id, secretcode=row.two_factor_key)


@command("listUserTwoFactorAuthenticatorProviders", view=ProviderView, group=GROUP, since=SINCE)
async def list_user_two_factor_authenticator_providers(
    call: Call, *, name: Annotated[str | None, Param("only that one")] = None
) -> list[Provider]:
    """Lists the kinds of second factors that users can set up."""
    return [Provider(each, what) for each, what in PROVIDERS.items() if name in (None, "", each)]


@command("setupUserTwoFactorAuthentication", view=SetupView, group=GROUP, since=SINCE)
async def setup_user_two_factor_authentication(
    call: Call,
    *,
    provider: Annotated[
        str | None, Param("which kind; by default a setting says", values=tuple(PROVIDERS))
    ] = None,
    enable: Annotated[bool, Param("false: remove the second factor")] = True,
    userid: Annotated[User | None, Param("with enable=false: whose; for admins", access="operate")] = None,
) -> User:
    """Sets up a second factor for the caller, to be confirmed with a code of it; or removes one."""
    two_factor, session = call.manager.identity.two_factor, _session(call)
    own = call.caller.user
    if own is None:
        raise PermissionDenied("Second factors are those of users")
    if enable:
        if userid is not None and userid.id != own.id:
            raise InvalidParameterValue("Parameter userid: users set up their second factors themselves")
        made: User = two_factor.set_up(own, provider or None)
        return made
    if session is not None and not session.verified:
        raise SecondFactorRequired(f"The second factor of user {own.username} is needed first")
    user = userid or own
    by_admin = user.id != own.id
    if by_admin and not call.caller.is_admin:
        raise PermissionDenied(
            f"Parameter userid: only admins remove the second factor of user {user.username}"
        )
    visibility.check(call.store, call.caller, user)
    two_factor.check_disable(user, by_admin=by_admin)
    removed: User = two_factor.disable(user)
    return removed


@command("validateUserTwoFactorAuthenticationCode", group=GROUP, since=SINCE)
async def validate_user_two_factor_authentication_code(
    call: Call, *, codefor2fa: Annotated[str, Param("the PIN, or the authenticator app's code of now")]
) -> Success:
    """Gives the code of the caller's second factor: confirms what was set up, and completes a login."""
    identity, user, session = call.manager.identity, call.caller.user, _session(call)
    if user is None or user.two_factor_key is None:
        raise InvalidParameterValue(
            "2FA is not set up for this user: call setupUserTwoFactorAuthentication first"
        )
    if not identity.two_factor.accepts(user, codefor2fa, call.door.now):
        if session is not None and not session.verified:
            identity.failed(user)
        raise SecondFactorRequired(
            "Failed to authenticate user, check if two factor authentication code is correct"
        )
    identity.succeeded(user)
    identity.two_factor.confirm(user)
    if session is not None:
        session.verified = True
    return Success()


def _session(call: Call) -> Session | None:
    """The session that the call came with; None for one with a signature."""
    if call.request is None or call.request.fields.get("apikey"):
        return None
    session: Session | None = call.door.sessions.find(call.request.session_id)
    return session
