"""What may be asked of a new network, and what it means: its subnet, VLAN and domain name."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

import msgspec

from cloudsim.errors import InvalidParameterValue, PermissionDenied
from cloudsim.management.identity.caller import Caller
from cloudsim.management.network import ipv6_ranges
from cloudsim.management.network.address_ranges import address_range, check_address
from cloudsim.management.network.router_use import routed_services
from cloudsim.management.network.vlans import LARGEST, UNTAGGED, isolation_of
from cloudsim.model import Domain, Network, NetworkAclList, NetworkOffering, PhysicalNetwork, Vpc, Zone

ISOLATED_CIDR = "10.1.1.0/24"
"""The subnet of an isolated network where neither the caller nor the zone says one."""
PRIVATE = tuple(
    ipaddress.IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
"""RFC 1918 and RFC 6598: what an isolated network's subnet must be in."""
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")
DOMAIN_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,188}[A-Za-z0-9])?\Z")


class NetworkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a new network is to be; `acl_type` and addresses are chosen where None. With a `vpc`, a tier of it."""

    name: str
    display_text: str | None = None
    physical_network: PhysicalNetwork | None = None
    gateway: str | None = None
    netmask: str | None = None
    start_ip: str | None = None
    end_ip: str | None = None
    vlan: str | None = None
    network_domain: str | None = None
    acl_type: Literal["Account", "Domain"] | None = None
    domain: Domain | None = None
    subdomain_access: bool | None = None
    display: bool = True
    vpc: Vpc | None = None
    acl: NetworkAclList | None = None
    dns1: str | None = None
    dns2: str | None = None
    ip6_gateway: str | None = None
    ip6_cidr: str | None = None
    start_ip6: str | None = None
    end_ip6: str | None = None
    external_id: str | None = None
    router_ip: str | None = None
    public_mtu: int | None = None
    private_mtu: int | None = None
    hides_address_usage: bool = False
    vlan_overlap_allowed: bool = False


class Subnet(msgspec.Struct, frozen=True):
    """Addresses of a network: those given to NICs are `start_ip` to `end_ip`, or all of `cidr`."""

    cidr: str | None = None
    gateway: str | None = None
    netmask: str | None = None
    start_ip: str | None = None
    end_ip: str | None = None


def subnet_of(zone: Zone, offering: NetworkOffering, request: NetworkRequest) -> Subnet:
    """The addresses of a network that is asked for. Raises InvalidParameterValue."""
    given = (request.gateway, request.netmask, request.start_ip, request.end_ip)
    if offering.guest_type == "L2":
        if any(given):
            raise InvalidParameterValue(
                "gateway, netmask, startip and endip cannot be given for an L2 network"
            )
        return Subnet()
    if zone.network_type == "Basic" and not any(given):
        return Subnet()  # its ranges say it, once there are any
    if (request.gateway is None) != (request.netmask is None):
        raise InvalidParameterValue("gateway and netmask must be given together")
    if request.gateway is None or request.netmask is None:
        if offering.guest_type == "Shared":
            raise InvalidParameterValue(
                "startip, gateway and netmask are required to create a shared network"
            )
        if any(given):
            raise InvalidParameterValue("startip and endip need a gateway and a netmask")
        net = ipaddress.IPv4Network(zone.guest_cidr or ISOLATED_CIDR)
        return Subnet(str(net), str(net[1]), str(net.netmask))
    try:
        net = ipaddress.IPv4Network(f"{request.gateway}/{request.netmask}", strict=False)
        gateway = ipaddress.IPv4Address(request.gateway)
    except ValueError:
        raise InvalidParameterValue(
            f"Invalid gateway {request.gateway} or netmask {request.netmask}"
        ) from None
    if gateway in (net.network_address, net.broadcast_address) or not 8 <= net.prefixlen <= 30:
        raise InvalidParameterValue(f"Gateway {gateway} is not an address of a usable subnet {net}")
    if offering.guest_type == "Isolated" and not any(net.subnet_of(private) for private in PRIVATE):
        raise InvalidParameterValue(f"Virtual Guest Cidr {net} is not RFC 1918 or 6598 compliant")
    start, end = request.start_ip, request.end_ip or request.start_ip
    if start is None and end is not None:
        raise InvalidParameterValue("endip needs a startip")
    if offering.guest_type == "Shared" and start is None:
        raise InvalidParameterValue("startip, gateway and netmask are required to create a shared network")
    if start is not None and end is not None:
        address_range(str(gateway), str(net.netmask), start, end)
    return Subnet(str(net), str(gateway), str(net.netmask), start, end)


def router_ip_of(offering: NetworkOffering, subnet: Subnet, wanted: str | None) -> str | None:
    """Where the router of a shared network is asked to be. Raises InvalidParameterValue."""
    if wanted is None:
        return None
    if offering.guest_type != "Shared" or not routed_services(offering):
        raise InvalidParameterValue("Parameter routerip is for shared networks with a virtual router")
    address, net = check_address(wanted, "routerip"), ipaddress.ip_network(subnet.cidr or "0.0.0.0/32")
    outside = (str(net.network_address), str(net.broadcast_address), subnet.gateway)
    if ipaddress.ip_address(address) not in net or address in outside:
        raise InvalidParameterValue(f"routerip {address} is not an address for a machine of the subnet {subnet.cidr}")
    return address


def ipv6_of(offering: NetworkOffering, request: NetworkRequest, subnet: Subnet) -> ipv6_ranges.Fields:
    """The IPv6 addresses that a shared network is asked to have; {} for none. Raises InvalidParameterValue."""
    six = ipv6_ranges.fields(request.ip6_gateway, request.ip6_cidr, request.start_ip6, request.end_ip6)
    if not six:
        return {}
    if offering.guest_type != "Shared":
        raise InvalidParameterValue(
            "ip6gateway, ip6cidr, startipv6 and endipv6 are for shared networks: an isolated one gets a subnet of the "
            "zone's IPv6 prefixes where its offering has internetprotocol DualStack"
        )
    if subnet.cidr is None:
        raise InvalidParameterValue("ip6cidr: networks with IPv6 addresses alone are not supported")
    ipv6_ranges.check_shared(offering)
    return six


def vlan_of(
    caller: Caller, offering: NetworkOffering, physical: PhysicalNetwork | None, vlan: str | None
) -> str | None:
    """The id of a VLAN (or VXLAN, on such a wire), or UNTAGGED, that a caller asks for; None for none.

    Raises what stands against it.
    """
    if vlan is None or not vlan.strip():
        if offering.specify_vlan:
            raise InvalidParameterValue("Vlan tag is required: the network offering leaves it to the caller")
        return None
    if not offering.specify_vlan and offering.guest_type != "Shared":
        raise InvalidParameterValue("Can't specify vlan: the network offering does not allow it")
    if not caller.is_root_admin:
        raise PermissionDenied("Only ROOT admin and domain admins are allowed to specify vlan")
    method = isolation_of(physical)
    text = vlan.strip().lower().removeprefix(f"{method.lower()}://")
    if text == UNTAGGED:
        return UNTAGGED
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= LARGEST[method]:
        raise InvalidParameterValue(f"Please specify a valid {method} id, not {vlan}")
    return str(int(text))


def checked_domain(text: str) -> str:
    """A DNS domain for instances. Raises InvalidParameterValue for what is none."""
    if not DOMAIN_NAME.match(text) or not all(LABEL.match(label) for label in text.split(".")):
        raise InvalidParameterValue(
            "Invalid network domain. Total length shouldn't exceed 190 chars. Each domain label must be "
            "between 1 and 63 characters long, can contain ASCII letters 'a' through 'z', the digits '0' "
            "through '9', and the hyphen ('-'); can't start or end with \"-\""
        )
    return text


def checked_dns(request: NetworkRequest) -> tuple[str | None, str | None]:
    """The name servers that are asked for, of the VPC where the request names none. Raises InvalidParameterValue."""
    if request.dns1 is None and request.dns2 is None and request.vpc is not None:
        return request.vpc.dns1, request.vpc.dns2
    if request.dns2 is not None and request.dns1 is None:
        raise InvalidParameterValue("dns2 needs a dns1")
    first = None if request.dns1 is None else check_address(request.dns1, "dns1")
    return first, None if request.dns2 is None else check_address(request.dns2, "dns2")


def changed_dns(
    network: Network, offering: NetworkOffering | None, dns1: str | None, dns2: str | None
) -> dict[str, str | None]:
    """The fields of a network that is to have these name servers; "" for none, None for what it has."""
    if dns1 is None and dns2 is None:
        return {}
    if offering is None or "Dns" not in offering.services:
        raise InvalidParameterValue(f"Network {network.name} has no DNS service: dns1 and dns2 cannot be changed")
    first = network.dns1 if dns1 is None else check_address(dns1, "dns1") if dns1 else None
    second = network.dns2 if dns2 is None else check_address(dns2, "dns2") if dns2 else None
    if second is not None and first is None:
        raise InvalidParameterValue("dns2 needs a dns1")
    return {"dns1": first, "dns2": second}
