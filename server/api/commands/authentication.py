"""login and logout."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, ClassVar

from cloudsim.errors import PermissionDenied
from cloudsim.model import Domain
from server.api.command import Call, command
from server.api.parameters import Param
from server.api.views import View

log = logging.getLogger(__name__)


class LoginView(View):
    """Who has logged in, and the session key to send with every later call."""

    key: ClassVar = ""

    username: str | None = None
    userid: str | None = None
    domainid: str | None = None
    timeout: Annotated[int | None, "seconds without a call after which the session ends"] = None
    account: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    type: Annotated[str | None, "the account's type as a digit"] = None
    timezone: str | None = None
    timezoneoffset: str | None = None
    registered: str | None = None
    sessionkey: str | None = None
    is2faenabled: str | None = None
    is2faverified: str | None = None
    providerfor2fa: Annotated[str | None, "the second factor that is asked for; missing where it is to be set up"] = None
    issuerfor2fa: Annotated[str | None, "what authenticator apps are to call this cloud; missing where it offers none"] = None
    managementserverid: str | None = None


class LogoutView(View):
    """The end of a session."""

    key: ClassVar = ""

    description: str | None = None


async def _on_a_thread(check: Callable[[], bool]) -> bool:
    """What `check` says, without keeping the loop from its work meanwhile: checking a password takes long."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bool] = loop.create_future()

    def settle(matched: bool) -> None:
        if not answer.done():
            answer.set_result(matched)

    def work() -> None:
        try:
            matched = check()
        except Exception:
            log.exception("a password could not be checked")
            matched = False
        with suppress(RuntimeError):  # the loop has closed: nobody waits
            loop.call_soon_threadsafe(settle, matched)

    threading.Thread(target=work, name="password", daemon=True).start()
    return await answer


@command("login", view=LoginView, group="Authentication", open=True)
async def login(
    call: Call,
    *,
    username: str,
    password: str,
    domain: Annotated[str | None, Param("path of the user's domain; by default ROOT")] = None,
    domainid: Annotated[str | None, Param("id of the user's domain, instead of its path", name="domainId", type="long")] = None,
) -> LoginView:
    """Begins a session; its cookies and session key go with every later call."""
    identity, door = call.manager.identity, call.door
    if door is None:
        raise PermissionDenied("There is no session to be had here")
    where = call.store.table(Domain).get(domainid) if domainid else identity.domains.at(domain)
    kept = identity.kept_password(username, where)
    matched = await _on_a_thread(lambda: identity.users.passwords.matches(password, kept))
    account, user = identity.logged_in(username, where, matched)
    if call.request is not None:
        door.sessions.end(call.request.session_id)
    asked, offered = identity.two_factor.is_asked_for(user), identity.two_factor.is_offered(user.domain_id)
    session = door.sessions.begin(user.id, verified=not asked)
    call.cookies["JSESSIONID"] = session.session_id
    call.cookies["sessionkey"] = session.key
    return LoginView(
        username=user.username,
        userid=user.id,
        domainid=user.domain_id,
        timeout=int(door.sessions.timeout),
        account=account.name,
        firstname=user.first_name,
        lastname=user.last_name,
        type=str(account.type),
        timezone=user.timezone,
        registered="true" if user.api_key else "false",
        sessionkey=session.key,
        is2faenabled="true" if asked else "false",
        is2faverified="false",
        providerfor2fa=user.two_factor_provider if user.two_factor_confirmed else None,
        issuerfor2fa=identity.two_factor.issuer(user.domain_id) if offered else None,
    )


@command("logout", view=LogoutView, group="Authentication", open=True)
async def logout(call: Call) -> LogoutView:
    """Ends the session."""
    if call.door is not None and call.request is not None:
        call.door.sessions.end(call.request.session_id)
    call.cookies["JSESSIONID"] = None
    call.cookies["sessionkey"] = None
    return LogoutView(description="success")
