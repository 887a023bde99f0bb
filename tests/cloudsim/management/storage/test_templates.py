"""Templates and ISOs: downloaded, made, shared, copied and deleted."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from cloudsim.errors import CloudError, InvalidParameterValue, ResourceInUse
from cloudsim.management.identity.caller import Caller
from cloudsim.management.storage.template_images import NEXT
from cloudsim.management.storage.template_request import TemplateRequest
from cloudsim.management.storage.template_urls import check_url
from cloudsim.management.storage.template_visibility import filter_named, shown_by
from cloudsim.model import (
    Account,
    Host,
    StoragePool,
    Template,
    TemplateOnPool,
    TemplateOnStore,
    VirtualMachine,
    Zone,
)
from tests.cloudsim.management.cloud_harness import GIB, Cloud
from tests.cloudsim.management.storage.test_snapshots import taken
from tests.cloudsim.management.storage.test_volumes import refuse

URL = "http://images.example/debian.qcow2"


def register(cloud: Cloud, name: str = "debian", zones: list[Zone] | None = None, **fields: Any) -> Template:
    request = TemplateRequest(name=name, **{"format": "QCOW2", "hypervisor": "Simulator", **fields})
    template: Template = cloud.call(
        cloud.manager.templates.register, cloud.admin, cloud.owner, request, URL, zones
    )
    return template


def copies(cloud: Cloud, template: Template) -> list[TemplateOnStore]:
    return list(cloud.table(TemplateOnStore).where("template_id", template.id))


def test_a_registered_template_is_downloaded_in_the_background(cloud: Cloud) -> None:
    template = register(cloud, zones=[cloud.zone])
    assert [copy.state for copy in copies(cloud, template)] == ["Creating"]
    cloud.wait(3600)
    (copy,) = copies(cloud, template)
    assert (copy.state, copy.download_state, copy.download_percent) == ("Ready", "DOWNLOADED", 100)
    assert copy.path and copy.size and cloud.table(Template)[template.id].size > 0


def test_a_download_that_fails_says_why(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(cloud, "download_template", monkeypatch)
    template = register(cloud)
    cloud.wait(60)
    (copy,) = copies(cloud, template)
    assert (copy.state, copy.download_state) == ("Failed", "DOWNLOAD_ERROR")
    assert "on fire" in (copy.error or "")
    cloud.do(cloud.manager.template_removal.delete(template.id))
    assert template.id not in cloud.table(Template)


def test_a_download_waits_for_a_host(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(cloud.manager.agents, "is_connected", lambda host_id: False)
        template = register(cloud)
        cloud.wait(60)
    assert [copy.state for copy in copies(cloud, template)] == ["Allocated"]
    cloud.call(cloud.manager.template_images.resume)
    cloud.wait(3600)
    assert [copy.state for copy in copies(cloud, template)] == ["Ready"]


def test_a_restart_begins_a_download_anew(cloud: Cloud) -> None:
    template = register(cloud)
    cloud.wait(0.001)
    assert [copy.state for copy in copies(cloud, template)] == ["Creating"]
    cloud.manager.template_images.settle_after_restart()
    assert [copy.state for copy in copies(cloud, template)] == ["Allocated"]


@pytest.mark.parametrize("url", ["", "debian.qcow2", "gopher://x/y", "http:///nohost", "http://[::1"])
def test_urls_that_nobody_can_download(url: str) -> None:
    with pytest.raises(InvalidParameterValue, match="Invalid URL"):
        check_url(url)


def test_a_template_must_be_of_a_format_and_for_a_hypervisor(cloud: Cloud) -> None:
    for fields in ({"format": "FLOPPY"}, {"hypervisor": "Abacus"}, {"bits": 16}):
        with pytest.raises(InvalidParameterValue):
            register(cloud, **fields)
    assert len(cloud.table(Template)) == 2


def test_a_template_of_a_snapshot_or_a_stopped_instances_disk(cloud: Cloud) -> None:
    vm, templates = cloud.deploy(), cloud.manager.templates
    root = cloud.root(vm)
    request = TemplateRequest(name="golden", format="QCOW2", hypervisor="Simulator")
    with pytest.raises(InvalidParameterValue, match="must be stopped"):
        templates.allocate(cloud.admin, cloud.owner, request, root)
    for source in (taken(cloud, root), cloud.root(cloud.stop(vm))):
        template = cloud.call(templates.allocate, cloud.admin, cloud.owner, request, source)
        made = cloud.do(templates.create(template.id, source))
        assert (made.size, made.format, made.source_template_id) == (GIB, "VHD", cloud.template.id)
        assert [copy.state for copy in copies(cloud, made)] == ["Ready"]


def test_a_template_that_cannot_be_made_is_gone(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = taken(cloud, cloud.root(cloud.deploy()))
    request = TemplateRequest(name="golden", format="QCOW2", hypervisor="Simulator")
    template = cloud.call(cloud.manager.templates.allocate, cloud.admin, cloud.owner, request, snapshot)
    refuse(cloud, "create_template", monkeypatch)
    with pytest.raises(CloudError, match="on fire"):
        cloud.do(cloud.manager.templates.create(template.id, snapshot))
    assert template.id not in cloud.table(Template) and copies(cloud, template) == []


def test_a_copy_to_a_pool_that_fails_when_who_waited_is_no_more_is_nothing_to_log(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints: list[str] = []
    (pool, *_), (host, *_) = cloud.table(StoragePool), cloud.table(Host)
    template = register(cloud)
    cloud.wait(600)
    refuse(cloud, "copy_template", monkeypatch)

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
        templates = cloud.manager.disks.pool_templates
        waits = templates.path(template.id, pool, host)
        waits.send(None)
        other = asyncio.ensure_future(templates.path(template.id, pool, host))
        await asyncio.sleep(0)
        waits.close()
        with pytest.raises(CloudError, match="on fire"):
            await other
        gc.collect()

    cloud.do(scenario())
    assert complaints == []


def test_a_template_in_use_stays_and_a_forced_deletion_leaves_what_disks_are_clones_of(cloud: Cloud) -> None:
    vm, removal, template = cloud.deploy(), cloud.manager.template_removal, cloud.template
    with pytest.raises(ResourceInUse, match="VM instances: web"):
        cloud.do(removal.delete(template.id))
    cloud.do(removal.delete(template.id, forced=True))
    assert cloud.table(Template)[template.id].state == "Inactive" and copies(cloud, template) == []
    assert cloud.table(TemplateOnPool).count("template_id", template.id) == 1
    with pytest.raises(InvalidParameterValue, match="Unable to find template"):
        cloud.manager.templates.active(cloud.table(Template)[template.id], iso=False)
    cloud.do(cloud.manager.vms.destroyed(cloud.admin, vm.id, expunge=True))
    assert vm.id not in cloud.table(VirtualMachine)
    cloud.do(removal.sweep_all())
    assert template.id not in cloud.table(Template) and len(cloud.table(TemplateOnPool)) == 0


def test_a_file_that_cannot_be_removed_keeps_its_template(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = register(cloud)
    cloud.wait(3600)
    refuse(cloud, "delete_image", monkeypatch)
    with pytest.raises(CloudError, match="on fire"):
        cloud.do(cloud.manager.template_removal.delete(template.id))
    assert cloud.table(Template)[template.id].state == "Active"
    assert [copy.state for copy in copies(cloud, template)] == ["Ready"]


def test_a_new_store_gets_the_cross_zone_templates(cloud: Cloud) -> None:
    template, only_here = register(cloud), register(cloud, "local", [cloud.zone])
    cloud.wait(3600)
    other = cloud.call(
        cloud.manager.zones.create,
        name="z2",
        network_type="Advanced",
        dns1="8.8.8.8",
        internal_dns1="8.8.8.8",
    )
    cloud.call(
        cloud.manager.image_stores.add, url="nfs://sim/z2/secondary", provider="NFS", zone=other, name="z2"
    )
    assert {copy.zone_id for copy in copies(cloud, template)} == {cloud.zone.id, other.id}
    assert {copy.zone_id for copy in copies(cloud, only_here)} == {cloud.zone.id}


def test_filters(cloud: Cloud) -> None:
    ann, bob = _account(cloud, "ann"), _account(cloud, "bob")
    public = register(cloud, "public", public=True)
    featured = register(cloud, "featured", public=True, featured=True)
    private = register(cloud, "private")
    shared = register(cloud, "shared")
    cloud.manager.templates.set_permissions(cloud.admin, shared, operation="add", accounts=[ann])

    def seen(account: Account, filter: str) -> set[str]:
        shows = shown_by(
            cloud.store, Caller(account), filter_named(filter), lambda owner: owner == account.id
        )
        return {t.name for t in cloud.table(Template) if shows(t)} - {cloud.template.name}

    assert seen(ann, "featured") == {"featured"} == {featured.name}
    assert seen(ann, "community") == {"public"} == {public.name}
    assert seen(ann, "executable") == {"public", "featured", "shared"}
    assert seen(bob, "executable") == {"public", "featured"}
    assert seen(ann, "sharedexecutable") == {"shared"} and seen(bob, "sharedexecutable") == set()
    assert seen(ann, "self") == set()
    assert seen(cloud.owner, "self") == {"public", "featured", "private", "shared"}
    assert {private.name, "SystemVM Template (Simulator)"} <= seen(cloud.owner, "all")
    with pytest.raises(CloudError, match="admins only"):
        seen(ann, "all")
    with pytest.raises(InvalidParameterValue, match="valid template filter"):
        seen(ann, "nonsense")


def _account(cloud: Cloud, name: str) -> Account:
    with cloud.store.transaction():
        made: Account = cloud.table(Account).insert(
            Account(id=f"account-{name}", name=name, type=0, domain_id=cloud.owner.domain_id)
        )
    return made


def test_sharing(cloud: Cloud) -> None:
    ann, template = _account(cloud, "ann"), register(cloud)
    share = cloud.manager.templates.set_permissions
    shared = share(cloud.admin, template, operation="add", accounts=[ann], public=True)
    assert shared.shared_with == (ann.id,) and shared.is_public
    assert share(cloud.admin, shared, operation="remove", accounts=[ann]).shared_with == ()
    reset = share(cloud.admin, shared, operation="reset")
    assert reset.shared_with == () and not reset.is_public
    with pytest.raises(InvalidParameterValue, match="either 'add' or 'remove'"):
        share(cloud.admin, template, accounts=[ann])


def test_the_table_of_a_copys_states_is_closed() -> None:
    assert all(after in NEXT for following in NEXT.values() for after in following)
