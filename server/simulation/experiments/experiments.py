"""The experiments of one server: asked for, done by a few processes beside it, kept in a folder each.

They are used on the loop; what processes tell is handed to it.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cloudsim.errors import InvalidParameterValue
from cloudsim.randomness import Randomness
from server.simulation.experiments.asking import Asked, task
from server.simulation.experiments.child import Child, checked
from server.simulation.experiments.process import Told
from server.simulation.experiments.record import (
    UNFINISHED,
    Experiment,
    KeptExperiment,
    KeptRun,
    Run,
    kept_in,
)
from server.simulation.threads import in_thread

log = logging.getLogger(__name__)

AT_ONCE = 2
"""How many runs go on at once: two policies side by side."""
WAITING = 20
"""How many experiments can be unfinished."""
_END_WITHIN = 5.0


class Experiments:
    """All experiments below `folder`, those of earlier servers included."""

    def __init__(self, loop: asyncio.AbstractEventLoop, folder: Path, randomness: Randomness) -> None:
        self.folder = folder
        self._loop = loop
        self._randomness = randomness
        self._children: dict[tuple[str, int], Child] = {}
        self._closed = False
        found = [kept_in(each) for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []
        ordered = sorted((each for each in found if each is not None), key=lambda each: each.kept.created)
        self._experiments: OrderedDict[str, Experiment] = OrderedDict((each.id, each) for each in ordered)

    def all(self) -> list[Experiment]:
        """The newest first."""
        return list(reversed(self._experiments.values()))

    def get(self, experiment_id: str) -> Experiment | None:
        return self._experiments.get(experiment_id)

    async def create(self, wanted: Asked) -> Experiment:
        """Check all of it, and have its runs done when it is their turn. Raises InvalidParameterValue."""
        unfinished = sum(each.state in UNFINISHED for each in self._experiments.values())
        if unfinished >= WAITING:
            raise InvalidParameterValue(f"There are {unfinished} unfinished experiments already: wait, or delete one")
        number = self._randomness.uuid()
        folder = self.folder / number
        first = task(wanted.text, wanted.policies[0], wanted.seeds[0], folder, check=True)
        told = await in_thread(checked, first)
        if told.error is not None:
            raise InvalidParameterValue(f"Parameter scenario: {told.error}")
        assert told.horizon is not None and told.requests is not None
        pairs = [(policy, seed) for seed in wanted.seeds for policy in wanted.policies]
        kept = KeptExperiment(
            id=number,
            name=wanted.name,
            created=time.time(),
            scenario=wanted.name,
            requests=told.requests,
            runs=[KeptRun(number=i, policy=policy, seed=seed) for i, (policy, seed) in enumerate(pairs, 1)],
        )
        folder.mkdir(mode=0o700, parents=True)
        (folder / "scenario.yaml").write_text(wanted.text, encoding="utf-8")
        made = Experiment(kept, folder, wanted.text, told.horizon)
        made.save()
        self._experiments[number] = made
        self._begin()
        return made

    async def delete(self, experiment: Experiment) -> None:
        """End what goes on of it, and remove its folder."""
        del self._experiments[experiment.id]
        for run in experiment.kept.runs:
            if run.state in UNFINISHED:
                run.state = "Cancelled"
        children = [child for (owner, _), child in self._children.items() if owner == experiment.id]
        await in_thread(_end, children)
        await in_thread(partial(shutil.rmtree, experiment.folder, ignore_errors=True))
        self._begin()

    def close(self) -> None:
        """The server stops: what goes on is ended."""
        self._closed = True
        _end(list(self._children.values()))
        for experiment in self._experiments.values():
            if experiment.state in UNFINISHED:
                for run in experiment.kept.runs:
                    if run.state in UNFINISHED:
                        run.state, run.error = "Interrupted", "the server was stopped"
                experiment.save()

    # inside

    def _begin(self) -> None:
        """Start runs that wait, the oldest experiment's first, as many as can go on at once."""
        for experiment in self._experiments.values():
            for run in experiment.runs:
                if len(self._children) >= AT_ONCE or self._closed:
                    return
                if run.kept.state == "Queued":
                    self._start(experiment, run)

    def _start(self, experiment: Experiment, run: Run) -> None:
        kept = run.kept
        kept.state = "Running"
        out = experiment.out(kept)
        out.mkdir(mode=0o700, exist_ok=True)
        work = task(experiment.text, kept.policy, kept.seed, out)
        key = (experiment.id, kept.number)

        def heard(told: Told) -> None:
            if told.progress is not None:
                self._hand(partial(run.heard, told.progress))

        def ended(error: str | None) -> None:
            self._hand(partial(self._ended, key, experiment, run, error))

        self._children[key] = Child(work, out / "run.log", heard, ended)
        experiment.save()

    def _hand(self, work: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(work)
        except RuntimeError:
            log.debug("the loop is closed: nobody hears of an experiment")

    def _ended(self, key: tuple[str, int], experiment: Experiment, run: Run, error: str | None) -> None:
        self._children.pop(key, None)
        if run.kept.state == "Running":
            run.kept.state = "Finished" if error is None else "Failed"
            run.kept.error = error or ""
            experiment.save()
        self._begin()


def _end(children: list[Child]) -> None:
    for child in children:
        child.kill()
    for child in children:
        child.join(_END_WITHIN)
