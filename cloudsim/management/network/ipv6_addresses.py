"""IPv6 subnets and addresses as operators write them, checked; and the address that a card makes of its MAC."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from typing import NamedTuple

from cloudsim.errors import InvalidParameterValue

SUBNET = 64
"""The prefix length of a network whose cards make their addresses themselves (RFC 4862, RFC 4291)."""


class Ipv6Range(NamedTuple):
    """A subnet and the part of it, `first` to `last`, that is given out; addresses as numbers."""

    subnet: IPv6Network
    first: int
    last: int

    def overlaps(self, other: Ipv6Range) -> bool:
        """Whether both give out some address."""
        return self.first <= other.last and other.first <= self.last

    def holds(self, address: str) -> bool:
        return self.first <= int(IPv6Address(address)) <= self.last


def checked_address(text: str, what: str) -> str:
    """The IPv6 address in its usual form. InvalidParameterValue names `what` it was meant for."""
    try:
        return str(IPv6Address(text.strip()))
    except ValueError:
        raise InvalidParameterValue(f"{what} must be an IPv6 address, not {text!r}") from None


def checked_prefix(text: str, what: str) -> IPv6Network:
    """An IPv6 network with its prefix length. InvalidParameterValue for anything else, bits behind the prefix too."""
    try:
        if "/" not in text:
            raise ValueError(text)
        found = IPv6Network(text.strip())
    except ValueError:
        raise InvalidParameterValue(
            f"{what} must be an IPv6 network such as 2001:db8::/64, not {text!r}"
        ) from None
    if found.is_multicast or found.is_link_local or found.is_loopback or found.prefixlen < 3:
        raise InvalidParameterValue(f"{what} {found} is no network of addresses that are routed")
    return found


@lru_cache(maxsize=16_384)
def ipv6_range(gateway: str, cidr: str, first: str | None = None, last: str | None = None) -> Ipv6Range:
    """What a range gives out: all of the subnet but its router anycast address, or `first` to `last`.

    InvalidParameterValue says what does not fit: subnets are of 64 bits, and hold their gateway.
    """
    subnet = checked_prefix(cidr, "ip6cidr")
    if subnet.prefixlen != SUBNET:
        raise InvalidParameterValue(f"ip6cidr {subnet} must have a prefix length of {SUBNET}")
    own = IPv6Address(checked_address(gateway, "ip6gateway"))
    if own not in subnet and not own.is_link_local:
        raise InvalidParameterValue(f"ip6gateway {own} is not an address of ip6cidr {subnet}")
    if first is None and last is not None:
        raise InvalidParameterValue("endipv6 needs a startipv6")
    if first is None:
        return Ipv6Range(subnet, int(subnet[1]), int(subnet[-1]))
    span = []
    for name, text in (("startipv6", first), ("endipv6", last or first)):
        address = IPv6Address(checked_address(text, name))
        if address not in subnet or address == subnet[0]:
            raise InvalidParameterValue(f"{name} {address} is not an address of ip6cidr {subnet}")
        span.append(address)
    if span[0] > span[1]:
        raise InvalidParameterValue(f"startipv6 {span[0]} comes after endipv6 {span[1]}")
    if span[0] <= own <= span[1]:
        raise InvalidParameterValue(
            f"ip6gateway {own} must not be in the range startipv6 {span[0]} to endipv6 {span[1]}"
        )
    return Ipv6Range(subnet, int(span[0]), int(span[1]))


@lru_cache(maxsize=65_536)
def address_of_mac(cidr: str, mac: str) -> str:
    """The address that a card gives itself in a subnet of 64 bits (modified EUI-64: RFC 4291, appendix A).

    >>> address_of_mac("2001:db8::/64", "02:00:4c:00:00:0a")
    '2001:db8::4cff:fe00:a'
    """
    octets = bytes.fromhex(mac.replace(":", ""))
    interface = bytes((octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]))
    return str(IPv6Network(cidr)[int.from_bytes(interface, "big")])


def mac_of_address(address: str) -> str | None:
    """The MAC address of the card that would give itself this address; None: none would."""
    octets = IPv6Address(address).packed[8:]
    if octets[3:5] != b"\xff\xfe":
        return None
    return bytes((octets[0] ^ 2, *octets[1:3], *octets[5:])).hex(":")
