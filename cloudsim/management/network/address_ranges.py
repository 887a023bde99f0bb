"""IPv4 addresses and ranges as operators write them, checked, and as numbers to compare."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import NamedTuple

from cloudsim.errors import InvalidParameterValue


def check_address(text: str, what: str) -> str:
    """The IPv4 or IPv6 address in its usual form. InvalidParameterValue names `what` it was meant for."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise InvalidParameterValue(f"Please enter a valid IP address for {what}: {text!r} is none") from None


def check_cidr(text: str, what: str) -> str:
    """The IPv4 network with its prefix length, such as 10.1.1.0/24. InvalidParameterValue for anything else."""
    try:
        if "/" not in text:
            raise ValueError(text)
        return str(ipaddress.IPv4Network(text.strip(), strict=False))
    except ValueError:
        raise InvalidParameterValue(f"Please enter a valid CIDR for {what}: {text!r} is none") from None


class AddressRange(NamedTuple):
    """A subnet (`network` to `broadcast`) and the part of it, `start` to `end`, that is given out; as numbers."""

    network: int
    broadcast: int
    start: int
    end: int

    def subnet_overlaps(self, other: AddressRange) -> bool:
        return self.network <= other.broadcast and other.network <= self.broadcast

    def range_overlaps(self, other: AddressRange) -> bool:
        return self.start <= other.end and other.start <= self.end

    def holds(self, other: AddressRange) -> bool:
        """Whether all that `other` gives out is within what this one gives out."""
        return self.start <= other.start and other.end <= self.end


@lru_cache(maxsize=16_384)
def address_range(gateway: str, netmask: str, start: str, end: str) -> AddressRange:
    """The range of a subnet known by its gateway and netmask. InvalidParameterValue says what does not fit."""
    numbers = {}
    for name, text in (("gateway", gateway), ("netmask", netmask), ("startip", start), ("endip", end)):
        try:
            numbers[name] = int(ipaddress.IPv4Address(text))
        except ValueError:
            raise InvalidParameterValue(f"{name} {text!r} is not a valid IP address") from None
    try:
        subnet = ipaddress.IPv4Network(f"{gateway}/{netmask}", strict=False)
    except ValueError:
        raise InvalidParameterValue(f"netmask {netmask!r} is not a valid netmask") from None
    found = AddressRange(
        int(subnet.network_address), int(subnet.broadcast_address), numbers["startip"], numbers["endip"]
    )
    for name, text in (("startip", start), ("endip", end)):
        if not found.network < numbers[name] < found.broadcast:
            raise InvalidParameterValue(f"{name} {text} is not an address of {subnet}")
    if found.start > found.end:
        raise InvalidParameterValue(f"The start IP {start} comes after the end IP {end}")
    if found.start <= numbers["gateway"] <= found.end:
        raise InvalidParameterValue(f"The gateway {gateway} must not be in the range {start} - {end}")
    return found
