"""A study: loads, hosts, policies and seeds, as data; every combination is a case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from cloudsim.consolidation.detection import LocalRegression
from cloudsim.consolidation.naming import policy
from cloudsim.consolidation.policy import Consolidation, Policy
from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.consolidation.conventions import CLOUDSIM, OURS, Conventions
from cloudsim.experiment.consolidation.fleet import STUDY_HOSTS, HostKind
from cloudsim.experiment.consolidation.inputs import Source
from cloudsim.experiment.consolidation.load import Load
from cloudsim.experiment.consolidation.outcome import Outcome
from cloudsim.experiment.consolidation.simulation import simulate
from cloudsim.experiment.consolidation.state import Floats, Records, hosts_of
from cloudsim.randomness import Randomness

STUDY_POLICIES = (
    "npa",
    "dvfs",
    "thr-mmt-0.8",
    "iqr-mmt-1.5",
    "mad-mmt-2.5",
    "lr-mmt-1.2",
    "lrr-mmt-1.2",
)  # fmt: skip
"""The policies that the PlanetLab study compares, without migrations, and with the fewest."""


class Fleet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`count` hosts, of the `kinds` by turns."""

    count: Annotated[int, Meta(ge=1)] = 800
    kinds: Annotated[tuple[HostKind, ...], Meta(min_length=1)] = STUDY_HOSTS


class Study(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every policy on every load with every seed; a case in which nothing depends on chance is run with the first seed alone.

    `conventions` are `ours`, `cloudsim`'s, or some turned on by name.
    """

    name: Annotated[str, Meta(min_length=1)]
    utilisation: Source
    description: str = ""
    hosts: Fleet = Fleet()
    policies: Annotated[tuple[str, ...], Meta(min_length=1)] = STUDY_POLICIES
    seeds: Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(min_length=1)] = (1,)
    conventions: Literal["ours", "cloudsim"] | Conventions = "ours"

    def books(self) -> Conventions:
        """The conventions that hold."""
        if isinstance(self.conventions, Conventions):
            return self.conventions
        return CLOUDSIM if self.conventions == "cloudsim" else OURS


class Case(NamedTuple):
    """One simulation of a study."""

    load: Load
    policy: Policy
    seed: int
    hosts: tuple[Records, Floats]
    conventions: Conventions

    def prepare(self) -> None:
        """Compile the policy's rules, where that has not been, so that a run can be timed."""
        if isinstance(self.policy, Consolidation):
            for rule in (self.policy.detection, self.policy.selection, self.policy.placement, self.policy.underload):
                rule.pointer()

    def run(self) -> Outcome:
        """Simulate it. Raises ExperimentError if an instance fits on no host."""
        return simulate(self.load, self.hosts, self.policy, Randomness(self.seed), self.conventions)


class Row(NamedTuple):
    """A case that has been run, and the CPU seconds that it took."""

    load: str
    policy: str
    seed: int
    cpu_s: float
    outcome: Outcome

    def figures(self) -> dict[str, Any]:
        """Everything about it but its series."""
        return {
            "load": self.load,
            "policy": self.policy,
            "seed": self.seed,
            **self.outcome.figures(),
            "cpu_s": self.cpu_s,
        }


def policies_of(study: Study) -> list[Policy]:
    """The policies, by the study's conventions. Raises InvalidParameterValue for one that is none, or named twice."""
    found = [policy(text) for text in study.policies]
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidParameterValue(f"policies: expected each only once, got {name} again")
    return [_plain(each) if study.books().unweighted_regression else each for each in found]


def _plain(each: Policy) -> Policy:
    """The same policy with ordinary regression, if it is one with local regression."""
    if not isinstance(each, Consolidation) or not isinstance(each.detection, LocalRegression):
        return each
    detection = LocalRegression(
        safety=each.detection.safety, fallback=each.detection.fallback, weights="none"
    )
    return msgspec.structs.replace(each, detection=detection)


def cases(study: Study, folder: Path) -> Iterator[Case]:
    """Every case, load by load; paths are relative to `folder`. Raises TraceError and InvalidParameterValue."""
    policies = policies_of(study)
    hosts = hosts_of(study.hosts.kinds, study.hosts.count)
    source = study.utilisation
    for position, seed in enumerate(study.seeds):
        if position and not source.random and not any(each.random for each in policies):
            break
        for load in source.loads(folder, Randomness(seed)):
            for each in policies:
                if position == 0 or source.random or each.random:
                    yield Case(load, each, seed, hosts, study.books())
