"""Whether a trace is right: everything that its reader checks, over all of it, and what requests must be in any format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import SMALLEST_MIB, VmRequest
from cloudsim.experiment.traces.files import leaving_out
from cloudsim.experiment.traces.rows import HeaderError
from cloudsim.experiment.traces.source import Trace
from cloudsim.randomness import Randomness

_LINE = re.compile(r"(.+?):(\d+): ")


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The errors found, each with its place, and how many requests were read with those left out.

    `notes` are no errors: they say of what kind of use a trace is not.
    """

    requests: int
    errors: tuple[str, ...]
    notes: tuple[str, ...]


def check(trace: Trace, folder: Path, randomness: Randomness, most: int = 10) -> Checked:
    """Read the whole trace, and go on after an error, for at most `most` of them, where it is one of a line of text.

    It reads the trace once for each error, without the lines found to be wrong, and remembers all ids.
    """
    lines: list[str] = []
    left_out: dict[Path, frozenset[int]] = {}
    while True:
        pass_ = _Pass()
        try:
            with leaving_out(left_out):
                pass_.read(trace, folder, randomness, most - len(lines))
        except TraceError as error:
            lines.append(str(error))
            found = None if isinstance(error, HeaderError) else _LINE.match(str(error))
            place = (Path(found[1]), int(found[2])) if found else None
            if len(lines) < most and place and place[0].is_file():
                known = left_out.get(place[0], frozenset())
                if place[1] not in known:
                    left_out[place[0]] = known | {place[1]}
                    continue
        errors = (*lines, *pass_.errors)
        if not pass_.count and not errors:
            errors = ("expected at least one request",)
        return Checked(requests=pass_.count, errors=errors[:most], notes=tuple(pass_.notes()))


class _Pass:
    """One time through a trace."""

    def __init__(self) -> None:
        self.count = 0
        self.errors: list[str] = []
        self._ids: set[str] = set()
        self._small = self._shared = 0

    def read(self, trace: Trace, folder: Path, randomness: Randomness, most: int) -> None:
        for request in trace.requests(folder, randomness):
            self.count += 1
            if request.id in self._ids:
                self._wrong(request, "id: expected a name that no earlier request has")
            self._ids.add(request.id)
            self._small += request.memory_mib < SMALLEST_MIB
            self._shared += request.gpus > 1 and request.gpu_milli != 1000
            if impossible := _impossible(request):
                self._wrong(request, impossible)
            if len(self.errors) >= most:
                return

    def _wrong(self, request: VmRequest, text: str) -> None:
        self.errors.append(f"request {self.count} ({request.id}): {text}")

    def notes(self) -> Iterator[str]:
        why = "which a full run refuses and a replay does not"
        if self._small:
            yield f"requests of less than {SMALLEST_MIB} MiB, {why}: {self._small}"
        if self._shared:
            yield f"requests of parts of several GPUs, {why}: {self._shared}"


def _impossible(request: VmRequest) -> str:
    """What no request may say, whatever its format."""
    for name, least in (("cpus", 1), ("cpu_mhz", 1), ("memory_mib", 1), ("gpus", 0), ("numa_nodes", 1)):
        if getattr(request, name) < least:
            return f"{name}: expected at least {least}, got {getattr(request, name)}"
    if not 1 <= request.gpu_milli <= 1000:
        return f"gpu_milli: expected 1 to 1000, got {request.gpu_milli}"
    for name in ("lifetime_ms", "expected_ms"):
        value = getattr(request, name)
        if value is not None and value < 1:
            return f"{name}: expected at least 1, got {value}"
    return ""
