"""What a system VM is told as it boots."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from backends.libvirt.systemvms.base_plan import plan_of, stores_of
from backends.systemvm.plan import STORES, interface_name
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import NicSpec, SystemVmSpec, VmSpec

MANAGEMENT = NicSpec(
    "n0", "02:00:00:00:00:01", "m", 0, "10.99.0.220", "255.255.255.0", "10.99.0.1", default=False, traffic="Management"
)
PUBLIC = NicSpec(
    "n1", "02:00:00:00:00:02", "p", 1, "198.51.100.7", "255.255.255.0", "198.51.100.1",
    dns=("198.51.100.53",), traffic="Public",
)  # fmt: skip
STORE = "nfs://files/export"


def system_vm(role: Any, *nics: NicSpec, stores: tuple[str, ...] = ()) -> VmSpec:
    return VmSpec("s-1-VM", "id", 1, 500, 256, nics=nics, system=SystemVmSpec(role, stores=stores))


def test_a_router_is_told_its_name_and_nothing_else_yet() -> None:
    plan = plan_of(system_vm("vpcrouter", PUBLIC), {})
    assert (plan.role, plan.hostname, plan.number) == ("vpcrouter", "s-1-VM", 0)
    assert plan.interfaces == plan.services == () and plan.nft == ""


@pytest.mark.parametrize("role", ["consoleproxy", "secstorage"])
def test_a_machine_with_a_service_has_its_addresses_and_runs_it(role: str) -> None:
    plan = plan_of(system_vm(role, MANAGEMENT, PUBLIC), {"n1": 1400})
    assert [(each.mac, each.addresses, each.mtu) for each in plan.interfaces] == [
        (MANAGEMENT.mac, ("10.99.0.220/24",), 1500),
        (PUBLIC.mac, ("198.51.100.7/24",), 1400),
    ]
    (service,) = plan.services
    assert service.name == role and service.command[:3] == ("python", "-m", f"backends.systemvm.{role}")
    assert plan.files["/run/systemvm/resolv.conf"] == "nameserver 198.51.100.53\n"


def test_the_way_out_is_public_hosts_are_reached_by_management_and_answers_leave_where_they_came_in() -> None:
    plan = plan_of(system_vm("consoleproxy", MANAGEMENT, PUBLIC), {})
    main = {route.destination: route.gateway for route in plan.routes if route.table == 254}
    assert main["0.0.0.0/0"] == "198.51.100.1"
    assert main["10.0.0.0/8"] == main["192.168.0.0/16"] == "10.99.0.1"
    tables = {rule.source: rule.table for rule in plan.rules}
    for nic, gateway in ((MANAGEMENT, "10.99.0.1"), (PUBLIC, "198.51.100.1")):
        ways = {route.destination: route.gateway for route in plan.routes if route.table == tables[f"{nic.ip}/32"]}
        assert ways["0.0.0.0/0"] == gateway
        assert ways["10.99.0.0/24"] == ways["198.51.100.0/24"] == ""


def test_stores_are_shared_folders_and_the_service_finds_them_by_their_urls() -> None:
    vm = system_vm("secstorage", MANAGEMENT, PUBLIC, stores=(STORE, "file:///second"))
    plan = plan_of(vm, {})
    assert [(mount.tag, mount.folder) for mount in plan.mounts] == list(stores_of(vm).values())
    assert json.loads(plan.files[STORES]) == {url: folder for url, (_, folder) in stores_of(vm).items()}


@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft")
def test_only_what_it_serves_can_be_reached_from_outside() -> None:
    rules = plan_of(system_vm("secstorage", MANAGEMENT, PUBLIC), {}).nft
    done = subprocess.run(["unshare", "--net", "nft", "-f", "-"], input=rules, text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert f'iifname "{interface_name(PUBLIC.mac)}" drop' in rules and interface_name(MANAGEMENT.mac) not in rules
    assert "8080" not in rules and "8080" in plan_of(system_vm("consoleproxy", PUBLIC), {}).nft


def test_an_address_that_is_none_is_refused() -> None:
    wrong = NicSpec("n", PUBLIC.mac, "p", ip="198.51.100.7", netmask="255.0.255.0", traffic="Public")
    with pytest.raises(HypervisorError, match=f"system VM s-1-VM: card {PUBLIC.mac}"):
        plan_of(system_vm("consoleproxy", wrong), {})
