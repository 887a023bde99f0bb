"""One declaration for each API command: `@command` over a function whose annotated signature says everything.

`server.api` tells how to write one. The registry `COMMANDS` (by lower-cased name) is what dispatch, `listApis`, the
API reference and the conformance test read.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypeVar, cast, get_args, get_origin, get_type_hints

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller
from cloudsim.model import Domain, Role
from cloudsim.store import Row, Store
from server.api.parameters import REQUIRED, Access, Parameter, Resolve, Unreadable, parameter
from server.api.views import View

EVERYONE = frozenset({"Admin", "ResourceAdmin", "DomainAdmin", "User"})
ADMINS = frozenset({"Admin", "ResourceAdmin", "DomainAdmin"})
ROOT = frozenset({"Admin"})
"""Role types whose default roles may call a command."""

R = TypeVar("R", bound=Row)
Maps = Mapping[str, Mapping[int, Mapping[str, str]]]
Function = Callable[..., Awaitable[Any]]


class Call:
    """One call of a command: who calls, and the management server it is for.

    `cache` lives as long as the call; views keep in it what many rows share. `door` and `request` are the
    Dispatcher and the Request that the call came through; `cookies` go back with its answer. `event`: the type that
    its event gets, which the command's function may change to what it turned out to do.
    """

    __slots__ = (
        "cache",
        "caller",
        "command",
        "cookies",
        "door",
        "event",
        "fields",
        "manager",
        "maps",
        "request",
        "store",
    )

    def __init__(
        self,
        command: Command,
        manager: Any,
        caller: Caller,
        fields: Mapping[str, str],
        maps: Maps,
        door: Any = None,
    ) -> None:
        self.command = command
        self.event = command.event
        self.manager = manager
        self.caller = caller
        self.fields = fields
        self.maps = maps
        self.door = door
        self.store: Store = manager.foundation.store
        self.request: Any = None
        self.cookies: dict[str, str | None] = {}
        self.cache: dict[Any, Any] = {}

    def resolve(self, row_type: type[R], row_id: str, access: Access = "operate") -> R | None:
        """The row of that id, or None. PermissionDenied when the caller may not name it."""
        row = self.store.table(row_type).get(row_id)
        if row is None and row_type is Role and row_id.isdecimal():  # clients know the default ones by number
            row = cast("R | None", self.manager.roles.numbered(int(row_id)))
        if row_id == "1" and row_type is Domain:  # the root's number in every CloudStack, which clients have learnt
            row = cast("R | None", self.store.table(Domain).get(self.manager.identity.system()[0].domain_id))
        if row is not None and access != "any":
            visibility.check(self.store, self.caller, row, operate=access == "operate")
        return row


@dataclass(frozen=True)
class Job:
    """What a command with `job=True` returns once it has checked, and for a creating one allocated, everything.

    `work()` makes the coroutine that does the rest; the value it returns is answered by queryAsyncJobResult:
    a row in the command's view, None as success. `instance` is what the job works on; a creating command answers
    its id at once. Jobs with the same `queue` (by default the instance's id) run one after the other.
    """

    work: Callable[[], Coroutine[Any, Any, Any]]
    instance: Row | None = None
    queue: str | None = None


@dataclass(frozen=True)
class Listed:
    """What a list command returns: the rows of one page, and how many there are on all pages.

    `key`: the member of the answer that holds them, where it is not the command's.
    """

    rows: Sequence[Any]
    total: int
    key: str | None = None


@dataclass(frozen=True)
class Success:
    """An answer of `success` and a text. A function that returns None answers success without one."""

    text: str | None = None
    success: bool = True


class Compound(Protocol):
    """Several wire parameters that make one value, such as an owner; used as `Annotated[Type, compound]`."""

    parameters: tuple[Parameter, ...]

    def value(self, call: Call, values: Mapping[str, Any]) -> Any:
        """The value, from the wire parameters' values by name (absent ones are missing)."""


@dataclass(frozen=True)
class Command:
    """A declared command. `parameters` are all wire parameters, those of compounds included."""

    name: str
    function: Function
    view: type[View] | None
    key: str
    many: bool
    job: bool
    creates: type[Row] | None
    event: str | None
    roles: frozenset[str]
    group: str
    description: str
    since: str | None
    response: str
    open: bool
    needs: str | None
    parameters: tuple[Parameter, ...]
    compounds: tuple[tuple[str, Compound], ...]

    def bind(self, call: Call) -> dict[str, Any]:
        """The keyword arguments of `function`. Raises what a parameter's value deserves; changes nothing."""
        for p in self.parameters:
            if p.required and not call.fields.get(p.name.lower()) and not call.maps.get(p.name.lower()):
                raise InvalidParameterValue(
                    f"Unable to execute API command {self.name.lower()} due to missing parameter {p.name}"
                )
        values = {p.keyword: v for p in self.parameters if (v := self._value(call, p)) is not ABSENT}
        arguments = {p.keyword: values.get(p.keyword, p.default) for p in self.parameters}
        for keyword, compound in self.compounds:
            for p in compound.parameters:
                del arguments[p.keyword]
            arguments[keyword] = compound.value(call, values)
        return arguments

    def _value(self, call: Call, p: Parameter) -> Any:
        name = p.name.lower()
        if p.read is None:
            entries = call.maps.get(name)
            if entries:
                return p.maps(entries)
            if call.fields.get(name):
                raise InvalidParameterValue(
                    f"Unable to execute API command {self.name.lower()} due to invalid value. Parameter {p.name} "
                    f"is a map: {p.name}[0].key=.."
                )
            return ABSENT
        text = call.fields.get(name)
        if text is None or (text == "" and p.type != "string"):
            return ABSENT
        return p.value(self.name, text, call.resolve)


ABSENT: Any = object()
COMMANDS: dict[str, Command] = {}
"""Every command of this server by lower-cased name; `server.api.commands.load()` fills it."""


def command(
    name: str,
    *,
    view: type[View] | None = None,
    key: str | None = None,
    many: bool | None = None,
    job: bool = False,
    creates: type[Row] | None = None,
    event: str | None = None,
    roles: frozenset[str] = EVERYONE,
    group: str = "",
    description: str = "",
    since: str | None = None,
    response: str | None = None,
    open: bool = False,
    needs: str | None = None,
) -> Callable[[Function], Function]:
    """Register the decorated `async def f(call, *, ...)` as API command `name`.

    view         how rows of the answer look; None: the command answers success.
    key          the member of the answer that holds them; by default the view's own, "" for a flat answer.
    many         whether it answers a list; by default when its name begins with list.
    job          it returns a Job; creates: the row type whose id is answered with the job's.
    event        the event type recorded when it is done (and for a job when it is scheduled, and when it fails).
    roles        EVERYONE, ADMINS or ROOT.
    description  by default the function's docstring.
    response     the answer's outer name; by default the lower-cased name + "response".
    open         callable without credentials.
    needs        what not every cloud has, in words: without it the command is not offered (`Dispatcher.provided`).
    """

    def register(function: Function) -> Function:
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"{name}: a command is an async def")
        is_list = name.startswith("list") if many is None else many
        parameters, compounds = _signature(name, function, is_list)
        made = Command(
            name=name,
            function=function,
            view=view,
            key=key if key is not None else (view.key if view is not None else ""),
            many=is_list,
            job=job,
            creates=creates,
            event=event,
            roles=roles,
            group=group,
            description=" ".join((description or inspect.getdoc(function) or "").split()),
            since=since,
            response=response or f"{name.lower()}response",
            open=open,
            needs=needs,
            parameters=parameters,
            compounds=compounds,
        )
        if COMMANDS.get(name.lower(), made).function.__module__ != function.__module__:
            raise ValueError(f"{name} is declared twice")
        COMMANDS[name.lower()] = made
        return function

    return register


def _signature(
    name: str, function: Function, is_list: bool
) -> tuple[tuple[Parameter, ...], tuple[tuple[str, Compound], ...]]:
    hints = get_type_hints(function, include_extras=True)
    access: Access | None = "any" if is_list and name.startswith("list") else None  # a list leaves out what is not his
    parameters: list[Parameter] = []
    compounds: list[tuple[str, Compound]] = []
    for argument in list(inspect.signature(function).parameters.values())[1:]:
        if argument.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise TypeError(f"{name}: parameter {argument.name} must be keyword-only")
        annotation = hints[argument.name]
        compound = _compound(annotation)
        if compound is not None:
            compounds.append((argument.name, compound))
            parameters += compound.parameters
        else:
            default = REQUIRED if argument.default is inspect.Parameter.empty else argument.default
            parameters.append(parameter(argument.name, annotation, default, access=access))
    twice = {p.name for p in parameters if sum(q.name == p.name for q in parameters) > 1}
    if twice:
        raise TypeError(f"{name}: parameters {sorted(twice)} are declared twice")
    return tuple(parameters), tuple(compounds)


def _compound(annotation: Any) -> Compound | None:
    if get_origin(annotation) is Annotated:
        for extra in get_args(annotation)[1:]:
            if hasattr(extra, "parameters") and hasattr(extra, "value"):
                return extra  # type: ignore[no-any-return]
    return None


def commands_answering(entity: type[Row]) -> Iterable[str]:
    """Names of the commands whose answers are of that entity: what `listApis` calls related."""
    return (c.name for c in COMMANDS.values() if c.view is not None and c.view.entity is entity)


__all__ = [
    "ADMINS",
    "COMMANDS",
    "EVERYONE",
    "ROOT",
    "Call",
    "Command",
    "Compound",
    "Job",
    "Listed",
    "Resolve",
    "Success",
    "Unreadable",
    "command",
    "commands_answering",
]
