"""Starting an instance: plan, reserve, prepare its disks, send StartCommand, try elsewhere if the host says no."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from msgspec.structs import replace

from cloudsim.errors import CloudError, InsufficientCapacity, ResourceUnavailable
from cloudsim.management.compute.affinity import Affinity
from cloudsim.management.compute.external_places import ExternalPlaces
from cloudsim.management.compute.offerings import planner_of
from cloudsim.management.compute.vm_hardware import firmware, largest
from cloudsim.management.compute.vm_states import VmEvent, next_state
from cloudsim.management.foundation import Foundation
from cloudsim.management.identity.tagged_counts import OF_HOSTS, tags_named
from cloudsim.management.infrastructure.agents import Agents, AgentUnavailable, OutcomeUnknown
from cloudsim.management.network.nics import Nics
from cloudsim.management.storage.disks import Disks
from cloudsim.management.storage.pool_room import NoPool
from cloudsim.model import (
    Domain,
    GuestOs,
    Host,
    Network,
    ServiceOffering,
    SshKeyPair,
    StoragePool,
    Template,
    VirtualMachine,
    Zone,
)
from cloudsim.placement import HostCapacity, NoPlace, PlacementRequest, Planner
from cloudsim.protocol.commands import StartCommand
from cloudsim.protocol.specs import DiskSpec, ImageSpec, SystemVmSpec, VmSpec

log = logging.getLogger(__name__)


class StartFailed(CloudError):
    """The host that was chosen could not start the instance; the text is the host's."""


def placement_request(
    vm: VirtualMachine, offering: ServiceOffering | None, now: float
) -> PlacementRequest:
    """What the instance asks of a host at `now` (Unix seconds)."""
    return PlacementRequest(
        vm.cpus * vm.cpu_mhz,
        vm.memory_mib,
        vm.cpus,
        vm.cpu_mhz,
        vm.gpus,
        vm.gpu_milli,
        vm.gpu_models,
        vm.account_id,
        offering.host_tags if offering is not None else (),
        round(1000 * now),
        vm.expected_end,
    )


class Starting:
    """Starts instances.

    `implement(network_id)` makes a network ready for the instance, `tell_router(network_id)` has its router know of the
    instance. `system` says what a system VM is to be told, and `take_address(vm, host)` gives it an address there.
    """

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        hosts: HostCapacity,
        planner: Planner,
        disks: Disks,
        nics: Nics,
        affinity: Affinity,
        implement: Callable[[str], Awaitable[object]],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._hosts = hosts
        self._planner = planner
        self._disks = disks
        self._nics = nics
        self._affinity = affinity
        self.places = ExternalPlaces(foundation)
        self._implement = implement
        self.tell_router: Callable[[str], Awaitable[None]] | None = None
        self.system: Callable[[VirtualMachine], SystemVmSpec | None] | None = None
        self.take_address: Callable[[VirtualMachine, Host], None] | None = None
        self._vms = foundation.table(VirtualMachine)
        self._host_rows = foundation.table(Host)
        self._networks = foundation.table(Network)
        self._offerings = foundation.table(ServiceOffering)
        self._zones = foundation.table(Zone)
        self._templates = foundation.table(Template)

    async def start(
        self,
        vm_id: str,
        *,
        pod_id: str | None = None,
        cluster_id: str | None = None,
        host_id: str | None = None,
        planner: str | None = None,
        first: bool = False,
        last: bool = False,
        failover: bool = False,
    ) -> VirtualMachine:
        """Start the Stopped instance and return it Running; with `last`, on the host where it was if that has room.

        With `failover` its host has failed: it goes to the hosts that are kept free for such, if there is a tag for them.

        A host that refuses is avoided and another one tried, `start.retry` times; a cluster without a storage pool
        for its disks is avoided, however many there are. When nothing helps the instance is Stopped again (Error if
        this was its `first` start); when a host does not answer it is Unknown until that host reports.
        """
        avoid: set[str] = set()
        failure: CloudError | None = None
        attempts = 1 if host_id is not None else self._foundation.settings.integer("start.retry")
        while attempts > 0:
            try:
                vm, host = self._reserve(vm_id, pod_id, cluster_id, host_id, planner, avoid, last, failover)
            except InsufficientCapacity as error:
                failure = failure or error
                break
            try:
                return await self._start_on(vm, host)
            except OutcomeUnknown:
                raise
            except NoPool as error:
                failure = error
                avoid.add(host.id)
                if error.on_cluster:
                    avoid.update(self._host_rows.ids("cluster_id", host.cluster_id))
            except CloudError as error:
                failure = error
                avoid.add(host.id)
                attempts -= 1
        assert failure is not None
        if first:
            self._move(self._vms[vm_id], "Refused")
        raise failure

    def request(
        self, vm: VirtualMachine, offering: ServiceOffering | None, *, named: bool = False
    ) -> PlacementRequest:
        """What the instance asks of a host now, and whether of its owner's own or of anybody's.

        Of a host that an operator has `named` it asks only the tags that are strict.
        """
        request = placement_request(vm, offering, self._foundation.now())
        template = self._templates.get(vm.template_id)
        if template is not None and template.tag is not None and template.tag not in request.tags:
            request = request._replace(tags=(*request.tags, template.tag))
        if named and request.tags:
            strict = self._strict_tags()
            request = request._replace(tags=tuple(tag for tag in request.tags if tag in strict))
        if named:
            request = request._replace(failover="any")
        if not self._hosts.owners:
            return request
        if vm.type != "User":  # the cloud's own take what there is
            return request._replace(dedication="any")
        if not self._affinity.is_dedicated(vm):
            return request._replace(dedication="none")
        return request._replace(dedication="only", domain_ids=self._domains_above(vm.domain_id))

    def _strict_tags(self) -> frozenset[str]:
        """The host tags that hold for an instance even where an operator names the host."""
        settings = self._foundation.settings
        strict = tags_named(settings.get("vm.strict.host.tags"))
        if settings.boolean("vm.strict.resource.limit.host.tag.check"):
            strict += tags_named(settings.get(OF_HOSTS))
        return frozenset(strict)

    def _domains_above(self, domain_id: str | None) -> tuple[str, ...]:
        found: list[str] = []
        while (domain := self._foundation.table(Domain).get(domain_id)) is not None:
            found.append(domain.id)
            domain_id = domain.parent_id
        return tuple(found)

    def host_for(self, vm: VirtualMachine, *, only: set[str] | None = None, avoid: set[str] | None = None) -> str:
        """The id of a host with room for the instance, within its constraints. Raises InsufficientCapacity."""
        return self._hosts.ids[self.plan(vm, host_ids=only, avoid=avoid or set(), named=only is not None)]

    def plan(
        self,
        vm: VirtualMachine,
        *,
        pod_id: str | None = None,
        cluster_id: str | None = None,
        host_ids: set[str] | None = None,
        planner: str | None = None,
        avoid: set[str] = frozenset(),  # type: ignore[assignment]
        named: bool = False,
        failover: bool = False,
    ) -> int:
        """The slot of the host for the instance, within its constraints; `named`: an operator chose it. Raises NoPlace."""
        host_ids, avoid = self.places.bound(vm, host_ids, avoid)
        offering = self._offerings.get(vm.service_offering_id)
        request = self.request(vm, offering, named=named)
        if failover:
            request = request._replace(failover="only")
        if planner is None and offering is not None:
            planner = planner_of(offering)
        if not vm.affinity_group_ids:
            return self._planner.plan(
                request,
                zone_id=vm.zone_id,
                pod_id=pod_id,
                cluster_id=cluster_id,
                host_ids=host_ids,
                avoid=avoid,
                planner=planner,
            )
        allowed, forbidden = self._affinity.constraints(vm)
        if host_ids is not None:
            allowed = host_ids if allowed is None else allowed & host_ids
        preferred, disliked = self._affinity.wishes(vm)
        tries = [(allowed, avoid | forbidden)]
        if preferred is not None or disliked:
            wish = allowed if preferred is None else preferred if allowed is None else preferred & allowed
            tries.insert(0, (wish, avoid | forbidden | disliked))
        for index, (only, without) in enumerate(tries):
            try:
                return self._planner.plan(
                    request,
                    zone_id=vm.zone_id,
                    pod_id=pod_id,
                    cluster_id=cluster_id,
                    host_ids=only,
                    avoid=without,
                    planner=planner,
                )
            except NoPlace:
                if index == len(tries) - 1:
                    raise
        raise AssertionError("unreachable")

    def _reserve(
        self,
        vm_id: str,
        pod_id: str | None,
        cluster_id: str | None,
        host_id: str | None,
        planner: str | None,
        avoid: set[str],
        last: bool,
        failover: bool,
    ) -> tuple[VirtualMachine, Host]:
        vm = self._vms[vm_id]
        state = next_state(vm.state, "StartRequested", vm.instance_name)
        pinned, pinned_host = self._pinned(vm)
        if cluster_id is not None and pinned is not None and cluster_id != pinned:
            raise InsufficientCapacity(f"The disks of {vm.name} are out of reach of the cluster asked for")
        if pinned_host is not None and host_id not in (None, pinned_host):
            raise InsufficientCapacity(f"The disks of {vm.name} are out of reach of the host asked for")
        where = host_id or pinned_host
        slot, near = None, cluster_id or pinned
        if last and where is None and vm.last_host_id is not None and vm.last_host_id not in avoid:
            with suppress(NoPlace):
                slot = self.plan(vm, pod_id=pod_id, cluster_id=near, host_ids={vm.last_host_id}, planner=planner)
        if slot is None:
            only = None if where is None else {where}
            named = host_id is not None
            slot = self.plan(
                vm,
                pod_id=pod_id,
                cluster_id=near,
                host_ids=only,
                planner=planner,
                avoid=avoid,
                named=named,
                failover=failover,
            )
        host = self._host_rows[self._hosts.ids[slot]]
        devices: tuple[int, ...] = ()
        if vm.gpus:
            devices = self._hosts.free_gpus(slot, vm.gpus, vm.gpu_milli) or ()
        with self._store.transaction():
            vm = self._vms.update(
                vm_id, state=state, host_id=host.id, pod_id=host.pod_id, gpu_devices=devices
            )
        return vm, host

    def _pinned(self, vm: VirtualMachine) -> tuple[str | None, str | None]:
        """The cluster, and the host, whose pools hold disks of the instance already; None where there is none such."""
        cluster_id = host_id = None
        for volume in self._disks.of(vm):
            if volume.state == "Ready" and volume.pool_id is not None:
                pool = self._foundation.table(StoragePool).get(volume.pool_id)
                if pool is not None:
                    cluster_id = cluster_id or pool.cluster_id
                    host_id = host_id or pool.host_id
        return cluster_id, host_id

    async def _start_on(self, vm: VirtualMachine, host: Host) -> VirtualMachine:
        try:
            disks = await self._disks.prepare(vm, host)
            await self._ready_networks(vm, host)
        except BaseException:
            self._move(vm, "Failed")
            raise
        try:
            spec = replace(self.spec(vm, disks), password=vm.password)  # handed over once, and never on a move
            answer = await self._agents.send(host.id, StartCommand(vm=spec))
        except AgentUnavailable:
            self._move(vm, "Failed")
            raise
        except OutcomeUnknown:
            self._move(vm, "OutcomeUnknown")
            raise
        if not answer.ok:
            self._move(vm, "Failed")
            raise StartFailed(answer.error or "")
        return self._move(vm, "Succeeded")

    async def _ready_networks(self, vm: VirtualMachine, host: Host) -> None:
        if vm.type != "User":
            if self.take_address is not None:
                self.take_address(vm, host)
            return
        for nic in self._nics.of(vm):
            network = self._networks[nic.network_id]
            if network.state != "Setup" or network.is_default or self.tell_router is not None:
                await self._implement(nic.network_id)
                if self.tell_router is not None:
                    await self.tell_router(nic.network_id)

    def _move(self, vm: VirtualMachine, event: VmEvent) -> VirtualMachine:
        state = next_state(self._vms[vm.id].state, event, vm.instance_name)
        now = self._foundation.now()
        with self._store.transaction():
            if state == "Running":
                return self._vms.update(
                    vm.id, state=state, power_state="PowerOn", password=None, updated=now
                )
            if state == "Unknown":
                return self._vms.update(vm.id, state=state, power_state="PowerUnknown", updated=now)
            return self._vms.update(
                vm.id, state=state, power_state="PowerOff", host_id=None, gpu_devices=(), updated=now
            )

    def spec(self, vm: VirtualMachine, disks: tuple[DiskSpec, ...]) -> VmSpec:
        """The instance as its host needs to know it, but for its password."""
        guest_os = self._foundation.table(GuestOs).get(vm.guest_os_id)
        keys = self._foundation.table(SshKeyPair)
        public_keys = []
        for name in vm.key_pairs:
            pair = keys.find(("account_id", "name"), (vm.account_id, name))
            if pair is not None:
                public_keys.append(pair.public_key)
        offering, zone = self._offerings.get(vm.service_offering_id), self._zones.get(vm.zone_id)
        boot, most = firmware(vm.details), largest(vm, offering)
        iso, bootable = self._iso(vm)
        return VmSpec(
            vm.instance_name,
            vm.id,
            vm.cpus,
            vm.cpu_mhz,
            vm.memory_mib,
            disks,
            tuple(self._nics.spec(nic) for nic in self._nics.of(vm)),
            vm.gpu_devices,
            vm.gpu_milli,
            vm.name,
            guest_os.description if guest_os is not None else "",
            vm.user_data,
            tuple(public_keys),
            iso,
            vm.details,
            metadata={
                **vm.user_data_values,
                "service-offering": offering.name if offering is not None else "",
                "availability-zone": zone.name if zone is not None else "",
            },
            config_drive=self._nics.wants_config_drive(vm),
            max_cpus=most.cpus,
            max_memory_mib=most.memory_mib,
            firmware=boot.type,
            secure_boot=boot.secure,
            boot_order=("cdrom", "hd") if bootable else ("hd", "cdrom"),
            system=self.system(vm) if vm.type != "User" and self.system is not None else None,
            limit_cpu=offering is not None and offering.limit_cpu_use,
        )

    def _iso(self, vm: VirtualMachine) -> tuple[ImageSpec | None, bool]:
        """The ISO in the instance's drive, and whether it is one to boot from."""
        iso = self._foundation.table(Template).get(vm.iso_id)
        if iso is None:
            return None, False
        try:
            return self._disks.pool_templates.image(iso, vm.zone_id), iso.bootable
        except ResourceUnavailable as error:
            log.warning("instance %s starts without its ISO: %s", vm.instance_name, error)
            return None, False
