"""How policies are found by name, and how their options are written: `best-fit,norm=l2`, `mymodule:MyPolicy,weight=2`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from inspect import isabstract

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement.policy import Policy
from cloudsim.randomness import Randomness

CLOUDSTACK_NAMES = {
    "random": "random",
    "firstfit": "first-fit",
    "firstfitleastconsumed": "worst-fit",
    "userdispersing": "user-dispersing",
    "userconcentratedpod_random": "user-concentrated-pod,within=random",
    "userconcentratedpod_firstfit": "user-concentrated-pod",
    "FirstFitPlanner": "first-fit",
    "UserDispersingPlanner": "user-dispersing",
    "UserConcentratedPodPlanner": "user-concentrated-pod",
    "ImplicitDedicationPlanner": "implicit-dedication",
}
"""CloudStack's values of vm.allocation.algorithm and planner names, and the policy that each means here."""

Option = str | int | float | bool
Choice = str | dict[str, Option | list[Option]]
"""A policy as a file names it: `best-fit,norm=l2`, or `{name: best-fit, norm: l2}`."""


@cache
def policies() -> dict[str, str]:
    """Names of the installed policies, with where each is found (module:Class)."""
    return {e.name: e.value for e in entry_points(group="cloudsim.policies")}


def policy_class(name: str) -> type[Policy]:
    """The class of the policy called `name` (see `split`). Raises InvalidParameterValue, listing those there are."""
    installed = policies()
    where = installed.get(name, name)
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
    if isabstract(kind):
        missing = ", ".join(sorted(kind.__abstractmethods__))
        raise InvalidParameterValue(f"placement policy {name!r} is not complete: it has no {missing}")
    return kind


def split(text: str) -> tuple[str, dict[str, str]]:
    """The name and the options of `name,option=value,...`; ours, where it is CloudStack's. Raises InvalidParameterValue."""
    name, options = _split(text)
    ours, meant = _split(CLOUDSTACK_NAMES.get(name, name))
    return ours, meant | options


def _split(text: str) -> tuple[str, dict[str, str]]:
    name, *parts = (part.strip() for part in text.split(","))
    return name, options_of(f"placement policy {text!r}", parts)


def options_of(what: str, parts: Iterable[str]) -> dict[str, str]:
    """Texts `option=value` as a mapping; `what` they are of is for errors. Raises InvalidParameterValue."""
    options: dict[str, str] = {}
    for part in parts:
        option, equals, value = part.partition("=")
        if not equals or not option:
            raise InvalidParameterValue(f"{what}: expected option=value, got {part!r}")
        if option in options:
            raise InvalidParameterValue(f"{what}: option {option} is given twice")
        options[option] = value
    return options


def text_of(choice: Choice) -> str:
    """The policy's name with its options, as text. Raises InvalidParameterValue for one without a name."""
    if isinstance(choice, str):
        return choice
    if not isinstance(choice.get("name"), str):
        raise InvalidParameterValue(f"placement policy: expected a name among {', '.join(choice) or 'nothing'}")
    parts = [str(choice["name"])]
    for option, value in choice.items():
        if option != "name":
            values = [value] if isinstance(value, Option) else value
            parts.append(f"{option}={'+'.join(_shown(each) for each in values)}")
    return ",".join(parts)


def _shown(value: Option) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def check(text: str) -> None:
    """Raise InvalidParameterValue unless `text` names a policy that is there, with options that are right."""
    policy(text, Randomness(0))


def policy(text: str, randomness: Randomness) -> Policy:
    """The policy that `text` names: an installed one, CloudStack's name of one, or `module:Class`, each with options.

    Raises InvalidParameterValue for one that is not there, or an option that is not right.
    """
    name, options = split(text)
    kind = policy_class(name)
    return kind(randomness.branch(f"policy {kind.name}"), options)
