"""Runs the programs of extensions: `PROGRAM OPERATION PAYLOAD TIMEOUT`, whose answer is JSON on its standard output.

No shell has a part in it. A program sees none of the server's environment but PATH and LANG, gets what it has to know in a
file that only the server's user may read, and is ended with all that it has started when its time is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from backends.external.example import EXAMPLE
from cloudsim.extensions import ProgramError, ProgramFailed

Answer = dict[str, Any]
Beside = Callable[[Callable[[], Answer]], Awaitable[Answer]]

AT_ONCE = 32
"""Programs that run at a time; others wait for their turn."""
LARGEST_ANSWER = 1 << 20
"""Bytes that a program may answer."""
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_PASSED_ON = ("PATH", "LANG")


class ExtensionPrograms:
    """Implements `cloudsim.extensions.Programs` below `folder`, which is made when it is needed.

    `payloads` is where files are written that programs read. `beside` runs a function in a thread, so that the loop that
    waits for it does not stand still.
    """

    def __init__(self, folder: Path, payloads: Path, beside: Beside) -> None:
        self._folder = folder
        self._payloads = payloads
        self._beside = beside
        self._turns = asyncio.Semaphore(AT_ONCE)

    def location(self, path: str) -> str:
        return str(self._path(path))

    def is_ready(self, path: str) -> bool:
        try:
            self._program(path)
        except ProgramFailed:
            return False
        return True

    def make_example(self, path: str) -> None:
        program = self._path(path)
        try:
            program.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_inside(program.parent, path)
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(program, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
                with open(descriptor, "w", encoding="utf-8") as file:
                    file.write(EXAMPLE)
        except OSError as error:
            raise ProgramFailed(f"{program} cannot be written: {error.strerror or error}") from error

    def remove(self, path: str) -> None:
        program = self._path(path)
        try:
            if program.parent.exists():
                self._check_inside(program.parent, path)
            program.unlink(missing_ok=True)
            if program.parent != self._folder:
                with contextlib.suppress(OSError):  # there is more in it, which is not ours
                    program.parent.rmdir()
        except OSError as error:
            raise ProgramFailed(f"{program} cannot be removed: {error.strerror or error}") from error

    async def run(self, path: str, operation: str, payload: Mapping[str, Any], timeout: float) -> Answer:
        program = self._program(path)
        async with self._turns:
            run = _Run(program, operation, payload, timeout, self._payloads)
            try:
                return await self._beside(run)
            except asyncio.CancelledError:
                run.end()
                raise

    def _path(self, path: str) -> Path:
        """Where the program would be. Raises ProgramFailed for a path that could lead out of the folder."""
        parts = path.split("/")
        if not all(_PART.fullmatch(part) for part in parts):
            raise ProgramFailed(f"{path!r} is no path below the extensions folder")
        return self._folder.joinpath(*parts)

    def _program(self, path: str) -> Path:
        """The executable. Raises ProgramFailed if there is none inside of the folder."""
        program = self._path(path)
        if not program.is_file():
            raise ProgramFailed(f"there is no program {program}")
        self._check_inside(program, path)
        if not os.access(program, os.X_OK):
            raise ProgramFailed(f"{program} is not executable")
        return program

    def _check_inside(self, place: Path, path: str) -> None:
        """Raise ProgramFailed where links lead out of the folder."""
        if not place.resolve().is_relative_to(self._folder.resolve()):
            raise ProgramFailed(f"{path} leads out of the extensions folder")


class _Run:
    """One run of a program, in a thread; `end` from another one ends it early."""

    def __init__(
        self, program: Path, operation: str, payload: Mapping[str, Any], timeout: float, folder: Path
    ) -> None:
        self._program = program
        self._operation = operation
        self._payload = payload
        self._timeout = timeout
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def __call__(self) -> Answer:
        """What the program answers. Raises ProgramFailed."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json", dir=self._folder) as file:
                json.dump(self._payload, file)
                file.flush()
                return self._answer(file.name)
        except OSError as error:
            raise ProgramFailed(f"{self._program} cannot be run: {error.strerror or error}") from error

    def end(self) -> None:
        """End the program, and what it has started."""
        self._ended = True
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _answer(self, payload: str) -> Answer:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            self._process = process = subprocess.Popen(
                [self._program, self._operation, payload, f"{self._timeout:g}"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                cwd=self._program.parent,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                start_new_session=True,
            )
            try:
                if self._ended:
                    self.end()
                code = process.wait(self._timeout)
            except subprocess.TimeoutExpired:
                self.end()
                process.wait()
                raise ProgramFailed(
                    f"{self._program.name} did not end {self._operation} within {self._timeout:g} seconds"
                ) from None
            out.seek(0)
            errors.seek(0)
            return self._judge(code, out.read(LARGEST_ANSWER + 1), errors.read(LARGEST_ANSWER))

    def _judge(self, code: int, out: bytes, errors: bytes) -> Answer:
        called = f"{self._program.name} {self._operation}"
        answer = _object(out)
        if code != 0:
            why = _reason(answer) or _last_line(errors) or _last_line(out)
            raise ProgramError(f"{called} failed with exit code {code}{': ' + why if why else ''}")
        if len(out) > LARGEST_ANSWER:
            raise ProgramFailed(f"{called} answered more than {LARGEST_ANSWER} bytes")
        if answer is None:
            shown = _last_line(out)
            raise ProgramFailed(f"{called} answered no JSON object{', but ' + repr(shown) if shown else ''}")
        if _failed(answer):
            raise ProgramError(_reason(answer) or f"{called} failed, and does not say why")
        return answer


def _object(text: bytes) -> Answer | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _failed(answer: Answer) -> bool:
    """Whether the answer says that it is none: `status` error, or `success` false."""
    status, success = answer.get("status", "success"), answer.get("success", True)
    return str(status).lower() not in ("success", "ok") or str(success).lower() == "false"


def _reason(answer: Answer | None) -> str:
    """Why, by an answer."""
    if answer is None:
        return ""
    inner = answer.get("result")
    for place in (answer, inner if isinstance(inner, dict) else {}):
        for name in ("error", "message"):
            if place.get(name):
                said = place[name]
                return said if isinstance(said, str) else json.dumps(said)
    return ""


def _last_line(text: bytes) -> str:
    return text.decode(errors="replace").strip().rpartition("\n")[2][:200]
