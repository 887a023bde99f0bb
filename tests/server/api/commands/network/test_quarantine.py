"""Quarantine of public addresses through the API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.commands.network.routed_api import RoutedApi

ADDRESS = "203.0.113.50"


@pytest.fixture
def api() -> Iterator[RoutedApi]:
    made = RoutedApi()
    made.admin("updateConfiguration", name="public.ip.address.quarantine.duration", value="5")
    yield made
    made.cloud.close()


def test_an_address_in_quarantine_is_listed_to_whose_it_was_and_for_no_other_account(api: RoutedApi) -> None:
    ann, bob = api.account("ann"), api.account("bob")
    mine, theirs = (api.network(name, call)["id"] for name, call in (("anns", ann), ("bobs", bob)))
    ip = ann("associateIpAddress", networkid=mine, ipaddress=ADDRESS)["ipaddress"]
    ann("disassociateIpAddress", id=ip["id"])
    (row,) = ann("listQuarantinedIps")["quarantinedip"]
    assert (row["ipaddress"], row["previousownername"], "removed" in row) == (ADDRESS, "ann", False)
    assert bob("listQuarantinedIps") == {}
    text = refused(431, bob, "associateIpAddress", networkid=theirs, ipaddress=ADDRESS).text
    assert text == f"Failed to allocate public IP address [{ADDRESS}] as it is in quarantine."
    ann("associateIpAddress", networkid=mine, ipaddress=ADDRESS)
    assert ann("listQuarantinedIps") == {}
    (ended,) = ann("listQuarantinedIps", showremoved=True)["quarantinedip"]
    assert ended["id"] == row["id"] and ended["removed"]


def test_an_admin_ends_a_quarantine_or_lets_it_last_longer(api: RoutedApi) -> None:
    ann, bob = api.account("ann"), api.account("bob")
    mine, theirs = (api.network(name, call)["id"] for name, call in (("anns", ann), ("bobs", bob)))
    ip = ann("associateIpAddress", networkid=mine, ipaddress=ADDRESS)["ipaddress"]
    ann("disassociateIpAddress", id=ip["id"])
    refused(401, ann, "removeQuarantinedIp", ipaddress=ADDRESS, removalreason="please")
    refused(431, api.admin, "removeQuarantinedIp", ipaddress="203.0.113.51", removalreason="none")
    refused(431, api.admin, "updateQuarantinedIp", ipaddress=ADDRESS, enddate="2001-01-01")
    longer = api.admin("updateQuarantinedIp", ipaddress=ADDRESS, enddate="2999-01-01")["quarantinedip"]
    assert longer["enddate"].startswith("2999-01-01")
    ended = api.admin("removeQuarantinedIp", id=longer["id"], removalreason="needed")["quarantinedip"]
    assert ended["removalreason"] == "needed" and ended["removed"] and ended["removeraccountid"]
    assert bob("associateIpAddress", networkid=theirs, ipaddress=ADDRESS)["ipaddress"]["ipaddress"] == ADDRESS
