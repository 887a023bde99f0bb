"""What of the web UI has no address of its own, brought about for its picture: signing in, a plain user's pages and a
project's, the steps of the wizards, the levels of the topology, the parts of a command's way, consoles, panels, and what is
shown where there is nothing, or where something is refused.

Each scene is a generator that yields a name whenever there is something to be seen, and the page that shows it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser.ui.rest import at_rest

Shown = tuple[str, Any]
"""The name of what is shown, and the page that shows it."""


@dataclass(frozen=True)
class Cloud:
    """A served cloud with the demo's people."""

    url: str
    data: Path

    @property
    def admin(self) -> dict[str, Any]:
        return dict(json.loads((self.data / "admin.json").read_bytes()))

    def password(self, username: str) -> str:
        """Of one of the demo's people. Raises StopIteration for somebody else."""
        people = json.loads((self.data / "demo.json").read_bytes())["users"]
        return str(next(each["password"] for each in people if each["username"] == username))


def sign_in(page: Any, cloud: Cloud, username: str, password: str, domain: str = "") -> None:
    _sign_out(page, cloud)
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    if domain:
        page.get_by_label("Domain").fill(domain)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/#/dashboard*")
    at_rest(page)


def _sign_out(page: Any, cloud: Cloud) -> None:
    """The sign-in page, whoever was signed in before."""
    page.context.clear_cookies()
    page.evaluate("() => localStorage.removeItem('cloudsim.session')")
    page.goto("about:blank")
    page.goto(f"{cloud.url}/client/#/sign-in")
    at_rest(page)


def go(page: Any, cloud: Cloud, path: str) -> None:
    page.goto(f"{cloud.url}/client/#{path}")
    at_rest(page)


def signing_in(page: Any, cloud: Cloud) -> Iterator[Shown]:
    """Before there is a session, and where the password is wrong."""
    _sign_out(page, cloud)
    yield "sign-in", page
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password", exact=True).fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    at_rest(page)
    yield "sign-in-refused", page


def plain_user(page: Any, cloud: Cloud) -> Iterator[Shown]:
    """What somebody sees who has instances of his own, and what a project of his has."""
    sign_in(page, cloud, "shop", cloud.password("shop"), "ROOT/retail")
    yield "user-dashboard", page
    for name in ("vm", "network", "profile", "event", "account"):
        go(page, cloud, f"/{name}")
        yield f"user-{name}", page
    go(page, cloud, "/host")
    yield "user-not-allowed", page
    go(page, cloud, "/dashboard")
    page.get_by_role("button", name="Project:").click()
    page.get_by_role("menuitem", name="checkout").click()
    at_rest(page)
    yield "project-dashboard", page
    go(page, cloud, "/vm")
    yield "project-vm", page


def panels(page: Any, cloud: Cloud) -> Iterator[Shown]:
    """What opens beside or above a page, and what is shown where there is nothing."""
    go(page, cloud, "/nowhere")
    yield "missing-page", page
    go(page, cloud, "/vm/00000000-0000-0000-0000-000000000000")
    yield "missing-thing", page
    go(page, cloud, "/vm?keyword=nobody-has-this-name")
    yield "vm-none-found", page
    go(page, cloud, "/vm")
    for name, label in (("columns", "Columns"), ("filters", "More filters"), ("views", "Saved views")):
        page.get_by_role("button", name=label, exact=True).first.click()
        at_rest(page)
        yield f"vm-{name}", page
        page.keyboard.press("Escape")
        page.mouse.click(720, 70)
    page.locator("main input[type=checkbox]").nth(1).check()
    page.locator("main input[type=checkbox]").nth(2).check()
    at_rest(page)
    yield "vm-several", page
    go(page, cloud, "/dashboard")
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("combobox").fill("web")
    at_rest(page)
    yield "search", page
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Jobs:").click()
    at_rest(page)
    yield "jobs", page
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Your account").click()
    at_rest(page)
    yield "own-menu", page
    page.set_viewport_size({"width": 390, "height": 844})
    go(page, cloud, "/vm")
    page.get_by_role("button", name="Open the menu").click()
    at_rest(page)
    yield "menu", page
    page.set_viewport_size({"width": 1440, "height": 900})


def actions_of_an_instance(page: Any, cloud: Cloud) -> Iterator[Shown]:
    """The forms of what people do to an instance."""
    go(page, cloud, "/vm?state=Running")
    page.locator("main a[href^='#/vm/']").first.click()
    at_rest(page)
    here = page.url
    page.get_by_role("button", name="Actions", exact=False).last.click()
    at_rest(page)
    yield "vm-actions", page
    names = page.get_by_role("menuitem").all_inner_texts()
    for label in (
        "Migrate instance",
        "Scale instance",
        "Edit instance",
        "Destroy instance",
        "Reinstall instance",
    ):
        if label not in names:
            continue
        page.goto("about:blank")
        page.goto(here)
        at_rest(page)
        page.get_by_role("button", name="Actions", exact=False).last.click()
        page.get_by_role("menuitem", name=label, exact=True).click()
        at_rest(page)
        yield f"vm-action-{label.split()[0].lower()}", page


def wizards(page: Any, cloud: Cloud) -> Iterator[Shown]:
    """Every step of each wizard, on what it proposes."""
    for name in ("deploy", "add-zone", "create-network", "register-template"):
        page.goto("about:blank")
        go(page, cloud, f"/{name}")
        for step in range(2, 12):
            _fill(page)
            before = page.locator("form h2").inner_text()
            onwards = page.get_by_role("button", name="Next", exact=True)
            if not onwards.count():
                break
            onwards.click()
            at_rest(page)
            if page.locator("form h2").inner_text() == before:
                yield f"{name}-refused", page
                break
            yield f"{name}-{step}", page


def _fill(page: Any) -> None:
    """Choose and name what the step wants and does not propose."""
    cards = page.locator("form label.card")
    if cards.count() and not page.locator("form label.card input:checked").count():
        cards.first.click()
        at_rest(page)
    for label, text in (("Name", "another"), ("URL", "https://images.example.org/image.qcow2")):
        field = page.locator("form").get_by_role("textbox", name=label, exact=True)
        if field.count() and not field.first.input_value():
            field.first.fill(text)
    at_rest(page)


def topology(page: Any, cloud: Cloud) -> Iterator[Shown]:
    """From all zones to one host, and the migration of an instance there."""
    go(page, cloud, "/topology")
    for level in (2, 3):
        page.get_by_role("button", name="Zoom in").click()
        page.get_by_role("button", name="Zoom in").click()
        at_rest(page)
        yield f"topology-{level}", page
    page.get_by_label("Find a host or an instance").fill("web")
    at_rest(page)
    yield "topology-search", page
    page.locator(".ant-select-item-option").first.click()
    at_rest(page)
    yield "topology-host", page
    page.get_by_role("button", name="Migrate").first.click()
    at_rest(page)
    yield "topology-migrate", page
    page.keyboard.press("Escape")
    page.goto("about:blank")
    go(page, cloud, "/topology")
    page.get_by_text("Table", exact=True).click()
    at_rest(page)
    page.locator(".ant-table-row-expand-icon-collapsed").first.click()
    at_rest(page)
    yield "topology-table", page


def way_of_a_command(page: Any, cloud: Cloud) -> Iterator[Shown]:
    """A deployment's way: all of it, by time, as a list, one message of it, and how it was placed."""
    go(page, cloud, "/trace")
    page.get_by_role("link", name="deployVirtualMachine").first.click()
    at_rest(page)
    yield "trace-detail", page
    page.get_by_text("Time", exact=True).first.click()
    at_rest(page)
    yield "trace-by-time", page
    page.get_by_text("List", exact=True).first.click()
    at_rest(page)
    yield "trace-as-list", page
    rows = page.locator("ol.messages li button")
    for name, words in (("message", re.compile("StartCommand")), ("placement", re.compile(r"^\s*Placement"))):
        found = rows.filter(has_text=words)
        if found.count():
            found.first.click()
            at_rest(page)
            yield f"trace-{name}", page


def consoles(page: Any, cloud: Cloud) -> Iterator[Shown]:
    """The screen of an instance and its serial console, in tabs of their own."""
    go(page, cloud, "/vm?state=Running")
    page.locator("main a[href^='#/vm/']").first.click()
    at_rest(page)
    for name, label in (("console", "Open console"), ("console-serial", "Open serial console")):
        button = page.get_by_role("button", name=label)
        if not button.count():
            page.get_by_role("button", name="Actions", exact=False).last.click()
            button = page.get_by_role("menuitem", name=label)
        with page.context.expect_page() as opened:
            button.first.click()
        shown = opened.value
        shown.wait_for_selector("#state[data-state=open]", timeout=20_000)
        shown.wait_for_timeout(2_500)  # the guest writes
        yield name, shown
        shown.close()


def api(page: Any, cloud: Cloud) -> Iterator[Shown]:
    """A command with its form, and what it answers."""
    go(page, cloud, "/api/listZones")
    yield "api-command", page
    page.get_by_role("button", name="Call", exact=True).click()
    at_rest(page)
    yield "api-answer", page
    go(page, cloud, "/api/deployVirtualMachine")
    yield "api-parameters", page


def simulation(page: Any, cloud: Cloud) -> Iterator[Shown]:
    """A workload on the way, and two policies that were compared."""
    go(page, cloud, "/simulation")
    page.get_by_role("button", name="New workload").first.click()
    at_rest(page)
    yield "simulation-new-workload", page
    page.locator(".ant-drawer button[type=submit]").click()
    page.get_by_text("100×", exact=True).first.click()
    page.wait_for_timeout(15_000)  # requests come, and are placed
    yield "simulation-workload", page
    page.get_by_text("1×", exact=True).first.click()
    go(page, cloud, "/experiments/new")
    page.get_by_role("button", name="Start").last.click()
    page.wait_for_url("**/#/experiments/*-*")
    page.get_by_text("finished").nth(1).wait_for(timeout=180_000)  # two small clouds run
    at_rest(page)
    yield "experiment", page
    go(page, cloud, "/experiments")
    yield "experiments-some", page


def session_over(page: Any, cloud: Cloud) -> Iterator[Shown]:
    """The session is gone while a page is open."""
    go(page, cloud, "/vm")
    page.context.clear_cookies()
    page.evaluate(
        "() => fetch('api?command=logout&response=json&sessionkey='"
        " + JSON.parse(localStorage.getItem('cloudsim.session')).sessionkey)"
    )
    page.get_by_role("button", name="Read anew").click()
    page.get_by_role("dialog").wait_for()
    at_rest(page)
    yield "session-over", page


SCENES: list[Callable[[Any, Cloud], Iterator[Shown]]] = [
    panels,
    actions_of_an_instance,
    wizards,
    topology,
    way_of_a_command,
    consoles,
    api,
    simulation,
    session_over,
    signing_in,
    plain_user,
]
"""In an order in which each can follow the one before: from signing in on, somebody else is there."""
