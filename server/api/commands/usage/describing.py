"""What a record of usage is about, in words."""

from __future__ import annotations

from cloudsim.management.usage import types
from cloudsim.model import (
    DiskOffering,
    Network,
    NetworkOffering,
    SecurityGroup,
    ServiceOffering,
    Template,
    VirtualMachine,
    Vpc,
    VpcOffering,
)
from cloudsim.model.usage import Use
from cloudsim.store import Row, Store

GIB = 1 << 30


def described(store: Store, use: Use) -> str:
    """The thing, what of it was used, and what it was made from: with the names that these have now."""
    text = f"{_what(store, use)} {_named(use.name, use.resource_id)}"
    if use.type in (types.RUNNING_VM, types.ALLOCATED_VM):
        offering = _thing(store, use.offering_id, ServiceOffering)
        return (
            f"{text} with compute offering {offering} and template {_thing(store, use.template_id, Template)}"
        )
    if use.type in (types.NETWORK_OFFERING, types.SECURITY_GROUP):
        thing = (
            _thing(store, use.offering_id, NetworkOffering)
            if use.type == types.NETWORK_OFFERING
            else _thing(store, use.resource_id, SecurityGroup)
        )
        return f"{_what(store, use)} {thing} of instance {_named(use.name, use.vm_id or '')}"
    if use.type == types.VOLUME:
        text += f" with disk offering {_thing(store, use.offering_id, DiskOffering, ServiceOffering)}"
    elif use.type == types.NETWORK:
        text += f" with network offering {_thing(store, use.offering_id, NetworkOffering)}"
    elif use.type == types.VPC:
        text += f" with VPC offering {_thing(store, use.offering_id, VpcOffering)}"
    elif use.vm_id is not None:
        text += f" of instance {_thing(store, use.vm_id, VirtualMachine)}"
    if use.size is not None:
        text += f", {use.size / GIB:.3g} GiB"
    return text


def described_as_of_old(use: Use) -> str:
    """The same as CloudStack said it before 4.13: ids alone."""
    name, of = use.name or use.resource_id, use.type
    if of in (types.RUNNING_VM, types.ALLOCATED_VM):
        what = "running" if of == types.RUNNING_VM else "allocated"
        return f"{name} {what} time (ServiceOffering: {use.offering_id}) (Template: {use.template_id})"
    if of == types.VOLUME:
        made_from = f" and template {use.template_id}" if use.template_id else ""
        return f"Volume Id: {use.resource_id} usage time with disk offering {use.offering_id}{made_from}"
    if of == types.NETWORK_OFFERING:
        return f"Network offering:{use.offering_id} for Vm : {use.vm_id} usage time"
    if of == types.SECURITY_GROUP:
        return f"Security Group: {use.resource_id} for Vm : {use.vm_id} usage time"
    if of == types.IP_ADDRESS:
        return f"IPAddress: {name}"
    return f"{types.USAGE_TYPES[of].description}, id: {use.resource_id}"


_WHAT = {
    types.RUNNING_VM: "Running time of instance",
    types.ALLOCATED_VM: "Time of instance",
    types.IP_ADDRESS: "Address",
    types.VOLUME: "Volume",
    types.TEMPLATE: "Template",
    types.ISO: "ISO",
    types.SNAPSHOT: "Snapshot",
    types.SECURITY_GROUP: "Security group",
    types.LOAD_BALANCER: "Load balancer rule",
    types.PORT_FORWARDING: "Port forwarding rule",
    types.NETWORK_OFFERING: "Network offering",
    types.VPN_USER: "VPN user",
    types.DISK_READS: "Reads from volume",
    types.DISK_WRITES: "Writes to volume",
    types.DISK_BYTES_READ: "Bytes read from volume",
    types.DISK_BYTES_WRITTEN: "Bytes written to volume",
    types.VM_SNAPSHOT: "Snapshot",
    types.VOLUME_SECONDARY: "Volume in secondary storage",
    types.NETWORK: "Network",
    types.VPC: "VPC",
}


def _what(store: Store, use: Use) -> str:
    if use.type in (types.BYTES_SENT, types.BYTES_RECEIVED):
        way = "sent by" if use.type == types.BYTES_SENT else "received by"
        return f"Bytes {way} {'network' if use.network_id else 'VPC'} {_thing(store, use.resource_id, Network, Vpc)}"
    return _WHAT[use.type]


def _thing(store: Store, row_id: str | None, *row_types: type[Row]) -> str:
    for row_type in row_types:
        row = store.table(row_type).get(row_id)
        if row is not None:
            return _named(getattr(row, "name", ""), row.id)
    return row_id or "none"


def _named(name: str, row_id: str) -> str:
    return f"{name} ({row_id})" if name else row_id
