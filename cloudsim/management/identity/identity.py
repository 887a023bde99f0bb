"""Identity: domains, roles, accounts and users together; who is there first, and who logs in."""

from __future__ import annotations

from cloudsim.errors import CloudError, InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.accounts import Accounts
from cloudsim.management.identity.domains import Domains
from cloudsim.management.identity.passwords import Passwords
from cloudsim.management.identity.roles import Roles
from cloudsim.management.identity.two_factor import TwoFactor
from cloudsim.management.identity.users import Users
from cloudsim.model import Account, Domain, User

SYSTEM, ADMIN = "system", "admin"


class Identity:
    """The services of identity, wired to each other. `password_cost` is log2 of scrypt's cost."""

    def __init__(self, foundation: Foundation, *, password_cost: int = 14) -> None:
        self._foundation = foundation
        self.roles = Roles(foundation)
        self.domains = Domains(foundation)
        self.users = Users(foundation, Passwords(foundation.randomness, password_cost))
        self.two_factor = TwoFactor(foundation)
        self.accounts = Accounts(foundation, self.roles, self.users)
        self._failures: dict[str, int] = {}
        self._system: tuple[str, str] | None = None
        self._nobody = f"scrypt${password_cost}$AAAA$AAAA"
        self.domains.on_delete.append(self._delete_accounts)

    async def _delete_accounts(self, domain: Domain) -> None:
        for account in self._foundation.table(Account).where("domain_id", domain.id):
            if account.project_id is None:
                await self.accounts.delete(account.id)

    def seed(self, admin_password: str = "password") -> Account:
        """Make what every new cloud has: the ROOT domain, the default roles, the accounts system and admin.

        Returns the admin account, whose user admin logs in with `admin_password` and has no API keys.
        """
        with self._foundation.store.transaction():
            root = self.domains.seed_root()
            self.roles.seed()
            role = self.roles.default("Admin")
            self.accounts.create(
                None,
                name=SYSTEM,
                username=SYSTEM,
                password="",
                domain=root,
                role=role,
                first_name="system",
                last_name="cloud",
                is_default=True,
            )
            return self.accounts.create(
                None,
                name=ADMIN,
                username=ADMIN,
                password=admin_password,
                domain=root,
                role=role,
                first_name="admin",
                last_name="cloud",
                is_default=True,
            )

    def system(self) -> tuple[Account, User]:
        """The account and user that the server itself acts as."""
        accounts, users = self._foundation.table(Account), self._foundation.table(User)
        if self._system is None:
            root = self.domains.root.id
            account, user = self.accounts.named(SYSTEM, root), self.users.named(SYSTEM, root)
            if account is None or user is None:
                raise CloudError("this cloud has no system account yet")
            self._system = account.id, user.id
        return accounts[self._system[0]], users[self._system[1]]

    def kept_password(self, username: str, domain: Domain | None) -> str:
        """The hash that a login's password is checked against; one that nothing matches for an unknown user.

        Checking takes as long for an unknown user as for a known one, and may be done on another thread.
        """
        user = None if domain is None else self.users.named(username, domain.id)
        return (user.password if user is not None else "") or self._nobody

    def logged_in(self, username: str, domain: Domain | None, matched: bool) -> tuple[Account, User]:
        """The account and user who log in, if the password `matched`. Raises PermissionDenied without telling why."""
        user = None if domain is None else self.users.named(username, domain.id)
        if user is not None and not matched:
            self.failed(user)
        if user is None or not matched:
            raise PermissionDenied(f"Failed to authenticate user {username!r} in that domain")
        account = self._foundation.table(Account)[user.account_id]
        if user.state != "enabled" or account.state != "enabled":
            raise PermissionDenied(f"User {username!r} or its account is disabled or locked")
        if not self.two_factor.is_asked_for(user):
            self.succeeded(user)
        return account, user

    def failed(self, user: User) -> None:
        """The user gave a wrong password or code: with too many of them, one after the other, it is disabled."""
        allowed = self._foundation.settings.integer("incorrect.login.attempts.allowed")
        failures = self._failures[user.id] = self._failures.get(user.id, 0) + 1
        if allowed and failures >= allowed and user.state == "enabled" and not user.is_default:
            self.users.set_state(user, "disabled")
            del self._failures[user.id]

    def succeeded(self, user: User) -> None:
        """The user is who it says: what it gave wrongly before is forgotten."""
        self._failures.pop(user.id, None)

    def check_current_password(self, user: User, password: str | None) -> None:
        """Raise InvalidParameterValue unless that is the user's password."""
        if password is None or not self.users.passwords.matches(password, user.password):
            raise InvalidParameterValue(f"The current password given for user {user.username} is not right")
