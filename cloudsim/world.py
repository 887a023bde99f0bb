"""What a management server needs of the world it runs in; a backend supplies one by entry point `cloudsim.backends`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any, Protocol

import msgspec

from cloudsim.certificate_authority import CertificateAuthority
from cloudsim.out_of_band import PowerDriver
from cloudsim.protocol.link import Link


class HostDiscovery(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says of a host to add: `addHost`'s parameters."""

    url: str
    zone_id: str
    pod_id: str
    cluster_id: str
    username: str = ""
    password: str = ""
    pod_cidr_start: str = ""
    pod_cidr_end: str = ""


class World(Protocol):
    """A datacenter: hosts with an agent each, and time."""

    hypervisor: str
    """How hosts of this world are spelled on the wire, e.g. `Simulator`."""

    loop: asyncio.AbstractEventLoop

    out_of_band: Mapping[str, PowerDriver]
    """What switches the power of hosts of this world, by the name that operators give; empty where nothing can."""

    certificate_authorities: Mapping[str, CertificateAuthority]
    """Who signs the certificates of its agents, by name; empty where agents have none."""

    def now(self) -> float:
        """Unix seconds, in this world's time."""

    def attach(self, accept: Callable[[Link], None]) -> None:
        """From now on agents that connect are handed to `accept`; the manager's earlier one is gone."""

    async def discover(self, host: HostDiscovery) -> str:
        """Start an agent on the host at that URL and return its guid; it connects on its own.

        Raises InvalidParameterValue for a URL that is not one of this world's.
        """


class WorldUnavailable(Exception):
    """The world cannot be had on this machine; the text says what is missing."""


def backend(name: str) -> Any:
    """The backend class registered as `name`. LookupError, naming those there are, for another."""
    found = {e.name: e for e in entry_points(group="cloudsim.backends")}
    if name not in found:
        raise LookupError(f"no backend {name!r}; installed: {', '.join(sorted(found)) or 'none'}")
    return found[name].load()
