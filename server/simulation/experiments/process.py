"""The process that does one run: `python -m server.simulation.experiments.process`, with a `Task` as JSON on a line of its input.

It tells how far it is in lines of JSON, each a `Told`, and ends at once when its input does: when who started it is gone.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from backends.simulated.datacenter import from_dict, load
from backends.simulated.latency import profile
from cloudsim.errors import CloudError
from cloudsim.experiment.checking import Checked, check, wrong_datacenter, wrong_latency
from cloudsim.experiment.errors import ExperimentError
from cloudsim.experiment.reading import parse
from cloudsim.experiment.run import Progress, run
from server.garbage import look_seldom
from server.simulation.experiments.asking import Task

LINES = 400
"""How often it tells of its progress, about, however long it takes; and at least every second."""
NICENESS = 10
"""How much others go before it."""


class Told(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A line: how far it is, or why it cannot be done, or (with neither) that it is done."""

    progress: Progress | None = None
    error: str | None = None
    """Of the scenario."""
    horizon: float | None = None
    """Of one that was only checked: about how many seconds it would simulate."""
    requests: int | None = None


def tell(line: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


class _Reporter:
    """Tells of progress at equal distances of simulated time, and at least every second."""

    def __init__(self) -> None:
        self._phase = ""
        self._next = self._due = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.phase == self._phase and progress.time < self._next and now < self._due:
            return
        self._phase, self._due = progress.phase, now + 1.0
        self._next = progress.time + progress.horizon / LINES
        tell(Told(progress=progress))


def _looked_at(wanted: Task) -> Checked:
    """The scenario, with all that it names; the descriptions of its world are read, too."""
    checked = check(parse(wanted.text, "scenario", Path(wanted.folder)))
    try:
        from_dict(checked.datacenter) if isinstance(checked.datacenter, dict) else load(checked.datacenter)
    except ValueError as error:
        raise wrong_datacenter(checked, error) from error
    try:
        profile(checked.latency)
    except ValueError as error:
        raise wrong_latency(checked, error) from error
    return checked


def main() -> None:
    os.nice(NICENESS)
    with suppress(OSError):  # where memory is short, a run goes before the cloud does
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    line = sys.stdin.buffer.readline()
    wanted = msgspec.json.decode(line, type=Task)
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        if wanted.check:
            checked = _looked_at(wanted)
            tell(Told(horizon=checked.horizon, requests=checked.trace.requests))
            return
        look_seldom()
        run(parse(wanted.text, "scenario", Path(wanted.folder)), out=Path(wanted.out), progress=_Reporter())
    except ExperimentError as error:
        tell(Told(error=str(error)))
    except CloudError as error:
        tell(Told(error=error.text))
    else:
        tell(Told())


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
