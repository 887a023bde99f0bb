"""Where instances go when somebody names a host, and where they come back to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks


@pytest.fixture
def tagged(cloud: TwoRacks) -> str:
    """An offering for hosts with tag gold, of which there is one."""
    first = cloud.listed("listHosts", "host", type="Routing")[0]
    cloud.admin("updateHost", id=first["id"], hosttags="gold")
    asked = {"name": "gold", "displaytext": "gold", "cpunumber": 1, "cpuspeed": 500, "memory": 512, "hosttags": "gold"}
    return str(cloud.admin("createServiceOffering", **asked)["serviceoffering"]["id"])


def others(cloud: TwoRacks, vm: dict[str, Any]) -> list[str]:
    here = cloud.host(vm["hostname"])
    return [h.id for h in cloud.store.tables["Host"] if h.cluster_id == here.cluster_id and h.id != here.id]


def test_tags_lead_an_instance_to_its_host_unless_a_root_admin_names_another(cloud: TwoRacks, tagged: str) -> None:
    made = cloud.deploy("web", serviceofferingid=tagged)
    assert "gold" in cloud.host(made["hostname"]).tags
    refused(533, cloud.admin, "migrateVirtualMachine", virtualmachineid=made["id"])
    (other,) = others(cloud, made)
    moved = cloud.admin("migrateVirtualMachine", virtualmachineid=made["id"], hostid=other)["virtualmachine"]
    assert moved["hostid"] == other
    assert cloud.deploy("named", serviceofferingid=tagged, hostid=other)["hostid"] == other


def test_strict_tags_hold_there_too(cloud: TwoRacks, tagged: str) -> None:
    made = cloud.deploy("web", serviceofferingid=tagged)
    (other,) = others(cloud, made)
    cloud.admin("updateConfiguration", name="vm.strict.host.tags", value="silver, gold")
    wanted = cloud.wanted(serviceofferingid=tagged, hostid=other)
    refused(533, cloud.admin, "deployVirtualMachine", **wanted)
    refused(533, cloud.admin, "migrateVirtualMachine", virtualmachineid=made["id"], hostid=other)
    cloud.admin("updateConfiguration", name="vm.strict.host.tags", value="silver")
    assert cloud.deploy("named", serviceofferingid=tagged, hostid=other)["hostid"] == other


def test_tags_that_there_are_limits_for_are_strict_unless_a_setting_says_otherwise(
    cloud: TwoRacks, tagged: str
) -> None:
    made = cloud.deploy("web", serviceofferingid=tagged)
    (other,) = others(cloud, made)
    cloud.admin("updateConfiguration", name="resource.limit.host.tags", value="gold")
    refused(533, cloud.admin, "migrateVirtualMachine", virtualmachineid=made["id"], hostid=other)
    cloud.admin("updateConfiguration", name="vm.strict.resource.limit.host.tag.check", value="false")
    moved = cloud.admin("migrateVirtualMachine", virtualmachineid=made["id"], hostid=other)["virtualmachine"]
    assert moved["hostid"] == other


def test_a_stopped_instance_comes_back_to_its_host_unless_that_is_not_to_be_considered(cloud: TwoRacks) -> None:
    hosts = [host["id"] for host in cloud.listed("listHosts", "host", type="Routing")]
    cloud.admin("updateConfiguration", name="vm.allocation.algorithm", value="firstfit")
    first, last = cloud.deploy("a")["hostid"], hosts[-1]
    made = cloud.deploy("web", hostid=last)
    cloud.admin("stopVirtualMachine", id=made["id"])
    assert cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]["hostid"] == last != first
    cloud.admin("stopVirtualMachine", id=made["id"])
    freely = cloud.admin("startVirtualMachine", id=made["id"], considerlasthost=False)["virtualmachine"]
    assert freely["hostid"] != last


def test_a_last_host_that_is_full_is_passed_over(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", serviceofferingid=cloud.most_of_a_host())
    cloud.admin("stopVirtualMachine", id=made["id"])
    cloud.deploy("taken", serviceofferingid=cloud.offering("most of a host"), hostid=made["hostid"])
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert started["state"] == "Running" and started["hostid"] != made["hostid"]
