"""Wizards whose calls fail for a real reason, in a browser, on a cloud that is really served: one can correct what was wrong
and go on from there, or remove all that was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.ui.opening import needs_the_web_ui, serving, signed_in_at
from tests.browser.waiting import eventually
from tests.server.serving import Connection, ServerProcess

pytestmark = needs_the_web_ui
SMALL = "zones: [{pods: [{racks: [{hosts: 1}]}]}]\n"
PLACES = {
    "listZones": "zone",
    "listPhysicalNetworks": "physicalnetwork",
    "listPods": "pod",
    "listClusters": "cluster",
    "listHosts": "host",
    "listStoragePools": "storagepool",
    "listImageStores": "imagestore",
    "listVlanIpRanges": "vlaniprange",
    "listSystemVms": "systemvm",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(Path(tmp_path_factory.mktemp("wizards")), SMALL) as server:
        yield server


@pytest.fixture
def admin(served: ServerProcess) -> Iterator[Connection]:
    connection = served.connect()
    yield connection
    connection.close()


def places(admin: Connection) -> dict[str, set[str]]:
    """The ids of all that zones are made of, by list command."""
    return {
        command: {str(row["id"]) for row in admin(command).get(key, [])} for command, key in PLACES.items()
    }


def names(admin: Connection, command: str, key: str, **more: Any) -> list[str]:
    return sorted(str(row["name"]) for row in admin(command, listall="true", **more).get(key, []))


def onwards(page: Any, *, until: str) -> None:
    """Press Next until the step of that title."""
    title = page.locator("form h2")
    while (left := str(title.inner_text())) != until:
        page.get_by_role("button", name="Next", exact=True).click()
        has_come_after(title, left)


def has_come_after(title: Any, left: str) -> None:
    eventually(lambda: title.inner_text() != left)


def until_it_stops(page: Any, words: str) -> None:
    page.get_by_role("heading", name="It stopped: one step failed").wait_for(timeout=120_000)
    page.get_by_role("alert").filter(has_text=words).first.wait_for()


def remove_what_was_made(page: Any) -> None:
    page.get_by_role("button", name="Remove what was made").click()
    page.get_by_role("tooltip").get_by_role("button", name="OK").click()
    page.get_by_role("heading", name="Everything that was made is removed").wait_for(timeout=120_000)


def build_a_zone_with_a_name_that_is_taken(page: Any, admin: Connection) -> None:
    """The wizard's proposals, but for a name that the first zone's secondary storage has."""
    taken = names(admin, "listImageStores", "imagestore")[0]
    page.wait_for_function("() => document.querySelector('#zone-name')?.value")
    onwards(page, until="Secondary storage")
    page.get_by_role("textbox", name="Name").fill(taken)
    onwards(page, until="Build")
    page.get_by_role("button", name="Build the zone").click()
    until_it_stops(page, f"image store with name {taken} already exists")


def test_a_zone_that_cannot_be_finished_leaves_nothing_once_it_is_removed(
    served: ServerProcess, admin: Connection
) -> None:
    before = places(admin)
    with signed_in_at(served, "/add-zone", "form h2") as page:
        build_a_zone_with_a_name_that_is_taken(page, admin)
        assert len(places(admin)["listHosts"]) > len(before["listHosts"])
        remove_what_was_made(page)
    assert places(admin) == before


def test_a_zone_is_finished_once_what_was_wrong_is_corrected(
    served: ServerProcess, admin: Connection
) -> None:
    before = places(admin)
    with signed_in_at(served, "/add-zone", "form h2") as page:
        build_a_zone_with_a_name_that_is_taken(page, admin)
        (zone,) = places(admin)["listZones"] - before["listZones"]
        page.get_by_role("button", name="Try again from here").click()
        until_it_stops(page, "already exists")
        page.get_by_role("button", name="Change “Secondary storage”").click()
        page.get_by_role("textbox", name="Name").fill("another")
        onwards(page, until="Build")
        page.get_by_role("button", name="Build the zone").click()
        page.get_by_role("button", name="Deploy").wait_for(timeout=120_000)
    assert places(admin)["listZones"] - before["listZones"] == {zone}
    (state,) = {row["allocationstate"] for row in admin("listZones", id=zone)["zone"]}
    assert state == "Enabled"


@pytest.fixture
def large(served: ServerProcess, admin: Connection) -> Iterator[str]:
    """An offering of which a host of the first zone holds two."""
    sizes = {"cpunumber": 1, "cpuspeed": 500, "memory": 12 << 10}
    made = admin("createServiceOffering", name="large", displaytext="large", **sizes)["serviceoffering"]
    yield str(made["id"])
    admin("deleteServiceOffering", id=made["id"])


def expunged(admin: Connection, vm: str) -> None:
    admin.job(admin("destroyVirtualMachine", id=vm, expunge="true")["jobid"])


def deploy_more_than_there_is_room_for(page: Any, count: int) -> None:
    page.locator("label.card").filter(has_text="zone-1").first.click()
    onwards(page, until="Template or ISO")
    page.locator("label.card").filter(has_text="CentOS").click()
    onwards(page, until="Size")
    page.locator("label.card").filter(has_text="large").click()
    onwards(page, until="Name and more")
    page.get_by_label("Name", exact=True).fill("web")
    page.get_by_label("How many").fill(str(count))
    page.get_by_role("button", name=f"Deploy {count}").click()
    until_it_stops(page, "no usable host has enough capacity")


def webs(admin: Connection) -> list[str]:
    return [f"{vm['name']} {vm['state']}" for vm in sorted(machines(admin), key=lambda vm: str(vm["name"]))]


def machines(admin: Connection) -> list[dict[str, Any]]:
    found = admin("listVirtualMachines", keyword="web", listall="true").get("virtualmachine", [])
    return list(found)


def test_instances_that_do_not_all_fit_leave_none_once_they_are_removed(
    served: ServerProcess, admin: Connection, large: str
) -> None:
    with signed_in_at(served, "/deploy", "form h2") as page:
        deploy_more_than_there_is_room_for(page, 3)
        assert sorted(each.split()[1] for each in webs(admin)) == ["Error", "Running", "Running"]
        remove_what_was_made(page)
    assert webs(admin) == []


def test_an_instance_that_did_not_fit_is_deployed_once_there_is_room(
    served: ServerProcess, admin: Connection, large: str
) -> None:
    zone = admin("listZones", name="zone-1")["zone"][0]["id"]
    image = admin("listTemplates", templatefilter="executable", zoneid=zone)["template"][0]["id"]
    in_the_way = admin("deployVirtualMachine", zoneid=zone, templateid=image, serviceofferingid=large)
    admin.job(in_the_way["jobid"])
    with signed_in_at(served, "/deploy", "form h2") as page:
        deploy_more_than_there_is_room_for(page, 2)
        expunged(admin, in_the_way["id"])
        page.get_by_role("button", name="Try again from here").click()
        page.get_by_role("heading", name="Deployed", exact=True).wait_for(timeout=120_000)
        page.get_by_role("link", name="web-2").wait_for()
    assert webs(admin) == ["web-1 Running", "web-2 Running"]
    for vm in machines(admin):
        expunged(admin, vm["id"])
