"""What a replay has found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from cloudsim.experiment.replay.samples import Sample


class Totals(msgspec.Struct, kw_only=True):
    """Exact figures. Sizes in MHz, MiB and thousandths of GPUs; integrals in those times ms, over `measured_ms`."""

    engine: str
    hosts: int
    cpu_capacity: int
    memory_capacity: int
    gpu_capacity: int = 0
    requests: int = 0
    placed: int = 0
    rejected: dict[str, int] = {}
    check: int = 0
    end_ms: int = 0
    measured_ms: float = 0.0
    measured_requests: int = 0
    measured_rejected: int = 0
    live: float = 0.0
    not_empty: float = 0.0
    cpu: float = 0.0
    memory: float = 0.0
    gpu: float = 0.0
    busy_cpu: float = 0.0
    busy_memory: float = 0.0
    bound: float = 0.0
    asked_core_ms: float = 0.0
    refused_core_ms: float = 0.0
    not_empty_peak: int = 0
    live_peak: int = 0


class ReplayResult(msgspec.Struct, kw_only=True):
    """A finished replay. `assignments[i]` is the slot of request i's host (-1: none), where they were kept.

    `linear_bound` are the hosts needed at each sample by the LP bound; None where hosts are all alike or have GPUs.
    `cpu_seconds` were spent on placing, exact integrals included, and `sampling_cpu_seconds` on samples.
    """

    policy: str
    seed: int
    totals: Totals
    samples: list[Sample]
    linear_bound: np.ndarray | None = None
    assignments: np.ndarray | None = None
    cpu_seconds: float = 0.0
    sampling_cpu_seconds: float = 0.0

    def metrics(self) -> dict[str, Any]:
        """The figures by name, as docs/metrics.md defines them; None where there is nothing to divide by."""
        t = self.totals
        rejected = sum(t.rejected.values())
        found: dict[str, Any] = {
            "requests": t.requests,
            "placed": t.placed,
            "rejected": rejected,
            **{f"rejected_{cause.replace(' ', '_')}": count for cause, count in sorted(t.rejected.items())},
            "rejected_share": _over(t.measured_rejected, t.measured_requests),
            "rejected_core_hours_share": _over(t.refused_core_ms, t.asked_core_ms),
            "hosts": t.hosts,
            "span_h": t.end_ms / 3.6e6,
            "measured_h": t.measured_ms / 3.6e6,
            "instances_average": _over(t.live, t.measured_ms),
            "instances_peak": t.live_peak,
            "not_empty_average": _over(t.not_empty, t.measured_ms),
            "not_empty_peak": t.not_empty_peak,
            "empty_share": None
            if not t.measured_ms
            else 1 - t.not_empty / (t.measured_ms * t.hosts),
            "host_hours": t.not_empty / 3.6e6,
            "host_hours_bound": t.bound / 3.6e6,
            "host_hours_ratio": _over(t.not_empty, t.bound),
            "cpu_allocated_share": _over(t.cpu, t.measured_ms * t.cpu_capacity),
            "memory_allocated_share": _over(t.memory, t.measured_ms * t.memory_capacity),
            "cpu_packing_density": _over(t.cpu, t.busy_cpu),
            "memory_packing_density": _over(t.memory, t.busy_memory),
        }
        if t.gpu_capacity:
            found["gpu_allocated_share"] = _over(t.gpu, t.measured_ms * t.gpu_capacity)
        for name in ("stranded_cpu", "stranded_memory", "fragmentation", "gini"):
            found[name] = self._mean([getattr(sample, name) for sample in self.samples])
        if self.linear_bound is not None:
            found["hosts_linear_bound_average"] = self._mean(self.linear_bound.tolist())
        found["check"] = t.check
        return found

    def _mean(self, values: Sequence[float]) -> float | None:
        """The mean of what each sample has, over those taken from when measuring began."""
        begin = self.totals.end_ms - self.totals.measured_ms
        measured = [value for value, sample in zip(values, self.samples, strict=True) if sample.time_ms >= begin]
        return float(np.mean(measured)) if measured and self.totals.measured_ms else None


def _over(part: float, whole: float) -> float | None:
    return part / whole if whole else None
