"""The network offerings that every cloud has from the start, under the names by which clients look them up."""

from __future__ import annotations

from typing import Literal, NamedTuple

Services = dict[str, tuple[str, ...]]


class FirstOffering(NamedTuple):
    """A network offering to begin with; one that is not `usable` is there by name, disabled."""

    name: str
    display_text: str
    guest_type: Literal["Isolated", "Shared", "L2"]
    services: Services
    usable: bool = True
    for_vpc: bool = False
    specify_vlan: bool = False
    specify_ip_ranges: bool = False
    conserve_mode: bool = True


def _by(provider: str, *services: str) -> Services:
    return {service: (provider,) for service in services}


_ROUTER = "VirtualRouter"
_VPC_ROUTER = "VpcVirtualRouter"
_SHARED = _by(_ROUTER, "Dhcp", "Dns", "UserData")
_ISOLATED = _by(
    _ROUTER,
    "Dhcp",
    "Dns",
    "Firewall",
    "Gateway",
    "Lb",
    "PortForwarding",
    "SourceNat",
    "StaticNat",
    "UserData",
    "Vpn",
)
_PLAIN = _by(_ROUTER, "Dhcp", "Dns", "UserData")
_TIER = _by(
    _VPC_ROUTER,
    "Dhcp",
    "Dns",
    "Gateway",
    "Lb",
    "NetworkACL",
    "PortForwarding",
    "SourceNat",
    "StaticNat",
    "UserData",
    "Vpn",
)
_TIER_WITHOUT_LB = {service: providers for service, providers in _TIER.items() if service != "Lb"}
_SECURITY = _by("SecurityGroupProvider", "SecurityGroup")


def _overlay(provider: str, name: str) -> tuple[FirstOffering, ...]:
    services: Services = {service: (provider,) for service in _ISOLATED}
    tier: Services = {service: (provider,) for service in _TIER}
    return (
        FirstOffering(
            f"Default{name}NetworkOffering", f"Isolated networks by {name}", "Isolated", services, False
        ),
        FirstOffering(
            f"Default{name}NetworkOfferingforVpc",
            f"VPC networks by {name}",
            "Isolated",
            tier,
            False,
            for_vpc=True,
        ),
    )


FIRST_OFFERINGS: tuple[FirstOffering, ...] = (
    FirstOffering(
        "DefaultSharedNetworkOfferingWithSGService",
        "Offering for Shared Security group enabled networks",
        "Shared",
        _SHARED | _SECURITY,
        specify_vlan=True,
        specify_ip_ranges=True,
    ),
    FirstOffering(
        "DefaultSharedNetworkOffering",
        "Offering for Shared networks",
        "Shared",
        _SHARED,
        specify_vlan=True,
        specify_ip_ranges=True,
    ),
    FirstOffering(
        "DefaultTungstenSharedNetworkOfferingWithSGService",
        "Offering for Tungsten Shared Security group enabled networks",
        "Shared",
        _by("Tungsten", "Dhcp", "Dns", "UserData", "SecurityGroup"),
        False,
        specify_ip_ranges=True,
    ),
    FirstOffering(
        "DefaultIsolatedNetworkOfferingWithSourceNatService",
        "Offering for Isolated networks with Source Nat service enabled",
        "Isolated",
        _ISOLATED,
    ),
    FirstOffering(
        "DefaultIsolatedNetworkOffering",
        "Offering for Isolated networks with no Source Nat service",
        "Isolated",
        _PLAIN,
        specify_vlan=True,
        specify_ip_ranges=True,
    ),
    FirstOffering(
        "DefaultSharedNetscalerEIPandELBNetworkOffering",
        "Offering for Shared networks with Elastic IP and Elastic LB capabilities",
        "Shared",
        _SHARED | _SECURITY | _by("Netscaler", "StaticNat", "Lb"),
        False,
        specify_vlan=True,
        specify_ip_ranges=True,
    ),
    FirstOffering(
        "DefaultIsolatedNetworkOfferingForVpcNetworks",
        "Offering for Isolated Vpc networks with Source Nat service enabled",
        "Isolated",
        _TIER,
        for_vpc=True,
        conserve_mode=False,
    ),
    FirstOffering(
        "DefaultIsolatedNetworkOfferingForVpcNetworksNoLB",
        "Offering for Isolated Vpc networks with Source Nat service enabled and LB service Disabled",
        "Isolated",
        _TIER_WITHOUT_LB,
        for_vpc=True,
        conserve_mode=False,
    ),
    FirstOffering(
        "DefaultIsolatedNetworkOfferingForVpcNetworksWithInternalLB",
        "Offering for Isolated Vpc networks with Internal Lb support",
        "Isolated",
        _TIER_WITHOUT_LB | _by("InternalLbVm", "Lb"),
        for_vpc=True,
        conserve_mode=False,
    ),
    FirstOffering(
        "QuickCloudNoServices",
        "Offering for QuickCloud with no services",
        "Shared",
        {},
        specify_vlan=True,
        specify_ip_ranges=True,
    ),
    FirstOffering("DefaultL2NetworkOffering", "Offering for L2 networks", "L2", {}),
    FirstOffering(
        "DefaultL2NetworkOfferingVlan", "Offering for L2 networks with VLAN", "L2", {}, specify_vlan=True
    ),
    FirstOffering(
        "DefaultL2NetworkOfferingConfigDrive",
        "Offering for L2 networks with config drive user data",
        "L2",
        _by("ConfigDrive", "UserData"),
    ),
    FirstOffering(
        "DefaultL2NetworkOfferingConfigDriveVlan",
        "Offering for L2 networks with config drive user data and VLAN",
        "L2",
        _by("ConfigDrive", "UserData"),
        specify_vlan=True,
    ),
    *_overlay("Nsx", "NSX"),
    *_overlay("Netris", "Netris"),
)
"""In the order in which a fresh cloud lists them."""
