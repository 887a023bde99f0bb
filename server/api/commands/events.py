"""Events and alerts."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from cloudsim.management.operations.events import SERVICE_EVENTS
from cloudsim.model import Alert, Event, User
from server.api.command import ADMINS, COMMANDS, Call, Listed, command
from server.api.listing import Page, Scope, listed, page_of
from server.api.parameters import Date as DateParameter
from server.api.parameters import Param
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


@command("listEvents", view=EventView, group="Event")
async def list_events(
    call: Call,
    *,
    page: Page,
    scope: Scope,
    id: Event | None = None,
    type: Annotated[str | None, Param("only events of that type")] = None,
    level: Annotated[str | None, Param("INFO, WARN or ERROR")] = None,
    state: Annotated[str | None, Param("Created, Scheduled, Started or Completed")] = None,
    startdate: Annotated[DateParameter | None, Param("none before that")] = None,
    enddate: Annotated[DateParameter | None, Param("none after that")] = None,
    startid: Annotated[Event | None, Param("the event that began something, and those that complete it")] = None,
    resourceid: Annotated[str | None, Param("events about the thing of that id", since="4.17.0")] = None,
    resourcetype: Annotated[str | None, Param("the kind of that thing", since="4.17.0")] = None,
    archived: Annotated[bool | None, Param("only events that are archived, or are not", since="4.19.0")] = None,
) -> Listed:
    """Lists events, the newest first."""
    wanted_level, wanted_state = level and level.upper(), state and state.lower()
    filtered = any(each is not None for each in (level, state, startdate, enddate, startid, archived))

    def keep(event: Event) -> bool:
        return (
            (wanted_level is None or event.level == wanted_level)
            and (wanted_state is None or event.state.lower() == wanted_state)
            and (startdate is None or event.created >= startdate)
            and (enddate is None or event.created <= enddate)
            and (archived is None or event.archived == archived)
            and (startid is None or startid.id in (event.id, event.start_id))
        )

    return listed(
        call,
        Event,
        page=page,
        scope=scope,
        ids=None if id is None else [id],
        equal={"type": type or None, "resource_id": resourceid or None},
        keep=keep if filtered else None,
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


