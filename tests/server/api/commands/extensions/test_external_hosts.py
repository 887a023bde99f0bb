"""External hosts and the instances on them: all that becomes of these is done by the extension's program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cloudsim.invariants import ALWAYS, Scene, check
from cloudsim.model import ExternalInstance
from tests.server.api.api_harness import Api, Client, refused
from tests.server.api.commands.extensions.program_cloud import ExternalCloud, ProgramCloud


@pytest.fixture
def external(tmp_path: Path) -> Any:
    made = ExternalCloud(tmp_path)
    yield made
    made.cloud.close()


# the place


def test_a_host_of_any_name_joins_a_cluster_that_an_extension_is_registered_with(external: ExternalCloud) -> None:
    (host,) = external.admin("listHosts", hypervisor="External")["host"]
    assert (host["name"], host["state"], host["resourcestate"]) == ("node1.example", "Up", "Enabled")
    assert (host["cpunumber"], host["cpuspeed"]) == (16, 2500)
    assert host["details"] == {"external.cpucores": "16", "external.cpuspeed": "2500", "external.rack": "7"}
    cluster = next(each for each in external.clusters() if each["hypervisortype"] == "External")
    assert cluster["extensionname"] == "mine"


def test_a_host_is_refused_where_no_program_would_see_to_it(cloud: ProgramCloud) -> None:
    extension = cloud.extension()
    cluster = cloud.external_cluster()
    assert "no extension is registered" in refused(431, cloud.admin, "addHost", **cloud.host_in(cluster)).text
    asked = {"extensionid": extension["id"], "resourcetype": "Cluster", "resourceid": cluster["id"]}
    cloud.admin("registerExtension", **asked)
    Path(extension["path"]).unlink()
    assert "is not there" in refused(530, cloud.admin, "addHost", **cloud.host_in(cluster)).text
    assert "host" not in cloud.admin("listHosts", hypervisor="External")


def test_a_size_that_is_none_and_a_host_that_is_there_are_refused(external: ExternalCloud) -> None:
    wrong = external.host_in(external.cluster, "node2", cpucores="many")
    assert "externaldetails: cpucores" in refused(431, external.admin, "addHost", **wrong).text
    assert "is host node1.example already" in refused(
        431, external.admin, "addHost", **external.host_in(external.cluster)
    ).text
    (only,) = external.admin("listHosts", hypervisor="External")["host"]
    assert only["name"] == "node1.example"


def test_instances_are_listed_by_the_extension_that_makes_them(external: ExternalCloud) -> None:
    made, _ = external.deploy_external("ext"), external.deploy("usual")
    for command in ("listVirtualMachines", "listVirtualMachinesMetrics"):
        (row,) = external.listed(command, "virtualmachine", extensionid=external.extension_made["id"])
        assert row["id"] == made["id"]
    other = external.extension("other")
    assert external.admin("listVirtualMachines", extensionid=other["id"]) == {}


def test_external_details_are_for_external_places(external: ExternalCloud) -> None:
    other = next(each for each in external.clusters() if each["hypervisortype"] == "Simulator")
    details = {"externaldetails": {"a": "b"}}
    assert "no extension" in refused(431, external.admin, "updateCluster", id=other["id"], **details).text
    host = external.admin("listHosts", clusterid=other["id"])["host"][0]
    assert "is not External" in refused(431, external.admin, "updateHost", id=host["id"], **details).text


def test_a_cloud_that_runs_no_programs_has_no_external_hosts(api: Api) -> None:
    api.manager.external_hosts.begin()
    zone = api.admin("createZone", name="z", networktype="Advanced", dns1="8.8.8.8", internaldns1="10.0.0.1")["zone"]
    pod = api.admin(
        "createPod", zoneid=zone["id"], name="p", gateway="10.1.1.1", netmask="255.255.255.0", startip="10.1.1.2"
    )["pod"]
    where = {"zoneid": zone["id"], "podid": pod["id"], "hypervisor": "External"}
    made = api.admin("addCluster", **where, clustername="c", clustertype="CloudManaged")["cluster"][0]
    error = refused(432, api.admin, "addHost", **where, clusterid=made["id"], url="node1")
    assert "runs no programs" in error.text


def test_a_host_that_is_deleted_is_asked_nothing_any_more(external: ExternalCloud) -> None:
    (host,) = external.admin("listHosts", hypervisor="External")["host"]
    external.admin("deleteHost", id=host["id"])
    before = len(external.calls())
    external.pass_time(600)
    assert len(external.calls()) == before
    external.admin("addHost", **external.host_in(external.cluster))
    assert external.admin("listHosts", hypervisor="External")["host"][0]["state"] == "Up"


# templates


def test_a_template_of_an_extension_is_ready_in_every_zone_without_a_file(external: ExternalCloud) -> None:
    (row,) = external.admin("listTemplates", templatefilter="all", id=external.template["id"])["template"]
    assert (row["isready"], row["format"], row["hypervisor"]) == (True, "EXTERNAL", "External")
    assert (row["extensionname"], row["zoneid"]) == ("mine", external.zone)
    user = external.account("user")
    (seen,) = user("listTemplates", templatefilter="executable", name="ext")["template"]
    assert "extensionid" not in seen and seen["details"] == {}
    external.admin("deleteTemplate", id=external.template["id"])
    assert "template" not in external.admin("listTemplates", templatefilter="all", id=external.template["id"])


@pytest.mark.parametrize("wrong", [{"format": "QCOW2"}, {"hypervisor": "Simulator"}, {"extensionid": None}])
def test_a_template_is_an_extensions_altogether_or_not_at_all(external: ExternalCloud, wrong: dict[str, Any]) -> None:
    asked = {**external.template_of(external.extension_made), "name": "wrong", **wrong}
    given = {name: value for name, value in asked.items() if value is not None}
    assert "EXTERNAL" in refused(431, external.admin, "registerTemplate", **given).text


def test_users_register_no_templates_of_extensions(external: ExternalCloud) -> None:
    user = external.account("user")
    asked = {**external.template_of(external.extension_made), "name": "own", "ispublic": False}
    assert refused(531, user, "registerTemplate", **asked).status == 531


# instances


def test_an_instance_lives_by_what_the_program_does(external: ExternalCloud) -> None:
    vm = external.deploy_external("db", externaldetails={"disk": "40"})
    assert (vm["state"], vm["hypervisor"], vm["hostname"]) == ("Running", "External", "node1.example")
    assert external.machines() == {vm["instancename"]: "poweron"}
    external.admin("stopVirtualMachine", id=vm["id"])
    assert external.state(vm["id"]) == "Stopped"
    assert external.machines() == {vm["instancename"]: "poweroff"}
    external.admin("startVirtualMachine", id=vm["id"])
    external.admin("rebootVirtualMachine", id=vm["id"])
    assert external.state(vm["id"]) == "Running"
    external.admin("destroyVirtualMachine", id=vm["id"], expunge=True)
    assert external.machines() == {}
    assert external.operations() == ["create", "stop", "start", "reboot", "stop", "delete"]
    assert "virtualmachine" not in external.admin("listVirtualMachines", id=vm["id"])


def test_the_program_is_told_of_the_instance_and_of_all_that_was_configured(external: ExternalCloud) -> None:
    external.admin("updateCluster", id=external.cluster["id"], externaldetails={"pool": "fast"})
    vm = external.deploy_external("db", externaldetails={"disk": "40", "image": "mine"})
    call = next(call for call in external.calls() if call["operation"] == "create")
    details = call["externaldetails"]
    assert details["extension"] == {"url": "http://backend"}
    assert details["resourcemap"] == {"pool": "fast"}
    assert details["host"] == {"url": "http://node1.example", "cpucores": "16", "cpuspeed": "2500", "rack": "7"}
    assert details["virtualmachine"] == {"disk": "40", "image": "debian"}, "what the operator says counts more"
    machine = call["cloudstack.vm.details"]
    assert (machine["name"], machine["hostname"], machine["cpus"]) == (vm["instancename"], "db", vm["cpunumber"])
    (nic,) = machine["nics"]
    assert nic["mac"] == vm["nic"][0]["macaddress"]
    assert nic["uuid"] == vm["nic"][0]["id"]
    assert 0 < float(call["timeout"]) < 1800


def test_what_the_program_is_told_is_changed_for_hosts_and_offerings(external: ExternalCloud) -> None:
    (host,) = external.admin("listHosts", hypervisor="External")["host"]
    size = {"cpunumber": 1, "cpuspeed": 500, "memory": 512, "displaytext": "s"}
    made = external.admin("createServiceOffering", name="s", **size, externaldetails={"tier": "gold"})
    offering = made["serviceoffering"]["id"]
    user = external.account("user")
    assert "serviceofferingdetails" not in user("listServiceOfferings", id=offering)["serviceoffering"][0]
    vm = external.deploy_external("db", serviceofferingid=offering)

    def told() -> dict[str, Any]:
        external.admin("rebootVirtualMachine", id=vm["id"])
        found: dict[str, Any] = external.calls()[-1]["externaldetails"]
        return found

    assert told()["virtualmachine"] == {"tier": "gold", "image": "debian"}
    external.admin("updateServiceOffering", id=offering, externaldetails={"tier": "silver"})
    external.admin("updateHost", id=host["id"], externaldetails={"rack": "8"})
    assert told()["virtualmachine"]["tier"] == "silver"
    assert told()["host"] == {"url": "http://node1.example", "rack": "8"}
    external.admin("updateServiceOffering", id=offering, cleanupexternaldetails=True)
    external.admin("updateHost", id=host["id"], cleanupexternaldetails=True)
    assert told()["virtualmachine"] == {"image": "debian"}
    assert told()["host"] == {"url": "http://node1.example"}


def test_secrets_of_extensions_are_not_shown_to_users(external: ExternalCloud) -> None:
    user = external.account("user")
    vm = external.deploy_external("db", user, externaldetails={"token": "t"})
    (own,) = user("listVirtualMachines", id=vm["id"])["virtualmachine"]
    assert not [key for key in own.get("details", {}) if key.startswith("external.")]
    (shown,) = external.admin("listVirtualMachines", id=vm["id"])["virtualmachine"]
    assert shown["details"]["external.token"] == "t"
    user("updateVirtualMachine", id=vm["id"], details={"note": "n"})
    assert user("listVirtualMachines", id=vm["id"])["virtualmachine"][0]["details"] == {"note": "n"}
    assert external.vm(vm["id"])["details"] == {"external.token": "t", "note": "n"}, "what he does not see stays"
    rows = user("listResourceDetails", resourcetype="UserVm", resourceid=vm["id"]).get("resourcedetail", [])
    assert not [row for row in rows if row["key"].startswith("external.")]


def test_an_instance_has_no_disks_of_the_clouds(external: ExternalCloud) -> None:
    user = external.account("user")
    vm = external.deploy_external("db", user)
    assert "volume" not in user("listVolumes", virtualmachineid=vm["id"])
    offering = external.cloud.custom.id
    asked = external.wanted(templateid=external.template["id"], networkids=external.net["id"])
    error = refused(431, external.admin, "deployVirtualMachine", **asked, diskofferingid=offering, size=1)
    assert "sees to the disks" in error.text
    volume = external.volume(call=user)
    attach = {"id": volume["id"], "virtualmachineid": vm["id"]}
    assert "sees to the disks" in refused(431, user, "attachVolume", **attach).text
    assert "cannot be restored" in refused(431, user, "restoreVirtualMachine", virtualmachineid=vm["id"]).text
    assert "not supported" in refused(431, external.admin, "migrateVirtualMachine", virtualmachineid=vm["id"]).text


def test_other_instances_never_come_to_external_hosts_nor_these_to_others(external: ExternalCloud) -> None:
    for index in range(5):
        assert external.deploy(f"plain{index}")["hypervisor"] == "Simulator"
    for index in range(3):
        assert external.deploy_external(f"ext{index}")["hostname"] == "node1.example"
    (host,) = external.admin("listHosts", hypervisor="External")["host"]
    error = refused(533, external.admin, "deployVirtualMachine", **external.wanted(hostid=host["id"]))
    assert "no usable host" in error.text
    other = external.admin("listHosts", hypervisor="Simulator")["host"][0]
    asked = external.wanted(templateid=external.template["id"], networkids=external.net["id"], hostid=other["id"])
    assert "no usable host" in refused(533, external.admin, "deployVirtualMachine", **asked).text


def test_a_program_that_cannot_create_leaves_nothing_and_its_words_are_told(external: ExternalCloud) -> None:
    external.answer(create={"status": "error", "message": "no room on the array"})
    error = refused(530, external.admin, "deployVirtualMachine", **external.external("db"))
    assert "no room on the array" in error.text
    assert external.operations() == ["create", "delete"]
    (vm,) = external.admin("listVirtualMachines", name="db")["virtualmachine"]
    assert vm["state"] == "Error"
    external.answer()
    external.admin("destroyVirtualMachine", id=vm["id"], expunge=True)
    assert external.operations() == ["create", "delete"], "there is nothing to delete"


def test_an_instance_that_cannot_be_deleted_now_is_deleted_later(external: ExternalCloud) -> None:
    vm = external.deploy_external("db")
    external.answer(delete={"status": "error", "message": "locked"})
    error = refused(530, external.admin, "destroyVirtualMachine", id=vm["id"], expunge=True)
    assert "locked" in error.text
    assert external.state(vm["id"]) == "Expunging"
    external.answer()
    external.run(external.manager.vms.expunging.expunge_due())
    assert external.machines() == {}
    assert "virtualmachine" not in external.admin("listVirtualMachines", id=vm["id"])


def test_a_program_is_asked_before_a_start_and_chooses_mac_addresses(tmp_path: Path) -> None:
    external = ExternalCloud(tmp_path, orchestratorrequirespreparevm=True)
    try:
        vm = external.deploy_external("db", startvm=False)
        nic = vm["nic"][0]
        external.answer(prepare={"status": "success", "nics": [{"uuid": nic["id"], "mac": "0E:00:00:00:00:07"}]})
        started = external.admin("startVirtualMachine", id=vm["id"])["virtualmachine"]
        assert started["nic"][0]["macaddress"] == "0e:00:00:00:00:07"
        assert external.operations() == ["prepare", "create"]
        create = external.calls()[-1]
        assert create["cloudstack.vm.details"]["nics"][0]["mac"] == "0e:00:00:00:00:07"
        external.admin("stopVirtualMachine", id=vm["id"])
        external.answer(prepare={"status": "success", "nics": [{"uuid": nic["id"], "mac": "01:00:00:00:00:07"}]})
        assert "is no MAC address" in refused(530, external.admin, "startVirtualMachine", id=vm["id"]).text
        assert external.state(vm["id"]) == "Stopped"
    finally:
        external.cloud.close()


def test_an_instance_that_starts_on_another_host_is_deleted_there(external: ExternalCloud) -> None:
    vm = external.deploy_external("db")
    external.admin("addHost", **external.host_in(external.cluster, "node2"))
    external.admin("stopVirtualMachine", id=vm["id"])
    first, second = sorted(external.admin("listHosts", hypervisor="External")["host"], key=lambda host: host["name"])
    external.admin("updateHost", id=first["id"], allocationstate="Disable")
    started = external.admin("startVirtualMachine", id=vm["id"])["virtualmachine"]
    assert started["hostname"] == second["name"]
    external.admin("destroyVirtualMachine", id=vm["id"], expunge=True)
    named = [(call["operation"], call["hostname"]) for call in external.calls() if "virtualmachineid" in call]
    assert [each for each in named if each[0] in ("create", "start", "delete")] == [
        ("create", "node1.example"),
        ("start", "node2.example"),
        ("delete", "node2.example"),
    ]


def test_what_looks_at_all_hosts_and_instances_takes_external_ones_along(external: ExternalCloud) -> None:
    vm = external.deploy_external("db")
    plain = external.deploy("plain")
    (host,) = external.admin("listHosts", hypervisor="External")["host"]
    shown = external.admin("listTopology", clusterid=external.cluster["id"])
    assert "node1.example" in str(shown)
    metrics = {each["name"]: each for each in external.admin("listHostsMetrics")["host"]}
    assert metrics["node1.example"]["state"] == "Up"
    assert {each["name"] for each in external.admin("listHypervisors")["hypervisor"]} >= {"Simulator", "External"}
    assert "host" not in external.admin("findHostsForMigration", virtualmachineid=vm["id"])
    found = external.admin("findHostsForMigration", virtualmachineid=plain["id"])["host"]
    assert host["id"] not in {each["id"] for each in found}
    assert "unmanagedinstance" not in external.admin("listUnmanagedInstances", clusterid=external.cluster["id"])
    wide = {"zoneid": external.zone, "name": "wide", "scope": "ZONE", "url": "nfs://10.1.1.1/wide"}
    assert external.admin("createStoragePool", **wide)["storagepool"]["state"] == "Up"
    error = refused(431, external.admin, "prepareHostForMaintenance", id=host["id"])
    assert "Live migration of db on External hosts is not supported" in error.text
    external.admin("stopVirtualMachine", id=vm["id"])
    external.admin("cancelHostMaintenance", id=host["id"])
    external.admin("prepareHostForMaintenance", id=host["id"])
    assert external.admin("listHosts", id=host["id"])["host"][0]["resourcestate"] == "Maintenance"


def test_invariants_hold_and_an_account_that_goes_leaves_nothing_with_the_program(external: ExternalCloud) -> None:
    user = external.account("user")
    external.deploy_external("db", user)
    external.deploy("plain")
    assert check(Scene(external.store, external.manager), ALWAYS) == []
    account = user("listAccounts")["account"][0]
    assert (account["vmtotal"], account["volumetotal"]) == (1, 0)
    external.admin("deleteAccount", id=account["id"])
    assert external.machines() == {}
    assert list(external.store.table(ExternalInstance)) == []
    assert check(Scene(external.store, external.manager), ALWAYS) == []


# power states


def test_what_the_program_says_of_power_states_is_followed(external: ExternalCloud) -> None:
    vm = external.deploy_external("db")
    external.pass_time(400)
    assert external.state(vm["id"]) == "Running"
    external.answer(statuses={"power_state": {vm["instancename"]: "poweroff"}})
    external.pass_time(400)
    assert external.state(vm["id"]) == "Stopped"


def test_instances_that_statuses_leaves_out_are_asked_for_one_by_one(external: ExternalCloud) -> None:
    there, gone, odd = (external.deploy_external(name) for name in ("there", "gone", "odd"))
    external.answer(statuses={"status": "error", "message": "not supported"})
    machines = {**external.machines(), gone["instancename"]: "poweroff", odd["instancename"]: "paused"}
    external.set_machines(machines)
    external.pass_time(400)
    assert [external.state(vm["id"]) for vm in (there, gone, odd)] == ["Running", "Stopped", "Running"]


def test_a_host_whose_program_does_not_answer_is_in_alert_and_comes_back(external: ExternalCloud) -> None:
    vm = external.deploy_external("db")
    program = external.folder / "mine" / "program.py"
    text = program.read_text()
    program.write_text("#!/bin/sh\necho broken\n")
    external.pass_time(600)
    (host,) = external.admin("listHosts", hypervisor="External")["host"]
    assert host["state"] == "Alert"
    assert external.state(vm["id"]) == "Running"
    program.write_text(text)
    external.pass_time(600)
    assert external.admin("listHosts", hypervisor="External")["host"][0]["state"] == "Up"


def test_a_disabled_extension_starts_nothing(external: ExternalCloud) -> None:
    external.admin("updateExtension", id=external.extension_made["id"], state="Disabled")
    error = refused(530, external.admin, "deployVirtualMachine", **external.external("db"))
    assert "extension mine is disabled" in error.text
    assert external.operations() == []


def test_external_hosts_come_back_with_a_server_that_starts_anew(external: ExternalCloud) -> None:
    vm = external.deploy_external("db")
    external.restart()
    external.pass_time(10)
    assert external.admin("listHosts", hypervisor="External")["host"][0]["state"] == "Up"
    external.admin("rebootVirtualMachine", id=vm["id"])
    assert external.operations() == ["create", "reboot"]


def test_a_console_is_where_the_program_says(external: ExternalCloud) -> None:
    vm = external.deploy_external("db")
    external.answer(getconsole={"status": "success", "console": {"host": "10.9.9.9", "port": "5901", "password": "p"}})
    address = external.console(vm)
    assert (address.host, address.port, address.password) == ("10.9.9.9", 5901, "p")
    external.answer(getconsole={"status": "success", "console": {"url": "http://x", "protocol": "direct"}})
    assert "consoles by direct are not supported" in external.console(vm)


def test_custom_actions_are_run_for_external_instances(external: ExternalCloud) -> None:
    user: Client = external.account("user")
    vm = external.deploy_external("db", user)
    action = external.action(external.extension_made, allowedroletypes="User")
    assert external.act(action, vm, user)["success"] is True
    assert external.calls()[-1]["externaldetails"]["host"]["rack"] == "7"


def test_an_extension_that_instances_need_is_not_taken_away(external: ExternalCloud) -> None:
    external.deploy_external("db")
    extension = external.extension_made
    asked = {"resourcetype": "Cluster", "resourceid": external.cluster["id"], "extensionid": extension["id"]}
    assert "has hosts" in refused(536, external.admin, "unregisterExtension", **asked).text
    assert "registered with a cluster" in refused(536, external.admin, "deleteExtension", id=extension["id"]).text
