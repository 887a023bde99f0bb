"""The files that an instance has on the host it runs on, beside its disks."""

from __future__ import annotations

import shutil
from pathlib import Path

_NVRAM = Path("/var/lib/libvirt/qemu/nvram")
"""Where libvirt itself keeps a guest's UEFI variables. It leaves them behind, also those of a transient
domain."""


def console_log(data: Path, name: str) -> Path:
    """What the instance wrote to its serial console, since its last start; it stays when that stops."""
    return data / "consoles" / f"{name}.log"


def config_drive_folder(data: Path, name: str) -> Path:
    """The folder for the instance's config drive alone."""
    return data / "config-drives" / name


def make_ready(data: Path, name: str) -> None:
    """Make the folders, and forget what an earlier run left, its console output too. Raises OSError."""
    remove(data, name)
    log = console_log(data, name)
    log.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    config_drive_folder(data, name).mkdir(mode=0o711, parents=True, exist_ok=True)


def remove(data: Path, name: str) -> None:
    """The instance does not run here any more. Succeeds if nothing of it is left. Raises OSError."""
    shutil.rmtree(config_drive_folder(data, name), ignore_errors=True)
    (_NVRAM / f"{name}_VARS.fd").unlink(missing_ok=True)
