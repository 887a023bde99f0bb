"""Resource limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.management.identity.limited_resources import TYPES, ResourceType, resource_type
from cloudsim.model import Account, Domain, Project
from server.api.command import ADMINS, Call, Listed, command
from server.api.listing import Page
from server.api.ownership import account_named
from server.api.parameters import Long as LongParameter
from server.api.parameters import Param
from server.api.scope import accounts_of, subtree
from server.api.views import Long, View, domain_fields, owner


@dataclass(frozen=True)
class Limited:
    """A limit or a count of one kind of resource, and whose it is."""

    owner: Account | Domain
    type: ResourceType
    amount: int
    tag: str = ""


def _whose(call: Call, limited: Limited) -> dict[str, Any]:
    if isinstance(limited.owner, Domain):
        return domain_fields(call, limited.owner.id)
    return owner(call, limited.owner.id)


Tag = Annotated[str | None, Param("only of what offerings with that host or storage tag give", since="4.20.0")]


def _kinds(call: Call, only: ResourceType | None, tag: str | None) -> list[tuple[ResourceType, str]]:
    """The kinds that are meant, each for all and by every tag that there are limits for; or by one tag alone."""
    limits = call.manager.limits
    if tag and only is not None:
        limits.check_tag(only, tag)
    found: list[tuple[ResourceType, str]] = []
    for type in TYPES if only is None else (only,):
        found += [(type, each) for each in ("", *limits.tags(type)) if not tag or each == tag]
    return found


class _LimitedView(View):
    """Base of what is told of one kind of resource of an account, project or domain; `amount` says in which member how much."""

    amount: ClassVar[str]

    resourcetype: Annotated[str | None, "the kind's number"] = None
    resourcetypename: str | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    projectid: str | None = None
    project: str | None = None
    tag: Annotated[str | None, "the tag that it is by; missing where it is of all"] = None

    @classmethod
    def of(cls, row: Limited, call: Call) -> Self:
        type = row.type
        fields: dict[str, Any] = {cls.amount: row.amount, **_whose(call, row)}
        return cls(resourcetype=str(type.number), resourcetypename=type.name, tag=row.tag or None, **fields)


class ResourceLimitView(_LimitedView):
    """How much of a kind of resource an account, project or domain may have."""

    key: ClassVar = "resourcelimit"
    amount: ClassVar = "max"

    max: Annotated[Long | None, "the limit; -1 for none. Memory in MiB, storage in GiB"] = None


class ResourceCountView(_LimitedView):
    """How much of a kind of resource an account, project or domain has."""

    key: ClassVar = "resourcecount"
    amount: ClassVar = "resourcecount"

    resourcecount: Annotated[Long | None, "memory in MiB, storage in bytes"] = None


def _owner(call: Call, account: str | None, domain: Domain | None, project: Project | None) -> Account | Domain | None:
    """Whose limits are meant: an account's, a project's, a domain's; None when nothing says."""
    store = call.store
    if project is not None:
        if account:
            raise InvalidParameterValue("Parameters account and projectid exclude each other")
        return store.table(Account)[project.account_id]
    if account:
        found = account_named(store, account, domain or store.table(Domain)[call.caller.account.domain_id])
        visibility.check(store, call.caller, found)
        return found
    return domain


@command("listResourceLimits", view=ResourceLimitView, group="Limit")
async def list_resource_limits(
    call: Call,
    *,
    page: Page,
    resourcetype: Annotated[int | None, Param("only the kind of that number, 0 to 13 or 16")] = None,
    resourcetypename: Annotated[str | None, Param("only the kind of that name")] = None,
    tag: Tag = None,
    account: Annotated[str | None, Param("limits of that account; with domainid")] = None,
    domainid: Annotated[Domain | None, Param("limits of that domain", access="use")] = None,
    projectid: Annotated[Project | None, Param("limits of that project", access="use")] = None,
    isrecursive: Annotated[bool, Param("with domainid alone: limits of the domains below it too")] = False,
    listall: Annotated[
        bool, Param("for admins, where nothing is named: limits of all domains and accounts that they see")
    ] = False,
) -> Listed:
    """Lists the resource limits of the caller's account, or of the account, project or domain named."""
    only = resource_type(resourcetype, resourcetypename or None)
    limits = call.manager.limits
    named = _owner(call, account, domainid, projectid)
    if named is None and listall and call.caller.is_admin:
        owners = _seen(call)
    elif isinstance(named, Domain) and isrecursive and call.caller.is_admin:
        owners = list(subtree(call.store, named))
    else:
        owners = [named or call.caller.account]
    keyword = (page.keyword or "").lower()
    kinds = [(type, each) for type, each in _kinds(call, only, tag) if keyword in type.name]
    total = len(owners) * len(kinds)
    rows = []
    for place in range(page.start, total if page.size is None else min(page.start + page.size, total)):
        whose, (type, each) = owners[place // len(kinds)], kinds[place % len(kinds)]
        of = limits.of_domain if isinstance(whose, Domain) else limits.of_account
        rows.append(Limited(whose, type, of(whose, type, each), each))
    return Listed(rows, total)


def _seen(call: Call) -> list[Account | Domain]:
    """An admin's own account, and all domains and accounts, but projects', that it sees."""
    own = call.caller.account
    accounts, top = call.store.table(Account), call.store.table(Domain)[own.domain_id]
    others = [each for each in accounts_of(call.store, top, recursive=True, projects=False) if each != own.id]
    return [own, *subtree(call.store, top), *(accounts[each] for each in others)]


@command(
    "updateResourceLimit",
    view=ResourceLimitView,
    roles=ADMINS,
    group="Limit",
    event="RESOURCE.LIMIT.UPDATE",
)
async def update_resource_limit(
    call: Call,
    *,
    resourcetype: Annotated[int, Param("the kind's number, 0 to 13 or 16")],
    max: Annotated[LongParameter | None, Param("the limit; -1 for none")] = None,
    account: Annotated[str | None, Param("the account; with domainid")] = None,
    domainid: Annotated[Domain | None, Param("the domain", access="use")] = None,
    projectid: Project | None = None,
    tag: Tag = None,
) -> Limited:
    """Sets a resource limit of an account, a project or a domain."""
    kind = resource_type(resourcetype)
    whose = _owner(call, account, domainid, projectid)
    if whose is None or kind is None:
        raise InvalidParameterValue("Whose limit? Give account and domainid, domainid alone, or projectid")
    row = call.manager.limits.set(call.caller, whose, kind, max, tag or "")
    return Limited(whose, kind, row.max, row.tag)


@command("updateResourceCount", view=ResourceCountView, roles=ADMINS, group="Limit", many=True)
async def update_resource_count(
    call: Call,
    *,
    domainid: Annotated[Domain, Param("the domain", access="use")],
    account: Annotated[str | None, Param("the account; with domainid")] = None,
    resourcetype: Annotated[int | None, Param("only the kind of that number, 0 to 13 or 16")] = None,
    projectid: Annotated[Project | None, Param(access="use")] = None,
    tag: Tag = None,
) -> list[Limited]:
    """Counts the resources of an account, a project or a domain anew."""
    only = resource_type(resourcetype)
    whose = _owner(call, account, domainid, projectid) or domainid
    limits = call.manager.limits
    count = limits.count_domain if isinstance(whose, Domain) else limits.count
    return [Limited(whose, type, count(whose.id, type, each), each) for type, each in _kinds(call, only, tag)]


