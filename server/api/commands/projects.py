"""Projects and their members."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.identity import visibility
from cloudsim.model import Account, Domain, Project, ProjectMember, ProjectRole, User
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, Tags, page_of, tagged_with
from server.api.ownership import account_named, resolve_owner
from server.api.parameters import Param
from server.api.resource_fields import (
    Details,
    ResourceView,
    account_resources,
    show_resources,
    wants_resources,
)
from server.api.scope import member_accounts, subtree
from server.api.views import Date, TagView, View, date, domain_fields, tags

Part = Literal["Admin", "Regular"]


class ProjectView(ResourceView):
    """A project, with what it has and may have."""

    entity: ClassVar = Project
    key: ClassVar = "project"

    id: str | None = None
    name: str | None = None
    displaytext: str | None = None
    domainid: str | None = None
    domain: str | None = None
    owner: Annotated[list[dict[str, str]] | None, "the accounts and users that lead it"] = None
    projectaccountname: Annotated[str | None, "the account that owns what the project owns"] = None
    state: Annotated[str | None, "Active, Suspended or Disabled"] = None
    tags: list[TagView] | None = None
    vmstopped: int | None = None
    vmrunning: int | None = None
    created: Date | None = None

    @classmethod
    def of(cls, row: Project, call: Call) -> Self:
        accounts = call.store.table(Account)
        account = accounts.get(row.account_id)
        leaders = [m for m in call.store.table(ProjectMember).where("project_id", row.id) if m.role == "Admin"]
        domain = domain_fields(call, row.domain_id)
        domain.pop("domainpath", None)
        fields: dict[str, Any] = account_resources(call, account) if account and wants_resources(call) else {}
        return cls(
            id=row.id,
            name=row.name,
            displaytext=row.display_text,
            owner=[_leader(call, m) for m in leaders if m.account_id in accounts],
            projectaccountname=account.name if account is not None else None,
            state=row.state,
            tags=tags(call, row.id),
            created=date(row.created),
            **domain,
            **fields,
        )


def _leader(call: Call, member: ProjectMember) -> dict[str, str]:
    user = call.store.table(User).get(member.user_id)
    by_itself = {} if user is None else {"user": user.username, "userid": user.id}
    return {"account": call.store.table(Account)[member.account_id].name, "accountid": member.account_id, **by_itself}


class ProjectAccountView(View):
    """An account's part in a project."""

    entity: ClassVar = ProjectMember
    key: ClassVar = "projectaccount"

    projectid: str | None = None
    project: str | None = None
    accountid: str | None = None
    account: str | None = None
    accounttype: int | None = None
    role: Annotated[str | None, "Admin or Regular"] = None
    userid: Annotated[str | None, "the user whose part alone it is"] = None
    username: str | None = None
    projectroleid: str | None = None
    domainid: str | None = None
    domain: str | None = None
    user: list[dict[str, str]] | None = None

    @classmethod
    def of(cls, row: ProjectMember, call: Call) -> Self:
        project = call.store.table(Project)[row.project_id]
        account = call.store.table(Account)[row.account_id]
        users = call.store.table(User).where("account_id", account.id)
        alone = call.store.table(User).get(row.user_id)
        domain = domain_fields(call, account.domain_id)
        domain.pop("domainpath", None)
        return cls(
            projectid=project.id,
            project=project.name,
            accountid=account.id,
            account=account.name,
            accounttype=account.type,
            role=row.role,
            userid=row.user_id,
            username=alone.username if alone is not None else None,
            projectroleid=row.project_role_id,
            user=[{"id": u.id, "username": u.username} for u in users if alone is None or u.id == alone.id],
            **domain,
        )


@command("listProjects", view=ProjectView, group="Project", since="3.0.0")
async def list_projects(
    call: Call,
    *,
    page: Page,
    id: Project | None = None,
    name: str | None = None,
    displaytext: str | None = None,
    state: str | None = None,
    account: Annotated[str | None, Param("projects of that account; with domainid")] = None,
    domainid: Annotated[Domain | None, Param("projects of that domain", access="use")] = None,
    isrecursive: Annotated[bool, Param("with domainid: those of its subdomains too")] = False,
    listall: Annotated[bool, Param("everything the caller may see, not only its own")] = False,
    username: Annotated[str | None, Param("projects of that user's account")] = None,
    tags: Tags | None = None,
    details: Details = (),
) -> Listed:
    """Lists projects."""
    show_resources(call, details)
    tagged = tagged_with(call.store, tags) if tags else None
    rows = [
        project
        for project in _candidates(call, id, account, domainid, isrecursive, listall, username)
        if (not name or project.name.lower() == name.lower())
        and (not displaytext or project.display_text == displaytext)
        and (not state or project.state.lower() == state.lower())
        and (tagged is None or project.id in tagged)
    ]
    return page_of(rows, page, search=("name", "display_text"))


def _candidates(
    call: Call,
    id: Project | None,
    account: str | None,
    domain: Domain | None,
    recursive: bool,
    listall: bool,
    username: str | None,
) -> list[Project]:
    store, caller = call.store, call.caller
    table = store.table(Project)
    if id is not None:
        return [id] if visibility.may(store, caller, id, operate=False) else []
    if account is not None:
        found = account_named(store, account, domain or store.table(Domain)[caller.account.domain_id])
        visibility.check(store, caller, found)
        return _of_member(call, found.id)
    if username is not None:
        where = domain or store.table(Domain)[caller.account.domain_id]
        user = call.manager.identity.users.named(username, where.id)
        if user is None:
            return []
        visibility.check(store, caller, user)
        return _of_member(call, user.account_id, user.id)
    if caller.is_admin and domain is not None:
        domains = subtree(store, domain) if recursive or listall else [domain]
        return [project for each in domains for project in table.where("domain_id", each.id)]
    if caller.is_root_admin and listall:
        return list(table)
    if caller.is_admin and listall:
        top = store.table(Domain)[caller.account.domain_id]
        return [project for each in subtree(store, top) for project in table.where("domain_id", each.id)]
    return _of_member(call, caller.account.id, caller.user_id)


def _of_member(call: Call, account_id: str, user_id: str | None = None) -> list[Project]:
    table = call.store.table(Project)
    found = (table.find("account_id", each) for each in member_accounts(call.store, account_id, user_id))
    return [project for project in found if project is not None]


@command(
    "createProject", view=ProjectView, group="Project", since="3.0.0", job=True, creates=Project, event="PROJECT.CREATE"
)
async def create_project(
    call: Call,
    *,
    name: str,
    displaytext: str | None = None,
    account: Annotated[str | None, Param("the account that is to lead it; with domainid")] = None,
    domainid: Domain | None = None,
    accountid: Annotated[Account | None, Param("the same by id")] = None,
    userid: Annotated[User | None, Param("the same by one of its users")] = None,
) -> Job:
    """Creates a project, led by the caller's account or the one named."""
    setting = "allow.user.create.projects"
    if not call.caller.is_admin and not call.manager.foundation.settings.boolean(setting):
        raise PermissionDenied(f"Users create no projects here: the setting {setting} is false")
    if userid is not None:
        accountid = call.store.table(Account)[userid.account_id]
    owner = accountid or resolve_owner(call.store, call.caller, account or None, domainid, None)
    project = call.manager.projects.create(owner, name, displaytext)

    async def work() -> Project:
        return call.store.table(Project)[project.id]

    return Job(work, project)


def _lead(call: Call, project: Project) -> None:
    call.manager.projects.check_lead(call.caller, project)


@command("updateProject", view=ProjectView, group="Project", since="3.0.0", job=True, event="PROJECT.UPDATE")
async def update_project(
    call: Call,
    *,
    id: Project,
    name: str | None = None,
    displaytext: str | None = None,
    account: Annotated[str | None, Param("the account that is to lead it, or to get the part roletype")] = None,
    swapowner: Annotated[bool, Param("whether that account replaces those who lead it")] = True,
    userid: Annotated[User | None, Param("one user instead, without the rest of its account", access="any")] = None,
    roletype: Annotated[Part | None, Param("with swapowner=false: the account's or user's part")] = None,
) -> Job:
    """Changes a project."""
    projects = call.manager.projects
    _lead(call, id)
    domain = call.store.table(Domain)[id.domain_id]
    if account and userid is not None:
        raise InvalidParameterValue("Parameters account and userid exclude each other")
    leader = account_named(call.store, account, domain) if account else None
    if userid is not None:
        leader = call.store.table(Account)[userid.account_id]
    if leader is not None:
        projects.check_add(id, leader)

    async def work() -> Project:
        with call.store.transaction():
            projects.update(id, name=name, display_text=displaytext)
            if leader is not None:
                projects.set_owner(id, leader, user=userid, part=roletype, swap=swapowner)
        return call.store.table(Project)[id.id]

    return Job(work, id)


@command("suspendProject", view=ProjectView, group="Project", since="3.0.0", job=True, event="PROJECT.SUSPEND")
async def suspend_project(call: Call, *, id: Project) -> Job:
    """Stops what a project runs; nothing can be added to it until it is activated."""
    _lead(call, id)
    return Job(lambda: call.manager.projects.suspend(id.id), id)


@command("activateProject", view=ProjectView, group="Project", since="3.0.0", job=True, event="PROJECT.ACTIVATE")
async def activate_project(call: Call, *, id: Project) -> Job:
    """Activates a suspended project."""
    _lead(call, id)

    async def work() -> Project:
        active: Project = call.manager.projects.activate(id.id)
        return active

    return Job(work, id)


@command("deleteProject", group="Project", since="3.0.0", job=True, event="PROJECT.DELETE")
async def delete_project(
    call: Call,
    *,
    id: Project,
    cleanup: Annotated[bool | None, Param("false: only if it owns nothing", since="4.16.0")] = None,
) -> Job:
    """Deletes a project with all it owns."""
    _lead(call, id)
    return Job(lambda: call.manager.projects.delete(id.id, cleanup=cleanup is not False), id)


@command("listProjectAccounts", view=ProjectAccountView, group="Account", since="3.0.0")
async def list_project_accounts(
    call: Call,
    *,
    page: Page,
    projectid: Annotated[Project, Param(access="use")],
    account: Annotated[str | None, Param("only that account")] = None,
    userid: User | None = None,
    role: Annotated[Part | None, Param("only those with that part")] = None,
    projectroleid: Annotated[ProjectRole | None, Param("only those with that role", since="4.15.0")] = None,
) -> Listed:
    """Lists the accounts of a project and their parts in it."""
    accounts = call.store.table(Account)
    wanted = (page.keyword or "").lower()
    members = [
        member
        for member in call.manager.projects.members(projectid)
        if (role is None or member.role == role)
        and (userid is None or (member.account_id == userid.account_id and member.user_id in (None, userid.id)))
        and (projectroleid is None or member.project_role_id == projectroleid.id)
        and (not account or accounts[member.account_id].name.lower() == account.lower())
        and wanted in accounts[member.account_id].name.lower()
    ]
    return page_of(members, replace(page, keyword=None))
