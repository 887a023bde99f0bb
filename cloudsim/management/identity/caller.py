"""Who is calling, and what they may see and touch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cloudsim.errors import PermissionDenied
from cloudsim.management.identity.membership import memberships
from cloudsim.model import Account, Domain, User
from cloudsim.model.identity import DOMAIN_ADMIN, RESOURCE_DOMAIN_ADMIN, ROOT_ADMIN
from cloudsim.store import Store


@dataclass(frozen=True, slots=True)
class Caller:
    """The account, and where there is one the user, for whom a call is made."""

    account: Account
    user: User | None = None
    trace_id: str = ""

    @property
    def is_root_admin(self) -> bool:
        return self.account.type == ROOT_ADMIN

    @property
    def is_domain_admin(self) -> bool:
        return self.account.type in (DOMAIN_ADMIN, RESOURCE_DOMAIN_ADMIN)

    @property
    def is_admin(self) -> bool:
        return self.is_root_admin or self.is_domain_admin

    @property
    def user_id(self) -> str | None:
        return None if self.user is None else self.user.id


def in_subtree(store: Store, domain_id: str, root_id: str) -> bool:
    """Whether domain `domain_id` is `root_id` or below it."""
    domains = store.table(Domain)
    step = domains.get(domain_id)
    while step is not None:
        if step.id == root_id:
            return True
        step = domains.get(step.parent_id)
    return False


def outermost(store: Store, domain_ids: Iterable[str]) -> tuple[str, ...]:
    """Of these domains each one that is not below another of them, once: a domain stands for those below it, too."""
    ids = tuple(dict.fromkeys(domain_ids))
    return tuple(
        each for each in ids if not any(other != each and in_subtree(store, each, other) for other in ids)
    )


def may_use(store: Store, caller: Caller, account_id: str, domain_id: str) -> bool:
    """Whether the caller may see and change what that account of that domain owns.

    Root admin: everything; domain admin: the subtree of its domain; a user: its own account's and
    its projects'.
    """
    account = caller.account
    if account.type == ROOT_ADMIN or account.id == account_id:
        return True
    if caller.is_domain_admin and in_subtree(store, domain_id, account.domain_id):
        return True
    owner = store.table(Account).get(account_id)
    if owner is not None and owner.project_id is not None:
        return any(m.project_id == owner.project_id for m in memberships(store, account.id, caller.user_id))
    return False


def check_access(store: Store, caller: Caller, row: Any) -> None:
    """Raise PermissionDenied unless the caller may use the row (one with account_id and domain_id)."""
    if not may_use(store, caller, row.account_id, row.domain_id):
        raise PermissionDenied(
            f"{caller.account.name} does not have permission to operate with resource {row.id}"
        )
