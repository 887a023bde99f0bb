"""Deploying instances, with what the simulated hosts really run."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from cloudsim.model import Nic, Template, Volume
from tests.server.api.api_harness import Client, Refused, refused
from tests.server.api.cloud_harness import TwoRacks

GIB = 1 << 30
NOTHING = "00000000-0000-0000-0000-00000000dead"
USER_DATA = base64.b64encode(b"#cloud-config").decode()


def names(call: Client, **asked: Any) -> list[str]:
    return [vm["name"] for vm in call("listVirtualMachines", **asked).get("virtualmachine", [])]


# deploying


def test_a_deployed_instance_runs_where_the_answer_says(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", displayname="The web")
    assert (made["state"], made["name"], made["displayname"]) == ("Running", "web", "The web")
    assert cloud.running() == {made["instancename"]: made["hostname"]}
    shown = cloud.vm(made["id"])
    assert "jobid" not in shown and made["jobstatus"] == 0
    del made["jobid"], made["jobstatus"], made["password"]
    assert shown == made
    guest = cloud.guest(made)
    assert (guest.cpus, guest.cpu_mhz, guest.memory_mib) == (1, 500, 512)
    (nic,) = made["nic"]
    assert (nic["ipaddress"], nic["isdefault"]) == (made["ipaddress"], True)
    assert (guest.nics[0].ip, guest.nics[0].mac) == (nic["ipaddress"], nic["macaddress"])
    (root,) = cloud.listed("listVolumes", "volume", virtualmachineid=made["id"])
    assert (root["type"], root["state"], root["size"]) == ("ROOT", "Ready", GIB)
    assert guest.disks[0].path in cloud.files()
    assert cloud.events(made["id"]) == ["VM.CREATE"]


def test_the_answer_tells_id_and_job_at_once_and_the_job_tells_itself(cloud: TwoRacks) -> None:
    reply = cloud.admin.reply("deployVirtualMachine", **cloud.wanted(name="web"))
    answer = json.loads(reply.text())["deployvirtualmachineresponse"]
    assert set(answer) == {"id", "jobid"}
    shown = cloud.vm(answer["id"])
    assert (shown["jobid"], shown["jobstatus"]) == (answer["jobid"], 0)
    assert shown["state"] in ("Stopped", "Starting")
    running = cloud.admin("queryAsyncJobResult", jobid=answer["jobid"])
    assert running["jobstatus"] == 0 and "jobresult" not in running
    assert (running["jobinstancetype"], running["jobinstanceid"]) == ("VirtualMachine", answer["id"])
    result = cloud.admin.job(answer["jobid"])["virtualmachine"]
    assert (result["jobid"], result["state"]) == (answer["jobid"], "Running")


def test_instances_fill_hosts_and_the_next_one_fails(cloud: TwoRacks) -> None:
    whole = cloud.most_of_a_host()
    made = [cloud.deploy(serviceofferingid=whole) for _ in range(4)]
    assert len(set(cloud.running().values())) == 4
    error = refused(533, cloud.admin, "deployVirtualMachine", **cloud.wanted(serviceofferingid=whole))
    assert error.text
    (failed,) = cloud.listed("listVirtualMachines", "virtualmachine", state="Error")
    assert "hostid" not in failed and len(cloud.running()) == 4
    refused(431, cloud.admin, "startVirtualMachine", id=failed["id"])
    assert cloud.admin("destroyVirtualMachine", id=failed["id"], expunge=True) == {"virtualmachine": {}}
    assert cloud.admin("listVirtualMachines", id=failed["id"]) == {}
    assert not cloud.store.table(Volume).where("vm_id", failed["id"])
    cloud.admin("destroyVirtualMachine", id=made[0]["id"], expunge=True)
    assert cloud.deploy(serviceofferingid=whole)["state"] == "Running"


def test_the_host_that_is_named_goes_before_the_cluster_and_that_before_the_pod(cloud: TwoRacks) -> None:
    hosts = cloud.listed("listHosts", "host", type="Routing")
    here, there = hosts[0], next(h for h in hosts if h["clusterid"] != hosts[0]["clusterid"])
    made = cloud.deploy(podid=there["podid"], clusterid=there["clusterid"], hostid=here["id"])
    assert made["hostid"] == here["id"]
    made = cloud.deploy(podid=there["podid"], clusterid=here["clusterid"])
    assert made["hostid"] in {h["id"] for h in hosts if h["clusterid"] == here["clusterid"]}


def test_a_host_that_cannot_start_it_is_passed_over(cloud: TwoRacks) -> None:
    first = cloud.deploy("first")
    cloud.admin("destroyVirtualMachine", id=first["id"], expunge=True)
    machine = cloud.world.host(first["hostname"]).hypervisor
    machine.memory_used = machine.group.memory * 100  # taken by what the manager cannot know of
    made = cloud.deploy("second", clusterid=first_cluster(cloud, first))
    assert made["state"] == "Running" and made["hostname"] != first["hostname"]
    assert cloud.running() == {made["instancename"]: made["hostname"]}
    error = refused(530, cloud.admin, "deployVirtualMachine", **cloud.wanted(hostid=first["hostid"]))
    assert "taken" in error.text


def first_cluster(cloud: TwoRacks, vm: dict[str, Any]) -> str:
    return str(cloud.host(vm["hostname"]).cluster_id)


@pytest.mark.parametrize("rack", [0, 1])
def test_racks_without_a_pool_for_its_disks_are_passed_over_as_one(cloud: TwoRacks, rack: int) -> None:
    pool = cloud.listed("listStoragePools", "storagepool")[rack]
    cloud.admin("updateStoragePool", id=pool["id"], tags="fast")
    cloud.admin("updateConfiguration", name="start.retry", value="1")
    fast = cloud.admin(
        "createServiceOffering", name="fast", displaytext="fast", cpunumber=1, cpuspeed=100, memory=128, tags="fast"
    )["serviceoffering"]["id"]
    made = cloud.deploy(serviceofferingid=fast)
    (host,) = cloud.listed("listHosts", "host", id=made["hostid"])
    assert host["clusterid"] == pool["clusterid"]
    cloud.admin("updateStoragePool", id=pool["id"], tags="")
    assert "tags fast" in refused(533, cloud.admin, "deployVirtualMachine", **cloud.wanted(serviceofferingid=fast)).text


def test_startvm_false_leaves_it_stopped_with_nothing_on_any_host(cloud: TwoRacks) -> None:
    made = cloud.deploy("cold", startvm=False)
    assert (made["state"], cloud.running(), cloud.files()) == ("Stopped", {}, set())
    assert "hostid" not in made and made["ipaddress"]
    assert cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]["state"] == "Running"
    assert cloud.events(made["id"]) == ["VM.CREATE", "VM.START"]


def test_a_data_disk_and_a_larger_root(cloud: TwoRacks) -> None:
    made = cloud.deploy(diskofferingid=cloud.cloud.custom.id, size=3, rootdisksize=2)
    disks = cloud.listed("listVolumes", "volume", virtualmachineid=made["id"])
    sizes = {disk["type"]: (disk["size"], disk["state"]) for disk in disks}
    assert sizes == {"ROOT": (2 * GIB, "Ready"), "DATADISK": (3 * GIB, "Ready")}
    assert [disk.device for disk in cloud.guest(made).disks] == [0, 1]


def test_the_size_of_the_root_disk_may_be_a_detail_as_well(cloud: TwoRacks) -> None:
    made = cloud.deploy(details={"rootdisksize": 4})
    (root,) = cloud.listed("listVolumes", "volume", virtualmachineid=made["id"])
    assert root["size"] == 4 * GIB and "rootdisksize" not in cloud.vm(made["id"]).get("details", {})
    for asked in ({"rootdisksize": 0}, {"details": {"rootdisksize": 0}}):
        assert "positive number" in refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(**asked)).text
    with cloud.store.transaction():
        cloud.store.table(Template).update(cloud.cloud.template.id, size=3 * GIB)
    error = refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(rootdisksize=2))
    assert "rootdisksize override is smaller than template size" in error.text


def test_keys_user_data_group_and_details(cloud: TwoRacks) -> None:
    admin = cloud.admin
    public = (
        "ssh-rsa "
        + base64.b64encode(b"\0\0\0\x07ssh-rsa\0\0\0\x03\x01\0\x01\0\0\0\x81\0" + b"\xb5" * 128).decode()
    )
    for name in ("one", "two"):
        admin(
            "registerSSHKeyPair", name=name, publickey=public if name == "one" else public.replace("tb", "tc")
        )
    made = cloud.deploy(
        keypair="one", keypairs=["two"], userdata=USER_DATA, group="front", details={"purpose": "test"}
    )
    assert (made["keypairs"], made["group"], made["details"]) == ("one,two", "front", {"purpose": "test"})
    guest = cloud.guest(made)
    assert len(guest.public_keys) == 2 and guest.user_data == USER_DATA
    told = admin("getVirtualMachineUserData", virtualmachineid=made["id"])["virtualmachineuserdata"]
    assert told["userdata"] == USER_DATA
    again = cloud.deploy(group="front")
    assert again["groupid"] == made["groupid"]
    registered = admin("registerUserData", name="init", userdata=USER_DATA)["userdata"]
    third = cloud.deploy(userdataid=registered["id"])
    assert (third["userdataname"], cloud.guest(third).user_data) == ("init", USER_DATA)


def test_addresses_of_the_callers_choice(cloud: TwoRacks) -> None:
    one, two = cloud.network("one"), cloud.network("two")
    ip = one["gateway"].rsplit(".", 1)[0] + ".77"
    made = cloud.deploy(networkids=[one["id"], two["id"]], ipaddress=ip, macaddress="02:00:00:aa:bb:cc")
    first, second = made["nic"]
    assert (first["ipaddress"], first["macaddress"], first["isdefault"]) == (ip, "02:00:00:aa:bb:cc", True)
    assert (second["networkid"], second["isdefault"]) == (two["id"], False)
    assert [nic.ip for nic in cloud.guest(made).nics] == [ip, second["ipaddress"]]
    refused(431, cloud.admin, "deployVirtualMachine", **cloud.wanted(networkids=[one["id"]], ipaddress=ip))
    other = cloud.admin(
        "deployVirtualMachine",
        **cloud.wanted(),
        **{
            "iptonetworklist[0].networkid": two["id"],
            "iptonetworklist[0].ip": ip.rsplit(".", 1)[0] + ".99",
            "iptonetworklist[1].networkid": one["id"],
        },
    )["virtualmachine"]
    assert other["ipaddress"].endswith(".99") and len(other["nic"]) == 2
    assert sorted(
        names(cloud.admin, networkid=one["id"])
    ) == sorted([made["name"], other["name"]])  # fmt: skip


def test_an_isolated_network_comes_into_being_with_its_first_instance(cloud: TwoRacks) -> None:
    network = cloud.network("mine")
    assert network["state"] == "Allocated"
    made = cloud.deploy(networkids=[network["id"]])
    (shown,) = cloud.listed("listNetworks", "network", id=network["id"])
    assert (shown["state"], shown["vlan"]) == ("Implemented", "100")
    assert cloud.guest(made).nics[0].vlan == "100"


def test_a_customized_offering(cloud: TwoRacks) -> None:
    offering = cloud.admin(
        "createServiceOffering",
        name="custom",
        displaytext="custom",
        customized=True,
        mincpunumber=1,
        maxcpunumber=4,
        minmemory=256,
        maxmemory=4096,
        cpuspeed=1000,
    )["serviceoffering"]["id"]
    made = cloud.deploy(serviceofferingid=offering, details={"cpuNumber": 3, "memory": 2048})
    assert (made["cpunumber"], made["cpuspeed"], made["memory"]) == (3, 1000, 2048)
    guest = cloud.guest(made)
    assert (guest.cpus, guest.memory_mib) == (3, 2048)
    assert not {"cpuNumber", "memory"} & set(made.get("details", {}))
    before = cloud.rows()
    for details in (
        {"cpuNumber": 2},
        {"cpuNumber": 5, "memory": 512},
        {"cpuNumber": 0, "memory": 512},
        {"cpuNumber": 2, "memory": 128},
        {"cpuNumber": 2, "memory": 8192},
        {"cpuNumber": "many", "memory": 512},
        {"cpuNumber": 2, "memory": "9" * 30},
        {"cpuNumber": "\u0663", "memory": 512},
    ):
        wanted = cloud.wanted(serviceofferingid=offering, details=details)
        refused(431, cloud.admin, "deployVirtualMachine", **wanted)
    assert cloud.rows() == before


# affinity


def test_strict_anti_affinity_even_against_the_named_host(cloud: TwoRacks) -> None:
    cloud.admin("createAffinityGroup", name="apart", type="host anti-affinity")
    made = [cloud.deploy(affinitygroupnames=["apart"]) for _ in range(4)]
    assert len(set(cloud.running().values())) == 4
    (group,) = made[0]["affinitygroup"]
    assert group["name"] == "apart"
    refused(533, cloud.admin, "deployVirtualMachine", **cloud.wanted(affinitygroupids=[group["id"]]))
    refused(
        533,
        cloud.admin,
        "deployVirtualMachine",
        **cloud.wanted(affinitygroupids=[group["id"]], hostid=made[0]["hostid"]),
    )
    assert len(names(cloud.admin, affinitygroupid=group["id"])) == 6


def test_affinity_brings_them_together_and_a_wish_gives_way(cloud: TwoRacks) -> None:
    cloud.admin("createAffinityGroup", name="together", type="host affinity")
    pair = [cloud.deploy(affinitygroupnames=["together"]) for _ in range(2)]
    assert pair[0]["hostid"] == pair[1]["hostid"]
    cloud.admin("createAffinityGroup", name="spread", type="non-strict host anti-affinity")
    spread = [cloud.deploy(affinitygroupnames=["spread"]) for _ in range(5)]
    assert len({vm["hostid"] for vm in spread[:4]}) == 4 and spread[4]["state"] == "Running"


# refusals


def test_what_cannot_be_deployed_is_refused_at_once_and_leaves_nothing(cloud: TwoRacks) -> None:
    admin, network = cloud.admin, cloud.network("net")
    system = next(row.id for row in cloud.store.tables["Template"] if row.type == "SYSTEM")
    internal = next(row.id for row in cloud.store.tables["ServiceOffering"] if row.is_system)
    cloud.deploy("taken")
    before = cloud.rows()
    for code, wrong in (
        (431, {"templateid": None}),
        (431, {"serviceofferingid": None}),
        (431, {"zoneid": NOTHING}),
        (431, {"templateid": NOTHING}),
        (431, {"templateid": system}),
        (431, {"serviceofferingid": internal}),
        (431, {"hypervisor": "KVM"}),
        (431, {"name": "-bad-"}),
        (431, {"name": "123"}),
        (431, {"name": "taken"}),
        (431, {"name": "x" * 64}),
        (431, {"keypair": "unknown"}),
        (431, {"keypairs": ["unknown"]}),
        (431, {"userdata": "not base64!"}),
        (431, {"affinitygroupnames": ["unknown"]}),
        (431, {"affinitygroupids": [NOTHING]}),
        (431, {"networkids": [NOTHING]}),
        (431, {"networkids": [network["id"], network["id"]]}),
        (431, {"networkids": [network["id"]], "ipaddress": "192.168.7.7"}),
        (431, {"networkids": [network["id"]], "ipaddress": network["gateway"]}),
        (431, {"networkids": [network["id"]], "macaddress": "not a mac"}),
        (431, {"networkids": [network["id"]], "macaddress": "01:00:5e:00:00:01"}),
        (431, {"ipaddress": "10.1.0.200"}),
        (431, {"iptonetworklist[0].ip": "10.1.0.200"}),
        (431, {"iptonetworklist[0].networkid": NOTHING}),
        (431, {"diskofferingid": NOTHING}),
        (431, {"diskofferingid": cloud.cloud.custom.id}),
        (431, {"diskofferingid": cloud.cloud.custom.id, "size": -5}),
        (431, {"diskofferingid": cloud.cloud.custom.id, "size": 0}),
        (431, {"diskofferingid": cloud.cloud.custom.id, "size": 1 << 40}),
        (431, {"rootdisksize": 0}),
        (431, {"rootdisksize": -1}),
        (431, {"rootdisksize": 1 << 40}),
        (431, {"deploymentplanner": "no such planner"}),
        (431, {"deploymentplanner": "best-fit,norm=l9"}),
        (431, {"details": {"cpuNumber": 9}}),
        (431, {"group": " "}),
        (431, {"account": "nobody", "domainid": cloud.cloud.owner.domain_id}),
    ):
        refused(code, admin, "deployVirtualMachine", **cloud.wanted(**wrong))
    assert cloud.rows() == before


def test_a_mac_is_given_once(cloud: TwoRacks) -> None:
    network = cloud.network("net")
    mac = "02:00:00:aa:bb:cc"
    cloud.deploy(networkids=[network["id"]], macaddress=mac)
    before = cloud.rows()
    for same in (mac, mac.upper()):
        wanted = cloud.wanted(networkids=[network["id"]], macaddress=same)
        refused(431, cloud.admin, "deployVirtualMachine", **wanted)
    assert cloud.rows() == before
    low = min(nic.mac for nic in cloud.store.table(Nic))
    following = f"{low[:-2]}{int(low[-2:], 16) + 1:02x}"
    cloud.deploy(networkids=[network["id"]], macaddress=following)
    assert cloud.deploy(networkids=[network["id"]])["nic"][0]["macaddress"] != following


def test_users_place_nothing_and_use_only_what_is_theirs(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    theirs = cloud.network("admins")
    host = cloud.store.tables["Host"].page(0, 1)[0]
    group = cloud.admin("createAffinityGroup", name="g", type="host affinity")["affinitygroup"]["id"]
    before = cloud.rows()
    for code, wrong in (
        (531, {"hostid": host.id}),
        (531, {"clusterid": host.cluster_id}),
        (531, {"podid": host.pod_id}),
        (531, {"deploymentplanner": "first-fit"}),
        (531, {"networkids": [theirs["id"]]}),
        (531, {"iptonetworklist[0].networkid": theirs["id"]}),
        (531, {"affinitygroupids": [group]}),
        (531, {"account": "admin", "domainid": cloud.cloud.owner.domain_id}),
    ):
        refused(code, ann, "deployVirtualMachine", **cloud.wanted(**wrong))
    assert cloud.rows() == before


def test_a_domain_without_an_account_leaves_it_the_callers(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    assert cloud.deploy("web", call=ann, domainid=cloud.cloud.owner.domain_id)["account"] == "ann"


def test_a_network_of_a_domain_is_that_domains(cloud: TwoRacks) -> None:
    domain = cloud.admin("createDomain", name="sales")["domain"]["id"]
    offering = cloud.cloud.network_offering("DefaultSharedNetworkOffering").id
    ann, bob = cloud.account("ann"), cloud.domain_account("bob", domain=domain)
    shared = cloud.admin(
        "createNetwork",
        name="shared",
        displaytext="shared",
        zoneid=cloud.zone,
        networkofferingid=offering,
        vlan="77",
        gateway="10.77.0.1",
        netmask="255.255.255.0",
        startip="10.77.0.2",
        endip="10.77.0.3",
        acltype="Domain",
        account="bob",
        domainid=domain,
    )["network"]["id"]
    refused(531, ann, "deployVirtualMachine", **cloud.wanted(networkids=[shared]))
    refused(531, ann, "deployVirtualMachine", **cloud.wanted(**{"iptonetworklist[0].networkid": shared}))
    ips = {cloud.deploy(call=bob, networkids=[shared])["ipaddress"] for _ in range(2)}
    assert ips == {"10.77.0.2", "10.77.0.3"}
    before = cloud.rows()
    refused(533, bob, "deployVirtualMachine", **cloud.wanted(networkids=[shared]))
    assert cloud.rows() == before


def test_resource_limits(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    domain = cloud.cloud.owner.domain_id
    limits = {0: 1, 2: 1, 8: 1, 9: 512, 10: 1}  # instances, volumes, cores, memory, primary storage
    for number, most in limits.items():
        cloud.admin("updateResourceLimit", resourcetype=number, max=0, account="ann", domainid=domain)
        before = cloud.rows()
        refused(535, ann, "deployVirtualMachine", **cloud.wanted())
        assert cloud.rows() == before
        cloud.admin("updateResourceLimit", resourcetype=number, max=most, account="ann", domainid=domain)
    made = cloud.deploy(call=ann)
    refused(535, ann, "deployVirtualMachine", **cloud.wanted())
    ann("stopVirtualMachine", id=made["id"])
    medium = cloud.offering("Medium Instance")
    refused(535, ann, "changeServiceForVirtualMachine", id=made["id"], serviceofferingid=medium)


def test_a_failed_deployment_says_so_in_its_events(cloud: TwoRacks) -> None:
    huge = cloud.admin(
        "createServiceOffering", name="huge", displaytext="h", cpunumber=99, cpuspeed=2000, memory=512
    )["serviceoffering"]["id"]
    with pytest.raises(Refused):
        cloud.deploy(serviceofferingid=huge)
    (event,) = cloud.admin("listEvents", type="VM.CREATE")["event"]
    assert event["level"] == "ERROR"
