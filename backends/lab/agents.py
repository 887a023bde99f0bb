"""Agents on a lab's hosts."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from backends.lab.hosts import LabHost

COMMAND = (str(Path(sys.executable).with_name("cloudsim")), "agent")


def start_agent(host: LabHost, manager: str, token: str, options: Mapping[str, object]) -> None:
    """Enrol the host with the manager at that URL, and keep an agent running on it.

    `options` are those of `cloudsim agent setup` without their dashes; True stands for one that takes no value. Raises
    LabError with the agent's own words.
    """
    said = [f"--manager={manager}", f"--name={host.name}", f"--private-ip={host.address}"]
    for name, value in options.items():
        said.append(f"--{name}" if value is True else f"--{name}={value}")
    data = f"--data={host.folder.agent}"
    host.exec([*COMMAND, "setup", f"--token={token}", data, *said])
    host.run_agent([*COMMAND, data], {})
