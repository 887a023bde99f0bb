"""Starting, stopping, moving and destroying instances, with what becomes of them on hosts and pools."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudsim.hypervisor import HypervisorError
from cloudsim.model import AsyncJob, Nic, ResourceTag, Volume
from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks

PING = 60.0
SILENCE = 150.0
"""Seconds after which a host that is not heard of is in Alert: ping.interval times ping.timeout."""


def do(cloud: TwoRacks, command: str, vm: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A command's answer as the instance that it is about."""
    name = "virtualmachineid" if command.startswith(("migrate", "restore")) else "id"
    answer: dict[str, Any] = cloud.admin(f"{command}VirtualMachine", **{name: vm["id"]}, **more)
    shown: dict[str, Any] = answer["virtualmachine"]
    return shown


def break_host(cloud: TwoRacks, name: str, method: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let one method of a host's hypervisor fail; answers the instances that it was called for."""
    called: list[str] = []

    async def fails(vm: Any, *_: Any) -> None:
        called.append(vm if isinstance(vm, str) else vm.name)
        raise HypervisorError("the disk of the host is broken")

    machine = cloud.world.host(name).hypervisor
    kind = type("Broken", (type(machine),), {"__slots__": (), method: staticmethod(fails)})
    monkeypatch.setattr(machine, "__class__", kind)
    return called


# start and stop


def test_stop_and_start(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    stopped = do(cloud, "stop", made)
    assert (stopped["state"], cloud.running()) == ("Stopped", {})
    assert "hostid" not in cloud.vm(made["id"]) and cloud.state(made["id"]) == "Stopped"
    assert stopped["nic"] == made["nic"]
    assert do(cloud, "stop", made)["state"] == "Stopped"
    started = do(cloud, "start", made)
    assert cloud.running() == {made["instancename"]: started["hostname"]}
    assert started["hostname"].split(".")[1] == made["hostname"].split(".")[1]  # where its disk is
    assert do(cloud, "start", made)["state"] == "Running"
    assert cloud.events(made["id"]) == ["VM.CREATE", "VM.STOP", "VM.START"]


def test_start_on_a_host_of_the_admins_choice(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    do(cloud, "stop", made)
    mine, rack, pod = made["hostname"].split(".")
    other = cloud.host(f"{'host-2' if mine == 'host-1' else 'host-1'}.{rack}.{pod}")
    assert do(cloud, "start", made, hostid=other.id)["hostname"] == other.name
    do(cloud, "stop", made)
    far = cloud.host(f"host-1.{'rack-2' if rack == 'rack-1' else 'rack-1'}.{pod}")
    for where in ({"hostid": far.id}, {"clusterid": far.cluster_id}):
        error = refused(533, cloud.admin, "startVirtualMachine", id=made["id"], **where)
        assert error.text and cloud.state(made["id"]) == "Stopped"


def test_a_start_that_fails_on_one_host_is_tried_on_another(
    cloud: TwoRacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cloud.deploy("web")
    do(cloud, "stop", made)
    called = break_host(cloud, made["hostname"], "start_vm", monkeypatch)
    names = [host.name for host in cloud.world.hosts.values() if host.name != made["hostname"]]
    others = [name for name in names if name.split(".")[1] == made["hostname"].split(".")[1]]
    for _ in range(3):  # whichever host the planner thinks of first
        assert do(cloud, "start", made)["hostname"] == others[0]
        do(cloud, "stop", made)
    called += break_host(cloud, others[0], "start_vm", monkeypatch)
    error = refused(530, cloud.admin, "startVirtualMachine", id=made["id"])
    assert "broken" in error.text and called
    shown = cloud.vm(made["id"])
    assert shown["state"] == "Stopped" and "hostid" not in shown and cloud.running() == {}


def test_a_first_start_that_fails_everywhere_ends_in_error_and_leaves_no_file(
    cloud: TwoRacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    for host in list(cloud.world.hosts.values()):
        break_host(cloud, host.name, "start_vm", monkeypatch)
    refused(530, cloud.admin, "deployVirtualMachine", **cloud.wanted(name="web"))
    (shown,) = cloud.listed("listVirtualMachines", "virtualmachine")
    assert shown["state"] == "Error" and cloud.running() == {}
    do(cloud, "destroy", shown, expunge=True)
    assert not [path for path in cloud.files() if not path.startswith("template-")]
    assert not len(cloud.store.table(Volume)) and not len(cloud.store.table(Nic))


def test_forced_stop_of_what_no_agent_answers_for(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    cloud.world.crash_host(made["hostname"])
    cloud.cloud.wait(SILENCE + 2 * PING)
    error = refused(534, cloud.admin, "stopVirtualMachine", id=made["id"])
    assert error.text and cloud.state(made["id"]) == "Running"
    assert do(cloud, "stop", made, forced=True)["state"] == "Stopped"
    assert do(cloud, "start", made)["hostname"] != made["hostname"]


def test_reboot(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    before = cloud.world.host(made["hostname"]).hypervisor.guests[made["instancename"]].started
    again = do(cloud, "reboot", made)
    assert (again["state"], again["hostname"]) == ("Running", made["hostname"])
    assert cloud.world.host(made["hostname"]).hypervisor.guests[made["instancename"]].started > before
    assert do(cloud, "reboot", made, forced=True)["state"] == "Running"
    assert len(cloud.running()) == 1
    do(cloud, "stop", made)
    refused(431, cloud.admin, "rebootVirtualMachine", id=made["id"])


# destroy


def test_destroy_recover_expunge(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", diskofferingid=cloud.cloud.custom.id, size=1)
    cloud.admin("createTags", resourceids=[made["id"]], resourcetype="UserVm", tags={"a": "b"})
    assert do(cloud, "destroy", made)["state"] == "Destroyed"
    assert cloud.running() == {}
    for command in ("start", "stop", "reboot"):
        refused(431, cloud.admin, f"{command}VirtualMachine", id=made["id"])
    assert do(cloud, "recover", made)["state"] == "Stopped"
    refused(431, cloud.admin, "recoverVirtualMachine", id=made["id"])
    assert do(cloud, "start", made)["state"] == "Running"
    refused(431, cloud.admin, "expungeVirtualMachine", id=made["id"])
    do(cloud, "destroy", made)
    assert cloud.admin("expungeVirtualMachine", id=made["id"]) == {"success": True}
    assert cloud.admin("listVirtualMachines", id=made["id"]) == {}
    (data,) = cloud.listed("listVolumes", "volume")
    assert data["type"] == "DATADISK" and "virtualmachineid" not in data
    cloud.admin("deleteVolume", id=data["id"])
    assert not [path for path in cloud.files() if not path.startswith("template-")]
    assert not len(cloud.store.table(Nic)) and not len(cloud.store.table(ResourceTag))
    assert cloud.events(made["id"]) == [
        "VM.CREATE",
        "VM.STOP",
        "VM.DESTROY",
        "VM.RECOVER",
        "VM.START",
        "VM.STOP",
        "VM.DESTROY",
        "VM.EXPUNGE",
    ]


def test_destroy_with_expunge_takes_the_named_volumes_along(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", diskofferingid=cloud.cloud.custom.id, size=1)
    other = cloud.volume("other")
    disks = {d["type"]: d["id"] for d in cloud.listed("listVolumes", "volume", virtualmachineid=made["id"])}
    for wrong in (disks["ROOT"], other["id"]):
        refused(431, cloud.admin, "destroyVirtualMachine", id=made["id"], volumeids=[wrong])
    gone = do(cloud, "destroy", made, expunge=True, volumeids=[disks["DATADISK"]])
    assert gone == {}, "nothing is left to tell of"
    assert [v["id"] for v in cloud.listed("listVolumes", "volume")] == [other["id"]]
    assert not [path for path in cloud.files() if not path.startswith("template-")]
    again = cloud.deploy("web")
    assert again["state"] == "Running"


def test_a_destroyed_instance_is_expunged_in_time(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    do(cloud, "destroy", made)
    cloud.cloud.wait(80_000)
    assert cloud.state(made["id"]) == "Destroyed"
    cloud.cloud.wait(2 * 86_400)
    assert cloud.admin("listVirtualMachines", id=made["id"]) == {}
    assert not [path for path in cloud.files() if not path.startswith("template-")]


def test_users_may_not_expunge_unless_the_settings_say_so(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    made = cloud.deploy("web", call=ann)
    refused(531, ann, "destroyVirtualMachine", id=made["id"], expunge=True)
    assert ann("destroyVirtualMachine", id=made["id"])["virtualmachine"]["state"] == "Destroyed"
    refused(531, ann, "recoverVirtualMachine", id=made["id"])
    cloud.admin("updateConfiguration", name="allow.user.expunge.recover.vm", value="true")
    assert ann("recoverVirtualMachine", id=made["id"])["virtualmachine"]["state"] == "Stopped"
    domain = cloud.cloud.owner.domain_id
    ann("destroyVirtualMachine", id=made["id"])
    cloud.admin("updateResourceLimit", resourcetype=0, max=0, account="ann", domainid=domain)
    refused(535, ann, "recoverVirtualMachine", id=made["id"])
    assert ann("destroyVirtualMachine", id=made["id"], expunge=True) == {"virtualmachine": {}}


def test_a_domain_admin_may_expunge_in_its_domain(cloud: TwoRacks) -> None:
    north = cloud.admin("createDomain", name="north")["domain"]["id"]
    boss = cloud.domain_account("boss", type=2, domain=north)
    made = cloud.deploy("web", call=boss)
    boss("destroyVirtualMachine", id=made["id"], expunge=True)
    assert cloud.admin("listVirtualMachines", id=made["id"]) == {}


def test_delete_protection(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    cloud.admin("updateVirtualMachine", id=made["id"], deleteprotection=True)
    refused(431, cloud.admin, "destroyVirtualMachine", id=made["id"])
    cloud.admin("updateVirtualMachine", id=made["id"], deleteprotection=False)
    assert do(cloud, "destroy", made)["state"] == "Destroyed"


# moving


def test_migration(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    found = cloud.admin("findHostsForMigration", virtualmachineid=made["id"])
    (target,) = found["host"]
    assert (found["count"], target["suitableformigration"]) == (1, True)
    assert (
        target["name"].split(".")[1] == made["hostname"].split(".")[1] and target["name"] != made["hostname"]
    )
    moved = do(cloud, "migrate", made, hostid=target["id"])
    assert (moved["state"], moved["hostname"]) == ("Running", target["name"])
    assert cloud.running() == {made["instancename"]: target["name"]}
    refused(431, cloud.admin, "migrateVirtualMachine", virtualmachineid=made["id"], hostid=target["id"])
    assert do(cloud, "migrate", made)["hostname"] == made["hostname"]
    far = next(
        h for h in cloud.store.tables["Host"] if h.cluster_id != cloud.host(made["hostname"]).cluster_id
    )
    refused(431, cloud.admin, "migrateVirtualMachine", virtualmachineid=made["id"], hostid=far.id)
    assert "VM.MIGRATE" in cloud.events(made["id"])
    do(cloud, "stop", made)
    refused(431, cloud.admin, "findHostsForMigration", virtualmachineid=made["id"])
    refused(431, cloud.admin, "migrateVirtualMachine", virtualmachineid=made["id"])


def test_a_migration_that_fails_leaves_it_where_it_was(
    cloud: TwoRacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cloud.deploy("web")
    break_host(cloud, made["hostname"], "migrate_vm", monkeypatch)
    assert "broken" in refused(530, cloud.admin, "migrateVirtualMachine", virtualmachineid=made["id"]).text
    shown = cloud.vm(made["id"])
    assert (shown["state"], shown["hostname"]) == ("Running", made["hostname"])
    assert cloud.running() == {made["instancename"]: made["hostname"]}


def test_only_root_admins_move_instances(cloud: TwoRacks) -> None:
    boss = cloud.domain_account("boss", type=2)
    made = cloud.deploy("web", call=boss)
    refused(531, boss, "migrateVirtualMachine", virtualmachineid=made["id"])
    refused(531, boss, "findHostsForMigration", virtualmachineid=made["id"])
    user = cloud.account("ann")
    refused(401, user, "migrateVirtualMachine", virtualmachineid=made["id"])


def test_a_full_host_is_not_suitable(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", serviceofferingid=cloud.most_of_a_host())
    for _ in range(3):
        cloud.deploy(serviceofferingid=cloud.offering("most of a host"))
    (target,) = cloud.admin("findHostsForMigration", virtualmachineid=made["id"])["host"]
    assert target["suitableformigration"] is False
    refused(533, cloud.admin, "migrateVirtualMachine", virtualmachineid=made["id"], hostid=target["id"])
    assert cloud.state(made["id"]) == "Running"


def test_maintenance_moves_instances_away(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    host = cloud.host(made["hostname"])
    answer = cloud.admin("prepareHostForMaintenance", id=host.id)["host"]
    assert answer["resourcestate"] == "Maintenance"
    assert cloud.vm(made["id"])["hostname"] != host.name and len(cloud.running()) == 1
    error = refused(533, cloud.admin, "deployVirtualMachine", **cloud.wanted(hostid=host.id))
    assert error.text
    cloud.admin("cancelHostMaintenance", id=host.id)
    assert cloud.deploy(hostid=host.id)["hostname"] == host.name


# restore and size


def test_restore_gives_a_fresh_root_disk(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", rootdisksize=2)
    (before,) = cloud.listed("listVolumes", "volume", virtualmachineid=made["id"])
    restored = do(cloud, "restore", made, expunge=True)
    (after,) = cloud.listed("listVolumes", "volume", virtualmachineid=made["id"])
    assert restored["state"] == "Running" and after["id"] != before["id"]
    assert (after["size"], after["state"]) == (before["size"], "Ready")
    assert cloud.guest(restored).disks[0].path in cloud.files()
    assert len([path for path in cloud.files() if not path.startswith("template-")]) == 1
    do(cloud, "stop", made)
    assert do(cloud, "restore", made)["state"] == "Stopped"
    assert do(cloud, "start", made)["state"] == "Running"
    assert cloud.events(made["id"]).count("VM.RESTORE") == 2
    do(cloud, "destroy", made)
    refused(431, cloud.admin, "restoreVirtualMachine", virtualmachineid=made["id"])


def test_another_offering(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    medium = cloud.offering("Medium Instance")
    for command in ("changeServiceFor", "scale"):
        refused(431, cloud.admin, f"{command}VirtualMachine", id=made["id"], serviceofferingid=medium)
    do(cloud, "stop", made)
    changed = do(cloud, "changeServiceFor", made, serviceofferingid=medium)
    assert (changed["cpuspeed"], changed["memory"], changed["serviceofferingid"]) == (1000, 1024, medium)
    started = do(cloud, "start", made)
    assert cloud.guest(started).memory_mib == 1024
    do(cloud, "stop", made)
    assert do(cloud, "scale", made, serviceofferingid=cloud.offering())["memory"] == 512
    internal = next(row.id for row in cloud.store.tables["ServiceOffering"] if row.is_system)
    refused(431, cloud.admin, "changeServiceForVirtualMachine", id=made["id"], serviceofferingid=internal)


# one at a time


def test_jobs_on_one_instance_run_one_after_the_other(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    asked = []
    for command in ("stopVirtualMachine", "startVirtualMachine", "stopVirtualMachine"):
        asked.append(json.loads(cloud.admin.reply(command, id=made["id"]).text()))
    last = asked[-1]["stopvirtualmachineresponse"]["jobid"]
    assert cloud.vm(made["id"])["jobid"] == last
    assert cloud.admin.job(last)["virtualmachine"]["state"] == "Stopped"
    assert [job.status for job in cloud.store.table(AsyncJob)][-3:] == [1, 1, 1]
    assert cloud.events(made["id"]) == ["VM.CREATE", "VM.STOP", "VM.START", "VM.STOP"]
    assert "jobid" not in cloud.vm(made["id"])


# hosts that fail


def test_a_crashed_host_is_in_alert_and_its_instances_stopped_when_it_is_back(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    name = made["hostname"]
    neighbour = next(h.name for h in cloud.world.hosts.values() if h.name != name)
    other = cloud.deploy("other", hostid=cloud.host(neighbour).id)
    cloud.world.crash_host(name)
    cloud.cloud.wait(SILENCE + 2 * PING)
    (host,) = cloud.listed("listHosts", "host", name=name)
    assert host["state"] == "Alert" and cloud.state(made["id"]) == "Running"
    assert cloud.listed("listAlerts", "alert")
    cloud.world.restore_host(name)
    cloud.cloud.wait(2 * PING)
    (host,) = cloud.listed("listHosts", "host", name=name)
    assert host["state"] == "Up" and cloud.state(made["id"]) == "Stopped"
    assert cloud.state(other["id"]) == "Running"
    assert cloud.events(made["id"]) == ["VM.CREATE", "VM.POWERSYNC"]
    assert do(cloud, "start", made)["state"] == "Running"


def test_a_guest_that_is_gone_from_its_host_is_found_stopped(cloud: TwoRacks) -> None:
    made = cloud.deploy("web")
    cloud.cloud.wait(10 * PING)
    machine = cloud.world.host(made["hostname"]).hypervisor
    machine.drop(machine.guests[made["instancename"]])
    cloud.cloud.wait(3 * PING)
    assert cloud.state(made["id"]) == "Stopped"
