"""What system VMs find out about themselves and what is around them."""

from __future__ import annotations

import shlex
from typing import Annotated, Any, ClassVar, Literal

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import SystemVm
from cloudsim.protocol.systemvm import DiagnosticsResult, RunDiagnostics
from server.api.command import ADMINS, ROOT, Call, Job, command
from server.api.commands.systemvm.router_views import HealthCheckView
from server.api.commands.systemvm.routers import router
from server.api.parameters import Param
from server.api.views import View

GROUP = "Diagnostics"


class DiagnosticsView(View):
    """What a tool printed."""

    entity: ClassVar[Any] = None
    key: ClassVar = "diagnostics"

    stdout: str | None = None
    stderr: str | None = None
    exitcode: str | None = None


class RouterHealthView(View):
    """A router's health checks."""

    entity: ClassVar[Any] = None
    key: ClassVar = "routerhealthchecks"

    routerid: str | None = None
    healthchecks: list[HealthCheckView] | None = None


@command("runDiagnostics", view=DiagnosticsView, job=True, event="SYSTEMVM.DIAGNOSTICS", group=GROUP, roles=ROOT)
async def run_diagnostics(
    call: Call,
    *,
    targetid: Annotated[SystemVm, Param("a router or system VM")],
    ipaddress: Annotated[str, Param("the address or name to ask for")],
    type: Annotated[Literal["ping", "traceroute", "arping"], Param("the tool")],
    params: Annotated[str | None, Param("further arguments of the tool")] = None,
) -> Job:
    """Runs ping, traceroute or arping on a system VM."""
    try:
        words = tuple(shlex.split(params or ""))
    except ValueError as error:
        raise InvalidParameterValue(f"params: {error}") from None
    request = RunDiagnostics(tool=type, address=ipaddress, parameters=words)

    async def work() -> DiagnosticsView:
        reply = await call.manager.system_vms.ask(targetid.id, request)
        assert isinstance(reply, DiagnosticsResult)
        return DiagnosticsView(stdout=reply.stdout, stderr=reply.stderr, exitcode=str(reply.exit_code))

    return Job(work, targetid, queue=f"diagnostics {targetid.id}")


@command("getRouterHealthCheckResults", view=RouterHealthView, group=GROUP, roles=ADMINS)
async def get_router_health_check_results(
    call: Call,
    *,
    routerid: SystemVm,
    performfreshchecks: Annotated[bool, Param("whether the router checks itself now")] = False,
) -> RouterHealthView:
    """The latest results of a router's health checks."""
    row = router(call, routerid)
    if performfreshchecks:
        await call.manager.router_health.check(row)
    results = call.manager.router_health.results(row)
    return RouterHealthView(
        routerid=row.id, healthchecks=[HealthCheckView.of(check, call) for check in results]
    )
