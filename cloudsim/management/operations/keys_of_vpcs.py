"""Configuration keys of VPCs and VPNs."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as key

OF_VPCS: tuple[key, ...] = (
    key("vpc.max.networks", "3", "integer", "How many tiers a VPC may have", scopes=("Zone",), minimum=1),
    key(
        "vpc.cleanup.interval",
        "3600",
        "integer",
        "Seconds between attempts to delete what is left of inactive VPCs",
        minimum=1,
    ),
    key(
        "blacklisted.routes",
        "",
        "string",
        "CIDRs, separated by commas, that no static route of a VPC may overlap",
        scopes=("Zone",),
    ),
    key(
        "remote.access.vpn.client.iprange",
        "10.1.2.1-10.1.2.8",
        "string",
        "Addresses that VPN clients get, where a VPN names none; the first is the router's own",
        scopes=("Account",),
    ),
    key(
        "remote.access.vpn.psk.length",
        "24",
        "integer",
        "Length of the preshared keys that are made for remote access VPNs",
        minimum=8,
    ),
    key("remote.access.vpn.user.limit", "8", "integer", "How many VPN users an account may have", minimum=0),
    key(
        "site2site.vpn.vpngateway.connection.limit",
        "4",
        "integer",
        "How many connections a VPN gateway may have",
        minimum=1,
    ),
    key(
        "site2site.vpn.customergateway.subnets.limit",
        "10",
        "integer",
        "How many CIDRs a customer gateway may have",
        minimum=1,
    ),
)
