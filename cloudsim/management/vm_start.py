"""Starting an instance: plan, reserve, prepare its disks, send StartCommand, try elsewhere if the host says no."""

from __future__ import annotations

from collections.abc import Callable

from cloudsim.errors import CloudError, InsufficientCapacity
from cloudsim.management.affinity import Affinity
from cloudsim.management.agents import Agents, AgentUnavailable, OutcomeUnknown
from cloudsim.management.disks import Disks
from cloudsim.management.foundation import Foundation
from cloudsim.management.nics import Nics
from cloudsim.management.vm_states import VmEvent, next_state
from cloudsim.model import GuestOs, Host, Network, ServiceOffering, SshKeyPair, StoragePool, VirtualMachine
from cloudsim.placement import HostCapacity, NoPlace, PlacementRequest, Planner
from cloudsim.protocol.commands import StartCommand
from cloudsim.protocol.specs import DiskSpec, VmSpec


class StartFailed(CloudError):
    """The host that was chosen could not start the instance; the text is the host's."""


def placement_request(vm: VirtualMachine, offering: ServiceOffering | None) -> PlacementRequest:
    """What the instance asks of a host."""
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
    )


class Starting:
    """Starts instances. `implement(network_id)` makes an Allocated network ready for its first one."""

    def __init__(
        self,
        foundation: Foundation,
        agents: Agents,
        hosts: HostCapacity,
        planner: Planner,
        disks: Disks,
        nics: Nics,
        affinity: Affinity,
        implement: Callable[[str], object],
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._agents = agents
        self._hosts = hosts
        self._planner = planner
        self._disks = disks
        self._nics = nics
        self._affinity = affinity
        self._implement = implement
        self._vms = foundation.table(VirtualMachine)
        self._host_rows = foundation.table(Host)
        self._networks = foundation.table(Network)
        self._offerings = foundation.table(ServiceOffering)

    async def start(
        self,
        vm_id: str,
        *,
        pod_id: str | None = None,
        cluster_id: str | None = None,
        host_id: str | None = None,
        planner: str | None = None,
        first: bool = False,
    ) -> VirtualMachine:
        """Start the Stopped instance and return it Running.

        A host that refuses is avoided and another one tried, `start.retry` times. When nothing helps the
        instance is Stopped again (Error if this was its `first` start); when a host does not answer it is
        Unknown until that host reports.
        """
        avoid: set[str] = set()
        failure: CloudError | None = None
        attempts = 1 if host_id is not None else self._foundation.settings.integer("start.retry")
        for _ in range(attempts):
            try:
                vm, host = self._reserve(vm_id, pod_id, cluster_id, host_id, planner, avoid)
            except InsufficientCapacity as error:
                failure = failure or error
                break
            try:
                return await self._start_on(vm, host)
            except OutcomeUnknown:
                raise
            except CloudError as error:
                failure = error
                avoid.add(host.id)
        assert failure is not None
        if first:
            self._move(self._vms[vm_id], "Refused")
        raise failure

    def plan(
        self,
        vm: VirtualMachine,
        *,
        pod_id: str | None = None,
        cluster_id: str | None = None,
        host_ids: set[str] | None = None,
        planner: str | None = None,
        avoid: set[str] = frozenset(),  # type: ignore[assignment]
    ) -> int:
        """The slot of the host for the instance, within its constraints. Raises NoPlace."""
        offering = self._offerings.get(vm.service_offering_id)
        request = placement_request(vm, offering)
        if planner is None and offering is not None:
            planner = offering.deployment_planner
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
    ) -> tuple[VirtualMachine, Host]:
        vm = self._vms[vm_id]
        state = next_state(vm.state, "StartRequested", vm.instance_name)
        pinned = self._pinned_cluster(vm)
        if cluster_id is not None and pinned is not None and cluster_id != pinned:
            raise InsufficientCapacity(f"The disks of {vm.name} are out of reach of the cluster asked for")
        only = None if host_id is None else {host_id}
        slot = self.plan(
            vm, pod_id=pod_id, cluster_id=cluster_id or pinned, host_ids=only, planner=planner, avoid=avoid
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

    def _pinned_cluster(self, vm: VirtualMachine) -> str | None:
        """The cluster whose pools hold the instance's disks already, if there is one."""
        for volume in self._disks.of(vm):
            if volume.state == "Ready" and volume.pool_id is not None:
                pool = self._foundation.table(StoragePool).get(volume.pool_id)
                if pool is not None and pool.cluster_id is not None:
                    return pool.cluster_id
        return None

    async def _start_on(self, vm: VirtualMachine, host: Host) -> VirtualMachine:
        try:
            disks = await self._disks.prepare(vm, host)
            for nic in self._nics.of(vm):
                if self._networks[nic.network_id].state == "Allocated":
                    self._implement(nic.network_id)
        except BaseException:
            self._move(vm, "Failed")
            raise
        try:
            answer = await self._agents.send(host.id, StartCommand(vm=self.spec(vm, disks)))
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

    def _move(self, vm: VirtualMachine, event: VmEvent) -> VirtualMachine:
        state = next_state(self._vms[vm.id].state, event, vm.instance_name)
        now = self._foundation.now()
        with self._store.transaction():
            if state == "Running":
                return self._vms.update(vm.id, state=state, power_state="PowerOn", updated=now)
            if state == "Unknown":
                return self._vms.update(vm.id, state=state, power_state="PowerUnknown", updated=now)
            return self._vms.update(
                vm.id, state=state, power_state="PowerOff", host_id=None, gpu_devices=(), updated=now
            )

    def spec(self, vm: VirtualMachine, disks: tuple[DiskSpec, ...]) -> VmSpec:
        """The instance as its host needs to know it."""
        guest_os = self._foundation.table(GuestOs).get(vm.guest_os_id)
        keys = self._foundation.table(SshKeyPair)
        public_keys = []
        for name in vm.key_pairs:
            pair = keys.find(("account_id", "name"), (vm.account_id, name))
            if pair is not None:
                public_keys.append(pair.public_key)
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
            None,
            vm.details,
        )
