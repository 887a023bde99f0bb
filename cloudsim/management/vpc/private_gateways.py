"""Private gateways: legs of a VPC's router in VLANs outside of the cloud."""

from __future__ import annotations

import ipaddress

import msgspec

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.vlans import LARGEST, isolation_of, parse_vlans, vlan_number
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.vpc.acls import NetworkAcls
from cloudsim.management.vpc.routing import VpcRouting
from cloudsim.management.vpc.vpcs import check_enabled, super_cidr
from cloudsim.model import (
    Network,
    NetworkAclList,
    PhysicalNetwork,
    PrivateGateway,
    StaticRoute,
    Vpc,
    Zone,
)

FIRST_MAC = 0x02_01_00_00_00_01
"""Their MAC addresses are numbered from here, apart from those of other NICs."""


class PrivateGatewayRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a new private gateway is to be: the router's `ip` in the VLAN, and the machine there that leads on."""

    ip: str
    gateway: str
    netmask: str
    vlan: str | None = None
    physical_network: PhysicalNetwork | None = None
    source_nat: bool = False
    acl: NetworkAclList | None = None
    overlap_allowed: bool = False
    """Whether the VLAN may be one that guest networks are given."""


class PrivateGateways:
    """Makes and removes private gateways."""

    def __init__(self, foundation: Foundation, routing: VpcRouting, acls: NetworkAcls) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._routing = routing
        self._acls = acls
        self._table = foundation.table(PrivateGateway)
        self._routes = foundation.table(StaticRoute)
        self._physical = foundation.table(PhysicalNetwork)
        self._networks = foundation.table(Network)
        self._zones = foundation.table(Zone)
        self._randomness = foundation.randomness.branch("private gateways")
        self._next_mac = max(
            (int(row.mac.replace(":", ""), 16) + 1 for row in self._table), default=FIRST_MAC
        )

    def create(self, vpc: Vpc, request: PrivateGatewayRequest) -> PrivateGateway:
        """A gateway in state Creating; `apply` makes it work. Raises InvalidParameterValue."""
        check_enabled(vpc)
        zone = self._zones[vpc.zone_id]
        physical = self._wire(zone, request.physical_network)
        vlan = self._vlan(zone, physical, request)
        _check_addresses(vpc, request)
        for other in self._table.where("zone_id", zone.id):
            if (vlan_number(other.vlan), other.ip) == (vlan_number(vlan), request.ip):
                raise InvalidParameterValue(
                    f"Private ip address {request.ip} is already used in vlan {vlan} of zone {zone.name}"
                )
        subnet = _subnet(request)
        for other in self._table.where("vpc_id", vpc.id):
            theirs = ipaddress.IPv4Network(f"{other.ip}/{other.netmask}", strict=False)
            if subnet.overlaps(theirs):
                raise InvalidParameterValue(
                    f"The subnet {subnet} overlaps {theirs} of private gateway {other.ip} of the same VPC"
                )
        acl = request.acl or self._acls.default_deny()
        self._acls.check_fits(acl, vpc.id, f"VPC {vpc.name}")
        with self._store.transaction():
            return self._table.insert(
                PrivateGateway(
                    id=self._randomness.uuid(),
                    vpc_id=vpc.id,
                    zone_id=zone.id,
                    account_id=vpc.account_id,
                    domain_id=vpc.domain_id,
                    ip=request.ip,
                    gateway=request.gateway,
                    netmask=request.netmask,
                    vlan=vlan,
                    mac=self._mac(),
                    physical_network_id=physical.id if physical is not None else None,
                    source_nat=request.source_nat,
                    acl_id=acl.id,
                    created=self._foundation.now(),
                )
            )

    def _mac(self) -> str:
        text = f"{self._next_mac:012x}"
        self._next_mac += 1
        return ":".join(text[at : at + 2] for at in range(0, 12, 2))

    def _wire(self, zone: Zone, named: PhysicalNetwork | None) -> PhysicalNetwork | None:
        if named is not None:
            if named.zone_id != zone.id or named.state != "Enabled":
                raise InvalidParameterValue(
                    f"Physical network {named.name} is not an enabled one of zone {zone.name}"
                )
            return named
        return next((w for w in self._physical.where("zone_id", zone.id) if w.state == "Enabled"), None)

    def _vlan(self, zone: Zone, physical: PhysicalNetwork | None, request: PrivateGatewayRequest) -> str:
        if not request.vlan:
            raise InvalidParameterValue("vlan must be given: the VLAN that the private gateway is in")
        method = isolation_of(physical)
        number = vlan_number(request.vlan.strip())
        if number is None or not 0 < number <= LARGEST[method]:
            raise InvalidParameterValue(f"Please specify a valid {method} id, not {request.vlan}")
        if request.overlap_allowed:
            return str(number)
        for low, high in parse_vlans(physical.vlan if physical is not None else ""):
            if low <= number <= high:
                raise InvalidParameterValue(
                    f"The VLAN tag {number} to use for the private gateway is already being used for dynamic vlan "
                    f"allocation for the guest network in zone {zone.name}"
                )
        for network in self._networks.where("zone_id", zone.id):
            if network.traffic_type == "Guest" and vlan_number(network.vlan) == number:
                raise InvalidParameterValue(f"VLAN {number} is that of guest network {network.name}")
        return str(number)

    async def apply(self, gateway_id: str) -> PrivateGateway:
        """Give the router its leg there. A gateway for which that fails is removed again, and the reason raised."""
        try:
            await self._routing.plug_private(self._table[gateway_id])
        except CloudError:
            await self.delete(gateway_id)
            raise
        with self._store.transaction():
            return self._table.update(gateway_id, state="Ready")

    def check_deletable(self, gateway: PrivateGateway) -> None:
        """Raise what stands against deleting the gateway."""
        routes = self._routes.count("gateway_id", gateway.id)
        if routes:
            raise ResourceInUse(
                f"Can't delete private gateway {gateway.ip} as it has {routes} static routes applied. "
                "Remove the routes first"
            )

    async def delete(self, gateway_id: str) -> None:
        """Take the router's leg away, and remove the gateway. A failure leaves it Deleting, to be deleted again."""
        self.check_deletable(self._table[gateway_id])
        with self._store.transaction():
            gateway = self._table.update(gateway_id, state="Deleting")
        await self._routing.unplug_private(gateway)
        with self._store.transaction():
            self.remove(self._table[gateway_id])

    def remove(self, gateway: PrivateGateway) -> None:
        """Remove the rows of a gateway in which no router has a leg any more. Needs an open transaction."""
        if gateway.id in self._networks:
            self._networks.delete(gateway.id)
        remove_leftovers(self._foundation, gateway.id)
        self._table.delete(gateway.id)

    def remove_of(self, vpc: Vpc) -> None:
        """The same for all of a VPC that goes."""
        for gateway in self._table.where("vpc_id", vpc.id):
            self.remove(gateway)


def _subnet(request: PrivateGatewayRequest) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(f"{request.ip}/{request.netmask}", strict=False)


def _check_addresses(vpc: Vpc, request: PrivateGatewayRequest) -> None:
    try:
        subnet = _subnet(request)
        ip, gateway = ipaddress.IPv4Address(request.ip), ipaddress.IPv4Address(request.gateway)
    except ValueError:
        raise InvalidParameterValue(
            f"ipaddress {request.ip}, gateway {request.gateway} or netmask {request.netmask} is not valid"
        ) from None
    if subnet.prefixlen > 30:
        raise InvalidParameterValue(f"netmask {request.netmask} leaves no room for ipaddress and gateway")
    for name, address in (("ipaddress", ip), ("gateway", gateway)):
        if address not in subnet or address in (subnet.network_address, subnet.broadcast_address):
            raise InvalidParameterValue(f"{name} {address} is not an address of {subnet}")
    if ip == gateway:
        raise InvalidParameterValue("ipaddress and gateway must be different addresses")
    if subnet.overlaps(super_cidr(vpc)):
        raise InvalidParameterValue(f"The subnet {subnet} overlaps the cidr {vpc.cidr} of VPC {vpc.name}")
