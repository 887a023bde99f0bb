"""Everything about a run that can be wrong is found before it starts: nothing is half done."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.experiment.datacenter import description
from cloudsim.experiment.errors import ScenarioError, TraceError
from cloudsim.experiment.operations import Operation
from cloudsim.experiment.reading import Keys, Source
from cloudsim.experiment.requests import SMALLEST_MIB, Shape, VmRequest
from cloudsim.experiment.scenario import LoadedScenario
from cloudsim.faults import Fault, FaultError, faults_from
from cloudsim.placement import policy
from cloudsim.randomness import Randomness
from cloudsim.work import LONGEST_MS


class TraceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What one pass over the requests tells. Times in seconds; `digest` is the SHA-256 of all requests.

    `last_task` is when all work would be done if every instance began it on arrival and nothing held it up.
    """

    requests: int
    last_arrival: float
    last_departure: float
    endless: int
    shapes: tuple[Shape, ...]
    digest: str
    tasks: int = 0
    last_task: float = 0.0


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that can run: with its seed, its trace's facts, its datacenter's description and its faults."""

    loaded: LoadedScenario
    seed: int
    trace: TraceFacts
    datacenter: dict[str, Any] | str
    latency: dict[str, Any] | str
    faults: tuple[Fault, ...]
    operations: tuple[Operation, ...] = ()

    @property
    def horizon(self) -> float:
        """Seconds that the run takes, about: exactly, where the scenario says so."""
        until, trace = self.loaded.scenario.until, self.trace
        if not isinstance(until, str):
            return float(until)
        if until == "last-arrival":
            return max(1.0, trace.last_arrival)
        return max(1.0, trace.last_task if until == "last-task" else trace.last_departure)


def check(loaded: LoadedScenario, seed: int | None = None) -> Checked:
    """Read all that the scenario names. Raises ScenarioError or TraceError."""
    scenario = loaded.scenario
    source = Source(loaded.text, loaded.where)
    chosen = scenario.seed if seed is None else seed
    try:
        policy(scenario.policy_text, Randomness(chosen))
    except InvalidParameterValue as error:
        raise source.wrong(["policy"], error.text) from error
    try:
        faults = faults_from(list(scenario.faults))
    except FaultError as error:
        raise source.wrong(_fault_keys(str(error)), f"expected a fault: {error}") from error
    facts = trace_facts(loaded, chosen)
    if not facts.tasks:
        for key, value in (("until", "last-task"), ("destroy_after", "work")):
            if getattr(scenario, key) == value:
                raise source.wrong([key], f"expected another value than {value}: no request of the workload has work")
    return Checked(
        loaded=loaded,
        seed=chosen,
        trace=facts,
        datacenter=description(scenario.datacenter, loaded.folder),
        latency=_latency(loaded),
        faults=faults,
        operations=_operations(source, scenario.operations, facts.requests),
    )


def _operations(source: Source, items: Sequence[Any], requests: int) -> tuple[Operation, ...]:
    found: list[Operation] = []
    for index, item in enumerate(items):
        try:
            operation = msgspec.convert(item, Operation)
        except msgspec.ValidationError as error:
            raise source.wrong(["operations", index], f"expected an operation: {error}") from error
        if operation.request > requests:
            text = f"request: expected at most {requests}, as many as there are, got {operation.request}"
            raise source.wrong(["operations", index], text)
        found.append(operation)
    return tuple(found)


def trace_facts(loaded: LoadedScenario, seed: int) -> TraceFacts:
    """Go over all requests once. Raises TraceError for the first that is wrong, or if there is none."""
    shapes: dict[Shape, None] = {}
    digest = hashlib.sha256()
    count = endless = last = end = tasks = done = 0
    by_work = loaded.scenario.destroy_after == "work"
    for request in loaded.scenario.workload.requests(loaded.folder, Randomness(seed)):
        if wrong := unservable(request):
            raise TraceError(f"{loaded.where}: workload: request {request.id}: {wrong}")
        shapes[request.shape] = None
        digest.update(msgspec.json.encode(request))
        count += 1
        last = request.arrival_ms
        if request.work_ms:
            tasks += len(request.work_ms)
            done = max(done, last + sum(request.work_ms))
            if by_work:
                end = max(end, last + sum(request.work_ms))
                continue
        if request.lifetime_ms is None:
            endless += 1
        else:
            end = max(end, last + request.lifetime_ms)
    if not count:
        raise TraceError(f"{loaded.where}: workload: expected at least one request")
    return TraceFacts(
        requests=count,
        last_arrival=last / 1000,
        last_departure=max(last, end) / 1000,
        endless=endless,
        shapes=tuple(shapes),
        digest=digest.hexdigest(),
        tasks=tasks,
        last_task=max(last, done) / 1000,
    )


def unservable(request: VmRequest) -> str:
    """What of it no service offering can say, so that nobody could ask for it; empty where there is nothing."""
    if request.gpus > 1 and request.gpu_milli != 1000:
        return f"gpu_milli: expected 1000 for more than one GPU, got {request.gpu_milli}"
    if any(not 1 <= length <= LONGEST_MS for length in request.work_ms):
        return f"work_ms: expected lengths from 1 to {LONGEST_MS} ms, got {', '.join(map(str, request.work_ms))}"
    if request.memory_mib < SMALLEST_MIB:
        return f"memory_mib: expected at least {SMALLEST_MIB}, got {request.memory_mib}"
    return ""


def wrong_datacenter(checked: Checked, error: ValueError) -> ScenarioError:
    """What a backend says against the description, with the line of an inline one."""
    text = str(error)
    if checked.loaded.scenario.datacenter.inline is None:
        return ScenarioError(f"{checked.loaded.where}: datacenter: {text}")
    found = re.match(r"datacenter: ([\w.\[\]]+): (.*)", text, re.DOTALL)
    keys: Keys = ["datacenter", "inline"]
    if found:
        keys += [int(t) if t.isdigit() else t for t in re.findall(r"\w+", found[1])]
        text = found[2]
    return Source(checked.loaded.text, checked.loaded.where).wrong(keys, text)


def wrong_latency(checked: Checked, error: ValueError) -> ScenarioError:
    """What a backend says against the latency profile."""
    return Source(checked.loaded.text, checked.loaded.where).wrong(["latency"], str(error))


def _latency(loaded: LoadedScenario) -> dict[str, Any] | str:
    latency = loaded.scenario.latency
    if isinstance(latency, str) and Path(latency).suffix in (".yaml", ".yml"):
        return str(loaded.folder / latency)
    return latency


def _fault_keys(text: str) -> Keys:
    found = re.match(r"faults\[(\d+)\]", text)
    return ["faults", int(found[1])] if found else ["faults"]
