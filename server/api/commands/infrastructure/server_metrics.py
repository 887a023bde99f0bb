"""What the management server and its database are busy with: figures of the machine and of this process, as they are."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, ClassVar, Self

import psutil
import sqlalchemy as sa

from cloudsim.errors import UnsupportedCommand
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.infrastructure.management_servers import (
    ManagementServerView,
    list_management_servers,
)
from server.api.listing import Page
from server.api.parameters import Param
from server.api.views import Date, Long, View, date
from server.database.journal import DatabaseJournal

GROUP = "Metrics"
GIB = 1 << 30

_process = psutil.Process()
_process.cpu_percent()  # its first answer is the beginning of what the next one tells


class ManagementServerMetricsView(ManagementServerView):
    """A management server with what it takes of its machine."""

    collectiontime: Date | None = None
    availableprocessors: int | None = None
    agentcount: Annotated[int | None, "hosts whose agent is connected"] = None
    sessions: Annotated[Long | None, "users who are logged in"] = None
    cpuload: Annotated[str | None, "of one processor, since it was asked last"] = None
    heapmemoryused: Annotated[Long | None, "bytes of memory that the server has"] = None
    heapmemorytotal: Annotated[Long | None, "bytes of memory that it could have"] = None
    threadstotalcount: Annotated[int | None, "threads that the system knows of, those of libraries too"] = None
    threadsdaemoncount: int | None = None
    threadsrunnablecount: Annotated[int | None, "that run or could"] = None
    threadswaitingcount: Annotated[int | None, "that sleep"] = None
    threadsblockedcount: Annotated[int | None, "that wait for a disk"] = None
    threadsteminatedcount: Annotated[int | None, "that have ended"] = None
    systemmemorytotal: str | None = None
    systemmemoryfree: str | None = None
    systemmemoryused: str | None = None
    systemmemoryvirtualsize: Annotated[str | None, "of the server"] = None
    systemloadaverages: Annotated[list[float] | None, "over 1, 5 and 15 minutes"] = None
    systemtotalcpucycles: Annotated[float | None, "MHz of all processors"] = None
    systemcycleusage: Annotated[list[Long] | None, "ticks that the machine was in user, in system and idle"] = None
    loginfo: Annotated[str | None, "where the server logs to"] = None
    dbislocal: Annotated[bool | None, "whether the database is on this machine"] = None
    usageislocal: Annotated[bool | None, "whether usage is counted on this machine"] = None
    javadistribution: Annotated[str | None, "of what runs the server: of Python, as there is no Java"] = None
    javaversion: Annotated[str | None, "of Python"] = None
    osdistribution: str | None = None
    kernelversion: str | None = None
    lastserverstart: Date | None = None
    lastboottime: Date | None = None

    @classmethod
    def measured(cls, server: ManagementServerView, call: Call) -> Self:
        """The server, and what is measured now."""
        memory, own = psutil.virtual_memory(), _process.memory_info()
        threads, cycles, speed = _threads(), psutil.cpu_times(), psutil.cpu_freq()
        view = cls(
            id=server.id,
            name=server.name,
            state=server.state,
            version=server.version,
            agentscount=server.agentscount,
            pendingjobscount=server.pendingjobscount,
            collectiontime=date(time.time()),
            availableprocessors=os.cpu_count(),
            agentcount=server.agentscount,
            sessions=len(call.door.sessions),
            cpuload=f"{_process.cpu_percent():.2f} %",
            heapmemoryused=own.rss,
            heapmemorytotal=memory.available + own.rss,
            threadstotalcount=threads.total(),
            threadsdaemoncount=min(threads.total(), sum(thread.daemon for thread in threading.enumerate())),
            threadsrunnablecount=threads["runnable"],
            threadswaitingcount=threads["waiting"],
            threadsblockedcount=threads["blocked"],
            threadsteminatedcount=threads["ended"],
            systemmemorytotal=_gib(memory.total),
            systemmemoryfree=_gib(memory.available),
            systemmemoryused=_gib(memory.total - memory.available),
            systemmemoryvirtualsize=_gib(own.vms),
            systemloadaverages=[round(load, 2) for load in psutil.getloadavg()],
            systemtotalcpucycles=round(speed.current * (os.cpu_count() or 1), 2) if speed is not None else None,
            systemcycleusage=[int(seconds * TICKS) for seconds in (cycles.user, cycles.system, cycles.idle)],
            loginfo="standard error",
            usageislocal=True,
            javadistribution=platform.python_implementation(),
            javaversion=platform.python_version(),
            osdistribution=_distribution(),
            kernelversion=platform.release(),
            lastserverstart=date(_process.create_time()),
            lastboottime=date(psutil.boot_time()),
        )
        journal = call.store.journal
        if isinstance(journal, DatabaseJournal):
            view.dbislocal = journal.engine.url.host in LOCAL
        return view


TICKS = 100
"""In a second, as Linux counts them for its users."""
_STATES = {"R": "runnable", "D": "blocked", "Z": "ended", "X": "ended"}


def _threads() -> Counter[str]:
    """How many threads of this process are in which state; one that is in no state named waits."""
    states: Counter[str] = Counter()
    for thread in Path("/proc/self/task").glob("*"):
        try:
            state = (thread / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue  # it has ended since
        states[_STATES.get(state, "waiting")] += 1
    return states


LOCAL = (None, "", "localhost", "127.0.0.1", "::1")
"""Where a database on this machine says that it is; a file has no host."""


def _gib(size: int) -> str:
    return f"{size / GIB:.2f} GB"


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


@command(
    "listManagementServersMetrics",
    view=ManagementServerMetricsView,
    roles=ROOT,
    group=GROUP,
    since="4.17.0",
)
async def list_management_servers_metrics(
    call: Call,
    *,
    page: Page,
    id: Annotated[str | None, Param(type="uuid")] = None,
    name: str | None = None,
) -> Listed:
    """Lists the management servers, this one, with what they take of their machines."""
    found = await list_management_servers(call, page=page, id=id, name=name)
    return Listed([ManagementServerMetricsView.measured(server, call) for server in found.rows], found.total)


class DbMetricsView(View):
    """The database and what it was told."""

    key: ClassVar = "dbMetrics"

    collectiontime: Date | None = None
    hostname: str | None = None
    version: str | None = None
    versioncomment: Annotated[str | None, "which database it is"] = None
    connections: Annotated[int | None, "that this server has"] = None
    uptime: Annotated[Long | None, "seconds since this server opened it"] = None
    queries: Annotated[Long | None, "statements that this server has sent since then"] = None
    dbloadaverages: Annotated[list[float] | None, "statements for each second since then"] = None
    replicas: Annotated[list[str] | None, "none that this server knows of"] = None


@command("listDbMetrics", view=DbMetricsView, many=False, roles=ROOT, group=GROUP, since="4.17.0")
async def list_db_metrics(call: Call) -> DbMetricsView:
    """Shows what the database of this cloud is, and how much it was told."""
    journal = call.store.journal
    if not isinstance(journal, DatabaseJournal):
        raise UnsupportedCommand("This cloud has no database: it keeps its state in memory alone")
    engine, now = journal.engine, time.time()
    uptime = now - journal.opened
    return DbMetricsView(
        collectiontime=date(now),
        hostname=engine.url.host or platform.node(),
        version=".".join(map(str, engine.dialect.server_version_info or ())) or None,
        versioncomment={"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(engine.name, engine.name),
        connections=_connections(engine),
        uptime=int(uptime),
        queries=journal.statements,
        dbloadaverages=[round(journal.statements / uptime, 2)] if uptime > 0 else [],
        replicas=[],
    )


def _connections(engine: sa.Engine) -> int | None:
    """Connections that the engine has open, where its pool counts them; one that holds a lock is the only one."""
    if isinstance(engine.pool, sa.QueuePool):
        return engine.pool.checkedin() + engine.pool.checkedout()
    return 1 if isinstance(engine.pool, sa.StaticPool) else None
