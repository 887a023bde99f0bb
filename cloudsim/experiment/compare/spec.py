"""A comparison: which policies, on which traces and clusters, how often, and what is asked of the results, as data.

Durations are in seconds. Paths are relative to the specification's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cloudsim.consolidation.power import Linear
from cloudsim.experiment.reading import Source
from cloudsim.experiment.scenario import Count, DatacenterSource, NotNegative, Positive

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.,=%+-]*$")]
Seed = Annotated[int, Meta(ge=0)]
PolicyText = str | dict[str, Any]
CELLS = 480
"""Into how many cells of equal length the time of a run is divided: slices and what warm-up leaves out are whole cells."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a specification: a key it does not know is an error, not a silence."""


class TraceSpec(_Part, frozen=True, kw_only=True):
    """A trace: a `workload` as in a scenario, or a file at `path`, of the `format` with those `options` or of the one it
    is told from.

    In a workload (and in options) "{seed}" stands for the seed of a run and "{hosts}" for the number of hosts of its
    cluster. `clusters` are those it is replayed on; left out, all. A trace that was recorded once can be divided into
    `slices` of time, which then stand for replications: see docs/metrics.md for what that does and does not say.
    `seeds` and `metrics`, where given, are this trace's instead of the comparison's.
    """

    name: Name
    workload: dict[str, Any] | None = None
    path: str | None = None
    format: str | None = None
    options: dict[str, Any] = {}
    clusters: tuple[str, ...] = ()
    seeds: int | tuple[Seed, ...] | None = None
    slices: Annotated[int, Meta(ge=2, le=CELLS // 4)] | None = None
    metrics: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.workload is None) == (self.path is None):
            raise ValueError("expected exactly one of workload and path")
        if self.path is None and (self.format is not None or self.options):
            raise ValueError("expected format and options only with path: a workload has them in itself")


class Hosts(_Part, frozen=True, kw_only=True):
    """`count` equal hosts of `cores` of `mhz` each, in a pod and a rack of that number (from 1)."""

    count: Count
    cores: Count
    memory_gib: Positive
    mhz: Count = 1000
    gpus: Annotated[int, Meta(ge=0)] = 0
    gpu_model: str = ""
    pod: Count = 1
    rack: Count = 1


class HuaweiServers(_Part, frozen=True, kw_only=True):
    """The two-NUMA servers of Huawei Cloud's data set: `resources` is PM_res.xlsx, `topology` topology_provider.xls, whose
    racks become pods."""

    resources: str
    topology: str | None = None


class ClusterSpec(_Part, frozen=True, kw_only=True):
    """Hosts: exactly one of `hosts`, `datacenter` (as in a scenario: uniform, inline, file or openb_nodes) and
    `huawei_servers`.

    `cpu_overcommit` and `memory_overcommit` multiply what hosts give, as the management server's over-provisioning
    factors do.
    """

    name: Name
    hosts: tuple[Hosts, ...] = ()
    datacenter: DatacenterSource | None = None
    huawei_servers: HuaweiServers | None = None
    cpu_overcommit: Positive = 1.0
    memory_overcommit: Positive = 1.0

    def __post_init__(self) -> None:
        if bool(self.hosts) + (self.datacenter is not None) + (self.huawei_servers is not None) != 1:
            raise ValueError("expected exactly one of hosts, datacenter and huawei_servers")


class Power(_Part, frozen=True, kw_only=True):
    """What a host draws: linear between idle and peak, those of a `server` that is known by name or of a `linear` model.

    Hosts without instances are `off` and draw nothing, or `idle`.
    """

    server: str | None = None
    linear: Linear | None = None
    empty_hosts: Literal["off", "idle"] = "off"

    def __post_init__(self) -> None:
        if (self.server is None) == (self.linear is None):
            raise ValueError("expected exactly one of server and linear")


class Comparison(_Part, frozen=True, kw_only=True):
    """Every policy on every trace and cluster, for every seed.

    `policies` are names, `module:Class`, each with options, or `all`: every installed one that fits, without those in
    `without`. The others are compared with the `baseline`, the first one where it is left out. `seeds` are seeds, or a
    number n for those from 1 to n; each is the seed of generators and of policies.
    `engine: replay` is only requests, hosts and the policy; `run` is the whole management path, with what a scenario
    may say beyond that in `scenario` (settings, latency, lifetime_from, instances, faults, ...).
    Time averages leave out `warm_up` seconds, or what the rule MSER-5 finds.
    `metrics` are those of the tables and plots, the first one leads; results have all of them.
    """

    name: Annotated[str, Meta(min_length=1)]
    policies: Annotated[tuple[PolicyText, ...], Meta(min_length=1)] | Literal["all"]
    traces: Annotated[tuple[TraceSpec, ...], Meta(min_length=1)]
    clusters: Annotated[tuple[ClusterSpec, ...], Meta(min_length=1)]
    description: str = ""
    without: tuple[str, ...] = ()
    baseline: PolicyText | None = None
    seeds: Count | Annotated[tuple[Seed, ...], Meta(min_length=1)] = (1,)
    engine: Literal["replay", "run"] = "replay"
    scenario: dict[str, Any] = {}
    until: Literal["last-arrival", "last-departure"] = "last-arrival"
    warm_up: NotNegative | Literal["mser-5"] = 0.0
    confidence: Annotated[float, Meta(gt=0.5, lt=1)] = 0.95
    power: Power | None = None
    metrics: tuple[str, ...] = ()


class LoadedComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A specification with where it came from: `source` knows the lines of its keys, its paths are relative to `folder`."""

    spec: Comparison
    source: Source
    text: str
    folder: Path

    @property
    def file(self) -> str:
        """The file's name, without its folder: what results say, so that they are the same anywhere."""
        return Path(self.source.name).name


def seeds_of(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """The seeds that are meant: n are those from 1 to n."""
    return tuple(range(1, seeds + 1)) if isinstance(seeds, int) else tuple(seeds)
