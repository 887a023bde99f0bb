"""What happens in a cloud, as it happens: read from the store's change feed, at exact times.

Levels (what is promised to instances, what hosts that are up have) change at instants, so their time averages are
exact integrals and not means of samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from cloudsim.model import Alert, AsyncJob, Event, Host, VirtualMachine
from cloudsim.model.operations import JOB_IN_PROGRESS, JOB_SUCCEEDED
from cloudsim.store import Change, Row, Store

LEVELS = (
    "instances",
    "cpu_mhz",
    "vcpus",
    "memory_mib",
    "gpu_milli",
    "hosts",
    "cpu_mhz_capacity",
    "memory_mib_capacity",
    "gpu_milli_capacity",
)
"""What is kept as a level: instances that have a host and what they reserve; hosts that are up and what they have."""

_USED = slice(0, 5)
_CAPACITY = slice(5, 9)


class JobRecord(NamedTuple):
    """A job that ended. Times in seconds from the beginning of the study."""

    command: str
    outcome: str
    submitted: float
    ended: float


class Levels:
    """Current values of LEVELS, their peaks, and their integrals over time from `since` on."""

    def __init__(self) -> None:
        self.now = [0] * len(LEVELS)
        self.peak = [0] * len(LEVELS)
        self._integral = [0.0] * len(LEVELS)
        self._since = self._last = 0.0

    def begin(self, since: float) -> None:
        """Forget integrals and peaks up to here; integrate from `since` on."""
        self._integral = [0.0] * len(LEVELS)
        self.peak = list(self.now)
        self._since = self._last = since

    def reach(self, time: float) -> None:
        """Bring the integrals up to `time`."""
        span = time - self._last
        if span > 0:
            self._integral = [i + span * n for i, n in zip(self._integral, self.now, strict=True)]
            self._last = time

    def add(self, time: float, first: int, changes: tuple[int, ...]) -> None:
        """Change the levels from number `first` on by `changes` at `time`."""
        self.reach(time)
        now, peak = self.now, self.peak
        for index, change in enumerate(changes, first):
            value = now[index] + change
            now[index] = value
            if value > peak[index]:
                peak[index] = value

    def average(self) -> dict[str, float]:
        """The time averages from `since` to the last time reached."""
        span = self._last - self._since
        means = [i / span if span > 0 else float(n) for i, n in zip(self._integral, self.now, strict=True)]
        return dict(zip(LEVELS, means, strict=True))


class Recorder:
    """Listens to a store. `clock()` is the time in seconds from the beginning of the study.

    `on_vm(before, after)` and `on_job(job)` hear of instances that change host or go, and of jobs that end; they
    are called within the store's commit and may not write.
    """

    def __init__(self, store: Store, clock: Callable[[], float], keep_jobs: str) -> None:
        self._store = store
        self._clock = clock
        self._keep_jobs = keep_jobs
        self.levels = Levels()
        self.jobs: Counter[tuple[str, str]] = Counter()
        self.job_seconds: Counter[str] = Counter()
        self.job_rows: list[JobRecord] = []
        self.events: Counter[tuple[str, str]] = Counter()
        self.alerts: Counter[str] = Counter()
        self._submitted: dict[str, float] = {}
        self.on_vm: Callable[[VirtualMachine | None, VirtualMachine | None], None] = lambda before, after: (
            None
        )
        self.on_job: Callable[[AsyncJob], None] = lambda job: None
        self._followed: dict[type[Row], Callable[[Any, Any], None]] = {
            VirtualMachine: self._vm,
            AsyncJob: self._job,
            Host: self._host,
            Event: self._event,
            Alert: self._alert,
        }
        self._handlers = {store.table(row_type): handler for row_type, handler in self._followed.items()}
        self.listen()

    def listen(self) -> None:
        """Subscribe (again: a server that stops ends all subscriptions)."""
        self._store.subscribe(self._changed, *self._followed)

    def begin(self) -> None:
        """The study begins: forget what setting up the cloud counted, keep the levels."""
        self.jobs.clear()
        self.job_seconds.clear()
        self.job_rows.clear()
        self.events.clear()
        self.alerts.clear()
        self.levels.begin(0.0)

    def _changed(self, changes: list[Change]) -> None:
        handlers = self._handlers
        for table, before, after in changes:
            handlers[table](before, after)

    def _vm(self, before: VirtualMachine | None, after: VirtualMachine | None) -> None:
        old, new = _reserved(before), _reserved(after)
        if old != new:
            change = tuple(n - o for n, o in zip(new, old, strict=True))
            self.levels.add(self._clock(), _USED.start, change)
        if before is None or after is None or before.host_id is not after.host_id:
            self.on_vm(before, after)

    def _host(self, before: Host | None, after: Host | None) -> None:
        old, new = _offered(before), _offered(after)
        if old != new:
            change = tuple(n - o for n, o in zip(new, old, strict=True))
            self.levels.add(self._clock(), _CAPACITY.start, change)

    def _job(self, before: AsyncJob | None, after: AsyncJob | None) -> None:
        if after is None:
            return
        if before is None:
            self._submitted[after.id] = self._clock()
        elif before.status == JOB_IN_PROGRESS and after.status != JOB_IN_PROGRESS:
            now = self._clock()
            submitted = self._submitted.pop(after.id, now)
            outcome = "succeeded" if after.status == JOB_SUCCEEDED else "failed"
            self.jobs[after.command, outcome] += 1
            self.job_seconds[after.command] += now - submitted  # type: ignore[assignment]
            if self._keep_jobs == "all" or (
                self._keep_jobs == "other" and after.command != "deployVirtualMachine"
            ):
                self.job_rows.append(JobRecord(after.command, outcome, submitted, now))
            self.on_job(after)

    def _event(self, before: Event | None, after: Event | None) -> None:
        if before is None and after is not None:
            self.events[after.type, after.level] += 1

    def _alert(self, before: Alert | None, after: Alert | None) -> None:
        if before is None and after is not None:
            self.alerts[after.name] += 1


_NOTHING = (0, 0, 0, 0, 0)


def _reserved(vm: VirtualMachine | None) -> tuple[int, ...]:
    """What an instance reserves, on its host and on the one that it migrates to."""
    if vm is None or vm.host_id is None:
        return _NOTHING
    gpu = vm.gpu_milli * len(vm.gpu_devices)
    if vm.migrating_to is not None:
        return (1, 2 * vm.cpus * vm.cpu_mhz, 2 * vm.cpus, 2 * vm.memory_mib, gpu)
    return (1, vm.cpus * vm.cpu_mhz, vm.cpus, vm.memory_mib, gpu)


def _offered(host: Host | None) -> tuple[int, ...]:
    """What a host that is up and enabled has, before any over-commitment."""
    if host is None or host.state != "Up" or host.resource_state != "Enabled":
        return (0, 0, 0, 0)
    return (1, host.cpus * host.cpu_mhz, host.memory_mib, 1000 * host.gpus)
