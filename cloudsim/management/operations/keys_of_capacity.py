"""Configuration keys of the shares of capacity at which an operator is told."""

from __future__ import annotations

from cloudsim.management.operations.configuration_key import ConfigurationKey as key


def _threshold(name: str, what: str, *scopes: str) -> key:
    return key(
        f"{name}.capacity.notificationthreshold",
        "0.75",
        "number",
        f"Share of {what} above which an alert is raised",
        scopes=scopes,
        minimum=0,
        maximum=1,
        category="Alert",
    )


OF_CAPACITY: tuple[key, ...] = (
    key(
        "capacity.check.period",
        "300000",
        "integer",
        "Milliseconds between looks at whether capacity has passed a threshold; 0 for none",
        category="Alert",
        minimum=0,
    ),
    _threshold("cluster.cpu.allocated", "a cluster's CPU that is promised", "Cluster"),
    _threshold("cluster.memory.allocated", "a cluster's memory that is promised", "Cluster"),
    _threshold("cluster.storage.allocated", "the space that a cluster's pools may promise", "Cluster"),
    _threshold("cluster.storage", "the space of a cluster's pools that is used", "Cluster"),
    _threshold("pod.privateip", "a pod's management addresses in use"),
    _threshold("zone.virtualnetwork.publicip", "a zone's public addresses in use", "Zone"),
    _threshold("zone.directnetwork.publicip", "the addresses of a zone's shared networks in use", "Zone"),
    _threshold("zone.secstorage", "a zone's secondary storage in use", "Zone"),
    _threshold("zone.vlan", "a zone's guest VLANs in use", "Zone"),
)
