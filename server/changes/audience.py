"""Who sees which changes: the kinds of things that a role may list, of the accounts that the caller may look into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller, may_use
from cloudsim.management.identity.membership import memberships
from cloudsim.model import Account, Project
from cloudsim.store import Store
from server.changes.kinds import kinds
from server.changes.round import ChangeView, Item, Round


def listable(manager: Any, account: Account) -> frozenset[str]:
    """The keys of what the account's role may list."""
    allows = manager.roles.allows
    return frozenset(
        kind.key for kind in kinds().values() if any(allows(account, c.name, c.roles) for c in kind.commands)
    )


@dataclass(frozen=True)
class Audience:
    """A caller, and of which kinds of things it wants and may know. Two that are equal are told the same."""

    account_id: str
    keys: frozenset[str]
    everything: bool
    """A root admin: every row of these kinds."""
    accounts: frozenset[str]
    """Those whose rows a caller sees who is no admin: its own and its projects'."""

    @classmethod
    def of(
        cls, manager: Any, account: Account, wanted: frozenset[str] | None, user_id: str | None = None
    ) -> Audience:
        keys = listable(manager, account)
        store = manager.foundation.store
        return cls(
            account_id=account.id,
            keys=keys if wanted is None else keys & wanted,
            everything=Caller(account).is_root_admin,
            accounts=frozenset({account.id, *_of_projects(store, account, user_id)}),
        )

    def of_round(self, store: Store, round: Round) -> list[ChangeView]:
        """What this audience is told of a round."""
        keys = self.keys
        if self.everything:
            return [item.told for item in round.items if item.key in keys]
        account = store.table(Account).get(self.account_id)
        if account is None:
            return []
        caller = Caller(account)
        found = [item.told for item in self._owned(store, caller, round) if item.key in keys]
        for key, items in round.others.items():
            if key in keys:
                found += [seen for item in items if (seen := _seen(store, caller, item)) is not None]
        return found

    def _owned(self, store: Store, caller: Caller, round: Round) -> Iterator[Item]:
        by_owner = round.by_owner
        if not caller.is_admin:
            for account_id in self.accounts:
                if account_id in by_owner:
                    yield from by_owner[account_id][1]
            return
        for account_id, (domain_id, items) in by_owner.items():
            if account_id in self.accounts or may_use(store, caller, account_id, domain_id):
                yield from items


def _seen(store: Store, caller: Caller, item: Item) -> ChangeView | None:
    """What a caller is told of a thing that not only its owner sees, or whose owner changed."""
    before = item.before is not None and visibility.may(store, caller, item.before, operate=False)
    after = item.after is not None and visibility.may(store, caller, item.after, operate=False)
    if before and after:
        return item.told if item.told.change == "updated" else item.worded("updated")
    if after:
        return item.worded("created")
    return item.worded("removed") if before else None


def _of_projects(store: Store, account: Account, user_id: str | None) -> Iterator[str]:
    projects = store.table(Project)
    for member in memberships(store, account.id, user_id):
        project = projects.get(member.project_id)
        if project is not None:
            yield project.account_id
