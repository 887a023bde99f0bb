"""Runs a scenario: a whole cloud on a simulated datacenter, under the scenario's load, until its end."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from cloudsim.errors import CloudError
from cloudsim.experiment.checking import Checked, check, wrong_datacenter, wrong_latency
from cloudsim.experiment.cloud import Cloud
from cloudsim.experiment.errors import ScenarioError
from cloudsim.experiment.feeding import Feeder
from cloudsim.experiment.operator import Operator
from cloudsim.experiment.reading import setting_text
from cloudsim.experiment.recording import Recorder
from cloudsim.experiment.result import HostSize, RunResult, StrikeRecord
from cloudsim.experiment.sampling import Sampler, interval_for
from cloudsim.experiment.scenario import LoadedScenario
from cloudsim.faults import FaultError
from cloudsim.management.infrastructure.command_log import CommandLog, CommandRecord
from cloudsim.model import Host
from cloudsim.randomness import Randomness
from cloudsim.work import TellsOfWork
from cloudsim.world import WorldUnavailable, backend

SIMULATED = "simulated"


class Progress(msgspec.Struct, frozen=True):
    """How far a run is. Times in simulated seconds; `horizon` is about when it ends."""

    phase: str
    """"setting up", "running" or "writing"."""
    time: float = 0.0
    horizon: float = 0.0
    arrived: int = 0
    requests: int = 0
    placed: int = 0
    running: int = 0
    rejected: int = 0
    failed: int = 0
    cpu: float = 0.0
    """Share of the CPU of hosts that are up that instances reserve."""
    memory: float = 0.0
    """The same of their memory."""


Listener = Callable[[Progress], None]


def run(
    loaded: LoadedScenario,
    seed: int | None = None,
    out: Path | None = None,
    progress: Listener = lambda progress: None,
    *,
    on: str = SIMULATED,
    latency: str | Path | None = None,
    log_commands: bool = False,
) -> RunResult:
    """Check the scenario, run it, and with `out` write the results into that folder.

    `seed`, where given, stands for the scenario's. The same scenario, seed and versions give the same
    files, byte for byte, on the simulated backend. `on` names another one, whose time may be real. `latency`, where
    given, stands for the scenario's profile. With `log_commands` the result has every command and its answer.
    `progress` is called often: at each arrival. Raises ExperimentError before anything runs.
    """
    checked = check(loaded, seed)
    progress(Progress("setting up", requests=checked.trace.requests, horizon=checked.horizon))
    randomness = Randomness(checked.seed)
    world, inject = _world(checked, randomness, on, latency)
    try:
        with asyncio.Runner(loop_factory=lambda: world.loop) as runner:
            result = runner.run(_run(checked, world, inject, randomness, progress, log_commands))
    finally:
        world.close()
    if out is not None:
        from cloudsim.experiment.writing import write  # plotting takes a second to import

        progress(Progress("writing", checked.horizon, checked.horizon, requests=checked.trace.requests))
        write(result, out)
    return result


def _world(checked: Checked, randomness: Randomness, on: str, latency: str | Path | None) -> tuple[Any, Any]:
    """The world of the scenario, and what makes its faults happen (None without faults)."""
    try:
        found = backend(on)
    except LookupError as error:
        raise ScenarioError(str(error.args[0])) from error
    try:
        world = found.create(
            checked.datacenter,
            randomness=randomness.branch("world"),
            profile=checked.latency if latency is None else latency,
            count_messages=True,
        )
    except ValueError as error:
        wrong = wrong_latency if "latency" in str(error) else wrong_datacenter
        raise wrong(checked, error) from error
    except WorldUnavailable as error:
        raise ScenarioError(f"{checked.loaded.where}: the backend {on} cannot run here: {error}") from error
    if checked.trace.tasks and not isinstance(world, TellsOfWork):
        world.close()
        text = f"the backend {on} cannot say when instances have done their work"
        raise ScenarioError(f"{checked.loaded.where}: workload: {text}")
    if checked.faults and not hasattr(found, "faults"):
        raise ScenarioError(f"{checked.loaded.where}: faults: the backend {on} has none")
    return world, getattr(found, "faults", None)


async def _run(
    checked: Checked,
    world: Any,
    inject: Any,
    randomness: Randomness,
    progress: Listener,
    log_commands: bool,
) -> RunResult:
    scenario = checked.loaded.scenario
    settings = {name: setting_text(value) for name, value in scenario.settings.items()}
    settings["vm.allocation.algorithm"] = scenario.policy_text
    loop = asyncio.get_running_loop()
    commands: list[CommandRecord] = []
    log = CommandLog(world.now, commands.append) if log_commands else None
    cloud = Cloud(world, randomness.branch("cloud"), settings, log)
    began = loop.time()
    start = [began]
    recorder = Recorder(cloud.store, lambda: loop.time() - start[0], scenario.sampling.jobs)
    await cloud.set_up(scenario.instances, checked.trace.shapes)
    start[0] = beginning = loop.time()
    recorder.begin()

    requests = scenario.workload.requests(checked.loaded.folder, Randomness(checked.seed))
    feeder = Feeder(
        cloud,
        recorder,
        requests,
        beginning,
        scenario.lifetime_from == "arrival",
        scenario.destroy_after == "work",
    )
    if isinstance(world, TellsOfWork):
        world.hear_work(feeder)
    interval = scenario.sampling.every or interval_for(checked.horizon)
    rows = (checked.horizon / interval + 2) * len(cloud.store.table(Host))
    stride = max(1, math.ceil(rows / scenario.sampling.host_rows))
    sampler = Sampler(cloud, recorder, feeder, beginning, interval, stride)

    horizon, in_all = checked.horizon, checked.trace.requests

    def step() -> None:
        counts, levels = feeder.outcomes.counts, recorder.levels.now
        progress(
            Progress(
                "running",
                loop.time() - beginning,
                horizon,
                len(feeder.outcomes),
                in_all,
                counts["placed"],
                levels[0],
                counts["rejected"],
                counts["failed"],
                levels[1] / levels[6] if levels[6] else 0.0,
                levels[3] / levels[7] if levels[7] else 0.0,
            )
        )

    feeder.on_step = step

    async def restart(away: float) -> None:
        await cloud.restart(away)
        recorder.listen()

    injector = None
    if checked.faults:
        try:
            injector = inject(world, checked.faults, randomness.branch("faults"), restart)
        except FaultError as error:
            raise ScenarioError(f"{checked.loaded.where}: {error}") from error
        injector.start()
    if scenario.warm_up:
        loop.call_at(beginning + scenario.warm_up, recorder.levels.begin, scenario.warm_up)
    operator = Operator(cloud, feeder, checked.operations, beginning)
    operator.on_done = lambda: feeder.on_step()
    feeder.wait_for(lambda: not operator.outstanding)
    sampler.begin()
    operator.begin()
    feeder.begin()
    try:
        await feeder.until(scenario.until)
    except CloudError as error:  # of a callback: a defect, not a property of the cloud under study
        raise RuntimeError(f"the run failed at {loop.time() - beginning} s: {error}") from error
    end = loop.time() - beginning
    recorder.levels.reach(end)
    sampler.finish()
    strikes = tuple(
        StrikeRecord(s.time - beginning, type(s.fault).__name__, s.target, s.began)
        for s in (injector.history if injector is not None else ())
    )
    result = RunResult(
        checked=checked,
        simulated=end,
        set_up=beginning - began,
        outcomes=feeder.outcomes,
        tasks=feeder.tasks,
        recorder=recorder,
        sampler=sampler,
        hosts=tuple(
            HostSize(h.name, h.cpus * h.cpu_mhz, h.memory_mib, 1000 * h.gpus, h.gpu_model)
            for h in cloud.store.table(Host)
        ),
        strikes=strikes,
        commits=cloud.store.sequence,
        operations=tuple(operator.history),
    )
    if injector is not None:
        injector.stop(heal=False)
    await cloud.server.stop()
    result.commands = tuple(sorted(commands, key=lambda record: record.number))
    return result
