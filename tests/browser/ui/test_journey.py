"""An operator's way through the web UI, in a browser, on a cloud that is really served: from no zone of one's own to an
instance that outlives its host; and what a plain user sees of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.chromium import CHROMIUM, UI, browser, state_of, wait_for_text
from tests.browser.waiting import eventually
from tests.server.serving import Connection, ServerProcess

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or not (UI / "dist" / "index.html").is_file(),
    reason="needs Chromium, and the web UI: make ui",
)
SMALL = "zones: [{pods: [{racks: [{hosts: 1}]}]}]\n"
VIEW = """
() => {
  const find = (node) => {
    const component = node?.component;
    if (component?.exposed?.view) return component.exposed.view();
    const below = [component?.subTree, ...(Array.isArray(node?.children) ? node.children : [])];
    return below.reduce((found, each) => found ?? (each ? find(each) : null), null);
  };
  return find(document.querySelector('#app')._vnode);
}
"""
"""The picture's view: the picture is a canvas, which tells nobody else what is where."""
PLACE_OF = f"""
([kind, id]) => {{
  const view = ({VIEW})();
  const canvas = document.querySelector('canvas.picture').getBoundingClientRect();
  for (let y = 4; view && y < canvas.height; y += 6) {{
    for (let x = 4; x < canvas.width; x += 6) {{
      const found = view.at(x, y);
      if (found?.kind === kind && found.id === id) return [canvas.left + x + 3, canvas.top + y + 3];
    }}
  }}
  return null;
}}
"""
"""Where in the picture a host or an instance is drawn."""
DRAGGED = f"() => ({VIEW})()?.picture.drag?.instance.id ?? null"
"""The instance that is being dragged."""
DRAGGED_OVER = f"() => ({VIEW})()?.picture.drag?.target ?? null"
"""The host that it would be dropped on."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("journey")
    (folder / "small.yaml").write_text(SMALL)
    options = ("--pace", "max", "--datacenter", str(folder / "small.yaml"), "--console-port", "0")
    with ServerProcess(folder / "data", *options) as server:
        yield server


@pytest.fixture
def admin(served: ServerProcess) -> Iterator[Connection]:
    connection = served.connect()
    yield connection
    connection.close()


@pytest.fixture
def page(served: ServerProcess) -> Iterator[Any]:
    with browser() as context:
        opened = context.new_page()
        opened.set_viewport_size({"width": 1440, "height": 900})
        opened.emulate_media(reduced_motion="reduce")
        opened.goto(f"{served.url}/client/")
        yield opened


def sign_in(page: Any, username: str, password: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/#/dashboard*")


def open_page(page: Any, served: ServerProcess, path: str) -> None:
    page.goto(f"{served.url}/client/#{path}")


def card(page: Any, text: str) -> Any:
    return page.locator("label.card").filter(has_text=text)


def onwards(page: Any, *, until: str = "") -> None:
    """Press Next; with `until` again and again, until the step of that title."""
    title = page.locator("form h2")
    while title.inner_text() != until:
        before = title.inner_text()
        page.get_by_role("button", name="Next", exact=True).click()
        eventually(lambda before=before: title.inner_text() != before)
        if not until:
            return


def vm(admin: Connection, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = admin("listVirtualMachines", name=name, listall="true").get(
        "virtualmachine", []
    )
    return found[0] if found else {}


@pytest.mark.timeout(600)
def test_from_nothing_to_an_instance_that_outlives_its_host(
    page: Any, served: ServerProcess, admin: Connection
) -> None:
    sign_in(page, "admin", served.admin["password"])
    zone = builds_a_zone(page, served, admin)
    makes_an_offering_with_high_availability(page, served)
    deploys(page, zone)
    attaches_a_volume(page, served, admin)
    opens_its_console(page, served, admin)
    migrates_by_dragging(page, served, admin)
    kills_its_host(page, served, admin)
    destroys(page, served, admin)


def builds_a_zone(page: Any, served: ServerProcess, admin: Connection) -> str:
    """The wizard's proposals, one after the other."""
    known = {zone["name"] for zone in admin("listZones")["zone"]}
    open_page(page, served, "/add-zone")
    page.get_by_role("heading", name="Add a zone", level=1).wait_for()
    onwards(page, until="Build")
    page.get_by_role("button", name="Build the zone").click()
    page.get_by_role("button", name="Deploy").wait_for(timeout=120_000)
    (made,) = {zone["name"] for zone in admin("listZones")["zone"]} - known
    return made


def makes_an_offering_with_high_availability(page: Any, served: ServerProcess) -> None:
    open_page(page, served, "/serviceoffering")
    page.get_by_role("button", name="Create compute offering").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").first.fill("always on")
    for label, value in (("vCPUs", "1"), ("CPU speed", "500"), ("Memory", "512")):
        form.get_by_label(label).first.fill(value)
    form.get_by_role("switch", name="High availability (HA)").click()
    form.get_by_role("button", name="Create compute offering").click()
    page.get_by_role("link", name="always on").wait_for()


def deploys(page: Any, zone: str) -> None:
    page.goto(page.url.split("#")[0] + "#/deploy")
    card(page, zone).click()
    onwards(page)
    card(page, "CentOS").click()
    onwards(page)
    card(page, "always on").click()
    onwards(page, until="Name and more")
    page.get_by_label("Name", exact=True).fill("journey")
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.get_by_role("link", name="journey").wait_for(timeout=120_000)


def attaches_a_volume(page: Any, served: ServerProcess, admin: Connection) -> None:
    zone = vm(admin, "journey")["zoneid"]
    offering = admin("listDiskOfferings", name="Small")["diskoffering"][0]["id"]
    volume = admin.job(
        admin("createVolume", name="more room", zoneid=zone, diskofferingid=offering)["jobid"]
    )["volume"]
    open_page(page, served, f"/volume/{volume['id']}")
    page.get_by_role("button", name="Attach volume").click()
    form = page.get_by_role("dialog")
    form.get_by_role("combobox").first.click()
    page.locator(".ant-select-item-option", has_text="journey").click()
    form.get_by_role("button", name="Attach volume").click()
    eventually(lambda: admin("listVolumes", id=volume["id"])["volume"][0].get("vmname") == "journey")
    page.get_by_role("link", name="journey").first.wait_for()


def opens_its_console(page: Any, served: ServerProcess, admin: Connection) -> None:
    """In a tab of its own, with what the guest says."""
    open_page(page, served, f"/vm/{vm(admin, 'journey')['id']}")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name=re.compile("Open console$")).click()
    console = opened.value
    state_of(console, "open")
    wait_for_text(console, "Booting")
    console.close()


def place_of(page: Any, kind: str, id: str) -> list[float]:
    """Where it is drawn, once the picture has come to rest."""
    places: list[Any] = [None]

    def at_rest() -> bool:
        page.wait_for_timeout(500)
        places.append(page.evaluate(PLACE_OF, [kind, id]))
        return places[-1] is not None and places[-1] == places[-2]

    eventually(at_rest)
    return list(places[-1])


def migrates_by_dragging(page: Any, served: ServerProcess, admin: Connection) -> None:
    before = vm(admin, "journey")
    open_page(page, served, "/topology")
    search = page.get_by_label("Find a host or an instance")
    search.fill("journey")
    page.locator(".ant-select-item-option", has_text="journey").first.click()
    page.get_by_role("button", name="Migrate to").wait_for()

    def lifts() -> bool:
        start = place_of(page, "instance", before["id"])
        page.mouse.move(*start)
        page.mouse.down()
        page.mouse.move(start[0] + 12, start[1] + 12, steps=4)
        if page.evaluate(DRAGGED) == before["id"]:
            return True
        page.mouse.up()  # what is drawn had moved away
        return False

    eventually(lifts)
    page.mouse.move(660, 460, steps=4)  # away from the picture's edge, where it would go on moving
    hosts = admin("findHostsForMigration", virtualmachineid=before["id"])["host"]
    other = next(host for host in hosts if host["suitableformigration"])

    def is_over_it() -> bool:
        page.mouse.move(*place_of(page, "host", other["id"]), steps=8)
        return bool(page.evaluate(DRAGGED_OVER) == other["id"])

    eventually(is_over_it)
    page.mouse.up()
    page.get_by_role("dialog").get_by_role("button", name="Migrate").click()
    eventually(lambda: vm(admin, "journey")["hostid"] == other["id"])


def kills_its_host(page: Any, served: ServerProcess, admin: Connection) -> None:
    before = vm(admin, "journey")
    admin("updateSimulation", pace="real")  # else the fault may be over before one looks
    open_page(page, served, "/simulation")
    page.get_by_label("Where", exact=True).fill(before["hostname"].split(".")[-1])
    page.locator(".ant-select-item-option", has_text=before["hostname"]).first.click()
    page.get_by_role("button", name="Inject").click()
    page.get_by_text("Active (1)").wait_for()
    page.get_by_text("100×", exact=True).first.click()
    open_page(page, served, f"/vm/{before['id']}")

    def elsewhere() -> dict[str, Any] | None:
        now = vm(admin, "journey")
        return now if now["state"] == "Running" and now["hostid"] != before["hostid"] else None

    after = eventually(elsewhere, 120.0)
    page.get_by_role("link", name=after["hostname"]).first.wait_for()
    open_page(page, served, "/alert")
    page.get_by_text("It is started elsewhere").first.wait_for()


def destroys(page: Any, served: ServerProcess, admin: Connection) -> None:
    open_page(page, served, "/vm")
    row = page.get_by_role("row").filter(has_text="journey")
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Destroy instance").click()
    form = page.get_by_role("dialog")
    form.get_by_role("switch", name="Expunge").click()
    form.get_by_role("button", name="Destroy instance").click()
    eventually(lambda: vm(admin, "journey") == {})
    row.wait_for(state="detached")


def test_a_plain_user_sees_only_what_is_his_own(page: Any, served: ServerProcess, admin: Connection) -> None:
    names = {"email": "ben@example.org", "firstname": "Ben", "lastname": "Example"}
    admin("createAccount", username="ben", password="his own", accounttype=0, **names)
    mine, others = "bens-group", "admins-group"
    admin("createInstanceGroup", name=others)
    admin(
        "createInstanceGroup",
        name=mine,
        account="ben",
        domainid=admin("listDomains", name="ROOT")["domain"][0]["id"],
    )
    sign_in(page, "ben", "his own")
    open_page(page, served, "/instancegroup")
    page.get_by_role("link", name=mine).wait_for()
    assert page.get_by_text(others).count() == 0
    for path in ("/host", "/add-zone", "/topology"):
        open_page(page, served, path)
        page.wait_for_timeout(300)
        assert page.get_by_text(served_hosts(admin)[0]).count() == 0


def served_hosts(admin: Connection) -> list[str]:
    return [str(host["name"]) for host in admin("listHosts", type="Routing")["host"]]
