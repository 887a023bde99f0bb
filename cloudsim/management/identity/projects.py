"""Projects: accounts that own resources together."""

from __future__ import annotations

from typing import Literal

from cloudsim.errors import CloudError, InvalidParameterValue, PermissionDenied
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.accounts import Accounts
from cloudsim.management.identity.caller import Caller, in_subtree
from cloudsim.management.identity.identity import Identity
from cloudsim.management.identity.limits import Limits
from cloudsim.management.identity.membership import part_fields, part_in
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.model import Account, Domain, Project, ProjectMember, ProjectRole, User

Part = Literal["Admin", "Regular"]


class Projects:
    """Creates, changes and deletes projects, and their members.

    What a project owns belongs to an account of its own, which the hooks of `Accounts` clean up.
    """

    def __init__(self, foundation: Foundation, identity: Identity, limits: Limits) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._table = foundation.table(Project)
        self._members = foundation.table(ProjectMember)
        self._randomness = foundation.randomness.branch("projects")
        self._accounts: Accounts = identity.accounts
        self._limits = limits
        identity.domains.on_delete.insert(0, self._delete_in_domain)

    async def _delete_in_domain(self, domain: Domain) -> None:
        for project in self._table.where("domain_id", domain.id):
            await self.delete(project.id, cleanup=True)

    def named(self, name: str, domain_id: str) -> Project | None:
        return self._table.find(("domain_id", "name"), (domain_id, name))

    def create(self, owner: Account, name: str, display_text: str | None = None) -> Project:
        """Add a project in its owner's domain, led by the owner."""
        if owner.project_id is not None:
            raise InvalidParameterValue("A project cannot own a project")
        self._check_name(name, owner.domain_id)
        self._limits.check(owner, "project")
        project_id = self._randomness.uuid()
        with self._store.transaction():
            account = self._accounts.create_for_project(project_id, f"PrjAcct-{project_id}", owner.domain_id)
            project = self._table.insert(
                Project(
                    id=project_id,
                    name=name,
                    display_text=display_text or name,
                    domain_id=owner.domain_id,
                    account_id=account.id,
                    created=self._foundation.now(),
                )
            )
            self._insert_member(project, owner, "Admin")
        return project

    def _check_name(self, name: str, domain_id: str, but: str | None = None) -> None:
        if not name.strip():
            raise InvalidParameterValue("A project needs a name")
        found = self.named(name, domain_id)
        if found is not None and found.id != but:
            raise InvalidParameterValue(f"A project named {name} exists already in domain {domain_id}")

    def update(
        self, project: Project, *, name: str | None = None, display_text: str | None = None
    ) -> Project:
        if name is not None and name != project.name:
            self._check_name(name, project.domain_id, but=project.id)
        fields = {"name": name, "display_text": display_text}
        changed = {field: value for field, value in fields.items() if value is not None}
        if not changed:
            return project
        with self._store.transaction():
            return self._table.update(project.id, **changed)

    def set_owner(
        self,
        project: Project,
        account: Account,
        *,
        user: User | None = None,
        part: Part | None = None,
        swap: bool = True,
    ) -> None:
        """Make an account, or one user of it, the project's leader, instead of those who were (`swap`).

        Without `swap` it gets another `part`, and the others keep theirs.
        """
        member = self.member(project, account.id, user.id if user is not None else None)
        if swap or part == "Admin":
            self._check_leads(project, account)
        with self._store.transaction():
            if swap:
                for other in self.members(project):
                    if other.role == "Admin" and (member is None or other.id != member.id):
                        self._members.update(other.id, role="Regular")
                part = "Admin"
            if member is None:
                self._insert_member(project, account, part or "Regular", user)
            elif part is not None and part != member.role:
                if member.role == "Admin":
                    self._check_other_leader(project, member)
                self._members.update(member.id, role=part)

    # members

    def members(self, project: Project) -> list[ProjectMember]:
        return self._members.where("project_id", project.id)

    def member(self, project: Project, account_id: str, user_id: str | None = None) -> ProjectMember | None:
        """The account's part, or that of one user of it by itself."""
        key = (project.id, account_id, user_id or "")
        return self._members.find(("project_id", "account_id", "user_key"), key)

    def check_lead(self, caller: Caller, project: Project) -> None:
        """Raise PermissionDenied unless the caller leads the project, or is an admin of its domain or one above."""
        part = part_in(self._store, project.id, caller.account.id, caller.user_id)
        above = caller.is_domain_admin and in_subtree(self._store, project.domain_id, caller.account.domain_id)
        if not (caller.is_root_admin or above) and (part is None or part.role != "Admin"):
            raise PermissionDenied(f"{caller.account.name} does not lead project {project.name}")

    def _check_leads(self, project: Project, account: Account) -> None:
        """Raise ResourceAllocationFailed unless the account leads the project already, or may lead one more."""
        parts = self._members.where("account_id", account.id)
        if not any(part.project_id == project.id and part.role == "Admin" for part in parts):
            self._limits.check(account, "project")

    def check_add(self, project: Project, account: Account, role: ProjectRole | None = None) -> None:
        if account.project_id is not None:
            raise InvalidParameterValue("A project's account cannot be a member of a project")
        if account.domain_id != project.domain_id:
            raise InvalidParameterValue(
                f"Account {account.name} is not of the domain of project {project.name}"
            )
        if role is not None and role.project_id != project.id:
            raise InvalidParameterValue(f"Project {project.name} has no role {role.name} with id {role.id}")

    def add(
        self,
        project: Project,
        account: Account,
        part: Part = "Regular",
        *,
        user: User | None = None,
        role_id: str | None = None,
    ) -> None:
        """Add an account, or one user of it alone; a member who is there stays as it is."""
        self.check_add(project, account)
        if self.member(project, account.id, user.id if user is not None else None) is None:
            if part == "Admin":
                self._check_leads(project, account)
            with self._store.transaction():
                self._insert_member(project, account, part, user, role_id)

    def _insert_member(
        self,
        project: Project,
        account: Account,
        part: Part,
        user: User | None = None,
        role_id: str | None = None,
    ) -> None:
        fields = part_fields(project, account, part, user, role_id)
        self._members.insert(ProjectMember(id=self._randomness.uuid(), **fields))

    def check_remove(self, project: Project, account: Account, user: User | None = None) -> ProjectMember:
        member = self.member(project, account.id, user.id if user is not None else None)
        if member is None:
            who = f"User {user.username}" if user is not None else f"Account {account.name}"
            raise InvalidParameterValue(f"{who} is no member of project {project.name}")
        if member.role == "Admin":
            self._check_other_leader(project, member)
        return member

    def _check_other_leader(self, project: Project, member: ProjectMember) -> None:
        if not any(m.role == "Admin" and m.id != member.id for m in self.members(project)):
            name = self._foundation.table(Account)[member.account_id].name
            raise InvalidParameterValue(
                f"Account {name} alone leads project {project.name}: give it another leader first"
            )

    def remove(self, project: Project, account: Account, user: User | None = None) -> None:
        member = self.check_remove(project, account, user)
        with self._store.transaction():
            self._members.delete(member.id)

    # state

    async def suspend(self, project_id: str) -> Project:
        """Let nothing be added to the project and stop what it runs."""
        project = self._set_state(project_id, "Suspended")
        await self._accounts.disable(project.account_id)
        return self._table[project_id]

    def activate(self, project_id: str) -> Project:
        project = self._set_state(project_id, "Active")
        self._accounts.set_state(self._foundation.table(Account)[project.account_id], "enabled")
        return project

    def _set_state(self, project_id: str, state: Literal["Active", "Suspended", "Disabled"]) -> Project:
        with self._store.transaction():
            return self._table.update(project_id, state=state)

    async def delete(self, project_id: str, *, cleanup: bool = True) -> None:
        """Delete the project; with `cleanup` all it owns, without it only if it owns no instance."""
        project = self._table.get(project_id)
        if project is None:
            return
        if not cleanup:
            for kind in ("user_vm", "volume", "network", "template", "snapshot"):
                if self._limits.counters[kind](self._store, project.account_id):
                    raise CloudError(
                        f"Project {project.name} still owns {kind}s: cleanup=true deletes them too"
                    )
        self._set_state(project_id, "Disabled")
        await self._accounts.delete(project.account_id)
        with self._store.transaction():
            for member in self.members(project):
                self._members.delete(member.id)
            for name in ("ProjectInvitation", "ProjectRole"):
                rows = self._store.tables[name]
                for row_id in list(rows.ids("project_id", project_id)):
                    rows.delete(row_id)
            if project_id in self._table:
                remove_leftovers(self._foundation, project_id)
                self._table.delete(project_id)
