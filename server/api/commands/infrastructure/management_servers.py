"""The management server itself."""

from __future__ import annotations

import platform
from functools import cache
from typing import Annotated, ClassVar

from cloudsim import __version__
from cloudsim.management.operations.this_server import SERVER_ID as SERVER_ID
from cloudsim.management.operations.this_server import SERVER_NAME as SERVER_NAME
from cloudsim.model import Host
from server.api.command import ROOT, Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import Date, Long, View, Wire, date


class ManagementServerView(View):
    """A management server."""

    key: ClassVar = "managementserver"

    id: str | None = None
    name: str | None = None
    state: Annotated[str | None, Wire("state")] = None
    version: str | None = None
    agentscount: Annotated[Long | None, "hosts whose agent is connected"] = None
    pendingjobscount: Annotated[Long | None, "jobs that have not ended"] = None
    lastserverstart: Date | None = None
    kernelversion: str | None = None
    osdistribution: str | None = None


@cache
def _distribution() -> str | None:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return platform.system() or None


def state_of(call: Call) -> str:
    """The server's state: Up, or how far the preparation of its shutdown is."""
    jobs = call.manager.jobs
    return "Up" if not jobs.closed else "PreparingForShutDown" if jobs.outstanding else "ReadyToShutDown"


@command("listManagementServers", view=ManagementServerView, roles=ROOT, group="Management", since="4.18.0")
async def list_management_servers(
    call: Call,
    *,
    page: Page,
    id: Annotated[str | None, Param(type="uuid")] = None,
    name: str | None = None,
) -> Listed:
    """Lists the management servers: this one."""
    server = ManagementServerView(
        id=SERVER_ID,
        name=SERVER_NAME,
        state=state_of(call),
        version=__version__,
        agentscount=call.store.table(Host).count("state", "Up"),
        pendingjobscount=call.manager.jobs.outstanding,
        lastserverstart=date(call.manager.started),
        kernelversion=platform.release(),
        osdistribution=_distribution(),
    )
    meant = id in (None, SERVER_ID) and name in (None, SERVER_NAME)
    return page_of([server] if meant else [], page)
