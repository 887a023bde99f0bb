"""How policies are found by name, and how their options are written: `best-fit,norm=l2`, `mymodule:MyPolicy,weight=2`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement.policy import Policy
from cloudsim.randomness import Randomness

CLOUDSTACK_NAMES = {
    "random": "random",
    "firstfit": "first-fit",
    "firstfitleastconsumed": "worst-fit",
    "userdispersing": "user-dispersing",
    "userconcentratedpod_random": "user-concentrated-pod",
    "userconcentratedpod_firstfit": "user-concentrated-pod",
    "FirstFitPlanner": "first-fit",
    "UserDispersingPlanner": "user-dispersing",
    "UserConcentratedPodPlanner": "user-concentrated-pod",
}
"""CloudStack's values of vm.allocation.algorithm and planner names, and the policy that each means here."""


@cache
def policies() -> dict[str, str]:
    """Names of the installed policies, with where each is found (module:Class)."""
    return {e.name: e.value for e in entry_points(group="cloudsim.policies")}


def policy_class(name: str) -> type[Policy]:
    """The class of the policy called `name` (without options). Raises InvalidParameterValue, listing those there are."""
    installed = policies()
    where = installed.get(CLOUDSTACK_NAMES.get(name, name), name)
    module, _, attribute = where.partition(":")
    if not attribute:
        raise InvalidParameterValue(
            f"no placement policy {name!r}; there are {', '.join(sorted(installed))}, or module:Class"
        )
    try:
        kind = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise InvalidParameterValue(f"placement policy {name!r} cannot be loaded: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, Policy)):
        raise InvalidParameterValue(f"placement policy {name!r} is not a cloudsim.placement.Policy")
    return kind


def split(text: str) -> tuple[str, dict[str, str]]:
    """The name and the options of `name,option=value,...`. Raises InvalidParameterValue."""
    name, *parts = (part.strip() for part in text.split(","))
    options: dict[str, str] = {}
    for part in parts:
        option, equals, value = part.partition("=")
        if not equals or not option:
            raise InvalidParameterValue(f"placement policy {text!r}: expected option=value, got {part!r}")
        if option in options:
            raise InvalidParameterValue(f"placement policy {text!r}: option {option} is given twice")
        options[option] = value
    return name, options


def policy(text: str, randomness: Randomness) -> Policy:
    """The policy that `text` names: an installed one, CloudStack's name of one, or `module:Class`, each with options.

    Raises InvalidParameterValue for one that is not there, or an option that is not right.
    """
    name, options = split(text)
    kind = policy_class(name)
    return kind(randomness.branch(f"policy {kind.name}"), options)
