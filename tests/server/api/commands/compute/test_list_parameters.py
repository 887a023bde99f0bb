"""Parameters of list commands that narrow what is listed, or leave the things themselves away."""

from __future__ import annotations

import json
import platform

import pytest

from cloudsim.model import Host, Template
from server.api.parameters import parse_date
from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks


@pytest.mark.parametrize(
    ("command", "count"),
    [
        ("listVirtualMachines", 2),
        ("listVirtualMachinesMetrics", 2),
        ("listVolumes", 2),
        ("listVolumesMetrics", 2),
        ("listNetworks", 1),
    ],
)
def test_only_how_many_there_are_is_told(cloud: TwoRacks, command: str, count: int) -> None:
    for name in ("a", "b"):
        cloud.deploy(name)
    assert cloud.admin(command, retrieveonlyresourcecount=True, page=1, pagesize=1) == {"count": count}
    assert cloud.admin(command, retrieveonlyresourcecount=True, name="nobody") == {}


def test_instances_are_listed_by_the_architecture_of_their_template(cloud: TwoRacks) -> None:
    vm = cloud.deploy()
    assert cloud.admin("listVirtualMachines", arch="x86_64")["virtualmachine"][0]["id"] == vm["id"]
    assert cloud.admin("listVirtualMachines", arch="aarch64") == {}
    with cloud.store.transaction():
        cloud.store.table(Template).update(vm["templateid"], arch="aarch64")
    assert cloud.admin("listVirtualMachines", arch="aarch64")["count"] == 1
    refused(431, cloud.admin, "listVirtualMachines", arch="z80")


@pytest.mark.parametrize("command", ["listVirtualMachines", "listVirtualMachinesMetrics"])
def test_instances_are_listed_by_whether_they_are_on_an_isolated_network(cloud: TwoRacks, command: str) -> None:
    flat = cloud.network("flat", networkofferingid=cloud.cloud.network_offering("DefaultL2NetworkOffering").id)
    isolated = cloud.deploy("isolated", networkids=cloud.network()["id"])
    on_flat = cloud.deploy("on-flat", networkids=flat["id"])
    for wanted, vm in ((True, isolated), (False, on_flat)):
        (row,) = cloud.listed(command, "virtualmachine", forvirtualnetwork=wanted)
        assert row["id"] == vm["id"]


def test_a_host_is_commented_on_as_it_is_changed(cloud: TwoRacks) -> None:
    (host,) = [row for row in cloud.store.table(Host)][:1]
    changed = cloud.admin("updateHost", id=host.id, annotation="new fan")["host"]
    assert changed["annotation"] == "new fan"
    (comment,) = cloud.admin("listAnnotations", entitytype="HOST", entityid=host.id)["annotation"]
    assert comment["annotation"] == "new fan"


def test_jobs_are_listed_by_the_server_that_does_them(cloud: TwoRacks) -> None:
    (server,) = cloud.admin("listManagementServers")["managementserver"]
    begun = json.loads(cloud.admin.reply("deployVirtualMachine", **cloud.wanted()).text())
    assert cloud.admin("listAsyncJobs", managementserverid=server["id"], listall=True)["count"] == 1
    assert cloud.admin("listAsyncJobs", managementserverid=server["id"][::-1], listall=True) == {}
    cloud.admin.job(next(iter(begun.values()))["jobid"])


def test_the_management_server_says_when_it_started_and_on_what(cloud: TwoRacks) -> None:
    before = cloud.world.now()
    (server,) = cloud.admin("listManagementServers")["managementserver"]
    assert 0 < parse_date(server["lastserverstart"]) <= before
    assert server["kernelversion"] == platform.release() and server["osdistribution"]


def test_all_users_are_native(cloud: TwoRacks) -> None:
    cloud.domain_account("ann")
    assert cloud.admin("listUsers", usersource="native", listall=True)["count"] == cloud.admin("listUsers", listall=True)["count"]
    assert cloud.admin("listUsers", usersource="ldap", listall=True) == {}


def test_volumes_of_system_vms_are_for_root_admins(cloud: TwoRacks) -> None:
    cloud.deploy()
    assert cloud.admin("listVolumes", listsystemvms=True, isencrypted=False)["count"] == 1
    assert cloud.admin("listVolumes", isencrypted=True) == {}
    refused(531, cloud.domain_account("ann"), "listVolumes", listsystemvms=True)
