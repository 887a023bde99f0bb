"""Virtual routers of networks, VPCs and internal load balancers: made when they are needed, kept to what the rows say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.public_ips import PublicIps
from cloudsim.management.network.router_use import has_router
from cloudsim.management.systemvm.router_configuration import RouterConfigurations
from cloudsim.management.systemvm.router_legs import RouterLegs
from cloudsim.management.systemvm.system_vms import GuestLeg, SystemVms
from cloudsim.model import (
    Account,
    IpRange,
    LoadBalancerRule,
    Network,
    NetworkOffering,
    Nic,
    PrivateGateway,
    PublicIp,
    SystemVm,
    Vpc,
    VpcOffering,
    Zone,
)
from cloudsim.protocol.systemvm import ConfigureRouter

log = logging.getLogger(__name__)


class RouterReplaced(ResourceUnavailable):
    """The router serves nothing any more; another one may."""


class _Sync:
    """How far a router is: `asked` counts changes, `done` the last of them that it has acknowledged."""

    __slots__ = ("asked", "done", "lock")

    def __init__(self) -> None:
        self.asked = 0
        self.done = 0
        self.lock = asyncio.Lock()


class Routers:
    """The routers of one cloud. A change of rules is followed by `sync`, which returns once it is in force."""

    def __init__(
        self,
        foundation: Foundation,
        system_vms: SystemVms,
        public_ips: PublicIps,
        legs: RouterLegs,
        spawn: Callable[[Coroutine[Any, Any, Any]], Any],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._system = system_vms
        self._public_ips = public_ips
        self._legs = legs
        self._spawn = spawn
        self._configurations = RouterConfigurations(foundation)
        self._rows = foundation.table(SystemVm)
        self._networks = foundation.table(Network)
        self._offerings = foundation.table(NetworkOffering)
        self._vpcs = foundation.table(Vpc)
        self._zones = foundation.table(Zone)
        self._accounts = foundation.table(Account)
        self._ips = foundation.table(PublicIp)
        self._locks: dict[str, asyncio.Lock] = {}
        self._syncs: dict[str, _Sync] = {}
        system_vms.on_gone.append(self._gone)

    def _gone(self, router: SystemVm) -> None:
        self._syncs.pop(router.id, None)

    # which there are

    def of(self, network: Network) -> SystemVm | None:
        """The router that serves the network, if it has one."""
        if network.vpc_id is not None:
            return self.of_vpc(network.vpc_id)
        found = self._rows.where("network_id", network.id)
        return next((row for row in found if row.kind == "DomainRouter"), None)

    def of_vpc(self, vpc_id: str) -> SystemVm | None:
        """The VPC's router, if it has one."""
        return next(iter(self._rows.where("vpc_id", vpc_id)), None)

    def internal_balancers(self, network: Network) -> list[SystemVm]:
        """The internal load balancers in the tier."""
        found = self._rows.where("network_id", network.id)
        return [row for row in found if row.kind == "InternalLoadBalancerVm"]

    def is_routed(self, network: Network) -> bool:
        """Whether a router serves the network once it is implemented."""
        return has_router(self._store, network, self._offerings.get(network.network_offering_id))

    # making sure that there is one

    def _lock(self, what: str) -> asyncio.Lock:
        return self._locks.setdefault(what, asyncio.Lock())

    async def ensure(self, network_id: str) -> SystemVm | None:
        """Have the network's router run and know what it is to do; None for a network that has none.

        Raises InsufficientCapacity or what else stands against it.
        """
        network = self._networks[network_id]
        if not self.is_routed(network):
            return None
        if network.vpc_id is not None:
            return await self._ensure_tier(network)
        async with self._lock(network_id):
            router = self.of(network)
            if network_id not in self._networks:
                raise ResourceUnavailable(f"Network {network.name} was removed meanwhile")
            if router is None:
                router = await self._deploy(network)
            elif not self._system.runs(router):
                await self._start(router)
            else:
                return router
            await self._sync(router)
            return router

    async def _start(self, router: SystemVm) -> None:
        await self._system.in_turn(router.id, "startRouter", partial(self._system.started, router.id))

    async def _deploy(self, network: Network) -> SystemVm:
        zone, offering = self._zones[network.zone_id], self._offerings[network.network_offering_id]
        public = None
        address = network.gateway
        if network.guest_type == "Shared":
            address = network.router_ip  # the gateway is another machine
        elif offering.services.get("SourceNat"):
            public = self._source_nat(network, zone)
        return await self._system.deploy(
            "DomainRouter",
            zone,
            network=network,
            legs=(GuestLeg(network, address),),
            public=public,
            service_offering_id=offering.service_offering_id,
        )

    def _source_nat(self, network: Network, zone: Zone) -> PublicIp:
        for ip in self._ips.where("network_id", network.id):
            if ip.source_nat:
                return ip
        owner = self._accounts[network.account_id]
        return self._public_ips.acquire(owner, zone, network=network, source_nat=True)

    async def _ensure_tier(self, tier: Network) -> SystemVm:
        assert tier.vpc_id is not None
        router = await self.ensure_vpc(tier.vpc_id)
        async with self._lock(tier.vpc_id):
            if not self._legs.has(router, tier):
                await self._legs.plug(router, tier)
            await self._sync(router)
        return router

    async def ensure_vpc(self, vpc_id: str) -> SystemVm:
        """Have the VPC's router run, with a leg in each tier that is implemented, and know what it is to do."""
        async with self._lock(vpc_id):
            router, vpc = self.of_vpc(vpc_id), self._vpcs.get(vpc_id)
            if vpc is None:
                raise ResourceUnavailable(f"VPC {vpc_id} was removed meanwhile")
            if router is None:
                router = await self._deploy_vpc(vpc)
            elif not self._system.runs(router):
                await self._start(router)
            else:
                return router
            await self._sync(router)
            return router

    async def _deploy_vpc(self, vpc: Vpc) -> SystemVm:
        zone = self._zones[vpc.zone_id]
        offering = self._foundation.table(VpcOffering).get(vpc.vpc_offering_id)
        public = next((ip for ip in self._ips.where("vpc_id", vpc.id) if ip.source_nat), None)
        if public is None:
            owner = self._accounts[vpc.account_id]
            public = self._public_ips.acquire(owner, zone, vpc=vpc, source_nat=True)
        tiers = [t for t in self._networks.where("vpc_id", vpc.id) if t.state in ("Implementing", "Implemented")]
        router = await self._system.deploy(
            "DomainRouter",
            zone,
            vpc=vpc,
            legs=tuple(GuestLeg(tier, tier.gateway) for tier in tiers),
            public=public,
            service_offering_id=offering.service_offering_id if offering is not None else None,
        )
        for gateway in self._foundation.table(PrivateGateway).where("vpc_id", vpc.id):
            await self._legs.plug_private(router, gateway)
        return router

    async def ensure_internal_lb(self, rule_id: str) -> SystemVm:
        """Have the internal load balancer of the rule's source address run and know what it is to do."""
        rule = self._foundation.table(LoadBalancerRule)[rule_id]
        network = self._networks[rule.source_network_id or rule.network_id]
        if rule.source_ip is None:
            raise InvalidParameterValue(f"Load balancer {rule.name} has no source address")
        async with self._lock(f"{network.id} {rule.source_ip}"):
            found = [row for row in self.internal_balancers(network) if row.guest_ip == rule.source_ip]
            if not found:
                legs = (GuestLeg(network, rule.source_ip),)
                zone = self._zones[network.zone_id]
                balancer = await self._system.deploy("InternalLoadBalancerVm", zone, network=network, legs=legs)
            else:
                balancer = found[0]
                if not self._system.runs(balancer):
                    await self._start(balancer)
            await self._sync(balancer)
            return balancer

    async def successor(self, row: SystemVm) -> SystemVm | None:
        """Another router for what this one, which is retired, served; None where nothing needs one."""
        if row.vpc_id is not None:
            return await self.ensure_vpc(row.vpc_id) if row.vpc_id in self._vpcs else None
        network = self._networks.get(row.network_id)
        if network is None or network.state not in ("Implemented", "Setup"):
            return None
        if row.kind == "DomainRouter":
            return await self.ensure(network.id)
        for rule in self._foundation.table(LoadBalancerRule).where("network_id", network.id):
            if rule.scheme == "Internal" and rule.source_ip == row.guest_ip and rule.state != "Revoke":
                return await self.ensure_internal_lb(rule.id)
        return None

    def orphans(self) -> list[Network]:
        """Networks that instances use and that should have a router, and have none."""
        zones = {row.zone_id for row in self._foundation.table(IpRange) if row.public}
        return [
            network
            for zone_id in zones
            for network in self._networks.where(("zone_id", "traffic_type"), (zone_id, "Guest"))
            if network.state == "Implemented" and self.is_routed(network) and self.of(network) is None
        ]

    # keeping it to what the rows say

    async def sync(self, network_id: str) -> None:
        """Bring the routers of the network, or of its VPC, to what the rows say; returns once that is in force.

        Where none runs there is nothing to do: one that starts is told. Raises ResourceUnavailable where a router
        cannot be reached, CloudError with its reason where it refuses.
        """
        network = self._networks.get(network_id)
        if network is None:
            return
        router = self.of(network)
        for each in (*((router,) if router is not None else ()), *self.internal_balancers(network)):
            if self._system.runs(each):
                try:
                    await self._sync(each)
                except RouterReplaced:
                    return await self.sync(network_id)

    async def sync_vpc(self, vpc_id: str) -> None:
        """As `sync`, for the router of the VPC."""
        router = self.of_vpc(vpc_id)
        if router is not None and self._system.runs(router):
            try:
                await self._sync(router)
            except RouterReplaced:
                await self.sync_vpc(vpc_id)

    def touch(self, network_id: str) -> None:
        """`sync` in the background: where it fails, the next one or the watch does it."""

        async def later() -> None:
            try:
                await self.sync(network_id)
            except CloudError as error:
                log.warning("the router of network %s is behind: %s", network_id, error)

        if self._rows.count("network_id", network_id) or self._tier_of_router(network_id):
            self._spawn(later())

    def _tier_of_router(self, network_id: str) -> bool:
        network = self._networks.get(network_id)
        return network is not None and network.vpc_id is not None and self.of_vpc(network.vpc_id) is not None

    async def _sync(self, router: SystemVm) -> None:
        """Changes that come while the router is being told are told together."""
        state = self._syncs.setdefault(router.id, _Sync())
        state.asked += 1
        mine = state.asked
        async with state.lock:
            if state.done >= mine:
                return
            now = self._rows.get(router.id)
            if now is None or self._system.is_retired(now):
                raise RouterReplaced("The router was removed meanwhile")
            told = state.asked
            with self._store.transaction():
                router = self._rows.update(router.id, configured=self._rows[router.id].configured + 1)
            configuration = self._configurations.of(router)
            await self._system.ask(
                router.id, ConfigureRouter(number=router.configured, configuration=configuration)
            )
            state.done = told

    def is_behind(self, router: SystemVm) -> bool:
        """Whether it has not acknowledged all changes."""
        state = self._syncs.get(router.id)
        return state is not None and state.done < state.asked

    async def tell_again(self, router: SystemVm) -> None:
        """Configure it whether anything changed or not."""
        await self._sync(router)

    # taking away

    async def shut_down(self, network: Network) -> None:
        """The network is not used any more: its router goes, or its leg in the network."""
        for balancer in self.internal_balancers(network):
            await self._destroy(balancer)
        router = self.of(network)
        if router is None:
            return
        if network.vpc_id is None:
            async with self._lock(network.id):
                await self._destroy(router)
            return
        async with self._lock(network.vpc_id):
            if self._legs.has(router, network):
                await self._legs.unplug(router, network)

    def abandon(self, network: Network) -> None:
        """The network goes although `shut_down` failed: its routers serve nobody, and go once their hosts can be told."""
        router = self.of(network)
        for balancer in self.internal_balancers(network):
            self._system.retire(balancer)
        if router is not None and network.vpc_id is None:
            self._system.retire(router)
        elif router is not None:
            self._legs.forget(router, network)

    async def remove_vpc_router(self, vpc_id: str) -> None:
        """The VPC is deleted or restarted with a clean-up: its router goes."""
        async with self._lock(vpc_id):
            router = self.of_vpc(vpc_id)
            if router is not None:
                await self._destroy(router)

    async def _destroy(self, router: SystemVm) -> None:
        await self._system.in_turn(router.id, "destroyRouter", partial(self._system.destroyed, router.id))

    def make_anew(self, routers: list[SystemVm]) -> None:
        """Replace these by new ones of the newest template, one after the other, in the background."""

        async def replace() -> None:
            for router in routers:
                try:
                    await self._replace(router)
                except CloudError as error:
                    log.warning("router %s could not be made anew: %s", router.id, error)

        self._spawn(replace())

    async def _replace(self, router: SystemVm) -> None:
        if router.id not in self._rows:
            return
        if router.vpc_id is not None:
            await self.restart_vpc(self._vpcs[router.vpc_id], cleanup=True)
            return
        network = self._networks.get(router.network_id)
        if network is not None:
            await self.restart(network, cleanup=True)

    async def restart(self, network: Network, *, cleanup: bool) -> None:
        """Bring the network's services up again; with `cleanup` by a new router."""
        if cleanup and network.vpc_id is None:
            await self.shut_down(network)
        await self.ensure(network.id)
        await self.sync(network.id)

    async def restart_vpc(self, vpc: Vpc, *, cleanup: bool) -> None:
        """Bring the VPC's services up again; with `cleanup` by a new router."""
        if cleanup:
            await self.remove_vpc_router(vpc.id)
        await self.ensure_vpc(vpc.id)
        await self.sync_vpc(vpc.id)

    # private gateways

    async def plug_private(self, gateway: PrivateGateway) -> None:
        """Give the VPC's router, if it runs, its leg in the gateway's network, and tell it."""
        router = self.of_vpc(gateway.vpc_id)
        if router is None:
            return
        async with self._lock(gateway.vpc_id):
            await self._legs.plug_private(router, gateway)
        await self.sync_vpc(gateway.vpc_id)

    async def unplug_private(self, gateway: PrivateGateway) -> None:
        """Take that leg away. The gateway's row is Deleting or gone."""
        router = self.of_vpc(gateway.vpc_id)
        if router is None:
            return
        await self.sync_vpc(gateway.vpc_id)
        async with self._lock(gateway.vpc_id):
            await self._legs.unplug_private(router, gateway)

    def networks_of(self, router: SystemVm) -> list[Network]:
        """The guest networks that it has legs in."""
        nics = self._foundation.table(Nic).where("vm_id", router.id)
        found = [self._networks[nic.network_id] for nic in nics]
        return [network for network in found if network.traffic_type == "Guest"]
