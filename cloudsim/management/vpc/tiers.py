"""Tiers: the guest networks of a VPC, and what stands against one."""

from __future__ import annotations

import ipaddress

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.foundation import Foundation
from cloudsim.management.network.network_requests import NetworkRequest, Subnet
from cloudsim.management.vpc.vpcs import check_enabled, super_cidr
from cloudsim.model import Account, Network, NetworkOffering, Vpc, VpcOffering, Zone

PUBLIC_BALANCER = "VpcVirtualRouter"
"""Who balances load that comes in from outside; InternalLbVm balances within the VPC."""


class Tiers:
    """Checks new and changed tiers."""

    def __init__(self, foundation: Foundation) -> None:
        self._store = foundation.store
        self._settings = foundation.settings
        self._networks = foundation.table(Network)
        self._offerings = foundation.table(NetworkOffering)
        self._vpc_offerings = foundation.table(VpcOffering)
        self._vpcs = foundation.table(Vpc)

    def check_new(
        self, owner: Account, zone: Zone, offering: NetworkOffering, request: NetworkRequest, subnet: Subnet
    ) -> str | None:
        """Raise InvalidParameterValue for what cannot be a tier of `request.vpc`; the id of the list that it gets.

        None: no list. Nothing comes in then, and all goes out.
        """
        vpc = request.vpc
        assert vpc is not None
        check_enabled(vpc)
        if vpc.zone_id != zone.id:
            raise InvalidParameterValue(f"New network's zone {zone.name} is not that of VPC {vpc.name}")
        if vpc.account_id != owner.id:
            raise InvalidParameterValue(f"Vpc {vpc.name} owner is different from the network owner {owner.name}")
        if request.gateway is None or request.netmask is None:
            raise InvalidParameterValue("gateway and netmask are required to create a network in a VPC")
        if request.network_domain is not None and request.network_domain != vpc.network_domain:
            raise InvalidParameterValue(
                f"Network domain of the network should match network domain of VPC, {vpc.network_domain}"
            )
        most = self._settings.integer("vpc.max.networks", "Zone", zone.id)
        if self._networks.count("vpc_id", vpc.id) >= most:
            raise InvalidParameterValue(
                f"Number of networks per VPC can't extend {most}; increase it using global config vpc.max.networks"
            )
        self._check_cidr(vpc, subnet)
        self.check_offering(vpc, offering)
        if request.acl is None:
            return None
        if "NetworkACL" not in offering.services:
            raise InvalidParameterValue(
                "Cannot apply NetworkACL. Network Offering does not support NetworkACL service"
            )
        if request.acl.vpc_id not in (None, vpc.id):
            raise InvalidParameterValue(f"ACL {request.acl.name} does not belong to the vpc {vpc.name}")
        return request.acl.id

    def _check_cidr(self, vpc: Vpc, subnet: Subnet) -> None:
        assert subnet.cidr is not None
        mine = ipaddress.IPv4Network(subnet.cidr)
        if not mine.subnet_of(super_cidr(vpc)):
            raise InvalidParameterValue(f"Network cidr {mine} is not within vpc {vpc.name} cidr {vpc.cidr}")
        for tier in self._networks.where("vpc_id", vpc.id):
            if tier.cidr is not None and mine.overlaps(ipaddress.IPv4Network(tier.cidr)):
                raise InvalidParameterValue(
                    f"Network cidr {mine} crosses other network cidr {tier.cidr} in vpc {vpc.name}: {tier.name}"
                )

    def check_offering(self, vpc: Vpc, offering: NetworkOffering, tier: Network | None = None) -> None:
        """Raise InvalidParameterValue unless a tier of the VPC (or the one there) may have that offering."""
        if not offering.for_vpc:
            raise InvalidParameterValue(f"Network offering {offering.name} can't be used for VPC networks")
        if offering.guest_type != "Isolated":
            raise InvalidParameterValue("Only networks of type Isolated are supported in a VPC")
        allowed = self._vpc_offerings[vpc.vpc_offering_id].services
        for service, providers in offering.services.items():
            for provider in providers:
                if provider not in allowed.get(service, ()):
                    raise InvalidParameterValue(
                        f"Service/provider combination {service}/{provider} is not supported by VPC {vpc.name}"
                    )
        if offering.internet_protocol == "DualStack" != self._vpc_offerings[vpc.vpc_offering_id].internet_protocol:
            raise InvalidParameterValue(
                f"Network offering {offering.name} has IPv6, and the offering of VPC {vpc.name} is for IPv4 alone"
            )
        if not balances_from_outside(offering):
            return
        for other in self._networks.where("vpc_id", vpc.id):
            theirs = self._offerings.get(other.network_offering_id)
            if (tier is None or other.id != tier.id) and balances_from_outside(theirs):
                raise InvalidParameterValue(
                    f"Public LB service is already supported by network {other.name} in VPC {vpc.name}"
                )

    def check_change(self, tier: Network, offering: NetworkOffering) -> None:
        """Raise InvalidParameterValue unless the tier may change to that offering."""
        self.check_offering(self._vpcs[tier.vpc_id or ""], offering, tier)


def balances_from_outside(offering: NetworkOffering | None) -> bool:
    """Whether networks of the offering have load balancers on public addresses."""
    return offering is not None and PUBLIC_BALANCER in offering.services.get("Lb", ())
