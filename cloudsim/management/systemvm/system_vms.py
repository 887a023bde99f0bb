"""The life of a system VM: allocated, started, asked, stopped, replaced, removed.

It is a VirtualMachine like any other, so that placement, capacity, disks and power reports know it without more, and a
SystemVm row of the same id says what it is for. Its disk holds nothing worth keeping: a new one serves as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Literal, TypeVar

import msgspec

from cloudsim.errors import CloudError, InsufficientCapacity, InvalidParameterValue, ResourceUnavailable
from cloudsim.management.compute.vms import VirtualMachines
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import Identity
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.network.nics import Nics
from cloudsim.management.network.public_ips import PublicIps
from cloudsim.management.network.system_networks import SystemNetworks
from cloudsim.management.operations.jobs import Jobs
from cloudsim.management.storage.disks import Disks
from cloudsim.management.systemvm.roles import system_spec
from cloudsim.model import (
    Host,
    Network,
    Nic,
    PodIp,
    PublicIp,
    RouterHealthCheck,
    ServiceOffering,
    SystemVm,
    Template,
    TemplateOnStore,
    VirtualMachine,
    Vpc,
    Zone,
)
from cloudsim.model.operations import JOB_FAILED
from cloudsim.model.systemvm import SystemVmKind
from cloudsim.protocol.commands import SystemVmAnswer, SystemVmCommand
from cloudsim.protocol.specs import SystemVmSpec
from cloudsim.protocol.systemvm import AnyReply, AnyRequest

T = TypeVar("T")
Mode = Literal["VirtualMachine", "Namespace"]

PREFIX: dict[SystemVmKind, str] = {
    "ConsoleProxy": "v",
    "SecondaryStorageVm": "s",
    "DomainRouter": "r",
    "InternalLoadBalancerVm": "b",
}
OFFERING: dict[SystemVmKind, str] = {
    "ConsoleProxy": "consoleproxy",
    "SecondaryStorageVm": "secondarystoragevm",
    "DomainRouter": "domainrouter",
    "InternalLoadBalancerVm": "internalloadbalancervm",
}
"""The kinds as system service offerings call them."""
NUMBERED = re.compile(r"[vsrb]-(\d+)-")
ASK_WITHIN = 60.0
"""Seconds within which a system VM has to reply."""


class GuestLeg(msgspec.Struct, frozen=True):
    """A NIC on a guest network, with an address that need not be one for guests; None: one of those."""

    network: Network
    ip: str | None


class SystemVms:
    """All system VMs of one cloud. `spawn` runs a coroutine in the background."""

    def __init__(
        self,
        foundation: Foundation,
        identity: Identity,
        jobs: Jobs,
        agents: Agents,
        vms: VirtualMachines,
        disks: Disks,
        nics: Nics,
        networks: SystemNetworks,
        public_ips: PublicIps,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._identity = identity
        self._jobs = jobs
        self._agents = agents
        self._vms = vms
        self._disks = disks
        self._nics = nics
        self._networks = networks
        self._public_ips = public_ips
        self.rows = foundation.table(SystemVm)
        self._machines = foundation.table(VirtualMachine)
        self._templates = foundation.table(Template)
        self._on_store = foundation.table(TemplateOnStore)
        self._randomness = foundation.randomness.branch("system vms")
        machines = (self._machines.get(row.id) for row in self.rows)
        numbers = (NUMBERED.match(vm.instance_name) for vm in machines if vm is not None)
        self._number = max((int(found[1]) for found in numbers if found is not None), default=0)
        vms.expunging.on_expunge.append(self._going)
        self.on_gone: list[Callable[[SystemVm], None]] = []
        """Called in the transaction that removes one."""

    # what they are made of

    def template(self, zone: Zone) -> Template | None:
        """The newest system VM template that is ready in the zone."""
        found = [
            template
            for template in self._templates
            if template.type == "SYSTEM"
            and template.state == "Active"
            and any(
                copy.zone_id == zone.id and copy.state == "Ready"
                for copy in self._on_store.where("template_id", template.id)
            )
        ]
        return max(found, key=lambda template: template.created, default=None)

    def offering(self, kind: SystemVmKind, wanted: str | None = None) -> ServiceOffering:
        """The service offering `wanted`, or the default one of that kind. Raises InvalidParameterValue."""
        table = self._foundation.table(ServiceOffering)
        chosen = table.get(wanted)
        if chosen is not None and chosen.state == "Active":
            return chosen
        for each in table:
            if each.is_system and each.default_use and each.system_vm_type == OFFERING[kind]:
                return each
        raise InvalidParameterValue(f"There is no default system offering for a {OFFERING[kind]}")

    def mode(self, kind: SystemVmKind, zone: Zone) -> Mode:
        """Whether one of that kind is a machine, or as the zone's `router.mode` may say a namespace on its host."""
        if kind not in ("DomainRouter", "InternalLoadBalancerVm"):
            return "VirtualMachine"
        wanted = self._foundation.settings.get("router.mode", "Zone", zone.id)
        return "Namespace" if wanted == "Namespace" else "VirtualMachine"

    def spec(self, vm: VirtualMachine) -> SystemVmSpec | None:
        """What makes the instance a system VM, as its host needs to know it; None for a user's instance."""
        return system_spec(self._store, vm.id)

    # making

    def allocate(
        self,
        kind: SystemVmKind,
        zone: Zone,
        *,
        network: Network | None = None,
        vpc: Vpc | None = None,
        legs: tuple[GuestLeg, ...] = (),
        public: PublicIp | None = None,
        service_offering_id: str | None = None,
    ) -> SystemVm:
        """The rows of a new one, Stopped. Console proxies and storage VMs get a public and a management NIC.

        A router's `public` address is its network's. Raises InsufficientCapacity where the zone has no system VM
        template that is ready.
        """
        mode = self.mode(kind, zone)
        template = self.template(zone)
        if template is None and mode == "VirtualMachine":
            raise InsufficientCapacity(f"Zone {zone.name} has no system VM template that is ready")
        offering = self.offering(kind, service_offering_id)
        owner = self._identity.system()[0]
        with self._store.transaction():
            self._number += 1
            ending = self._foundation.settings.get("instance.name")
            name = f"{PREFIX[kind]}-{self._number}-{ending}"
            now = self._foundation.now()
            vm = self._machines.insert(
                VirtualMachine(
                    id=self._randomness.uuid(),
                    name=name,
                    display_name=name,
                    instance_name=name,
                    account_id=owner.id,
                    domain_id=owner.domain_id,
                    zone_id=zone.id,
                    template_id=template.id if template is not None else "",
                    service_offering_id=offering.id,
                    cpus=offering.cpus or 1,
                    cpu_mhz=offering.cpu_mhz or 500,
                    memory_mib=offering.memory_mib or 256,
                    hypervisor=template.hypervisor if template is not None else "",
                    guest_os_id=template.guest_os_id if template is not None else None,
                    type=kind,
                    ha_enabled=True,
                    created=now,
                    updated=now,
                )
            )
            if mode == "VirtualMachine" and template is not None:
                self._disks.allocate_root(vm, template, None)
            own = kind in ("ConsoleProxy", "SecondaryStorageVm")
            if own:
                public = self._public_ips.take_for_system(zone)
                management = self._networks.of(zone, "Management", owner.id)
                self._nics.allocate(vm, management, default=False, device=0)
            for device, leg in enumerate(legs):
                ip = leg.ip if leg.ip is not None else self._nics.address(leg.network)
                self._nics.allocate(vm, leg.network, ip=ip, default=False, device=device, reserved=True)
            if public is not None:
                outside = self._networks.of(zone, "Public", owner.id)
                device = 1 if own else len(legs)
                self._nics.allocate(vm, outside, ip=public.ip, default=True, device=device, reserved=True)
            return self.rows.insert(
                SystemVm(
                    id=vm.id,
                    kind=kind,
                    zone_id=zone.id,
                    network_id=network.id if network is not None else None,
                    vpc_id=vpc.id if vpc is not None else None,
                    mode=mode,
                    public_ip=public.ip if public is not None else None,
                    guest_ip=legs[0].ip if legs else None,
                    template_version=template.id if template is not None else "",
                    created=now,
                )
            )

    async def deploy(self, kind: SystemVmKind, zone: Zone, **what: Any) -> SystemVm:
        """Allocate one and start it. One that cannot be started is removed again, and the reason raised."""
        row = self.allocate(kind, zone, **what)
        try:
            return await self.in_turn(row.id, "startSystemVm", partial(self.started, row.id))
        except CloudError:
            vm = self._machines.get(row.id)
            if vm is not None and vm.state in ("Stopped", "Error"):
                await self.in_turn(row.id, "destroySystemVm", partial(self.destroyed, row.id))
            raise

    def take_pod_address(self, vm: VirtualMachine, host: Host) -> None:
        """Before it starts on the host: its management NIC gets an address of the host's pod. Raises InsufficientCapacity."""
        row = self.rows.get(vm.id)
        if row is None or row.kind not in ("ConsoleProxy", "SecondaryStorageVm"):
            return
        table = self._foundation.table(PodIp)
        taken = table.where("vm_id", vm.id)
        if any(each.pod_id == host.pod_id for each in taken):
            return
        with self._store.transaction():
            self._public_ips.release_pod_ips(vm.id)
            pod_ip = self._public_ips.take_pod_ip(self._store.tables["Pod"][host.pod_id], vm.id)
            for nic in self._nics.of(vm):
                network = self._foundation.table(Network)[nic.network_id]
                if network.traffic_type == "Management":
                    self._foundation.table(Nic).update(nic.id, ip=pod_ip.ip)
            self.rows.update(row.id, private_ip=pod_ip.ip)

    # what can be done with one; to be run in its turn

    async def in_turn(self, vm_id: str, command: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do it after what is being done with the system VM now."""
        if not self._jobs.busy(vm_id):
            result: T = await self._jobs.hold(vm_id, work)
            return result
        results: list[T] = []

        async def noted() -> None:
            results.append(await work())

        caller = Caller(self._identity.system()[0])
        job = self._jobs.submit(
            caller, command, noted, instance_type="SystemVm", instance_id=vm_id
        )
        job = await self._jobs.wait(job.id)
        if job.status == JOB_FAILED:
            raise CloudError(msgspec.json.decode(job.result or "{}").get("errortext", ""))
        return results[0]

    async def started(self, vm_id: str, *, host_id: str | None = None) -> SystemVm:
        """Start it if it does not run. Raises what stands against it."""
        vm = self._machines[vm_id]
        with self._store.transaction():
            self.rows.update(vm_id, wanted=True)
        if vm.state == "Unknown":
            raise ResourceUnavailable(f"What became of {vm.instance_name} is not known yet")
        if vm.state != "Running":
            await self._vms.start(vm_id, host_id=host_id)
            with self._store.transaction():
                self.rows.update(vm_id, agent_state="Up", failures=0, last_failure="")
        return self.rows[vm_id]

    async def stopped(self, vm_id: str, *, forced: bool = False, wanted: bool = False) -> SystemVm:
        """Stop it; unless `wanted`, it stays so until somebody starts it."""
        with self._store.transaction():
            self.rows.update(vm_id, wanted=wanted)
        vm = self._machines[vm_id]
        if vm.host_id is not None:
            await self._vms.stopped(None, vm_id, forced=forced)
        with self._store.transaction():
            return self.rows.update(vm_id, agent_state="Disconnected")

    async def rebooted(self, vm_id: str, *, forced: bool = True) -> SystemVm:
        """Stop and start it, where placement says; what it was told it has forgotten then.

        `forced` pulls the plug; else its system shuts down first, which a host out of reach refuses.
        """
        await self.stopped(vm_id, forced=forced, wanted=True)
        return await self.started(vm_id)

    async def destroyed(self, vm_id: str) -> None:
        """Stop it and remove it for good, with its disk, its NICs and addresses that are its own.

        One that cannot be stopped is wanted as before, so that it is looked after.
        """
        if vm_id not in self.rows:
            return
        if self._machines[vm_id].host_id is not None:
            await self._vms.stopped(None, vm_id, forced=True)
        if self._machines[vm_id].state != "Expunging":
            await self._vms.destroyed(None, vm_id, protected=False)
        with self._store.transaction():
            self.rows.update(vm_id, wanted=False)
        await self._vms.expunging.expunged(None, vm_id)

    async def _going(self, vm: VirtualMachine) -> None:
        """Its machine is about to be gone, whoever expunges it: at once, or a later round."""
        row = self.rows.get(vm.id)
        if row is not None:
            self._forget(row)

    def _forget(self, row: SystemVm) -> None:
        checks, ips = self._foundation.table(RouterHealthCheck), self._foundation.table(PublicIp)
        with self._store.transaction():
            self.rows.delete(row.id)
            self._public_ips.release_pod_ips(row.id)
            for check in checks.where("router_id", row.id):
                checks.delete(check.id)
            if row.kind in ("ConsoleProxy", "SecondaryStorageVm"):
                ip = ips.find(("zone_id", "ip"), (row.zone_id, row.public_ip))
                if ip is not None:
                    self._public_ips.release(ip)
            for hook in self.on_gone:
                hook(row)

    def retire(self, row: SystemVm) -> None:
        """A router that is to be removed as soon as it can be: its addresses are free for its successor."""
        with self._store.transaction():
            self._nics.release(self._machines[row.id])
            self.rows.update(row.id, network_id=None, vpc_id=None, wanted=False)

    def is_retired(self, row: SystemVm) -> bool:
        """Whether it is a router that serves nothing any more."""
        routers = ("DomainRouter", "InternalLoadBalancerVm")
        return row.kind in routers and row.network_id is None and row.vpc_id is None

    # its size

    def check_offering(self, row: SystemVm, offering: ServiceOffering) -> None:
        """Raise what stands against giving it that size."""
        vm = self._machines[row.id]
        if vm.state != "Stopped":
            raise InvalidParameterValue(
                f"Unable to upgrade system vm {vm.instance_name} in state {vm.state}; make sure it is stopped"
            )
        if not offering.is_system or offering.state != "Active" or offering.system_vm_type != OFFERING[row.kind]:
            raise InvalidParameterValue(
                f"Service offering {offering.name} is not an active system offering for a {OFFERING[row.kind]}"
            )

    def change_offering(self, row: SystemVm, offering: ServiceOffering) -> SystemVm:
        """Give a stopped one another size."""
        self.check_offering(row, offering)
        with self._store.transaction():
            self._machines.update(
                row.id,
                service_offering_id=offering.id,
                cpus=offering.cpus or 1,
                cpu_mhz=offering.cpu_mhz or 500,
                memory_mib=offering.memory_mib or 256,
                updated=self._foundation.now(),
            )
        return self.rows[row.id]

    # asking

    async def ask(self, vm_id: str, request: AnyRequest, timeout: float = ASK_WITHIN) -> AnyReply:
        """What it replies. Raises ResourceUnavailable if it does not, CloudError with its reason for what it cannot do."""
        vm = self._machines.get(vm_id)
        if vm is None or vm.host_id is None or vm.state not in ("Running", "Starting", "Migrating"):
            name = vm.instance_name if vm is not None else vm_id
            raise ResourceUnavailable(f"System VM {name} does not run")
        command = SystemVmCommand(vm=vm.instance_name, request=request)
        answer = await self._agents.send(vm.host_id, command, timeout)
        if not answer.ok or not isinstance(answer, SystemVmAnswer) or answer.reply is None:
            raise ResourceUnavailable(answer.error or f"System VM {vm.instance_name} gave no reply")
        if answer.reply.error is not None:
            raise CloudError(answer.reply.error)
        return answer.reply

    def runs(self, row: SystemVm) -> bool:
        """Whether it runs, as far as is known."""
        vm = self._machines.get(row.id)
        return vm is not None and vm.state == "Running"

    def settle_after_restart(self) -> None:
        """What the server was removing when it died is removed. Those that it was starting the watch starts."""
        for row in list(self.rows):
            if row.id not in self._machines:
                self._forget(row)
