"""What a run has found, in memory."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cloudsim.experiment.checking import Checked
from cloudsim.experiment.operations import OperationRecord
from cloudsim.experiment.outcomes import Outcomes
from cloudsim.experiment.recording import Recorder
from cloudsim.experiment.sampling import Sampler
from cloudsim.experiment.tasks import Tasks
from cloudsim.management.infrastructure.command_log import CommandRecord


class HostSize(NamedTuple):
    """A host as it was added, in the order of the datacenter's description."""

    name: str
    cpu_mhz: int
    memory_mib: int
    gpu_milli: int
    gpu_model: str


class StrikeRecord(NamedTuple):
    """Something a fault did: it began on a target at `time`, or ended."""

    time: float
    fault: str
    target: str
    began: bool


class RunResult(msgspec.Struct, kw_only=True):
    """All that a run has found. Times in seconds from the beginning of the study, which is when the cloud was set up."""

    checked: Checked
    simulated: float
    set_up: float
    outcomes: Outcomes
    tasks: Tasks
    recorder: Recorder
    sampler: Sampler
    hosts: tuple[HostSize, ...]
    strikes: tuple[StrikeRecord, ...]
    commits: int
    operations: tuple[OperationRecord, ...] = ()
    commands: tuple[CommandRecord, ...] = ()
    """Only where they were asked for."""
