"""What a rule of an access control list may say."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.vpc.acl_rules import AclRuleRequest, checked, merged, packets
from cloudsim.model import NetworkAcl


def said(**asked: Any) -> dict[str, Any]:
    return checked(AclRuleRequest(**asked))


def row(**fields: Any) -> NetworkAcl:
    return NetworkAcl(id="rule", list_id="list", number=1, **fields)


def test_a_rule_that_says_little_is_about_everything_that_comes_in() -> None:
    assert said() == {
        "protocol": "all",
        "start_port": None,
        "end_port": None,
        "icmp_type": None,
        "icmp_code": None,
        "cidrs": ("0.0.0.0/0",),
        "traffic_type": "Ingress",
        "action": "Allow",
        "reason": None,
        "display": True,
    }


def test_names_are_read_in_any_case_and_numbers_are_kept() -> None:
    rule = said(protocol="TCP", traffic_type="EGRESS", action="deny")
    assert (rule["protocol"], rule["traffic_type"], rule["action"]) == ("tcp", "Egress", "Deny")
    assert [said(protocol=number)["protocol"] for number in ("6", "17", "1", "47", "0050")] == [
        "6",
        "17",
        "1",
        "47",
        "50",
    ]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"protocol": "tcp", "start_port": 80, "end_port": 90}, ("tcp", 80, 90)),
        ({"protocol": "6", "start_port": 80}, ("tcp", 80, 80)),
        ({"protocol": "17"}, ("udp", -1, -1)),
        ({"protocol": "icmp", "icmp_type": 8}, ("icmp", 8, -1)),
        ({"protocol": "1"}, ("icmp", -1, -1)),
        ({"protocol": "8", "start_port": 81}, ("8", -1, -1)),
        ({"protocol": "all"}, ("all", -1, -1)),
    ],
)
def test_the_packets_that_a_rule_is_about(asked: dict[str, Any], meant: tuple[str, int, int]) -> None:
    assert packets(row(**said(**asked))) == meant


def test_one_port_is_a_range_of_one() -> None:
    assert (said(protocol="udp", start_port=53)["end_port"], said(protocol="tcp", end_port=22)["start_port"]) == (
        53,
        22,
    )


def test_icmp_without_type_and_code_is_all_of_it() -> None:
    rule = said(protocol="icmp")
    assert (rule["icmp_type"], rule["icmp_code"]) == (-1, -1)
    echo = said(protocol="icmp", icmp_type=8, icmp_code=0)
    assert (echo["icmp_type"], echo["icmp_code"]) == (8, 0)


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"protocol": "gre"}, r"Invalid protocol \[gre\]"),
        ({"protocol": "256"}, "Invalid protocol number"),
        ({"protocol": "tcp", "start_port": 0}, "startport is an invalid value: 0"),
        ({"protocol": "tcp", "start_port": 1, "end_port": 65_536}, "endport is an invalid value"),
        ({"protocol": "tcp", "start_port": 9, "end_port": 8}, "can't be bigger"),
        ({"protocol": "icmp", "start_port": 1}, "when protocol is ICMP"),
        ({"protocol": "all", "start_port": 1}, "must be null if protocol = 'all'"),
        ({"protocol": "tcp", "icmp_type": 8}, "for ICMP protocol only"),
        ({"protocol": "icmp", "icmp_type": 256}, "Invalid icmp type"),
        ({"protocol": "icmp", "icmp_type": 3, "icmp_code": 17}, "Invalid icmp code"),
        ({"protocol": "icmp", "icmp_code": 3}, "needs an icmptype"),
        ({"cidrs": ["10.0.0.0/8", "here"]}, "Source cidrs formatting error here"),
        ({"cidrs": ["fe80::/129"]}, "Source cidrs formatting error"),
        ({"traffic_type": "Sideways"}, "Invalid traffictype"),
        ({"action": "Maybe"}, "Permitted actions are Allow and Deny"),
        ({"number": 0}, "Number cannot be < 1"),
    ],
)
def test_what_a_rule_cannot_say(asked: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidParameterValue, match=text):
        said(**asked)


PORTS = st.integers(1, 65_535)
NETS = st.builds(
    lambda number, prefix: ipaddress.IPv4Network((number, prefix), strict=False),
    st.integers(0, (1 << 32) - 1),
    st.integers(0, 32),
)
REQUESTS = st.one_of(
    st.builds(
        lambda protocol, a, b: AclRuleRequest(protocol=protocol, start_port=min(a, b), end_port=max(a, b)),
        st.sampled_from(("tcp", "udp")),
        PORTS,
        PORTS,
    ),
    st.builds(
        lambda type, code: AclRuleRequest(protocol="icmp", icmp_type=type, icmp_code=code),
        st.integers(0, 255),
        st.integers(-1, 16),
    ),
    st.builds(
        lambda protocol, nets: AclRuleRequest(protocol=protocol, cidrs=[str(net) for net in nets]),
        st.sampled_from(("all", "tcp", "47", "0")),
        st.lists(NETS, max_size=4),
    ),
)


@given(REQUESTS)
def test_what_was_accepted_once_is_accepted_again_and_says_the_same(request: AclRuleRequest) -> None:
    fields = checked(request)
    again = merged(row(**fields), AclRuleRequest())
    assert checked(again) == fields


@given(REQUESTS, REQUESTS)
def test_a_changed_rule_is_always_a_possible_one(before: AclRuleRequest, change: AclRuleRequest) -> None:
    fields = checked(merged(row(**checked(before)), change))
    assert fields["protocol"] == checked(change)["protocol"]
    if fields["protocol"] in ("all", "icmp"):
        assert fields["start_port"] is None
    if fields["protocol"] != "icmp":
        assert fields["icmp_type"] is None
