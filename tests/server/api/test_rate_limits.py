"""How often an account may call the API: as often as the settings say, and root admins without limit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.api.rate_limits import RateLimits
from tests.server.api.api_harness import Api, Client, refused


class Clock:
    """A clock that moves by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(api: Api) -> Clock:
    made = Clock()
    api.dispatcher.rate_limits = RateLimits(api.manager.settings, made)
    return made


@pytest.fixture
def ann(api: Api, clock: Clock) -> Iterator[Client]:
    """A client of an account that may call three times in ten seconds."""
    _, client = api.account("ann")
    for name, value in (("interval", 10), ("max", 3), ("enabled", "true")):
        api.admin("updateConfiguration", name=f"api.throttling.{name}", value=value)
    yield client


def test_one_call_too_many_is_refused_until_the_interval_ends(api: Api, clock: Clock, ann: Client) -> None:
    for _ in range(3):
        ann("listZones")
    clock.now += 4
    error = refused(429, ann, "listZones")
    assert error.body["errorcode"] == 429 and "6000 ms" in error.text
    clock.now += 6
    ann("listZones")


def test_a_caller_is_told_how_many_calls_are_left(ann: Client, clock: Clock) -> None:
    ann("listZones")
    clock.now += 2.5
    told = ann("getApiLimit")["apilimit"]
    assert told["account"] == "ann"
    assert (told["apiIssued"], told["apiAllowed"], told["expireAfter"]) == (2, 1, 8)


def test_accounts_are_counted_by_themselves_and_root_admins_not_at_all(api: Api, ann: Client) -> None:
    _, bob = api.account("bob")
    for _ in range(3):
        ann("listZones")
    refused(429, ann, "listZones")
    bob("listZones")
    for _ in range(5):
        api.admin("listZones")


def test_an_admin_lets_an_account_or_all_begin_anew(api: Api, ann: Client) -> None:
    account = api.admin("listAccounts", name="ann", listall=True)["account"][0]["id"]
    for reset in ({"account": account}, {}):
        for _ in range(3):
            ann("listZones")
        refused(429, ann, "listZones")
        api.admin("resetApiLimit", **reset)
    ann("listZones")
    refused(401, ann, "resetApiLimit")


def test_no_more_accounts_are_remembered_than_the_setting_says(api: Api, ann: Client) -> None:
    api.admin("updateConfiguration", name="api.throttling.cachesize", value=1)
    _, bob = api.account("bob")
    for _ in range(3):
        ann("listZones")
    bob("listZones")
    ann("listZones")


def test_without_the_setting_nothing_is_counted_and_nothing_told(api: Api) -> None:
    _, bob = api.account("bob")
    for _ in range(30):
        bob("listZones")
    assert "api.throttling.enabled" in refused(432, bob, "getApiLimit").text
    refused(432, api.admin, "resetApiLimit")
