"""Members of projects: accounts and users that are added, or invited first."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.identity import visibility
from cloudsim.model import Account, Domain, Project, ProjectInvitation, ProjectRole, User
from server.api.command import Call, Job, Listed, command
from server.api.listing import Page, page_of
from server.api.ownership import account_named
from server.api.parameters import Param
from server.api.views import View, domain_fields

Part = Literal["Admin", "Regular"]
RoleOf = Annotated[ProjectRole | None, Param("the role of the project that it is to have", since="4.15.0", access="use")]
Email = Annotated[str | None, Param("not used, as in CloudStack, where a name says who: this cloud sends no mail")]


def _lead(call: Call, project: Project) -> None:
    call.manager.projects.check_lead(call.caller, project)


def _account(call: Call, project: Project, name: str) -> Account:
    return account_named(call.store, name, call.store.table(Domain)[project.domain_id])


def _enter(
    call: Call, project: Project, account: Account, user: User | None, role: ProjectRole | None, part: Part
) -> Job:
    """The job that adds, or where that is required invites, an account or one user of it."""
    projects, invitations = call.manager.projects, call.manager.project_invitations
    _lead(call, project)
    projects.check_add(project, account, role)
    role_id = role.id if role is not None else None
    invited = invitations.required and not call.caller.is_admin
    if invited:
        invitations.check_invite(project, account, user)

    async def work() -> None:
        enter = invitations.invite if invited else projects.add
        enter(project, account, part, user=user, role_id=role_id)

    return Job(work, project)


@command("addAccountToProject", group="Project", since="3.0.0", job=True, event="PROJECT.ACCOUNT.ADD")
async def add_account_to_project(
    call: Call,
    *,
    projectid: Project,
    account: Annotated[str | None, Param("name of the account, of the project's domain")] = None,
    email: Email = None,
    projectroleid: RoleOf = None,
    roletype: Annotated[Part | None, Param("its part; Regular by default")] = None,
) -> Job:
    """Adds an account to a project, or where project.invite.required is true invites it."""
    if not account and email:
        raise InvalidParameterValue("Parameter email is not supported: this cloud sends no mail, so it invites by name")
    if not account:
        raise InvalidParameterValue("Which account? Give its name in parameter account")
    return _enter(call, projectid, _account(call, projectid, account), None, projectroleid, roletype or "Regular")


@command("deleteAccountFromProject", group="Project", since="3.0.0", job=True, event="PROJECT.ACCOUNT.REMOVE")
async def delete_account_from_project(call: Call, *, projectid: Project, account: str) -> Job:
    """Takes an account out of a project."""
    projects = call.manager.projects
    _lead(call, projectid)
    removed = _account(call, projectid, account)
    projects.check_remove(projectid, removed)

    async def work() -> None:
        projects.remove(projectid, removed)

    return Job(work, projectid)


@command("addUserToProject", group="Project", since="4.14", job=True, event="PROJECT.USER.ADD")
async def add_user_to_project(
    call: Call,
    *,
    projectid: Project,
    username: Annotated[str, Param("name of a user of the project's domain")],
    email: Email = None,
    projectroleid: RoleOf = None,
    roletype: Annotated[Part | None, Param("its part; Regular by default")] = None,
) -> Job:
    """Adds one user, without the rest of its account, to a project, or where that is required invites it."""
    user = call.manager.identity.users.named(username, projectid.domain_id)
    if user is None:
        raise InvalidParameterValue(f"The domain of project {projectid.name} has no user {username}")
    account = call.store.table(Account)[user.account_id]
    return _enter(call, projectid, account, user, projectroleid, roletype or "Regular")


@command("deleteUserFromProject", group="Project", since="4.15.0", job=True, event="PROJECT.USER.REMOVE")
async def delete_user_from_project(
    call: Call, *, projectid: Project, userid: Annotated[User, Param(access="any")]
) -> Job:
    """Takes a user out of a project in which it is by itself."""
    projects = call.manager.projects
    _lead(call, projectid)
    account = call.store.table(Account)[userid.account_id]
    projects.check_remove(projectid, account, userid)

    async def work() -> None:
        projects.remove(projectid, account, userid)

    return Job(work, projectid)


class ProjectInvitationView(View):
    """An account or user that is asked to be a member of a project."""

    entity: ClassVar = ProjectInvitation
    key: ClassVar = "projectinvitation"

    id: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    account: str | None = None
    userid: str | None = None
    state: Annotated[str | None, "Pending, Completed, Expired or Declined"] = None

    @classmethod
    def of(cls, row: ProjectInvitation, call: Call) -> Self:
        project = call.store.table(Project)[row.project_id]
        return cls(
            id=row.id,
            projectid=project.id,
            project=project.name,
            account=call.store.table(Account)[row.account_id].name,
            userid=row.user_id,
            state=call.manager.project_invitations.state_of(row),
            **domain_fields(call, project.domain_id),
        )


@command("listProjectInvitations", view=ProjectInvitationView, group="Project", since="3.0.0")
async def list_project_invitations(
    call: Call,
    *,
    page: Page,
    projectid: Annotated[Project | None, Param("only those to that project")] = None,
    activeonly: Annotated[bool, Param("only those that can be answered now")] = False,
    state: Annotated[str | None, Param("Pending, Completed, Expired or Declined")] = None,
    id: ProjectInvitation | None = None,
    userid: Annotated[User | None, Param("only those of that user by itself")] = None,
    account: Annotated[str | None, Param("only those of that account; with domainid")] = None,
    domainid: Annotated[Domain | None, Param("only those to projects of that domain", access="use")] = None,
    isrecursive: Annotated[bool, Param("with domainid: to those of its subdomains too")] = False,
    listall: Annotated[bool, Param("everything the caller may see, not only its own")] = False,
) -> Listed:
    """Lists invitations to projects: one's own, and those to projects that one leads."""
    state_of = call.manager.project_invitations.state_of
    domains = call.store.table(Domain)
    owner = None
    if account:
        owner = account_named(call.store, account, domainid or domains[call.caller.account.domain_id])
        visibility.check(call.store, call.caller, owner)
    prefix = f"{domainid.path}/" if domainid is not None else ""

    def of_domain(row: ProjectInvitation) -> bool:
        if domainid is None or owner is not None:
            return True
        path = domains[call.store.table(Project)[row.project_id].domain_id].path
        return path == domainid.path or (isrecursive and path.startswith(prefix))

    rows = [
        row
        for row in ([id] if id is not None else call.store.table(ProjectInvitation))
        if (projectid is None or row.project_id == projectid.id)
        and (not activeonly or state_of(row) == "Pending")
        and (not state or state_of(row).lower() == state.lower())
        and (userid is None or row.user_id == userid.id)
        and (owner is None or row.account_id == owner.id)
        and of_domain(row)
        and _sees(call, row, listall or projectid is not None or id is not None or owner is not None)
    ]
    return page_of(rows, page, search=("state",))


def _sees(call: Call, row: ProjectInvitation, everything: bool) -> bool:
    caller = call.caller
    if row.account_id == caller.account.id and row.user_id in (None, caller.user_id):
        return True
    if not everything:
        return False
    return visibility.may(call.store, caller, call.store.table(Project)[row.project_id], operate=True)


@command("updateProjectInvitation", group="Project", since="3.0.0", job=True, event="PROJECT.INVITATION.UPDATE")
async def update_project_invitation(
    call: Call,
    *,
    projectid: Annotated[Project, Param(access="any")],
    account: Annotated[str | None, Param("the account that was invited; by default the caller's")] = None,
    userid: Annotated[User | None, Param("the user that was invited by itself")] = None,
    token: Annotated[str | None, Param("not supported: nobody is invited by email")] = None,
    accept: Annotated[bool, Param("whether to become a member, or to decline")] = True,
) -> Job:
    """Answers an invitation to a project."""
    if token:
        raise InvalidParameterValue("Parameter token is not supported: this cloud invites nobody by email")
    if userid is not None:
        invited = call.store.table(Account)[userid.account_id]
        if userid.id != call.caller.user_id and not call.caller.is_admin:
            raise PermissionDenied("An invitation of a user is answered by that user")
    else:
        invited = _account(call, projectid, account) if account else call.caller.account
        visibility.check(call.store, call.caller, invited)
    call.manager.project_invitations.check_answer(projectid, invited, userid)

    async def work() -> None:
        call.manager.project_invitations.answer(projectid, invited, userid, accept=accept)

    return Job(work, projectid)


@command("deleteProjectInvitation", group="Project", since="3.0.0", job=True, event="PROJECT.INVITATION.REMOVE")
async def delete_project_invitation(
    call: Call, *, id: Annotated[ProjectInvitation, Param(access="any")]
) -> Job:
    """Takes an invitation back."""
    _lead(call, call.store.table(Project)[id.project_id])

    async def work() -> None:
        call.manager.project_invitations.delete(id)

    return Job(work, id)
