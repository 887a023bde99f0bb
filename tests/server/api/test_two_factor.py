"""Signing in with a second factor: set up by the user, asked for at every login, mandated by admins."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from server.api.request import Request
from tests.server.api.api_harness import Api, Refused, refused

NOW = 1_900_000_000.0


def code(secret: str, at: float = NOW) -> str:
    """What an authenticator app shows at that time."""
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(at)).decode()


class Browser:
    """Somebody who signs in with name and password, and then calls with the session's cookies."""

    def __init__(self, api: Api, username: str, password: str = "secret") -> None:
        self._api = api
        self._session: tuple[str | None, str | None] = (None, None)
        self.login = self("login", username=username, password=password)

    def __call__(self, command: str, **parameters: Any) -> Any:
        session_id, key = self._session
        pairs = {"command": command, "response": "json", **{k: str(v) for k, v in parameters.items()}}
        request = Request.of(
            (pairs | ({"sessionkey": key} if key else {})).items(), session_id=session_id, session_key=key
        )
        reply = self._api.run(self._api.dispatcher.answer(request))
        if reply.cookies:
            self._session = reply.cookies["JSESSIONID"], reply.cookies["sessionkey"]
        body = next(iter(json.loads(reply.text()).values()))
        if reply.status != 200:
            raise Refused(reply)
        return body

    def refused(self, status: int, command: str, **parameters: Any) -> str:
        return refused(status, self, command, **parameters).text  # type: ignore[arg-type]

    def set_up(self, **parameters: Any) -> str:
        return str(self("setupUserTwoFactorAuthentication", **parameters)["setup2fa"]["secretcode"])

    def give(self, code: str) -> Any:
        return self("validateUserTwoFactorAuthenticationCode", codefor2fa=code)


@pytest.fixture
def offered(api: Api) -> Api:
    """A cloud that offers second factors, whose clients' clock stands still, with a user ann."""
    api.account("ann")
    api.dispatcher._clock = lambda: NOW
    api.admin("updateConfiguration", name="enable.user.2fa", value="true")
    return api


def ann(api: Api) -> dict[str, Any]:
    (row,) = api.admin("listUsers", username="ann", listall=True)["user"]
    return dict(row)


def test_no_second_factor_is_asked_for_or_offered_without_the_setting(api: Api) -> None:
    api.account("ann")
    browser = Browser(api, "ann")
    assert browser.login["is2faenabled"] == "false" and "providerfor2fa" not in browser.login
    assert "enable.user.2fa" in browser.refused(531, "setupUserTwoFactorAuthentication")
    browser("listZones")


def test_a_user_sets_up_an_authenticator_app_and_needs_its_code_from_then_on(offered: Api) -> None:
    browser = Browser(offered, "ann")
    kinds = browser("listUserTwoFactorAuthenticatorProviders")["providers"]
    assert {each["name"] for each in kinds} == {"totp", "staticpin"}
    secret = browser.set_up()
    assert not ann(offered)["is2faenabled"], "it counts once a code was given"
    assert browser.give(code(secret)) == {"success": True}
    assert ann(offered)["is2faenabled"]
    browser("listZones")
    offered.dispatcher._clock = lambda: NOW + 60
    later = Browser(offered, "ann")
    assert (later.login["is2faenabled"], later.login["is2faverified"]) == ("true", "false")
    assert (later.login["providerfor2fa"], later.login["issuerfor2fa"]) == ("totp", "CloudStack")
    assert "second factor" in later.refused(511, "listZones")
    later.give(code(secret, NOW + 60))
    later("listZones")


def test_half_a_set_up_locks_nobody_out(offered: Api) -> None:
    Browser(offered, "ann").set_up()
    browser = Browser(offered, "ann")
    assert browser.login["is2faenabled"] == "false"
    browser("listZones")


def test_a_code_is_taken_once_and_only_in_its_time(offered: Api) -> None:
    browser = Browser(offered, "ann")
    secret = browser.set_up()
    browser.give(code(secret))
    later = Browser(offered, "ann")
    later.refused(511, "validateUserTwoFactorAuthenticationCode", codefor2fa=code(secret))
    later.refused(511, "validateUserTwoFactorAuthenticationCode", codefor2fa=code(secret, NOW + 600))
    later.refused(511, "listZones")
    later.give(code(secret, NOW + 30))


def test_who_knows_the_password_alone_cannot_replace_or_remove_the_second_factor(offered: Api) -> None:
    browser = Browser(offered, "ann")
    browser.give(code(browser.set_up()))
    thief = Browser(offered, "ann")
    thief.refused(431, "setupUserTwoFactorAuthentication")
    thief.refused(511, "setupUserTwoFactorAuthentication", enable="false")
    thief.refused(511, "updateUser", id=thief.login["userid"], email="x@example.org")
    assert ann(offered)["is2faenabled"]


def test_wrong_codes_in_a_row_disable_the_user(offered: Api) -> None:
    browser = Browser(offered, "ann")
    browser.give(code(browser.set_up()))
    thief = Browser(offered, "ann")
    for _ in range(5):
        thief.refused(511, "validateUserTwoFactorAuthenticationCode", codefor2fa="000000")
    assert ann(offered)["state"] == "disabled"


def test_the_admin_stays_but_its_codes_are_not_looked_at_for_a_while(offered: Api) -> None:
    browser = Browser(offered, "admin", "password")
    secret = browser.set_up()
    browser.give(code(secret))
    thief = Browser(offered, "admin", "password")
    for _ in range(5):
        thief.refused(511, "validateUserTwoFactorAuthenticationCode", codefor2fa="000000")
    right = code(secret, NOW + 30)
    assert "300 s" in thief.refused(531, "validateUserTwoFactorAuthenticationCode", codefor2fa=right)
    offered.dispatcher._clock = lambda: NOW + 300
    Browser(offered, "admin", "password").give(code(secret, NOW + 300))


def test_a_pin_stays_the_same(offered: Api) -> None:
    browser = Browser(offered, "ann")
    assert "provider" in browser.refused(431, "setupUserTwoFactorAuthentication", provider="dice")
    pin = browser.set_up(provider="staticpin")
    assert len(pin) == 6 and pin.isdigit()
    for _ in range(2):
        browser.give(pin)
        browser = Browser(offered, "ann")
        assert browser.login["providerfor2fa"] == "staticpin"


def test_where_it_is_mandated_a_user_can_do_nothing_but_set_it_up(offered: Api) -> None:
    offered.admin("updateConfiguration", name="mandate.user.2fa", value="true")
    browser = Browser(offered, "ann")
    assert browser.login["is2faenabled"] == "true" and "providerfor2fa" not in browser.login
    browser.refused(511, "listZones")
    browser("listUserTwoFactorAuthenticatorProviders")
    browser.give(code(browser.set_up()))
    browser("listZones")
    assert ann(offered)["is2famandated"]
    assert "mandated" in browser.refused(531, "setupUserTwoFactorAuthentication", enable="false")


def test_an_admin_mandates_it_for_one_user_and_removes_what_a_user_has_lost(offered: Api) -> None:
    browser = Browser(offered, "ann")
    browser.refused(531, "updateUser", id=browser.login["userid"], mandate2fa="true")
    offered.admin("updateUser", id=ann(offered)["id"], mandate2fa=True)
    Browser(offered, "ann").refused(511, "listZones")
    browser.give(code(browser.set_up()))
    assert ann(offered)["is2faenabled"]
    answer = offered.admin("setupUserTwoFactorAuthentication", enable=False, userid=ann(offered)["id"])
    assert "secretcode" not in answer["setup2fa"] and not ann(offered)["is2faenabled"]
    _, bob = offered.account("bob")
    refused(531, bob, "setupUserTwoFactorAuthentication", enable=False, userid=ann(offered)["id"])


def test_calls_with_keys_and_read_only_users_are_not_kept_from_it(offered: Api) -> None:
    roles = offered.admin("listRoles", name="Read-Only User - Default")["role"]
    account, _ = offered.account("bob")
    offered.admin("updateAccount", id=account["id"], roleid=roles[0]["id"])
    browser = Browser(offered, "bob")
    browser.give(code(browser.set_up()))
    client = offered.client(offered.user("bob"))
    client("listZones")
