"""Changes to instances, whose they are, and what becomes of them when their account goes."""

from __future__ import annotations

import base64
from typing import Any

from cloudsim.model import (
    AffinityGroup,
    InstanceGroup,
    Network,
    Nic,
    ResourceTag,
    SshKeyPair,
    UserData,
    VirtualMachine,
    VmSnapshot,
    Volume,
)
from tests.server.api.api_harness import Client, refused
from tests.server.api.cloud_harness import TwoRacks

NOTHING = "00000000-0000-0000-0000-00000000dead"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def update(cloud: TwoRacks, vm: dict[str, Any], call: Client | None = None, **more: Any) -> dict[str, Any]:
    answer = (call or cloud.admin)("updateVirtualMachine", id=vm["id"], **more)["virtualmachine"]
    assert answer == cloud.vm(vm["id"], call)
    return dict(answer)


def test_what_can_change_while_it_runs(cloud: TwoRacks) -> None:
    made = cloud.deploy("web", details={"old": "1"})
    changed = update(cloud, made, displayname="The web", group="front", haenable=True, displayvm=False)
    assert (changed["displayname"], changed["group"], changed["haenable"]) == ("The web", "front", True)
    assert changed["displayvm"] is False and changed["name"] == "web"
    assert update(cloud, made, details={"new": "2"})["details"] == {"new": "2"}
    assert "details" not in update(cloud, made, cleanupdetails=True)
    assert "group" not in update(cloud, made, group="")
    assert update(cloud, made)["displayname"] == "The web"
    assert set(cloud.events(made["id"])) == {"VM.CREATE", "VM.UPDATE"}
    assert cloud.running() == {made["instancename"]: made["hostname"]}


def test_a_host_name_changes_only_while_it_is_stopped(cloud: TwoRacks) -> None:
    made, other = cloud.deploy("web"), cloud.deploy("other")
    refused(431, cloud.admin, "updateVirtualMachine", id=made["id"], name="front")
    cloud.admin("stopVirtualMachine", id=made["id"])
    before = cloud.rows()
    for wrong in ({"name": "other"}, {"name": "-x"}, {"name": "1"}, {"name": "front", "userdata": "?"}):
        refused(431, cloud.admin, "updateVirtualMachine", id=made["id"], **wrong)
    refused(431, cloud.admin, "updateVirtualMachine", id=made["id"], ostypeid=NOTHING)
    assert cloud.rows() == before
    assert update(cloud, made, name="front")["name"] == "front"
    started = cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert cloud.guest(started).hostname == "front"
    assert cloud.vm(other["id"])["name"] == "other"


def test_user_data(cloud: TwoRacks) -> None:
    admin = cloud.admin
    registered = admin("registerUserData", name="init", userdata=encoded("one"))["userdata"]
    made = cloud.deploy("web", userdataid=registered["id"])
    changed = update(cloud, made, userdata=encoded("two"))
    assert "userdataid" not in changed
    told = admin("getVirtualMachineUserData", virtualmachineid=made["id"])["virtualmachineuserdata"]
    assert told == {"virtualmachineid": made["id"], "userdata": encoded("two")}
    refused(431, admin, "resetUserDataForVirtualMachine", id=made["id"], userdata=encoded("three"))
    admin("stopVirtualMachine", id=made["id"])
    both = {"userdata": encoded("x"), "userdataid": registered["id"]}
    refused(431, admin, "resetUserDataForVirtualMachine", id=made["id"], **both)
    reset = admin("resetUserDataForVirtualMachine", id=made["id"], userdataid=registered["id"])
    assert reset["virtualmachine"]["userdataname"] == "init"
    started = admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert cloud.guest(started).user_data == encoded("one")


def test_ssh_keys(cloud: TwoRacks) -> None:
    admin = cloud.admin
    for name in ("a", "b"):
        admin("createSSHKeyPair", name=name)
    made = cloud.deploy("web", keypair="a")
    refused(431, admin, "resetSSHKeyForVirtualMachine", id=made["id"], keypair="b")
    admin("stopVirtualMachine", id=made["id"])
    refused(431, admin, "resetSSHKeyForVirtualMachine", id=made["id"])
    refused(431, admin, "resetSSHKeyForVirtualMachine", id=made["id"], keypair="unknown")
    changed = admin("resetSSHKeyForVirtualMachine", id=made["id"], keypairs=["b"])["virtualmachine"]
    assert changed["keypairs"] == "b"
    assert [vm["id"] for vm in cloud.listed("listVirtualMachines", "virtualmachine", keypair="b")] == [
        made["id"]
    ]
    started = admin("startVirtualMachine", id=made["id"])["virtualmachine"]
    assert len(cloud.guest(started).public_keys) == 1
    assert "VM.RESETSSHKEY" in cloud.events(made["id"])


def test_an_instance_names_its_affinity_groups_to_whoever_sees_it(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    for name in ("hers", "others"):
        ann("createAffinityGroup", name=name, type="host affinity")
    vm = cloud.deploy("web", ann, affinitygroupnames=["hers"])
    assert cloud.admin("listAffinityGroups") == {}
    (group,) = cloud.admin("listAffinityGroups", virtualmachineid=vm["id"])["affinitygroup"]
    assert (group["name"], group["virtualmachineIds"]) == ("hers", [vm["id"]])
    other = ann("listAffinityGroups", name="others")["affinitygroup"][0]["id"]
    assert cloud.admin("listAffinityGroups", virtualmachineid=vm["id"], id=other) == {}


def test_affinity_groups(cloud: TwoRacks) -> None:
    admin, ann = cloud.admin, cloud.account("ann")
    for name, kind in (("apart", "host anti-affinity"), ("together", "host affinity")):
        admin("createAffinityGroup", name=name, type=kind)
    hers = ann("createAffinityGroup", name="hers", type="host affinity")["affinitygroup"]["id"]
    one, two = cloud.deploy("one", affinitygroupnames=["together"]), cloud.deploy("two")
    refused(431, admin, "updateVMAffinityGroup", id=two["id"], affinitygroupnames=["apart"])
    admin("stopVirtualMachine", id=two["id"])
    refused(431, admin, "updateVMAffinityGroup", id=two["id"], affinitygroupnames=["unknown"])
    refused(531, admin, "updateVMAffinityGroup", id=two["id"], affinitygroupids=[hers])
    names = ["apart", "together"]
    changed = admin("updateVMAffinityGroup", id=two["id"], affinitygroupnames=names)["virtualmachine"]
    assert [group["name"] for group in changed["affinitygroup"]] == names
    (pool_of_one,) = cloud.store.table(Volume).where("vm_id", one["id"])
    (pool_of_two,) = cloud.store.table(Volume).where("vm_id", two["id"])
    if pool_of_one.pool_id == pool_of_two.pool_id:
        assert admin("startVirtualMachine", id=two["id"])["virtualmachine"]["hostid"] == one["hostid"]
    else:
        refused(533, admin, "startVirtualMachine", id=two["id"])
    admin("deleteAffinityGroup", name="together")
    assert cloud.vm(one["id"])["affinitygroup"] == []


# whose they are


def test_a_user_touches_only_its_own(cloud: TwoRacks) -> None:
    ann, bob = cloud.account("ann"), cloud.account("bob")
    made = cloud.deploy("web", call=ann)
    before = cloud.rows()
    offering = cloud.offering("Medium Instance")
    for command, more in (
        ("startVirtualMachine", {}),
        ("stopVirtualMachine", {}),
        ("rebootVirtualMachine", {}),
        ("destroyVirtualMachine", {}),
        ("updateVirtualMachine", {"displayname": "mine"}),
        ("changeServiceForVirtualMachine", {"serviceofferingid": offering}),
        ("scaleVirtualMachine", {"serviceofferingid": offering}),
        ("resetSSHKeyForVirtualMachine", {"keypair": "x"}),
        ("resetUserDataForVirtualMachine", {"userdata": encoded("x")}),
        ("updateVMAffinityGroup", {}),
    ):
        refused(531, bob, command, id=made["id"], **more)
    refused(531, bob, "restoreVirtualMachine", virtualmachineid=made["id"])
    refused(531, bob, "getVirtualMachineUserData", virtualmachineid=made["id"])
    assert cloud.rows() == before
    assert bob("listVirtualMachines", listall=True) == {}
    assert bob("listVirtualMachines", id=made["id"]) == {}
    assert bob("listVirtualMachines", ids=[made["id"]]) == {}
    assert ann("stopVirtualMachine", id=made["id"])["virtualmachine"]["state"] == "Stopped"


def test_a_domain_admin_works_in_its_subtree(cloud: TwoRacks) -> None:
    sales = cloud.admin("createDomain", name="sales")["domain"]["id"]
    north = cloud.admin("createDomain", name="north", parentdomainid=sales)["domain"]["id"]
    boss = cloud.domain_account("boss", type=2, domain=sales)
    bob = cloud.domain_account("bob", domain=north)
    ann = cloud.account("ann")
    below, beside = cloud.deploy("below", call=bob), cloud.deploy("beside", call=ann)
    assert boss("stopVirtualMachine", id=below["id"])["virtualmachine"]["state"] == "Stopped"
    refused(531, boss, "stopVirtualMachine", id=beside["id"])
    assert [vm["name"] for vm in boss("listVirtualMachines", listall=True)["virtualmachine"]] == ["below"]
    assert boss("listVirtualMachines", id=beside["id"]) == {}
    made = cloud.deploy("for-bob", call=boss, account="bob", domainid=north)
    assert (made["account"], made["domainid"]) == ("bob", north)
    assert {vm["name"] for vm in bob("listVirtualMachines")["virtualmachine"]} == {"below", "for-bob"}
    wanted = cloud.wanted(account="ann", domainid=cloud.cloud.owner.domain_id)
    refused(531, boss, "deployVirtualMachine", **wanted)


def test_a_group_is_of_the_instances_owner(cloud: TwoRacks) -> None:
    cloud.account("ann")
    domain = cloud.cloud.owner.domain_id
    group = cloud.admin("createAffinityGroup", name="g", type="host affinity")["affinitygroup"]["id"]
    wanted = cloud.wanted(account="ann", domainid=domain, affinitygroupids=[group])
    before = cloud.rows()
    refused(531, cloud.admin, "deployVirtualMachine", **wanted)
    assert cloud.rows() == before


# when the account goes


def furnish(cloud: TwoRacks, ann: Client) -> dict[str, Any]:
    """Give an account one of everything that has to do with instances; answers a running one."""
    ann("createAffinityGroup", name="g", type="host anti-affinity")
    ann("createSSHKeyPair", name="k")
    ann("registerUserData", name="u", userdata=encoded("u"))
    network = cloud.network("hers", call=ann)
    made = cloud.deploy(
        "web",
        call=ann,
        networkids=[network["id"]],
        affinitygroupnames=["g"],
        keypair="k",
        group="front",
        diskofferingid=cloud.cloud.custom.id,
        size=1,
    )
    ann("createTags", resourceids=[made["id"]], resourcetype="UserVm", tags={"a": "b"})
    ann("createVMSnapshot", virtualmachineid=made["id"], name="s")
    cloud.deploy("cold", call=ann, startvm=False)
    gone = cloud.deploy("gone", call=ann)
    ann("destroyVirtualMachine", id=gone["id"])
    protected = cloud.volume("kept", call=ann)
    ann("updateVolume", id=protected["id"], deleteprotection=True)
    ann("updateVirtualMachine", id=made["id"], deleteprotection=True)
    return made


def test_an_account_goes_with_everything_it_has(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    mine = cloud.deploy("mine")
    mine_files = {path for path in cloud.files() if not path.startswith("template-")}
    furnish(cloud, ann)
    account = next(a for a in cloud.store.tables["Account"] if a.name == "ann")
    assert cloud.admin("deleteAccount", id=account.id) == {"success": True}
    for kind in (
        VirtualMachine,
        Volume,
        Network,
        SshKeyPair,
        UserData,
        AffinityGroup,
        InstanceGroup,
        VmSnapshot,
    ):
        assert not cloud.store.table(kind).where("account_id", account.id), kind
    assert {nic.vm_id for nic in cloud.store.table(Nic)} == {mine["id"]}
    assert not len(cloud.store.table(ResourceTag))
    assert cloud.running() == {mine["instancename"]: mine["hostname"]}
    assert {path for path in cloud.files() if not path.startswith("template-")} == mine_files


def test_an_account_goes_while_its_instance_starts(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    ann.reply("deployVirtualMachine", **cloud.wanted(name="web"))
    account = next(a for a in cloud.store.tables["Account"] if a.name == "ann")
    assert cloud.admin("deleteAccount", id=account.id) == {"success": True}
    cloud.cloud.wait(600.0)
    assert cloud.running() == {} and not len(cloud.store.table(VirtualMachine))
    assert not [path for path in cloud.files() if not path.startswith("template-")]


def test_a_disabled_account_runs_nothing(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    made = cloud.deploy("web", call=ann)
    domain = cloud.cloud.owner.domain_id
    cloud.admin("disableAccount", account="ann", domainid=domain, lock=False)
    assert cloud.state(made["id"]) == "Stopped" and cloud.running() == {}
    wanted = cloud.wanted(account="ann", domainid=domain)
    refused(531, cloud.admin, "deployVirtualMachine", **wanted)
    assert "disabled" in refused(531, cloud.admin, "startVirtualMachine", id=made["id"]).text
    refused(401, ann, "listVirtualMachines")


def test_what_a_suspended_project_runs_is_stopped_and_starts_again_when_it_is_active(cloud: TwoRacks) -> None:
    project = cloud.admin("createProject", name="p", displaytext="p")["project"]["id"]
    made = cloud.deploy("web", projectid=project)
    cloud.admin("suspendProject", id=project)
    assert cloud.state(made["id"]) == "Stopped"
    assert "disabled" in refused(531, cloud.admin, "startVirtualMachine", id=made["id"]).text
    assert cloud.state(made["id"]) == "Stopped" and cloud.running() == {}
    cloud.admin("activateProject", id=project)
    assert cloud.admin("startVirtualMachine", id=made["id"])["virtualmachine"]["state"] == "Running"
