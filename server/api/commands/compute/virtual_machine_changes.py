"""Changing what an instance is called and carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from cloudsim.management.compute.user_data import MAX_BYTES
from cloudsim.management.network.dhcp_options import of_networks
from cloudsim.model import Account, AffinityGroup, GuestOs, SecurityGroup, UserData, VirtualMachine
from server.api.command import Call, Job, command
from server.api.commands.compute.deployment import affinity_groups_named, security_groups_named
from server.api.commands.compute.virtual_machine_views import VirtualMachineView, with_password
from server.api.commands.compute.virtual_machines import GROUP
from server.api.ownership import NamedOwner, check_named
from server.api.parameters import Param
from server.api.views import View

UserDataValues = Annotated[
    Mapping[str, str] | None,
    Param("values of the variables in its user data, which the guest finds in its metadata", since="4.18"),
]


@command("updateVirtualMachine", view=VirtualMachineView, group=GROUP)
async def update_virtual_machine(
    call: Call,
    *,
    id: VirtualMachine,
    name: Annotated[str | None, Param("its host name; only while it is stopped")] = None,
    displayname: str | None = None,
    group: str | None = None,
    haenable: bool | None = None,
    ostypeid: GuestOs | None = None,
    userdata: Annotated[str | None, Param("base64", length=MAX_BYTES)] = None,
    userdataid: UserData | None = None,
    userdatadetails: UserDataValues = None,
    displayvm: bool | None = None,
    isdynamicallyscalable: bool | None = None,
    deleteprotection: bool | None = None,
    details: Mapping[str, str] | None = None,
    cleanupdetails: bool = False,
    securitygroupids: Annotated[
        Sequence[SecurityGroup] | None, Param("those that it is in from now on; only while it is stopped")
    ] = None,
    securitygroupnames: Sequence[str] | None = None,
    leaseduration: Annotated[
        int | None, Param("days, from now, that its lease still lasts; -1 to end it", since="4.21.0")
    ] = None,
    leaseexpiryaction: Annotated[
        Literal["STOP", "DESTROY"] | None, Param("what is done to it when its lease expires", since="4.21.0")
    ] = None,
    dhcpoptionsnetworklist: Annotated[
        Sequence[Mapping[str, str]] | None,
        Param("further DHCP options instead of those before: networkid, and dhcp:NUMBER or dhcp:NAME with a value for each"),
    ] = None,
) -> VirtualMachine:
    """Changes an instance."""
    options = of_networks(dhcpoptionsnetworklist or (), "dhcpoptionsnetworklist")
    call.manager.nic_changes.check_dhcp_options(id, options)
    call.manager.vm_leases.check_change(id, leaseduration, leaseexpiryaction)
    vm: VirtualMachine = call.manager.vm_changes.update(
        call.caller,
        id,
        name=name or None,
        display_name=displayname or None,
        group=group,
        guest_os=ostypeid,
        user_data=userdata,
        user_data_row=userdataid,
        user_data_values=userdatadetails,
        display=displayvm,
        ha_enabled=haenable,
        dynamically_scalable=isdynamicallyscalable,
        delete_protection=deleteprotection,
        details=details,
        cleanup_details=cleanupdetails,
        security_groups=security_groups_named(
            call, call.store.table(Account)[id.account_id], securitygroupids, securitygroupnames
        ),
    )
    call.manager.vm_leases.change(call.caller, vm, leaseduration, leaseexpiryaction)
    await call.manager.nic_changes.set_dhcp_options(vm, options)
    return vm


@command("resetSSHKeyForVirtualMachine", view=VirtualMachineView, job=True, group=GROUP)
async def reset_ssh_key(
    call: Call,
    *,
    id: VirtualMachine,
    named: NamedOwner,
    keypair: str | None = None,
    keypairs: Sequence[str] | None = None,
) -> Job:
    """Gives a stopped instance other SSH keys."""
    check_named(named, id.account_id, f"instance {id.name}")
    names = [*([keypair] if keypair else []), *(keypairs or [])]
    call.manager.vm_changes.check_keys(id, names)
    return Job(lambda: call.manager.vm_changes.set_keys(call.caller, id.id, names), id)


@command("resetPasswordForVirtualMachine", view=VirtualMachineView, job=True, group=GROUP)
async def reset_password(
    call: Call,
    *,
    id: VirtualMachine,
    password: Annotated[str | None, Param("by default a random one")] = None,
) -> Job:
    """Gives a stopped instance a password that its guest sets at the next start."""
    passwords = call.manager.vm_passwords

    async def work() -> View:
        given = passwords.check_reset(call.store.table(VirtualMachine)[id.id], password)
        return with_password(call, await passwords.reset(call.caller, id.id, given), given)

    return Job(work, id)


@command("resetUserDataForVirtualMachine", view=VirtualMachineView, group=GROUP)
async def reset_user_data(
    call: Call,
    *,
    id: VirtualMachine,
    named: NamedOwner,
    userdata: Annotated[str | None, Param("base64", length=MAX_BYTES)] = None,
    userdataid: UserData | None = None,
    userdatadetails: UserDataValues = None,
) -> VirtualMachine:
    """Gives a stopped instance other user data."""
    check_named(named, id.account_id, f"instance {id.name}")
    vm: VirtualMachine = call.manager.vm_changes.set_user_data(
        call.caller, id, userdata, userdataid, userdatadetails
    )
    return vm


@command("updateVMAffinityGroup", view=VirtualMachineView, job=True, group="Affinity Group")
async def update_vm_affinity_group(
    call: Call,
    *,
    id: VirtualMachine,
    affinitygroupids: Annotated[Sequence[AffinityGroup] | None, Param(access="use")] = None,
    affinitygroupnames: Sequence[str] | None = None,
) -> Job:
    """Puts a stopped instance into exactly these affinity groups."""
    wanted = affinity_groups_named(call, id.account_id, affinitygroupids, affinitygroupnames)
    groups = [call.store.table(AffinityGroup)[group_id] for group_id in wanted]
    call.manager.vm_changes.check_affinity(id, groups)
    return Job(lambda: call.manager.vm_changes.set_affinity(call.caller, id.id, groups), id)


class UserDataOfVirtualMachineView(View):
    """The user data that an instance carries."""

    key: ClassVar = "virtualmachineuserdata"

    virtualmachineid: str | None = None
    userdata: Annotated[str | None, "base64"] = None


@command("getVirtualMachineUserData", view=UserDataOfVirtualMachineView, group=GROUP)
async def get_user_data(
    call: Call, *, virtualmachineid: Annotated[VirtualMachine, Param(access="operate")]
) -> UserDataOfVirtualMachineView:
    """Tells the user data of an instance."""
    return UserDataOfVirtualMachineView(
        virtualmachineid=virtualmachineid.id, userdata=virtualmachineid.user_data or ""
    )
