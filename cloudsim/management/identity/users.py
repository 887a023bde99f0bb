"""The users of accounts: logins, their passwords and API keys."""

from __future__ import annotations

import base64
from typing import Literal

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.password_policy import check_password
from cloudsim.management.identity.passwords import Passwords
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import Account, ProjectInvitation, ProjectMember, User

State = Literal["enabled", "disabled", "locked"]


class Users:
    """Creates, changes and deletes users. A default user (system, admin) cannot be disabled or deleted."""

    def __init__(self, foundation: Foundation, passwords: Passwords) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(User)
        self._randomness = foundation.randomness.branch("users")
        self.passwords = passwords

    def named(self, username: str, domain_id: str) -> User | None:
        return self._table.find(("domain_id", "username"), (domain_id, username))

    def of(self, account_id: str) -> list[User]:
        return self._table.where("account_id", account_id)

    def check_name(self, username: str, domain_id: str, but: str | None = None) -> None:
        """Raise InvalidParameterValue unless a user of that name can be made in the domain."""
        if not username.strip():
            raise InvalidParameterValue("A user needs a name")
        found = self.named(username, domain_id)
        if found is not None and found.id != but:
            raise InvalidParameterValue(f"A user named {username} exists already in domain {domain_id}")

    def check_password(self, password: str, username: str, domain_id: str) -> None:
        """Raise InvalidParameterValue unless a user of that name in that domain may have the password."""
        check_password(self._foundation.settings, password, username, domain_id)

    def create(
        self,
        account: Account,
        username: str,
        password: str,
        *,
        first_name: str = "",
        last_name: str = "",
        email: str = "",
        timezone: str | None = None,
        id: str | None = None,
        is_default: bool = False,
    ) -> User:
        """Add a user to an account. An empty password makes a user who cannot log in."""
        self.check_name(username, account.domain_id)
        if password and not is_default:
            self.check_password(password, username, account.domain_id)
        if id is not None and id in self._table:
            raise InvalidParameterValue(f"A user with id {id} exists already")
        with self._store.transaction():
            return self._table.insert(
                User(
                    id=id or self._randomness.uuid(),
                    username=username,
                    account_id=account.id,
                    domain_id=account.domain_id,
                    password=self.passwords.hashed(password) if password else "",
                    first_name=first_name,
                    last_name=last_name,
                    email=email,
                    timezone=timezone,
                    is_default=is_default,
                    created=self._foundation.now(),
                )
            )

    def update(
        self,
        user: User,
        *,
        username: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        email: str | None = None,
        timezone: str | None = None,
        password: str | None = None,
        api_key: str | None = None,
        secret_key: str | None = None,
    ) -> User:
        """Change what is given; API key and secret key only together."""
        if (api_key is None) != (secret_key is None):
            raise InvalidParameterValue("An API key and its secret key are set together")
        if username is not None:
            self.check_name(username, user.domain_id, but=user.id)
        if api_key is not None:
            holder = self._table.find("api_key", api_key)
            if holder is not None and holder.id != user.id:
                raise InvalidParameterValue("Another user has that API key")
        if password is not None and not password:
            raise InvalidParameterValue("A password cannot be empty")
        if password is not None:
            self.check_password(password, username or user.username, user.domain_id)
        fields = {
            "username": username,
            "first_name": first_name,
            "last_name": last_name,
            "email": email,
            "timezone": timezone,
            "api_key": api_key,
            "secret_key": secret_key,
            "password": self.passwords.hashed(password) if password else None,
        }
        changed = {name: value for name, value in fields.items() if value is not None}
        if not changed:
            return user
        with self._store.transaction():
            return self._table.update(user.id, **changed)

    def set_api_key_access(self, user: User, access: bool | None) -> User:
        """Whether the user may call with API keys; None: as the account's."""
        with self._store.transaction():
            return self._table.update(user.id, api_key_access=access)

    def may_use_api_keys(self, user: User, account: Account) -> bool:
        """What the user says of it, else the account, else the domain's setting."""
        for said in (user.api_key_access, account.api_key_access):
            if said is not None:
                return said
        return self._foundation.settings.boolean("api.key.access", "Domain", user.domain_id)

    def check_change(self, user: User, verb: str) -> None:
        if user.is_default:
            raise PermissionDenied(f"User {user.username} comes with the cloud: it cannot be {verb}")

    def set_state(self, user: User, state: State) -> User:
        if state != "enabled":
            self.check_change(user, state)
        if state == "locked" and user.state == "disabled":
            raise InvalidParameterValue(
                f"User {user.username} is disabled: only an enabled user can be locked"
            )
        with self._store.transaction():
            return self._table.update(user.id, state=state)

    def move(self, user: User, account: Account) -> User:
        """Give the user to another account of its domain."""
        self.check_change(user, "moved")
        if account.id == user.account_id:
            raise InvalidParameterValue(f"User {user.username} is of account {account.name} already")
        if account.domain_id != user.domain_id:
            raise InvalidParameterValue("A user cannot be moved into an account of a different domain")
        if account.project_id is not None:
            raise InvalidParameterValue("A project's account has no users")
        with self._store.transaction():
            self._leave_projects(user)
            return self._table.update(user.id, account_id=account.id)

    def delete(self, user: User) -> None:
        self.check_change(user, "deleted")
        self.remove(user)

    def remove(self, user: User) -> None:
        """Delete the user, whoever it is: it goes with its account."""
        with self._store.transaction():
            remove_leftovers(self._foundation, user.id)
            self._leave_projects(user)
            self._table.delete(user.id)

    def _leave_projects(self, user: User) -> None:
        """End what the user is by itself, and was invited to be, in projects."""
        members, invitations = self._foundation.table(ProjectMember), self._foundation.table(ProjectInvitation)
        for member in members.where("account_id", user.account_id):
            if member.user_id == user.id:
                members.delete(member.id)
        for invitation in invitations.where("account_id", user.account_id):
            if invitation.user_id == user.id:
                invitations.delete(invitation.id)

    def register_keys(self, user: User) -> User:
        """Give the user a new API key and secret key; the old ones hold no longer."""
        with self._store.transaction():
            return self._table.update(user.id, api_key=self._key(), secret_key=self._key())

    def _key(self) -> str:
        return base64.urlsafe_b64encode(self._randomness.secret(64)).decode().rstrip("=")
