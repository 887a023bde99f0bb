"""What a comparison will run: cases (a trace on a cluster), the policies that take part in each, and the runs."""

from __future__ import annotations

from typing import NamedTuple

from cloudsim.experiment.compare.clusters import Cluster
from cloudsim.experiment.compare.metrics import Watts
from cloudsim.experiment.compare.spec import LoadedComparison
from cloudsim.experiment.compare.traits import TraceFacts
from cloudsim.experiment.compare.units import Unit


class Case(NamedTuple):
    """A trace on a cluster. `runs` has the seeds of each policy that takes part; `left_out` why the others do not.

    `varies`: the requests differ from seed to seed; else only policies that use chance have several. `facts` are of the
    first seed; `metrics` are those to be shown.
    """

    trace: str
    cluster: Cluster
    slices: int | None
    varies: bool
    facts: TraceFacts
    runs: dict[str, tuple[int, ...]]
    left_out: dict[str, str]
    metrics: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.trace} on {self.cluster.name}"


class Plan(NamedTuple):
    """All that will be done; `versions` are of the software that does it."""

    loaded: LoadedComparison
    cases: tuple[Case, ...]
    units: tuple[Unit, ...]
    baseline: str
    watts: Watts | None
    versions: dict[str, str]
