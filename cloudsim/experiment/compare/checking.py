"""Everything about a comparison that can be wrong is found before anything runs, and what will run is laid out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from cloudsim.consolidation.power import Linear
from cloudsim.consolidation.servers import SERVERS
from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.blocks import RequestBlock
from cloudsim.experiment.checking import check as check_scenario
from cloudsim.experiment.compare.clusters import Cluster, cluster_of
from cloudsim.experiment.compare.metrics import DEFAULT, METRICS, Watts
from cloudsim.experiment.compare.plan import Case, Plan
from cloudsim.experiment.compare.spec import LoadedComparison, PolicyText, seeds_of
from cloudsim.experiment.compare.traits import TraceFacts, facts_of, missing
from cloudsim.experiment.compare.units import Unit, key_of
from cloudsim.experiment.compare.versions import policy_digest, versions
from cloudsim.experiment.compare.workloads import Opened, identity, opened
from cloudsim.experiment.errors import ExperimentError, ScenarioError, TraceError
from cloudsim.experiment.reading import Keys, located
from cloudsim.experiment.replay import HostGroup, replay
from cloudsim.experiment.scenario import LoadedScenario, Scenario
from cloudsim.experiment.traces.w1 import blocks as w1_blocks
from cloudsim.placement import policy as named
from cloudsim.placement.naming import policies as installed
from cloudsim.placement.naming import policy_class, split, text_of
from cloudsim.randomness import Randomness

DECIDED = frozenset(("name", "description", "datacenter", "workload", "policy", "seed", "warm_up"))
"""Keys of a scenario that the comparison itself decides."""


def check(loaded: LoadedComparison) -> Plan:
    """Read all that the comparison names, and lay out its runs. Raises ScenarioError, naming file, line and key."""
    spec, source = loaded.spec, loaded.source
    _only_once(loaded, "traces", [trace.name for trace in spec.traces])
    _only_once(loaded, "clusters", [cluster.name for cluster in spec.clusters])
    policies = _policies(loaded)
    baseline = policies[0] if spec.baseline is None else _text(loaded, spec.baseline, ["baseline"])
    if baseline not in policies:
        raise source.wrong(["baseline"], f"expected one of the policies: {', '.join(policies)}")
    _known(loaded, ["metrics"], spec.metrics)
    for index, trace in enumerate(spec.traces):
        _known(loaded, ["traces", index, "metrics"], trace.metrics)
    if spec.engine == "replay" and spec.scenario:
        raise source.wrong(["scenario"], "expected this key only with engine: run")
    watts = _watts(loaded)
    clusters = [_cluster(loaded, index) for index in range(len(spec.clusters))]
    shown = spec.metrics or (*DEFAULT, *(("energy_kwh",) if watts else ()))
    laid_out = _Layout(loaded, policies, baseline, shown)
    for index, trace in enumerate(spec.traces):
        for name in trace.clusters:
            if name not in [cluster.name for cluster in clusters]:
                raise source.wrong(["traces", index, "clusters"], f"expected a cluster's name, got {name}")
        for cluster in clusters:
            if not trace.clusters or cluster.name in trace.clusters:
                laid_out.add(index, cluster)
    return Plan(
        loaded=loaded,
        cases=tuple(laid_out.cases),
        units=tuple(laid_out.units),
        baseline=baseline,
        watts=watts,
        versions=laid_out.versions,
    )


def _known(loaded: LoadedComparison, keys: Keys, metrics: Sequence[str]) -> None:
    for index, metric in enumerate(metrics):
        if metric not in METRICS:
            raise loaded.source.wrong([*keys, index], f"expected one of {', '.join(METRICS)}")


def _only_once(loaded: LoadedComparison, key: str, names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            last = len(names) - 1 - list(reversed(names)).index(name)
            raise loaded.source.wrong([key, last], f"expected {name} only once")


def _text(loaded: LoadedComparison, choice: PolicyText, keys: Keys) -> str:
    try:
        text = text_of(choice)
        named(text, Randomness(0))
    except InvalidParameterValue as error:
        raise loaded.source.wrong(keys, error.text) from error
    return text


def _policies(loaded: LoadedComparison) -> list[str]:
    spec = loaded.spec
    for index, name in enumerate(spec.without):
        if spec.policies != "all" or name not in installed():
            raise loaded.source.wrong(["without", index], "expected an installed policy, with `policies: all`")
    if spec.policies == "all":
        found = [name for name in sorted(installed()) if name not in spec.without]
        first = "first-fit" if spec.baseline is None and "first-fit" in found else None
        return [first, *(name for name in found if name != first)] if first else found
    chosen = [_text(loaded, choice, ["policies", index]) for index, choice in enumerate(spec.policies)]
    _only_once(loaded, "policies", chosen)
    return chosen


def _watts(loaded: LoadedComparison) -> Watts | None:
    power = loaded.spec.power
    if power is None:
        return None
    model: Any = power.linear
    if power.server is not None:
        if power.server not in SERVERS:
            raise loaded.source.wrong(["power", "server"], f"expected one of {', '.join(SERVERS)}")
        model = SERVERS[power.server]
    assert isinstance(model, Linear) or power.server
    return model.watts(0.0), model.watts(1.0), power.empty_hosts == "idle"


def _cluster(loaded: LoadedComparison, index: int) -> Cluster:
    try:
        return cluster_of(loaded.spec.clusters[index], loaded.folder)
    except ExperimentError as error:
        raise loaded.source.wrong(["clusters", index], str(error)) from error


class _Layout:
    """Adds case by case what there is to run."""

    def __init__(
        self, loaded: LoadedComparison, policies: Sequence[str], baseline: str, metrics: tuple[str, ...]
    ) -> None:
        self._loaded = loaded
        self._metrics = metrics
        self._policies = policies
        self._baseline = baseline
        self._digests: dict[Path, str] = {}
        self._facts: dict[tuple[Any, Path, int], TraceFacts] = {}
        self._sources = {policy: policy_digest(policy) for policy in policies}
        self.versions = versions()
        self.cases: list[Case] = []
        self.units: list[Unit] = []

    def add(self, index: int, cluster: Cluster) -> None:
        """The runs of the trace of that index on that cluster."""
        spec = self._loaded.spec.traces[index]
        seeds = seeds_of(self._loaded.spec.seeds if spec.seeds is None else spec.seeds)
        if len(set(seeds)) < len(seeds):
            raise self._loaded.source.wrong(["seeds"], "expected each seed once")
        if spec.slices is not None:
            seeds = seeds[:1]
        facts = self._read(index, seeds[0], cluster)
        varies = len(seeds) > 1 and self._read(index, seeds[1], cluster).digest != facts.digest
        left_out: dict[str, str] = {}
        runs: dict[str, tuple[int, ...]] = {}
        for policy in self._policies:
            why = missing(policy_class(split(policy)[0]).needs, facts, cluster.pods)
            if why and self._loaded.spec.policies == "all" and policy != self._baseline:
                left_out[policy] = why
            else:
                runs[policy] = seeds if varies or (len(seeds) > 1 and uses_chance(policy)) else seeds[:1]
        metrics = spec.metrics or self._metrics
        self.cases.append(Case(spec.name, cluster, spec.slices, varies, facts, runs, left_out, metrics))
        for seed in seeds:
            trace = self._open(index, seed, cluster)
            for policy in runs:
                if seed in runs[policy]:
                    self.units.append(self._unit(index, trace, cluster, policy, seed))
        if self._loaded.spec.engine == "run":
            self._try(index, cluster, seeds[0])

    def _open(self, index: int, seed: int, cluster: Cluster) -> Opened:
        return opened(self._loaded, index, seed, cluster.hosts)

    def _read(self, index: int, seed: int, cluster: Cluster) -> TraceFacts:
        trace = self._open(index, seed, cluster)
        known = (trace.trace, trace.folder, seed)
        if known not in self._facts:
            keys: Keys = ["traces", index]
            try:
                facts = facts_of(trace.trace.blocks(trace.folder, Randomness(seed)))
            except TraceError as error:
                raise self._loaded.source.wrong(keys, str(error)) from error
            if not facts.requests:
                raise self._loaded.source.wrong(keys, "expected at least one request")
            self._facts[known] = facts
        return self._facts[known]

    def _unit(self, index: int, trace: Opened, cluster: Cluster, policy: str, seed: int) -> Unit:
        spec = self._loaded.spec
        scenario = self._scenario(index, trace, cluster, policy) if spec.engine == "run" else None
        decides = {name: self.versions[name] for name in ("cloudsim", "source", "python", "numpy", "numba")}
        identity_ = {
            "engine": spec.engine,
            "policy": policy,
            "policy source": self._sources[policy],
            "seed": seed,
            "trace": identity(trace, self._digests),
            "hosts": cluster.groups,
            "until": spec.until,
            "scenario": "" if scenario is None else scenario.scenario.digest(),
            "versions": decides,
        }
        name = spec.traces[index].name
        return Unit(key_of(identity_), name, cluster, policy, seed, *trace, spec.until, scenario)

    # the full engine

    def _scenario(self, index: int, trace: Opened, cluster: Cluster, policy: str) -> LoadedScenario:
        loaded, spec = self._loaded, self._loaded.spec
        for key in spec.scenario:
            if key in DECIDED:
                raise loaded.source.wrong(["scenario", key], "expected this key not here: the comparison decides it")
        if cluster.datacenter is None:
            raise loaded.source.wrong(["engine"], f"expected replay: a full run has no hosts like those of {cluster.name}")
        settings = {
            name: factor
            for name, factor in (
                ("cpu.overprovisioning.factor", cluster.cpu_overcommit),
                ("mem.overprovisioning.factor", cluster.memory_overcommit),
            )
            if factor != 1.0
        }
        data = {
            "until": spec.until,
            **spec.scenario,
            "name": f"{spec.name}: {spec.traces[index].name} on {cluster.name}",
            "datacenter": {"inline": cluster.datacenter},
            "policy": policy,
            "settings": {**settings, **spec.scenario.get("settings", {})},
        }
        workload = msgspec.to_builtins(trace.trace)
        try:
            scenario = msgspec.convert(data | {"workload": workload}, Scenario)
        except msgspec.ValidationError as error:
            raise located(loaded.source, str(error), ["scenario"]) from error
        text = yaml.safe_dump(msgspec.to_builtins(scenario), sort_keys=False)
        where = f"{loaded.source.name} (traces[{index}] on {cluster.name})"
        return LoadedScenario(scenario=scenario, text=text, where=where, folder=trace.folder)

    def _try(self, index: int, cluster: Cluster, seed: int) -> None:
        scenario = self._scenario(index, self._open(index, seed, cluster), cluster, self._baseline)
        try:
            check_scenario(scenario, seed)
        except ScenarioError as error:
            raise self._loaded.source.wrong(["scenario"], str(error)) from error


@lru_cache(maxsize=256)
def uses_chance(policy: str) -> bool:
    """Whether a policy decides otherwise under another seed: tried on a little trace, whose hosts are all alike."""
    hosts = (HostGroup(20, 64, 256 * 1024),)
    checks = {
        replay(_few, hosts, policy, seed=seed, samples=False).totals.check for seed in (1, 2, 3)
    }
    return len(checks) > 1


def _few() -> Iterator[RequestBlock]:
    return w1_blocks(20, 100)
