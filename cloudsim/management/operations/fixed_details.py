"""Which details are decided elsewhere, by a parameter of a command that checks them, and so are not changed as details."""

from __future__ import annotations

from collections.abc import Callable

from cloudsim.management.compute.disk_traits import DISK_DETAIL
from cloudsim.management.compute.offerings import DEDICATION_MODE
from cloudsim.management.compute.vm_leases import ACTION, DURATION
from cloudsim.management.infrastructure.hosts import OS_CATEGORY
from cloudsim.management.network.network_offerings import DETAILS
from cloudsim.model import Host, NetworkOffering, ServiceOffering, StoragePool
from cloudsim.store import Row

_SIZES = frozenset({"mincpunumber", "maxcpunumber", "minmemory", "maxmemory", DEDICATION_MODE, DURATION, ACTION})

_OF_POOLS = frozenset({"capacityiops", "hypervisor", "rbd.user", "rbd.secret"})


def _of_service_offering(key: str) -> bool:
    return key in _SIZES or key.startswith(DISK_DETAIL)


def _of_network_offering(key: str) -> bool:
    return key.lower() in DETAILS


FIXED_DETAILS: dict[type[Row], Callable[[str], bool]] = {
    ServiceOffering: _of_service_offering,
    NetworkOffering: _of_network_offering,
    Host: OS_CATEGORY.__eq__,
    StoragePool: _OF_POOLS.__contains__,
}
"""Of each row type with such details: whether a key is one of them."""
