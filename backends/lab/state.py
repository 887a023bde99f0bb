"""What a lab's folder remembers of it."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import msgspec

from backends.lab.errors import LabError

FILE = "lab.json"


class Phase(StrEnum):
    MAKING = "making"
    UP = "up"
    DOWN = "down"


class LabState(msgspec.Struct, kw_only=True):
    """Written before anything is made, so that what a crash leaves can be found."""

    name: str
    phase: Phase
    network: str
    """The management network, as in 10.99.0.0/24: the machine is .1, host N is .10+N."""
    hosts: int
    notes: dict[str, str] = {}
    """What the builder of a cloud on this lab remembers: where its API is, and the like."""


def read_state(folder: Path) -> LabState | None:
    """None for a folder that never held a lab. Raises LabError for a file that is not one of ours."""
    file = folder / FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=LabState)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LabError(f"cannot read {file}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise LabError(f"{file} does not describe a lab: {error}") from error


def write_state(folder: Path, state: LabState) -> None:
    """After a crash it is the old one or the new one."""
    file = folder / FILE
    new = file.with_name(FILE + ".new")
    try:
        new.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n")
        new.replace(file)
    except OSError as error:
        raise LabError(f"cannot write {file}: {error.strerror}") from error


def address_of(network: IPv4Network, number: int) -> IPv4Address:
    """Of host `number`, counted from 1."""
    return network.network_address + 10 + number


def gateway_of(network: IPv4Network) -> IPv4Address:
    """The machine itself."""
    return network.network_address + 1
