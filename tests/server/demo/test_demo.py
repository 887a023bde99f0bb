"""The cloud of a first `make run`, as the API tells of it, and once more after a restart."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.invariants.always import ALWAYS
from cloudsim.invariants.scene import Scene, check
from server.api.parameters import parse_date
from server.demo.people import FILE
from server.demo.story import load_datacenter, load_story
from tests.server.demo.served_demo import Served

HOUR = 3600.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder: Any) -> Iterator[Served]:
    served = Served(folder, load_datacenter(), load_story()).begin()
    yield served
    served.end()


def now(demo: Served) -> float:
    return demo.cloud.world.now()


def test_it_has_three_zones_and_sixty_hosts_of_several_kinds(demo: Served) -> None:
    zones = demo.rows("listZones", "zone")
    assert {zone["name"] for zone in zones} == {"core", "west", "edge"}
    hosts = demo.rows("listHosts", "host", type="Routing")
    assert len(hosts) == 60
    assert len({(host["cpunumber"], host["memorytotal"]) for host in hosts}) >= 2
    states = Counter((host["state"], host["resourcestate"]) for host in hosts)
    assert states["Up", "Enabled"] == 58
    assert states["Up", "Maintenance"] == 1 and states["Alert", "Maintenance"] == 1


def test_some_hundred_instances_run_where_it_is_said_that_they_run(demo: Served) -> None:
    vms = demo.rows("listVirtualMachines", "virtualmachine") + demo.rows(
        "listVirtualMachines", "virtualmachine", projectid="-1"
    )
    found = {vm["id"]: vm["state"] for vm in vms}
    states = Counter(found.values())
    assert len(found) >= 250 and states["Running"] >= 220 and states["Stopped"] >= 5
    assert demo.lost() == []


def test_its_history_is_a_day_long(demo: Served) -> None:
    events = demo.rows("listEvents", "event")
    times = [parse_date(event["created"]) for event in events]
    assert min(times) < now(demo) - 20 * HOUR and max(times) <= now(demo)
    every_hour = {int((now(demo) - at) // HOUR) for at in times}
    assert set(range(24)) <= every_hour
    assert {"VM.CREATE", "VM.STOP", "VM.MIGRATE", "VM.DESTROY", "SNAPSHOT.CREATE"} <= {e["type"] for e in events}


def test_what_failed_is_what_the_story_tells(demo: Served) -> None:
    told = ("no usable host has enough capacity", "are still on host")
    errors = [event["description"] for event in demo.rows("listEvents", "event", level="ERROR")]
    assert any(told[0] in text for text in errors)
    assert [text for text in errors if not any(each in text for each in told)] == []
    alerts = Counter(alert["name"] for alert in demo.rows("listAlerts", "alert"))
    assert alerts["ALERT.COMPUTE.HOST"] == 3
    (refused,) = demo.rows("listVirtualMachines", "virtualmachine", state="Error")
    assert refused["name"] == "assembly"


def test_capacity_rose_and_fell(demo: Served) -> None:
    for row in demo.rows("listCapacityHistory", "capacityhistory", type=1):
        stats = row["stats"]
        assert len(stats) >= 280
        taken = [each["capacityallocated"] for each in stats]
        half = len(taken) // 2
        assert taken[0] < max(taken) / 10
        assert min(taken[half:]) < max(taken)
    west = demo.rows("listZones", "zone", name="west")[0]["id"]
    (row,) = demo.rows("listCapacityHistory", "capacityhistory", type=1, zoneid=west)
    taken = [each["capacityallocated"] for each in row["stats"]]
    assert taken[-1] < 0.8 * max(taken)


def test_there_is_something_of_everything(demo: Served) -> None:
    for command, key, least in (
        ("listDomains", "domain", 6),
        ("listAccounts", "account", 10),
        ("listProjects", "project", 1),
        ("listVPCs", "vpc", 1),
        ("listNetworks", "network", 10),
        ("listLoadBalancerRules", "loadbalancerrule", 2),
        ("listFirewallRules", "firewallrule", 2),
        ("listPortForwardingRules", "portforwardingrule", 2),
        ("listNetworkACLs", "networkacl", 5),
        ("listVolumes", "volume", 250),
        ("listSnapshots", "snapshot", 6),
        ("listAffinityGroups", "affinitygroup", 1),
        ("listSSHKeyPairs", "sshkeypair", 3),
        ("listTags", "tag", 20),
        ("listSecurityGroups", "securitygroup", 1),
        ("listServiceOfferings", "serviceoffering", 6),
        ("listRouters", "router", 5),
        ("listSystemVms", "systemvm", 6),
    ):
        assert len(demo.rows(command, key)) >= least, command
    assert len(demo.rows("listTemplates", "template", templatefilter="all")) >= 4


def test_invariants_hold(demo: Served) -> None:
    async def checked() -> Any:
        return check(Scene(demo.cloud.store, demo.cloud.manager), ALWAYS)

    assert demo.cloud.submit(checked()).result(30) == []


def test_its_people_have_passwords_that_only_a_private_file_tells(demo: Served, folder: Any) -> None:
    path = folder / FILE
    users = json.loads(path.read_text())["users"]
    assert path.stat().st_mode & 0o077 == 0
    assert len({user["password"] for user in users}) == len(users) >= 10
    passwords = demo.cloud.manager.identity.users.passwords
    kept = {user.username: user.password for user in demo.cloud.store.tables["User"]}
    assert all(passwords.matches(user["password"], kept[user["username"]]) for user in users[:2])
    told = " ".join(text for _, text in demo.cloud.site.greeting())
    assert str(path) in told and not any(user["password"] in told for user in users)


def test_a_restart_keeps_it(demo: Served, folder: Any) -> None:
    demo.end()
    before = {name: {row.id for row in table} for name, table in demo.cloud.store.tables.items()}
    vms = {vm.id: (vm.state, vm.host_id) for vm in demo.cloud.store.tables["VirtualMachine"]}
    again = Served(folder, load_datacenter()).begin()
    demo.__dict__.update(again.__dict__)  # the fixture ends it
    assert not again.cloud.is_new
    after = {vm.id: (vm.state, vm.host_id) for vm in again.cloud.store.tables["VirtualMachine"]}
    moving = {vm_id for vm_id, (state, _) in vms.items() if state not in ("Running", "Stopped", "Destroyed", "Error")}
    assert {k: v for k, v in after.items() if k not in moving} == {k: v for k, v in vms.items() if k not in moving}
    for name in ("Account", "Network", "Volume", "CapacitySample", "Alert", "Host", "PublicIp", "ResourceTag"):
        assert before[name] <= {row.id for row in again.cloud.store.tables[name]}, name
    assert again.lost() == []
