"""Changes to what an instance is called and carries: names, group, user data, keys, affinity groups, details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.compute.affinity_groups import AffinityGroups
from cloudsim.management.compute.instance_groups import InstanceGroups
from cloudsim.management.compute.linked_user_data import with_linked
from cloudsim.management.compute.user_data import checked, checked_values
from cloudsim.management.compute.vm_hardware import check_hardware
from cloudsim.management.compute.vm_names import HOST_NAME
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.network.security_groups import SecurityGroups
from cloudsim.management.operations.details import EXTERNAL
from cloudsim.model import (
    Account,
    AffinityGroup,
    GuestOs,
    Network,
    Nic,
    SecurityGroup,
    ServiceOffering,
    SshKeyPair,
    Template,
    UserData,
    VirtualMachine,
)


class VmChanges:
    """Changes that need nothing of the instance's host."""

    def __init__(
        self,
        foundation: Foundation,
        instance_groups: InstanceGroups,
        security_groups: SecurityGroups,
        affinity_groups: AffinityGroups,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._vms = foundation.table(VirtualMachine)
        self._instance_groups = instance_groups
        self._security_groups = security_groups
        self._affinity_groups = affinity_groups

    def update(
        self,
        caller: Caller,
        vm: VirtualMachine,
        *,
        name: str | None = None,
        display_name: str | None = None,
        group: str | None = None,
        guest_os: GuestOs | None = None,
        user_data: str | None = None,
        user_data_row: UserData | None = None,
        user_data_values: Mapping[str, str] | None = None,
        display: bool | None = None,
        ha_enabled: bool | None = None,
        dynamically_scalable: bool | None = None,
        delete_protection: bool | None = None,
        details: Mapping[str, str] | None = None,
        cleanup_details: bool = False,
        security_groups: Sequence[SecurityGroup] | None = None,
    ) -> VirtualMachine:
        """Change what is not None; records VM.UPDATE. Host name and security groups only while it is Stopped.

        Details for the program of an extension stay, which those who change others may not see.
        """
        if dynamically_scalable:
            self._check_scalable(vm)
        if details is not None:
            check_hardware(details)
        fields: dict[str, Any] = {
            "display_name": display_name,
            "display": display,
            "ha_enabled": ha_enabled,
            "dynamically_scalable": dynamically_scalable,
            "delete_protection": delete_protection,
            "guest_os_id": guest_os.id if guest_os is not None else None,
        }
        fields = {field: value for field, value in fields.items() if value is not None}
        if name is not None and name != vm.name:
            fields["name"] = self._checked_name(vm, name)
        if user_data is not None or user_data_row is not None:
            fields |= self._user_data(vm, user_data, user_data_row, user_data_values)
        elif user_data_values is not None:
            fields["user_data_values"] = checked_values(user_data_values, vm.user_data)
        unseen = {key: value for key, value in vm.details.items() if key.startswith(EXTERNAL)}
        if cleanup_details:
            fields["details"] = unseen
        elif details is not None:
            fields["details"] = unseen | dict(details)
        if security_groups is not None:
            fields["security_group_ids"] = self._security_group_ids(vm, security_groups)
        with self._store.transaction():
            if group is not None:
                fields["group_id"] = self._group(vm, group)
            vm = self._vms.update(vm.id, **fields, updated=vm.updated)
            self._tell(caller, vm, "VM.UPDATE", "Successfully completed updating Vm")
        return vm

    def _security_group_ids(self, vm: VirtualMachine, groups: Sequence[SecurityGroup]) -> tuple[str, ...]:
        if vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Virtual machine must be stopped prior to update security groups; {vm.name} is {vm.state}"
            )
        networks = self._foundation.table(Network)
        on = [networks[nic.network_id] for nic in self._foundation.table(Nic).where("vm_id", vm.id)]
        owner = self._foundation.table(Account)[vm.account_id]
        self._security_groups.check_choice(owner, on, groups)
        return self._security_groups.choice(owner, on, groups)

    def _check_scalable(self, vm: VirtualMachine) -> None:
        offering = self._foundation.table(ServiceOffering).get(vm.service_offering_id)
        if offering is not None and not offering.dynamic_scaling:
            raise InvalidParameterValue(
                f"Dynamic Scaling cannot be enabled for the VM {vm.name} since its service offering does not have it enabled"
            )
        if not self._foundation.settings.boolean("enable.dynamic.scale.vm", "Zone", vm.zone_id):
            raise InvalidParameterValue(
                f"Dynamic Scaling cannot be enabled for the VM {vm.name}: enable.dynamic.scale.vm is false in its zone"
            )

    def _checked_name(self, vm: VirtualMachine, name: str) -> str:
        if vm.state != "Stopped":
            raise InvalidParameterValue(
                f"name can only be changed while Vm {vm.name} is Stopped, it is {vm.state}"
            )
        if not HOST_NAME.match(name) or name.isdigit():
            raise InvalidParameterValue(
                f"Invalid name {name!r}: a host name has 1 to 63 letters, digits and hyphens"
            )
        for other in self._vms.where("name", name):
            if other.account_id == vm.account_id and other.zone_id == vm.zone_id:
                raise InvalidParameterValue(f"The vm with hostName {name} already exists for the account")
        return name

    def _user_data(
        self, vm: VirtualMachine, text: str | None, row: UserData | None, values: Mapping[str, str] | None
    ) -> dict[str, Any]:
        if text and row is not None:
            raise InvalidParameterValue("Parameters userdata and userdataid exclude each other")
        own = row.user_data if row is not None else checked(text) if text else None
        template = self._foundation.table(Template).get(vm.template_id)
        given, given_id = with_linked(self._foundation, template, own, row.id if row is not None else None)
        return {
            "user_data": given or "",
            "user_data_id": given_id,
            "user_data_values": checked_values(values, given),
        }

    def _group(self, vm: VirtualMachine, name: str) -> str | None:
        if not name:
            return None
        return self._instance_groups.ensure(self._foundation.table(Account)[vm.account_id], name).id

    def set_user_data(
        self,
        caller: Caller,
        vm: VirtualMachine,
        text: str | None,
        row: UserData | None,
        values: Mapping[str, str] | None = None,
    ) -> VirtualMachine:
        """Give a Stopped instance other user data; records VM.RESETUSERDATA."""
        if vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Vm {vm.name} should be stopped to do UserData reset; it is in state {vm.state}"
            )
        fields = self._user_data(vm, text, row, values)
        with self._store.transaction():
            vm = self._vms.update(vm.id, **fields)
            self._tell(caller, vm, "VM.RESETUSERDATA", "Successfully reset the user data of Vm")
        return vm

    def check_keys(self, vm: VirtualMachine, names: Sequence[str]) -> None:
        """Raise unless the instance could be given those keys now."""
        if vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Vm {vm.name} should be stopped to do SSH Key reset; it is in state {vm.state}"
            )
        if not names:
            raise InvalidParameterValue("keypair or keypairs must be given")
        for name in names:
            if self._foundation.table(SshKeyPair).find(("account_id", "name"), (vm.account_id, name)) is None:
                raise InvalidParameterValue(f"Not all specified keyparis exist: the account has none of name {name}")

    async def set_keys(self, caller: Caller, vm_id: str, names: Sequence[str]) -> VirtualMachine:
        """Give a Stopped instance other SSH keys; records VM.RESETSSHKEY."""
        vm = self._vms[vm_id]
        self.check_keys(vm, names)
        with self._store.transaction():
            vm = self._vms.update(vm_id, key_pairs=tuple(dict.fromkeys(names)))
            self._tell(caller, vm, "VM.RESETSSHKEY", "Successfully reset the SSH keys of Vm")
        return vm

    def check_affinity(self, vm: VirtualMachine, groups: Sequence[AffinityGroup]) -> None:
        """Raise unless the instance can be put into these groups now."""
        if vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Unable update affinity groups of {vm.name} while it is in state {vm.state}: it must be Stopped"
            )
        owner = self._foundation.table(Account)[vm.account_id]
        for group in groups:
            self._affinity_groups.check_use(owner, group)

    async def set_affinity(
        self, caller: Caller, vm_id: str, groups: Sequence[AffinityGroup]
    ) -> VirtualMachine:
        """Put a Stopped instance into exactly these groups; records VM.AFFINITY.GROUP.UPDATE."""
        vm = self._vms[vm_id]
        self.check_affinity(vm, groups)
        with self._store.transaction():
            vm = self._vms.update(vm_id, affinity_group_ids=tuple(dict.fromkeys(g.id for g in groups)))
            self._tell(
                caller, vm, "VM.AFFINITY.GROUP.UPDATE", "Successfully updated the affinity groups of Vm"
            )
        return vm

    def _tell(self, caller: Caller, vm: VirtualMachine, type: str, text: str) -> None:
        self._foundation.events.record(
            type,
            f"{text}. Vm Id: {vm.id}",
            caller=caller,
            account_id=vm.account_id,
            domain_id=vm.domain_id,
            resource_id=vm.id,
            resource_type="VirtualMachine",
        )
