"""What DHCP options of single NICs can be."""

from __future__ import annotations

import pytest

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.network.dhcp_options import NAMES, of_networks, options_of


def test_options_are_said_by_number_or_name() -> None:
    said = {
        "dhcp:114": "http://portal.example/x?y=1",
        "dhcp:tftp-server": "boot.example",
        "DHCP:42": "192.0.2.1, 192.0.2.2",
    }
    assert options_of(said, "dhcpoptions") == {
        "114": "http://portal.example/x?y=1",
        "66": "boot.example",
        "42": "192.0.2.1,192.0.2.2",
    }
    assert options_of({"67": "pxe"}, "dhcpoptions") == {"67": "pxe"}
    assert len(set(NAMES.values())) == len(NAMES)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dhcp:nothing", "x"),
        ("dhcp:256", "x"),
        ("dhcp:51", "60"),
        ("dhcp:12", "other-name"),
        ("dhcp:6", "not-an-address"),
        ("dhcp:26", "70000"),
        ("dhcp:26", "-1"),
        ("dhcp:114", ""),
        ("dhcp:114", "a\nb"),
        ("dhcp:114", 'say "hello"'),
        ("dhcp:114", "# a comment"),
        ("dhcp:114", "x" * 256),
        ("dhcp:114", "naïve"),
    ],
)
def test_what_would_break_leases_is_refused_by_the_parameters_name(key: str, value: str) -> None:
    with pytest.raises(InvalidParameterValue, match=r"dhcpoptions: .*DHCP option"):
        options_of({key: value}, "dhcpoptions")


def test_options_of_several_networks_each_name_one() -> None:
    assert of_networks([{"networkid": "a", "dhcp:67": "x"}, {"networkid": "b"}], "p") == {
        "a": {"67": "x"},
        "b": {},
    }
    for wrong in ([{"dhcp:67": "x"}], [{"networkid": "a"}, {"networkid": "a"}]):
        with pytest.raises(InvalidParameterValue, match=r"networkid|twice"):
            of_networks(wrong, "p")
