"""Which servers may be asked for files: users choose URLs, and must not get at what serves the cloud itself."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from backends.systemvm.secstorage.errors import TransferError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def check_allowed(address: str, allowed: Sequence[str], name: str = "") -> None:
    """Raise TransferError for an address on an internal network that is not of `allowed` (CIDRs).

    Link-local addresses, where metadata services are, and those that are no host's are refused in any case. It is to be
    asked about the very address that is then connected to: a name may mean another one a moment later.

    >>> check_allowed("192.0.32.7", ())
    >>> check_allowed("10.1.2.3", ("10.0.0.0/8",))
    """
    meant = _meant(address)
    named = name or address
    if (
        meant.is_link_local
        or meant.is_multicast
        or meant.is_unspecified
        or (meant.is_reserved and not meant.is_loopback)
    ):
        raise TransferError(f"{named} is {meant}, which is no server of images")
    if meant.is_global or any(_within(meant, network) for network in allowed):
        return
    raise TransferError(
        f"{named} is {meant}, which is on an internal network that downloads may not come from"
    )


def _meant(address: str) -> Address:
    """The address itself, past the ways of writing an IPv4 address as an IPv6 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip.sixtofour is not None:
            return ip.sixtofour
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _within(address: Address, network: str) -> bool:
    return address in ipaddress.ip_network(network, strict=False)
