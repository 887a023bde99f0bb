"""A host that is deleted by force, with what is on its own storage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.api.api_harness import refused
from tests.server.api.cloud_harness import TwoRacks


@pytest.fixture
def cloud() -> Iterator[TwoRacks]:
    made = TwoRacks()
    yield made
    made.cloud.close()


def test_instances_and_volumes_on_its_storage_go_with_it(cloud: TwoRacks) -> None:
    cloud.admin("updateZone", id=cloud.zone, localstorageenabled=True)
    first = cloud.listed("listHosts", "host", type="Routing")[0]
    cloud.run(cloud.manager.primary_storage.mount_on(cloud.host(first["name"])))
    asked = {"name": "own", "displaytext": "own", "cpunumber": 1, "cpuspeed": 500, "memory": 512}
    own = cloud.admin("createServiceOffering", **asked, storagetype="local")["serviceoffering"]["id"]
    vm, elsewhere = cloud.deploy("web", serviceofferingid=own, hostid=first["id"]), cloud.deploy("other")
    if elsewhere["hostid"] == first["id"]:
        cloud.admin("migrateVirtualMachine", virtualmachineid=elsewhere["id"])
    assert "holds 1 volumes" in refused(536, cloud.admin, "deleteHost", id=first["id"], forced=True).text
    cloud.admin("deleteHost", id=first["id"], forcedestroylocalstorage=True)
    assert cloud.admin("listVirtualMachines", id=vm["id"]) == {} and cloud.admin("listHosts", id=first["id"]) == {}
    assert set(cloud.running()) == {elsewhere["instancename"]}
