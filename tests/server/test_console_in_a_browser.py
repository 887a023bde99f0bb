"""A simulated instance's console in a browser: `cloudsim serve`, createConsoleEndpoint, Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import browser, keep, needs_a_browser, state_of, terminal_text, wait_for_text
from tests.browser.waiting import eventually
from tests.server.serving import Connection, ServerProcess

pytestmark = needs_a_browser


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("cloud"), "--pace", "max", "--console-port", "0") as running:
        yield running


@pytest.fixture(scope="module")
def call(served: ServerProcess) -> Connection:
    return served.connect()


def deploy(call: Connection, name: str) -> str:
    """A running instance's id."""
    job = call(
        "deployVirtualMachine",
        name=name,
        zoneid=call("listZones")["zone"][0]["id"],
        templateid=call("listTemplates", templatefilter="executable")["template"][0]["id"],
        serviceofferingid=call("listServiceOfferings")["serviceoffering"][0]["id"],
    )
    return str(call.job(job["jobid"])["virtualmachine"]["id"])


def endpoint(call: Connection, vm: str) -> dict[str, Any]:
    """Of the instance's console, once a console proxy is there."""

    def made() -> dict[str, Any] | None:
        found = call("createConsoleEndpoint", virtualmachineid=vm)["consoleendpoint"]
        return dict(found) if found["success"] else None

    return dict(eventually(made))


def test_a_person_opens_the_console_types_and_reads_the_answer(call: Connection) -> None:
    vm = deploy(call, "web-1")
    url = endpoint(call, vm)["url"]
    with browser() as context:
        page = context.new_page()
        page.goto(url)
        assert state_of(page, "open") == "Connected"
        assert page.text_content("h1") == "web-1" and page.title() == "web-1 - console"
        wait_for_text(page, "web-1 is up")
        assert "token" not in page.url, "the browser neither shows nor remembers it"
        page.keyboard.type("facts")
        page.keyboard.press("Enter")
        wait_for_text(page, vm)
        wait_for_text(page, "service offering")
        keep(page, "console-of-a-simulated-instance")
        eventually(lambda: call("listConsoleSessions", virtualmachineid=vm, activeonly="true").get("count") == 1)

        second = context.new_page()
        second.goto(url)
        assert "was used or has expired" in state_of(second, "over")
        assert terminal_text(second).strip() == ""

        page.click("#paste")
        page.fill("#paste-text", "uptime\n")
        page.click("text=Type it")
        wait_for_text(page, "up ")
        call.job(call("stopVirtualMachine", id=vm)["jobid"])
        assert "instance" in state_of(page, "over")
        keep(page, "console-of-a-stopped-instance")


def test_the_page_says_when_the_console_proxy_has_gone_and_another_one_serves_afterwards(call: Connection) -> None:
    vm = deploy(call, "web-2")
    url = endpoint(call, vm)["url"]
    (proxy,) = call("listSystemVms", systemvmtype="consoleproxy")["systemvm"]
    with browser() as context:
        page = context.new_page()
        page.goto(url)
        state_of(page, "open")
        call.job(call("rebootSystemVm", id=proxy["id"])["jobid"])
        assert "taken away" in state_of(page, "over")
        again = context.new_page()
        again.goto(endpoint(call, vm)["url"])
        state_of(again, "open")
        wait_for_text(again, "web-2 is up")


def test_pages_are_served_to_everybody_and_hold_no_secret(served: ServerProcess, call: Connection, tmp_path: Path) -> None:
    url = endpoint(call, deploy(call, "web-3"))["url"]
    with browser() as context:
        page = context.new_page()
        answer = page.goto(url.split("?")[0])
        assert answer.status == 200 and answer.headers["referrer-policy"] == "no-referrer"
        assert "has been used" in state_of(page, "over")
