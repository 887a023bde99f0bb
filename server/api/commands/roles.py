"""Roles and the rules in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import Role
from server.api.command import ADMINS, ROOT, Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param, one_of
from server.api.role_rules import changing, check_rule, rule_id, rules_in_full
from server.api.views import View

RoleType = Literal["Admin", "ResourceAdmin", "DomainAdmin", "User"]
Rule = Annotated[str, Param(type="uuid")]


class RoleView(View):
    """A role."""

    entity: ClassVar = Role
    key: ClassVar = "role"

    id: str | None = None
    name: str | None = None
    type: Annotated[str | None, "Admin, ResourceAdmin, DomainAdmin or User"] = None
    description: str | None = None
    isdefault: Annotated[bool | None, "whether it came with the cloud"] = None
    ispublic: Annotated[bool | None, "whether domain admins see it"] = None
    state: str | None = None

    @classmethod
    def of(cls, row: Role, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            type=row.type,
            description=row.description or None,
            isdefault=row.is_default,
            ispublic=row.is_public,
            state="enabled" if row.is_enabled else "disabled",
        )


class RolePermissionView(View):
    """One rule of a role."""

    key: ClassVar = "rolepermission"

    id: str | None = None
    roleid: str | None = None
    rolename: str | None = None
    rule: Annotated[str | None, "a command's name, or a pattern with *"] = None
    permission: Annotated[str | None, "allow or deny"] = None
    description: str | None = None


def _shown(role: Role, rule: str, permission: str) -> RolePermissionView:
    return RolePermissionView(
        id=rule_id(role, rule),
        roleid=role.id,
        rolename=role.name,
        rule=rule,
        permission=permission,
        description=role.notes.get(rule.lower()),
    )


@command("listRoles", view=RoleView, roles=ADMINS, group="Role", since="4.9.0")
async def list_roles(
    call: Call,
    *,
    page: Page,
    id: Role | None = None,
    name: str | None = None,
    type: Annotated[RoleType | None, Param("only roles of that type")] = None,
    state: Annotated[str | None, one_of("enabled", "disabled")] = None,
) -> Listed:
    """Lists roles."""
    rows = [
        role
        for role in call.store.table(Role)
        if (id is None or role.id == id.id)
        and (not name or role.name.lower() == name.lower())
        and (type is None or role.type == type)
        and (state is None or (state.lower() == "enabled") == role.is_enabled)
        and (call.caller.is_root_admin or (role.type != "Admin" and role.is_public))
    ]
    return page_of(rows, page)


@command("createRole", view=RoleView, roles=ROOT, group="Role", since="4.9.0", event="ROLE.CREATE")
async def create_role(
    call: Call,
    *,
    name: str,
    type: Annotated[RoleType | None, Param("its type; or give roleid")] = None,
    roleid: Annotated[Role | None, Param("a role to take type and rules from")] = None,
    description: str | None = None,
    ispublic: bool = True,
) -> Role:
    """Creates a role."""
    created: Role = call.manager.roles.create(
        name,
        type=type,
        like=roleid,
        description=description or "",
        public=ispublic,
        rules=() if roleid is None else rules_in_full(roleid),
    )
    return created


@command("updateRole", view=RoleView, roles=ROOT, group="Role", since="4.9.0", event="ROLE.UPDATE")
async def update_role(
    call: Call,
    *,
    id: Role,
    name: str | None = None,
    type: RoleType | None = None,
    description: str | None = None,
    ispublic: bool | None = None,
) -> Role:
    """Changes a role."""
    updated: Role = call.manager.roles.update(id, name=name, type=type, description=description, public=ispublic)
    return updated


@command("enableRole", roles=ROOT, group="Role", since="4.20.0", event="ROLE.ENABLE")
async def enable_role(call: Call, *, id: Role) -> None:
    """Enables a disabled role."""
    call.manager.roles.enable(id, True)


@command("disableRole", roles=ROOT, group="Role", since="4.20.0", event="ROLE.DISABLE")
async def disable_role(call: Call, *, id: Role) -> None:
    """Disables a role: accounts that have it can call nothing, and no account gets it."""
    call.manager.roles.enable(id, False)


@command("importRole", view=RoleView, roles=ROOT, group="Role", since="4.15.0", event="ROLE.IMPORT")
async def import_role(
    call: Call,
    *,
    name: str,
    rules: Annotated[Sequence[Mapping[str, str]], Param("rule, permission, and if wanted description, for each rule")],
    type: Annotated[RoleType, Param("its type")] = "User",
    description: str | None = None,
    ispublic: bool | None = None,
    forced: Annotated[bool, Param("whether to replace the role of that name")] = False,
) -> Role:
    """Creates a role with its rules, in the order given."""
    read, notes = [], {}
    for entry in rules:
        rule, permission = entry.get("rule", ""), entry.get("permission", "").lower()
        check_rule(rule)
        if permission not in ("allow", "deny"):
            raise InvalidParameterValue(f"Parameter rules: the permission of {rule} is neither allow nor deny")
        read.append((rule, permission))
        if entry.get("description"):
            notes[rule.lower()] = entry["description"]
    imported: Role = call.manager.roles.imported(
        name, read, type=type, description=description, public=ispublic, forced=forced, notes=notes
    )
    return imported


@command("deleteRole", roles=ROOT, group="Role", since="4.9.0", event="ROLE.DELETE")
async def delete_role(call: Call, *, id: Role) -> None:
    """Deletes a role that no account has."""
    call.manager.roles.delete(id)


@command("listRolePermissions", view=RolePermissionView, roles=ADMINS, group="Role", since="4.9.0")
async def list_role_permissions(call: Call, *, roleid: Role | None = None) -> list[RolePermissionView]:
    """Lists the rules of a role, in the order in which they are tried."""
    roles = [roleid] if roleid is not None else list(call.store.table(Role))
    seen = [r for r in roles if call.caller.is_root_admin or (r.type != "Admin" and r.is_public)]
    return [_shown(role, rule, permission) for role in seen for rule, permission in rules_in_full(role)]


@command(
    "createRolePermission",
    view=RolePermissionView,
    roles=ROOT,
    group="Role",
    since="4.9.0",
    event="ROLE.PERMISSION.CREATE",
)
async def create_role_permission(
    call: Call,
    *,
    roleid: Annotated[Role, Param(access="operate")],
    rule: Annotated[str, Param("a command's name, or a pattern with *")],
    permission: Literal["allow", "deny"],
    description: Annotated[str | None, Param("what is said of the rule")] = None,
) -> RolePermissionView:
    """Adds a rule at the end of a role's rules."""
    check_rule(rule)
    role = call.manager.roles.change_rules(roleid, lambda rules: (*rules, (rule, permission)), description)
    return _shown(role, rule, permission)


@command(
    "updateRolePermission", roles=ROOT, group="Role", since="4.9.0", event="ROLE.PERMISSION.UPDATE"
)
async def update_role_permission(
    call: Call,
    *,
    roleid: Annotated[Role, Param(access="operate")],
    ruleorder: Annotated[Sequence[Rule] | None, Param("ids of all rules in their new order")] = None,
    ruleid: Annotated[Rule | None, Param("the rule to change; with permission")] = None,
    permission: Literal["allow", "deny"] | None = None,
) -> None:
    """Changes what a role's rule permits, or the order of all its rules."""
    if (ruleorder is None) == (ruleid is None or permission is None):
        raise InvalidParameterValue("Give either ruleorder, or ruleid and permission")

    call.manager.roles.change_rules(roleid, changing(roleid, ruleorder, ruleid, permission))


@command("deleteRolePermission", roles=ROOT, group="Role", since="4.9.0", event="ROLE.PERMISSION.DELETE")
async def delete_role_permission(
    call: Call, *, id: Annotated[str, Param("the rule's id", type="uuid")]
) -> None:
    """Removes a rule from its role."""
    for role in call.store.table(Role):
        for position, (rule, _) in enumerate(role.rules):
            if rule_id(role, rule) == id:
                rest = (*role.rules[:position], *role.rules[position + 1 :])
                call.manager.roles.change_rules(role, lambda _, rest=rest: rest)
                return
    raise InvalidParameterValue(f"There is no rule with id {id}")
