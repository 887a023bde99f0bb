"""Roles within projects, and the rules in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import Project, ProjectRole
from server.api.command import Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.role_rules import changing, check_rule, rule_id
from server.api.views import View

GROUP, SINCE = "Project", "4.15.0"
Rule = Annotated[str, Param(type="uuid")]


class ProjectRoleView(View):
    """A role within a project."""

    entity: ClassVar = ProjectRole
    key: ClassVar = "projectrole"

    id: str | None = None
    projectid: str | None = None
    name: str | None = None
    description: str | None = None

    @classmethod
    def of(cls, row: ProjectRole, call: Call) -> Self:
        return cls(id=row.id, projectid=row.project_id, name=row.name, description=row.description)


class ProjectRolePermissionView(View):
    """One rule of a role within a project."""

    key: ClassVar = "projectrolepermission"

    id: str | None = None
    projectid: str | None = None
    projectroleid: str | None = None
    projectrolename: str | None = None
    rule: Annotated[str | None, "a command's name, or a pattern with *"] = None
    permission: Annotated[str | None, "allow or deny"] = None
    description: str | None = None


def _shown(role: ProjectRole, rule: str, permission: str) -> ProjectRolePermissionView:
    return ProjectRolePermissionView(
        id=rule_id(role, rule),
        projectid=role.project_id,
        projectroleid=role.id,
        projectrolename=role.name,
        rule=rule,
        permission=permission,
        description=role.notes.get(rule.lower()),
    )


def _check(call: Call, project: Project, role: ProjectRole) -> None:
    call.manager.projects.check_lead(call.caller, project)
    if role.project_id != project.id:
        raise InvalidParameterValue(f"Project {project.name} has no role with id {role.id}")


OfProject = Annotated[Project, Param("the project", access="use")]
TheRole = Annotated[ProjectRole, Param("the role", access="any")]


@command("createProjectRole", view=ProjectRoleView, group=GROUP, since=SINCE, event="PROJECT.ROLE.CREATE")
async def create_project_role(
    call: Call, *, name: str, projectid: OfProject, description: str | None = None
) -> ProjectRole:
    """Creates a role within a project; it allows everything until it has rules."""
    call.manager.projects.check_lead(call.caller, projectid)
    created: ProjectRole = call.manager.project_roles.create(projectid, name, description or "")
    return created


@command("updateProjectRole", view=ProjectRoleView, group=GROUP, since=SINCE, event="PROJECT.ROLE.UPDATE")
async def update_project_role(
    call: Call, *, id: TheRole, projectid: OfProject, name: str | None = None, description: str | None = None
) -> ProjectRole:
    """Changes a role within a project."""
    _check(call, projectid, id)
    updated: ProjectRole = call.manager.project_roles.update(id, name=name, description=description)
    return updated


@command("deleteProjectRole", group=GROUP, since=SINCE, event="PROJECT.ROLE.DELETE")
async def delete_project_role(call: Call, *, id: TheRole, projectid: OfProject) -> None:
    """Deletes a role within a project that no member has."""
    _check(call, projectid, id)
    call.manager.project_roles.delete(id)


@command("listProjectRoles", view=ProjectRoleView, group=GROUP, since=SINCE)
async def list_project_roles(
    call: Call,
    *,
    page: Page,
    projectid: OfProject,
    projectroleid: ProjectRole | None = None,
    name: str | None = None,
) -> Listed:
    """Lists the roles within a project."""
    rows = [
        role
        for role in call.store.table(ProjectRole).where("project_id", projectid.id)
        if (projectroleid is None or role.id == projectroleid.id) and (not name or role.name.lower() == name.lower())
    ]
    return page_of(rows, page)


@command(
    "createProjectRolePermission",
    view=ProjectRolePermissionView,
    group=GROUP,
    since=SINCE,
    event="PROJECT.ROLE.PERMISSION.CREATE",
)
async def create_project_role_permission(
    call: Call,
    *,
    projectroleid: TheRole,
    projectid: OfProject,
    rule: Annotated[str, Param("a command's name, or a pattern with *")],
    permission: Literal["allow", "deny"],
    description: Annotated[str | None, Param("what is said of the rule")] = None,
) -> ProjectRolePermissionView:
    """Adds a rule at the end of the rules of a role within a project."""
    _check(call, projectid, projectroleid)
    check_rule(rule)
    role = call.manager.project_roles.change_rules(
        projectroleid, lambda rules: (*rules, (rule, permission)), description
    )
    return _shown(role, rule, permission)


@command("updateProjectRolePermission", group=GROUP, since=SINCE, event="PROJECT.ROLE.PERMISSION.UPDATE")
async def update_project_role_permission(
    call: Call,
    *,
    projectroleid: TheRole,
    projectid: OfProject,
    ruleorder: Annotated[Sequence[Rule] | None, Param("ids of all rules in their new order")] = None,
    projectrolepermissionid: Annotated[Rule | None, Param("the rule to change; with permission")] = None,
    permission: Literal["allow", "deny"] | None = None,
) -> None:
    """Changes what a rule permits, or the order of all rules of a role within a project."""
    _check(call, projectid, projectroleid)
    role = projectroleid
    if (ruleorder is None) == (projectrolepermissionid is None or permission is None):
        raise InvalidParameterValue("Give either ruleorder, or projectrolepermissionid and permission")

    call.manager.project_roles.change_rules(role, changing(role, ruleorder, projectrolepermissionid, permission, "Project role"))


@command("deleteProjectRolePermission", group=GROUP, since=SINCE, event="PROJECT.ROLE.PERMISSION.DELETE")
async def delete_project_role_permission(
    call: Call, *, projectid: OfProject, id: Annotated[str, Param("the rule's id", type="uuid")]
) -> None:
    """Removes a rule from its role."""
    call.manager.projects.check_lead(call.caller, projectid)
    for role in call.store.table(ProjectRole).where("project_id", projectid.id):
        kept = tuple(rule for rule in role.rules if rule_id(role, rule[0]) != id)
        if len(kept) < len(role.rules):
            call.manager.project_roles.change_rules(role, lambda _, kept=kept: kept)
            return
    raise InvalidParameterValue(f"Project {projectid.name} has no rule with id {id}")


@command(
    "listProjectRolePermissions", view=ProjectRolePermissionView, group=GROUP, since=SINCE
)
async def list_project_role_permissions(
    call: Call, *, projectid: OfProject, projectroleid: ProjectRole | None = None
) -> list[ProjectRolePermissionView]:
    """Lists the rules of the roles within a project, in the order in which they are tried."""
    roles = call.store.table(ProjectRole).where("project_id", projectid.id)
    return [
        _shown(role, rule, permission)
        for role in roles
        if projectroleid is None or role.id == projectroleid.id
        for rule, permission in role.rules
    ]
