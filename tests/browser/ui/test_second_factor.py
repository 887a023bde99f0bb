"""Signing in with a second factor, in a browser: set up with a QR code, asked for, and wanted by the cloud."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tests.browser.chromium import browser
from tests.browser.ui.opening import needs_the_web_ui, serving
from tests.server.serving import ONE_RACK, Connection, ServerProcess

pytestmark = needs_the_web_ui

CODE = "input[autocomplete=one-time-code]"


def code(secret: str, ahead: int = 0) -> str:
    """What an authenticator app shows, so many steps ahead."""
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(time.time()) + 30 * ahead).decode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("cloud"), ONE_RACK) as server:
        yield server


@pytest.fixture
def admin(served: ServerProcess) -> Iterator[Connection]:
    connection = served.connect()
    connection("updateConfiguration", name="enable.user.2fa", value="true")
    yield connection
    connection("updateConfiguration", name="mandate.user.2fa", value="false")
    connection.close()


def account(admin: Connection, name: str) -> None:
    admin(
        "createAccount",
        username=name,
        password="secret",
        email="a@b.c",
        firstname="A",
        lastname="B",
        accounttype=0,
    )


def sign_in(page: Any, served: ServerProcess, name: str) -> None:
    page.goto(f"{served.url}/client/#/sign-in")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill("secret")
    page.get_by_role("button", name="Sign in").click()


def set_up(page: Any) -> str:
    """Set an authenticator app up; its key."""
    page.get_by_role("button", name="Set it up").click()
    page.get_by_role("img", name="QR code").wait_for()
    secret = str(page.locator(".setup .copy .fixed").inner_text()).strip()
    page.fill(CODE, code(secret))
    page.keyboard.press("Enter")
    return secret


def test_a_user_sets_it_up_on_the_own_page_and_is_asked_for_it_from_then_on(
    served: ServerProcess, admin: Connection
) -> None:
    account(admin, "ann")
    with browser() as context:
        page = context.new_page()
        sign_in(page, served, "ann")
        page.wait_for_selector("text=What you have")
        page.goto(f"{served.url}/client/#/profile")
        secret = set_up(page)
        page.get_by_role("button", name="Remove it").wait_for()
    with browser() as context:
        page = context.new_page()
        sign_in(page, served, "ann")
        page.fill(CODE, "000000")
        page.get_by_role("button", name="Confirm").click()
        page.get_by_role("alert").wait_for()
        page.fill(CODE, code(secret, 1))
        page.keyboard.press("Enter")
        page.wait_for_selector("text=What you have")


def test_where_the_cloud_wants_it_one_sets_it_up_to_get_in(served: ServerProcess, admin: Connection) -> None:
    account(admin, "bob")
    admin("updateConfiguration", name="mandate.user.2fa", value="true")
    with browser() as context:
        page = context.new_page()
        sign_in(page, served, "bob")
        page.wait_for_selector("text=Set it up to go on")
        set_up(page)
        page.wait_for_selector("text=What you have")
        page.goto(f"{served.url}/client/#/profile")
        page.wait_for_selector("text=This cloud wants you to have it")
        assert page.get_by_role("button", name="Remove it").count() == 0
