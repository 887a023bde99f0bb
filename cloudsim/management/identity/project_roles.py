"""Roles within projects: what a member may call for the project, where its part there has a role."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

from cloudsim.errors import InvalidParameterValue, PermissionDenied, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.membership import part_in
from cloudsim.management.identity.roles import notes_of
from cloudsim.model import Project, ProjectMember, ProjectRole

Rules = tuple[tuple[str, str], ...]


class ProjectRoles:
    """Keeps the roles of projects, and says what they allow."""

    def __init__(self, foundation: Foundation) -> None:
        self._store = foundation.store
        self._table = foundation.table(ProjectRole)
        self._members = foundation.table(ProjectMember)
        self._randomness = foundation.randomness.branch("project roles")

    def check_call(self, caller: Caller, project: Project, command: str) -> None:
        """Raise PermissionDenied where the caller's role in the project denies the command.

        Leaders of the project and admins may do everything there, as those who have no role; the first rule that
        matches decides, and what none of them matches is allowed.
        """
        if caller.is_admin:
            return
        part = part_in(self._store, project.id, caller.account.id, caller.user_id)
        role = self._table.get(part.project_role_id) if part is not None and part.role != "Admin" else None
        if role is None:
            return
        for pattern, permission in role.rules:
            if fnmatchcase(command.lower(), pattern.lower()):
                if permission == "deny":
                    raise PermissionDenied(
                        f"The given command '{command}' either does not exist or is not available for the user/account "
                        f"{caller.account.name} in project {project.name}"
                    )
                return

    def create(self, project: Project, name: str, description: str = "") -> ProjectRole:
        """A role without rules, which allows everything."""
        self._check_name(project.id, name)
        with self._store.transaction():
            return self._table.insert(
                ProjectRole(id=self._randomness.uuid(), project_id=project.id, name=name, description=description)
            )

    def update(self, role: ProjectRole, *, name: str | None = None, description: str | None = None) -> ProjectRole:
        if name is not None and name != role.name:
            self._check_name(role.project_id, name)
        fields = {"name": name, "description": description}
        changed = {field: value for field, value in fields.items() if value is not None}
        with self._store.transaction():
            return self._table.update(role.id, **changed) if changed else role

    def delete(self, role: ProjectRole) -> None:
        """Delete a role that no member has."""
        held = sum(m.project_role_id == role.id for m in self._members.where("project_id", role.project_id))
        if held:
            raise ResourceInUse(f"Project role {role.name} is held by {held} members of the project")
        with self._store.transaction():
            self._table.delete(role.id)

    def change_rules(
        self, role: ProjectRole, change: Callable[[Rules], Rules], note: str | None = None
    ) -> ProjectRole:
        """Replace a role's rules by what `change` makes of them; `note` is said of the last."""
        rules = change(role.rules)
        patterns = [pattern.lower() for pattern, _ in rules]
        if len(patterns) != len(set(patterns)):
            raise InvalidParameterValue(f"Project role {role.name} has a rule for that already")
        with self._store.transaction():
            return self._table.update(role.id, rules=rules, notes=notes_of(role.notes, rules, note))

    def _check_name(self, project_id: str, name: str) -> None:
        if not name.strip():
            raise InvalidParameterValue("A project role needs a name")
        if self._table.find(("project_id", "name"), (project_id, name)) is not None:
            raise InvalidParameterValue(f"A project role named {name} exists already in the project")
