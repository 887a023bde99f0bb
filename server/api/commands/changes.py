"""followChanges: what changes in the cloud, as it happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from cloudsim.errors import InvalidParameterValue, PermissionDenied, UnsupportedCommand
from server.api.command import Call, command
from server.api.parameters import Param
from server.api.views import View
from server.changes.audience import listable
from server.changes.kinds import kinds
from server.changes.round import ChangeView
from server.changes.stream import StreamReply


class ChangesView(View):
    """What an event `changes` of the stream holds, as JSON."""

    key: ClassVar = ""

    time: Annotated[float | None, "when, in Unix seconds of the cloud"] = None
    changes: Annotated[list[ChangeView] | None, "what was created, updated or removed, each thing once"] = (
        None
    )


@command("followChanges", view=ChangesView, group="Change")
async def follow_changes(
    call: Call,
    *,
    resourcetypes: Annotated[
        Sequence[str] | None,
        Param(
            "only changes of such things: keys of list commands' answers, such as virtualmachine; by default all"
        ),
    ] = None,
    lasteventid: Annotated[
        str | None,
        Param("id of the last event that was received, where the header Last-Event-ID cannot be sent"),
    ] = None,
) -> StreamReply:
    """Answers a stream of server-sent events (text/event-stream) that tells what changes in the cloud as it happens."""
    door, request = call.door, call.request
    if door is None or request is None:
        raise UnsupportedCommand("followChanges is answered over HTTP alone")
    wanted = None if resourcetypes is None else _wanted(call, resourcetypes)
    session = None if request.fields.get("apikey") else door.sessions.find(request.session_id)
    stream = door.changes.open(
        call.command,
        call.caller,
        wanted,
        last=lasteventid or request.last_event_id,
        api_key=request.fields.get("apikey") or None,
        is_over=(lambda: False) if session is None else (lambda: door.sessions.is_over(session)),
    )
    return StreamReply(call.command.response, {}, request.wants_json, stream=stream)


def _wanted(call: Call, names: Sequence[str]) -> frozenset[str]:
    """The keys of these names. Raises InvalidParameterValue for what is none, PermissionDenied for what is not listed."""
    spelled = {key.lower(): key for key in kinds()}
    unknown = [name for name in names if name.lower() not in spelled]
    if unknown or not names:
        raise InvalidParameterValue(
            f"Unable to execute API command followchanges due to invalid value {','.join(unknown)[:200]!r} for parameter "
            f"resourcetypes: there are {', '.join(sorted(kinds()))}"
        )
    wanted = frozenset(spelled[name.lower()] for name in names)
    refused = wanted - listable(call.manager, call.caller.account)
    if refused:
        raise PermissionDenied(f"{call.caller.account.name} may not list {', '.join(sorted(refused))}")
    return wanted
