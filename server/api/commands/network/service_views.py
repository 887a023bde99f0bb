"""The services of network offerings, and of networks made from them."""

from __future__ import annotations

from typing import Annotated

from cloudsim.management.network.stickiness_methods import capability
from cloudsim.model import NetworkOffering, VpcOffering
from server.api.views import View

CAPABILITIES: dict[str, dict[str, str]] = {
    "SourceNat": {"SupportedSourceNatTypes": "peraccount", "RedundantRouter": "false"},
    "Lb": {
        "SupportedLBAlgorithms": "roundrobin,leastconn,source",
        "SupportedLBIsolation": "dedicated",
        "SupportedProtocols": "tcp,udp,tcp-proxy,ssl",
        "SupportedStickinessMethods": capability(),
        "HealthCheckPolicy": "true",
        "SslTermination": "true",
        "LbSchemes": "Public",
    },
    "Firewall": {
        "SupportedProtocols": "tcp,udp,icmp",
        "SupportedEgressProtocols": "tcp,udp,icmp,all",
        "SupportedTrafficDirection": "ingress, egress",
        "MultipleIps": "true",
        "TrafficStatistics": "per public ip",
    },
    "PortForwarding": {"SupportedProtocols": "tcp,udp"},
    "Vpn": {"VpnTypes": "removeaccess", "SupportedVpnProtocols": "pptp,l2tp,ipsec"},
    "Dns": {"AllowDnsSuffixModification": "true"},
    "Dhcp": {"DhcpAccrossMultipleSubnets": "true"},
    "StaticNat": {"ElasticIp": "false"},
}
"""What a service can do where a virtual router provides it: name -> value."""


class CapabilityView(View):
    """Something that a service can do."""

    name: str | None = None
    value: str | None = None
    canchooseservicecapability: Annotated[bool | None, "whether an offering may choose it"] = None


class ProviderView(View):
    """Who provides a service."""

    id: str | None = None
    name: str | None = None
    canenableindividualservice: bool | None = None
    destinationphysicalnetworkid: str | None = None
    physicalnetworkid: str | None = None
    servicelist: list[str] | None = None
    state: str | None = None


class ServiceView(View):
    """A service."""

    name: str | None = None
    capability: list[CapabilityView] | None = None
    provider: list[ProviderView] | None = None


def _capabilities(offering: NetworkOffering | VpcOffering, service: str) -> dict[str, str]:
    """What the service can do, as the offering has chosen where there was a choice."""
    told = CAPABILITIES.get(service, {})
    if offering.services[service] == ("InternalLbVm",):
        told = {**told, "LbSchemes": "Internal"}
    return told | offering.capabilities.get(service, {}) if isinstance(offering, NetworkOffering) else told


def service_views(offering: NetworkOffering | VpcOffering | None) -> list[ServiceView]:
    """The services of an offering."""
    if offering is None:
        return []
    return [
        ServiceView(
            name=name,
            capability=[
                CapabilityView(name=what, value=value, canchooseservicecapability=False)
                for what, value in _capabilities(offering, name).items()
            ]
            or None,
            provider=[ProviderView(name=provider) for provider in providers] or None,
        )
        for name, providers in offering.services.items()
    ]
