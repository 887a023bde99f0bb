"""Consoles of real guests in a browser, through a real console proxy VM: Chromium, noVNC, QEMU's screen, keys back."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.chromium import UI, browser, keep, needs_a_browser, state_of, wait_for_text
from tests.browser.screen_text import ALPHABET, Font, picture_of
from tests.lab.lab_cloud import LabCloud, eventually, lab_cloud

pytestmark = [pytest.mark.lab, needs_a_browser]

PROXY_WITHIN = 600.0
PROMPT_WITHIN = 400.0
SHOWN_WITHIN = 180.0
SHIFTED = {"_": "-", "$": "4", "(": "9", ")": "0", "*": "8", ">": ".", "+": "=", '"': "'"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[LabCloud]:
    yield from lab_cloud(tmp_path_factory.mktemp("consoles"), 1, request, routers="namespace")


@pytest.fixture(scope="module")
def proxy(cloud: LabCloud) -> dict[str, Any]:
    """The console proxy, once it runs and answers."""
    return eventually("a console proxy", lambda: serving(cloud), PROXY_WITHIN)


@pytest.fixture(scope="module")
def guest(cloud: LabCloud, proxy: dict[str, Any]) -> dict[str, Any]:
    """A running instance that has booted, as its serial console says."""
    cloud.network = cloud._network()
    vm = cloud.deploy("web-1")
    log = cloud.host(vm["hostname"]).folder.agent / "consoles" / f"{vm['instancename']}.log"
    eventually("a prompt", lambda: log.exists() and "login:" in log.read_text(errors="replace"), PROMPT_WITHIN)
    return vm


def serving(cloud: LabCloud) -> dict[str, Any] | None:
    found = cloud.cs.listSystemVms(systemvmtype="consoleproxy").get("systemvm", [])
    return next((vm for vm in found if vm["state"] == "Running" and vm["agentstate"] == "Up"), None)


def endpoint(cloud: LabCloud, vm: dict[str, Any], within: float = SHOWN_WITHIN, **more: Any) -> dict[str, Any]:
    def made() -> dict[str, Any] | None:
        found = cloud.cs.createConsoleEndpoint(virtualmachineid=vm["id"], **more)["consoleendpoint"]
        return dict(found) if found["success"] else None

    return eventually("a console", made, within, 1.0)


def type_keys(page: Any, text: str) -> None:
    """Press the keys that a person presses for the text on a US keyboard, and Enter."""
    for character in text:
        key = SHIFTED.get(character) or (character.lower() if character.isupper() else None)
        if key is not None:
            page.keyboard.down("Shift")
            page.keyboard.press(key)
            page.keyboard.up("Shift")
        else:
            page.keyboard.press("Space" if character == " " else character)
        page.wait_for_timeout(20)
    page.keyboard.press("Enter")


def log_in(page: Any, guest: dict[str, Any]) -> Font:
    """Log in as a person does who cannot be sure that the guest was ready for it: try again where no shell answers.

    The font of the screen, from a line that the guest is made to print.
    """
    for patience in (1.5, 5.0, 15.0, 40.0):
        for text in ("root", guest["password"]):
            type_keys(page, text)
            page.wait_for_timeout(1000 * patience)  # what is typed before it is asked for is thrown away
        type_keys(page, f"clear; echo {ALPHABET}")
        with contextlib.suppress(AssertionError):
            return eventually("the alphabet on the screen", lambda: Font.learn(picture_of(page)), 5.0 + patience)
        type_keys(page, "")
        page.wait_for_timeout(5000)  # as long as a refused one is kept waiting
    raise AssertionError("no shell answered")


def test_a_person_sees_the_guests_screen_types_a_command_and_reads_its_output(
    cloud: LabCloud, guest: dict[str, Any], proxy: dict[str, Any]
) -> None:
    console = endpoint(cloud, guest)
    assert console["websocket"]["host"] == proxy["publicip"]
    with browser() as context:
        page = context.new_page()
        began = time.monotonic()
        page.goto(console["url"])
        assert state_of(page, "open", SHOWN_WITHIN) == "Connected"
        print(f"the screen was there {time.monotonic() - began:.1f} s after the page was asked for")
        page.click("canvas")
        font = log_in(page, guest)
        type_keys(page, "expr 6 '*' 7")
        eventually("the product on the screen", lambda: "42" in font.read(picture_of(page)), SHOWN_WITHIN)
        type_keys(page, "hostname")
        lines = eventually(
            "the guest's name",
            lambda: (found := font.read(picture_of(page))) and "web" in str(found) and found,
            SHOWN_WITHIN,
        )
        keep(page, "console-of-a-real-guest")
        assert "42" in lines and ALPHABET in lines
        eventually("an open session", lambda: sessions(cloud, guest, acquired="true"), SHOWN_WITHIN)

        again = context.new_page()
        again.goto(console["url"])
        assert "was used or has expired" in state_of(again, "over", SHOWN_WITHIN)
    eventually("the end of the session", lambda: not sessions(cloud, guest, activeonly="true"), SHOWN_WITHIN)


def sessions(cloud: LabCloud, guest: dict[str, Any], **wanted: Any) -> list[dict[str, Any]]:
    return list(cloud.cs.listConsoleSessions(virtualmachineid=guest["id"], **wanted).get("consolesession", []))


def test_a_person_works_on_the_serial_terminal(cloud: LabCloud, guest: dict[str, Any]) -> None:
    with browser() as context:
        page = context.new_page()
        page.goto(endpoint(cloud, guest, serial="true")["url"])
        state_of(page, "open", SHOWN_WITHIN)
        page.keyboard.press("Enter")
        wait_for_text(page, "login:", SHOWN_WITHIN)
        page.keyboard.type("root\n")
        wait_for_text(page, "Password:", SHOWN_WITHIN)
        page.wait_for_timeout(500)
        page.keyboard.type(f"{guest['password']}\n")
        wait_for_text(page, "#", SHOWN_WITHIN)
        page.keyboard.type("echo product $((6*7))\n")
        wait_for_text(page, "product 42", SHOWN_WITHIN)
        keep(page, "serial-terminal-of-a-real-guest")
        page.keyboard.type("exit\n")


@pytest.mark.skipif(not (UI / "dist" / "index.html").is_file(), reason="needs the web UI: make ui")
def test_a_person_deploys_in_the_web_ui_opens_the_console_types_and_reads(
    cloud: LabCloud, guest: dict[str, Any], proxy: dict[str, Any]
) -> None:
    admin = json.loads((cloud.lab.cloud / "admin.json").read_text())
    client = f"http://127.0.0.1:{cloud.port}/client/"
    with browser() as context:
        page = context.new_page()
        page.set_default_timeout(180_000)
        page.goto(client)
        page.get_by_label("User name").fill("admin")
        page.get_by_label("Password", exact=True).fill(admin["password"])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/#/dashboard*")
        page.goto(f"{client}#/deploy")
        title = page.locator("form h2")
        for choice in (None, "mini", "tiny"):  # the zone is chosen, there being one
            if choice is not None:
                page.locator("label.card").filter(has_text=choice).first.click()
            _next(page, title)
        while title.inner_text() != "Name and more":
            _next(page, title)
        page.get_by_label("Name", exact=True).fill("from-the-ui")
        page.get_by_role("button", name="Deploy", exact=True).click()
        page.get_by_role("link", name="from-the-ui").wait_for(timeout=400_000)
        password = page.locator("code").first.inner_text()
        keep(page, "deployed-on-a-real-host")
        (vm,) = cloud.cs.listVirtualMachines(name="from-the-ui")["virtualmachine"]
        assert vm["state"] == "Running" and cloud.running_on(vm["instancename"]) == [vm["hostname"]]
        log = cloud.host(vm["hostname"]).folder.agent / "consoles" / f"{vm['instancename']}.log"
        eventually("a prompt", lambda: log.exists() and "login:" in log.read_text(errors="replace"), PROMPT_WITHIN)
        page.goto(f"{client}#/vm/{vm['id']}")
        with context.expect_page() as opened:
            page.get_by_role("button", name=re.compile("Open console$")).click()
        console = opened.value
        state_of(console, "open", SHOWN_WITHIN)
        console.click("canvas")
        font = log_in(console, {"password": password})
        type_keys(console, "expr 6 '*' 9")
        eventually("the product on the screen", lambda: "54" in font.read(picture_of(console)), SHOWN_WITHIN)
        keep(console, "console-from-the-web-ui")


def _next(page: Any, title: Any) -> None:
    before = title.inner_text()
    page.get_by_role("button", name="Next", exact=True).click()
    eventually("the next step", lambda: title.inner_text() != before)


def test_a_proxy_that_is_killed_is_replaced_and_the_page_says_that_it_is_gone(
    cloud: LabCloud, guest: dict[str, Any]
) -> None:
    lost = eventually("a console proxy", lambda: serving(cloud), PROXY_WITHIN)
    with browser() as context:
        page = context.new_page()
        page.goto(endpoint(cloud, guest)["url"])
        state_of(page, "open", SHOWN_WITHIN)
        (host,) = cloud.running_on(lost["name"])
        began = time.monotonic()
        os.kill(cloud.host(host).qemus()[lost["name"]], signal.SIGKILL)
        state_of(page, "over", SHOWN_WITHIN)
        print(f"the page said so after {time.monotonic() - began:.1f} s")
        console = endpoint(cloud, guest, PROXY_WITHIN)
        again = context.new_page()
        again.goto(console["url"])
        state_of(again, "open", SHOWN_WITHIN)
        print(f"a console was open again after {time.monotonic() - began:.1f} s")
