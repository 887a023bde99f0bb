"""Which services a network offering can have together, who provides each, and how: the rules, in one place.

Names and texts are CloudStack's. What it leaves to other providers than those that this cloud runs is not supported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.operations.settings import Settings

GuestType = Literal["Isolated", "Shared", "L2"]
Services = dict[str, tuple[str, ...]]
Capabilities = dict[str, dict[str, str]]

SERVICES: dict[str, tuple[str, ...]] = {
    "Dhcp": ("VirtualRouter", "VpcVirtualRouter", "ConfigDrive"),
    "Dns": ("VirtualRouter", "VpcVirtualRouter", "ConfigDrive"),
    "SourceNat": ("VirtualRouter", "VpcVirtualRouter"),
    "StaticNat": ("VirtualRouter", "VpcVirtualRouter"),
    "PortForwarding": ("VirtualRouter", "VpcVirtualRouter"),
    "Lb": ("VirtualRouter", "VpcVirtualRouter", "InternalLbVm"),
    "Firewall": ("VirtualRouter",),
    "Vpn": ("VirtualRouter", "VpcVirtualRouter"),
    "Gateway": ("VirtualRouter", "VpcVirtualRouter"),
    "UserData": ("VirtualRouter", "VpcVirtualRouter", "ConfigDrive"),
    "NetworkACL": ("VpcVirtualRouter",),
    "SecurityGroup": ("SecurityGroupProvider",),
}
"""Services that a network may have, and who can provide each."""
GUEST_TYPES: tuple[GuestType, ...] = ("Isolated", "Shared", "L2")
OUTSIDE = ("StaticNat", "PortForwarding", "Lb", "Firewall", "Vpn", "Gateway")
"""Services of a router that has a public address, which it has where it does source NAT."""
OF_TYPE: dict[GuestType, frozenset[str]] = {
    "Isolated": frozenset(SERVICES) - {"SecurityGroup"},
    "Shared": frozenset({"Dhcp", "Dns", "UserData", "SecurityGroup"}),
    "L2": frozenset({"UserData"}),
}
"""What networks of each guest type can have."""
VPC_PROVIDERS = frozenset({"VpcVirtualRouter", "InternalLbVm", "ConfigDrive"})
OTHER_PROVIDERS = frozenset({"VirtualRouter", "SecurityGroupProvider", "ConfigDrive"})
"""Who may provide services to VPC tiers, and who to other networks."""


InternetProtocol = Literal["IPv4", "DualStack"]


def internet_protocol(text: str | None, settings: Settings) -> InternetProtocol:
    """What an offering's networks speak, in any case; by default IPv4. Raises InvalidParameterValue."""
    chosen = (text or "IPv4").strip().lower()
    if chosen == "ipv4":
        return "IPv4"
    if chosen != "dualstack":
        raise InvalidParameterValue(f"internetprotocol is IPv4 or DualStack, not {text}")
    if not settings.boolean("ipv6.offering.enabled"):
        raise InvalidParameterValue(
            "internetprotocol DualStack: IPv6 is not enabled for offerings, by global config ipv6.offering.enabled"
        )
    return "DualStack"


def check_dual_stack(kind: GuestType, for_vpc: bool, services: Services) -> None:
    """Raise InvalidParameterValue unless networks of such an offering have a router that can serve IPv6."""
    if kind != "Isolated":
        raise InvalidParameterValue(
            f"internetprotocol DualStack is for offerings of guest type Isolated, not {kind}: a shared network has the "
            "IPv6 addresses of its ranges"
        )
    for service in ("SourceNat", "NetworkACL" if for_vpc else "Firewall"):
        if service not in services:
            raise InvalidParameterValue(f"internetprotocol DualStack needs service {service}")


def service_named(text: str) -> str:
    """The service of that name in any case. Raises InvalidParameterValue."""
    for name in SERVICES:
        if text.strip().lower() == name.lower():
            return name
    raise InvalidParameterValue(f"Invalid service name {text}; there are {', '.join(SERVICES)}")


def guest_type_named(text: str) -> GuestType:
    """The guest type of that name in any case. Raises InvalidParameterValue."""
    for name in GUEST_TYPES:
        if text.strip().lower() == name.lower():
            return name
    raise InvalidParameterValue(f'Invalid "guestIpType" parameter is specified: {text}')


def services_offered(
    guest_type: GuestType, for_vpc: bool, names: Sequence[str], providers: Iterable[tuple[str, str]]
) -> Services:
    """Service -> its provider, of the services `names`, by the (service, provider) pairs given or else by default.

    As CloudStack does, a Firewall and a Gateway are added where the router that does source NAT is to have rules for
    them. Raises InvalidParameterValue for what cannot be.
    """
    chosen: Services = {service_named(name): () for name in names}
    for text, provider in providers:
        service = service_named(text)
        if names and service not in chosen:
            raise InvalidParameterValue(
                f"Service {service} is not enabled for the network offering, can't add a provider to it"
            )
        given = (*chosen.get(service, ()), _provider_named(service, provider))
        if len(dict.fromkeys(given)) > 1:
            raise InvalidParameterValue(
                f"Only one provider can be specified for service {service}, not {' and '.join(dict.fromkeys(given))}"
            )
        chosen[service] = given[:1]
    allowed = VPC_PROVIDERS if for_vpc else OTHER_PROVIDERS
    for service, by in chosen.items():
        _check_service(guest_type, for_vpc, service)
        usable = [each for each in SERVICES[service] if each in allowed]
        if guest_type == "L2":
            usable = ["ConfigDrive"]
        provider = by[0] if by else next(iter(usable), SERVICES[service][0])
        if provider not in usable:
            what = "VPC networks" if for_vpc else f"{guest_type} networks"
            raise InvalidParameterValue(f"Provider {provider} is not supported for service {service} of {what}")
        chosen[service] = (provider,)
    return chosen if for_vpc or guest_type != "Isolated" else _with_router(chosen)


def for_tiers(providers: Iterable[tuple[str, str]]) -> bool:
    """Whether (service, provider) pairs are those of an offering for tiers of VPCs: some are by the VPC's router."""
    return any(provider.strip().lower() == "vpcvirtualrouter" for _, provider in providers)


def _provider_named(service: str, text: str) -> str:
    known = next((each for each in SERVICES[service] if each.lower() == text.strip().lower()), None)
    if known is None:
        raise InvalidParameterValue(
            f"Provider {text} is not supported for service {service}; {' or '.join(SERVICES[service])} is"
        )
    return known


def _check_service(guest_type: GuestType, for_vpc: bool, service: str) -> None:
    if service not in OF_TYPE[guest_type]:
        raise InvalidParameterValue(
            f"Service {service} is not supported by network offerings with guest type {guest_type}"
        )
    if for_vpc and service == "Firewall":
        raise InvalidParameterValue("Service Firewall is not supported by VPC networks: they have a NetworkACL")
    if not for_vpc and service == "NetworkACL":
        raise InvalidParameterValue("Service NetworkACL is supported by VPC networks only")


def _with_router(chosen: Services) -> Services:
    """What an isolated network's router does outside it does by the address at which it does source NAT."""
    source = chosen.get("SourceNat")
    for service in OUTSIDE:
        if service in chosen and chosen[service] != source:
            raise InvalidParameterValue(
                f"Service {service} needs service SourceNat, by the same provider {chosen[service][0]}"
            )
    if source is None:
        return chosen
    added: Services = {name: source for name in ("Firewall", "Gateway") if name not in chosen}
    return {**chosen, **added}


# how


def _is(text: str, *words: str) -> bool:
    return text.strip().lower() in words


_Check = tuple[Callable[[str], bool], str]
_OFF: _Check = (lambda text: _is(text, "false"), "is not supported: it must be false")
CHOICES: dict[str, dict[str, _Check]] = {
    "SourceNat": {
        "SupportedSourceNatTypes": (
            lambda text: _is(text, "peraccount"),
            "must be peraccount: perzone is not supported",
        ),
        "RedundantRouter": _OFF,
    },
    "Lb": {
        "SupportedLBIsolation": (
            lambda text: _is(text, "dedicated"),
            "must be dedicated: load balancers shared by networks are not supported",
        ),
        "ElasticLb": _OFF,
        "InlineMode": _OFF,
        "VmAutoScaling": _OFF,
        "LbSchemes": (lambda text: _is(text, "public", "internal"), "must be Public or Internal"),
    },
    "StaticNat": {"ElasticIp": _OFF, "AssociatePublicIP": _OFF},
    "Connectivity": {"StretchedL2Subnet": _OFF, "DistributedRouter": _OFF, "RegionLevelVPC": _OFF},
}
"""What an offering may choose about a service: what is possible, and why else it is not."""


def capabilities_offered(services: Services, chosen: Iterable[Mapping[str, str]]) -> Capabilities:
    """service -> capability -> value, of a servicecapabilitylist. Raises InvalidParameterValue."""
    found: Capabilities = {}
    for entry in chosen:
        service = next((name for name in CHOICES if name.lower() == entry.get("service", "").lower()), None)
        kind, value = entry.get("capabilitytype", ""), entry.get("capabilityvalue", "").strip()
        if service is None:
            raise InvalidParameterValue(
                f"Capabilities can be specified for services {', '.join(CHOICES)}, not for {entry.get('service')!r}"
            )
        name = next((each for each in CHOICES[service] if each.lower() == kind.lower()), None)
        if name is None:
            raise InvalidParameterValue(
                f"Service {service} has no capability {kind!r} to be specified; it has {', '.join(CHOICES[service])}"
            )
        if service != "Connectivity" and service not in services:
            raise InvalidParameterValue(
                f"Capability {name} is specified for service {service}, which the offering does not have"
            )
        accepts, why = CHOICES[service][name]
        if not accepts(value):
            raise InvalidParameterValue(f"Capability {name} of service {service} {why}, not {value!r}")
        if name == "LbSchemes":
            value = value.capitalize()
            if (services["Lb"] == ("InternalLbVm",)) != (value == "Internal"):
                raise InvalidParameterValue(
                    f"Provider {services['Lb'][0]} does not balance load of scheme {value}"
                )
        found.setdefault(service, {})[name] = value
    return found
