"""Templates on primary storage before anything needs them, and kinds of templates that there are not."""

from __future__ import annotations

from cloudsim.model import TemplateOnPool
from tests.server.api.api_harness import refused
from tests.server.api.commands.cloud_api import CloudApi


def test_a_template_is_brought_to_the_pools_of_a_zone(cloud_api: CloudApi) -> None:
    template = cloud_api.cloud.template
    asked = {"zoneid": cloud_api.zone, "templateid": template.id}
    (told,) = cloud_api.admin("prepareTemplate", **asked)["template"]
    assert (told["id"], told["zoneid"]) == (template.id, cloud_api.zone)
    (pool,) = cloud_api.listed("listStoragePools", "storagepool")
    (copy,) = cloud_api.store.table(TemplateOnPool).where("pool_id", pool["id"])
    assert (copy.template_id, copy.state) == (template.id, "Ready")
    assert copy.path in cloud_api.cloud.world.pool(pool["path"].strip("/")).contents
    assert cloud_api.admin("prepareTemplate", **asked, storageid=pool["id"])["template"]
    cloud_api.admin("updateStoragePool", id=pool["id"], enabled=False)
    assert "Up" in refused(431, cloud_api.admin, "prepareTemplate", **asked, storageid=pool["id"]).text
    refused(401, cloud_api.account("ann"), "prepareTemplate", **asked)


def test_templates_that_are_not_supported_are_refused(cloud_api: CloudApi) -> None:
    asked = {
        "name": "t",
        "displaytext": "t",
        "hypervisor": "Simulator",
        "format": "QCOW2",
        "zoneid": cloud_api.zone,
        "url": "http://images.example/t.qcow2?size=1g",
    }
    assert "directdownload" in refused(431, cloud_api.admin, "registerTemplate", **asked, directdownload=True).text
    assert "deployasis" in refused(431, cloud_api.admin, "registerTemplate", **asked, deployasis=True).text
