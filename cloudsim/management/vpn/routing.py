"""What the VPN services need of those that run routers."""

from __future__ import annotations

from typing import Any, Protocol

from cloudsim.model import SystemVm
from cloudsim.protocol.systemvm import AnyReply, AnyRequest


class VpnRouting(Protocol):
    """Brings routers to what the rows say; `cloudsim.management.systemvm.routers.Routers`."""

    async def sync(self, network_id: str) -> Any:
        """Bring the routers of the network to what the rows say."""

    async def sync_vpc(self, vpc_id: str) -> Any:
        """The same for the VPC's router."""

    def of_vpc(self, vpc_id: str) -> SystemVm | None:
        """The VPC's router, if it has one."""


class Asking(Protocol):
    """Asks system VMs; `cloudsim.management.systemvm.system_vms.SystemVms`."""

    async def ask(self, vm_id: str, request: AnyRequest) -> AnyReply:
        """What it replies. Raises ResourceUnavailable if it does not."""
