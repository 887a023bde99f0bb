"""What a rule of an access control list says, checked: protocol, ports, ICMP type and code, CIDRs."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import NetworkAcl

NAMED = ("tcp", "udp", "icmp", "all")
NUMBERED = {"6": "tcp", "17": "udp", "1": "icmp"}
"""IP protocol numbers that have a name, too."""
ANYWHERE = ("0.0.0.0/0",)


class AclRuleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule is to say; None is chosen for a new rule, and stays as it is in a changed one."""

    protocol: str | None = None
    start_port: int | None = None
    end_port: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    cidrs: Sequence[str] | None = None
    traffic_type: str | None = None
    action: str | None = None
    number: int | None = None
    reason: str | None = None
    display: bool | None = None


def checked(request: AclRuleRequest) -> dict[str, Any]:
    """The fields of a rule that says just this. Raises InvalidParameterValue."""
    protocol = _protocol(request.protocol)
    start, end = _ports(protocol, request.start_port, request.end_port)
    icmp_type, icmp_code = _icmp(protocol, request.icmp_type, request.icmp_code)
    if request.number is not None and request.number < 1:
        raise InvalidParameterValue(f"Invalid number [{request.number}]. Number cannot be < 1")
    return {
        "protocol": protocol,
        "start_port": start,
        "end_port": end,
        "icmp_type": icmp_type,
        "icmp_code": icmp_code,
        "cidrs": tuple(_cidr(each) for each in request.cidrs or ()) or ANYWHERE,
        "traffic_type": _traffic_type(request.traffic_type),
        "action": _action(request.action),
        "reason": request.reason or None,
        "display": request.display is not False,
    }


def merged(rule: NetworkAcl, request: AclRuleRequest) -> AclRuleRequest:
    """The rule with what the request says instead. Ports or ICMP of another protocol do not carry over."""
    protocol = _protocol(request.protocol if request.protocol is not None else rule.protocol)
    same = protocol == rule.protocol
    ports = (request.start_port, request.end_port) != (None, None)
    return AclRuleRequest(
        protocol=protocol,
        start_port=request.start_port if ports or not same else rule.start_port,
        end_port=request.end_port if ports or not same else rule.end_port,
        icmp_type=_or(request.icmp_type, rule.icmp_type if same else None),
        icmp_code=_or(request.icmp_code, rule.icmp_code if same else None),
        cidrs=_or(request.cidrs, rule.cidrs),
        traffic_type=_or(request.traffic_type, rule.traffic_type),
        action=_or(request.action, rule.action),
        number=_or(request.number, rule.number),
        reason=_or(request.reason, rule.reason),
        display=_or(request.display, rule.display),
    )


def packets(rule: NetworkAcl) -> tuple[str, int, int]:
    """Protocol and span, as in `cloudsim.protocol.router.Traffic`, of the packets that the rule is about.

    A rule for a protocol by its number may name ports, which mean nothing unless the protocol has some.
    """
    protocol = NUMBERED.get(rule.protocol, rule.protocol)
    if protocol == "icmp":
        first, last = rule.icmp_type, rule.icmp_code
    elif protocol in ("tcp", "udp"):
        first, last = rule.start_port, rule.end_port
    else:
        first = last = None
    return protocol, -1 if first is None else first, -1 if last is None else last


def _or(given: Any, present: Any) -> Any:
    return present if given is None else given


def _protocol(text: str | None) -> str:
    name = (text or "all").strip().lower()
    if name.isascii() and name.isdigit():
        if not 0 <= int(name) <= 255:
            raise InvalidParameterValue(f"Invalid protocol number: {name}; there are 0 to 255")
        return str(int(name))
    if name not in NAMED:
        raise InvalidParameterValue(
            f"Invalid protocol [{text}]. Expected one of: [{', '.join(NAMED)}], or a number"
        )
    return name


def _ports(protocol: str, start: int | None, end: int | None) -> tuple[int | None, int | None]:
    if start is None and end is None:
        return None, None
    if protocol == "icmp":
        raise InvalidParameterValue("Can't specify start/end port when protocol is ICMP")
    if protocol == "all":
        raise InvalidParameterValue("start port and end port must be null if protocol = 'all'")
    start = end if start is None else start
    end = start if end is None else end
    assert start is not None and end is not None
    for name, port in (("startport", start), ("endport", end)):
        if not 0 < port <= 65_535:
            raise InvalidParameterValue(f"{name} is an invalid value: {port}; ports are 1 to 65535")
    if start > end:
        raise InvalidParameterValue(
            f"Start port can't be bigger than end port [startport={start},endport={end}]"
        )
    return start, end


def _icmp(protocol: str, type: int | None, code: int | None) -> tuple[int | None, int | None]:
    if protocol != "icmp":
        if type is not None or code is not None:
            raise InvalidParameterValue("Can specify icmpCode and icmpType for ICMP protocol only")
        return None, None
    type, code = -1 if type is None else type, -1 if code is None else code
    if not -1 <= type <= 255:
        raise InvalidParameterValue(f"Invalid icmp type [{type}]. It should belong to [0-255] range, or be -1")
    if not -1 <= code <= 16:
        raise InvalidParameterValue(f"Invalid icmp code [{code}]. It should belong to [0-16] range, or be -1")
    if type == -1 and code != -1:
        raise InvalidParameterValue(f"icmpcode {code} needs an icmptype")
    return type, code


def _cidr(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        raise InvalidParameterValue(f"Source cidrs formatting error {text}") from None


def _traffic_type(text: str | None) -> Literal["Ingress", "Egress"]:
    chosen = (text or "Ingress").strip().lower()
    if chosen == "ingress":
        return "Ingress"
    if chosen == "egress":
        return "Egress"
    raise InvalidParameterValue(f"Invalid traffictype {text}; it is Ingress or Egress")


def _action(text: str | None) -> Literal["Allow", "Deny"]:
    chosen = (text or "Allow").strip().lower()
    if chosen == "allow":
        return "Allow"
    if chosen == "deny":
        return "Deny"
    raise InvalidParameterValue(f"Invalid action [{text}]. Permitted actions are Allow and Deny")
