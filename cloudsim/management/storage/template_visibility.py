"""Which templates a list call shows: CloudStack's template and ISO filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.identity import visibility
from cloudsim.management.identity.caller import Caller
from cloudsim.model import Template
from cloudsim.store import Store

TemplateFilter = Literal[
    "featured", "self", "selfexecutable", "sharedexecutable", "shared", "executable", "community", "all"
]
ONLY_READY: frozenset[TemplateFilter] = frozenset(
    {"featured", "selfexecutable", "sharedexecutable", "executable", "community"}
)
"""Filters that show only what instances can be deployed from now."""
HIDDEN = frozenset({"SYSTEM", "ROUTING", "PERHOST"})
"""Types that only a root admin who asks for all sees."""

Owns = Callable[[str], bool]
"""Whether an account is one of those that a list call means."""


def filter_named(text: str) -> TemplateFilter:
    """The filter of that name in any case. Raises InvalidParameterValue."""
    for name in get_args(TemplateFilter):
        if text.strip().lower() == name:
            found: TemplateFilter = name
            return found
    raise InvalidParameterValue(
        f"Please specify a valid template filter: {text} is none of {get_args(TemplateFilter)}"
    )


def shown_by(
    store: Store, caller: Caller, filter: TemplateFilter, owns: Owns, *, named: bool = False, removed: bool = False
) -> Callable[[Template], bool]:
    """A test for templates. `named`: they are asked for by id, so that anything that the caller may use is shown.

    `removed`: those that were deleted and are still in use are shown, too.
    """
    if filter == "all" and not caller.is_admin:
        raise PermissionDenied("Filter all can be specified by admins only")
    own = caller.account.id

    def shared(template: Template) -> bool:
        return any(owns(account_id) for account_id in template.shared_with)

    tests: dict[TemplateFilter, Callable[[Template], bool]] = {
        "featured": lambda t: t.is_featured and t.is_public,
        "self": lambda t: owns(t.account_id),
        "selfexecutable": lambda t: owns(t.account_id),
        "sharedexecutable": lambda t: shared(t) and t.account_id != own,
        "shared": lambda t: shared(t) and t.account_id != own,
        "executable": lambda t: t.is_public or owns(t.account_id) or shared(t),
        "community": lambda t: t.is_public and not t.is_featured,
        "all": lambda t: visibility.may(store, caller, t, operate=False),
    }
    test = tests[filter]

    def shows(template: Template) -> bool:
        if template.state != "Active" and not removed:
            return False
        if named:
            return visibility.may(store, caller, template, operate=False)
        if template.type in HIDDEN and not (filter == "all" and caller.is_root_admin):
            return False
        return test(template)

    return shows
