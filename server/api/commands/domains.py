"""Domains."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import PermissionDenied
from cloudsim.management.identity.caller import in_subtree
from cloudsim.model import Domain
from server.api.command import ADMINS, ROOT, Call, Job, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.resource_fields import (
    Details,
    LimitTag,
    WithProjects,
    domain_resources,
    show_resources,
    wants_resources,
)
from server.api.scope import subtree
from server.api.views import Date, date


class DomainView(WithProjects):
    """A domain. The totals are of its whole subtree."""

    entity: ClassVar = Domain
    key: ClassVar = "domain"

    id: Annotated[str | None, "the domain's id"] = None
    name: Annotated[str | None, "its name, unique among its siblings"] = None
    level: Annotated[int | None, "its depth: 0 for ROOT"] = None
    parentdomainid: str | None = None
    parentdomainname: str | None = None
    haschild: Annotated[bool | None, "whether it has subdomains"] = None
    networkdomain: Annotated[str | None, "DNS suffix of its networks"] = None
    path: Annotated[str | None, "names from ROOT down, joined by /"] = None
    state: Annotated[str | None, "Active, or Inactive while it is being deleted"] = None
    created: Date | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: Domain, call: Call) -> Self:
        table = call.store.table(Domain)
        parent = table.get(row.parent_id)
        fields: dict[str, Any] = domain_resources(call, row) if wants_resources(call) else {}
        return cls(
            id=row.id,
            name=row.name,
            level=row.path.count("/"),
            parentdomainid=row.parent_id,
            parentdomainname=parent.name if parent is not None else None,
            haschild=table.count("parent_id", row.id) > 0,
            networkdomain=row.network_domain,
            path=row.path,
            state=row.state,
            created=date(row.created),
            **fields,
        )


def _visible(call: Call, listall: bool, named: bool = False) -> list[Domain]:
    """Root admin: the whole tree; a domain admin with listall: its subtree; others their own domain."""
    table = call.store.table(Domain)
    own = table[call.caller.account.domain_id]
    if call.caller.is_root_admin or (call.caller.is_domain_admin and (listall or named)):
        return subtree(call.store, own)
    return [own]


@command("listDomains", view=DomainView, group="Domain")
async def list_domains(
    call: Call,
    *,
    page: Page,
    id: Domain | None = None,
    name: str | None = None,
    level: Annotated[int | None, Param("only domains of that depth")] = None,
    listall: bool = False,
    details: Details = (),
    tag: LimitTag = None,
) -> Listed:
    """Lists domains, ROOT first."""
    show_resources(call, details, tag)
    wanted = name.lower() if name else None
    rows = [
        domain
        for domain in _visible(call, listall, id is not None or name is not None)
        if (id is None or domain.id == id.id)
        and (wanted is None or domain.name.lower() == wanted)
        and (level is None or domain.path.count("/") == level)
    ]
    return page_of(rows, page)


@command("listDomainChildren", view=DomainView, group="Domain")
async def list_domain_children(
    call: Call,
    *,
    page: Page,
    id: Annotated[Domain | None, Param("those below that one", access="use")] = None,
    name: str | None = None,
    isrecursive: Annotated[bool, Param("those below the children too")] = False,
    listall: Annotated[bool, Param("all that the caller may see below it: as isrecursive")] = False,
) -> Listed:
    """Lists the domains below a domain, by default below the caller's."""
    top = id if id is not None else call.store.table(Domain)[call.caller.account.domain_id]
    visible = {domain.id for domain in _visible(call, True)}
    below = subtree(call.store, top)[1:] if isrecursive or listall else call.manager.identity.domains.children(top.id)
    wanted = name.lower() if name else None
    return page_of([d for d in below if d.id in visible and (wanted is None or d.name.lower() == wanted)], page)


@command("createDomain", view=DomainView, roles=ADMINS, group="Domain", event="DOMAIN.CREATE")
async def create_domain(
    call: Call,
    *,
    name: Annotated[str, Param("its name")],
    parentdomainid: Annotated[Domain | None, Param("the domain above; by default ROOT", access="operate")] = None,
    networkdomain: Annotated[str | None, Param("DNS suffix of its networks")] = None,
    domainid: Annotated[str | None, Param("the id it is to have")] = None,
) -> Domain:
    """Creates a domain."""
    domains = call.manager.identity.domains
    parent = parentdomainid or call.store.table(Domain)[call.caller.account.domain_id]
    created: Domain = domains.create(name, parent, network_domain=networkdomain, id=domainid or None)
    return created


@command("updateDomain", view=DomainView, roles=ADMINS, group="Domain", event="DOMAIN.UPDATE")
async def update_domain(
    call: Call, *, id: Domain, name: str | None = None, networkdomain: str | None = None
) -> Domain:
    """Renames a domain or changes its network domain."""
    updated: Domain = call.manager.identity.domains.update(id, name=name, network_domain=networkdomain)
    return updated


@command("moveDomain", view=DomainView, roles=ROOT, group="Domain", since="4.19.0", event="DOMAIN.MOVE")
async def move_domain(
    call: Call,
    *,
    domainid: Annotated[Domain, Param("the domain to move")],
    parentdomainid: Annotated[Domain, Param("the domain that is to be above it")],
) -> Domain:
    """Moves a domain, with all in and below it, to another parent domain."""
    manager = call.manager
    manager.identity.domains.check_move(domainid, parentdomainid)
    manager.limits.check_move(domainid, parentdomainid)
    moved: Domain = manager.identity.domains.move(domainid, parentdomainid)
    return moved


@command("deleteDomain", roles=ADMINS, group="Domain", job=True, event="DOMAIN.DELETE")
async def delete_domain(
    call: Call,
    *,
    id: Domain,
    cleanup: Annotated[bool, Param("delete its accounts and subdomains as well")] = False,
) -> Job:
    """Deletes a domain."""
    domains = call.manager.identity.domains
    domains.check_delete(id)
    if in_subtree(call.store, call.caller.account.domain_id, id.id):
        raise PermissionDenied(f"Account {call.caller.account.name} cannot delete the domain that it lives in")
    return Job(lambda: domains.delete(id.id, cleanup=cleanup), id)
