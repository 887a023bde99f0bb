"""How an instance looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

import msgspec

from cloudsim.management.compute.vm_hardware import firmware
from cloudsim.management.compute.vm_leases import days_left
from cloudsim.management.operations.details import shown as shown_details
from cloudsim.model import (
    AffinityGroup,
    BackupOffering,
    DiskOffering,
    GuestOs,
    Host,
    InstanceGroup,
    SecurityGroup,
    ServiceOffering,
    StoragePool,
    Template,
    User,
    UserData,
    VirtualMachine,
    Volume,
    Zone,
)
from cloudsim.model import Nic as NicRow
from server.api.command import Call
from server.api.commands.compute.usage_fields import KIB, usage_fields
from server.api.commands.infrastructure.control_state import control_state
from server.api.commands.network.nic_views import NicView
from server.api.views import Date, Long, TagView, View, date, owner, tags

Part = Literal[
    "all", "group", "nics", "stats", "secgrp", "tmpl", "servoff", "diskoff", "backoff", "iso", "volume", "min", "affgrp"
]
"""What `details` of a list may ask for beside the instance's own row."""
EVERYTHING: frozenset[str] = frozenset(get_args(Part))


def show_parts(call: Call, details: Sequence[str]) -> None:
    """Have the instances of this call show only the parts that `details` names; all where it names none."""
    call.cache["instance parts"] = EVERYTHING if not details or "all" in details else frozenset(details)


def _parts(call: Call) -> frozenset[str]:
    parts: frozenset[str] = call.cache.get("instance parts", EVERYTHING)
    return parts


class MemberGroupView(View):
    """An affinity group, as an instance shows it."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    type: str | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    projectid: str | None = None
    project: str | None = None


class MemberSecurityGroupView(View):
    """A security group, as an instance shows it."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    account: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    projectid: str | None = None
    project: str | None = None


class VirtualMachineView(View):
    """An instance."""

    entity: ClassVar = VirtualMachine
    key: ClassVar = "virtualmachine"

    id: str | None = None
    name: Annotated[str | None, "its host name"] = None
    displayname: str | None = None
    instancename: Annotated[str | None, "its name on the host, for root admins"] = None
    account: str | None = None
    userid: str | None = None
    username: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    created: Date | None = None
    lastupdated: Date | None = None
    state: str | None = None
    haenable: bool | None = None
    groupid: str | None = None
    group: str | None = None
    zoneid: str | None = None
    zonename: str | None = None
    hostid: Annotated[str | None, "where it runs, for admins"] = None
    hostname: str | None = None
    hostcontrolstate: str | None = None
    templateid: str | None = None
    templatename: str | None = None
    templatedisplaytext: str | None = None
    templatetype: str | None = None
    templateformat: str | None = None
    passwordenabled: bool | None = None
    password: Annotated[str | None, "only in the result of the job that made it"] = None
    isoid: Annotated[str | None, "the ISO in its drive"] = None
    isoname: str | None = None
    isodisplaytext: str | None = None
    boottype: Annotated[str | None, "Bios or Uefi"] = None
    bootmode: Annotated[str | None, "legacy or secure"] = None
    serviceofferingid: str | None = None
    serviceofferingname: str | None = None
    cpunumber: int | None = None
    cpuspeed: Annotated[int | None, "MHz"] = None
    memory: Annotated[int | None, "MiB"] = None
    gpucount: int | None = None
    backupofferingid: str | None = None
    backupofferingname: str | None = None
    guestosid: str | None = None
    ostypeid: str | None = None
    osdisplayname: str | None = None
    rootdeviceid: Long | None = None
    rootdevicetype: str | None = None
    pooltype: str | None = None
    nic: list[NicView] | None = None
    ipaddress: Annotated[str | None, "of its default NIC"] = None
    publicip: Annotated[str | None, "the address of its static NAT"] = None
    publicipid: str | None = None
    hypervisor: str | None = None
    details: dict[str, str] | None = None
    keypairs: Annotated[str | None, "names, comma separated"] = None
    affinitygroup: list[MemberGroupView] | None = None
    securitygroup: list[MemberSecurityGroupView] | None = None
    displayvm: bool | None = None
    isdynamicallyscalable: bool | None = None
    deleteprotection: bool | None = None
    leaseduration: Annotated[int | None, "days that are left of its lease"] = None
    leaseexpirydate: Date | None = None
    leaseexpiryaction: Annotated[str | None, "STOP or DESTROY"] = None
    userdata: str | None = None
    userdataid: str | None = None
    userdataname: str | None = None
    userdatadetails: Annotated[str | None, "the values of its variables, as JSON"] = None
    userdatapolicy: Annotated[str | None, "what becomes of its template's user data"] = None
    diskofferingid: Annotated[str | None, "of its root disk, where that has one of its own"] = None
    diskofferingname: str | None = None
    vmtype: str | None = None
    servicestate: Annotated[str | None, "UP or DOWN: what its load balancer finds"] = None
    arch: str | None = None
    cpuused: Annotated[str | None, "of its vCPUs, in percent, when it was measured last"] = None
    memorykbs: Annotated[Long | None, "KiB that it has"] = None
    memoryintfreekbs: Annotated[Long | None, "KiB of them that it does not use"] = None
    memorytargetkbs: Annotated[Long | None, "KiB that it is to have"] = None
    diskkbsread: Annotated[Long | None, "KiB since the measurement before"] = None
    diskkbswrite: Long | None = None
    diskioread: Annotated[Long | None, "operations since the measurement before"] = None
    diskiowrite: Long | None = None
    networkkbsread: Annotated[Long | None, "KiB since the measurement before"] = None
    networkkbswrite: Long | None = None
    tags: list[TagView] | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: VirtualMachine, call: Call) -> Self:
        table = call.store.table
        parts = _parts(call)
        nics = [NicView.of(nic, call) for nic in table(NicRow).where("vm_id", row.id)] if "nics" in parts else []
        nics.sort(key=lambda nic: int(nic.deviceid or 0))
        view = cls(
            id=row.id,
            name=row.name,
            displayname=row.display_name,
            created=date(row.created),
            lastupdated=date(row.updated),
            state=row.state,
            haenable=row.ha_enabled,
            zoneid=row.zone_id,
            templateid=row.template_id,
            serviceofferingid=row.service_offering_id,
            cpunumber=row.cpus,
            cpuspeed=row.cpu_mhz,
            memory=row.memory_mib,
            gpucount=row.gpus or None,
            guestosid=row.guest_os_id,
            ostypeid=row.guest_os_id,
            nic=nics if "nics" in parts else None,
            ipaddress=next((nic.ipaddress for nic in nics if nic.isdefault), None),
            hypervisor=row.hypervisor,
            details=shown_details(call.store, call.caller, row) or None,
            keypairs=",".join(row.key_pairs) or None,
            affinitygroup=[_group(i, call) for i in row.affinity_group_ids] if "affgrp" in parts else None,
            securitygroup=[_security_group(i, call) for i in row.security_group_ids] if "secgrp" in parts else None,
            userdatadetails=msgspec.json.encode(row.user_data_values).decode() if row.user_data_values else None,
            displayvm=row.display,
            isdynamicallyscalable=row.dynamically_scalable,
            deleteprotection=row.delete_protection,
            vmtype=row.type,
            tags=tags(call, row.id),
            **owner(call, row.account_id),
        )
        for nic in nics:
            if nic.publicip is not None and (view.publicip is None or nic.isdefault):
                view.publicip, view.publicipid = nic.publicip, nic.publicipid
        boot = firmware(row.details)
        view.boottype, view.bootmode = boot.type.capitalize(), "secure" if boot.secure else "legacy"
        lease = call.manager.vm_leases.of(row)
        if lease is not None:
            view.leaseduration = days_left(lease, call.manager.foundation.now())
            view.leaseexpirydate, view.leaseexpiryaction = date(lease.expires), lease.action
        view._told_by_others(row, table, parts)
        if "stats" in parts:
            view._show_usage(row, call)
        if call.caller.is_root_admin:
            view.instancename = row.instance_name
        if call.caller.is_admin:
            host = table(Host).get(row.host_id)
            if host is not None:
                view.hostid, view.hostname = host.id, host.name
                view.hostcontrolstate = control_state(host)
        return view

    def _show_usage(self, row: VirtualMachine, call: Call) -> None:
        usages, accumulate = call.manager.vm_usages, call.cache.get("accumulate")
        sample = usages.total(row.id) if accumulate else usages.latest(row.id)
        if sample is not None and (accumulate or row.state == "Running"):
            for field, value in usage_fields(sample, row.memory_mib * KIB).items():
                setattr(self, field, value)

    def _told_by_others(self, row: VirtualMachine, table: Any, parts: frozenset[str]) -> None:
        """Fill in what the rows say that the instance's row refers to."""
        zone = table(Zone).get(row.zone_id)
        template = table(Template).get(row.template_id) if "tmpl" in parts else None
        offering = table(ServiceOffering).get(row.service_offering_id) if "servoff" in parts else None
        self.zonename = zone.name if zone is not None else None
        self.serviceofferingname = offering.name if offering is not None else None
        if template is not None:
            self.templatename, self.templatedisplaytext = template.name, template.display_text
            self.templatetype, self.templateformat = template.type, template.format
            self.passwordenabled, self.arch = template.password_enabled, template.arch
            self.userdatapolicy = template.user_data_policy
        backups = table(BackupOffering).get(row.backup_offering_id) if "backoff" in parts else None
        if backups is not None:
            self.backupofferingid, self.backupofferingname = backups.id, backups.name
        iso = table(Template).get(row.iso_id) if "iso" in parts else None
        if iso is not None:
            self.isoid, self.isoname, self.isodisplaytext = iso.id, iso.name, iso.display_text
        guest_os = table(GuestOs).get(row.guest_os_id)
        self.osdisplayname = guest_os.description if guest_os is not None else None
        user = table(User).get(row.user_id)
        if user is not None:
            self.userid, self.username = user.id, user.username
        group = table(InstanceGroup).get(row.group_id) if "group" in parts else None
        if group is not None:
            self.groupid, self.group = group.id, group.name
        registered = table(UserData).get(row.user_data_id)
        if registered is not None:
            self.userdataid, self.userdataname = registered.id, registered.name
        if not parts.isdisjoint(("volume", "diskoff")):
            root = next((v for v in table(Volume).where("vm_id", row.id) if v.type == "ROOT"), None)
            if root is not None:
                self._show_root(root, table, parts)

    def _show_root(self, root: Volume, table: Any, parts: frozenset[str]) -> None:
        if "volume" in parts:
            pool = table(StoragePool).get(root.pool_id)
            self.rootdeviceid, self.rootdevicetype = root.device_id, "ROOT"
            self.pooltype = pool.type if pool is not None else None
        own = table(DiskOffering).get(root.disk_offering_id) if "diskoff" in parts else None
        if own is not None:
            self.diskofferingid, self.diskofferingname = own.id, own.name


def _group(group_id: str, call: Call) -> MemberGroupView:
    group = call.store.table(AffinityGroup).get(group_id)
    if group is None:
        return MemberGroupView(id=group_id)
    return MemberGroupView(
        id=group.id,
        name=group.name,
        description=group.description,
        type=group.type,
        **owner(call, group.account_id),
    )


def _security_group(group_id: str, call: Call) -> MemberSecurityGroupView:
    group = call.store.table(SecurityGroup).get(group_id)
    if group is None:
        return MemberSecurityGroupView(id=group_id)
    return MemberSecurityGroupView(
        id=group.id, name=group.name, description=group.description, **owner(call, group.account_id)
    )


class MinimalVirtualMachineView(VirtualMachineView):
    """The same with `details=min`: only what its own row says, for long lists."""

    @classmethod
    def of(cls, row: VirtualMachine, call: Call) -> Self:
        return cls(
            id=row.id,
            name=row.name,
            displayname=row.display_name,
            created=date(row.created),
            state=row.state,
            zoneid=row.zone_id,
            templateid=row.template_id,
            serviceofferingid=row.service_offering_id,
            cpunumber=row.cpus,
            cpuspeed=row.cpu_mhz,
            memory=row.memory_mib,
            hypervisor=row.hypervisor,
            hostid=row.host_id if call.caller.is_admin else None,
            **owner(call, row.account_id),
        )


def with_password(call: Call, vm: VirtualMachine, password: str | None) -> VirtualMachineView:
    """The instance, and the password that it has just been given: for the result of the job, and nowhere else."""
    view = VirtualMachineView.of(vm, call)
    view.password = password
    return view
