"""Whose a row is, and who may see and change it by CloudStack's rules: written from its documentation, not from ours.

A root admin sees everything; a domain admin what belongs to accounts and projects of its domain and all below; a user
what its own account owns, and what the projects own that the account, or the user itself, is a member of. Some things
are offered to others: public and shared templates, networks of a domain, networks with a permission, offerings.
"""

from __future__ import annotations

from typing import Any

from cloudsim.model import (
    Account,
    AffinityGroup,
    Annotation,
    AsyncJob,
    DiskOffering,
    Domain,
    Network,
    NetworkOffering,
    NetworkPermission,
    Project,
    ProjectInvitation,
    ProjectMember,
    ProjectRole,
    ResourceLimit,
    Role,
    ServiceOffering,
    Template,
    User,
    VpcOffering,
    Zone,
)
from cloudsim.store import Row, Store

ROOT_TYPE, USER_TYPE = 1, 0

_ABOVE = (
    ("vm_id", "VirtualMachine"),
    ("volume_id", "Volume"),
    ("template_id", "Template"),
    ("rule_id", "LoadBalancerRule"),
    ("group_id", "SecurityGroup"),
    ("list_id", "NetworkAclList"),
    ("network_id", "Network"),
    ("vpc_id", "Vpc"),
    ("webhook_id", "Webhook"),
    ("user_id", "User"),
)
"""Field -> what it names: a row without an owner of its own is its owner's."""


class Ownership:
    """The oracle, on the rows of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def owner(self, row: Row) -> Account | None:
        """The account whose the row is; None for what is the cloud's, or everybody's."""
        accounts = self._store.table(Account)
        if isinstance(row, Account):
            return row
        account_id = getattr(row, "account_id", None)
        if account_id is not None:
            return accounts.get(account_id)
        if hasattr(row, "account_id"):
            return None
        if isinstance(row, ProjectRole):
            project = self._store.table(Project).get(row.project_id)
            return accounts.get(project.account_id) if project is not None else None
        for field, name in _ABOVE:
            above_id = getattr(row, field, None)
            if above_id is not None:
                above = self._store.tables[name].get(above_id)
                return self.owner(above) if above is not None else None
        return None

    # the rules

    def below(self, domain_id: str | None, top_id: str) -> bool:
        """Whether a domain is `top_id` or somewhere below it."""
        domains = self._store.table(Domain)
        while domain_id is not None and domain_id in domains:
            if domain_id == top_id:
                return True
            domain_id = domains[domain_id].parent_id
        return False

    def rules(self, user: User, account: Account) -> bool:
        """Whether a user has what that account owns in its hands."""
        own = self._store.table(Account)[user.account_id]
        if own.type == ROOT_TYPE or own.id == account.id:
            return True
        if own.type != USER_TYPE and self.below(account.domain_id, own.domain_id):
            return True
        return account.project_id is not None and self.is_member(user, account.project_id)

    def is_member(self, user: User, project_id: str) -> bool:
        return any(
            member.project_id == project_id
            and member.account_id == user.account_id
            and member.user_id in (None, user.id)
            for member in self._store.table(ProjectMember)
        )

    def leads(self, user: User, project: Project) -> bool:
        """Whether the user may change the project itself."""
        own = self._store.table(Account)[user.account_id]
        if own.type != USER_TYPE and self.rules(user, self._store.table(Account)[project.account_id]):
            return True
        return any(
            member.project_id == project.id
            and member.account_id == user.account_id
            and member.user_id in (None, user.id)
            and member.role == "Admin"
            for member in self._store.table(ProjectMember)
        )

    def changes(self, user: User, row: Row) -> bool:
        """Whether the user may change or delete the row."""
        own = self._store.table(Account)[user.account_id]
        if own.type == ROOT_TYPE:
            return True
        if isinstance(row, Domain):
            return own.type != USER_TYPE and self.below(row.id, own.domain_id)
        if isinstance(row, Project):
            return self.leads(user, row)
        if isinstance(row, ProjectInvitation):
            project = self._store.table(Project)[row.project_id]
            return row.account_id == own.id or self.leads(user, project) or self.sees(user, row)
        if isinstance(row, ServiceOffering | DiskOffering | NetworkOffering | VpcOffering):
            ids = row.domain_ids
            return own.type != USER_TYPE and bool(ids) and all(self.below(d, own.domain_id) for d in ids)
        if isinstance(row, AffinityGroup) and row.of_domain:
            return False
        owner = self.owner(row)
        return owner is not None and self.rules(user, owner)

    def sees(self, user: User, row: Row) -> bool:
        """Whether the user may see the row, or use it."""
        own = self._store.table(Account)[user.account_id]
        if own.type == ROOT_TYPE:
            return True
        offered = self._offered(user, own, row)
        if offered is not None:
            return offered
        owner = self.owner(row)
        if owner is None:
            return not isinstance(row, AsyncJob | ResourceLimit)
        return self.rules(user, owner)

    def _offered(self, user: User, own: Account, row: Any) -> bool | None:
        """For kinds with a rule of their own."""
        match row:
            case Domain():
                return row.id == own.domain_id or (own.type != USER_TYPE and self.below(row.id, own.domain_id))
            case Project():
                return self.is_member(user, row.id) or self.leads(user, row)
            case ProjectInvitation():
                return row.account_id == own.id or self._sees_project(user, row.project_id)
            case ProjectMember():
                return self._sees_project(user, row.project_id)
            case Template():
                return row.is_public or self._shared(user, row.shared_with) or self._rules_owner(user, row)
            case Network():
                if row.acl_type == "Domain":
                    return self.below(own.domain_id, row.domain_id) or self._rules_owner(user, row)
                return self._permitted(user, row) or self._rules_owner(user, row)
            case NetworkPermission():
                network = self._store.table(Network).get(row.network_id)
                return network is not None and self.sees(user, network)
            case ServiceOffering() | DiskOffering() | NetworkOffering() | VpcOffering():
                ids = row.domain_ids
                reach = any(self.below(own.domain_id, d) or self.below(d, own.domain_id) for d in ids)
                return not ids or reach
            case Zone():
                return row.domain_id is None or self.below(own.domain_id, row.domain_id)
            case AffinityGroup() if row.of_domain:
                return self.below(own.domain_id, row.domain_id) or self._rules_owner(user, row)
            case Annotation():
                return self._annotated(user, row)
            case Role():
                return row.is_public or own.type != USER_TYPE
        return None

    def _annotated(self, user: User, row: Annotation) -> bool:
        """A comment is seen by who sees what it is on, unless it is the admins' alone."""
        own = self._store.table(Account)[user.account_id]
        if row.admins_only and own.type == USER_TYPE:
            return row.user_id == user.id
        for table in self._store.tables.values():
            subject = table.get(row.entity_id)
            if subject is not None:
                return self.sees(user, subject) or row.user_id == user.id
        return row.user_id == user.id

    def _sees_project(self, user: User, project_id: str) -> bool:
        project = self._store.table(Project).get(project_id)
        return project is not None and self.sees(user, project)

    def _rules_owner(self, user: User, row: Row) -> bool:
        owner = self.owner(row)
        return owner is not None and self.rules(user, owner)

    def _shared(self, user: User, accounts: Any) -> bool:
        table = self._store.table(Account)
        given = [table[each] for each in accounts if each in table]
        return any(each.id == user.account_id or self._of_project(user, each) for each in given)

    def _permitted(self, user: User, network: Network) -> bool:
        given = {p.account_id for p in self._store.table(NetworkPermission) if p.network_id == network.id}
        return self._shared(user, given)

    def _of_project(self, user: User, account: Account) -> bool:
        return account.project_id is not None and self.is_member(user, account.project_id)
