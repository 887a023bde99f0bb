"""Console proxies and secondary storage VMs: looked at, started, stopped, moved, resized, removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.model import (
    ConsoleSession,
    Host,
    IpRange,
    Network,
    Nic,
    Pod,
    PublicIp,
    ServiceOffering,
    StoragePool,
    SystemVm,
    Template,
    VirtualMachine,
    Volume,
    Zone,
)
from server.api.command import ROOT, Call, Job, Listed, command
from server.api.commands.infrastructure.control_state import control_state
from server.api.commands.systemvm.router_views import SOFTWARE
from server.api.listing import Page, Paging, listed
from server.api.parameters import Param, one_of
from server.api.views import Date, View, date

GROUP = "System VM"
TYPES = {"ConsoleProxy": "consoleproxy", "SecondaryStorageVm": "secondarystoragevm"}
"""The kinds as the API calls them."""


class SystemVmView(View):
    """A console proxy or a secondary storage VM."""

    entity: ClassVar = SystemVm
    key: ClassVar = "systemvm"

    id: str | None = None
    name: str | None = None
    systemvmtype: Annotated[str | None, "consoleproxy or secondarystoragevm"] = None
    state: str | None = None
    agentstate: Annotated[str | None, "Up while it answers"] = None
    zoneid: str | None = None
    zonename: str | None = None
    podid: str | None = None
    podname: str | None = None
    hostid: str | None = None
    hostname: str | None = None
    hostcontrolstate: str | None = None
    hypervisor: str | None = None
    dns1: str | None = None
    dns2: str | None = None
    networkdomain: str | None = None
    gateway: str | None = None
    privateip: str | None = None
    privatemacaddress: str | None = None
    privatenetmask: str | None = None
    publicip: str | None = None
    publicmacaddress: str | None = None
    publicnetmask: str | None = None
    publicvlan: list[str] | None = None
    templateid: str | None = None
    templatename: str | None = None
    created: Date | None = None
    activeviewersessions: int | None = None
    version: str | None = None
    isdynamicallyscalable: bool | None = None
    serviceofferingid: str | None = None
    serviceofferingname: str | None = None
    arch: str | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: SystemVm, call: Call) -> Self:
        store = call.store
        vm, zone = store.table(VirtualMachine)[row.id], store.table(Zone)[row.zone_id]
        template = store.table(Template).get(vm.template_id)
        offering = store.table(ServiceOffering).get(vm.service_offering_id)
        host, pod = store.table(Host).get(vm.host_id), store.table(Pod).get(vm.pod_id)
        view = cls(
            id=row.id,
            name=vm.instance_name,
            systemvmtype=TYPES[row.kind],
            state=vm.state,
            agentstate=row.agent_state,
            zoneid=zone.id,
            zonename=zone.name,
            podid=pod.id if pod is not None else None,
            podname=pod.name if pod is not None else None,
            hostid=host.id if host is not None else None,
            hostname=host.name if host is not None else None,
            hostcontrolstate=control_state(host) if host is not None else None,
            arch=host.arch if host is not None else None,
            hypervisor=vm.hypervisor or None,
            dns1=zone.dns1,
            dns2=zone.dns2,
            networkdomain=zone.domain,
            privateip=row.private_ip,
            publicip=row.public_ip,
            templateid=template.id if template is not None else None,
            templatename=template.name if template is not None else None,
            created=date(row.created),
            version=SOFTWARE,
            isdynamicallyscalable=vm.dynamically_scalable,
            serviceofferingid=vm.service_offering_id,
            serviceofferingname=offering.name if offering is not None else None,
        )
        if row.kind == "ConsoleProxy":
            sessions = store.table(ConsoleSession).where("proxy_id", row.id)
            view.activeviewersessions = sum(session.state == "Acquired" for session in sessions)
        view._show_nics(call)
        return view

    def _show_nics(self, call: Call) -> None:
        networks = call.store.table(Network)
        for nic in call.store.table(Nic).where("vm_id", self.id):
            spec = call.manager.nics.spec(nic)
            if networks[nic.network_id].traffic_type == "Public":
                self.publicmacaddress, self.publicnetmask = nic.mac, spec.netmask
                self.gateway = spec.gateway
            else:
                self.privatemacaddress, self.privatenetmask = nic.mac, spec.netmask
        ip = call.store.table(PublicIp).find(("zone_id", "ip"), (self.zoneid, self.publicip))
        found = call.store.table(IpRange).get(ip.range_id) if ip is not None else None
        if found is not None:
            self.publicvlan = [f"vlan://{found.vlan or 'untagged'}"]


def system_vm(row: SystemVm) -> SystemVm:
    """The row, if it is a console proxy or a secondary storage VM. Raises InvalidParameterValue."""
    if row.kind not in TYPES:
        raise InvalidParameterValue(f"Unable to find a system vm with id {row.id}: it is a {row.kind}")
    return row


@command("listSystemVms", view=SystemVmView, group=GROUP, roles=ROOT)
async def list_system_vms(
    call: Call,
    *,
    page: Page,
    id: SystemVm | None = None,
    name: str | None = None,
    state: str | None = None,
    systemvmtype: Annotated[str | None, one_of("consoleproxy", "secondarystoragevm")] = None,
    zoneid: Zone | None = None,
    podid: Pod | None = None,
    hostid: Host | None = None,
    storageid: Annotated[StoragePool | None, Param("those with their root disk on that pool")] = None,
    arch: Literal["x86_64", "aarch64", "s390x"] | None = None,
) -> Listed:
    """Lists console proxies and secondary storage VMs."""
    vms, volumes = call.store.table(VirtualMachine), call.store.table(Volume)
    hosts = call.store.table(Host)
    if systemvmtype is not None and systemvmtype.lower() not in TYPES.values():
        raise InvalidParameterValue(f"systemvmtype is one of {', '.join(TYPES.values())}, not {systemvmtype}")

    def keep(row: SystemVm) -> bool:
        vm = vms[row.id]
        return (
            row.kind in TYPES
            and (systemvmtype is None or TYPES[row.kind] == systemvmtype.lower())
            and (name is None or vm.instance_name.lower() == name.lower())
            and (state is None or vm.state.lower() == state.lower())
            and (podid is None or vm.pod_id == podid.id)
            and (hostid is None or vm.host_id == hostid.id)
            and (arch is None or ((host := hosts.get(vm.host_id)) is not None and host.arch == arch))
            and (storageid is None or any(v.pool_id == storageid.id for v in volumes.where("vm_id", vm.id)))
            and (page.keyword is None or page.keyword.lower() in vm.instance_name.lower())
        )

    whole: Paging = replace(page, keyword=None)  # which is looked for in the machine's name, above
    return listed(
        call,
        SystemVm,
        page=whole,
        ids=None if id is None else [id],
        equal={"zone_id": zoneid and zoneid.id},
        keep=keep,
    )


@command("startSystemVm", view=SystemVmView, job=True, event="SYSTEMVM.START", group=GROUP, roles=ROOT)
async def start_system_vm(call: Call, *, id: SystemVm) -> Job:
    """Starts a system VM."""
    system_vm(id)

    async def work() -> SystemVm:
        started: SystemVm = await call.manager.system_vms.started(id.id)
        return started

    return Job(work, id)


@command("stopSystemVm", view=SystemVmView, job=True, event="SYSTEMVM.STOP", group=GROUP, roles=ROOT)
async def stop_system_vm(call: Call, *, id: SystemVm, forced: bool = False) -> Job:
    """Stops a system VM until somebody starts it."""
    system_vm(id)

    async def work() -> SystemVm:
        stopped: SystemVm = await call.manager.system_vms.stopped(id.id, forced=forced)
        return stopped

    return Job(work, id)


@command("rebootSystemVm", view=SystemVmView, job=True, event="SYSTEMVM.REBOOT", group=GROUP, roles=ROOT)
async def reboot_system_vm(
    call: Call, *, id: SystemVm, forced: Annotated[bool, Param("pull the plug instead of shutting it down")] = False
) -> Job:
    """Restarts a system VM."""
    system_vm(id)

    async def work() -> SystemVm:
        started: SystemVm = await call.manager.system_vms.rebooted(id.id, forced=forced)
        return started

    return Job(work, id)


@command("destroySystemVm", view=SystemVmView, job=True, event="SYSTEMVM.DESTROY", group=GROUP, roles=ROOT)
async def destroy_system_vm(call: Call, *, id: SystemVm) -> Job:
    """Removes a system VM; another one is made where its zone needs it."""
    view = SystemVmView.of(system_vm(id), call)

    async def work() -> SystemVmView:
        await call.manager.system_vms.destroyed(id.id)
        return view

    return Job(work, id)


@command("migrateSystemVm", view=SystemVmView, job=True, event="SYSTEMVM.MIGRATE", group=GROUP, roles=ROOT)
async def migrate_system_vm(
    call: Call,
    *,
    virtualmachineid: Annotated[SystemVm, Param("the system VM or router")],
    hostid: Annotated[Host | None, Param("where to; chosen if not given")] = None,
    storageid: Annotated[StoragePool | None, Param("not supported")] = None,
    autoselect: Annotated[bool | None, Param("false: only where hostid says")] = None,
) -> Job:
    """Moves a running system VM to another host."""
    row = system_vm(virtualmachineid)
    if hostid is None and autoselect is False:
        raise InvalidParameterValue("hostid must be given, or autoselect be true")
    if storageid is not None:
        raise InvalidParameterValue("storageid is not supported: a system VM's disk is made anew, not moved")
    call.manager.migration.check(
        call.store.table(VirtualMachine)[row.id], hostid.id if hostid is not None else None
    )

    async def work() -> SystemVm:
        await call.manager.migration.migrate(call.caller, row.id, hostid.id if hostid is not None else None)
        return call.store.table(SystemVm)[row.id]

    return Job(work, row)


@command("changeServiceForSystemVm", view=SystemVmView, event="SYSTEMVM.UPGRADE", group=GROUP, roles=ROOT)
async def change_service_for_system_vm(
    call: Call,
    *,
    id: SystemVm,
    serviceofferingid: Annotated[ServiceOffering, Param("a system offering for its kind")],
    details: Annotated[Mapping[str, str] | None, Param("not supported: system offerings are fixed")] = None,
) -> SystemVm:
    """Gives a stopped system VM another size."""
    if details:
        raise InvalidParameterValue("details are not supported: the sizes of system offerings are fixed")
    changed: SystemVm = call.manager.system_vms.change_offering(system_vm(id), serviceofferingid)
    return changed


@command("scaleSystemVm", view=SystemVmView, job=True, event="SYSTEMVM.UPGRADE", group=GROUP, roles=ROOT)
async def scale_system_vm(
    call: Call,
    *,
    id: SystemVm,
    serviceofferingid: Annotated[ServiceOffering, Param("a system offering for its kind")],
    details: Annotated[Mapping[str, str] | None, Param("not supported: system offerings are fixed")] = None,
) -> Job:
    """Gives a stopped system VM another size."""
    if details:
        raise InvalidParameterValue("details are not supported: the sizes of system offerings are fixed")
    call.manager.system_vms.check_offering(system_vm(id), serviceofferingid)

    async def work() -> SystemVm:
        changed: SystemVm = call.manager.system_vms.change_offering(id, serviceofferingid)
        return changed

    return Job(work, id)
