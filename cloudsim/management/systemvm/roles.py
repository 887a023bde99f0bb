"""What a system VM is told that it is, by its row."""

from __future__ import annotations

from cloudsim.model import ImageStore, SystemVm
from cloudsim.protocol.specs import SystemVmSpec
from cloudsim.store import Store


def system_spec(store: Store, vm_id: str) -> SystemVmSpec | None:
    """What makes the instance a system VM, as its host needs to know it; None for a user's instance."""
    row = store.table(SystemVm).get(vm_id)
    if row is None:
        return None
    if row.kind == "DomainRouter":
        return SystemVmSpec("vpcrouter" if row.vpc_id is not None else "router", row.mode)
    if row.kind == "InternalLoadBalancerVm":
        return SystemVmSpec("ilb", row.mode)
    if row.kind == "ConsoleProxy":
        return SystemVmSpec("consoleproxy")
    stores = store.table(ImageStore)
    urls = [each.url for each in stores if each.zone_id in (row.zone_id, None)]
    return SystemVmSpec("secstorage", stores=tuple(urls))
