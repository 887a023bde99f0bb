"""The simulation console and the experiments' pages, in a browser, on a cloud that is really served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.ui.axe import serious
from tests.browser.ui.opening import needs_the_web_ui, serving, signed_in_at
from tests.browser.waiting import eventually
from tests.server.serving import ONE_RACK, ServerProcess

RUN_WITHIN = 280.0
"""Seconds that two runs of an experiment may take: processes that import much, compile, and draw."""
SCENARIO = """\
name: two policies
datacenter:
  uniform: {hosts_per_rack: 3, host: {cores: 8, memory_gib: 32}}
workload:
  format: poisson
  per_hour: 120
  requests_in_all: 60
  lifetime: {mean: 3600}
  flavours: [{vcpu: 1, memory_mib: 1024}, {vcpu: 4, memory_mib: 2048}]
"""

pytestmark = needs_the_web_ui


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("cloud"), ONE_RACK, "real") as server:
        yield server


@pytest.fixture
def page(served: ServerProcess) -> Iterator[Any]:
    with signed_in_at(served, "/simulation", "h1:has-text('Simulation console')") as opened:
        yield opened


def test_the_clock_is_paused_from_the_header_and_a_fault_is_injected_and_healed(page: Any, served: ServerProcess) -> None:
    call = served.connect()
    page.click("header .clock")
    page.click(".ant-popover [title^='Pause']")
    page.wait_for_selector("text=Jobs wait until time goes on")
    assert call("listSimulations")["simulation"][0]["state"] == "Paused"
    page.keyboard.press("Escape")
    page.click("#content [title^='As fast as it goes']")
    page.wait_for_selector("text=Jobs wait until time goes on", state="detached")
    assert call("listSimulations")["simulation"][0]["pace"] == "max"
    call("updateSimulation", pace="real")  # else the fault may be over before one looks
    page.click("button:has-text('Inject')")
    page.wait_for_selector("text=Active (1)")
    assert call("listFaults", active=True)["fault"][0]["type"] == "HostCrash"
    page.click("button:has-text('Heal')")
    page.wait_for_selector("text=Past (1)")
    assert serious(page) == []


def test_a_workload_is_started_from_its_form_and_watched(page: Any, served: ServerProcess) -> None:
    page.click("button:has-text('New workload') >> nth=0")
    page.fill("#workload-name", "watched")
    page.fill("#workload-limit", "15")
    page.fill("#workload-rate", "600")
    page.click(".ant-drawer button[type=submit]")
    page.wait_for_selector("text=watched · ")
    page.click("#content [title^='As fast as it goes']")
    page.wait_for_selector(".total:has-text('Requested') .value:text-is('15')")
    page.wait_for_selector("text=watched · ended")
    told = served.connect()("listWorkloads", name="watched")["workload"][0]
    for name in ("Placed", "Rejected"):  # the panel asks by itself, and later than the list that says it has ended
        page.wait_for_selector(f".total:has-text('{name}') .value:text-is('{told[name.lower()]}')")
    page.locator("table tbody tr.ant-table-row").nth(11).wait_for()
    assert page.locator("table tbody tr.ant-table-row").count() == 12
    assert serious(page) == []


@pytest.mark.timeout(900)
def test_two_policies_are_compared_side_by_side(page: Any, served: ServerProcess) -> None:
    page.goto(f"{served.url}/client/#/experiments/new")
    page.wait_for_selector("#experiment-text")
    page.wait_for_selector("p:has-text('A day of 480')")
    page.fill("#experiment-text", SCENARIO)
    page.wait_for_selector("text=changed")
    assert serious(page) == []
    page.click("button:has-text('Start 2 runs')")
    page.wait_for_selector("h1:has-text('two policies')")
    page.wait_for_selector(".ant-card-head-title:has-text('Summary')", timeout=1000 * RUN_WITHIN)
    page.wait_for_selector("h4:has-text('How full each host is') >> nth=1", timeout=1000 * RUN_WITHIN)
    found = served.connect()("listExperiments")["experiment"][0]
    result = served.connect()("getExperimentResult", id=found["id"])["experimentresult"]["result"]
    checks = {f"{each['figures']['placement_check']:,}" for each in result}
    assert len(result) == 2
    eventually(lambda: all(check in page.text_content("tr:has-text('Placement check')") for check in checks))
    assert serious(page) == []
    with page.expect_download() as saved:
        page.click("button:has-text('Files') >> nth=0")
        page.click(".ant-dropdown li:has-text('summary.json')")
    assert Path(saved.value.path()).read_bytes().startswith(b"{")
    page.goto(f"{served.url}/client/#/experiments")
    page.wait_for_selector("a:has-text('two policies')")
    assert serious(page) == []
