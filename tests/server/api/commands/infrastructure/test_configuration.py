"""Settings for one thing: what they hold for, and how they are put back."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import cloudsim.management.operations
from cloudsim.management.operations.configuration_groups import PARENTS
from cloudsim.management.operations.configuration_keys import KEYS, ConfigurationKey
from tests.server.api.api_harness import Client, refused
from tests.server.api.cloud_harness import TwoRacks
from tests.server.api.commands.cloud_api import CloudApi


@pytest.fixture
def cloud() -> Iterator[TwoRacks]:
    made = TwoRacks()
    yield made
    made.cloud.close()


def value(admin: Client, name: str, **where: Any) -> str:
    (row,) = admin("listConfigurations", name=name, **where)["configuration"]
    return str(row["value"])


def test_a_zones_setting_holds_for_its_pools_until_they_have_their_own(cloud_api: CloudApi) -> None:
    admin, name = cloud_api.admin, "storage.overprovisioning.factor"
    pool = cloud_api.listed("listStoragePools", "storagepool")[0]["id"]
    admin("updateConfiguration", name=name, value="3.0", zoneid=cloud_api.zone)
    assert value(admin, name) == "2.0"
    assert value(admin, name, zoneid=cloud_api.zone) == value(admin, name, storageid=pool) == "3.0"
    shown = cloud_api.listed("listStoragePools", "storagepool", id=pool)[0]
    assert shown["overprovisionfactor"] == "3.0"
    admin("updateConfiguration", name=name, value="1.5", storageid=pool)
    assert value(admin, name, storageid=pool) == "1.5" and value(admin, name, zoneid=cloud_api.zone) == "3.0"
    assert admin("resetConfiguration", name=name, storageid=pool)["configuration"]["value"] == "3.0"
    admin("resetConfiguration", name=name, zoneid=cloud_api.zone)
    assert value(admin, name, storageid=pool) == "2.0"


def test_a_cluster_above_its_own_threshold_takes_no_instance(cloud: TwoRacks) -> None:
    first, second = (row["id"] for row in cloud.admin("listClusters")["cluster"])
    name = "cluster.cpu.allocated.capacity.disablethreshold"
    cloud.admin("updateConfiguration", name=name, value="0.01", clusterid=first)
    for number in range(3):
        vm = cloud.deploy(f"web-{number}")
        host = cloud.admin("listHosts", id=vm["hostid"])["host"][0]
        assert host["clusterid"] == second
    cloud.admin("updateConfiguration", name=name, value="0.01")
    refused(533, cloud.admin, "deployVirtualMachine", **cloud.wanted(name="refused"))
    cloud.admin("updateConfiguration", name=name, value="0.9", clusterid=first)
    host = cloud.admin("listHosts", id=cloud.deploy("there")["hostid"])["host"][0]
    assert host["clusterid"] == first


def test_a_scope_that_a_setting_does_not_have_is_refused_for_a_reset_too(cloud_api: CloudApi) -> None:
    wrong = {"name": "ping.interval", "zoneid": cloud_api.zone}
    assert "Invalid scope Zone" in refused(431, cloud_api.admin, "resetConfiguration", **wrong).text
    assert "Invalid scope Zone" in refused(431, cloud_api.admin, "updateConfiguration", value="9", **wrong).text
    assert cloud_api.admin("listConfigurations", **wrong) == {}


def test_every_setting_is_in_a_group_and_subgroup_that_are_listed(admin: Client) -> None:
    groups = admin("listConfigurationGroups")["configurationgroup"]
    listed = {group["name"]: [part["name"] for part in group["subgroup"]] for group in groups}
    assert [group["precedence"] for group in groups] == list(range(1, len(groups) + 1))
    rows = admin("listConfigurations")["configuration"]
    assert len(rows) == len(KEYS)
    assert [row["name"] for row in rows if row["subgroup"] not in listed[row["group"]]] == []
    assert [row["name"] for row in rows if row["group"] == "Miscellaneous"] == []
    empty = set(listed) - {row["group"] for row in rows} - {"Miscellaneous"}
    assert not empty
    vpns = admin("listConfigurations", group="Network", subgroup="VPN")["configuration"]
    assert {row["name"] for row in vpns} >= {"remote.access.vpn.psk.length", "remote.access.vpn.user.limit"}
    assert "group must be given" in refused(431, admin, "listConfigurations", subgroup="VPN").text


def test_a_setting_names_the_one_that_must_be_true_for_it(admin: Client) -> None:
    (row,) = admin("listConfigurations", name="mandate.user.2fa")["configuration"]
    assert row["parent"] == "enable.user.2fa"
    found = admin("listConfigurations", parent="drs.automatic.enable")["configuration"]
    assert [row["name"] for row in found] == ["drs.automatic.interval"]
    assert set(PARENTS) | set(PARENTS.values()) <= set(KEYS)
    assert {KEYS[parent].kind for parent in PARENTS.values()} == {"boolean"}


def test_no_setting_is_declared_twice() -> None:
    package = cloudsim.management.operations
    names: list[str] = []
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if ".keys_" in module.name:
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, tuple) and value and isinstance(value[0], ConfigurationKey):
                    names += [key.name for key in value]
    twice = sorted(name for name, times in Counter(names).items() if times > 1 and not name.startswith("max."))
    assert twice == [] and set(names) == set(KEYS)


def test_old_events_go_every_so_often(cloud_api: CloudApi) -> None:
    cloud_api.admin("updateConfiguration", name="event.purge.interval", value=7200)
    cloud_api.admin("updateConfiguration", name="event.purge.delay", value=1)
    cloud_api.cloud.wait(3700)  # the round that was begun before the interval was changed
    cloud_api.admin("createDomain", name="d")
    cloud_api.cloud.wait(86400 - 7200)
    assert cloud_api.admin("listEvents", type="DOMAIN.CREATE", listall=True)["count"] >= 1
    cloud_api.cloud.wait(2 * 7200 + 60)
    assert cloud_api.admin("listEvents", type="DOMAIN.CREATE", listall=True) == {}
