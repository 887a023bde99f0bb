"""Public addresses for networks and VPCs: acquired and brought up on their routers, taken down and given back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from cloudsim.errors import InvalidParameterValue, PermissionDenied, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.network.public_ips import PublicIps
from cloudsim.model import (
    Account,
    IpRange,
    Network,
    NetworkOffering,
    PublicIp,
    RemoteAccessVpn,
    Vpc,
    VpnGateway,
    Zone,
)

WITH_ADDRESSES = frozenset({"SourceNat", "StaticNat", "PortForwarding", "Lb", "Firewall", "Vpn"})
"""A network needs one of these services to make use of a public address."""


class RouterSync(Protocol):
    """What addresses need of the routers; `cloudsim.management.systemvm.routers.Routers`."""

    async def sync(self, network_id: str) -> None:
        """Bring the routers of the network to what the rows say; return once that is in force."""

    async def sync_vpc(self, vpc_id: str) -> None:
        """As `sync`, for the router of a VPC."""


class Implementing(Protocol):
    """What addresses need of networks; `cloudsim.management.network.network_life.NetworkLife`."""

    async def implement(self, network_id: str) -> Network:
        """Make the network ready, with its router at work."""


class IpAssociation:
    """Associates addresses with networks and VPCs, and ends that.

    `remove_rules(address id)` is called in the transaction that begins to release an address.
    """

    def __init__(
        self,
        foundation: Foundation,
        public_ips: PublicIps,
        networks: Implementing,
        routers: RouterSync,
        remove_rules: Callable[[str], None],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._public_ips = public_ips
        self._life = networks
        self._routers = routers
        self._remove_rules = remove_rules
        self._table = foundation.table(PublicIp)
        self._networks = foundation.table(Network)
        self._offerings = foundation.table(NetworkOffering)
        self._zones = foundation.table(Zone)
        self._ranges = foundation.table(IpRange)
        self._vpcs = foundation.table(Vpc)

    # associating

    def only_network(self, owner: Account, zone: Zone) -> Network:
        """The account's isolated network in the zone, for a call that names none. InvalidParameterValue unless it has one."""
        found = [
            network
            for network in self._networks.where("account_id", owner.id)
            if network.zone_id == zone.id and network.guest_type == "Isolated" and network.vpc_id is None
        ]
        if not found:
            raise InvalidParameterValue(
                f"Account {owner.name} doesn't have any Isolated networks in the zone {zone.name}: "
                "networkid must be specified"
            )
        if len(found) > 1:
            raise InvalidParameterValue(
                f"Account {owner.name} has more than one Isolated network in the zone {zone.name}: "
                "networkid must be specified"
            )
        return found[0]

    def acquire(
        self,
        caller: Caller,
        owner: Account,
        *,
        network: Network | None = None,
        vpc: Vpc | None = None,
        zone: Zone | None = None,
        wanted: str | None = None,
        display: bool = True,
        portable: bool = False,
    ) -> PublicIp:
        """An address for the network or VPC, Allocating until `bring_up` is done. Raises what stands against it."""
        if network is not None:
            self.check_network(owner, network, vpc)
            zone_id = network.zone_id
        elif vpc is not None:
            self._check_owner(owner, vpc.account_id, f"VPC {vpc.name}")
            zone_id = vpc.zone_id
        else:
            raise InvalidParameterValue(
                "Unable to figure out zone to assign ip to. Please specify either zoneId, or networkId, or vpcId in the call"
            )
        if zone is not None and zone.id != zone_id:
            raise InvalidParameterValue(f"zoneid: the network or VPC is not in zone {zone.name}")
        zone = self._zones[zone_id]
        if zone.allocation_state == "Disabled" and not caller.is_root_admin:
            raise PermissionDenied(f"Cannot perform this operation, Zone is currently disabled: {zone.name}")
        reserved = None if portable else self._reserved(owner, zone, wanted)
        if reserved is None:
            if vpc is None and network is not None and network.vpc_id is not None:
                vpc = self._vpcs[network.vpc_id]
            take = self._public_ips.acquire_portable if portable else self._public_ips.acquire
            return take(
                owner, zone, network=network, vpc=vpc, wanted=wanted, display=display, state="Allocating"
            )
        beside = self._public_ips.beside(network, vpc)
        self._public_ips.check_beside(self._ranges[reserved.range_id], beside)
        return self._public_ips.update(
            reserved,
            network_id=network.id if network is not None else None,
            vpc_id=vpc.id if vpc is not None else network.vpc_id if network is not None else None,
            state="Allocating",
            display=display,
        )

    def _reserved(self, owner: Account, zone: Zone, wanted: str | None) -> PublicIp | None:
        """The wanted address, if the account has reserved it."""
        if wanted is None:
            return None
        found = self._table.find(("zone_id", "ip"), (zone.id, wanted.strip()))
        return (
            found
            if found is not None and found.state == "Reserved" and found.account_id == owner.id
            else None
        )

    def check_network(self, owner: Account, network: Network, vpc: Vpc | None = None) -> None:
        """Raise what stands against the owner's having an address for the network, a tier of `vpc` where given."""
        if network.guest_type != "Isolated" or network.traffic_type != "Guest":
            raise InvalidParameterValue(
                f"Network {network.name} takes no public IP addresses: it is not an isolated guest network"
            )
        if vpc is not None and network.vpc_id != vpc.id:
            raise InvalidParameterValue(f"networkid: network {network.name} is not a tier of VPC {vpc.name}")
        offering = self._offerings.get(network.network_offering_id)
        if offering is None or not WITH_ADDRESSES.intersection(offering.services):
            raise InvalidParameterValue(
                f"Network {network.name} takes no public IP addresses: its offering has no service that uses one"
            )
        self._check_owner(owner, network.account_id, f"network {network.name}")

    def _check_owner(self, owner: Account, account_id: str, what: str) -> None:
        if owner.id != account_id:
            raise PermissionDenied(
                f"Account {owner.name} cannot have a public IP address for {what}, which is another account's"
            )

    async def bring_up(self, ip_id: str) -> PublicIp:
        """Have the router of the address's network answer to it. Where that fails the address is given back."""
        ip = self._table[ip_id]
        try:
            if ip.network_id is not None:
                await self._life.implement(ip.network_id)
            await self._sync(ip)
        except BaseException:
            if ip_id in self._table:
                self._public_ips.release(ip)
            raise
        with self._store.transaction():
            return self._table.update(ip_id, state="Allocated")

    async def _sync(self, ip: PublicIp) -> None:
        if ip.network_id is not None:
            await self._routers.sync(ip.network_id)
        elif ip.vpc_id is not None:
            await self._routers.sync_vpc(ip.vpc_id)

    # ending it

    def check_releasable(self, ip: PublicIp) -> None:
        """Raise what stands against releasing the address."""
        if ip.system:
            raise InvalidParameterValue(f"Public IP address {ip.ip} is a system VM's: it cannot be released")
        if ip.source_nat:
            raise InvalidParameterValue(
                f"ip address {ip.ip} is used for source nat purposes and can not be disassociated."
            )
        gateways = self._foundation.table(VpnGateway)
        gateway = gateways.find("vpc_id", ip.vpc_id) if ip.vpc_id is not None else None
        if gateway is not None and gateway.public_ip_id == ip.id:
            raise ResourceInUse(f"Public IP address {ip.ip} is in use by the VPN gateway of its VPC")

    async def release(self, ip_id: str) -> None:
        """Take the address off its router, with all its rules, and give it back.

        Where the router cannot be told, the address stays with its network, without its rules.
        """
        ip = self._table.get(ip_id)
        if ip is None:
            return
        self.check_releasable(ip)
        vpns = self._foundation.table(RemoteAccessVpn)
        with self._store.transaction():
            self._table.update(ip_id, state="Releasing")
            self._remove_rules(ip_id)
            vpn = vpns.find("public_ip_id", ip_id)
            if vpn is not None:
                vpns.delete(vpn.id)
        try:
            await self._sync(ip)
        except BaseException:
            self._settle(ip_id, state="Allocated")
            raise
        if ip_id in self._table:
            self._public_ips.release(self._table[ip_id])

    def _settle(self, ip_id: str, **fields: Any) -> None:
        if ip_id in self._table:
            with self._store.transaction():
                self._table.update(ip_id, **fields)

    def leave(self, network: Network) -> None:
        """The network goes: its addresses are free, those of a VPC are the VPC's again. Within its transaction."""
        for ip in self._table.where("network_id", network.id):
            if ip.vpc_id is None:
                self._public_ips.release(ip)
            else:
                self._table.update(ip.id, network_id=None)

    async def release_of(self, account: Account) -> None:
        """The account goes: what addresses it has left are free."""
        self._public_ips.release_all(self._table.where("account_id", account.id))

    def settle_after_restart(self) -> set[str]:
        """Addresses that were coming or going when the server died are free: their jobs have failed.

        Returns the networks whose routers may still have them.
        """
        left = [ip for ip in self._table if ip.state in ("Allocating", "Releasing")]
        found = {ip.network_id for ip in left if ip.network_id is not None}
        for ip in left:
            if ip.network_id is None and ip.vpc_id is not None:
                found.update(self._networks.ids("vpc_id", ip.vpc_id))
        with self._store.transaction():
            for ip in left:
                self._remove_rules(ip.id)
                self._public_ips.release(ip)
        return found
