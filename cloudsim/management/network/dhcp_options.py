"""Further DHCP options of single NICs: which there can be, on which networks, and how a call says them.

A call says `dhcp:114=http://...`, or the option by a name that dnsmasq knows. What would break a lease, or the server for
everybody else in the network, is refused here: options that are the protocol's own, and values that an option cannot have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import AddressValueError, IPv4Address

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.network.router_use import ROUTER_PROVIDERS
from cloudsim.model import Network, NetworkOffering
from cloudsim.store import Table

PREFIX = "dhcp:"
LONGEST = 255
"""Bytes of a value: a DHCP option has one byte for its length."""
OF_THE_PROTOCOL = frozenset({0, 1, 28, 255, *range(50, 60), 61, 80, 81, 82, 118})
"""What the server and the guest agree about by themselves."""
OF_THE_INSTANCE = frozenset({12})
"""What the instance has a parameter of its own for: its name."""

ADDRESSES = {
    3: "router",
    6: "dns-server",
    7: "log-server",
    9: "lpr-server",
    41: "nis-server",
    42: "ntp-server",
    44: "netbios-ns",
    45: "netbios-dd",
    48: "x-windows-fs",
    49: "x-windows-dm",
    65: "nis+-server",
    68: "mobile-ip-home",
    69: "smtp-server",
    70: "pop3-server",
    71: "nntp-server",
    74: "irc-server",
    150: "tftp-server-address",
}
"""Options whose value is addresses, with commas between them."""
NUMBERS = {
    2: ("time-offset", 4),
    13: ("boot-file-size", 2),
    22: ("max-datagram-reassembly", 2),
    23: ("default-ttl", 1),
    26: ("mtu", 2),
    35: ("arp-timeout", 4),
    37: ("tcp-ttl", 1),
    38: ("tcp-keepalive", 4),
    46: ("netbios-nodetype", 1),
}
"""Options whose value is a number of so many bytes."""
TEXTS = {
    15: "domain-name",
    17: "root-path",
    18: "extension-path",
    40: "nis-domain",
    47: "netbios-scope",
    60: "vendor-class",
    64: "nis+-domain",
    66: "tftp-server",
    67: "bootfile-name",
    77: "user-class",
    100: "posix-timezone",
    101: "tzdb-timezone",
    119: "domain-search",
}
"""Options whose value is a text."""
NAMES: dict[int, str] = {**ADDRESSES, **{code: name for code, (name, _) in NUMBERS.items()}, **TEXTS}
"""Options that have a name, by number."""
_CODES = {name: code for code, name in NAMES.items()}
_TEXT = re.compile(r"[!$-\[\]-~](?:[ !#-\[\]-~]*[!#-\[\]-~])?")
"""Printable, without quotes and backslashes, and not beginning with what begins a comment."""


def options_of(entry: Mapping[str, str], parameter: str) -> dict[str, str]:
    """The options that a map says, by their numbers as texts. Raises InvalidParameterValue, naming the parameter."""
    found: dict[str, str] = {}
    for key, value in entry.items():
        name = key[len(PREFIX) :] if key.lower().startswith(PREFIX) else key
        code = _code(name.strip().lower(), parameter)
        found[str(code)] = _value(code, value.strip(), parameter)
    return found


def _code(name: str, parameter: str) -> int:
    code = int(name) if name.isdecimal() and len(name) <= 3 else _CODES.get(name)
    if code is None or code > 255:
        raise InvalidParameterValue(
            f"{parameter}: unknown DHCP option {name!r}: expected dhcp:NUMBER or one of {', '.join(sorted(_CODES))}"
        )
    if code in OF_THE_PROTOCOL or code in OF_THE_INSTANCE:
        raise InvalidParameterValue(f"{parameter}: DHCP option {code} is the cloud's own and cannot be given")
    return code


def _value(code: int, value: str, parameter: str) -> str:
    def refuse(expected: str) -> InvalidParameterValue:
        return InvalidParameterValue(f"{parameter}: DHCP option {code} is {expected}, not {value!r}")

    if not value or len(value) > LONGEST or not _TEXT.fullmatch(value):
        raise refuse(f"a text of 1 to {LONGEST} printable ASCII characters without quotes and backslashes")
    if code in ADDRESSES:
        addresses = [part.strip() for part in value.split(",")]
        try:
            return ",".join(str(IPv4Address(each)) for each in addresses)
        except AddressValueError:
            raise refuse("IPv4 addresses with commas between them") from None
    if code in NUMBERS:
        size = NUMBERS[code][1]
        if not value.isdecimal() or int(value) >= 1 << 8 * size:
            raise refuse(f"a number below {1 << 8 * size}")
    return value


def can_have_options(network: Network, offering: NetworkOffering | None) -> bool:
    """Whether the network's leases come from a DHCP server of the cloud's, which can be told options for one NIC.

    Such are virtual routers and, for the default network of a zone without routers, the hosts themselves.
    """
    if network.guest_type == "L2" or offering is None:
        return False
    return bool(ROUTER_PROVIDERS.intersection(offering.services.get("Dhcp", ())))


def of_networks(entries: Sequence[Mapping[str, str]], parameter: str) -> dict[str, dict[str, str]]:
    """The options that a list of maps says, by the ids of networks. Raises InvalidParameterValue, naming the parameter."""
    found: dict[str, dict[str, str]] = {}
    for entry in entries:
        rest = dict(entry)
        network_id = rest.pop("networkid", "")
        if not network_id:
            raise InvalidParameterValue(f"Each entry of {parameter} needs a networkid")
        if network_id in found:
            raise InvalidParameterValue(f"{parameter} names network {network_id} twice")
        found[network_id] = options_of(rest, parameter)
    return found


def check_options(
    options: Mapping[str, Mapping[str, str]], networks: Iterable[Network], offerings: Table[NetworkOffering]
) -> None:
    """Raise InvalidParameterValue unless those of an instance's networks for which there are options can have them."""
    known = {network.id: network for network in networks}
    for network_id, wanted in options.items():
        network = known.get(network_id)
        if network is None:
            raise InvalidParameterValue(f"DHCP options: the instance has no NIC on network {network_id}")
        if wanted and not can_have_options(network, offerings.get(network.network_offering_id)):
            raise InvalidParameterValue(
                f"Network {network.name} does not support extra DHCP options: it has no Dhcp service whose provider can "
                "give them"
            )
