"""What an experiment is asked to be: a scenario's text, policies and seeds, checked as far as it costs nothing.

What costs something, the requests of a trace above all, is looked at by a process of its own: see `process`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.errors import ExperimentError
from cloudsim.experiment.reading import parse
from cloudsim.experiment.scenario import LoadedScenario
from cloudsim.placement import policy
from cloudsim.placement.naming import policies, split
from cloudsim.randomness import Randomness
from server.simulation.examples import FOLDER, examples, files_of

LONGEST_SCENARIO = 65_535
MOST_POLICIES, MOST_SEEDS, MOST_RUNS = 8, 20, 40


class Asked(NamedTuple):
    """An experiment: every policy on the scenario's requests, for every seed. `text` is the scenario's YAML."""

    name: str
    text: str
    policies: tuple[str, ...]
    seeds: tuple[int, ...]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A run as a process is told it. `text` is the scenario with its policy and seed; paths in it are relative to `folder`."""

    text: str
    folder: str
    out: str
    check: bool = False
    """Only look whether it can be run."""


def asked(
    scenario: str, wanted: Sequence[str], seeds: Sequence[int] | None, name: str | None
) -> Asked:
    """Check what can be checked at once. `scenario` is the name of an example, or YAML. Raises InvalidParameterValue."""
    known = examples().get(scenario.strip())
    text = known.text if known is not None else scenario
    if known is None and "\n" not in scenario.strip() and ":" not in scenario:
        raise InvalidParameterValue(
            f"Parameter scenario: expected a scenario in YAML, or one of {', '.join(examples())}, got {scenario[:60]!r}"
        )
    loaded = _parsed(text)
    if not wanted:
        raise InvalidParameterValue("Parameter policies: expected at least one placement policy")
    if len(wanted) > MOST_POLICIES:
        raise InvalidParameterValue(f"Parameter policies: expected at most {MOST_POLICIES}, got {len(wanted)}")
    for each in wanted:
        _check_policy(each)
    chosen = tuple(seeds) if seeds else (loaded.scenario.seed,)
    if any(seed < 0 for seed in chosen) or len(set(chosen)) != len(chosen):
        raise InvalidParameterValue("Parameter seeds: expected different numbers, each 0 or more")
    if len(chosen) > MOST_SEEDS or len(chosen) * len(wanted) > MOST_RUNS:
        raise InvalidParameterValue(
            f"Parameter seeds: expected at most {MOST_SEEDS}, and {MOST_RUNS} runs of all policies together"
        )
    if len(set(wanted)) != len(wanted):
        raise InvalidParameterValue("Parameter policies: expected each only once")
    title = (name or loaded.scenario.name).strip()
    if not title or len(title) > 100:
        raise InvalidParameterValue("Parameter name: expected from 1 to 100 characters")
    return Asked(title, text, tuple(wanted), chosen)


def _parsed(text: str) -> LoadedScenario:
    """The scenario, none of whose files is anywhere else than the examples'."""
    try:
        loaded = parse(text, "scenario", FOLDER)
    except ExperimentError as error:
        raise InvalidParameterValue(f"Parameter scenario: {error}") from None
    for file in files_of(loaded):
        if not file.resolve().is_relative_to(FOLDER):
            raise InvalidParameterValue(
                f"Parameter scenario: {file.name}: expected no files but those of the example scenarios"
            )
    _check_policy(loaded.scenario.policy_text, "scenario: policy")
    return loaded


def _check_policy(text: str, parameter: str = "policies") -> None:
    """Raise InvalidParameterValue unless it is an installed policy: not code that a caller of the API names."""
    try:
        name, _ = split(text)
        if name not in policies():
            raise InvalidParameterValue(f"expected one of {', '.join(sorted(policies()))}, got {name[:60]!r}")
        policy(text, Randomness(0))
    except InvalidParameterValue as error:
        raise InvalidParameterValue(f"Parameter {parameter}: {error.text}") from None


def with_policy(text: str, policy_text: str, seed: int) -> str:
    """The scenario's text with that policy and seed in the place of its own, and all else as it was."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    changed, added = text, ""
    values = {"policy": json.dumps(policy_text), "seed": str(seed)}
    found = [(key.value, key, value) for key, value in root.value if key.value in values]
    if root.flow_style:
        data = yaml.safe_load(text) | {"policy": policy_text, "seed": seed}
        return yaml.safe_dump(data, sort_keys=False)
    for name, key, value in sorted(found, key=lambda each: -int(each[1].start_mark.index)):
        end = value.end_mark.index
        tail = "\n" if changed[:end].endswith("\n") else ""
        changed = f"{changed[: key.start_mark.index]}{name}: {values.pop(name)}{tail}{changed[end:]}"
    added = "".join(f"{name}: {value}\n" for name, value in values.items())
    return changed if not added else f"{changed.rstrip()}\n{added}"


def task(text: str, policy_text: str, seed: int, out: Path, *, check: bool = False) -> Task:
    """What a process is told, to do one run or to check whether it could."""
    return Task(text=with_policy(text, policy_text, seed), folder=str(FOLDER), out=str(out), check=check)
