"""What a deployment asks for."""

from __future__ import annotations

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.disk_plan import DataDisk
from cloudsim.model import Account, SecurityGroup

EXPECTED_LIFETIME = "expected.lifetime"
"""The detail by which an owner says for how many seconds an instance will be needed."""


class NicRequest(msgspec.Struct, frozen=True):
    """A NIC to make at deployment; addresses and MAC are chosen where None."""

    network_id: str
    ip: str | None = None
    mac: str | None = None
    ip6: str | None = None


class DeployRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What `deployVirtualMachine` asks for. One of template, snapshot and volume is what it starts from. With an ISO as
    template, the first of `data_disks` is the root disk. `hypervisor` says on which hosts it runs where no template
    does. `root_offering_id` names a disk offering for the root disk. `cpus`, `cpu_mhz`, `memory_mib` are for customized
    offerings. `id` is that which the instance is to get.

    Without `nics`, the instance gets one on the zone's default guest network. `password` is for its guest to set.
    `dhcp_options` are further ones of its NICs' leases, by network.
    Without `security_groups`, it is in its account's default one, on a network that has them.
    """

    zone_id: str
    service_offering_id: str
    owner: Account
    template_id: str | None = None
    snapshot_id: str | None = None
    volume_id: str | None = None
    id: str | None = None
    hypervisor: str = ""
    name: str | None = None
    display_name: str | None = None
    nics: tuple[NicRequest, ...] = ()
    dhcp_options: dict[str, dict[str, str]] = {}
    root_size: int | None = None
    root_offering_id: str | None = None
    root_iops: tuple[int | None, int | None] = (None, None)
    data_disks: tuple[DataDisk, ...] = ()
    cpus: int | None = None
    cpu_mhz: int | None = None
    memory_mib: int | None = None
    key_pairs: tuple[str, ...] = ()
    user_data: str | None = None
    user_data_id: str | None = None
    user_data_values: dict[str, str] = {}
    affinity_group_ids: tuple[str, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    group: str | None = None
    display: bool = True
    dynamic_scaling: bool = True
    password: str | None = None
    details: dict[str, str] = {}
    expected_ms: int | None = None


def expected_ms(request: DeployRequest) -> int | None:
    """For how many ms the instance will be needed, if the request says so. Raises InvalidParameterValue."""
    text = request.details.get(EXPECTED_LIFETIME)
    if text is None:
        return request.expected_ms
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e10:
        raise InvalidParameterValue(f"details: {EXPECTED_LIFETIME}: expected seconds, more than 0, got {text!r}")
    return round(1000 * seconds)
