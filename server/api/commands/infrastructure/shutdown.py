"""Shutdowns of the management server that nobody notices: first its jobs end, while it takes no new ones."""

from __future__ import annotations

from typing import Annotated, ClassVar

from cloudsim.errors import CloudError, InvalidParameterValue
from cloudsim.model import Host
from server.api.command import ROOT, Call, command
from server.api.commands.infrastructure.management_servers import SERVER_ID, state_of
from server.api.parameters import Param
from server.api.views import Long, View, Wire

GROUP = "Management"
SERVER_NUMBER = "1"
"""By which clients know the first management server, and here the only one."""


class ShutdownView(View):
    """How far the preparation of a shutdown is."""

    key: ClassVar = "readyforshutdown"

    managementserverid: str | None = None
    state: Annotated[str | None, Wire("state")] = None
    maintenanceinitiated: Annotated[bool | None, "never: there is one server, and nothing to take over from it"] = None
    shutdowntriggered: Annotated[bool | None, "whether a shutdown is being prepared"] = None
    readyforshutdown: Annotated[bool | None, "whether no job is left, so that the process can be stopped"] = None
    pendingjobscount: Annotated[Long | None, "jobs that have not ended"] = None
    agentscount: Annotated[Long | None, "hosts whose agent is connected"] = None


ServerId = Annotated[str, Param("of the management server, or 1", type="uuid")]


def _check_server(server_id: str) -> None:
    if server_id.strip() not in (SERVER_ID, SERVER_NUMBER):
        raise InvalidParameterValue(f"Parameter managementserverid: there is no management server of id {server_id}")


def _told(call: Call) -> ShutdownView:
    jobs = call.manager.jobs
    return ShutdownView(
        managementserverid=SERVER_ID,
        state=state_of(call),
        maintenanceinitiated=False,
        shutdowntriggered=jobs.closed,
        readyforshutdown=jobs.closed and not jobs.outstanding,
        pendingjobscount=jobs.outstanding,
        agentscount=call.store.table(Host).count("state", "Up"),
    )


@command("prepareForShutdown", view=ShutdownView, roles=ROOT, group=GROUP, since="4.19.0")
async def prepare_for_shutdown(call: Call, *, managementserverid: ServerId) -> ShutdownView:
    """Lets the management server take no new jobs, so that it can be stopped when those that there are have ended."""
    _check_server(managementserverid)
    if call.manager.jobs.closed:
        raise CloudError("A shutdown is being prepared already")
    call.manager.jobs.closed = True
    return _told(call)


@command("readyForShutdown", view=ShutdownView, roles=ROOT, group=GROUP, since="4.19.0")
async def ready_for_shutdown(call: Call, *, managementserverid: ServerId) -> ShutdownView:
    """Tells whether jobs of the management server have not ended."""
    _check_server(managementserverid)
    return _told(call)


@command("cancelShutdown", view=ShutdownView, roles=ROOT, group=GROUP, since="4.19.0")
async def cancel_shutdown(call: Call, *, managementserverid: ServerId) -> ShutdownView:
    """Lets the management server take jobs again."""
    _check_server(managementserverid)
    if not call.manager.jobs.closed:
        raise CloudError("No shutdown is being prepared")
    call.manager.jobs.closed = False
    return _told(call)
