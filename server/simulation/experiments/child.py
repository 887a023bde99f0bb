"""A process that does a run, as the server sees it: started, listened to in a thread, and ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

from server.simulation.experiments.asking import Task
from server.simulation.experiments.process import Told

_ROOT = Path(__file__).resolve().parents[3]
_LONGEST_ERROR = 2000
_CHECK_WITHIN = 50.0


def _launch(task: Task, errors: IO[bytes] | int) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    process = subprocess.Popen(
        [sys.executable, "-m", "server.simulation.experiments.process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(task) + b"\n")
    process.stdin.flush()
    return process


def checked(task: Task) -> Told:
    """What a process says of a task that is only to be checked; it may take seconds. Its errors are in `error`."""
    process = _launch(task, subprocess.DEVNULL)
    timer = threading.Timer(_CHECK_WITHIN, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
    finally:
        timer.cancel()
        process.kill()
        process.wait()
    if not line:
        return Told(error=f"it could not be checked within {_CHECK_WITHIN:g} s, or without more memory than there is")
    return msgspec.json.decode(line, type=Told)


class Child:
    """One run in a process. `heard(line)` is called from a thread for each thing that it tells, and `ended(error)` once:
    with None when it was done, else with what went wrong. Its standard error is kept in `log`."""

    def __init__(
        self, task: Task, log: Path, heard: Callable[[Told], None], ended: Callable[[str | None], None]
    ) -> None:
        self._heard = heard
        self._ended = ended
        self._log = log
        with log.open("wb") as errors:
            self._process = _launch(task, errors)
        self._thread = threading.Thread(target=self._listen, name="experiment", daemon=True)
        self._thread.start()

    def kill(self) -> None:
        """End it now; `ended` hears of it."""
        self._process.kill()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _listen(self) -> None:
        done, error = False, None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = msgspec.json.decode(line, type=Told)
            if told.error is not None:
                error = told.error
            elif told.progress is None:
                done = True
            else:
                self._heard(told)
        self._process.wait()
        if not done and error is None:
            error = self._last_words() or f"the process ended with {self._process.returncode}"
        self._ended(error)

    def _last_words(self) -> str:
        text = self._log.read_text(encoding="utf-8", errors="replace").strip()
        return text.rpartition("\n")[2][:_LONGEST_ERROR]
