"""Real hosts as the world that a management server runs in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from backends.wire.gateway import Gateway
from backends.wire.ipmitool import Ipmitool
from backends.wire.root_authority import RootAuthority
from cloudsim.certificate_authority import CertificateAuthority
from cloudsim.errors import InvalidParameterValue
from cloudsim.out_of_band import PowerDriver
from cloudsim.protocol.link import Link
from cloudsim.world import HostDiscovery

HYPERVISOR = "KVM"
CONNECTS_WITHIN = 60.0
"""Seconds that addHost waits for an agent that is not there yet."""


class RealWorld:
    """Implements `cloudsim.world.World`. Time is the machine's; agents come in by the gateway.

    The gateway is started and stopped by its owner.
    """

    hypervisor = HYPERVISOR

    def __init__(
        self, loop: asyncio.AbstractEventLoop, gateway: Gateway, connects_within: float = CONNECTS_WITHIN
    ) -> None:
        self.loop = loop
        self.gateway = gateway
        self.out_of_band: Mapping[str, PowerDriver] = {"ipmitool": Ipmitool()}
        self.certificate_authorities: Mapping[str, CertificateAuthority] = {"root": RootAuthority(gateway)}
        self._connects_within = connects_within

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def attach(self, accept: Callable[[Link], None]) -> None:
        """Agents that connect from now on go to `accept`; the earlier manager's links close."""
        self.gateway.attach(accept)

    def detach(self) -> None:
        """The manager is gone: its links close, and agents are refused."""
        self.gateway.detach()

    async def discover(self, host: HostDiscovery) -> str:
        """The guid of the agent at `http://<address or name>`, which has connected, or does so within a minute.

        Nothing is installed on the host: its operator has set the agent up there.
        """
        key = _host_in(host.url)
        found = await self.gateway.find(key, self._connects_within)
        if not found:
            raise InvalidParameterValue(
                f"No agent has connected from {key} within {self._connects_within:g} seconds: run `cloudsim agent "
                "setup` there, with a token of `cloudsim agent token`, and start the agent"
            )
        if len(found) > 1:
            raise InvalidParameterValue(
                f"{key} may be any of the agents {', '.join(found)}: name one by its guid"
            )
        return found[0]


def _host_in(url: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts.hostname
    except ValueError:
        pass
    raise InvalidParameterValue(f"{url!r} is not a host: expected http://<address or name>")
