"""Workloads in a simulation: requests for instances that come by themselves, as many users' would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.requests import Shape
from cloudsim.model import Account, Network, ServiceOffering, Template, TemplateOnStore, VirtualMachine, Zone
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.simulation.clock import console
from server.api.listing import Page, page_of
from server.api.ownership import Owner
from server.api.parameters import Param
from server.api.views import Date, View, date
from server.simulation.console import SIMULATED
from server.simulation.examples import FOLDER, examples
from server.simulation.served_cloud import ServedCloud, template_in
from server.simulation.threads import in_thread
from server.simulation.workload_request import checked_name, generated, known, look_over
from server.simulation.workloads import RUNNING_AT_ONCE, Workload

GROUP = "Simulation"


class WorkloadView(View):
    """A workload and what has become of its requests so far."""

    key: ClassVar = "workload"

    id: str | None = None
    name: str | None = None
    state: Annotated[str | None, "Running, Draining (no more requests come), or Ended"] = None
    stopped: Annotated[bool | None, "whether somebody stopped it"] = None
    created: Annotated[Date | None, "when it began, in simulated time"] = None
    ended: Date | None = None
    account: str | None = None
    trace: Annotated[str | None, "the format of its requests, such as poisson"] = None
    seed: int | None = None
    limit: Annotated[int | None, "how many requests come in all"] = None
    requested: Annotated[int | None, "how many have come"] = None
    placed: Annotated[int | None, "how many became an instance that ran"] = None
    rejected: Annotated[int | None, "how many the cloud had no room for"] = None
    failed: Annotated[int | None, "how many something broke for"] = None
    pending: Annotated[int | None, "how many are being worked on"] = None
    instances: Annotated[int | None, "how many of its instances are there now"] = None
    bycause: Annotated[dict[str, int] | None, "why requests were rejected or failed"] = None
    latencyp50: Annotated[float | None, "median seconds from a request until its instance ran"] = None
    latencyp95: float | None = None
    latencyp99: float | None = None
    series: Annotated[
        dict[str, list[float | None]] | None, "columns of the past, of a few hundred points, where details asks for it"
    ] = None

    @classmethod
    def of(cls, row: Workload, call: Call) -> Self:
        counts, latencies = row.outcomes.counts, row.latencies()
        p50, p95, p99 = (round(each, 3) for each in latencies) if latencies is not None else (None, None, None)
        return cls(
            id=row.id,
            name=row.name,
            state=row.state,
            stopped=row.stopped,
            created=date(row.created),
            ended=date(row.ended),
            account=row.cloud.owner.name,
            trace=str(row.requests.trace.__struct_config__.tag),
            seed=row.requests.seed,
            limit=row.requests.count,
            requested=len(row.outcomes),
            placed=counts["placed"],
            rejected=counts["rejected"],
            failed=counts["failed"],
            pending=counts["pending"],
            instances=row.outcomes.present,
            bycause=dict(sorted(row.outcomes.causes.items())),
            latencyp50=p50,
            latencyp95=p95,
            latencyp99=p99,
            series=row.series.as_columns() if call.cache.get("series") else None,
        )


class WorkloadRequestView(View):
    """A request of a workload."""

    key: ClassVar = "workloadrequest"

    number: Annotated[int | None, "from 1, in the order of arrival"] = None
    outcome: Annotated[str | None, "pending, placed, rejected or failed"] = None
    cause: Annotated[str | None, "why it was rejected or failed"] = None
    requested: Annotated[Date | None, "when it came, in simulated time"] = None
    latency: Annotated[float | None, "seconds until its instance ran"] = None
    lifetime: Annotated[float | None, "seconds that its instance is to run"] = None
    cpunumber: int | None = None
    memory: Annotated[int | None, "MiB"] = None
    hostname: Annotated[str | None, "where it was placed last"] = None
    virtualmachineid: Annotated[str | None, "its instance, while it is there"] = None
    virtualmachinename: str | None = None


class WorkloadTraceView(View):
    """A trace that a workload's requests can be taken from."""

    key: ClassVar = "workloadtrace"

    name: str | None = None
    description: str | None = None
    format: str | None = None


@command("listWorkloadTraces", view=WorkloadTraceView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def list_workload_traces(call: Call, *, page: Page) -> Listed:
    """Lists the traces that come with this server: workloads of its example scenarios."""
    rows = [
        WorkloadTraceView(
            name=name,
            description=" ".join(loaded.scenario.description.split()),
            format=str(loaded.scenario.workload.__struct_config__.tag),
        )
        for name, loaded in examples().items()
    ]
    return page_of(rows, page)


@command("listWorkloads", view=WorkloadView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def list_workloads(
    call: Call,
    *,
    page: Page,
    id: Annotated[str | None, Param(type="uuid")] = None,
    name: str | None = None,
    state: Literal["Running", "Draining", "Ended"] | None = None,
    series: Annotated[bool, Param("also the time series of each")] = False,
) -> Listed:
    """Lists workloads that were started since the server was, the newest first: a restart of it ends them."""
    call.cache["series"] = series
    rows = [
        workload
        for workload in console(call).workloads.all()
        if id in (None, workload.id) and name in (None, workload.name) and state in (None, workload.state)
    ]
    return page_of(rows, page)


@command("listWorkloadRequests", view=WorkloadRequestView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def list_workload_requests(
    call: Call,
    *,
    page: Page,
    id: Annotated[str, Param("the workload", type="uuid")],
    outcome: Literal["pending", "placed", "rejected", "failed"] | None = None,
) -> Listed:
    """Lists the requests of a workload and what became of each, the newest first."""
    workload = _workload(call, id)
    outcomes = workload.outcomes
    count = len(outcomes)
    newest: Sequence[int] = range(count - 1, -1, -1)
    if outcome is not None:
        newest = [index for index in newest if outcomes.outcome[index] == outcome]
    shown = newest[page.start : None if page.size is None else page.start + page.size]
    return Listed([_request(call, workload, index) for index in shown], len(newest))


@command("startWorkload", view=WorkloadView, roles=ROOT, group=GROUP, needs=SIMULATED, event="WORKLOAD.START")
async def start_workload(
    call: Call,
    *,
    owner: Owner,
    name: Annotated[str | None, Param("what its instances' names begin with")] = None,
    rate: Annotated[float | None, Param("requests in an hour on average, at random times; or trace")] = None,
    trace: Annotated[str | None, Param("where its requests come from instead, see listWorkloadTraces")] = None,
    mix: Annotated[
        Sequence[Mapping[str, str]] | None,
        Param("with rate: serviceofferingid, or cpunumber, cpuspeed and memory; and weight. By default all offerings"),
    ] = None,
    lifetime: Annotated[float | None, Param("with rate: mean seconds that instances run; an hour by default")] = None,
    lifetimedistribution: Annotated[
        Literal["exponential", "lognormal", "pareto", "constant", "endless"] | None, Param("with rate")
    ] = None,
    sigma: Annotated[float | None, Param("of a lognormal lifetime; 1 by default")] = None,
    alpha: Annotated[float | None, Param("of a pareto lifetime, more than 1; 2 by default")] = None,
    dailyswing: Annotated[
        float | None, Param("with rate: how far it follows the time of day, from 0 to 1; the least at the beginning")
    ] = None,
    interarrival: Annotated[
        float | None, Param("with trace: multiplies the time between requests, 0.5 is twice the load")
    ] = None,
    limit: Annotated[int | None, Param("how many requests; with rate 1000 by default")] = None,
    seed: Annotated[int, Param("the same seed gives the same requests")] = 1,
    zoneid: Annotated[Zone | None, Param("by default all enabled zones, by turns")] = None,
    templateid: Annotated[Template | None, Param("by default a featured one that is ready")] = None,
    networkid: Annotated[Network | None, Param("by default as with deployVirtualMachine; with zoneid")] = None,
) -> Workload:
    """Starts a workload: requests for instances that come by themselves, and go the way of everybody's."""
    controls = console(call)
    workloads = controls.workloads
    if workloads.running >= RUNNING_AT_ONCE:
        raise InvalidParameterValue(f"There are {RUNNING_AT_ONCE} workloads already: stop one first")
    named = checked_name(name if name is not None else f"workload-{workloads.started + 1}")
    if workloads.named(named) is not None:
        raise InvalidParameterValue(f"Parameter name: a workload {named} is running: its instances would have the same names")
    if seed < 0:
        raise InvalidParameterValue(f"Parameter seed: expected 0 or more, got {seed}")
    chosen: dict[Shape, ServiceOffering] = {}
    only = {"mix": mix, "lifetime": lifetime, "lifetimedistribution": lifetimedistribution, "sigma": sigma}
    only |= {"alpha": alpha, "dailyswing": dailyswing}
    if trace is not None:
        _exclude("trace", rate=rate, **only)
        source, folder = known(trace, limit, 1.0 if interarrival is None else interarrival)
    elif rate is not None:
        _exclude("rate", interarrival=interarrival)
        source, chosen = generated(
            call.store,
            rate=rate,
            limit=1000 if limit is None else limit,
            mix=mix,
            lifetime=3600.0 if lifetime is None else lifetime,
            distribution=lifetimedistribution or "exponential",
            sigma=sigma,
            alpha=alpha,
            daily_swing=0.0 if dailyswing is None else dailyswing,
        )
        folder = FOLDER
    else:
        raise InvalidParameterValue("Parameter rate: expected requests in an hour, or a trace")
    zones, template = _where(call, owner, zoneid, templateid, networkid)
    with controls.clock.pacing.disk():  # it takes real time, in which simulated time must not race
        requests = await in_thread(look_over, source, folder, seed, chosen)
    if workloads.named(named) is not None:
        raise InvalidParameterValue(f"Parameter name: a workload {named} has been started meanwhile")
    cloud = ServedCloud(
        call.manager,
        controls.world,
        name=named,
        caller=call.caller,
        owner=owner,
        zones=zones,
        template=template,
        network=networkid,
        chosen=chosen,
    )
    return workloads.start(named, cloud, requests)


@command("stopWorkload", view=WorkloadView, roles=ROOT, group=GROUP, needs=SIMULATED, event="WORKLOAD.STOP")
async def stop_workload(
    call: Call,
    *,
    id: Annotated[str, Param("a workload that has not ended", type="uuid")],
    destroy: Annotated[bool, Param("destroy its instances now, not when their lifetimes are over")] = False,
) -> Workload:
    """Stops a workload: no more requests come."""
    workload = _workload(call, id)
    if workload.ended is not None:
        raise InvalidParameterValue(f"Parameter id: workload {workload.name} has ended already")
    if not destroy and workload.state == "Draining":
        raise InvalidParameterValue(f"Parameter id: no more requests of workload {workload.name} come already")
    workload.stop(destroy=destroy)
    return workload


def _workload(call: Call, workload_id: str) -> Workload:
    found = console(call).workloads.get(workload_id)
    if found is None:
        raise InvalidParameterValue(f"Parameter id: there is no workload {workload_id[:40]!r} since the server started")
    return found


def _exclude(chosen: str, **others: object) -> None:
    given = [name for name, value in others.items() if value is not None]
    if given:
        raise InvalidParameterValue(f"Parameter {given[0]} does not go with {chosen}")


def _where(
    call: Call, owner: Account, zone: Zone | None, template: Template | None, network: Network | None
) -> tuple[list[Zone], Template]:
    """The zones, and the template that is ready in all of them."""
    zones = [zone] if zone is not None else [z for z in call.store.table(Zone) if z.allocation_state == "Enabled"]
    if not zones or zones[0].allocation_state != "Enabled":
        raise InvalidParameterValue("Parameter zoneid: expected an enabled zone")
    if network is not None and [z.id for z in zones] != [network.zone_id]:
        raise InvalidParameterValue("Parameter networkid: expected zoneid, too, and a network of that zone")
    if template is None:
        template = template_in(call.store, zones, call.manager.world.hypervisor)
        if template is None:
            raise InvalidParameterValue("Parameter templateid: no featured template is ready in all those zones: name one")
        return zones, template
    copies = call.store.table(TemplateOnStore).where("template_id", template.id)
    ready = {copy.zone_id for copy in copies if copy.state == "Ready"}
    missing = [each.name for each in zones if each.id not in ready]
    if missing or template.format == "ISO" or template.type == "SYSTEM":
        where = f"in zone {missing[0]}" if missing else "to start instances from"
        raise InvalidParameterValue(f"Parameter templateid: template {template.name} is not ready {where}")
    return zones, template


def _request(call: Call, workload: Workload, index: int) -> WorkloadRequestView:
    outcomes = workload.outcomes
    vm = call.store.table(VirtualMachine).get(outcomes.vm_of(index))
    running, arrival = outcomes.running_at[index], outcomes.arrival[index]
    return WorkloadRequestView(
        number=index + 1,
        outcome=outcomes.outcome[index],
        cause=outcomes.cause[index] or None,
        requested=date(workload.created + arrival),
        latency=None if running is None else round(running - arrival, 3),
        lifetime=outcomes.lifetime[index],
        cpunumber=outcomes.cpus[index],
        memory=outcomes.memory_mib[index],
        hostname=outcomes.host[index],
        virtualmachineid=None if vm is None else vm.id,
        virtualmachinename=None if vm is None else vm.name,
    )


