"""PlanetLab's CPU utilisation (CoMon, 2011): a file for each VM with 288 values, one for every 5 minutes of a day.

The VMs' sizes are not in it; those of the consolidation study that made it known are
(Beloglazov and Buyya, "Optimal online deterministic algorithms and adaptive heuristics for energy and
performance efficient dynamic consolidation of virtual machines in cloud data centers", CCPE 24(13), 2012, table of
instance types, as CloudSim's power.planetlab examples have it).
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.sample import LINES, Sample
from cloudsim.experiment.traces.source import Count, Trace
from cloudsim.randomness import Randomness

VALUES = 288
"""Values of a VM: a day of them."""

INTERVAL_S = 300
"""Seconds that each value stands for."""


class InstanceType(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A size of instance; `cpu_mhz` is the speed of each core, CloudSim's MIPS."""

    vcpu: Count = 1
    cpu_mhz: Count
    memory_mib: Count


INSTANCE_TYPES = (
    InstanceType(cpu_mhz=2500, memory_mib=870),
    InstanceType(cpu_mhz=2000, memory_mib=1740),
    InstanceType(cpu_mhz=1000, memory_mib=1740),
    InstanceType(cpu_mhz=500, memory_mib=613),
)
"""The study's four types, of one core each: high-CPU medium, extra large, small, micro."""


class PlanetLabTrace(Trace, frozen=True, kw_only=True, tag="planetlab"):
    """`path` is a day such as 20110303: a folder, or a .tar.gz of one. Its VMs all arrive at once and run for the day.

    A VM's id is its file's name; VMs are in the order of these. `types` are shared out as the study does: of n VMs
    and k types the first ceil(n / k) VMs are of the first type, and so on. How busy a VM is, `utilisation` tells.
    """

    title: ClassVar[str] = "PlanetLab's CPU utilisation, a day of VMs (a folder or a tar archive)"
    units: ClassVar[str] = "per cent every 5 minutes; sizes are the study's"
    source: ClassVar[str] = (
        "The PlanetLab traces are in github.com/beloglazov/planetlab-workload-traces and in CloudSim's examples; "
        "set workload.path to your copy of a day."
    )
    folders: ClassVar[bool] = True

    path: str
    types: Annotated[tuple[InstanceType, ...], Meta(min_length=1)] = INSTANCE_TYPES

    @classmethod
    def recognises(cls, sample: Sample) -> bool:
        return (
            len(sample.lines) == LINES and all(line.isdigit() for line in sample.lines)
            if sample.folder
            else sample.name.endswith((".tar", ".tgz"))
        )

    def read(self, folder: Path, randomness: Randomness) -> Iterator[VmRequest]:
        names, _ = utilisation(folder / self.path)
        share = -(-len(names) // len(self.types))
        day = 1000 * INTERVAL_S * VALUES
        for index, name in enumerate(names):
            kind = self.types[index // share]
            yield VmRequest(name, 0, day, kind.vcpu, kind.cpu_mhz, kind.memory_mib)


def utilisation(path: Path) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    """The names of a day's VMs, sorted, and their CPU utilisation as a matrix [VMs, 288] in per cent (0 to 100).

    `path` is a folder with a file for each VM, or a tar archive of one (compressed or not). A file has a whole number a line.
    Raises TraceError for what is not such, naming the file and line.
    """
    rows: dict[str, NDArray[np.uint8]] = {}
    for name, where, data in _texts(path):
        if name in rows:
            raise TraceError(f"{where}: expected each VM's file only once")
        rows[name] = _values(where, data)
    if not rows:
        raise TraceError(f"{path}: expected at least one file of {VALUES} values")
    names = tuple(sorted(rows))
    return names, np.stack([rows[name] for name in names])


def _texts(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Every file's name, what errors call it, and its content."""
    try:
        if path.is_dir():
            for file in sorted(path.iterdir()):
                if file.is_file() and not file.name.startswith("."):
                    yield file.name, str(file), file.read_bytes()
            return
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member)
                name = member.name.rpartition("/")[2]
                if content is not None and not name.startswith("."):
                    yield name, f"{path}: {member.name}", content.read()
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror or error}") from error
    except (tarfile.TarError, EOFError) as error:
        raise TraceError(f"{path}: expected a folder or a tar archive of one: {error}") from error


def _values(where: str, data: bytes) -> NDArray[np.uint8]:
    lines = data.split()
    if len(lines) != VALUES:
        raise TraceError(f"{where}: expected {VALUES} values, one a line, got {len(lines)}")
    values = np.empty(VALUES, np.uint8)
    for index, text in enumerate(lines):
        value = int(text) if text.isdigit() else -1
        if not 0 <= value <= 100:
            shown = text.decode("utf-8", "replace")
            raise TraceError(
                f"{where}:{index + 1}: utilisation: expected a whole number from 0 to 100, got {shown!r}"
            )
        values[index] = value
    return values
