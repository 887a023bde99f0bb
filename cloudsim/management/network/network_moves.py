"""Moving networks in use to another physical network, or to other providers of their services.

The offering that a network moves to decides where: to a physical network with the offering's tags. The network gets a VLAN
there, its router is replaced by a new one, and each card of an instance that runs is taken out of the old VLAN and put into
the new one, with the same addresses. A card whose host cannot be told, or whose instance is busy, stays behind; the network
notes it, and the same call with `resume` moves what is left. A VPC moves with all its tiers.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from msgspec.structs import replace

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceUnavailable
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.network.guest_vlans import GuestVlans
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.vlans import isolation_of
from cloudsim.model import (
    FirewallRule,
    IpForwardingRule,
    LoadBalancerRule,
    Network,
    NetworkOffering,
    Nic,
    PhysicalNetwork,
    PortForwardingRule,
    PublicIp,
    RemoteAccessVpn,
    VirtualMachine,
    Vpc,
    VpcOffering,
    VpnGateway,
)
from cloudsim.model.network import NetworkMove
from cloudsim.protocol.commands import PlugNicCommand, UnplugNicCommand

_USES = (
    (FirewallRule, "Firewall"),
    (PortForwardingRule, "PortForwarding"),
    (IpForwardingRule, "StaticNat"),
    (LoadBalancerRule, "Lb"),
)
"""Rules that need a service of their network."""


class Jobs(Protocol):
    """What is needed of the job engine: instances that a job works on are left alone, others held meanwhile."""

    def busy(self, instance_id: str) -> bool: ...

    async def hold(self, instance_id: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any: ...


class Routing(Protocol):
    """What is needed of the routers; `cloudsim.management.systemvm.routers.Routers`."""

    async def shut_down(self, network: Network) -> None: ...

    async def ensure(self, network_id: str) -> Any: ...

    async def remove_vpc_router(self, vpc_id: str) -> None: ...

    async def ensure_vpc(self, vpc_id: str) -> Any: ...


class NetworkMoves:
    """Checks and makes moves. Nothing is changed by what raises while it checks."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        nics: Nics,
        vlans: GuestVlans,
        routers: Routing,
        jobs: Jobs,
        check_offering: Callable[[Network, NetworkOffering], None],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._give = nics
        self._vlans = vlans
        self._routers = routers
        self._jobs = jobs
        self._check_offering = check_offering
        self._networks = foundation.table(Network)
        self._offerings = foundation.table(NetworkOffering)
        self._physical = foundation.table(PhysicalNetwork)
        self._vpcs = foundation.table(Vpc)
        self._vpc_offerings = foundation.table(VpcOffering)
        self._nics = foundation.table(Nic)
        self._vms = foundation.table(VirtualMachine)

    # networks

    def check(self, network: Network, offering: NetworkOffering, *, resume: bool) -> None:
        """Raise what stands against moving the network to that offering."""
        if network.vpc_id is not None:
            raise InvalidParameterValue(
                f"Network {network.name} is part of a VPC: it moves with its VPC, by migrateVPC"
            )
        if self._goes_on(network, offering, resume):
            return
        if network.guest_type == "Shared" or network.is_default or network.traffic_type != "Guest":
            raise InvalidParameterValue(
                f"Network {network.name} cannot be migrated: only isolated and L2 networks of accounts can"
            )
        self._check_offering(network, offering)
        self._check_move(network, offering)
        if self._destination(network, offering).id == network.physical_network_id and self._same_providers(
            network, offering
        ):
            raise InvalidParameterValue(
                f"Network {network.name} is where offering {offering.name} leads to: the same physical network and the same "
                "providers, so that nothing can be migrated"
            )

    async def move(self, network_id: str, offering: NetworkOffering, *, resume: bool = False) -> Network:
        """Move the network, or what is left of it. Raises ResourceUnavailable when cards had to stay behind."""
        network = self._networks[network_id]
        self.check(network, offering, resume=resume)
        if network.move is None:
            await self._routers.shut_down(network)
            with self._store.transaction():
                self._switch(self._networks[network_id], offering)
        if self._networks[network_id].state == "Implemented":
            await self._routers.ensure(network_id)
        self._end({network_id: await self._move_cards(network_id)})
        return self._networks[network_id]

    # VPCs

    def check_vpc(
        self, vpc: Vpc, offering: VpcOffering, tiers: Mapping[str, NetworkOffering], *, resume: bool
    ) -> None:
        """Raise what stands against moving the VPC. `tiers`: the new offering of each of its networks, by the id."""
        own = self._networks.where("vpc_id", vpc.id)
        foreign = set(tiers) - {tier.id for tier in own}
        if foreign:
            raise InvalidParameterValue(
                f"tiernetworkofferings: network {min(foreign)} is not one of VPC {vpc.name}"
            )
        missing = [tier.name for tier in own if tier.id not in tiers]
        if missing:
            raise InvalidParameterValue(
                f"tiernetworkofferings: no network offering for {', '.join(sorted(missing))}: all tiers move together"
            )
        if any(tier.move is not None for tier in own):
            if vpc.vpc_offering_id != offering.id:
                raise InvalidParameterValue(
                    f"VPC {vpc.name} is being migrated to another VPC offering: resume that first"
                )
            for tier in own:
                if tier.move is not None:
                    self._goes_on(tier, tiers[tier.id], resume)
            return
        if offering.state != "Enabled":
            raise InvalidParameterValue(f"VPC offering {offering.name} is {offering.state}")
        if offering.zone_ids and vpc.zone_id not in offering.zone_ids:
            raise InvalidParameterValue(
                f"VPC offering {offering.name} is not available in the zone of {vpc.name}"
            )
        before = self._vpc_offerings[vpc.vpc_offering_id]
        if offering.internet_protocol != before.internet_protocol:
            raise InvalidParameterValue(
                f"Only one of VPC offerings {before.name} and {offering.name} has IPv6"
            )
        for service in ("SourceNat", "Vpn"):
            used = (
                service == "SourceNat"
                or self._foundation.table(VpnGateway).find("vpc_id", vpc.id) is not None
            )
            if used and service in before.services and service not in offering.services:
                raise InvalidParameterValue(
                    f"VPC offering {offering.name} lacks {service}, which VPC {vpc.name} uses"
                )
        for tier in own:
            self._check_tier(tier, tiers[tier.id], offering)
        moved = any(
            self._destination(tier, tiers[tier.id]).id != tier.physical_network_id
            or not self._same_providers(tier, tiers[tier.id])
            for tier in own
        )
        if not moved and offering.services == before.services:
            raise InvalidParameterValue(
                f"VPC {vpc.name} is where the offerings lead to: the same physical network and the same providers, so that "
                "nothing can be migrated"
            )

    def _check_tier(self, tier: Network, offering: NetworkOffering, vpc_offering: VpcOffering) -> None:
        if not offering.for_vpc or offering.guest_type != "Isolated" or offering.state != "Enabled":
            raise InvalidParameterValue(f"Network offering {offering.name} cannot be used for tiers of VPCs")
        for service, providers in offering.services.items():
            for provider in providers:
                if provider not in vpc_offering.services.get(service, ()):
                    raise InvalidParameterValue(
                        f"Service/provider combination {service}/{provider} of network offering {offering.name} is not "
                        f"supported by VPC offering {vpc_offering.name}"
                    )
        if tier.acl_id is not None and "NetworkACL" not in offering.services:
            raise InvalidParameterValue(
                f"Network offering {offering.name} lacks NetworkACL, which {tier.name} uses"
            )
        self._check_move(tier, offering)

    async def move_vpc(
        self,
        vpc_id: str,
        offering: VpcOffering,
        tiers: Mapping[str, NetworkOffering],
        *,
        resume: bool = False,
    ) -> Vpc:
        """Move the VPC with its tiers, or what is left of them. Raises ResourceUnavailable when cards had to stay behind."""
        vpc = self._vpcs[vpc_id]
        self.check_vpc(vpc, offering, tiers, resume=resume)
        if all(self._networks[tier].move is None for tier in tiers):
            for tier in tiers:
                await self._routers.shut_down(self._networks[tier])
            await self._routers.remove_vpc_router(vpc_id)
            with self._store.transaction():
                self._vpcs.update(vpc_id, vpc_offering_id=offering.id)
                for tier, chosen in tiers.items():
                    self._switch(self._networks[tier], chosen)
        if vpc.started:
            await self._routers.ensure_vpc(vpc_id)
            for tier in tiers:
                if self._networks[tier].state == "Implemented":
                    await self._routers.ensure(tier)
        self._end({tier: await self._move_cards(tier) for tier in tiers})
        return self._vpcs[vpc_id]

    # what both do

    def _goes_on(self, network: Network, offering: NetworkOffering, resume: bool) -> bool:
        """Whether a move that was not finished is gone on with. Raises InvalidParameterValue if that is not what is asked."""
        if network.move is None:
            return False
        if not resume:
            raise InvalidParameterValue(
                f"The migration of network {network.name} was not finished: {len(network.move.nics)} NICs are left; "
                "resume must be true to go on with it"
            )
        if network.network_offering_id != offering.id:
            raise InvalidParameterValue(
                f"Network {network.name} is being migrated to another network offering: resume that first"
            )
        return True

    def _check_move(self, network: Network, offering: NetworkOffering) -> None:
        to = self._destination(network, offering)
        for row_type, service in _USES:
            rows: list[Any] = self._foundation.table(row_type).where("network_id", network.id)
            if rows and service not in offering.services:
                raise InvalidParameterValue(
                    f"Network offering {offering.name} lacks {service}, of which network {network.name} has rules"
                )
        for address in self._foundation.table(PublicIp).where("network_id", network.id):
            if address.static_nat_vm_id is not None and "StaticNat" not in offering.services:
                raise InvalidParameterValue(
                    f"Network offering {offering.name} lacks StaticNat, which {address.ip} uses"
                )
            dialled = self._foundation.table(RemoteAccessVpn).find("public_ip_id", address.id)
            if dialled is not None and "Vpn" not in offering.services:
                raise InvalidParameterValue(
                    f"Network offering {offering.name} lacks Vpn, which {address.ip} uses"
                )
            if address.source_nat and network.vpc_id is None and "SourceNat" not in offering.services:
                raise InvalidParameterValue(
                    f"Network offering {offering.name} lacks SourceNat, which network {network.name} has on {address.ip}"
                )
        if to.id == network.physical_network_id:
            return
        before = self._offerings.get(network.network_offering_id)
        if offering.specify_vlan or (before is not None and before.specify_vlan):
            raise InvalidParameterValue(
                f"The VLAN of network {network.name} was given, or would have to be: it cannot be migrated to another "
                "physical network"
            )
        if network.vlan is not None:
            self._vlans.free(replace(network, physical_network_id=to.id))  # raises where there is none

    def _destination(self, network: Network, offering: NetworkOffering) -> PhysicalNetwork:
        """The physical network that the offering's tags lead to: the present one where they do not lead elsewhere."""
        wires = [
            wire
            for wire in self._physical.where("zone_id", network.zone_id)
            if wire.state == "Enabled" and set(offering.tags) <= set(wire.tags)
        ]
        if not wires:
            raise InvalidParameterValue(
                f"Unable to find an enabled physical network with the tags of network offering {offering.name}: "
                f"{', '.join(offering.tags) or 'none'}"
            )
        return next((wire for wire in wires if wire.id == network.physical_network_id), wires[0])

    def _same_providers(self, network: Network, offering: NetworkOffering) -> bool:
        before = self._offerings.get(network.network_offering_id)
        return before is not None and before.services == offering.services

    def _switch(self, network: Network, offering: NetworkOffering) -> None:
        """Have the network be of that offering, where that leads to. Needs an open transaction."""
        to = self._destination(network, offering)
        changes: dict[str, Any] = {"network_offering_id": offering.id}
        if network.vlan is not None and to.id != network.physical_network_id:
            isolation = isolation_of(self._physical.get(network.physical_network_id))
            on_hosts = tuple(nic.id for nic in self._plugged(network))
            changes["move"] = NetworkMove(
                physical_network_id=network.physical_network_id,
                vlan=network.vlan,
                isolation=isolation,
                nics=on_hosts,
            )
            changes["vlan"] = self._vlans.free(replace(network, physical_network_id=to.id))
        changes["physical_network_id"] = to.id
        self._networks.update(network.id, **changes)

    def _plugged(self, network: Network) -> list[Nic]:
        return [
            nic
            for nic in self._nics.where("network_id", network.id)
            if (vm := self._vms.get(nic.vm_id)) is not None and vm.type == "User" and vm.host_id is not None
        ]

    async def _move_cards(self, network_id: str) -> list[str]:
        """Put the cards that are left into the network's new VLAN; returns why others stay."""
        move = self._networks[network_id].move
        why: list[str] = []
        for nic_id in move.nics if move is not None else ():
            nic = self._nics.get(nic_id)
            vm = self._vms.get(nic.vm_id) if nic is not None else None
            if nic is not None and vm is not None and vm.host_id is not None:
                try:
                    await self._move_card(vm.id, nic_id)
                except CloudError as error:
                    why.append(f"{vm.name}: {error.text}")
                    continue
            self._moved(network_id, nic_id)  # it moved, or comes up in the new VLAN when its instance starts
        return why

    async def _move_card(self, vm_id: str, nic_id: str) -> None:
        if self._jobs.busy(vm_id):
            raise ResourceUnavailable("a job works on the instance")

        async def work() -> None:
            vm, nic = self._vms[vm_id], self._nics[nic_id]
            if vm.state != "Running" or vm.host_id is None:
                raise ResourceUnavailable(f"the instance is {vm.state}")
            new, move = self._give.spec(nic), self._networks[nic.network_id].move
            assert move is not None
            old = replace(new, vlan=move.vlan, isolation=move.isolation)
            for command in (
                UnplugNicCommand(vm=vm.instance_name, nic=old),
                PlugNicCommand(vm=vm.instance_name, nic=new),
            ):
                answer = await self._agents.send(vm.host_id, command)
                if not answer.ok:
                    raise ResourceUnavailable(answer.error or f"its host could not move NIC {nic.mac}")

        await self._jobs.hold(vm_id, work)

    def _moved(self, network_id: str, nic_id: str) -> None:
        move = self._networks[network_id].move
        if move is not None:
            left = tuple(each for each in move.nics if each != nic_id)
            with self._store.transaction():
                self._networks.update(network_id, move=replace(move, nics=left))

    def _end(self, stayed: Mapping[str, list[str]]) -> None:
        """Moves are over where no card is left. Raises ResourceUnavailable, saying which cards stayed."""
        with self._store.transaction():
            for network_id, why in stayed.items():
                if not why and self._networks[network_id].move is not None:
                    self._networks.update(network_id, move=None)
        reasons = [reason for why in stayed.values() for reason in why]
        if reasons:
            raise ResourceUnavailable(
                f"{len(reasons)} NICs could not be migrated, resume=true tries them again: {'; '.join(reasons[:5])}"
            )
