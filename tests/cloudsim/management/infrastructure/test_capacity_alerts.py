"""An operator is told of capacity that runs out, once each time."""

from __future__ import annotations

from cloudsim.model import Alert, Cluster, StoragePool
from tests.cloudsim.management.cloud_harness import Cloud

CPU = "cluster.cpu.allocated.capacity.notificationthreshold"


def alerts(cloud: Cloud, name: str = "ALERT.CPU") -> list[Alert]:
    return [alert for alert in cloud.table(Alert) if alert.name == name]


def test_an_alert_is_raised_when_a_threshold_is_passed_and_again_after_that_was_over(cloud: Cloud) -> None:
    cluster = next(iter(cloud.table(Cluster)))
    cloud.manager.settings.set(CPU, "0.01", "Cluster", cluster.id)
    cloud.wait(700)
    assert alerts(cloud) == []
    vm = cloud.deploy()
    cloud.wait(700)
    (alert,) = alerts(cloud)
    assert (alert.type, alert.cluster_id, alert.pod_id, alert.zone_id) == (1, cluster.id, cluster.pod_id, cloud.zone.id)
    assert cluster.name in alert.description
    cloud.stop(vm)
    cloud.wait(700)
    assert len(alerts(cloud)) == 1
    cloud.do(cloud.manager.vms.start(vm.id))
    cloud.wait(700)
    assert len(alerts(cloud)) == 2


def test_the_shares_of_storage_and_of_a_zones_vlans_are_watched_too(cloud: Cloud) -> None:
    settings = cloud.manager.settings
    settings.set("cluster.storage.allocated.capacity.notificationthreshold", "0")
    settings.set("zone.vlan.capacity.notificationthreshold", "0", "Zone", cloud.zone.id)
    cloud.deploy()
    cloud.manager.capacity_alerts.check()
    assert [a.zone_id for a in alerts(cloud, "ALERT.STORAGE.ALLOCATED")] == [next(iter(cloud.table(StoragePool))).zone_id]
    assert alerts(cloud, "ALERT.NETWORK.VLAN") == [] and alerts(cloud) == []
    settings.set("capacity.check.period", "0")
    settings.set(CPU, "0")
    cloud.wait(3600)
    assert alerts(cloud) == []
