"""What is around every page of the web UI, in a browser, against a real server: signing in, live lists, jobs, sessions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import CHROMIUM, UI, browser
from tests.browser.waiting import eventually
from tests.server.serving import Connection, ServerProcess

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or not (UI / "dist" / "index.html").is_file(), reason="needs Chromium, and the web UI: make ui"
)
KEEPS_WORDS = """() => {
  window.words = new Set();
  new MutationObserver(() => document.querySelectorAll('.ant-notification-notice')
    .forEach((notice) => window.words.add(notice.textContent))).observe(document, { subtree: true, childList: true });
}"""
"""Keeps what notifications say: they go away by themselves."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("cloud"), "--pace", "max", "--console-port", "0") as server:
        yield server


@pytest.fixture
def admin(served: ServerProcess) -> Iterator[Connection]:
    connection = served.connect()
    yield connection
    connection.close()


@pytest.fixture
def page(served: ServerProcess) -> Iterator[Any]:
    """A page on which nobody has signed in. Fails if it raised an error."""
    with browser() as context:
        opened = context.new_page()
        opened.goto(f"{served.url}/client/")
        opened.get_by_label("User name").wait_for()  # the app follows the address from now on
        yield opened


def sign_in(page: Any, username: str, password: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def open_page(page: Any, served: ServerProcess, path: str) -> None:
    page.goto(f"{served.url}/client/#{path}")


def test_signing_in_asks_again_after_a_wrong_password_and_leads_where_one_wanted_to_go(
    page: Any, served: ServerProcess
) -> None:
    open_page(page, served, "/zone")
    sign_in(page, "admin", "not this one")
    page.get_by_role("alert").wait_for()
    sign_in(page, "admin", served.admin["password"])
    page.wait_for_url(re.compile(r"#/zone"))
    page.get_by_role("heading", name="Zones").wait_for()


def test_who_is_signed_in_is_not_asked_again(page: Any, served: ServerProcess) -> None:
    sign_in(page, "admin", served.admin["password"])
    page.wait_for_url(re.compile(r"#/dashboard"))
    open_page(page, served, "/sign-in?next=/zone")
    page.get_by_role("heading", name="Zones").wait_for()
    open_page(page, served, "/sign-in")
    page.reload()
    page.wait_for_url(re.compile(r"#/dashboard"))


def test_a_page_that_cannot_be_loaded_at_first_is_there_after_signing_in_nonetheless(
    page: Any, served: ServerProcess
) -> None:
    refused: list[str] = []

    def refuse_once(route: Any) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.abort()

    page.route(re.compile(r"assets/Dashboard.*\.js"), refuse_once)
    sign_in(page, "admin", served.admin["password"])
    page.wait_for_url(re.compile(r"#/dashboard"))
    assert refused


def test_a_list_shows_what_another_client_makes_and_removes_without_being_loaded_again(
    page: Any, served: ServerProcess, admin: Connection
) -> None:
    sign_in(page, "admin", served.admin["password"])
    page.wait_for_url(re.compile(r"#/dashboard"))
    open_page(page, served, "/domain")
    page.get_by_role("link", name="ROOT").first.wait_for()
    made = admin("createDomain", name="made-elsewhere")["domain"]["id"]
    row = page.get_by_role("row").filter(has_text="made-elsewhere")
    row.wait_for()
    admin("deleteDomain", id=made)
    row.wait_for(state="detached")


def test_a_session_that_is_over_is_begun_again_on_the_same_page(
    page: Any, served: ServerProcess, admin: Connection
) -> None:
    sign_in(page, "admin", served.admin["password"])
    page.wait_for_url(re.compile(r"#/dashboard"))
    open_page(page, served, "/domain")
    page.get_by_role("link", name="ROOT").first.wait_for()
    page.evaluate("fetch('/client/api?command=logout&response=json')")
    dialog = page.get_by_role("dialog", name="Your session has ended")
    dialog.wait_for()
    dialog.get_by_label("Password").fill(served.admin["password"])
    dialog.get_by_role("button", name="Sign in", exact=True).click()
    dialog.wait_for(state="hidden")
    assert page.url.endswith("#/domain")
    made = admin("createDomain", name="after-the-session")["domain"]["id"]
    page.get_by_role("row").filter(has_text="after-the-session").wait_for()
    admin("deleteDomain", id=made)


def test_a_job_that_the_user_began_elsewhere_is_told_of_until_it_ends(
    page: Any, served: ServerProcess, admin: Connection
) -> None:
    eventually(lambda: any(vm["state"] == "Running" for vm in admin("listSystemVms").get("systemvm", [])))
    proxy = next(vm for vm in admin("listSystemVms")["systemvm"] if vm["state"] == "Running")
    admin("updateSimulation", pace="pause")  # the job waits until one has looked
    try:
        job = admin("rebootSystemVm", id=proxy["id"])["jobid"]
        sign_in(page, "admin", served.admin["password"])
        page.get_by_role("button", name="Jobs: 1 running").click()
        jobs = page.get_by_test_id("jobs")
        jobs.locator('[data-state="running"]').filter(has_text="Reboot").wait_for()
        page.locator(".jobs-drawer .ant-drawer-close").click()
        jobs.wait_for(state="hidden")
        page.evaluate(KEEPS_WORDS)
    finally:
        admin("updateSimulation", pace="max")
    admin.job(job)
    page.wait_for_function("() => [...window.words].some((each) => each.includes('Reboot'))")
    page.get_by_role("button", name="Jobs: 0 running").click()
    page.locator('[data-testid=jobs] [data-state="done"]').wait_for()


def test_a_plain_user_is_offered_what_is_its_own_and_signs_out(
    page: Any, served: ServerProcess, admin: Connection
) -> None:
    names = {"email": "ann@example.org", "firstname": "Ann", "lastname": "Example"}
    admin("createAccount", username="ann", password="her own", accounttype=0, **names)
    sign_in(page, "ann", "her own")
    page.wait_for_url(re.compile(r"#/dashboard"))
    menu = page.get_by_role("navigation", name="Main menu")
    menu.get_by_role("button", name="Compute", exact=True).wait_for()
    menu.get_by_role("button", name="Infrastructure").click()
    menu.get_by_role("link", name="Zones").wait_for()
    assert menu.get_by_role("link", name="Hosts").count() == 0
    page.get_by_role("button", name="Your account: ann").click()
    page.get_by_text("Account ann, domain ROOT").wait_for()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()
    open_page(page, served, "/domain")
    page.get_by_label("User name").wait_for()


def test_the_page_is_kept_small_and_compressed(served: ServerProcess) -> None:
    """What a browser loads before anything is shown, as it comes over the wire."""
    assets: Path = UI / "dist" / "assets"
    first = re.findall(r"assets/([\w.-]+\.(?:js|css))", (UI / "dist" / "index.html").read_text())
    assert first
    sizes = [
        (assets / f"{name}.br" if (assets / f"{name}.br").is_file() else assets / name).stat().st_size for name in first
    ]
    assert sum(sizes) < 1_500_000
