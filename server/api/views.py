"""Response views: how an entity looks to the API's callers, declared once for all commands that answer it.

A view is a Struct whose field names are the wire names and whose annotations are the types that `listApis`
tells; None means "left out of the answer". `of(row, call)` makes one from a row.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable
from functools import cache, lru_cache
from time import gmtime
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    Self,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from cloudsim.model import Account, Annotation, AsyncJob, Domain, Project, ResourceTag
from cloudsim.model.operations import JOB_IN_PROGRESS
from cloudsim.store import Row

if TYPE_CHECKING:
    from server.api.command import Call


class Wire(NamedTuple):
    """A field's type on the wire where the annotation alone does not say it."""

    type: str


Date = Annotated[str, Wire("date")]
Long = Annotated[int, Wire("long")]


@lru_cache(maxsize=4096)
def _day(day: int) -> str:
    moment = gmtime(day * 86_400)
    return f"{moment.tm_year:04}-{moment.tm_mon:02}-{moment.tm_mday:02}T"


def date(seconds: float | None) -> str | None:
    """Unix seconds as CloudStack writes dates, such as 2026-11-22T15:00:00+0000."""
    if seconds is None:
        return None
    day, rest = divmod(int(seconds), 86_400)
    minutes, second = divmod(rest, 60)
    return f"{_day(day)}{minutes // 60:02}:{minutes % 60:02}:{second:02}+0000"


class View(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Base of all views. `entity` is the row type shown, `key` the member that holds it in an answer.

    `jobid` and `jobstatus` tell of the job that works on the thing just now; `render` fills them in, and
    `hasannotations` of views that have it: whether there are comments on the thing that the caller may read.
    """

    entity: ClassVar[type[Row] | None] = None
    key: ClassVar[str] = ""

    jobid: str | None = None
    jobstatus: int | None = None

    @classmethod
    def of(cls, row: Any, call: Call) -> Self:
        """The view of a row."""
        raise NotImplementedError(f"{cls.__name__}.of")


class SuccessView(View):
    """The answer of a command that has nothing to show."""

    success: bool | None = None
    displaytext: str | None = None


class TagView(View):
    """A tag, as `tags` of what it hangs on and as an answer of listTags."""

    entity: ClassVar = ResourceTag
    key: ClassVar = "tag"

    key_: str | None = msgspec.field(default=None, name="key")
    value: str | None = None
    resourcetype: str | None = None
    resourceid: str | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    customer: str | None = None

    @classmethod
    def of(cls, row: ResourceTag, call: Call) -> Self:
        return cls(
            key_=row.key,
            value=row.value,
            resourcetype=row.resource_type,
            resourceid=row.resource_id,
            customer=row.customer,
            **owner(call, row.account_id),
        )


def owner(call: Call, account_id: str) -> dict[str, Any]:
    """Who owns a thing, as view fields: account or project and projectid; domain, domainid, domainpath."""
    known: dict[str, dict[str, Any]] = call.cache.setdefault("owner", {})
    fields = known.get(account_id)
    if fields is None:
        account = call.store.table(Account).get(account_id)
        if account is None:
            fields = {}
        elif account.project_id is not None:
            project = call.store.table(Project).get(account.project_id)
            fields = {"projectid": account.project_id, "project": project.name if project else account.name}
        else:
            fields = {"account": account.name}
        if account is not None:
            fields |= domain_fields(call, account.domain_id)
        known[account_id] = fields
    return fields


def domain_fields(call: Call, domain_id: str | None) -> dict[str, Any]:
    """domain, domainid and domainpath of a domain; nothing for None."""
    domain = call.store.table(Domain).get(domain_id)
    return {} if domain is None else {"domainid": domain.id, "domain": domain.name, "domainpath": domain.path}


def tags(call: Call, resource_id: str) -> list[TagView]:
    """The tags of a thing: an empty list where it has none, as CloudStack answers."""
    table = call.store.table(ResourceTag)
    if not table.count("resource_id", resource_id):
        return []
    return [TagView.of(tag, call) for tag in table.where("resource_id", resource_id)]


def plain_tags(call: Call, resource_id: str) -> list[TagView]:
    """The tags of a thing, with key and value alone: CloudStack's way for networks, addresses and rules."""
    table = call.store.table(ResourceTag)
    return [TagView(key_=tag.key, value=tag.value) for tag in table.where("resource_id", resource_id)]


def render(view: type[View], rows: Iterable[Any], call: Call) -> list[View]:
    """The rows in that view, each with the job that is working on it. Views among the rows stay as they are."""
    of = view.of
    shown: list[View] = [row if isinstance(row, View) else of(row, call) for row in rows]
    if "hasannotations" in view.__struct_fields__:
        for each in shown:
            if isinstance(each, view):
                _show_annotations(each, call)
    jobs = call.store.table(AsyncJob)
    if jobs.count("status", JOB_IN_PROGRESS):
        for each in shown:
            _show_job(each, jobs)
    return shown


def _show_job(view: View, jobs: Any) -> None:
    instance_id = getattr(view, "id", None)
    if instance_id is None or view.jobid is not None:
        return
    ids = jobs.ids("instance_id", instance_id)
    last = next(reversed(ids), None) if ids else None
    if last is not None and jobs[last].status == JOB_IN_PROGRESS:
        view.jobid, view.jobstatus = last, JOB_IN_PROGRESS


def _show_annotations(view: Any, call: Call) -> None:
    comments = call.store.table(Annotation)
    view.hasannotations = bool(comments.count("entity_id", view.id)) and bool(
        call.manager.annotations.readable(call.caller, comments.where("entity_id", view.id))
    )


class ResponseField(NamedTuple):
    """A member of an answer as `listApis` tells it; `fields` are the members of a nested view."""

    name: str
    type: str
    description: str
    fields: tuple[ResponseField, ...] = ()


_TYPES: dict[Any, str] = {str: "string", int: "integer", float: "float", bool: "boolean"}


@cache
def response_fields(view: type[View]) -> tuple[ResponseField, ...]:
    """What `listApis` tells of a view's members, from its annotations."""
    hints = get_type_hints(view, include_extras=True)
    told = []
    for each in msgspec.structs.fields(view):
        if each.default is not None:
            raise TypeError(f"{view.__name__}.{each.name}: a view's field is None by default, or it would be left out")
        description = _descriptions(view).get(each.name, "")
        told.append(_field(each.encode_name, hints[each.name], description, view))
    return tuple(told)


@cache
def _descriptions(view: type[View]) -> dict[str, str]:
    """Texts of `Annotated[type, "text"]` fields."""
    texts = {}
    for name, hint in get_type_hints(view, include_extras=True).items():
        for part in (hint, *get_args(hint)):
            if get_origin(part) is Annotated:
                for extra in get_args(part)[1:]:
                    if isinstance(extra, str):
                        texts[name] = extra
    return texts


def _field(name: str, annotation: Any, description: str, view: type[View]) -> ResponseField:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        for extra in arguments[1:]:
            if isinstance(extra, Wire):
                return ResponseField(name, extra.type, description)
        return _field(name, arguments[0], description, view)
    if origin in (Union, types.UnionType):
        rest = [a for a in arguments if a is not types.NoneType]
        if len(rest) == 1:
            return _field(name, rest[0], description, view)
        return ResponseField(name, "string", description)
    if origin in (list, tuple):
        inner = _field(name, arguments[0], description, view)
        return ResponseField(name, "list", description, inner.fields)
    if origin is dict:
        return ResponseField(name, "map", description)
    if inspect.isclass(annotation) and issubclass(annotation, View):
        nested = () if annotation is view else response_fields(annotation)
        nested = tuple(f for f in nested if f.name not in ("jobid", "jobstatus"))
        return ResponseField(name, annotation.__name__.lower(), description, nested)
    if annotation is msgspec.Raw or annotation is Any:
        return ResponseField(name, "responseobject", description)
    return ResponseField(name, _TYPES.get(annotation, "string"), description)
