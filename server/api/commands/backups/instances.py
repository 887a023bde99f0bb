"""Instances made of backups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.deploy_request import NicRequest
from cloudsim.management.storage.volume_sizes import GIB
from cloudsim.model import Backup, DiskOffering, Network, ServiceOffering, Template, VirtualMachine, Zone
from server.api.command import Call, Job, command
from server.api.commands.compute.deployed_disks import data_disks
from server.api.commands.compute.deployment import Asked, Deployment, Source, deployed, prepared
from server.api.commands.compute.virtual_machine_views import VirtualMachineView
from server.api.ownership import Owner
from server.api.parameters import Param


@command(
    "createVMFromBackup", view=VirtualMachineView, job=True, creates=VirtualMachine, group="Backup", since="4.21.0"
)
async def create_vm_from_backup(
    call: Call,
    *,
    owner: Owner,
    zoneid: Zone,
    backupid: Annotated[Backup, Param("whose disks its own are to hold", access="operate")],
    serviceofferingid: Annotated[ServiceOffering | None, Param("by default that of the backup's instance")] = None,
    templateid: Annotated[Template | None, Param("by default that of the backup's instance")] = None,
    preserveip: Annotated[bool, Param("whether it gets the addresses and MACs of the backup's instance")] = False,
    asked: Deployment,
) -> Job:
    """Makes another instance whose disks hold what a backup does, and starts it. Its networks, offerings and the sizes
    of its disks are by default those of the backup's instance; datadisksdetails tell its data disks by their deviceid.
    """
    from_backups: Any = call.manager.from_backups
    from_backups.check_usable(backupid, zoneid.id)
    was = backupid.vm_details
    template = templateid or _named(call, Template, was, "templateid")
    offering = serviceofferingid or _named(call, ServiceOffering, was, "serviceofferingid")
    root_offering, root_size = from_backups.root(backupid, *_root_asked(asked, template))
    data = (None, None) if template.format == "ISO" else (asked.diskofferingid, asked.size)
    disks = data_disks(call, *data, asked.datadisksdetails, iso=False)
    made = prepared(
        call,
        asked,
        owner=owner,
        zone=zoneid,
        offering=offering,
        source=Source(template, was["hypervisor"]),
        template_id=template.id,
        nics=_nics(call, asked, was, preserveip),
        root_size=root_size,
        root_offering_id=root_offering,
        data_disks=from_backups.data_disks(backupid, disks),
        cpus=int(was["cpunumber"]) if offering.cpus is None else None,
        cpu_mhz=int(was["cpuspeed"]) if offering.cpu_mhz is None else None,
        memory_mib=int(was["memory"]) if offering.memory_mib is None else None,
    )
    return deployed(call, asked, made, template, lambda vm: from_backups.fill(vm, backupid))


def _named(call: Call, row_type: Any, was: Mapping[str, str], parameter: str) -> Any:
    """What the backup's instance had, if it is still there and the caller may use it."""
    found = call.resolve(row_type, was[parameter], "use")
    if found is None:
        raise InvalidParameterValue(f"{parameter} must be given: that of the backup's instance is gone")
    return found


def _root_asked(asked: Asked, template: Template) -> tuple[DiskOffering | None, int | None]:
    """The offering and the bytes that are asked for of the root disk: with an ISO, those of diskofferingid."""
    override, size = asked.overridediskofferingid, asked.rootdisksize
    if template.format == "ISO" and asked.diskofferingid is not None:
        if override is not None:
            raise InvalidParameterValue(
                "Parameters diskofferingid and overridediskofferingid exclude each other: with an ISO both say the root disk"
            )
        override, size = asked.diskofferingid, asked.size if asked.size is not None else size
    return override, None if size is None else size * GIB


def _nics(call: Call, asked: Asked, was: Mapping[str, str], keep: bool) -> tuple[NicRequest, ...]:
    """The NICs that the backup's instance had on networks that are still there; none where others are asked for."""
    if asked.networkids is not None or asked.iptonetworklist:
        if keep:
            named = "networkids" if asked.networkids is not None else "iptonetworklist"
            raise InvalidParameterValue(f"Parameters {named} and preserveip exclude each other")
        return ()
    found = []
    for nic in msgspec.json.decode(was["nics"]):
        if call.resolve(Network, nic["networkid"], "use") is None:
            raise InvalidParameterValue("networkids must be given: a network of the backup's instance is gone")
        addresses = (nic["ipaddress"], nic["macaddress"]) if keep else (None, None)
        found.append(NicRequest(nic["networkid"], *addresses))
    return tuple(found)
