"""What `/metrics` tells Prometheus: requests, jobs, hosts and instances by state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from cloudsim.model import AsyncJob, Host, VirtualMachine
from cloudsim.model.operations import JOB_IN_PROGRESS
from cloudsim.store import Row, Store


class _StateCollector(Collector):
    """Gauges filled from the counts that `counts_of` took on the loop's thread."""

    def __init__(self) -> None:
        self.counts: dict[str, dict[str, int]] = {}

    def collect(self) -> Iterator[Any]:
        for name, about in (("hosts", "Hosts by state"), ("virtual_machines", "Instances by state")):
            family = GaugeMetricFamily(f"cloudsim_{name}", about, labels=("state",))
            for state, count in self.counts.get(name, {}).items():
                family.add_metric([state], count)
            yield family
        jobs = self.counts.get("jobs", {}).get("outstanding", 0)
        yield GaugeMetricFamily("cloudsim_jobs_outstanding", "Jobs that have not ended", value=jobs)


def counts_of(store: Store) -> dict[str, dict[str, int]]:
    """Hosts and instances by state, and jobs; from index counts. Must run on the loop's thread."""
    return {
        "hosts": _by_state(store, Host),
        "virtual_machines": _by_state(store, VirtualMachine),
        "jobs": {"outstanding": store.table(AsyncJob).count("status", JOB_IN_PROGRESS)},
    }


def _by_state(store: Store, row_type: type[Row]) -> dict[str, int]:
    states = get_args(get_type_hints(row_type)["state"])
    return {state: store.table(row_type).count("state", state) for state in states}


class Metrics:
    """The metrics of one door, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "cloudsim_api_requests", "API requests", ("command", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "cloudsim_api_seconds",
            "Seconds from a request to its answer",
            ("command",),
            registry=self.registry,
            buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0),
        )
        self._states = _StateCollector()
        self.registry.register(self._states)

    def observe(self, command: str, status: int, seconds: float) -> None:
        """Count a request of a known command ("unknown" for others, whose names are anybody's)."""
        self._requests.labels(command, str(status)).inc()
        self._seconds.labels(command).observe(seconds)

    def text(self, counts: dict[str, dict[str, int]]) -> bytes:
        """The exposition, with the states as counted."""
        self._states.counts = counts
        return generate_latest(self.registry)
