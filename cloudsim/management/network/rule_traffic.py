"""What traffic a rule of a public address or a network is about, as callers write it: protocol, ports, ICMP, CIDRs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from cloudsim.errors import InvalidParameterValue

LARGEST_PORT = 65_535
ANYWHERE = "0.0.0.0/0"
ANY = -1
"""Any ICMP type, or any code."""
_NAMES = {"1": "icmp", "6": "tcp", "17": "udp"}
"""Protocols that may be given by their IANA number."""
_CIDR = re.compile(r"(\d{1,3}\.){3}\d{1,3}/\d{1,2}\Z", re.ASCII)


class RuleTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic as a caller describes it; CIDRs None where none are given."""

    protocol: str
    start_port: int | None = None
    end_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    cidrs: Sequence[str] | None = None
    destination_cidrs: Sequence[str] | None = None


def checked_protocol(protocol: str, allowed: Sequence[str]) -> str:
    """The protocol's name in small letters. Raises InvalidParameterValue unless it is one of `allowed`."""
    name = protocol.strip().lower()
    name = _NAMES.get(name, name)
    if name not in allowed:
        raise InvalidParameterValue(
            f"Protocol {protocol} is not supported: protocol is one of {', '.join(allowed)}"
        )
    return name


def checked_ports(start: int, end: int | None, which: str) -> tuple[int, int]:
    """First and last of a range; `which` is what the range is called, such as public. Raises InvalidParameterValue."""
    last = start if end is None else end
    if not 1 <= start <= LARGEST_PORT:
        raise InvalidParameterValue(f"{which}Port is an invalid value: {start}, expected 1 to {LARGEST_PORT}")
    if not 1 <= last <= LARGEST_PORT:
        raise InvalidParameterValue(
            f"{which} port range is an invalid value: {last}, expected 1 to {LARGEST_PORT}"
        )
    if start > last:
        raise InvalidParameterValue(f"Start port can't be bigger than end port: {which} {start} to {last}")
    return start, last


def checked_cidrs(cidrs: Sequence[str] | None, parameter: str, ipv6: bool = False) -> tuple[str, ...]:
    """IPv4 CIDRs as they were written (or IPv6 ones in their usual form), each once.

    Raises InvalidParameterValue, naming the parameter.
    """
    found: dict[str, None] = {}
    for cidr in cidrs or ():
        text = cidr.strip()
        if ipv6:
            found[_checked_cidr6(text, parameter)] = None
            continue
        if not _CIDR.match(text) or not is_cidr(text):
            kind = "Destination" if parameter.startswith("dest") else "Source"
            raise InvalidParameterValue(
                f"{kind} cidrs formatting error {cidr}: {parameter} takes CIDRs such as 10.1.0.0/16"
            )
        found[text] = None
    return tuple(found)


def _checked_cidr6(text: str, parameter: str) -> str:
    try:
        if "/" not in text:
            raise ValueError(text)
        return str(ipaddress.IPv6Network(text, strict=False))
    except ValueError:
        raise InvalidParameterValue(
            f"{parameter} takes IPv6 CIDRs such as 2001:db8::/64, not {text!r}"
        ) from None


def is_cidr(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return False
    return True


def checked_traffic(traffic: RuleTraffic, allowed: Sequence[str], ipv6: bool = False) -> RuleTraffic:
    """The same, checked as a firewall rule's, with nothing left to guess: CIDRs are tuples, ICMP any where not said.

    Only tcp and udp have ports, and without them mean all. `ipv6`: its CIDRs are. Raises InvalidParameterValue.
    """
    protocol = checked_protocol(traffic.protocol, allowed)
    first, last = traffic.start_port, traffic.end_port
    icmp_type, icmp_code = traffic.icmp_type, traffic.icmp_code
    if protocol != "icmp" and (icmp_type is not None or icmp_code is not None):
        raise InvalidParameterValue("Can specify icmpCode and icmpType for ICMP protocol only")
    if protocol in ("tcp", "udp"):
        if first is None and last is not None:
            raise InvalidParameterValue("endport needs a startport")
        if first is not None:
            first, last = checked_ports(first, last, "public")
    elif first is not None or last is not None:
        raise InvalidParameterValue(f"Can't specify start/end port when protocol is {protocol.upper()}")
    if protocol == "icmp":
        icmp_type, icmp_code = _checked_icmp(icmp_type, icmp_code)
    return RuleTraffic(
        protocol=protocol,
        start_port=first,
        end_port=last,
        icmp_type=icmp_type,
        icmp_code=icmp_code,
        cidrs=checked_cidrs(traffic.cidrs, "cidrlist", ipv6),
        destination_cidrs=checked_cidrs(traffic.destination_cidrs, "destcidrlist", ipv6),
    )


def fields_of(traffic: RuleTraffic, cidrs: tuple[str, ...], destinations: tuple[str, ...]) -> dict[str, Any]:
    """Checked traffic as the fields of a firewall rule's row, from and to those CIDRs."""
    return {
        "protocol": traffic.protocol,
        "start_port": traffic.start_port,
        "end_port": traffic.end_port,
        "icmp_type": traffic.icmp_type,
        "icmp_code": traffic.icmp_code,
        "cidrs": cidrs,
        "destination_cidrs": destinations,
    }


def _checked_icmp(type: int | None, code: int | None) -> tuple[int, int]:
    found = (ANY if type is None else type, ANY if code is None else code)
    for value, parameter in zip(found, ("icmptype", "icmpcode"), strict=True):
        if not -1 <= value <= 255:
            raise InvalidParameterValue(f"{parameter} {value} is invalid: expected 0 to 255, or -1 for any")
    if found[0] == ANY and found[1] != ANY:
        raise InvalidParameterValue(
            f"icmpcode {code} needs an icmptype: a code has a meaning for a type only"
        )
    return found


def overlap(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two ranges, both ends included, have a port in common."""
    return first[0] <= second[1] and second[0] <= first[1]
