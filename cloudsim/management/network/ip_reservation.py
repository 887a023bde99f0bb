"""Addresses of an isolated network that are kept from instances: those outside their part of its subnet."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import Network, Nic


def reserved(network: Network) -> list[tuple[str, str]]:
    """The first and last address of each span that instances do not get; empty without a reservation."""
    if network.network_cidr is None or network.cidr is None:
        return []
    whole, guests = ipaddress.IPv4Network(network.network_cidr), ipaddress.IPv4Network(network.cidr)
    spans = []
    if guests.network_address > whole.network_address:
        spans.append((str(whole.network_address), str(guests.network_address - 1)))
    if guests.broadcast_address < whole.broadcast_address:
        spans.append((str(guests.broadcast_address + 1), str(whole.broadcast_address)))
    return spans


def reservation(network: Network, nics: Iterable[Nic], wanted: str) -> dict[str, Any]:
    """The changes of the row that leave its instances only the CIDR `wanted`; all of the subnet: none is reserved.

    `nics`: those on the network. Raises InvalidParameterValue, also where one has an address outside.
    """
    if network.guest_type != "Isolated" or network.cidr is None or network.vpc_id is not None:
        raise InvalidParameterValue(
            "Parameter guestvmcidr: IP Reservation is supported only for isolated networks outside of VPCs"
        )
    if network.state != "Implemented":
        raise InvalidParameterValue(
            "Parameter guestvmcidr: the network must be in state Implemented for IP Reservation, "
            f"it is {network.state}"
        )
    if network.start_ip is not None:
        raise InvalidParameterValue(
            f"Parameter guestvmcidr: instances of the network have {network.start_ip} to {network.end_ip}"
        )
    whole = ipaddress.IPv4Network(network.network_cidr or network.cidr)
    try:
        guests = ipaddress.IPv4Network(wanted, strict=False)
    except ValueError:
        raise InvalidParameterValue(
            f"Invalid format of Guest VM CIDR: {wanted!r}, it is such as 10.1.1.0/26"
        ) from None
    if not guests.subnet_of(whole):
        raise InvalidParameterValue(
            "Invalid value of Guest VM CIDR. For IP Reservation, Guest VM CIDR should be a subset of "
            f"network CIDR: {whole}"
        )
    if guests.prefixlen > 30:
        raise InvalidParameterValue(
            f"Invalid value of Guest VM CIDR: {guests} has no addresses for instances"
        )
    for nic in nics:
        held = [
            each
            for each in (nic.ip, *(ip for ip, _ in nic.secondary_ips))
            if each not in (None, network.gateway)
        ]
        for each in held:
            if ipaddress.IPv4Address(each) not in guests:
                raise InvalidParameterValue(
                    f"Active IPs like {each} exist outside the Guest VM CIDR {guests}: "
                    "IP Reservation cannot be applied"
                )
    return {"cidr": str(guests), "network_cidr": None if guests == whole else str(whole)}
