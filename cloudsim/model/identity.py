"""Who acts in a cloud, and for whom: domains, accounts, users, roles, projects and their limits."""

from __future__ import annotations

from typing import ClassVar, Literal

from cloudsim.store import Keys, Row

ROOT_ADMIN, DOMAIN_ADMIN, RESOURCE_DOMAIN_ADMIN, NORMAL_USER, PROJECT_ACCOUNT = 1, 2, 3, 0, 5
"""Account types, CloudStack's numbers."""


class Domain(Row, frozen=True, kw_only=True):
    """A node of the tree that accounts live in. `path` is ROOT, ROOT/a, ROOT/a/b."""

    keys: ClassVar[Keys] = Keys(indexes=("parent_id",), unique=("path",))

    name: str
    path: str
    parent_id: str | None = None
    network_domain: str | None = None
    created: float = 0.0
    state: Literal["Active", "Inactive"] = "Active"


class Role(Row, frozen=True, kw_only=True):
    """What an account may call. `rules` are (command name or pattern with *, "allow" | "deny"), first match wins.

    `notes`: what was said of rules, by the rule in lower case.
    """

    keys: ClassVar[Keys] = Keys(unique=("name",))

    name: str
    type: Literal["Admin", "ResourceAdmin", "DomainAdmin", "User"]
    description: str = ""
    is_default: bool = False
    is_public: bool = True
    is_enabled: bool = True
    rules: tuple[tuple[str, str], ...] = ()
    notes: dict[str, str] = {}


class Account(Row, frozen=True, kw_only=True):
    """Owner of resources. A project's resources are owned by an account of type PROJECT_ACCOUNT.

    `api_key_access`: whether its users may call with API keys; None where that is as in its domain.
    `deleting`: its deletion was begun and has not come to its end.
    """

    keys: ClassVar[Keys] = Keys(indexes=("domain_id",), unique=(("domain_id", "name"),))

    name: str
    type: int
    domain_id: str
    role_id: str | None = None
    project_id: str | None = None
    state: Literal["enabled", "disabled", "locked"] = "enabled"
    network_domain: str | None = None
    is_default: bool = False
    created: float = 0.0
    details: dict[str, str] = {}
    api_key_access: bool | None = None
    deleting: bool = False


class User(Row, frozen=True, kw_only=True):
    """A login of an account. `password` is a salted hash, empty where no login is possible.

    `two_factor_key` is the second factor's secret; it is asked for at logins once it was `two_factor_confirmed`.
    `api_key_access`: whether API keys are taken; None where that is as with its account.
    """

    keys: ClassVar[Keys] = Keys(
        indexes=("account_id",), unique=(("domain_id", "username"), "api_key"), sorted=()
    )

    username: str
    account_id: str
    domain_id: str
    password: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    timezone: str | None = None
    state: Literal["enabled", "disabled", "locked"] = "enabled"
    api_key: str | None = None
    secret_key: str | None = None
    api_key_access: bool | None = None
    two_factor_provider: str | None = None
    two_factor_key: str | None = None
    two_factor_confirmed: bool = False
    two_factor_mandated: bool = False
    is_default: bool = False
    created: float = 0.0


class Project(Row, frozen=True, kw_only=True):
    """A group of accounts that own resources together, through the account `account_id`."""

    keys: ClassVar[Keys] = Keys(indexes=("domain_id",), unique=(("domain_id", "name"), "account_id"))

    name: str
    display_text: str
    domain_id: str
    account_id: str
    state: Literal["Active", "Suspended", "Disabled"] = "Active"
    created: float = 0.0


class ProjectMember(Row, frozen=True, kw_only=True):
    """An account's (or one user's) part in a project."""

    keys: ClassVar[Keys] = Keys(
        indexes=("project_id", "account_id"), unique=(("project_id", "account_id", "user_key"),)
    )

    project_id: str
    account_id: str
    user_id: str | None = None
    user_key: str = ""
    role: Literal["Admin", "Regular"] = "Regular"
    project_role_id: str | None = None


class ProjectRole(Row, frozen=True, kw_only=True):
    """What members of a project may call for it. `rules` and `notes` as in Role; what none of them meets is allowed."""

    keys: ClassVar[Keys] = Keys(unique=(("project_id", "name"),), indexes=("project_id",))

    project_id: str
    name: str
    description: str = ""
    rules: tuple[tuple[str, str], ...] = ()
    notes: dict[str, str] = {}


class ProjectInvitation(Row, frozen=True, kw_only=True):
    """An account, or one user of it, that is asked to be a member. `user_key` is the user's id, else empty."""

    keys: ClassVar[Keys] = Keys(
        indexes=("project_id", "account_id"), unique=(("project_id", "account_id", "user_key"),)
    )

    project_id: str
    account_id: str
    user_id: str | None = None
    user_key: str = ""
    role: Literal["Admin", "Regular"] = "Regular"
    project_role_id: str | None = None
    state: Literal["Pending", "Completed", "Expired", "Declined"] = "Pending"
    created: float = 0.0


class ResourceLimit(Row, frozen=True, kw_only=True):
    """How many of a resource type (CloudStack's numbers 0..) an account or domain may have; -1 = no limit.

    With a `tag` only of what offerings with that host or storage tag give.
    """

    keys: ClassVar[Keys] = Keys(indexes=("owner_id",), unique=(("owner_id", "type", "tag"),))

    owner_id: str
    owner: Literal["Account", "Domain"]
    type: int
    max: int
    tag: str = ""
