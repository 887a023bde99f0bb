"""The traffic that firewall rules are about, as parameters say it and answers show it: of IPv4 and IPv6 alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self

from cloudsim.management.network.rule_traffic import RuleTraffic
from cloudsim.model import FirewallRule, Ipv6FirewallRule
from server.api.command import Call
from server.api.parameters import Param, Parameter, one_of, parameter
from server.api.views import TagView, View, tags

CIDRS = "CIDRs, comma separated"
FirstPort = Annotated[int | None, Param("the first port; without it, all")]
LastPort = Annotated[int | None, Param("the last port; the first if left out")]


class TrafficParameters:
    """The wire parameters that make up a new rule's RuleTraffic; `of` and `to` say what its CIDRs are."""

    def __init__(self, *protocols: str, icmp: str, of: str, to: str | None = None) -> None:
        found = [
            parameter("protocol", Annotated[str, one_of(*protocols)]),
            parameter("startport", FirstPort, None),
            parameter("endport", LastPort, None),
            parameter("cidrlist", Annotated[Sequence[str] | None, Param(of)], None),
            parameter("icmptype", Annotated[int | None, Param(icmp)], None),
            parameter("icmpcode", Annotated[int | None, Param(icmp)], None),
        ]
        if to is not None:
            found.append(parameter("destcidrlist", Annotated[Sequence[str] | None, Param(to)], None))
        self.parameters: tuple[Parameter, ...] = tuple(found)

    def value(self, call: Call, values: Mapping[str, Any]) -> RuleTraffic:
        return RuleTraffic(
            protocol=values["protocol"],
            start_port=values.get("startport"),
            end_port=values.get("endport"),
            icmp_type=values.get("icmptype"),
            icmp_code=values.get("icmpcode"),
            cidrs=values.get("cidrlist"),
            destination_cidrs=values.get("destcidrlist"),
        )


class TrafficView(View):
    """What the views of firewall rules have in common. `anywhere` is what no CIDRs are shown as."""

    anywhere: ClassVar[str]

    id: str | None = None
    protocol: str | None = None
    startport: int | None = None
    endport: int | None = None
    icmptype: Annotated[int | None, "-1: any"] = None
    icmpcode: Annotated[int | None, "-1: any"] = None
    cidrlist: Annotated[str | None, CIDRS] = None
    destcidrlist: Annotated[str | None, CIDRS] = None
    networkid: str | None = None
    traffictype: Annotated[str | None, "Ingress or Egress"] = None
    state: str | None = None
    fordisplay: bool | None = None
    tags: list[TagView] | None = None

    @classmethod
    def of(cls, row: FirewallRule | Ipv6FirewallRule, call: Call) -> Self:
        return cls(
            id=row.id,
            protocol=row.protocol,
            startport=row.start_port,
            endport=row.end_port,
            icmptype=row.icmp_type,
            icmpcode=row.icmp_code,
            cidrlist=",".join(row.cidrs) or cls.anywhere,
            destcidrlist=",".join(row.destination_cidrs) or None,
            networkid=row.network_id,
            traffictype=row.direction,
            state=state_of(row),
            fordisplay=row.display,
            tags=tags(call, row.id),
        )


def state_of(row: Any) -> str:
    """A rule's state in CloudStack's words."""
    return "Deleting" if row.state == "Revoke" else str(row.state)
