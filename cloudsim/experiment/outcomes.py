"""What became of each request: columns, one entry a request, in the order of arrival."""

from __future__ import annotations

from collections import Counter

from cloudsim.experiment.causes import REJECTED
from cloudsim.experiment.requests import VmRequest


class Outcomes:
    """Columns by request. Times are seconds from the beginning of the study, None for what did not happen.

    `outcome` is placed, rejected (no room), failed (something broke) or pending (unanswered when the run ended).
    """

    def __init__(self) -> None:
        self.id: list[str] = []
        self.arrival: list[float] = []
        self.lifetime: list[float | None] = []
        self.cpus: list[int] = []
        self.cpu_mhz: list[int] = []
        self.memory_mib: list[int] = []
        self.gpu_milli: list[int] = []
        self.placed_at: list[float | None] = []
        self.running_at: list[float | None] = []
        self.released_at: list[float | None] = []
        self.gone_at: list[float | None] = []
        self.host: list[str | None] = []
        self.outcome: list[str] = []
        self.cause: list[str] = []
        self.counts: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self.id)

    def arrived(self, request: VmRequest) -> int:
        """A request has come; returns its index."""
        self.id.append(request.id)
        self.arrival.append(request.arrival_ms / 1000)
        self.lifetime.append(None if request.lifetime_ms is None else request.lifetime_ms / 1000)
        self.cpus.append(request.cpus)
        self.cpu_mhz.append(request.cpu_mhz)
        self.memory_mib.append(request.memory_mib)
        self.gpu_milli.append(request.gpus * request.gpu_milli)
        for column in (self.placed_at, self.running_at, self.released_at, self.gone_at, self.host):
            column.append(None)
        self.outcome.append("pending")
        self.cause.append("")
        self.counts["pending"] += 1
        return len(self.id) - 1

    def placed(self, index: int, time: float, host: str) -> None:
        """Capacity has been reserved on a host (again, if an earlier one refused)."""
        if self.running_at[index] is None:  # a restart elsewhere is not its placement
            self.placed_at[index] = time
        self.released_at[index] = None
        self.host[index] = host

    def released(self, index: int, time: float) -> None:
        """Its capacity has been given back."""
        self.released_at[index] = time

    def running(self, index: int, time: float) -> None:
        """The deployment succeeded."""
        self.running_at[index] = time
        self._settle(index, "placed", "")

    def failed(self, index: int, cause: str) -> None:
        """The deployment failed, or was not even accepted."""
        self._settle(index, "rejected" if cause in REJECTED else "failed", cause)

    def gone(self, index: int, time: float) -> None:
        """Nothing is left of the instance."""
        self.gone_at[index] = time

    def _settle(self, index: int, outcome: str, cause: str) -> None:
        self.counts[self.outcome[index]] -= 1
        self.counts[outcome] += 1
        self.outcome[index] = outcome
        self.cause[index] = cause
        if cause:
            self.causes[cause] += 1
