"""Kinds of hypervisor that the API knows, and what each can do."""

from __future__ import annotations

from typing import NamedTuple
from uuid import NAMESPACE_OID, uuid5

from cloudsim.errors import InvalidParameterValue

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


class HypervisorCapabilities(NamedTuple):
    """What a hypervisor version can do. The numbers are limits for one instance or one cluster."""

    hypervisor: str
    version: str
    max_guests: int
    max_data_volumes: int
    security_groups: bool
    storage_motion: bool
    vm_snapshots: bool
    max_hosts_per_cluster: int | None = None

    @property
    def id(self) -> str:
        return str(uuid5(NAMESPACE_OID, f"hypervisor capabilities {self.hypervisor} {self.version}"))


CAPABILITIES = (
    HypervisorCapabilities("Simulator", "default", 50, 6, True, True, True),
    HypervisorCapabilities("KVM", "default", 500, 64, True, True, True),
)


def capabilities_of(hypervisor: str) -> HypervisorCapabilities:
    """The hypervisor's capabilities; a simulator's for one that nothing is known of."""
    return next((each for each in CAPABILITIES if each.hypervisor == hypervisor), CAPABILITIES[0])
