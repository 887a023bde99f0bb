"""The order that operators give to offerings, templates, zones and OS categories."""

from __future__ import annotations

from typing import Any

import pytest

from cloudsim.model import GuestOs
from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi


def _zone(api: CloudApi, name: str) -> None:
    api.admin("createZone", name=name, dns1="8.8.8.8", internaldns1="8.8.4.4", networktype="Advanced")


def _disk_offering(api: CloudApi, name: str) -> None:
    api.admin("createDiskOffering", name=name, displaytext=name, disksize=1)


def _service_offering(api: CloudApi, name: str) -> None:
    api.admin("createServiceOffering", name=name, displaytext=name, cpunumber=1, cpuspeed=500, memory=512)


def _network_offering(api: CloudApi, name: str) -> None:
    api.admin("createNetworkOffering", name=name, displaytext=name, guestiptype="L2", traffictype="Guest")


def _vpc_offering(api: CloudApi, name: str) -> None:
    api.admin("createVPCOffering", name=name, displaytext=name, supportedservices="Dhcp,Dns,SourceNat")


def _category(api: CloudApi, name: str) -> None:
    api.admin("addOsCategory", name=name)


def _template(api: CloudApi, name: str) -> None:
    os_type = next(iter(api.store.table(GuestOs))).id
    url = f"http://example.org/{name}.qcow2"
    api.admin(
        "registerTemplate", name=name, displaytext=name, url=url, format="QCOW2", hypervisor="Simulator",
        ostypeid=os_type, zoneid=api.zone,
    )  # fmt: skip


def _iso(api: CloudApi, name: str) -> None:
    api.admin("registerIso", name=name, displaytext=name, url=f"http://example.org/{name}.iso", zoneid=api.zone)


KINDS: dict[str, tuple[Any, str, str, str, dict[str, str]]] = {
    "zones": (_zone, "updateZone", "listZones", "zone", {}),
    "disk offerings": (_disk_offering, "updateDiskOffering", "listDiskOfferings", "diskoffering", {}),
    "service offerings": (
        _service_offering,
        "updateServiceOffering",
        "listServiceOfferings",
        "serviceoffering",
        {},
    ),
    "network offerings": (
        _network_offering,
        "updateNetworkOffering",
        "listNetworkOfferings",
        "networkoffering",
        {"guestiptype": "L2"},
    ),
    "VPC offerings": (_vpc_offering, "updateVPCOffering", "listVPCOfferings", "vpcoffering", {}),
    "OS categories": (_category, "updateOsCategory", "listOsCategories", "oscategory", {}),
    "templates": (_template, "updateTemplate", "listTemplates", "template", {"templatefilter": "all"}),
    "ISOs": (_iso, "updateIso", "listIsos", "iso", {"isofilter": "all"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_come_by_their_sort_keys_and_those_of_the_same_by_age(cloud_api: CloudApi, kind: str) -> None:
    make, update, list_, key, narrowed = KINDS[kind]
    for name in ("one", "two", "three"):
        make(cloud_api, name)

    def names(**parameters: Any) -> list[str]:
        found = cloud_api.admin(list_, **narrowed, **parameters)[key]
        return [row["name"] for row in found if row["name"] in ("one", "two", "three")]

    ids = {row["name"]: row["id"] for row in cloud_api.admin(list_, **narrowed)[key]}
    assert names() == ["one", "two", "three"]
    cloud_api.admin(update, id=ids["one"], sortkey=7)
    assert names() == ["two", "three", "one"]
    cloud_api.admin(update, id=ids["three"], sortkey=-1)
    assert names() == ["three", "two", "one"] and names(page=1, pagesize=1) == ["three"]
    cloud_api.admin("updateConfiguration", name="sortkey.algorithm", value="false")
    assert names() == ["one", "two", "three"] and names(page=1, pagesize=1) == ["one"]
    assert "sortkey" in refused(431, cloud_api.admin, update, id=ids["one"], sortkey="first").text
