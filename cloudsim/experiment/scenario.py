"""A scenario: everything that decides the outcome of a run, as data.

Durations are in seconds. Paths are relative to the scenario's file.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cloudsim.experiment.traces import Workload
from cloudsim.placement.naming import Choice, text_of

Count = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a scenario: a key it does not know is an error, not a silence."""


class HostKind(_Part, frozen=True, kw_only=True):
    """A kind of host; `mhz` is the speed of each core. What is left out is as the backend has it."""

    cores: Count
    memory_gib: Positive
    mhz: Count = 1000
    gpus: Annotated[int, Meta(ge=0)] = 0
    gpu_model: str = ""


class UniformDatacenter(_Part, frozen=True, kw_only=True):
    """`pods` pods of `racks` racks of `hosts_per_rack` equal hosts. A rack is a cluster."""

    host: HostKind
    pods: Count = 1
    racks: Count = 1
    hosts_per_rack: Count = 4

    def describe(self) -> dict[str, Any]:
        host = {k: v for k, v in msgspec.to_builtins(self.host).items() if k != "gpu_model" or v}
        rack = {"count": self.racks, "hosts": [{"count": self.hosts_per_rack, **host}]}
        return {"zones": [{"pods": [{"count": self.pods, "racks": [rack]}]}]}


class NodeListDatacenter(_Part, frozen=True, kw_only=True):
    """The heterogeneous nodes of an openb node list, `hosts_per_rack` to a rack in the list's order."""

    path: str
    hosts_per_rack: Count = 40


class DatacenterSource(_Part, frozen=True, kw_only=True):
    """The datacenter: exactly one of `uniform`, `inline` (a description), `file` (one in a file), `openb_nodes`."""

    uniform: UniformDatacenter | None = None
    inline: dict[str, Any] | None = None
    file: str | None = None
    openb_nodes: NodeListDatacenter | None = None

    def __post_init__(self) -> None:
        given = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        if len(given) != 1:
            expected = "expected exactly one of uniform, inline, file, openb_nodes"
            raise ValueError(f"{expected}, got {' and '.join(given) or 'none'}")


class Instances(_Part, frozen=True, kw_only=True):
    """What every instance is made from: a template of that size, with a root disk of that size (GiB)."""

    template_gib: Count = 2
    root_disk_gib: Count = 2


class Sampling(_Part, frozen=True, kw_only=True):
    """How often the state is written down.

    `every` seconds (or, where left out, so that there are about 1000 samples) the cloud as a whole. Hosts one by
    one at the same times, but seldom enough that there are no more than `host_rows` rows; always at the end.
    `jobs`: a row for every job, for those that are no deployments of requests (`other`), or none.
    """

    every: Positive | None = None
    host_rows: Count = 1_000_000
    jobs: Literal["all", "other", "none"] = "all"


class Scenario(_Part, frozen=True, kw_only=True):
    """A run of a cloud on a datacenter under a load.

    `policy` is the placement policy, with its options (`best-fit,norm=l2` or `{name: best-fit, norm: l2}`);
    `settings` are configuration keys of the management server. `latency` is the backend's profile: a name, a file,
    or what differs from its default.
    An instance is destroyed when its lifetime, counted from its `arrival` or from when it is `running`, is over;
    with `destroy_after: work`, one that has work is when that is done, whatever its lifetime.
    `faults` are as `cloudsim.faults` reads them, `operations` as `cloudsim.experiment.operations`.
    `until` is when the run ends: when the `last-departure` is over, when the `last-arrival` has been answered,
    when the `last-task` is done (no instance that has a host has work left), or after so many seconds. Time
    averages leave out the first `warm_up` seconds.
    """

    name: Annotated[str, Meta(min_length=1)]
    datacenter: DatacenterSource
    workload: Workload
    description: str = ""
    seed: Annotated[int, Meta(ge=0)] = 0
    policy: Choice = "first-fit"
    settings: dict[str, str | int | float | bool] = {}
    latency: str | dict[str, Any] = "default"
    instances: Instances = Instances()
    lifetime_from: Literal["arrival", "running"] = "running"
    destroy_after: Literal["lifetime", "work"] = "lifetime"
    faults: tuple[Any, ...] = ()
    operations: tuple[Any, ...] = ()
    until: Literal["last-departure", "last-arrival", "last-task"] | Positive = "last-arrival"
    warm_up: NotNegative = 0.0
    sampling: Sampling = Sampling()

    @property
    def policy_text(self) -> str:
        """The policy with its options as text. Raises InvalidParameterValue for one without a name."""
        return text_of(self.policy)

    def digest(self) -> str:
        """SHA-256 of the scenario's content, however its file is laid out."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


class LoadedScenario(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario with where it came from: `folder` is what its paths are relative to, `where` what errors call it."""

    scenario: Scenario
    text: str
    where: str
    folder: Path

    @property
    def name(self) -> str:
        """The file's name, without its folder: what results say, so that they are the same anywhere."""
        return Path(self.where).name


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario."""
    return msgspec.json.schema(Scenario)
