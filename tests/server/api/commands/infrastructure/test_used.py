"""What instances really use of hosts, clusters and zones, in the lists with figures."""

from __future__ import annotations

from typing import Any

from cloudsim.model import Host
from tests.server.api.commands.cloud_api import CloudApi


def one(cloud_api: CloudApi, command: str, key: str, **filters: Any) -> dict[str, Any]:
    (row,) = cloud_api.listed(command, key, **filters)
    return row


def number(text: str) -> float:
    return float(text.rstrip("%").split()[0])


def test_hosts_and_what_they_are_in_tell_what_is_used_of_them_once_it_was_measured(
    cloud_api: CloudApi,
) -> None:
    vm = cloud_api.cloud.deploy("web")
    host = cloud_api.store.table(Host)[vm.host_id]
    assert "cpuused" not in one(cloud_api, "listHostsMetrics", "host", id=host.id)
    assert one(cloud_api, "listZonesMetrics", "zone")["cpuused"] == "0.00%"
    cloud_api.cloud.wait(1800)
    used = one(cloud_api, "listVirtualMachinesMetrics", "virtualmachine")
    shown = one(cloud_api, "listHostsMetrics", "host", id=host.id)
    mhz = number(used["cpuused"]) / 100 * vm.cpus * host.cpu_mhz
    assert abs(number(shown["cpuusedghz"]) - mhz / 1000) <= 0.01
    assert abs(number(shown["cpuused"]) - 100 * mhz / (host.cpus * host.cpu_mhz)) <= 0.01
    assert shown["memoryused"] == (used["memorykbs"] - used["memoryintfreekbs"]) << 10
    assert shown["networkkbsread"] == used["networkkbsread"] > 0
    assert shown["cputhreshold"] is shown["memorydisablethreshold"] is False
    assert (shown["instances"], shown["systeminstances"]) == ("1 / 1", "0 / 0")
    cluster = one(cloud_api, "listClustersMetrics", "cluster", id=host.cluster_id)
    zone = one(cloud_api, "listZonesMetrics", "zone", id=host.zone_id)
    assert number(cluster["cpuused"]) > 0 < number(zone["memoryused"])
    cloud_api.admin(
        "updateConfiguration", name="cluster.cpu.allocated.capacity.notificationthreshold", value="0"
    )
    assert one(cloud_api, "listHostsMetrics", "host", id=host.id)["cputhreshold"] is True


def test_what_a_host_used_that_is_lost_counts_no_more(cloud_api: CloudApi) -> None:
    vm = cloud_api.cloud.deploy("web")
    cloud_api.cloud.wait(1800)
    uses = cloud_api.manager.host_uses
    host = cloud_api.store.table(Host)[vm.host_id]
    assert uses.within(host.zone_id) == uses.within(host.cluster_id) == uses.of(host.id) != (0, 0, 0, 0)

    def lose() -> None:
        with cloud_api.store.transaction():
            cloud_api.store.table(Host).update(host.id, state="Down")

    cloud_api.cloud.call(lose)
    assert uses.within(host.zone_id) == (0, 0, 0, 0) and uses.of(host.id) is None


def test_pools_tell_whether_they_are_nearly_full(cloud_api: CloudApi) -> None:
    cloud_api.volume(size=2)
    pool = one(cloud_api, "listStoragePoolsMetrics", "storagepool")
    assert pool["storageusagethreshold"] is pool["storageusagedisablethreshold"] is False
    name = "pool.storage.capacity.disablethreshold"
    cloud_api.admin("updateConfiguration", name=name, value="0", storageid=pool["id"])
    cloud_api.cloud.deploy("web")
    cloud_api.cloud.wait(300)
    assert one(cloud_api, "listStoragePoolsMetrics", "storagepool")["storageusagedisablethreshold"] is True
