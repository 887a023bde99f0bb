"""Events and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.alert_types import ALERT_NUMBERS, ALERT_TYPES
from cloudsim.management.operations.events import SERVICE_EVENTS
from cloudsim.model import Alert, Event, Pod, User, Zone
from server.api.command import ADMINS, COMMANDS, ROOT, Call, Job, Listed, command
from server.api.listing import Page, listed, page_of
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param, one_of
from server.api.scope import Scope, ownership
from server.api.views import Date, View, date, owner


class EventView(View):
    """One line of the cloud's history."""

    entity: ClassVar = Event
    key: ClassVar = "event"

    id: str | None = None
    username: Annotated[str | None, "the user whose call it was"] = None
    type: str | None = None
    level: Annotated[str | None, "INFO, WARN or ERROR"] = None
    description: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    resourceid: str | None = None
    resourcetype: str | None = None
    resourcename: str | None = None
    created: Date | None = None
    state: Annotated[str | None, "Created, Scheduled, Started or Completed"] = None
    parentid: Annotated[str | None, "the event that began what this one completes"] = None
    archived: bool | None = None

    @classmethod
    def of(cls, row: Event, call: Call) -> Self:
        user = call.store.table(User).get(row.user_id)
        table = call.store.tables.get(row.resource_type or "")
        resource = table.get(row.resource_id) if table is not None else None
        return cls(
            id=row.id,
            username=user.username if user is not None else None,
            type=row.type,
            level=row.level,
            description=row.description,
            resourceid=row.resource_id,
            resourcetype=row.resource_type,
            resourcename=getattr(resource, "name", None),
            created=date(row.created),
            state=row.state,
            parentid=row.start_id,
            archived=row.archived,
            **owner(call, row.account_id),
        )


class EventTypeView(View):
    """A type that events can have."""

    key: ClassVar = "eventtype"

    name: str | None = None


class AlertView(View):
    """Something an operator should look at."""

    entity: ClassVar = Alert
    key: ClassVar = "alert"

    id: str | None = None
    type: Annotated[int | None, "CloudStack's number of the kind of alert"] = None
    name: str | None = None
    description: str | None = None
    sent: Date | None = None

    @classmethod
    def of(cls, row: Alert, call: Call) -> Self:
        return cls(id=row.id, type=row.type, name=row.name, description=row.description, sent=date(row.sent))


class Spans:
    """When what events tell of began and ended, Unix seconds. It reads all events once."""

    def __init__(self, call: Call) -> None:
        self._now: float = call.manager.foundation.now()
        self._events = call.store.table(Event)
        self._ends = {event.start_id: event.created for event in self._events if event.state == "Completed"}

    def within(self, event: Event, entered: int | None, longer: int | None) -> bool:
        """Whether it began in the last `entered` seconds, and took longer than `longer`; None: whenever, however long."""
        first = self._events.get(event.start_id) or event
        if entered is not None and first.created < self._now - entered:
            return False
        if longer is None:
            return True
        end = self._ends.get(first.id)
        if end is None:
            end = first.created if first.state == "Completed" else self._now
        return end - first.created > longer


@command("listEvents", view=EventView, group="Event")
async def list_events(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: Event | None = None,
    type: Annotated[str | None, Param("only events of that type")] = None,
    level: Annotated[str | None, one_of("INFO", "WARN", "ERROR")] = None,
    state: Annotated[str | None, one_of("Created", "Scheduled", "Started", "Completed")] = None,
    startdate: Annotated[DateParameter | None, Param("none before that")] = None,
    enddate: Annotated[DateParameter | None, Param("none after that")] = None,
    startid: Annotated[Event | None, Param("the event that began something, and those that complete it")] = None,
    entrytime: Annotated[int | None, Param("those that something began with in the last so many seconds")] = None,
    duration: Annotated[
        int | None, Param("those of what took longer than so many seconds, or has lasted longer and goes on")
    ] = None,
    resourceid: Annotated[str | None, Param("events about the thing of that id", since="4.17.0")] = None,
    resourcetype: Annotated[str | None, Param("events about things of that kind", since="4.17.0")] = None,
    archived: Annotated[bool, Param("true: those that are archived, else those that are not", since="4.19.0")] = False,
) -> Listed:
    """Lists events, the newest first."""
    wanted_level, wanted_state = level and level.upper(), state and state.lower()
    kind = resourcetype.lower() if resourcetype else None
    for name, seconds in (("entrytime", entrytime), ("duration", duration)):
        if seconds is not None and seconds < 0:
            raise InvalidParameterValue(f"{name} is a number of seconds from 0, not {seconds}")
    filtered = any(each is not None for each in (level, state, startdate, enddate, startid, kind, entrytime, duration))
    spans = None if entrytime is None and duration is None else Spans(call)

    def keep(event: Event) -> bool:
        return (
            (wanted_level is None or event.level == wanted_level)
            and (wanted_state is None or event.state.lower() == wanted_state)
            and (startdate is None or event.created >= startdate)
            and (enddate is None or event.created <= enddate)
            and event.archived == archived
            and (kind is None or (event.resource_type or "").lower() == kind)
            and (startid is None or startid.id in (event.id, event.start_id))
            and (spans is None or spans.within(event, entrytime, duration))
        )

    return listed(
        call,
        Event,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={"type": type or None, "resource_id": resourceid or None},
        keep=keep if filtered or archived or call.manager.history.has_archived_events else None,
        search=("type", "description", "level"),
        newest_first=True,
    )


@command("listEventTypes", view=EventTypeView, group="Event")
async def list_event_types(call: Call) -> list[EventTypeView]:
    """Lists the types that events can have."""
    names = {c.event for c in COMMANDS.values() if c.event is not None} | set(SERVICE_EVENTS)
    return [EventTypeView(name=name) for name in sorted(names)]


@command("listAlerts", view=AlertView, roles=ADMINS, group="Alert")
async def list_alerts(
    call: Call,
    *,
    page: Page,
    id: Alert | None = None,
    type: Annotated[str | None, Param("only alerts of that number")] = None,
    name: Annotated[str | None, Param("only alerts of that name", since="4.3")] = None,
) -> Listed:
    """Lists alerts, the newest first."""
    rows = [
        alert
        for alert in call.store.table(Alert)
        if (id is None or alert.id == id.id)
        and (not type or str(alert.type) == type)
        and (not name or alert.name == name)
        and not alert.archived
    ]
    return page_of(rows[::-1], page, search=("name", "description"))


Start = Annotated[DateParameter | None, Param("none before that; with enddate")]
End = Annotated[DateParameter | None, Param("none after that")]
EventIds = Annotated[Sequence[Event] | None, Param("ids of the events")]
AlertIds = Annotated[Sequence[Alert] | None, Param("ids of the alerts")]


def _chosen_events(
    call: Call, ids: Sequence[Event] | None, type: str | None, start: float | None, end: float | None
) -> list[Event]:
    owned = ownership(call, listall=True)
    return call.manager.history.chosen(  # type: ignore[no-any-return]
        Event, lambda event: owned.owns(event.account_id), rows=ids, type=type, start=start, end=end
    )


@command("archiveEvents", group="Event")
async def archive_events(
    call: Call, *, ids: EventIds = None, type: str | None = None, startdate: Start = None, enddate: End = None
) -> None:
    """Archives events of the caller or of those whom it administers: they are listed only when asked for."""
    call.manager.history.archive(_chosen_events(call, ids, type, startdate, enddate))


@command("deleteEvents", group="Event")
async def delete_events(
    call: Call, *, ids: EventIds = None, type: str | None = None, startdate: Start = None, enddate: End = None
) -> None:
    """Deletes events of the caller or of those whom it administers."""
    call.manager.history.delete(_chosen_events(call, ids, type, startdate, enddate))


def _chosen_alerts(
    call: Call, ids: Sequence[Alert] | None, type: str | None, start: float | None, end: float | None
) -> list[Alert]:
    return call.manager.history.chosen(  # type: ignore[no-any-return]
        Alert, lambda alert: True, rows=ids, type=type, start=start, end=end
    )


@command("archiveAlerts", roles=ROOT, group="Alert")
async def archive_alerts(
    call: Call,
    *,
    ids: AlertIds = None,
    type: Annotated[str | None, Param("only alerts of that number")] = None,
    startdate: Start = None,
    enddate: End = None,
) -> None:
    """Archives alerts: they are no longer listed."""
    call.manager.history.archive(_chosen_alerts(call, ids, type, startdate, enddate))


@command("deleteAlerts", roles=ROOT, group="Alert")
async def delete_alerts(
    call: Call,
    *,
    ids: AlertIds = None,
    type: Annotated[str | None, Param("only alerts of that number")] = None,
    startdate: Start = None,
    enddate: End = None,
) -> None:
    """Deletes alerts."""
    call.manager.history.delete(_chosen_alerts(call, ids, type, startdate, enddate))


@command("generateAlert", roles=ROOT, group="Alert", since="4.3", job=True, event="ALERT.GENERATE")
async def generate_alert(
    call: Call,
    *,
    type: Annotated[int, Param("a number of its own, or one of listAlertTypes with its name", type="short")],
    name: str,
    description: Annotated[str, Param(length=999)],
    zoneid: Zone | None = None,
    podid: Pod | None = None,
) -> Job:
    """Raises an alert."""
    usual = ALERT_TYPES.get(type)
    if usual is not None and usual.lower() != name.lower():
        raise InvalidParameterValue(f"There is a default alert having type {type} and name {usual}")
    if name.upper() in ALERT_NUMBERS and ALERT_NUMBERS[name.upper()] != type:
        raise InvalidParameterValue(f"Alerts named {name.upper()} have the type {ALERT_NUMBERS[name.upper()]}")
    if podid is not None and zoneid is not None and podid.zone_id != zoneid.id:
        raise InvalidParameterValue(f"Pod {podid.name} is not in zone {zoneid.name}")
    where = zoneid.id if zoneid is not None else podid.zone_id if podid is not None else None

    async def work() -> None:
        call.manager.foundation.events.alert(
            usual or name, description, number=type, zone_id=where, pod_id=podid.id if podid is not None else None
        )

    return Job(work)


@command("listAlertTypes", view=AlertView, roles=ROOT, group="Alert", since="4.3")
async def list_alert_types(call: Call) -> list[AlertView]:
    """Lists the types of the alerts that this server raises by itself."""
    return [AlertView(type=number, name=name) for number, name in ALERT_TYPES.items()]
