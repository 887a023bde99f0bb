"""What public addresses are used for, and what may be added to that without contradiction.

An address is for one network. Static NAT takes an address whole. Port forwarding, load balancing and VPN share one by
protocol and port where the network's offering has conserve mode; without it, an address serves one of them only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from cloudsim.errors import InvalidParameterValue, RuleConflict
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.rule_traffic import overlap
from cloudsim.model import (
    IpForwardingRule,
    LoadBalancerRule,
    Network,
    NetworkOffering,
    PortForwardingRule,
    PublicIp,
    RemoteAccessVpn,
)

Service = Literal["Firewall", "PortForwarding", "StaticNat", "Lb"]
INTERNAL = "InternalLbVm"
"""Who provides load balancing within a tier, and never on a public address."""
VPN_PORTS = (500, 1701, 4500)
"""UDP ports of a dial-in VPN: IKE, L2TP, IPsec through NAT (RFC 7296, RFC 2661, RFC 3948)."""


class Claim(msgspec.Struct, frozen=True):
    """Ports of an address that something is bound to. `of` is the row's id."""

    of: str
    service: str
    network_id: str | None
    protocol: Literal["tcp", "udp"]
    ports: tuple[int, int]


def carried_by(protocol: str) -> Literal["tcp", "udp"]:
    """What a load balancer's protocol runs over."""
    return "udp" if protocol == "udp" else "tcp"


class AddressUse:
    """Answers from the rows as they are; rules that are being revoked count no more."""

    def __init__(self, foundation: Foundation) -> None:
        self._addresses = foundation.table(PublicIp)
        self._networks = foundation.table(Network)
        self._offerings = foundation.table(NetworkOffering)
        self._forwarding = foundation.table(PortForwardingRule)
        self._balancers = foundation.table(LoadBalancerRule)
        self._static = foundation.table(IpForwardingRule)
        self._vpns = foundation.table(RemoteAccessVpn)

    def network_of(self, address: PublicIp, wanted: Network | None, service: Service) -> Network:
        """The network that a rule of the address is for: the address's own, or a tier of its VPC.

        Raises InvalidParameterValue where there is none, or it does not have the service.
        """
        if address.system or address.state != "Allocated":
            raise InvalidParameterValue(f"Public address {address.ip} is not allocated to an account")
        network = self._networks.get(address.network_id)
        if network is None:
            if wanted is None or address.vpc_id is None:
                raise InvalidParameterValue(
                    f"Unable to create a rule: ip with specified id {address.id} is not associated with any network"
                    + (" and no networkid is passed in" if address.vpc_id is not None else "")
                )
            if wanted.vpc_id != address.vpc_id:
                raise InvalidParameterValue(
                    f"Network {wanted.name} is not a tier of the VPC of address {address.ip}"
                )
            network = wanted
        elif wanted is not None and wanted.id != network.id:
            raise InvalidParameterValue(
                f"Address {address.ip} is associated with network {network.name}, and networkid is {wanted.name}"
            )
        self.check_offered(network, service)
        return network

    def check_offered(self, network: Network, service: str) -> None:
        """Raise InvalidParameterValue unless the network's offering has the service."""
        offering = self._offerings.get(network.network_offering_id)
        providers = () if offering is None else offering.services.get(service, ())
        if not set(providers) - {INTERNAL}:
            raise InvalidParameterValue(
                f"Service {service} is not supported by the network {network.name}, id={network.id}"
            )

    def services_of(self, address: PublicIp) -> set[str]:
        """What the address is used for: SourceNat, StaticNat, PortForwarding, Lb, Vpn."""
        used = {claim.service for claim in self.claims(address)}
        if address.source_nat:
            used.add("SourceNat")
        if address.static_nat_vm_id is not None:
            used.add("StaticNat")
        return used

    def claims(self, address: PublicIp) -> Iterator[Claim]:
        """All ports of the address that something is bound to."""
        for rule in self._forwarding.where("public_ip_id", address.id):
            if rule.state != "Revoke":
                ports = (rule.public_start, rule.public_end)
                yield Claim(rule.id, "PortForwarding", rule.network_id, rule.protocol, ports)
        for balancer in self._balancers.where("public_ip_id", address.id):
            if balancer.state != "Revoke":
                ports = (balancer.public_port, balancer.public_port)
                yield Claim(balancer.id, "Lb", balancer.network_id, carried_by(balancer.protocol), ports)
        for static in self._static.where("public_ip_id", address.id):
            if static.state != "Revoke":
                ports = (static.start_port, static.end_port)
                yield Claim(static.id, "StaticNat", static.network_id, static.protocol, ports)
        vpn = self._vpns.find("public_ip_id", address.id)
        if vpn is not None:
            for port in VPN_PORTS:
                yield Claim(vpn.id, "Vpn", vpn.network_id, "udp", (port, port))

    def check_service(self, address: PublicIp, network: Network, service: Service) -> None:
        """Raise what stands against using the address for the service, too. For Firewall nothing does."""
        used = self.services_of(address)
        if service == "StaticNat":
            if address.source_nat:
                raise InvalidParameterValue(
                    f"Can't enable static, ip address {address.ip} is a sourceNat ip address"
                )
            for other in sorted(used - {"StaticNat"}):
                raise RuleConflict(
                    f"Failed to enable static nat for the ip address {address.ip} as it already has {other} rules assigned"
                )
        elif "StaticNat" in used:
            raise InvalidParameterValue(
                f"Unable to create {service} rule: address {address.ip} has static nat enabled"
            )
        offering = self._offerings.get(network.network_offering_id)
        if offering is not None and not offering.conserve_mode:
            for other in sorted(used - {service}):
                raise RuleConflict(
                    f"Address {address.ip} is used for {other} already, and network offering {offering.name} has no "
                    f"conserve mode: it cannot be used for {service} too"
                )

    def check_ports(
        self,
        address: PublicIp,
        network: Network,
        protocol: Literal["tcp", "udp"],
        ports: tuple[int, int],
        *,
        apart_from: str | None = None,
    ) -> None:
        """Raise RuleConflict where something (but the rule `apart_from`) has one of the ports already."""
        for claim in self.claims(address):
            if claim.of == apart_from:
                continue
            if claim.network_id not in (None, network.id):
                raise RuleConflict(
                    f"New rule is for a different network than what's specified in rule {claim.of}"
                )
            if claim.protocol == protocol and overlap(ports, claim.ports):
                raise RuleConflict(
                    f"The range specified, {ports[0]}-{ports[1]}, conflicts with rule {claim.of} which has "
                    f"{claim.ports[0]}-{claim.ports[1]}"
                )

    # which network has it

    def attach(self, address: PublicIp, network: Network) -> None:
        """An address of a VPC is the tier's from its first rule on. Needs an open transaction."""
        if address.network_id is None:
            self._addresses.update(address.id, network_id=network.id)

    def detach(self, address_id: str | None) -> None:
        """An address of a VPC is no tier's once its last rule is gone. Needs an open transaction."""
        address = self._addresses.get(address_id)
        if address is None or address.vpc_id is None or address.network_id is None or address.source_nat:
            return
        tables = (self._forwarding, self._balancers, self._static)
        if address.static_nat_vm_id is None and not any(t.count("public_ip_id", address.id) for t in tables):
            self._addresses.update(address.id, network_id=None)
