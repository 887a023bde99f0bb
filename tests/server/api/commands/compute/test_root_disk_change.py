"""With another service offering a root disk gets the disk offering that this names, and the IOPS that the caller chooses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks
from tests.server.api.commands.compute.test_deployed_disks import disk_offering, disks
from tests.server.api.commands.compute.test_offering_traits import service_offering

COMMANDS = pytest.mark.parametrize("command", ["scaleVirtualMachine", "changeServiceForVirtualMachine"])


def stopped(cloud: TwoRacks, **more: Any) -> dict[str, Any]:
    made = cloud.deploy(**more)
    cloud.admin("stopVirtualMachine", id=made["id"])
    return made


def root(cloud: TwoRacks, vm: dict[str, Any]) -> dict[str, Any]:
    return dict(next(disk for disk in disks(cloud, vm) if disk["type"] == "ROOT"))


@COMMANDS
def test_iops_are_taken_where_the_offering_leaves_them_open(cloud: TwoRacks, command: str) -> None:
    vm = stopped(cloud)
    open_ = service_offering(cloud, "open", customizediops=True)
    closed = service_offering(cloud, "closed")
    wrong = {"id": vm["id"], "serviceofferingid": closed, "miniops": 5}
    assert "miniops" in refused(431, cloud.admin, command, **wrong).text
    refused(431, cloud.admin, command, id=vm["id"], serviceofferingid=open_, miniops=50, maxiops=5)
    assert cloud.vm(vm["id"])["serviceofferingid"] == vm["serviceofferingid"] and "maxiops" not in root(cloud, vm)
    cloud.admin(command, id=vm["id"], serviceofferingid=open_, miniops=5, maxiops=50)
    assert (root(cloud, vm)["miniops"], root(cloud, vm)["maxiops"]) == (5, 50)
    started = cloud.admin("startVirtualMachine", id=vm["id"])["virtualmachine"]
    assert cloud.guest(started).disks[0].limits.total_ios == 50


@COMMANDS
def test_the_root_disk_gets_the_size_of_the_disk_offering_and_shrinks_only_when_it_may(
    cloud: TwoRacks, command: str
) -> None:
    vm = cloud.deploy(startvm=False)
    sizes = {size: disk_offering(cloud, f"of {size}", disksize=size) for size in (30, 20)}
    larger, smaller = (service_offering(cloud, f"with {size}", diskofferingid=sizes[size]) for size in (30, 20))
    cloud.admin(command, id=vm["id"], serviceofferingid=larger)
    assert (root(cloud, vm)["size"], root(cloud, vm)["diskofferingid"]) == (30 << 30, sizes[30])
    refused(431, cloud.admin, command, id=vm["id"], serviceofferingid=smaller)
    assert root(cloud, vm)["size"] == 30 << 30 and cloud.vm(vm["id"])["serviceofferingid"] == larger
    cloud.admin(command, id=vm["id"], serviceofferingid=smaller, shrinkok=True)
    assert (root(cloud, vm)["size"], root(cloud, vm)["diskofferingid"]) == (20 << 30, sizes[20])
    cloud.admin("startVirtualMachine", id=vm["id"])
    cloud.admin("stopVirtualMachine", id=vm["id"])
    cloud.admin(command, id=vm["id"], serviceofferingid=larger)
    wrong = refused(431, cloud.admin, command, id=vm["id"], serviceofferingid=smaller, shrinkok=True)
    assert "can only grow" in wrong.text


@COMMANDS
def test_the_root_disk_moves_to_a_pool_that_suits_only_when_it_may(cloud: TwoRacks, command: str) -> None:
    vm = stopped(cloud)
    here = root(cloud, vm)["storageid"]
    there = next(pool["id"] for pool in cloud.listed("listStoragePools", "storagepool") if pool["id"] != here)
    cloud.admin("updateStoragePool", id=there, tags="fast")
    fast = disk_offering(cloud, "fast", customized=True, tags="fast")
    named, own = service_offering(cloud, "named", diskofferingid=fast), service_offering(cloud, "own", tags="fast")
    assert "automigrate" in refused(431, cloud.admin, command, id=vm["id"], serviceofferingid=named).text
    cloud.admin(command, id=vm["id"], serviceofferingid=own)
    assert root(cloud, vm)["storageid"] == here
    cloud.admin(command, id=vm["id"], serviceofferingid=own, automigrate=True)
    assert root(cloud, vm)["storageid"] == there
    cloud.admin(command, id=vm["id"], serviceofferingid=named)
    assert root(cloud, vm)["diskofferingid"] == fast
