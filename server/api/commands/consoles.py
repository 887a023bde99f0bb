"""Consoles of instances: opened, and who has them open."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue, ResourceUnavailable
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import may_use
from cloudsim.management.systemvm.consoles import Endpoint
from cloudsim.model import Account, ConsoleSession, Domain, Host, User, VirtualMachine
from server.api.command import Call, Listed, command
from server.api.listing import Page, listed
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param
from server.api.scope import accounts_of
from server.api.views import Date, View, date, domain_fields

GROUP = "Console Endpoint"


class ConsoleWebSocketView(View):
    """What a client of its own makes its WebSocket from: ws://host:port/path?token=..."""

    token: str | None = None
    host: str | None = None
    port: str | None = None
    path: str | None = None
    extra: Annotated[str | None, "the extra token that the address must hold too"] = None


class ConsoleEndpointView(View):
    """A console that was opened, or why not."""

    key: ClassVar = "consoleendpoint"

    success: bool | None = None
    details: Annotated[str | None, "why there is no console"] = None
    url: Annotated[str | None, "a page for a browser; it can be opened once"] = None
    websocket: ConsoleWebSocketView | None = None

    @classmethod
    def of(cls, row: Endpoint, call: Call) -> Self:
        socket = ConsoleWebSocketView(
            token=row.token, host=row.host, port=str(row.port), path=row.path, extra=row.extra
        )
        return cls(success=True, url=row.url, websocket=socket)


class ConsoleSessionView(View):
    """Somebody who was let to an instance's console."""

    entity: ClassVar = ConsoleSession
    key: ClassVar = "consolesession"

    id: str | None = None
    created: Date | None = None
    domain: str | None = None
    domainpath: str | None = None
    domainid: str | None = None
    account: str | None = None
    accountid: str | None = None
    user: str | None = None
    userid: str | None = None
    virtualmachineid: str | None = None
    virtualmachinename: str | None = None
    hostid: str | None = None
    hostname: str | None = None
    acquired: Annotated[Date | None, "when it was opened in a browser"] = None
    removed: Annotated[Date | None, "when it ended"] = None
    consoleendpointcreatoraddress: Annotated[str | None, "where it was asked for"] = None
    clientaddress: Annotated[str | None, "where it was opened"] = None

    @classmethod
    def of(cls, row: ConsoleSession, call: Call) -> Self:
        store = call.store
        account, user = store.table(Account).get(row.account_id), store.table(User).get(row.user_id)
        vm = store.table(VirtualMachine).get(row.vm_id)
        host = store.table(Host).get(row.host_id) if call.caller.is_root_admin else None
        return cls(
            id=row.id,
            created=date(row.created),
            account=account.name if account is not None else None,
            accountid=row.account_id,
            user=user.username if user is not None else None,
            userid=row.user_id or None,
            virtualmachineid=row.vm_id,
            virtualmachinename=vm.name if vm is not None else None,
            hostid=host.id if host is not None else None,
            hostname=host.name if host is not None else None,
            acquired=date(row.acquired),
            removed=date(row.removed),
            consoleendpointcreatoraddress=row.creator_address,
            clientaddress=row.client_address,
            **domain_fields(call, row.domain_id),
        )


@command("createConsoleEndpoint", view=ConsoleEndpointView, group=GROUP, since="4.18.0")
async def create_console_endpoint(
    call: Call,
    *,
    virtualmachineid: Annotated[VirtualMachine, Param("a running instance of the caller's", access="any")],
    token: Annotated[str | None, Param("an extra token that the console's address must hold too")] = None,
    serial: Annotated[bool, Param("its serial terminal instead of its screen")] = False,
) -> Endpoint | ConsoleEndpointView:
    """Opens the console of an instance, once and for the one who has the address."""
    if not visibility.may(call.store, call.caller, virtualmachineid, operate=True):
        return ConsoleEndpointView(success=False, details="Permission denied")
    remote = call.request.remote if call.request is not None else ""
    try:
        endpoint: Endpoint = await call.manager.consoles.open(
            call.caller, virtualmachineid, extra=token or None, serial=serial, address=remote
        )
    except (InvalidParameterValue, ResourceUnavailable) as error:
        return ConsoleEndpointView(success=False, details=error.text)
    return endpoint


@command("listConsoleSessions", view=ConsoleSessionView, group=GROUP, since="4.21.0")
async def list_console_sessions(
    call: Call,
    *,
    page: Page,
    id: ConsoleSession | None = None,
    domainid: Annotated[Domain | None, Param("sessions of that domain", access="use")] = None,
    accountid: Annotated[Account | None, Param("sessions of that account")] = None,
    userid: Annotated[User | None, Param("sessions of that user")] = None,
    hostid: Annotated[Host | None, Param("sessions on instances of that host; root admins only")] = None,
    startdate: Annotated[DateParameter | None, Param("none that began before that")] = None,
    enddate: Annotated[DateParameter | None, Param("none that began after that")] = None,
    virtualmachineid: Annotated[VirtualMachine | None, Param("sessions on that instance")] = None,
    consoleendpointcreatoraddress: Annotated[str | None, Param("asked for at that address")] = None,
    clientaddress: Annotated[str | None, Param("opened at that address")] = None,
    activeonly: Annotated[bool, Param("only those that have not ended")] = False,
    acquired: Annotated[bool, Param("only those that were opened in a browser")] = False,
    isrecursive: Annotated[bool, Param("with domainid: those of its subdomains too")] = False,
) -> Listed:
    """Lists console sessions: open ones, and those that ended not long ago."""
    within = None if domainid is None else set(accounts_of(call.store, domainid, recursive=isrecursive, projects=True))

    def keep(session: ConsoleSession) -> bool:
        return (
            may_use(call.store, call.caller, session.account_id, session.domain_id)
            and (within is None or session.account_id in within)
            and (startdate is None or session.created >= startdate)
            and (enddate is None or session.created <= enddate)
            and (not activeonly or session.removed is None)
            and (not acquired or session.acquired is not None)
        )

    return listed(
        call,
        ConsoleSession,
        page=page,
        ids=None if id is None else [id],
        equal={
            "account_id": accountid and accountid.id,
            "user_id": userid and userid.id,
            "host_id": hostid and hostid.id,
            "vm_id": virtualmachineid and virtualmachineid.id,
            "creator_address": consoleendpointcreatoraddress or None,
            "client_address": clientaddress or None,
        },
        keep=keep,
        search=("id", "creator_address"),
    )
