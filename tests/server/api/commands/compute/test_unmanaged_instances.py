"""Instances that hosts run beside the cloud: listed, taken in, let go, and never touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backends.simulated.datacenter import GIB
from cloudsim.invariants import ALWAYS, Scene, Watch, check
from cloudsim.model import Host, Nic, StoragePool, Template, VirtualMachine, Volume
from cloudsim.protocol.specs import VmSpec
from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks
from tests.server.api.commands.network.routed_api import RoutedApi

DUMMY = "kvm-default-vm-import-dummy-template"


class Imports(TwoRacks):
    """A cloud whose first host runs an instance that the cloud did not make, on VLAN 77 and on the default network."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = Watch(self.store)
        self.here: Host = next(iter(self.store.table(Host)))
        self.net = self.network("lan")["id"]
        with self.store.transaction():
            self.store.tables["Network"].update(self.net, state="Implemented", vlan="77")
        self.default = next(n.id for n in self.store.tables["Network"] if n.is_default)
        self.custom = self.admin(
            "createServiceOffering", name="any", displaytext="any", customized=True
        )["serviceoffering"]["id"]
        self.legacy = self.place("legacy")

    def place(self, name: str, host: Host | None = None, **what: Any) -> VmSpec:
        asked = {"cpus": 2, "memory_mib": 768, "disks_gib": (4, 1), "vlans": ("77", None), **what}
        return self.world.place_unmanaged((host or self.here).name, name, **asked)

    def asked(self, **more: Any) -> dict[str, Any]:
        asked = {
            "clusterid": self.here.cluster_id,
            "name": "legacy",
            "serviceofferingid": self.custom,
            "nicnetworklist[0].nic": "net1",
            "nicnetworklist[0].network": self.default,
            "nicipaddresslist[0].nic": "net0",
            "nicipaddresslist[0].ip4Address": "10.1.1.77",
            "nicipaddresslist[1].nic": "net1",
            "nicipaddresslist[1].ip4Address": "auto",
            "datadiskofferinglist[0].disk": "vdb",
            "datadiskofferinglist[0].diskOffering": self.cloud.custom.id,
            **more,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def take_in(self, **more: Any) -> dict[str, Any]:
        made = self.admin("importUnmanagedInstance", **self.asked(**more))["virtualmachine"]
        return dict(made)

    def unmanaged(self, **asked: Any) -> list[dict[str, Any]]:
        return self.listed(
            "listUnmanagedInstances", "unmanagedinstance", clusterid=self.here.cluster_id, **asked
        )

    def sound(self) -> None:
        """What must hold always, does; and instances have begun and ended as they may."""
        assert check(Scene(self.store, self.manager), ALWAYS) == []
        assert self.watch.violations == []


@pytest.fixture
def cloud() -> Iterator[Imports]:
    made = Imports()
    yield made
    made.cloud.close()


# listing


def test_unmanaged_instances_are_described(cloud: Imports) -> None:
    cloud.deploy("web")
    (row,) = cloud.unmanaged()
    assert (row["name"], row["powerstate"], row["hostname"]) == ("legacy", "PowerOn", cloud.here.name)
    assert (row["cpunumber"], row["cpuspeed"], row["memory"]) == (2, 1000, 768)
    assert row["clusterid"] == cloud.here.cluster_id and row["hypervisor"] == "Simulator"
    pool = next(p for p in cloud.store.table(StoragePool) if p.cluster_id == cloud.here.cluster_id)
    assert [(d["id"], d["capacity"], d["position"], d["datastorename"]) for d in row["disk"]] == [
        ("vda", 4 * GIB, 0, pool.name),
        ("vdb", GIB, 1, pool.name),
    ]
    assert [(n["id"], n.get("vlanid"), n["networkname"]) for n in row["nic"]] == [
        ("net0", 77, "br-77"),
        ("net1", None, "cloudbr0"),
    ]


def test_every_host_of_the_cluster_is_asked_and_of_no_other(cloud: Imports) -> None:
    second, far = (
        next(h for h in cloud.store.table(Host) if h.id != cloud.here.id and same == (h.cluster_id == cloud.here.cluster_id))
        for same in (True, False)
    )
    cloud.place("second", second)
    cloud.place("far", far)
    assert {row["name"] for row in cloud.unmanaged()} == {"legacy", "second"}
    assert [row["hostname"] for row in cloud.unmanaged(name="second")] == [second.name]
    assert [row["name"] for row in cloud.unmanaged(keyword="sec")] == ["second"]
    assert len(cloud.unmanaged(page=1, pagesize=1)) == 1
    cloud.world.crash_host(second.name)
    assert [row["name"] for row in cloud.unmanaged()] == ["legacy"], "a host that is silent is left out"


def test_only_root_admins_may(cloud: Imports) -> None:
    ann = cloud.account("ann")
    refused(401, ann, "listUnmanagedInstances", clusterid=cloud.here.cluster_id)
    refused(401, ann, "importUnmanagedInstance", **cloud.asked())
    refused(401, ann, "unmanageVirtualMachine", id="00000000-0000-0000-0000-00000000dead")


def test_what_the_cloud_does_not_know_is_left_alone(cloud: Imports) -> None:
    other = cloud.deploy("web")
    stranger = next(h for h in cloud.store.table(Host) if h.name != other["hostname"])
    cloud.place(other["instancename"], stranger, vlans=())  # by a name that the cloud has given, and another id
    cloud.cloud.wait(3600)
    machine = cloud.world.host(stranger.name).hypervisor
    assert other["instancename"] in machine.guests
    assert "legacy" in cloud.world.host(cloud.here.name).hypervisor.guests
    assert cloud.state(other["id"]) == "Running" and not cloud.listed("listAlerts", "alert")


# taking in


def test_an_imported_instance_is_one_like_any_other(cloud: Imports) -> None:
    used = int(cloud.manager.capacity.memory_used[cloud.manager.capacity.slot[cloud.here.id]])
    made = cloud.take_in(displayname="The old one", hostname="old", **{"details[0].key": "a", "details[0].value": "b"})
    assert (made["state"], made["name"], made["displayname"]) == ("Running", "old", "The old one")
    assert (made["instancename"], made["id"]) == ("legacy", cloud.legacy.id)
    assert (made["cpunumber"], made["cpuspeed"], made["memory"]) == (2, 1000, 768)
    assert (made["hostname"], made["templatename"], made["details"]) == (cloud.here.name, DUMMY, {"a": "b"})
    assert [(n["networkid"], n["macaddress"], n["isdefault"]) for n in made["nic"]] == [
        (cloud.net, cloud.legacy.nics[0].mac, True),
        (cloud.default, cloud.legacy.nics[1].mac, False),
    ]
    assert made["ipaddress"] == "10.1.1.77"
    volumes = cloud.listed("listVolumes", "volume", virtualmachineid=made["id"])
    assert {(v["type"], v["state"], v["size"], v["deviceid"]) for v in volumes} == {
        ("ROOT", "Ready", 4 * GIB, 0),
        ("DATADISK", "Ready", GIB, 1),
    }
    slot = cloud.manager.capacity.slot[cloud.here.id]
    assert int(cloud.manager.capacity.memory_used[slot]) == used + 768
    assert cloud.unmanaged() == [] and cloud.events(made["id"]) == ["VM.IMPORT"]
    cloud.cloud.wait(3600)
    cloud.sound()
    assert cloud.state(made["id"]) == "Running"


def test_it_can_be_stopped_started_moved_and_expunged(cloud: Imports) -> None:
    made = cloud.take_in()
    moved = cloud.admin("migrateVirtualMachine", virtualmachineid=made["id"])["virtualmachine"]
    assert moved["hostname"] != made["hostname"] and cloud.running()["legacy"] == moved["hostname"]
    cloud.admin("stopVirtualMachine", id=made["id"])
    assert "legacy" not in cloud.running()
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    guest = cloud.guest(started)
    assert [disk.path for disk in guest.disks] == ["legacy-0", "legacy-1"] and guest.cpus == 2
    error = refused(431, cloud.admin, "restoreVirtualMachine", virtualmachineid=made["id"])
    assert "nothing to start from" in error.text and cloud.state(made["id"]) == "Running"
    cloud.admin("destroyVirtualMachine", id=made["id"], expunge=True)
    assert "legacy" not in cloud.running() and "legacy-0" not in cloud.files()
    cloud.cloud.wait(2 * 86_400)
    assert not [t for t in cloud.store.table(Template) if t.name == DUMMY], "it goes with the last that needs it"
    cloud.sound()


def test_new_instances_go_round_imported_names(cloud: Imports) -> None:
    cloud.place("i-2-1-VM", disks_gib=(1,), vlans=())
    cloud.take_in(name="i-2-1-VM", **dict.fromkeys(k for k in cloud.asked() if "[" in k))
    assert cloud.deploy("web")["instancename"] == "i-2-2-VM"


def test_a_template_offering_and_owner_of_the_operators_choice(cloud: Imports) -> None:
    cloud.account("ann")
    offering = cloud.admin(
        "createServiceOffering", name="fit", displaytext="fit", cpunumber=2, cpuspeed=1000, memory=768
    )["serviceoffering"]["id"]
    cloud.place("plain", disks_gib=(1,), vlans=())
    made = cloud.take_in(
        name="plain",
        serviceofferingid=offering,
        templateid=cloud.cloud.template.id,
        account="ann",
        domainid=cloud.cloud.owner.domain_id,
        **dict.fromkeys(k for k in cloud.asked() if "[" in k),
    )
    assert (made["account"], made["serviceofferingname"]) == ("ann", "fit")
    assert made["templateid"] == cloud.cloud.template.id and made["nic"] == []
    cloud.sound()


# what stands against it


def test_what_cannot_be_taken_in_changes_nothing(cloud: Imports) -> None:
    deployed = cloud.deploy("web")
    small = cloud.admin("createDiskOffering", name="s", displaytext="s", disksize=1, tags="fast")["diskoffering"]["id"]
    far = next(h for h in cloud.store.table(Host) if h.cluster_id != cloud.here.cluster_id)
    taken = cloud.store.table(Nic).where("vm_id", deployed["id"])[0]
    lan = cloud.network("other")["id"]
    cases: list[tuple[dict[str, Any], str]] = [
        ({"name": "nobody", "hostname": "n"}, "Unable to find an unmanaged instance nobody"),
        ({"clusterid": far.cluster_id}, "Unable to find an unmanaged instance legacy"),
        ({"name": deployed["instancename"]}, "managed by the cloud already"),
        ({"hostname": "web"}, "already exists for the account"),
        ({"hostname": "-x"}, "Invalid name"),
        ({"serviceofferingid": cloud.offering()}, "cpuNumber is fixed to 1"),
        ({"datadiskofferinglist[0].disk": "vdz"}, "has no disk vdz"),
        ({"datadiskofferinglist[0].disk": None, "datadiskofferinglist[0].diskOffering": None}, "has 2 disks"),
        ({"datadiskofferinglist[0].diskOffering": small}, "tags fast"),
        ({"datadiskofferinglist[0].diskOffering": "x"}, "Unable to find DiskOffering x"),
        ({"datadiskofferinglist[0].diskOffering": ""}, "needs disk and diskoffering"),
        ({"nicnetworklist[0].nic": "net7"}, "has no NIC net7"),
        ({"nicnetworklist[0].nic": "net0"}, "VLAN 77 of NIC net0 is not that of network defaultGuestNetwork"),
        ({"nicnetworklist[0].network": cloud.net}, "its second on network lan"),
        ({"nicnetworklist[0].nic": None, "nicnetworklist[0].network": None}, "is no network's"),
        ({"nicnetworklist[1].nic": "net0", "nicnetworklist[1].network": lan}, "is not that of network other"),
        ({"nicipaddresslist[0].ip4Address": "192.168.0.1"}, "is not in the range"),
        ({"nicipaddresslist[0].nic": None, "nicipaddresslist[0].ip4Address": None}, "NIC net0 needs its address"),
        ({"nicipaddresslist[1].ip4Address": taken.ip}, "in use already"),
        ({"templateid": next(t.id for t in cloud.store.table(Template) if t.type == "SYSTEM")}, "cannot be that of"),
    ]
    for wrong, text in cases:
        before = (len(cloud.store.table(VirtualMachine)), cloud.rows()["Volume"], cloud.rows()["Nic"])
        error = refused(431, cloud.admin, "importUnmanagedInstance", **cloud.asked(**wrong))
        assert text in error.text, error.text
        assert before == (len(cloud.store.table(VirtualMachine)), cloud.rows()["Volume"], cloud.rows()["Nic"])
    assert not [t for t in cloud.store.table(Template) if t.name == DUMMY]
    cloud.sound()


def test_a_mac_that_is_in_use(cloud: Imports) -> None:
    mac = cloud.legacy.nics[0].mac
    cloud.deploy("thief", networkids=[cloud.default], macaddress=mac)
    assert "in use already" in refused(431, cloud.admin, "importUnmanagedInstance", **cloud.asked()).text
    made = cloud.take_in(forced=True)
    assert made["nic"][0]["macaddress"] != mac and made["nic"][1]["macaddress"] == cloud.legacy.nics[1].mac
    cloud.sound()


def test_a_disk_that_is_a_volume_already(cloud: Imports) -> None:
    (root,) = (v for v in cloud.store.table(Volume).where("vm_id", cloud.deploy("web")["id"]))
    cloud.admin("stopVirtualMachine", id=root.vm_id)
    spec = cloud.legacy.disks[0]
    with cloud.store.transaction():
        cloud.store.table(Volume).update(root.id, pool_id=spec.pool_id, path=spec.path)
    error = refused(431, cloud.admin, "importUnmanagedInstance", **cloud.asked())
    assert f"is volume {root.name} already" in error.text


def test_a_disk_on_no_pool_of_the_clouds(cloud: Imports) -> None:
    with cloud.store.transaction():
        cloud.store.table(StoragePool).update(cloud.legacy.disks[0].pool_id, state="Maintenance")
    assert "Maintenance" in refused(431, cloud.admin, "importUnmanagedInstance", **cloud.asked()).text


def test_limits_and_room(cloud: Imports) -> None:
    cloud.account("ann")
    domain = cloud.cloud.owner.domain_id
    bare = dict.fromkeys(k for k in cloud.asked() if "[" in k)
    cloud.place("plain", disks_gib=(1,), vlans=())
    asked = cloud.asked(name="plain", account="ann", domainid=domain, **bare)
    cloud.admin("updateResourceLimit", resourcetype=9, max=700, account="ann", domainid=domain)
    assert "memory" in refused(535, cloud.admin, "importUnmanagedInstance", **asked).text
    cloud.place("big", cpus=16, disks_gib=(1,), vlans=())
    asked = cloud.asked(name="big", **bare, **{"details[0].key": "cpuSpeed", "details[0].value": "2000"})
    assert "would be too much" in refused(533, cloud.admin, "importUnmanagedInstance", **asked).text
    cloud.sound()


def test_limits_by_the_tags_of_the_offering(cloud: Imports) -> None:
    cloud.account("ann")
    domain = cloud.cloud.owner.domain_id
    cloud.admin("updateConfiguration", name="resource.limit.storage.tags", value="ssd")
    for pool in cloud.listed("listStoragePools", "storagepool"):
        cloud.admin("updateStoragePool", id=pool["id"], tags="ssd")
    offering = cloud.admin(
        "createServiceOffering", name="fast", displaytext="fast", customized=True, tags="ssd"
    )["serviceoffering"]["id"]
    cloud.place("plain", disks_gib=(1,), vlans=())
    bare = dict.fromkeys(k for k in cloud.asked() if "[" in k)
    asked = cloud.asked(name="plain", serviceofferingid=offering, account="ann", domainid=domain, **bare)
    cloud.admin("updateResourceLimit", resourcetype=2, max=0, tag="ssd", account="ann", domainid=domain)
    assert "by tag ssd" in refused(535, cloud.admin, "importUnmanagedInstance", **asked).text
    cloud.admin("updateResourceLimit", resourcetype=2, max=1, tag="ssd", account="ann", domainid=domain)
    assert cloud.admin("importUnmanagedInstance", **asked)["virtualmachine"]["account"] == "ann"
    cloud.sound()


def test_tags_of_the_offering(cloud: Imports) -> None:
    tagged = next(
        h for h in cloud.store.table(Host) if h.cluster_id == cloud.here.cluster_id and h.id != cloud.here.id
    )
    cloud.admin("updateHost", id=tagged.id, hosttags="gold")
    gold = cloud.admin(
        "createServiceOffering", name="gold", displaytext="gold", customized=True, hosttags="gold"
    )["serviceoffering"]["id"]
    error = refused(431, cloud.admin, "importUnmanagedInstance", **cloud.asked(serviceofferingid=gold))
    assert "tags gold" in error.text
    made = cloud.take_in(serviceofferingid=gold, migrateallowed=True)
    assert made["hostname"] == tagged.name == cloud.running()["legacy"]
    cloud.sound()


def test_two_imports_of_one_instance(cloud: Imports) -> None:
    jobs = [cloud.admin.reply("importUnmanagedInstance", **cloud.asked()).body["jobid"] for _ in range(2)]
    assert cloud.admin.job(jobs[0])["virtualmachine"]["state"] == "Running"
    with pytest.raises(Exception, match="managed by the cloud already"):
        cloud.admin.job(jobs[1])
    assert len(cloud.store.table(VirtualMachine)) == 1


# letting go


def test_an_unmanaged_instance_goes_on_and_can_come_back(cloud: Imports) -> None:
    made = cloud.take_in()
    cloud.admin("createTags", resourceids=[made["id"]], resourcetype="UserVm", tags={"a": "b"})
    answer = cloud.admin("unmanageVirtualMachine", id=made["id"])
    assert answer["success"] is True and answer["hostid"] == cloud.here.id
    assert cloud.admin("listVirtualMachines", id=made["id"]) == {}
    for kind in ("VirtualMachine", "Volume", "Nic", "ResourceTag"):
        assert not len(cloud.store.tables[kind]), kind
    cloud.cloud.wait(300)
    assert cloud.running()["legacy"] == cloud.here.name and "legacy-0" in cloud.files()
    assert [row["name"] for row in cloud.unmanaged()] == ["legacy"]
    cloud.sound()
    assert cloud.take_in()["id"] == made["id"]
    assert cloud.vm(made["id"])["state"] == "Running", "one that was removed can be listed again"
    assert cloud.events(made["id"]) == ["VM.IMPORT", "VM.UNMANAGE", "VM.IMPORT"]


def test_an_instance_that_the_cloud_made_can_leave_it_too(cloud: Imports) -> None:
    made = cloud.deploy("web")
    cloud.admin("unmanageVirtualMachine", id=made["id"])
    cloud.cloud.wait(3600)
    assert made["instancename"] in cloud.running()
    cloud.sound()


def test_what_led_to_an_instance_that_leaves_is_gone() -> None:
    api = RoutedApi()
    try:
        static = api.acquire(networkid=api.front["id"])["id"]
        api.admin("enableStaticNat", ipaddressid=static, virtualmachineid=api.web["id"])
        forward = {"ipaddressid": api.ip["id"], "virtualmachineid": api.web["id"], "protocol": "tcp"}
        api.admin("createPortForwardingRule", **forward, publicport=80, privateport=80)
        assert api.reach(api.ip["ipaddress"], 80).ends
        api.admin("unmanageVirtualMachine", id=api.web["id"])
        assert api.listed("listPortForwardingRules", "portforwardingrule") == []
        (address,) = api.listed("listPublicIpAddresses", "publicipaddress", id=static)
        assert address["isstaticnat"] is False
        assert not api.reach(api.ip["ipaddress"], 80).ends
    finally:
        api.cloud.close()


def test_an_instance_leaves_without_its_config_drive_by_force_alone(cloud: Imports) -> None:
    (offering,) = cloud.listed("listNetworkOfferings", "networkoffering", name="DefaultL2NetworkOfferingConfigDrive")
    asked = {"name": "drive", "displaytext": "drive", "zoneid": cloud.zone, "networkofferingid": offering["id"]}
    network = cloud.admin("createNetwork", **asked)["network"]["id"]
    made = cloud.deploy("web", networkids=network)
    assert "config drive" in refused(431, cloud.admin, "unmanageVirtualMachine", id=made["id"]).text
    assert cloud.vm(made["id"])["state"] == "Running"
    cloud.admin("unmanageVirtualMachine", id=made["id"], forced=True)
    assert made["instancename"] in cloud.running()
    assert not cloud.listed("listVirtualMachines", "virtualmachine", id=made["id"])


def test_what_stands_against_letting_go(cloud: Imports) -> None:
    made = cloud.deploy("web")
    cloud.admin("createVMSnapshot", virtualmachineid=made["id"], name="s")
    before = cloud.rows()
    assert "VM snapshots" in refused(431, cloud.admin, "unmanageVirtualMachine", id=made["id"]).text
    (snapshot,) = cloud.listed("listVMSnapshot", "vmSnapshot")
    assert cloud.rows() == before
    cloud.admin("deleteVMSnapshot", vmsnapshotid=snapshot["id"])
    disc = cloud.admin("registerIso", name="i", displaytext="i", url="http://x.example/i.iso", zoneid=cloud.zone)
    cloud.cloud.wait(3600)
    cloud.admin("attachIso", id=disc["iso"][0]["id"], virtualmachineid=made["id"])
    assert "ISO attached" in refused(431, cloud.admin, "unmanageVirtualMachine", id=made["id"]).text
    cloud.admin("detachIso", virtualmachineid=made["id"])
    cloud.admin("createSnapshot", volumeid=cloud.manager.disks.of(cloud.store.table(VirtualMachine)[made["id"]])[0].id)
    assert "snapshots of its volume" in refused(431, cloud.admin, "unmanageVirtualMachine", id=made["id"]).text
    cloud.admin("stopVirtualMachine", id=made["id"])
    assert "must be Running" in refused(431, cloud.admin, "unmanageVirtualMachine", id=made["id"]).text
    assert cloud.vm(made["id"])["state"] == "Stopped"


def test_an_imported_one_lets_go_of_its_disk_at_once(cloud: Imports) -> None:
    made = cloud.take_in()
    (data,) = [
        v for v in cloud.store.table(Volume).where("vm_id", made["id"]) if v.type == "DATADISK"
    ]
    cloud.admin("detachVolume", id=data.id)
    guest = cloud.guest(made)
    assert [disk.volume_id for disk in guest.disks if disk.type == "DATADISK"] == []
    assert len(guest.disks) == 1
    cloud.sound()
