"""Who is in which project: accounts with all their users, and single users."""

from __future__ import annotations

from typing import Literal, TypedDict

from cloudsim.model import Account, Project, ProjectMember, User
from cloudsim.store import Store


def memberships(store: Store, account_id: str, user_id: str | None = None) -> list[ProjectMember]:
    """What the account is in projects, and what that user of it is by itself."""
    members = store.table(ProjectMember).where("account_id", account_id)
    return [member for member in members if member.user_id in (None, user_id)]


def part_in(store: Store, project_id: str, account_id: str, user_id: str | None) -> ProjectMember | None:
    """What a user of an account is in a project: its own part counts before its account's."""
    found = [m for m in memberships(store, account_id, user_id) if m.project_id == project_id]
    return max(found, key=lambda member: member.user_id is not None, default=None)


class PartFields(TypedDict):
    """The fields in which a member of a project and an invitation to be one are alike."""

    project_id: str
    account_id: str
    user_id: str | None
    user_key: str
    role: Literal["Admin", "Regular"]
    project_role_id: str | None


def part_fields(
    project: Project,
    account: Account,
    role: Literal["Admin", "Regular"],
    user: User | None = None,
    role_id: str | None = None,
) -> PartFields:
    """The part that an account, or one user of it alone, has or is to have in a project."""
    user_id = user.id if user is not None else None
    return PartFields(
        project_id=project.id,
        account_id=account.id,
        user_id=user_id,
        user_key=user_id or "",
        role=role,
        project_role_id=role_id,
    )
