"""The programs of a plan: started, started again when they end, told of changed files, stopped.

Each runs in a session of its own, with a note of its process in `ROOT`/services, so that an agent which is started anew
ends what the one before left. What they print is in `ROOT`/log.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from backends.systemvm.guest.commands import ENVIRONMENT, run, tried
from backends.systemvm.guest.errors import GuestError

SETTLED = 0.3
"""Seconds for which a program must run to have been started well."""
STOPS_WITHIN = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0  # seconds between an end and the next start
_LOG_SIZE = 1 << 20
_AFTER_WITHIN = 30.0
_LOOK = 30.0
PACKAGE_ROOT = Path(__file__).parents[3]
"""Where `python -m backends...` is run."""


class Program:
    """One service while it is wanted."""

    def __init__(self, root: Path, service: dict[str, Any]) -> None:
        self.service = service
        self.name = str(service["name"])
        self.restarts = 0
        self.is_told = False
        """Whether what is to be run after its start has been run."""
        self._log = root / "log" / f"{self.name}.log"
        self._note = root / "services" / self.name
        for folder in (self._log.parent, self._note.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self._wanted = True
        self._ended = threading.Event()
        self._process = self._started()
        threading.Thread(target=self._watch, daemon=True, name=self.name).start()

    @property
    def command(self) -> list[str]:
        command = [str(word) for word in self.service["command"]]
        return [sys.executable, "-E", "-s", *command[1:]] if command[0] == "python" else command

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def signal(self, name: str) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(getattr(signal, f"SIG{name}"))

    def last_words(self) -> str:
        try:
            return " | ".join(self._log.read_text(errors="replace").strip().splitlines()[-5:]) or "it said nothing"
        except OSError:
            return "it said nothing"

    def stop(self) -> None:
        """Returns when it is gone."""
        self._wanted = False
        self._ended.set()
        end(self._process)
        self._note.unlink(missing_ok=True)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._log.exists() and self._log.stat().st_size > _LOG_SIZE:
            self._log.unlink()
        with self._log.open("ab") as log:
            try:
                process = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=ENVIRONMENT,
                    cwd=PACKAGE_ROOT,
                    start_new_session=True,
                )
            except OSError as error:
                raise GuestError(f"service {self.name}: {self.command[0]}: {error.strerror}") from None
        self._note.write_text(f"{process.pid} {_birth(process.pid)}\n")
        return process

    def _watch(self) -> None:
        pause = _FIRST_PAUSE
        while self._wanted:
            began = time.monotonic()
            while self._wanted:
                try:
                    self._process.wait(_LOOK)
                    break
                except subprocess.TimeoutExpired:
                    if self._log.stat().st_size > _LOG_SIZE:
                        os.truncate(self._log, 0)
            if time.monotonic() - began > 4 * _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            if self._ended.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
            self.restarts += 1
            with suppress(GuestError):
                self._process = self._started()
            if not self._wanted:
                end(self._process)


class Services:
    """All programs of the plan in force."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._programs: dict[str, Program] = {}
        end_left_over(root)

    def bring_about(self, services: Iterable[dict[str, Any]], changed: set[str]) -> None:
        """Run these and no others; `changed` are the paths of files that are new. Raises GuestError."""
        wanted = {str(service["name"]): service for service in services}
        for name in self._programs.keys() - wanted.keys():
            self._programs.pop(name).stop()
        fresh = []
        for name, service in wanted.items():
            program = self._programs.get(name)
            if program is not None and (_differs(program.service, service) or changed & set(service.get("restart_on") or ())):
                self._programs.pop(name).stop()
                program = None
            if program is None:
                for module in service.get("modules") or ():
                    with suppress(GuestError):
                        tried(["modprobe", str(module)])
                program = self._programs[name] = Program(self._root, service)
                fresh.append(program)
            else:
                program.service = service
                if service.get("reload") and changed & set(service.get("reload_on") or ()):
                    program.signal(str(service["reload"]))
                    program.is_told = False
        self._see_settled(fresh)
        for program in self._programs.values():
            if not program.is_told:
                for command in program.service.get("after") or ():
                    _insist(program, [str(word) for word in command])
                program.is_told = True

    def _see_settled(self, programs: list[Program]) -> None:
        until = time.monotonic() + SETTLED
        while programs and time.monotonic() < until:
            for program in programs:
                if not program.runs:
                    raise GuestError(f"service {program.name} ended at once: {program.last_words()}")
            time.sleep(0.05)

    def state(self) -> dict[str, str]:
        """By name: empty if it runs, else what is wrong."""
        return {name: "" if each.runs else each.last_words() for name, each in self._programs.items()}


def checked(services: Iterable[dict[str, Any]], changed: set[str]) -> None:
    """Have each program look at those of its files that changed. Raises GuestError with what the first says that refuses."""
    for service in services:
        files = {*(service.get("restart_on") or ()), *(service.get("reload_on") or ())}
        if service.get("check") and (changed & files or not files):
            try:
                run([str(word) for word in service["check"]])
            except GuestError as error:
                raise GuestError(f"service {service['name']}: {error}") from None


def _differs(before: dict[str, Any], now: dict[str, Any]) -> bool:
    return list(before["command"]) != list(now["command"])


def _insist(program: Program, command: list[str]) -> None:
    end_at = time.monotonic() + _AFTER_WITHIN
    while True:
        try:
            run(command, limit=_AFTER_WITHIN)
            return
        except GuestError as error:
            if time.monotonic() > end_at:
                raise GuestError(f"service {program.name}: {error}") from None
            time.sleep(0.2)


def end(process: subprocess.Popen[bytes]) -> None:
    """Have it and what it started end, by force if it takes too long."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOPS_WITHIN)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_left_over(root: Path) -> None:
    """End what an earlier agent started: nobody else watches over it any more."""
    for note in (root / "services").glob("*"):
        words = note.read_text().split()
        if len(words) == 2 and _birth(int(words[0])) == words[1]:
            with suppress(ProcessLookupError):
                os.killpg(int(words[0]), signal.SIGKILL)
        note.unlink(missing_ok=True)


def _birth(pid: int) -> str:
    """When a process was started, in ticks since the machine was: with that a pid is nobody else's."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
