"""Invitations to projects: where the setting project.invite.required says so, members are asked first."""

from __future__ import annotations

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.membership import part_fields
from cloudsim.management.identity.projects import Part, Projects
from cloudsim.model import Account, Project, ProjectInvitation, User

_KEY = ("project_id", "account_id", "user_key")


class ProjectInvitations:
    """Invites, and takes the answers. An invitation holds project.invite.timeout milliseconds."""

    def __init__(self, foundation: Foundation, projects: Projects) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._projects = projects
        self._table = foundation.table(ProjectInvitation)
        self._randomness = foundation.randomness.branch("project invitations")

    @property
    def required(self) -> bool:
        """Whether one becomes a member by invitation only."""
        return self._foundation.settings.boolean("project.invite.required")

    def find(self, project: Project, account: Account, user: User | None = None) -> ProjectInvitation | None:
        """What the account, or one user of it, was asked."""
        return self._table.find(_KEY, (project.id, account.id, user.id if user is not None else ""))

    def state_of(self, row: ProjectInvitation) -> str:
        """Pending, Completed, Declined, or Expired: a pending one that is too old."""
        holds = self._foundation.settings.integer("project.invite.timeout") / 1000
        too_old = row.state == "Pending" and self._foundation.now() > row.created + holds
        return "Expired" if too_old else row.state

    def check_invite(self, project: Project, account: Account, user: User | None = None) -> None:
        """Raise unless it is no member, and has not been asked already."""
        self._projects.check_add(project, account)
        who = f"user {user.username}" if user is not None else f"account {account.name}"
        if self._projects.member(project, account.id, user.id if user is not None else None) is not None:
            raise InvalidParameterValue(f"Cannot invite {who}: it is a member of project {project.name} already")
        found = self.find(project, account, user)
        if found is not None and self.state_of(found) == "Pending":
            raise InvalidParameterValue(f"There is already a pending invitation for {who} to project {project.name}")

    def invite(
        self,
        project: Project,
        account: Account,
        part: Part,
        *,
        user: User | None = None,
        role_id: str | None = None,
    ) -> ProjectInvitation:
        """Ask an account, or one user of it; an earlier invitation that came to nothing is replaced."""
        self.check_invite(project, account, user)
        found = self.find(project, account, user)
        with self._store.transaction():
            if found is not None:
                self._table.delete(found.id)
            return self._table.insert(
                ProjectInvitation(
                    id=self._randomness.uuid(),
                    created=self._foundation.now(),
                    **part_fields(project, account, part, user, role_id),
                )
            )

    def check_answer(self, project: Project, account: Account, user: User | None = None) -> ProjectInvitation:
        """The invitation that can be answered. Raises InvalidParameterValue."""
        row = self.find(project, account, user)
        state = self.state_of(row) if row is not None else None
        if row is None or state != "Pending":
            who = f"user {user.username}" if user is not None else f"account {account.name}"
            why = f": it is {state}" if state else ""
            raise InvalidParameterValue(f"There is no pending invitation for {who} to project {project.name}{why}")
        return row

    def answer(self, project: Project, account: Account, user: User | None, *, accept: bool) -> None:
        """Become a member, or decline."""
        row = self.check_answer(project, account, user)
        with self._store.transaction():
            if accept:
                self._projects.add(project, account, row.role, user=user, role_id=row.project_role_id)
            self._table.update(row.id, state="Completed" if accept else "Declined")

    def delete(self, row: ProjectInvitation) -> None:
        with self._store.transaction():
            self._table.delete(row.id)
