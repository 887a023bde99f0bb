"""What answers say beside the obvious: of comments, rates, image stores, hosts' control states."""

from __future__ import annotations

import json

from msgspec.structs import replace

from cloudsim.model import Host, ServiceOffering
from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks


def test_a_host_shows_the_last_comment_on_it(cloud: TwoRacks) -> None:
    host = cloud.admin("listHosts", type="Routing")["host"][0]
    assert host["hasannotations"] is False and "annotation" not in host
    for text in ("noisy fan", "fan replaced"):
        cloud.admin("addAnnotation", entitytype="HOST", entityid=host["id"], annotation=text)
        cloud.cloud.wait(10)
    (shown,) = cloud.admin("listHosts", id=host["id"])["host"]
    assert (shown["annotation"], shown["username"], shown["hasannotations"]) == ("fan replaced", "admin", True)
    assert shown["lastannotated"] > host["created"]


def test_an_instance_says_what_its_host_is_good_for(cloud: TwoRacks) -> None:
    vm = cloud.deploy()
    assert vm["hostcontrolstate"] == "Enabled"
    cloud.admin("updateHost", id=vm["hostid"], allocationstate="Disable")
    assert cloud.vm(vm["id"])["hostcontrolstate"] == "Disabled"
    cloud.admin("updateHost", id=vm["hostid"], allocationstate="Enable")
    with cloud.store.transaction():
        cloud.store.table(Host).update(vm["hostid"], state="Alert")
    assert cloud.vm(vm["id"])["hostcontrolstate"] == "Offline"


def test_a_volume_says_what_its_offering_allows_and_what_its_instance_sees(cloud: TwoRacks) -> None:
    rates = {"bytesreadrate": 1 << 20, "iopswriterate": 300}
    offering = cloud.admin("createDiskOffering", name="slow", displaytext="slow", disksize=1, **rates)["diskoffering"]
    vm = cloud.deploy(diskofferingid=offering["id"])
    disks = cloud.admin("listVolumes", virtualmachineid=vm["id"])["volume"]
    data = next(disk for disk in disks if disk["type"] == "DATADISK")
    assert (data["diskBytesReadRate"], data["diskIopsWriteRate"]) == (1 << 20, 300)
    assert "diskBytesWriteRate" not in data and data["virtualsize"] == 1 << 30


def test_an_instance_names_the_offering_that_its_root_disk_has_of_its_own(cloud: TwoRacks) -> None:
    assert "diskofferingid" not in cloud.deploy()
    offering = cloud.admin("createDiskOffering", name="root", displaytext="root", disksize=3)["diskoffering"]
    vm = cloud.deploy(overridediskofferingid=offering["id"])
    assert (vm["diskofferingid"], vm["diskofferingname"]) == (offering["id"], "root")


def test_root_admins_see_how_far_a_template_is_in_each_image_store(cloud: TwoRacks) -> None:
    (told,) = cloud.admin("listTemplates", templatefilter="all", id=cloud.cloud.template.id)["template"]
    (store,) = cloud.admin("listImageStores")["imagestore"]
    assert told["downloaddetails"] == [
        {"datastore": store["name"], "downloadPercent": "100", "downloadState": "DOWNLOADED"}
    ]
    user = cloud.domain_account("ann")
    (told,) = user("listTemplates", templatefilter="featured", id=cloud.cloud.template.id)["template"]
    assert "downloaddetails" not in told


def test_a_job_names_the_server_that_does_it(cloud: TwoRacks) -> None:
    vm = cloud.deploy()
    (server,) = cloud.admin("listManagementServers")["managementserver"]
    begun = json.loads(cloud.admin.reply("stopVirtualMachine", id=vm["id"]).text())["stopvirtualmachineresponse"]
    job = cloud.admin("queryAsyncJobResult", jobid=begun["jobid"])
    assert (job["managementserverid"], job["managementservername"]) == (server["id"], server["name"])


def test_gpus_are_counted_and_limited(cloud: TwoRacks) -> None:
    ann = cloud.domain_account("ann")
    account = cloud.admin("listAccounts", name="ann")["account"][0]
    assert (account["gpulimit"], account["gputotal"], account["gpuavailable"]) == ("20", 0, "20")
    offerings = cloud.store.table(ServiceOffering)
    with cloud.store.transaction():
        two = offerings.insert(replace(offerings[cloud.offering()], id="two-gpus", name="two GPUs", gpus=2, gpu_milli=1000))
    whose = {"account": "ann", "domainid": account["domainid"], "resourcetype": 16}
    cloud.admin("updateResourceLimit", max=3, **whose)
    vm = cloud.deploy("one", ann, serviceofferingid=two.id, startvm="false")
    assert cloud.admin("updateResourceCount", **whose)["resourcecount"][0]["resourcecount"] == 2
    (account,) = cloud.admin("listAccounts", name="ann")["account"]
    assert (account["gpulimit"], account["gputotal"], account["gpuavailable"]) == ("3", 2, "1")
    wanted = cloud.wanted(serviceofferingid=two.id, startvm="false")
    assert "for gpu would be exceeded" in refused(535, ann, "deployVirtualMachine", **wanted).text
    plain = cloud.deploy("two", ann, startvm="false")
    refused(535, ann, "scaleVirtualMachine", id=plain["id"], serviceofferingid=two.id)
    ann("destroyVirtualMachine", id=vm["id"])
    ann("scaleVirtualMachine", id=plain["id"], serviceofferingid=two.id)


def test_the_group_of_a_dedicated_host_names_it(cloud: TwoRacks) -> None:
    ann = cloud.domain_account("ann")
    host = cloud.admin("listHosts", type="Routing")["host"][0]
    root = cloud.admin("listDomains")["domain"][0]["id"]
    cloud.admin("dedicateHost", hostid=host["id"], domainid=root, account="ann")
    (group,) = ann("listAffinityGroups", type="ExplicitDedication")["affinitygroup"]
    assert group["dedicatedresources"] == [
        {"resourcetype": "Host", "resourceid": host["id"], "resourcename": host["name"]}
    ]


def test_a_pool_that_says_how_many_iops_it_has_says_how_many_are_promised(cloud: TwoRacks) -> None:
    pools = cloud.admin("listStoragePools")["storagepool"]
    assert [pool for pool in pools if "allocatediops" in pool] == []
    for pool in pools:
        cloud.admin("updateStoragePool", id=pool["id"], capacityiops=5000)
    offering = cloud.admin(
        "createDiskOffering", name="fast", displaytext="fast", disksize=1, miniops=700, maxiops=900
    )["diskoffering"]
    for number in range(2):
        cloud.deploy(f"web-{number}", diskofferingid=offering["id"])
    assert sum(pool["allocatediops"] for pool in cloud.admin("listStoragePools")["storagepool"]) == 1400
