"""Kinds of hypervisor that the API knows, and what each can do."""

from __future__ import annotations

from uuid import NAMESPACE_OID, uuid5

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import HypervisorCapabilities
from cloudsim.store import Store

EXTERNAL = "External"
"""The hypervisor of hosts that the program of an extension sees to: no disk of theirs is the cloud's."""
HYPERVISORS = ("Simulator", "KVM", "XenServer", "VMware", "Hyperv", "LXC", "Ovm3", "BareMetal", "External")
SPELLED = {name.lower(): name for name in HYPERVISORS}
"""Their names by how they are written in lower case."""


def hypervisor_named(text: str) -> str:
    """The hypervisor's name as it is spelled on the wire. InvalidParameterValue for an unknown one."""
    name = SPELLED.get(text.strip().lower())
    if name is None:
        raise InvalidParameterValue(f"Unable to resolve {text} to a supported hypervisor type")
    return name


MOST_DATA_VOLUMES = 64
"""Data disks that an instance can have by its bus, whatever limit is set."""


def _built_in(hypervisor: str, max_guests: int, max_data_volumes: int) -> HypervisorCapabilities:
    version = "default"
    return HypervisorCapabilities(
        id=str(uuid5(NAMESPACE_OID, f"hypervisor capabilities {hypervisor} {version}")),
        hypervisor=hypervisor,
        version=version,
        max_guests=max_guests,
        max_data_volumes=max_data_volumes,
    )


BUILT_IN = (_built_in("Simulator", 50, 6), _built_in("KVM", 500, 64))


def all_capabilities(store: Store) -> list[HypervisorCapabilities]:
    """The capabilities of each hypervisor version that something is known of, as they are now."""
    changed = store.table(HypervisorCapabilities)
    return [changed.get(each.id) or each for each in BUILT_IN]


def capabilities_of(store: Store, hypervisor: str) -> HypervisorCapabilities:
    """The hypervisor's capabilities; a simulator's for one that nothing is known of."""
    known = all_capabilities(store)
    return next((each for each in known if each.hypervisor == hypervisor), known[0])


def change_capabilities(
    store: Store,
    row: HypervisorCapabilities,
    *,
    max_data_volumes: int | None = None,
    storage_motion: bool | None = None,
    vm_snapshots: bool | None = None,
) -> HypervisorCapabilities:
    """Limit what the hypervisor does from now on, or allow it again. What there is already stays."""
    if max_data_volumes is not None and not 1 <= max_data_volumes <= MOST_DATA_VOLUMES:
        raise InvalidParameterValue(
            f"maxdatavolumeslimit must be from 1 to {MOST_DATA_VOLUMES}, not {max_data_volumes}"
        )
    given = {
        "max_data_volumes": max_data_volumes,
        "storage_motion": storage_motion,
        "vm_snapshots": vm_snapshots,
    }
    table = store.table(HypervisorCapabilities)
    with store.transaction():
        if row.id not in table:
            table.insert(row)
        return table.update(row.id, **{name: value for name, value in given.items() if value is not None})
