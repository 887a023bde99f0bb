"""Static routes of VPCs: what the router sends to the far side of a private gateway."""

from __future__ import annotations

import ipaddress

from cloudsim.errors import CloudError, InvalidParameterValue, RuleConflict
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.address_ranges import check_cidr
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.vpc.routing import VpcRouting
from cloudsim.management.vpc.vpcs import check_enabled, super_cidr
from cloudsim.model import Network, PrivateGateway, StaticRoute, Vpc

LINK_LOCAL = ipaddress.IPv4Network("169.254.0.0/16")
"""RFC 3927: what hosts and system VMs speak over."""


class StaticRoutes:
    """Makes and removes static routes."""

    def __init__(self, foundation: Foundation, routing: VpcRouting) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._routing = routing
        self._table = foundation.table(StaticRoute)
        self._gateways = foundation.table(PrivateGateway)
        self._networks = foundation.table(Network)
        self._vpcs = foundation.table(Vpc)
        self._randomness = foundation.randomness.branch("static routes")

    def create(
        self, cidr: str, *, gateway: PrivateGateway | None, vpc: Vpc | None = None, next_hop: str | None = None
    ) -> StaticRoute:
        """A route through the gateway, or to `next_hop`; not in force yet (`apply`).

        Raises InvalidParameterValue, RuleConflict.
        """
        if gateway is not None:
            if vpc is not None or next_hop is not None:
                raise InvalidParameterValue("Give gatewayid, or vpcid and nexthop, and not both")
            if gateway.state != "Ready":
                raise InvalidParameterValue(f"Private gateway {gateway.ip} is {gateway.state}, not Ready")
            vpc, next_hop = self._vpcs[gateway.vpc_id], gateway.gateway
        if vpc is None or next_hop is None:
            raise InvalidParameterValue("Give gatewayid, or vpcid and nexthop")
        check_enabled(vpc)
        if gateway is None:
            next_hop, gateway = self._checked_hop(vpc, next_hop)
        net = self._checked(vpc, cidr)
        with self._store.transaction():
            return self._table.insert(
                StaticRoute(
                    id=self._randomness.uuid(),
                    vpc_id=vpc.id,
                    cidr=str(net),
                    next_hop=next_hop,
                    account_id=vpc.account_id,
                    domain_id=vpc.domain_id,
                    gateway_id=gateway.id if gateway is not None else None,
                    created=self._foundation.now(),
                )
            )

    def _checked_hop(self, vpc: Vpc, text: str) -> tuple[str, PrivateGateway | None]:
        """The next hop, and the private gateway whose subnet it is in, if it is not in a tier."""
        try:
            hop = ipaddress.IPv4Address(text.strip())
        except ValueError:
            raise InvalidParameterValue(f"nexthop {text!r} is not a valid IP address") from None
        for gateway in self._gateways.where("vpc_id", vpc.id):
            near = gateway.state == "Ready" and str(hop) != gateway.ip
            if near and hop in ipaddress.IPv4Network(f"{gateway.ip}/{gateway.netmask}", strict=False):
                return str(hop), gateway
        for tier in self._networks.where("vpc_id", vpc.id):
            near = tier.cidr is not None and str(hop) != tier.gateway
            if near and hop in ipaddress.IPv4Network(tier.cidr or ""):
                return str(hop), None
        raise InvalidParameterValue(f"nexthop {hop} is not on a private gateway's or a tier's subnet of the VPC")

    def _checked(self, vpc: Vpc, cidr: str) -> ipaddress.IPv4Network:
        net = ipaddress.IPv4Network(check_cidr(cidr, "cidr"))
        if net.overlaps(LINK_LOCAL):
            raise InvalidParameterValue(f"CIDR {net} should be outside of link local cidr {LINK_LOCAL}")
        if net.overlaps(super_cidr(vpc)):
            raise InvalidParameterValue(f"CIDR {net} should be outside of VPC {vpc.name} cidr {vpc.cidr}")
        for listed in self._foundation.settings.get("blacklisted.routes", "Zone", vpc.zone_id).split(","):
            if listed.strip() and net.overlaps(ipaddress.IPv4Network(listed.strip(), strict=False)):
                raise InvalidParameterValue(
                    f"The static gateway cidr {net} overlaps with one of the blacklisted routes of the zone the VPC "
                    f"belongs to: {listed.strip()}"
                )
        for other in self._table.where("vpc_id", vpc.id):
            if net.overlaps(ipaddress.IPv4Network(other.cidr)):
                raise RuleConflict(f"New static route cidr {net} conflicts with existing route {other.cidr}")
        return net

    async def apply(self, route_id: str) -> StaticRoute:
        """Put a new route in force. One that cannot be is removed again, and the reason raised."""
        try:
            await self._routing.sync_vpc(self._table[route_id].vpc_id)
        except CloudError:
            with self._store.transaction():
                if route_id in self._table:
                    self._table.delete(route_id)
            raise
        with self._store.transaction():
            return self._table.update(route_id, state="Active")

    async def delete(self, route_id: str) -> None:
        """Take the route out of force and remove it. If that fails it stays in state Revoke, to be deleted again."""
        with self._store.transaction():
            route = self._table.update(route_id, state="Revoke")
        await self._routing.sync_vpc(route.vpc_id)
        with self._store.transaction():
            self._remove(route_id)

    def _remove(self, route_id: str) -> None:
        remove_leftovers(self._foundation, route_id)
        self._table.delete(route_id)

    def remove_of(self, vpc: Vpc) -> None:
        """Remove the routes of a VPC that goes. Needs an open transaction."""
        for route in self._table.where("vpc_id", vpc.id):
            self._remove(route.id)
