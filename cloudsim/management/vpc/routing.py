"""What the services of VPCs need of those that run routers and keep public addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from cloudsim.model import Account, PrivateGateway, PublicIp, SystemVm, Vpc, Zone


class VpcRouting(Protocol):
    """Brings the routers of VPCs to what the rows say."""

    def of_vpc(self, vpc_id: str) -> SystemVm | None:
        """The VPC's router, if it has one."""

    async def ensure_vpc(self, vpc_id: str) -> Any:
        """Have the VPC's router run, with its source NAT address. Raises what stands against it."""

    async def sync_vpc(self, vpc_id: str) -> Any:
        """Have the VPC's router do what the rows say; nothing where none runs. Raises ResourceUnavailable."""

    async def remove_vpc_router(self, vpc_id: str) -> Any:
        """Destroy the VPC's router, if it has one."""

    async def restart_vpc(self, vpc: Vpc, *, cleanup: bool) -> Any:
        """Bring the VPC's services up again; with `cleanup` by a new router."""

    async def plug_private(self, gateway: PrivateGateway) -> Any:
        """Give the VPC's router, if it has one, its leg in the gateway's network, and tell it."""

    async def unplug_private(self, gateway: PrivateGateway) -> Any:
        """Take that leg away."""


class Addresses(Protocol):
    """The public addresses of a zone; `cloudsim.management.network.public_ips.PublicIps`."""

    def acquire(
        self,
        owner: Account,
        zone: Zone,
        *,
        vpc: Vpc | None = None,
        wanted: str | None = None,
        source_nat: bool = False,
    ) -> PublicIp:
        """A free address, or the one that is wanted, for the VPC. Within the caller's transaction."""

    def release_all(self, ips: Iterable[PublicIp]) -> Any:
        """Give the addresses back. Within the caller's transaction."""
