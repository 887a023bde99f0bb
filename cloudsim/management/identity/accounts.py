"""Accounts: who owns resources."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Literal

from cloudsim.errors import CloudError, InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.domains import check_network_domain
from cloudsim.management.identity.roles import Roles
from cloudsim.management.identity.users import Users
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import (
    Account,
    Domain,
    Project,
    ProjectInvitation,
    ProjectMember,
    ResourceLimit,
    ResourceTag,
    Role,
)
from cloudsim.model.identity import PROJECT_ACCOUNT, RESOURCE_DOMAIN_ADMIN, ROOT_ADMIN

log = logging.getLogger(__name__)

State = Literal["enabled", "disabled", "locked"]
Hook = Callable[[Account], Awaitable[None]]


class Accounts:
    """Creates, changes and deletes accounts.

    `on_delete` are called in order with an account that is to go: each service deletes what that account
    owns, or raises, and then the account stays, disabled. `on_disable` stop what a disabled account runs.
    """

    def __init__(self, foundation: Foundation, roles: Roles, users: Users) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(Account)
        self._randomness = foundation.randomness.branch("accounts")
        self._roles = roles
        self._users = users
        self.on_delete: list[Hook] = []
        self.on_disable: list[Hook] = []

    def named(self, name: str, domain_id: str) -> Account | None:
        return self._table.find(("domain_id", "name"), (domain_id, name))

    def create(
        self,
        caller: Caller | None,
        *,
        name: str | None,
        username: str,
        password: str,
        domain: Domain,
        type: int | None = None,
        role: Role | None = None,
        first_name: str = "",
        last_name: str = "",
        email: str = "",
        timezone: str | None = None,
        network_domain: str | None = None,
        details: Mapping[str, str] | None = None,
        account_id: str | None = None,
        user_id: str | None = None,
        is_default: bool = False,
    ) -> Account:
        """Add an account with its first user. Its name is the user's unless `name` is given.

        `type` is CloudStack's number; with `role` the role decides. `caller` None is the server itself.
        """
        name = name or username
        role = self._roles.of(type, role)
        type = self._roles.account_type(role)
        if type == ROOT_ADMIN and domain.parent_id is not None:
            type = RESOURCE_DOMAIN_ADMIN
        if caller is not None:
            self._roles.check_grant(caller, role)
        if domain.state != "Active":
            raise InvalidParameterValue(f"Domain {domain.path} is being deleted")
        self._check_name(name, domain.id)
        self._users.check_name(username, domain.id)
        if password and not is_default:
            self._users.check_password(password, username, domain.id)
        check_network_domain(network_domain)
        if account_id is not None and account_id in self._table:
            raise InvalidParameterValue(f"An account with id {account_id} exists already")
        with self._store.transaction():
            account = self._table.insert(
                Account(
                    id=account_id or self._randomness.uuid(),
                    name=name,
                    type=type,
                    domain_id=domain.id,
                    role_id=role.id,
                    network_domain=network_domain or None,
                    is_default=is_default,
                    created=self._foundation.now(),
                    details=dict(details or {}),
                )
            )
            self._users.create(
                account,
                username,
                password,
                first_name=first_name,
                last_name=last_name,
                email=email,
                timezone=timezone,
                id=user_id,
                is_default=is_default,
            )
        return account

    def create_for_project(self, project_id: str, name: str, domain_id: str) -> Account:
        """Add the account that is to own a project's resources."""
        with self._store.transaction():
            return self._table.insert(
                Account(
                    id=self._randomness.uuid(),
                    name=name,
                    type=PROJECT_ACCOUNT,
                    domain_id=domain_id,
                    project_id=project_id,
                    created=self._foundation.now(),
                )
            )

    def _check_name(self, name: str, domain_id: str, but: str | None = None) -> None:
        if not name.strip():
            raise InvalidParameterValue("An account needs a name")
        found = self.named(name, domain_id)
        if found is not None and found.id != but:
            raise InvalidParameterValue(f"An account named {name} exists already in domain {domain_id}")

    def update(
        self,
        caller: Caller,
        account: Account,
        *,
        name: str | None = None,
        role: Role | None = None,
        network_domain: str | None = None,
        details: Mapping[str, str] | None = None,
    ) -> Account:
        """Change what is given; a new role may change the account's type."""
        fields: dict[str, object] = {}
        if name is not None and name != account.name:
            if account.is_default:
                raise PermissionDenied(f"Account {account.name} comes with the cloud: it keeps its name")
            self._check_name(name, account.domain_id, but=account.id)
            fields["name"] = name
        if network_domain is not None:
            check_network_domain(network_domain)
            fields["network_domain"] = network_domain or None
        if role is not None and role.id != account.role_id:
            if account.is_default:
                raise PermissionDenied(f"Account {account.name} comes with the cloud: it keeps its role")
            self._roles.check_grant(caller, role)
            type = self._roles.account_type(role)
            is_sub = self._foundation.table(Domain)[account.domain_id].parent_id is not None
            fields |= {
                "role_id": role.id,
                "type": RESOURCE_DOMAIN_ADMIN if type == ROOT_ADMIN and is_sub else type,
            }
        if details is not None:
            fields["details"] = dict(details)
        if not fields:
            return account
        with self._store.transaction():
            return self._table.update(account.id, **fields)

    def set_api_key_access(self, account: Account, access: bool | None) -> Account:
        """Whether the account's users may call with API keys; None: as in its domain."""
        with self._store.transaction():
            return self._table.update(account.id, api_key_access=access)

    def check_change(self, caller: Caller | None, account: Account, verb: str) -> None:
        """Raise PermissionDenied for an account that may not be disabled, locked or deleted by the caller."""
        if account.is_default:
            raise PermissionDenied(f"Account {account.name} comes with the cloud: it cannot be {verb}")
        if account.type == PROJECT_ACCOUNT:
            raise PermissionDenied(f"Account {account.name} belongs to a project: it goes with the project")
        if caller is not None and caller.account.id == account.id:
            raise PermissionDenied(f"Account {account.name} cannot be {verb} by itself")

    def set_state(self, account: Account, state: State) -> Account:
        """Change the state; an account that is enabled again is no longer one to be deleted."""
        with self._store.transaction():
            deleting = account.deleting and state != "enabled"
            return self._table.update(account.id, state=state, deleting=deleting)

    async def disable(self, account_id: str) -> Account:
        """Let the account do nothing more and stop what it runs."""
        account = self.set_state(self._table[account_id], "disabled")
        for hook in self.on_disable:
            await hook(account)
        return self._table[account_id]

    def check_delete(self, caller: Caller | None, account: Account) -> None:
        """Raise unless the account can be deleted now: one that alone leads a project cannot."""
        self.check_change(caller, account, "deleted")
        members = self._foundation.table(ProjectMember)
        projects = self._foundation.table(Project)
        for own in members.where("account_id", account.id):
            if own.role != "Admin" or own.project_id not in projects:
                continue
            admins = [m for m in members.where("project_id", own.project_id) if m.role == "Admin"]
            if all(m.account_id == account.id for m in admins):
                project = projects[own.project_id]
                raise InvalidParameterValue(
                    f"Account {account.name} leads project {project.name}: give that another owner or delete it first"
                )

    async def clean_up(self, jobs: Jobs) -> int:
        """Delete what is left of accounts whose deletion did not come to its end; returns how many are gone."""
        gone = 0
        for account_id in [each.id for each in self._table if each.deleting and each.project_id is None]:
            account = self._table.get(account_id)  # while others were deleted it may have been enabled
            if account is None or not account.deleting or jobs.busy(account_id):
                continue
            try:
                await jobs.hold(account_id, partial(self.delete, account_id))
                gone += 1
            except CloudError as error:
                log.warning("account %s is not deleted yet: %s", account.name, error.text)
        return gone

    async def delete(self, account_id: str) -> None:
        """Delete the account and all it owns. Does nothing if it is gone already.

        Where something stands in the way it stays, disabled and to be deleted: `clean_up` tries again.
        """
        account = self._table.get(account_id)
        if account is None:
            return
        with self._store.transaction():
            account = self._table.update(account_id, state="disabled", deleting=True)
        for hook in self.on_delete:
            await hook(account)
        limits, members = self._foundation.table(ResourceLimit), self._foundation.table(ProjectMember)
        with self._store.transaction():
            for limit in limits.where("owner_id", account_id):
                limits.delete(limit.id)
            for member in members.where("account_id", account_id):
                members.delete(member.id)
            invitations = self._foundation.table(ProjectInvitation)
            for invitation in invitations.where("account_id", account_id):
                invitations.delete(invitation.id)
            for user in self._users.of(account_id):
                self._users.remove(user)
            tags = self._foundation.table(ResourceTag)
            for tag in [each for each in tags if each.account_id == account_id]:
                tags.delete(tag.id)  # such as those that it hung on what is nobody's
            remove_leftovers(self._foundation, account_id)
            self._table.delete(account_id)
