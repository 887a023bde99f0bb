"""The way of a command in a browser, on a cloud that is really served: from a refused deployment to its filters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.ui.axe import serious
from tests.browser.ui.opening import needs_the_web_ui, serving, signed_in_at
from tests.server.serving import ONE_RACK, ServerProcess

pytestmark = needs_the_web_ui


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("cloud"), ONE_RACK) as server:
        yield server


@pytest.fixture
def page(served: ServerProcess) -> Iterator[Any]:
    with signed_in_at(served, "/trace", "h1:has-text('Way of a command')") as opened:
        yield opened


def call(page: Any, command: str, **parameters: Any) -> Any:
    """What the API answers to the page's session."""
    return page.evaluate(
        """async (fields) => {
            const session = JSON.parse(localStorage.getItem('cloudsim.session'));
            const body = new URLSearchParams({...fields, response: 'json', sessionkey: session.sessionkey});
            return Object.values(await (await fetch('api', {method: 'POST', body})).json())[0];
        }""",
        {"command": command, **{name: str(value) for name, value in parameters.items()}},
    )


def deploy(page: Any, name: str, **offering: int) -> str:
    """Deploy an instance of such an offering; the job's id, once it has ended."""
    made = call(page, "createServiceOffering", name=name, displaytext=name, **offering)["serviceoffering"]
    templates = call(page, "listTemplates", templatefilter="all", listall=True)["template"]
    template = next(each["id"] for each in templates if each["templatetype"] != "SYSTEM")
    zone = call(page, "listZones")["zone"][0]["id"]
    asked = {"zoneid": zone, "templateid": template, "serviceofferingid": made["id"], "name": name}
    job: str = call(page, "deployVirtualMachine", **asked)["jobid"]
    while not call(page, "queryAsyncJobResult", jobid=job)["jobstatus"]:
        page.wait_for_timeout(100)
    return job


def show(page: Any, job: str) -> None:
    page.goto(page.url.split("#")[0] + f"#/trace?jobid={job}")
    page.wait_for_selector(".diagram .message")


def test_a_deployment_is_followed_to_the_hypervisor_and_replayed(page: Any) -> None:
    show(page, deploy(page, "web", cpunumber=1, cpuspeed=500, memory=512))
    lanes = page.locator(".heads .head strong").all_inner_texts()
    assert lanes[:4] == ["User", "API", "Jobs", "Management"] and lanes[-2:] == ["Agent", "Hypervisor"]
    page.click(".message:has-text('vm_boot')")
    page.wait_for_selector(".beside pre:has-text('vm_boot')")
    page.focus(".diagram")
    page.keyboard.press("Home")
    page.wait_for_selector(".beside h2:has-text('deployVirtualMachine')")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".beside .kind:has-text('Message 2 of')")
    page.click("button:has-text('Replay')")
    page.click(".replay button[aria-label='Pause']")
    page.wait_for_selector(".replay button[aria-label='Play']")
    before = page.locator(".message.dimmed").count()
    page.click(".replay button[aria-label='Next message']")
    page.wait_for_function("n => document.querySelectorAll('.message.dimmed').length < n", arg=before)
    assert serious(page) == []


def test_a_refused_deployment_shows_the_filter_that_took_the_hosts(page: Any) -> None:
    show(page, deploy(page, "huge", cpunumber=1, cpuspeed=500, memory=4_000_000))
    page.click(".message:has-text('no host')")
    row = page.locator(".placement tr", has=page.locator("button.open:has-text('memory')"))
    row.wait_for()
    taken, left = (int(cell.split()[0]) for cell in row.locator("td.number").all_inner_texts())
    assert taken > 0 and left == 0
    page.click("button.open:has-text('memory')")
    page.wait_for_selector(".placement li:has-text('MiB free')")


def test_a_trace_is_saved_for_perfetto(page: Any, tmp_path: Path) -> None:
    show(page, deploy(page, "saved", cpunumber=1, cpuspeed=500, memory=512))
    page.click("button:has-text('Export')")
    with page.expect_download() as saving:
        page.click("li:has-text('Perfetto')")
    file = tmp_path / "trace.json"
    saving.value.save_as(file)
    assert saving.value.suggested_filename.endswith(".perfetto.json")
    assert {event["ph"] for event in json.loads(file.read_text())["traceEvents"]} >= {"M", "X", "i"}


def test_a_job_without_a_trace_says_so(page: Any) -> None:
    page.goto(page.url.split("#")[0] + "#/trace?jobid=11111111-2222-3333-4444-555555555555")
    page.wait_for_selector("text=traces begin with the server's start")


def test_a_telephone_shows_a_list_of_messages(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    job = deploy(page, "small", cpunumber=1, cpuspeed=500, memory=512)
    page.goto(page.url.split("#")[0] + f"#/trace?jobid={job}")
    page.click(".messages button:has-text('StartCommand') >> nth=0")
    page.wait_for_selector(".ant-drawer h2:has-text('StartCommand')")
    page.wait_for_function("() => document.documentElement.scrollWidth === 390")
