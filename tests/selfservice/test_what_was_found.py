"""What random use found and what was mended then, each by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from cloudsim.errors import ResourceUnavailable
from cloudsim.model import Account, Network, ResourceTag, SystemVm, Template, Volume
from cloudsim.model.identity import DOMAIN_ADMIN
from server.api.command import COMMANDS
from tests.server.api.api_harness import Api, Client, refused
from tests.server.api.cloud_harness import TwoRacks
from tests.server.api.commands.network.routed_api import RoutedApi

VOLUMES, PROJECTS, PRIMARY_STORAGE = 2, 5, 10
"""Numbers of resource types; limits of storage are in GiB."""


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.close()


@pytest.fixture
def cloud() -> Iterator[TwoRacks]:
    made = TwoRacks()
    yield made
    made.cloud.close()


@pytest.fixture
def routed() -> Iterator[RoutedApi]:
    made = RoutedApi()
    yield made
    made.cloud.close()


def root_of(call: Client) -> str:
    """The id of ROOT."""
    return str(call("listDomains")["domain"][0]["id"])


def limited(cloud: TwoRacks, name: str, type: int) -> dict[str, Any]:
    return {"account": name, "domainid": root_of(cloud.admin), "resourcetype": type}


def at_its_limit(cloud: TwoRacks, name: str, type: int) -> None:
    """Let the account of that name, in ROOT, have no more than it has now."""
    where = limited(cloud, name, type)
    (count,) = cloud.admin("updateResourceCount", **where)["resourcecount"]
    cloud.admin("updateResourceLimit", **where, max=count["resourcecount"])


# lists


def test_every_list_that_takes_a_keyword_takes_it(cloud: TwoRacks) -> None:
    vm = cloud.deploy("web")
    volume = cloud.admin("listVolumes", virtualmachineid=vm["id"])["volume"][0]["id"]
    ours: dict[str, Any] = {"templatefilter": "all", "volumeid": volume, "virtualmachineid": vm["id"]}
    broken = []
    for command in COMMANDS.values():
        takes = {p.name: p for p in command.parameters}
        needed = {name: ours[name] for name in takes if name in ours}
        if command.many and "keyword" in takes and all(name in needed for name, p in takes.items() if p.required):
            reply = cloud.admin.reply(command.name, keyword="a", **needed)
            if "Internal error" in reply.description:
                broken.append(command.name)
    assert not broken


def test_the_policies_of_a_load_balancer_are_listed_with_a_keyword(routed: RoutedApi) -> None:
    where = {"publicport": 80, "privateport": 80, "algorithm": "roundrobin", "publicipid": routed.ip["id"]}
    rule = routed.admin("createLoadBalancerRule", name="www", **where)["loadbalancer"]["id"]
    for name in ("listLBStickinessPolicies", "listLBHealthCheckPolicies"):
        assert routed.admin(name, lbruleid=rule, keyword="a")["count"] == 1


# who may


def test_the_health_of_a_router_is_told_to_no_admin_of_another_domain(routed: RoutedApi) -> None:
    domain = routed.admin("createDomain", name="north")["domain"]["id"]
    person = {"firstname": "ann", "lastname": "Example", "email": "ann@example.org", "password": "Secret-123"}
    routed.admin("createAccount", username="ann", accounttype=DOMAIN_ADMIN, domainid=domain, **person)
    (router,) = routed.admin("listRouters", listall=True)["router"]
    refused(531, routed.client("ann"), "getRouterHealthCheckResults", routerid=router["id"])
    assert routed.admin("getRouterHealthCheckResults", routerid=router["id"])


def test_the_domains_below_anothers_are_not_told(api: Api) -> None:
    north, south = (api.admin("createDomain", name=name)["domain"]["id"] for name in ("north", "south"))
    api.admin("createDomain", name="inner", parentdomainid=south)
    _, admin = api.account("n-admin", type=DOMAIN_ADMIN, domain=north)
    refused(531, admin, "listDomainChildren", id=south)
    refused(531, admin, "listDomainChildren", id=root_of(api.admin))


def test_an_admin_of_another_domain_takes_back_no_invitation(api: Api) -> None:
    north = api.admin("createDomain", name="north")["domain"]["id"]
    _, stranger = api.account("n-admin", type=DOMAIN_ADMIN, domain=north)
    _, ann = api.account("ann")
    api.account("bob")
    project = ann("createProject", name="p")["project"]["id"]
    api.admin("updateConfiguration", name="project.invite.required", value=True)
    ann("addAccountToProject", projectid=project, account="bob")
    (invitation,) = ann("listProjectInvitations", projectid=project)["projectinvitation"]
    refused(531, stranger, "deleteProjectInvitation", id=invitation["id"])
    ann("deleteProjectInvitation", id=invitation["id"])


def test_a_schedule_of_another_is_not_changed(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    vm = cloud.deploy("web")
    daily = {"schedule": "0 3 * * *", "timezone": "UTC", "action": "STOP"}
    made = cloud.admin("createVMSchedule", virtualmachineid=vm["id"], **daily)["vmschedule"]["id"]
    refused(531, ann, "updateVMSchedule", id=made, enabled=False)


# limits and counts


def test_an_instance_without_a_root_disk_is_restored_within_the_limit_of_volumes(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    vm = cloud.deploy("web", ann, startvm=False)
    (root,) = ann("listVolumes", virtualmachineid=vm["id"])["volume"]
    ann("detachVolume", id=root["id"])
    at_its_limit(cloud, "ann", VOLUMES)
    refused(535, ann, "restoreVirtualMachine", virtualmachineid=vm["id"])
    ann("deleteVolume", id=root["id"])
    ann("restoreVirtualMachine", virtualmachineid=vm["id"])
    assert ann("listVolumes", virtualmachineid=vm["id"])["count"] == 1


def test_a_destroyed_volume_is_recovered_within_the_limit_of_volumes(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    cloud.admin("updateConfiguration", name="allow.user.expunge.recover.volume", value=True)
    vm = cloud.deploy("web", ann)
    volume = cloud.volume("data", call=ann)["id"]
    ann("attachVolume", id=volume, virtualmachineid=vm["id"])
    ann("detachVolume", id=volume)
    ann("destroyVolume", id=volume)
    at_its_limit(cloud, "ann", VOLUMES)
    refused(535, ann, "recoverVolume", id=volume)


def test_an_account_leads_no_more_projects_than_its_limit_by_being_added_to_one(cloud: TwoRacks) -> None:
    ann, _ = cloud.account("ann"), cloud.account("bob")
    project = ann("createProject", name="p")["project"]["id"]
    at_its_limit(cloud, "bob", PROJECTS)
    refused(535, ann, "addAccountToProject", projectid=project, account="bob", roletype="Admin")
    at_its_limit(cloud, "ann", PROJECTS)
    ann("updateProject", id=project, account="ann")  # it leads this one already


def test_an_uploaded_volume_counts_as_secondary_storage_until_it_is_used(cloud: TwoRacks) -> None:
    ann = cloud.account("ann")
    url = "http://images.example.org/data.vhd?size=2g"
    ann("uploadVolume", name="data", zoneid=cloud.zone, format="VHD", url=url)
    (own,) = ann("listAccounts")["account"]
    assert (own["volumetotal"], own["primarystoragetotal"], own["secondarystoragetotal"]) == (1, 0, 2.0)


@pytest.mark.parametrize("use", ["attachVolume", "deployVirtualMachine"])
def test_an_uploaded_volume_becomes_a_disk_within_the_limit_of_primary_storage(cloud: TwoRacks, use: str) -> None:
    ann = cloud.account("ann")
    vm = cloud.deploy("web", call=ann)
    url = "http://images.example.org/data.vhd?size=2g"
    volume = ann("uploadVolume", name="data", zoneid=cloud.zone, format="VHD", url=url)["volume"]["id"]
    asked: dict[str, Any] = {"id": volume, "virtualmachineid": vm["id"]}
    if use == "deployVirtualMachine":
        asked = cloud.wanted(name="again", templateid=None, volumeid=volume)
    (own,) = ann("listAccounts")["account"]
    limit = {**limited(cloud, "ann", PRIMARY_STORAGE), "max": int(own["primarystoragetotal"])}
    cloud.admin("updateResourceLimit", **limit)
    assert "primary_storage" in refused(535, ann, use, **asked).text
    assert ann("listVolumes", id=volume)["volume"][0]["state"] == "Uploaded"
    cloud.admin("updateResourceLimit", **{**limit, "max": limit["max"] + 2})
    ann(use, **asked)
    (own,) = ann("listAccounts")["account"]
    assert own["secondarystoragetotal"] == 0
    assert ann("listVolumes", id=volume)["volume"][0]["state"] == "Ready"


# what is refused, and what is left behind


def test_an_instance_without_disks_is_not_snapshot(cloud: TwoRacks) -> None:
    vm = cloud.deploy("web", startvm=False)
    (root,) = cloud.admin("listVolumes", virtualmachineid=vm["id"])["volume"]
    cloud.admin("detachVolume", id=root["id"])
    said = refused(431, cloud.admin, "createVMSnapshot", virtualmachineid=vm["id"])
    assert "has no disk" in said.text


def test_what_is_named_twice_is_deleted_once(cloud: TwoRacks) -> None:
    volume = cloud.volume("data")["id"]
    hourly = {"intervaltype": "HOURLY", "schedule": "15", "timezone": "UTC", "maxsnaps": 1}
    policy = cloud.admin("createSnapshotPolicy", volumeid=volume, **hourly)["snapshotpolicy"]["id"]
    cloud.admin("deleteSnapshotPolicies", id=policy, ids=[policy, policy])
    assert "snapshotpolicy" not in cloud.admin("listSnapshotPolicies", volumeid=volume)
    event = cloud.admin("listEvents", listall=True)["event"][0]["id"]
    cloud.admin("deleteEvents", ids=[event, event])


def test_a_router_of_a_vpc_that_is_gone_is_not_made(routed: RoutedApi) -> None:
    with pytest.raises(ResourceUnavailable):
        routed.run(routed.manager.routers.ensure_vpc("gone"))


def test_a_router_that_is_removed_while_it_is_asked_how_it_is_stays_removed(
    routed: RoutedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    (router,) = routed.admin("listRouters", listall=True)["router"]
    system_vms = routed.manager.system_vms

    async def removed(vm_id: str, *what: object) -> None:
        await system_vms.destroyed(vm_id)
        raise ResourceUnavailable("it does not answer")

    monkeypatch.setattr(system_vms, "ask", removed)
    routed.run(routed.manager.system_vm_watch._look(router["id"]))
    assert router["id"] not in routed.store.table(SystemVm)


def test_a_server_that_stops_does_not_wait_for_a_router_that_is_made_anew(
    routed: RoutedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = routed.manager
    (row,) = [row for row in routed.store.table(SystemVm) if row.kind == "DomainRouter"]

    async def for_ever(*what: object) -> None:
        await asyncio.Event().wait()

    async def stopping() -> None:
        manager.jobs.submit(routed.cloud.admin, "rebootRouter", for_ever, instance_id=row.id)
        manager.spawn(manager.system_vm_watch._make_anew(row))
        await asyncio.sleep(1)
        async with asyncio.timeout(600):
            await manager.stop()

    monkeypatch.setattr(manager.routers, "successor", for_ever)
    routed.run(stopping())


def test_a_template_of_the_clouds_own_is_prepared_by_no_domain_admin(cloud: TwoRacks) -> None:
    domain = cloud.admin("createDomain", name="north")["domain"]["id"]
    admin = cloud.domain_account("n-admin", type=DOMAIN_ADMIN, domain=domain)
    system = next(t for t in cloud.store.table(Template) if t.type == "SYSTEM")
    refused(531, admin, "prepareTemplate", zoneid=cloud.zone, templateid=system.id)


def test_disks_that_go_with_their_instance_leave_no_tags(cloud: TwoRacks) -> None:
    vm = cloud.deploy("web")
    (root,) = cloud.admin("listVolumes", virtualmachineid=vm["id"])["volume"]
    cloud.admin("createTags", resourcetype="Volume", resourceids=root["id"], tags={"env": "a"})
    cloud.admin("destroyVirtualMachine", id=vm["id"], expunge=True)
    assert root["id"] not in cloud.store.table(Volume) and not len(cloud.store.table(ResourceTag))


def test_snapshots_of_an_instance_that_go_with_it_leave_no_tags(cloud: TwoRacks) -> None:
    vm = cloud.deploy("web")
    snapshot = cloud.admin("createVMSnapshot", virtualmachineid=vm["id"])["vmsnapshot"]["id"]
    cloud.admin("createTags", resourcetype="VMSnapshot", resourceids=snapshot, tags={"env": "a"})
    cloud.admin("destroyVirtualMachine", id=vm["id"], expunge=True)
    assert not len(cloud.store.table(ResourceTag))


def test_an_account_leaves_none_of_its_tags_on_what_stays(cloud: TwoRacks) -> None:
    domain = cloud.admin("createDomain", name="north")["domain"]["id"]
    admin = cloud.domain_account("n-admin", type=DOMAIN_ADMIN, domain=domain)
    admin("createTags", resourcetype="Domain", resourceids=domain, tags={"env": "a"})
    account = next(a for a in cloud.store.table(Account) if a.name == "n-admin")
    cloud.admin("deleteAccount", id=account.id)
    assert not len(cloud.store.table(ResourceTag))


def test_a_router_that_a_later_round_expunges_is_forgotten(routed: RoutedApi) -> None:
    (router,) = routed.admin("listRouters", listall=True)["router"]
    vms = routed.manager.vms
    routed.run(routed.manager.system_vms.stopped(router["id"], forced=True))
    routed.run(vms.destroyed(None, router["id"], protected=False))
    routed.run(vms.expunging.expunged(None, router["id"]))
    assert router["id"] not in routed.store.table(SystemVm)
    assert "router" not in routed.admin("listRouters", listall=True, podid=router["podid"])


def test_an_idle_network_that_cannot_be_shut_down_does_not_hold_up_the_others(
    routed: RoutedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    life, tried = routed.manager.network_life, []

    async def shut_down(network: Network) -> None:
        tried.append(network.name)
        raise ResourceUnavailable("no host is up")

    monkeypatch.setattr(life, "shut_down", shut_down)
    monkeypatch.setattr(life, "_used", lambda network: False)
    monkeypatch.setattr(life, "routers", None)
    with routed.store.transaction():
        first = routed.store.table(Network)[routed.front["id"]]
        again = routed.network("again")
        routed.store.table(Network).update(again["id"], state=first.state)
    routed.run(life.release_idle())
    assert tried == ["front", "again"]


def test_a_template_is_not_shared_any_more_with_who_is_deleted(cloud: TwoRacks) -> None:
    admin, template = cloud.admin, cloud.cloud.template.id
    ann, bob = (cloud.account(name)("listAccounts")["account"][0] for name in ("ann", "bob"))
    project = admin("createProject", name="team", displaytext="team")["project"]["id"]
    share = {"id": template, "op": "add"}
    admin("updateTemplatePermissions", **share, accounts="ann,bob")
    admin("updateTemplatePermissions", **share, projectids=project)
    assert len(cloud.store.table(Template)[template].shared_with) == 3
    admin("deleteProject", id=project, cleanup=True)
    admin("deleteAccount", id=ann["id"])
    assert cloud.store.table(Template)[template].shared_with == (bob["id"],)
