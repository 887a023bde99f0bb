"""Fits a latency profile to what real hosts took, from the command logs of runs on them.

Each kind of command is matched with the parameter that the simulator draws for it; where the answer tells the parts of
a command (a start: until the guest's first instruction, until it is up), each part with its own. What a command took
beyond its parts is the way there and back, half of it `agent_message`. Moving data is part of what was measured, so
the profile has no transfers of its own: it holds for disks and networks like those of the run.

With five values or more the fit is log-normal (the median, and the standard deviation of the logarithms, by which
Limpert, Stahel and Abbt, "Log-normal Distributions across the Sciences", BioScience 51 (2001), describe such
durations); with fewer, their median.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import median
from typing import Any

import msgspec

from backends.simulated.latency import LatencyProfile
from cloudsim.management.infrastructure.command_log import CommandRecord

ENOUGH = 5
"""Values from which a distribution is fitted rather than a constant."""
SHORTEST = 1e-4
"""Seconds below which a duration counts as this: a logarithm needs more than nothing."""
_WHOLE = {
    "AttachVolumeCommand": "volume_attach",
    "BackupSnapshotCommand": "disk_snapshot",
    "CopyTemplateCommand": "template_copy",
    "CreateVmSnapshotCommand": "vm_snapshot",
    "DeleteVolumeCommand": "volume_delete",
    "DetachVolumeCommand": "volume_detach",
    "DownloadTemplateCommand": "template_download",
    "MigrateCommand": "migration_setup",
    "ModifyStoragePoolCommand": "pool_mount",
    "PlugNicCommand": "nic_plug",
    "ResizeVolumeCommand": "volume_resize",
    "TakeBackupCommand": "disk_snapshot",
    "ResumeCommand": "vm_suspend",
    "RevertToVmSnapshotCommand": "vm_snapshot_revert",
    "ScaleVmCommand": "vm_scale",
    "StartCommand": "vm_define",
    "SuspendCommand": "vm_suspend",
    "UnplugNicCommand": "nic_unplug",
}
"""Which parameter stands for the whole of a command whose answer does not tell its parts."""
_PARAMETERS = frozenset(f.name for f in msgspec.structs.fields(LatencyProfile))


class Fit(msgspec.Struct, frozen=True):
    """A parameter's fit: how many values it stands on, their median in seconds, and the spread of their logarithms."""

    parameter: str
    values: int
    median: float
    sigma: float

    @property
    def distribution(self) -> dict[str, Any]:
        """As a profile's file has it."""
        if self.values < ENOUGH:
            return {"distribution": "constant", "value": round(self.median, 6)}
        return {"distribution": "lognormal", "median": round(self.median, 6), "sigma": round(self.sigma, 4)}


class NothingToFit(ValueError):
    """The logs hold no command that succeeded."""


def samples(records: Iterable[CommandRecord]) -> dict[str, list[float]]:
    """Seconds by parameter, of the commands that succeeded."""
    found: dict[str, list[float]] = {}
    for record in records:
        if not record.ok or record.seconds is None:
            continue
        steps = {k: v for k, v in ((record.answer or {}).get("steps") or {}).items() if k in _PARAMETERS}
        for name, seconds in steps.items():
            found.setdefault(name, []).append(seconds)
        whole = _whole(record)
        if steps and record.kind == "StartCommand" and "vm_boot" not in steps:
            found.setdefault("vm_boot", []).append(0.0)
        if steps:
            on_the_way = max(0.0, record.seconds - sum(steps.values())) / 2
            found.setdefault("agent_message", []).append(on_the_way)
        elif whole is not None:
            found.setdefault(whole, []).append(record.seconds)
    return found


def _whole(record: CommandRecord) -> str | None:
    if record.kind == "StopCommand":
        return "forced_stop" if record.command.get("forced") else "vm_shutdown"
    if record.kind == "CreateVolumeCommand":
        return "template_clone" if record.command.get("template_path") else "volume_create"
    return _WHOLE.get(record.kind)


def fit(records: Iterable[CommandRecord]) -> list[Fit]:
    """The fits of all parameters that the records tell of, by name. Raises NothingToFit."""
    found = samples(records)
    if not found:
        raise NothingToFit("there is no command that succeeded")
    return [_fit(name, values) for name, values in sorted(found.items())]


def _fit(name: str, values: list[float]) -> Fit:
    logarithms = [math.log(max(value, SHORTEST)) for value in values]
    centre = median(logarithms)
    mean = sum(logarithms) / len(logarithms)
    spread = math.sqrt(sum((x - mean) ** 2 for x in logarithms) / max(1, len(logarithms) - 1))
    return Fit(name, len(values), math.exp(centre) if any(values) else 0.0, spread if any(values) else 0.0)


def profile_data(fits: Iterable[Fit]) -> dict[str, Any]:
    """The profile as `backends.simulated.latency.profile` reads it; what was not measured stays as in `default`.

    A guest's reads while it boots are in what was measured, so `boot_ios` and `clone_ios` are none.
    """
    data: dict[str, Any] = {"transfers": False, "boot_ios": 0, "clone_ios": 0}
    for each in fits:
        data[each.parameter] = each.distribution if each.median > 0 else 0
    return data
