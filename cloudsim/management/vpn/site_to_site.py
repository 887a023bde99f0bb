"""Site-to-site VPN: a VPC's gateway, and its connections with customers' gateways."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, Literal

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.foundation import Foundation
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.vpc.vpcs import check_enabled, super_cidr
from cloudsim.management.vpn.routing import Asking, VpnRouting
from cloudsim.model import (
    Account,
    PublicIp,
    SystemVm,
    Vpc,
    VpcOffering,
    VpnConnection,
    VpnCustomerGateway,
    VpnGateway,
)
from cloudsim.protocol.systemvm import RouterStatistics, RouterStatisticsResult


class SiteToSite:
    """Makes and removes gateways and connections, and knows which connections are up."""

    def __init__(self, foundation: Foundation, routing: VpnRouting, asking: Asking) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._routing = routing
        self._asking = asking
        self._gateways = foundation.table(VpnGateway)
        self._customers = foundation.table(VpnCustomerGateway)
        self._connections = foundation.table(VpnConnection)
        self._ips = foundation.table(PublicIp)
        self._vpcs = foundation.table(Vpc)
        self._randomness = foundation.randomness.branch("site to site vpn")

    # a VPC's gateway

    def create_gateway(self, vpc: Vpc, *, address: PublicIp | None = None, display: bool = True) -> VpnGateway:
        """The VPC's end, on its source NAT address or another of its addresses. Raises InvalidParameterValue."""
        check_enabled(vpc)
        if self._gateways.find("vpc_id", vpc.id) is not None:
            raise InvalidParameterValue(f"The VPN gateway of VPC {vpc.name} already existed!")
        offering = self._foundation.table(VpcOffering).get(vpc.vpc_offering_id)
        if offering is None or "Vpn" not in offering.services:
            raise InvalidParameterValue(f"Service Vpn is not supported by VPC {vpc.name}")
        if address is None:
            address = next((ip for ip in self._ips.where("vpc_id", vpc.id) if ip.source_nat), None)
            if address is None:
                raise InvalidParameterValue(f"Cannot found source nat ip of vpc {vpc.name}: start it first")
        elif address.vpc_id != vpc.id or address.static_nat_vm_id is not None:
            raise InvalidParameterValue(f"ipaddressid {address.ip} is not a free address of VPC {vpc.name}")
        with self._store.transaction():
            return self._gateways.insert(
                VpnGateway(
                    id=self._randomness.uuid(),
                    vpc_id=vpc.id,
                    public_ip_id=address.id,
                    account_id=vpc.account_id,
                    domain_id=vpc.domain_id,
                    display=display,
                    created=self._foundation.now(),
                )
            )

    def update_gateway(self, gateway_id: str, *, display: bool | None) -> VpnGateway:
        """Change whether it is shown."""
        with self._store.transaction():
            row = self._gateways[gateway_id]
            return row if display is None else self._gateways.update(gateway_id, display=display)

    def check_gateway_deletable(self, gateway: VpnGateway) -> None:
        """Raise what stands against deleting the gateway."""
        if self._connections.count("vpn_gateway_id", gateway.id):
            raise ResourceInUse(
                f"Unable to delete VPN gateway {gateway.id} because there is still related VPN connections!"
            )

    def delete_gateway(self, gateway_id: str) -> None:
        """Remove a gateway that has no connections."""
        self.check_gateway_deletable(self._gateways[gateway_id])
        with self._store.transaction():
            remove_leftovers(self._foundation, gateway_id)
            self._gateways.delete(gateway_id)

    # connections

    def create(
        self, gateway: VpnGateway, customer: VpnCustomerGateway, *, passive: bool = False, display: bool = True
    ) -> VpnConnection:
        """A connection that is not set up yet (`apply`). Raises InvalidParameterValue."""
        if gateway.account_id != customer.account_id:
            raise InvalidParameterValue(
                "VPN connection can only be established between same account's VPN gateway and customer gateway!"
            )
        pair = (gateway.id, customer.id)
        if self._connections.find(("vpn_gateway_id", "customer_gateway_id"), pair) is not None:
            raise InvalidParameterValue(
                f"The vpn connection with customer gateway {customer.name} or vpn gateway {gateway.id} already existed!"
            )
        most = self._foundation.settings.integer("site2site.vpn.vpngateway.connection.limit")
        if self._connections.count("vpn_gateway_id", gateway.id) >= most:
            raise InvalidParameterValue(
                f"There are too many VPN connections with current VPN gateway! The limit is {most}"
            )
        self._check_networks(gateway, customer.gateway, customer.cidrs)
        with self._store.transaction():
            return self._connections.insert(
                VpnConnection(
                    id=self._randomness.uuid(),
                    vpn_gateway_id=gateway.id,
                    customer_gateway_id=customer.id,
                    account_id=gateway.account_id,
                    domain_id=gateway.domain_id,
                    passive=passive,
                    state="Connecting",
                    display=display,
                    created=self._foundation.now(),
                )
            )

    def _check_networks(
        self, gateway: VpnGateway, peer: str, cidrs: Iterable[str], apart_from: str | None = None
    ) -> None:
        """Raise InvalidParameterValue where the customer's networks are also the VPC's or another connection's."""
        vpc = self._vpcs[gateway.vpc_id]
        for cidr in cidrs:
            net = ipaddress.IPv4Network(cidr)
            if net.overlaps(super_cidr(vpc)):
                raise InvalidParameterValue(
                    f"The subnets of customer gateway {peer}'s subnet {cidr} is overlapped with VPC cidr {vpc.cidr}!"
                )
            for connection in self._connections.where("vpn_gateway_id", gateway.id):
                other = self._customers[connection.customer_gateway_id]
                if other.id == apart_from:
                    continue
                if other.gateway == peer:
                    raise InvalidParameterValue(
                        f"The vpn connection with customer gateway {other.name} already leads to {peer}"
                    )
                if any(net.overlaps(ipaddress.IPv4Network(theirs)) for theirs in other.cidrs):
                    raise InvalidParameterValue(
                        f"The subnets of customer gateway {peer}'s subnet {cidr} is overlapped with those of "
                        f"customer gateway {other.name}"
                    )

    async def apply(self, connection_id: str) -> VpnConnection:
        """Have the VPC's router set the connection up; its state is then what the router says.

        A connection that the router does not take is removed again, and the reason raised.
        """
        vpc_id = self._vpc_of(connection_id)
        try:
            await self._routing.sync_vpc(vpc_id)
        except Exception:
            with self._store.transaction():
                self._remove(connection_id)
            raise
        await self.look(vpc_id)
        return self._connections[connection_id]

    def _vpc_of(self, connection_id: str) -> str:
        return self._gateways[self._connections[connection_id].vpn_gateway_id].vpc_id

    async def reset(self, connection_id: str) -> VpnConnection:
        """Set the connection up anew."""
        vpc_id = self._vpc_of(connection_id)
        with self._store.transaction():
            self._connections.update(connection_id, state="Disconnected")
        await self._routing.sync_vpc(vpc_id)
        await self.look(vpc_id)
        return self._connections[connection_id]

    def update(self, connection_id: str, *, display: bool | None) -> VpnConnection:
        """Change whether it is shown."""
        with self._store.transaction():
            row = self._connections[connection_id]
            return row if display is None else self._connections.update(connection_id, display=display)

    async def delete(self, connection_id: str) -> None:
        """Have the router take the connection down, and remove it. If that fails it stays as Removed: repeat it."""
        vpc_id = self._vpc_of(connection_id)
        with self._store.transaction():
            self._connections.update(connection_id, state="Removed")
        await self._routing.sync_vpc(vpc_id)
        with self._store.transaction():
            self._remove(connection_id)

    def _remove(self, connection_id: str) -> None:
        if connection_id in self._connections:
            remove_leftovers(self._foundation, connection_id)
            self._connections.delete(connection_id)

    # when a customer gateway changes

    def check_customer(self, customer: VpnCustomerGateway, changes: dict[str, Any]) -> None:
        """Raise InvalidParameterValue unless its connections bear the change."""
        for connection in self._connections.where("customer_gateway_id", customer.id):
            gateway = self._gateways[connection.vpn_gateway_id]
            self._check_networks(gateway, changes["gateway"], changes["cidrs"], apart_from=customer.id)

    async def update_customer(self, customer_id: str, changes: dict[str, Any]) -> VpnCustomerGateway:
        """Change a customer gateway; its connections are set up anew. It is as before where a router refuses."""
        before = self._customers[customer_id]
        with self._store.transaction():
            self._customers.update(customer_id, **changes)
        connections = self._connections.where("customer_gateway_id", customer_id)
        vpcs = sorted({self._gateways[each.vpn_gateway_id].vpc_id for each in connections})
        try:
            for vpc_id in vpcs:
                await self._routing.sync_vpc(vpc_id)
        except Exception:
            with self._store.transaction():
                if customer_id in self._customers:
                    old = {field: getattr(before, field) for field in changes}
                    self._customers.update(customer_id, **old)
            raise
        for vpc_id in vpcs:
            await self.look(vpc_id)
        return self._customers[customer_id]

    # which are up

    async def look(self, vpc_id: str) -> None:
        """Ask the VPC's router which of its connections are up. One that cannot be asked has none."""
        router = self._routing.of_vpc(vpc_id)
        up: tuple[str, ...] = ()
        if router is not None:
            try:
                reply = await self._asking.ask(router.id, RouterStatistics())
            except CloudError:
                pass
            else:
                assert isinstance(reply, RouterStatisticsResult)
                up = reply.sites_up
        self.told(vpc_id, up, reachable=router is not None)

    def told(self, vpc_id: str, up: Iterable[str], *, reachable: bool = True) -> None:
        """What the VPC's router said of its connections: the ids of those that are up."""
        gateway = self._gateways.find("vpc_id", vpc_id)
        if gateway is None:
            return
        established = set(up)
        with self._store.transaction():
            for connection in self._connections.where("vpn_gateway_id", gateway.id):
                if connection.state == "Removed":
                    continue
                down: Literal["Pending", "Disconnected"] = "Disconnected" if reachable else "Pending"
                state = "Connected" if connection.id in established else down
                if state != connection.state:
                    self._connections.update(connection.id, state=state)

    def router_told(self, router: SystemVm, found: RouterStatisticsResult) -> None:
        """What a router said of its work, which it is asked for now and then."""
        if router.vpc_id is not None:
            self.told(router.vpc_id, found.sites_up)

    async def router_is_up(self, router: SystemVm) -> None:
        """A router answers for the first time since it started: see what it has connected."""
        if router.vpc_id is not None and self._gateways.find("vpc_id", router.vpc_id) is not None:
            await self.look(router.vpc_id)

    # with the VPC or account that they are of

    def remove_of(self, vpc: Vpc) -> None:
        """Remove the gateway and connections of a VPC that goes. Needs an open transaction."""
        gateway = self._gateways.find("vpc_id", vpc.id)
        if gateway is None:
            return
        for connection in self._connections.where("vpn_gateway_id", gateway.id):
            self._remove(connection.id)
        remove_leftovers(self._foundation, gateway.id)
        self._gateways.delete(gateway.id)

    async def delete_of(self, account: Account) -> None:
        """Remove an account's customer gateways, whose VPCs are gone."""
        with self._store.transaction():
            for customer in self._customers.where("account_id", account.id):
                for connection in self._connections.where("customer_gateway_id", customer.id):
                    self._remove(connection.id)
                remove_leftovers(self._foundation, customer.id)
                self._customers.delete(customer.id)
