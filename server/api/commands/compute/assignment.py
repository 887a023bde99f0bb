"""Instances and volumes that get another owner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.identity import visibility
from cloudsim.model import Account, Domain, Network, Project, SecurityGroup, VirtualMachine, Volume
from server.api.command import ADMINS, Call, command
from server.api.commands.compute.virtual_machine_views import VirtualMachineView
from server.api.commands.storage.volume_view import VolumeView
from server.api.ownership import resolve_owner
from server.api.parameters import Param


@command("assignVirtualMachine", view=VirtualMachineView, roles=ADMINS, group="Virtual Machine", since="3.0.0")
async def assign_virtual_machine(
    call: Call,
    *,
    virtualmachineid: VirtualMachine,
    account: Annotated[str | None, Param("the account that is to have it; with domainid")] = None,
    domainid: Domain | None = None,
    projectid: Annotated[Project | None, Param("or the project that is to have it")] = None,
    networkids: Annotated[
        Sequence[Network] | None, Param("its networks then, the default one first; by default the account's own", access="use")
    ] = None,
    securitygroupids: Annotated[Sequence[SecurityGroup] | None, Param("its security groups then")] = None,
) -> VirtualMachine:
    """Gives a stopped instance, with its disks, to another account or project."""
    if projectid is None and (account is None or domainid is None):
        raise InvalidParameterValue("Parameters account and domainid, or projectid, say who is to have the instance")
    owner = resolve_owner(call.store, call.caller, account, domainid, projectid)
    vm: VirtualMachine
    vm, left = call.manager.vm_assignment.assign(
        call.caller, virtualmachineid, owner, networkids or (), securitygroupids or ()
    )
    for network_id in left:
        for hook in call.manager.vms.expunging.on_left:
            hook(network_id)
    return vm


@command("assignVolume", view=VolumeView, roles=ADMINS, group="Volume", since="4.18.0")
async def assign_volume(
    call: Call,
    *,
    volumeid: Volume,
    accountid: Annotated[Account | None, Param("the account that is to have it")] = None,
    projectid: Annotated[Project | None, Param("or the project that is to have it")] = None,
) -> Volume:
    """Gives a volume that is attached to nothing to another account or project."""
    if (accountid is None) == (projectid is None):
        raise InvalidParameterValue("Give either accountid or projectid")
    owner = accountid if accountid is not None else resolve_owner(call.store, call.caller, None, None, projectid)
    visibility.check(call.store, call.caller, owner)
    assigned: Volume = call.manager.vm_assignment.assign_volume(call.caller, volumeid, owner)
    return assigned
