"""Who is in which project: accounts with all their users, and single users."""

from __future__ import annotations

from cloudsim.model import ProjectMember
from cloudsim.store import Store


def memberships(store: Store, account_id: str, user_id: str | None = None) -> list[ProjectMember]:
    """What the account is in projects, and what that user of it is by itself."""
    members = store.table(ProjectMember).where("account_id", account_id)
    return [member for member in members if member.user_id in (None, user_id)]


def part_in(store: Store, project_id: str, account_id: str, user_id: str | None) -> ProjectMember | None:
    """What a user of an account is in a project: its own part counts before its account's."""
    found = [m for m in memberships(store, account_id, user_id) if m.project_id == project_id]
    return max(found, key=lambda member: member.user_id is not None, default=None)
