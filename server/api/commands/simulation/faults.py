"""Faults in a simulation: which there are, what they can strike, and those that somebody has injected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.faults import FaultError
from cloudsim.model import Host
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.simulation.clock import console
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import Date, View, date
from server.simulation.console import SIMULATED
from server.simulation.fault_types import FAULT_TYPES, FaultOption, FaultType, fault_of, fault_type
from server.simulation.faults import Injected

GROUP = "Simulation"


class FaultOptionView(View):
    """A number that a kind of fault takes."""

    name: str | None = None
    default: Annotated[float | None, "what it is where nothing is said; without one it has to be said"] = None
    minimum: Annotated[float | None, "the least that it can be"] = None
    above: Annotated[float | None, "it has to be more than that"] = None
    maximum: Annotated[float | None, "the most that it can be"] = None

    @classmethod
    def of(cls, row: FaultOption, call: Call) -> Self:
        return cls(name=row.name, default=row.default, minimum=row.minimum, above=row.above, maximum=row.maximum)


class FaultTypeView(View):
    """A kind of fault."""

    key: ClassVar = "faulttype"

    name: str | None = None
    description: str | None = None
    targettype: Annotated[str | None, "what it strikes: a host, a link or a pool"] = None
    defaulttarget: Annotated[str | None, "what it strikes where nothing is said"] = None
    options: list[FaultOptionView] | None = None

    @classmethod
    def of(cls, row: FaultType, call: Call) -> Self:
        options = [FaultOptionView.of(option, call) for option in row.options]
        return cls(
            name=row.name,
            description=row.description,
            targettype=row.target,
            defaulttarget=row.usual,
            options=options,
        )


class FaultTargetView(View):
    """Something that a kind of fault can strike."""

    key: ClassVar = "faulttarget"

    name: Annotated[str | None, "its path in the datacenter, as target takes it"] = None
    type: Annotated[str | None, "host, link or pool"] = None
    hostid: Annotated[str | None, "the host of the cloud that it is"] = None
    hostname: str | None = None


class FaultView(View):
    """A fault that was injected."""

    key: ClassVar = "fault"

    id: str | None = None
    type: str | None = None
    target: Annotated[str | None, "what was asked to be struck"] = None
    state: Annotated[str | None, "Scheduled, Active, Waiting (to come again), Over, or Healed by somebody"] = None
    created: Annotated[Date | None, "when it was injected, in simulated time as all that follows"] = None
    began: Annotated[Date | None, "when it struck first"] = None
    ended: Annotated[Date | None, "when it ended last"] = None
    delay: Annotated[float | None, "seconds from its injection to when it strikes"] = None
    duration: Annotated[float | None, "seconds until it ends by itself"] = None
    every: Annotated[float | None, "mean seconds between its strikes"] = None
    options: dict[str, float] | None = None
    strikes: Annotated[int | None, "how often it has struck something"] = None
    active: Annotated[list[str] | None, "what is struck now"] = None
    struck: Annotated[list[str] | None, "all that has been struck"] = None

    @classmethod
    def of(cls, row: Injected, call: Call) -> Self:
        fault, kind = row.fault, FAULT_TYPES[row.name.lower()]
        return cls(
            id=row.id,
            type=row.name,
            target=fault.target,
            state=row.state,
            created=date(row.created),
            began=date(row.began),
            ended=date(row.ended),
            delay=fault.at,
            duration=fault.duration,
            every=fault.every,
            options={option.name: getattr(fault, option.name) for option in kind.options},
            strikes=row.strikes,
            active=sorted(set(row.injector.active)),
            struck=sorted(row.struck),
        )


def _type(name: str) -> FaultType:
    try:
        return fault_type(name)
    except FaultError as error:
        raise InvalidParameterValue(str(error)) from None


@command("listFaultTypes", view=FaultTypeView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def list_fault_types(call: Call, *, page: Page) -> Listed:
    """Lists the kinds of faults that can be injected into the simulation."""
    return page_of(list(FAULT_TYPES.values()), page)


@command("listFaultTargets", view=FaultTargetView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def list_fault_targets(
    call: Call, *, page: Page, type_: Annotated[str, Param("what kind of fault")]
) -> Listed:
    """Lists what a kind of fault can strike in the datacenter as it is now."""
    found = _type(type_)
    controls, hosts = console(call), call.store.table(Host)
    wanted = (page.keyword or "").lower()
    paths = [path for path in controls.faults.targets(found.target) if wanted in path.lower()]
    views = []
    for path in paths[page.start : None if page.size is None else page.start + page.size]:
        guid = controls.world.host(path).guid if found.target == "host" else None
        host = hosts.find("guid", guid) if guid is not None else None
        view = FaultTargetView(name=path, type=found.target)
        if host is not None:
            view.hostid, view.hostname = host.id, host.name
        views.append(view)
    return Listed(views, len(paths))


@command("listFaults", view=FaultView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def list_faults(
    call: Call,
    *,
    page: Page,
    id: Annotated[str | None, Param(type="uuid")] = None,
    type_: Annotated[str | None, Param("only of that kind")] = None,
    active: Annotated[bool | None, Param("true: only those that are not over; false: only those that are")] = None,
) -> Listed:
    """Lists faults that were injected since the server started, the newest first."""
    wanted = None if type_ is None else _type(type_).name
    rows = [
        fault
        for fault in console(call).faults.all()
        if id in (None, fault.id) and wanted in (None, fault.name) and active in (None, not fault.over)
    ]
    return page_of(rows, page)


@command("injectFault", view=FaultView, roles=ROOT, group=GROUP, needs=SIMULATED, event="FAULT.INJECT")
async def inject_fault(
    call: Call,
    *,
    type_: Annotated[str, Param("what kind of fault, see listFaultTypes")],
    target: Annotated[
        str | None, Param("a path or a pattern, see listFaultTargets; random, or random:PATTERN, is one of them")
    ] = None,
    hostid: Annotated[Host | None, Param("the host that it strikes, instead of target")] = None,
    delay: Annotated[float, Param("in how many simulated seconds it begins")] = 0.0,
    duration: Annotated[float | None, Param("after how many seconds it ends; without it, when it is healed")] = None,
    every: Annotated[float | None, Param("it comes again and again, so many seconds apart on average")] = None,
    options: Annotated[Mapping[str, str] | None, Param("numbers of its kind, such as rate, see listFaultTypes")] = None,
) -> Injected:
    """Injects a fault into the simulation."""
    if hostid is not None:
        if target is not None:
            raise InvalidParameterValue("Parameters target and hostid exclude each other")
        if _type(type_).target == "pool":
            raise InvalidParameterValue(f"Parameter hostid: {type_} strikes a pool, not a host")
        target = hostid.guid
    try:
        fault = fault_of(type_, target or None, delay=delay, duration=duration, every=every, options=options or {})
        return await console(call).faults.inject(fault)
    except FaultError as error:
        raise InvalidParameterValue(str(error)) from None


@command("healFault", view=FaultView, roles=ROOT, group=GROUP, needs=SIMULATED, event="FAULT.HEAL")
async def heal_fault(call: Call, *, id: Annotated[str, Param("a fault that is not over", type="uuid")]) -> Injected:
    """Ends a fault: what it did is undone."""
    faults = console(call).faults
    found = faults.get(id)
    if found is None:
        raise InvalidParameterValue(f"Parameter id: there is no fault {id[:40]!r}")
    try:
        faults.heal(found)
    except FaultError as error:
        raise InvalidParameterValue(str(error)) from None
    return found

