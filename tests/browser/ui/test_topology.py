"""The topology page in a browser, on a cloud that is really served: what is drawn, found, told, and when a host fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.ui.axe import serious
from tests.browser.ui.opening import needs_the_web_ui, serving, signed_in_at
from tests.browser.waiting import eventually
from tests.server.serving import ServerProcess

TWO_ZONES = "zones: [{count: 2, pods: [{count: 2, racks: [{count: 2, hosts: 3}]}]}]\n"
RED_SEEN = """() => {
  const canvas = document.querySelector("canvas.picture");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let red = 0;
  for (let at = 0; at < data.length; at += 4) {
    red += data[at] > 180 && data[at + 1] < 90 && data[at + 2] < 100 ? 1 : 0;
  }
  return red;
}"""

pytestmark = needs_the_web_ui


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("cloud"), TWO_ZONES) as server:
        yield server


@pytest.fixture
def page(served: ServerProcess) -> Iterator[Any]:
    with signed_in_at(served, "/topology", "canvas.picture") as opened:
        opened.wait_for_selector(".middle", state="detached")
        yield opened


def find(page: Any, name: str) -> None:
    """Fly to the first host of that name, and have it told of."""
    page.get_by_label("Find a host or an instance").fill(name)
    page.locator(".found", has_text=name).first.click()
    page.wait_for_selector(f"section.side h2:has-text('{name}')")


def test_a_host_is_found_and_told_of_as_the_api_tells(page: Any, served: ServerProcess) -> None:
    name = "host-2.rack-2.pod-1"
    find(page, name)
    host = served.connect()("listHosts", name=name)["host"][0]
    wanted = (host["state"], host["resourcestate"], host["zonename"], "idle")
    eventually(lambda: all(each in page.inner_text("section.side dl") for each in wanted))


def test_the_keyboard_chooses_a_host_and_lets_it_go(page: Any) -> None:
    page.focus("canvas.picture")
    page.keyboard.press("Shift+ArrowRight")
    first = page.inner_text("section.side h2")
    page.keyboard.press("Shift+ArrowDown")
    assert eventually(lambda: page.inner_text("section.side h2") != first)
    page.keyboard.press("Escape")
    page.wait_for_selector("section.side", state="detached")


def test_the_table_has_the_same_tree(page: Any, served: ServerProcess) -> None:
    page.click("text=Table")
    zones = [zone["name"] for zone in served.connect()("listZones")["zone"]]
    rows = page.locator(".ant-table-tbody tr.ant-table-row")
    assert eventually(lambda: rows.count() == len(zones))
    for opened in range(3):
        page.locator(".ant-table-row-expand-icon-collapsed").first.click()
        page.locator(".ant-table-row-expand-icon-expanded").nth(opened).wait_for()
    page.wait_for_selector("td:has-text('host-3.rack-1.pod-1')")


def test_a_host_that_fails_turns_red_while_one_looks(page: Any, served: ServerProcess) -> None:
    call = served.connect()
    host = call("listHosts", name="host-1.rack-1.pod-2")["host"][0]
    before = page.evaluate(RED_SEEN)
    call("updateSimulation", pace="100x")  # that a host is silent takes minutes to be noticed
    call("injectFault", type="HostCrash", hostid=host["id"], duration=100_000)
    page.wait_for_selector(f".ant-message:has-text('{host['name']}')", timeout=120_000)
    assert eventually(lambda: page.evaluate(RED_SEEN) > before + 20)


def test_the_page_keeps_nobody_out(page: Any) -> None:
    assert serious(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("() => document.documentElement.scrollWidth === 390")
