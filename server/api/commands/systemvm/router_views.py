"""How virtual routers look."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from cloudsim.management.systemvm.system_vms import SystemVms
from cloudsim.model import (
    Host,
    IpRange,
    Network,
    Nic,
    Pod,
    PublicIpv6,
    RouterHealthCheck,
    ServiceOffering,
    SystemVm,
    Template,
    VirtualMachine,
    Vpc,
    Zone,
)
from server.api.command import Call
from server.api.commands.infrastructure.control_state import control_state
from server.api.commands.network.nic_views import NicView
from server.api.views import Date, View, date, owner

SOFTWARE = "1.0"
"""The version of the software in the system VM template."""


class HealthCheckView(View):
    """What a router found when it checked itself."""

    entity: ClassVar[Any] = None
    key: ClassVar = "healthchecks"

    checkname: str | None = None
    checktype: str | None = None
    success: bool | None = None
    status: Annotated[str | None, "SUCCESS or FAILED"] = None
    details: str | None = None
    lastupdated: Date | None = None

    @classmethod
    def of(cls, row: RouterHealthCheck, call: Call) -> Self:
        return cls(
            checkname=row.name,
            checktype=row.type,
            success=row.success,
            status="SUCCESS" if row.success else "FAILED",
            details=row.details or None,
            lastupdated=date(row.updated),
        )


class RouterView(View):
    """A virtual router, a VPC's router, or an internal load balancer."""

    entity: ClassVar = SystemVm
    key: ClassVar = "router"

    id: str | None = None
    name: str | None = None
    state: str | None = None
    role: Annotated[str | None, "VIRTUAL_ROUTER or INTERNAL_LB_VM"] = None
    zoneid: str | None = None
    zonename: str | None = None
    podid: str | None = None
    podname: str | None = None
    hostid: Annotated[str | None, "for root admins"] = None
    hostname: Annotated[str | None, "for root admins"] = None
    hostcontrolstate: Annotated[str | None, "for root admins"] = None
    hypervisor: str | None = None
    dns1: str | None = None
    dns2: str | None = None
    networkdomain: str | None = None
    gateway: Annotated[str | None, "of its public side"] = None
    publicip: str | None = None
    publicmacaddress: str | None = None
    publicnetmask: str | None = None
    publicnetworkid: str | None = None
    guestipaddress: str | None = None
    guestmacaddress: str | None = None
    guestnetmask: str | None = None
    guestnetworkid: str | None = None
    guestnetworkname: str | None = None
    templateid: str | None = None
    templatename: str | None = None
    created: Date | None = None
    account: str | None = None
    projectid: str | None = None
    project: str | None = None
    domainid: str | None = None
    domain: str | None = None
    domainpath: str | None = None
    serviceofferingid: str | None = None
    serviceofferingname: str | None = None
    isredundantrouter: bool | None = None
    redundantstate: str | None = None
    version: str | None = None
    softwareversion: str | None = None
    vpcid: str | None = None
    vpcname: str | None = None
    nic: list[NicView] | None = None
    requiresupgrade: Annotated[bool | None, "whether there is a newer system VM template"] = None
    healthchecksfailed: bool | None = None
    healthcheckresults: list[HealthCheckView] | None = None
    arch: str | None = None
    hasannotations: bool | None = None

    @classmethod
    def of(cls, row: SystemVm, call: Call) -> Self:
        store = call.store
        vm = store.table(VirtualMachine)[row.id]
        zone = store.table(Zone)[row.zone_id]
        template = store.table(Template).get(vm.template_id)
        offering = store.table(ServiceOffering).get(vm.service_offering_id)
        checks = store.table(RouterHealthCheck).where("router_id", row.id)
        view = cls(
            id=row.id,
            name=vm.instance_name,
            state=vm.state,
            role="INTERNAL_LB_VM" if row.kind == "InternalLoadBalancerVm" else "VIRTUAL_ROUTER",
            zoneid=zone.id,
            zonename=zone.name,
            hypervisor=vm.hypervisor or None,
            dns1=zone.dns1,
            dns2=zone.dns2,
            publicip=row.public_ip,
            templateid=template.id if template is not None else None,
            templatename=template.name if template is not None else None,
            created=date(row.created),
            serviceofferingid=vm.service_offering_id,
            serviceofferingname=offering.name if offering is not None else None,
            isredundantrouter=False,
            redundantstate="UNKNOWN",
            version=SOFTWARE,
            softwareversion=SOFTWARE,
            requiresupgrade=needs_upgrade(row, call),
            healthchecksfailed=any(not check.success for check in checks),
        )
        view._show_place(vm, call)
        view._show_owner(row, call)
        view._show_nics(call)
        return view

    def _show_place(self, vm: VirtualMachine, call: Call) -> None:
        pod = call.store.table(Pod).get(vm.pod_id)
        if pod is not None and vm.host_id is not None:
            self.podid, self.podname = pod.id, pod.name
        host = call.store.table(Host).get(vm.host_id)
        if host is not None and call.caller.is_root_admin:
            self.hostid, self.hostname, self.arch = host.id, host.name, host.arch
            self.hostcontrolstate = control_state(host)

    def _show_owner(self, row: SystemVm, call: Call) -> None:
        vpc = call.store.table(Vpc).get(row.vpc_id)
        network = call.store.table(Network).get(row.network_id)
        if vpc is not None:
            self.vpcid, self.vpcname, self.networkdomain = vpc.id, vpc.name, vpc.network_domain
        elif network is not None:
            self.networkdomain = network.network_domain
        served = vpc or network
        if served is not None:
            for name, value in owner(call, served.account_id).items():
                setattr(self, name, value)

    def _show_nics(self, call: Call) -> None:
        networks = call.store.table(Network)
        nics = sorted(call.store.table(Nic).where("vm_id", self.id), key=lambda nic: nic.device_id)
        specs = call.manager.nics
        for nic in nics:
            network, spec = networks[nic.network_id], specs.spec(nic)
            if network.traffic_type == "Public":
                self.publicmacaddress, self.publicnetmask = nic.mac, spec.netmask
                self.publicnetworkid, self.gateway = network.id, spec.gateway
            elif network.traffic_type == "Guest" and self.guestnetworkid is None:
                self.guestipaddress, self.guestmacaddress, self.guestnetmask = nic.ip, nic.mac, spec.netmask
                self.guestnetworkid, self.guestnetworkname = network.id, network.name
        self.nic = [NicView.of(nic, call) for nic in nics]
        for view in self.nic:
            _show_ipv6(view, call)


def _show_ipv6(nic: NicView, call: Call) -> None:
    """The router's IPv6 address there: the one outside, or its guests' gateway."""
    router = call.store.table(SystemVm).get(nic.virtualmachineid)
    network = call.store.table(Network).get(nic.networkid)
    if router is None or network is None or router.kind != "DomainRouter":
        return
    if network.traffic_type == "Public":
        addresses = call.store.table(PublicIpv6)
        served = ("network_id", router.network_id) if router.vpc_id is None else ("vpc_id", router.vpc_id)
        own = addresses.find(*served)
        found = call.store.table(IpRange).get(own.range_id) if own is not None else None
        if own is not None and found is not None:
            nic.ip6address, nic.ip6cidr, nic.ip6gateway = own.ip, found.ip6_cidr, found.ip6_gateway
    elif network.guest_type == "Isolated" and network.ip6_cidr is not None:
        nic.ip6address, nic.ip6cidr = network.ip6_gateway, network.ip6_cidr


def needs_upgrade(row: SystemVm, call: Call) -> bool:
    """Whether there is a newer system VM template than the one it was made from."""
    system_vms: SystemVms = call.manager.system_vms
    newest = system_vms.template(call.store.table(Zone)[row.zone_id])
    return row.mode == "VirtualMachine" and newest is not None and newest.id != row.template_version
