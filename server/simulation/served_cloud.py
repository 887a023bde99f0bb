"""A served cloud as `cloudsim.experiment.feeding` sees it: where requests of a workload become deployments of an account's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backends.simulated.world import SimulatedWorld
from cloudsim.errors import CloudError
from cloudsim.experiment.cloud import create_offering
from cloudsim.experiment.requests import Shape, VmRequest
from cloudsim.management.compute.deploy_request import DeployRequest, NicRequest
from cloudsim.management.identity.caller import Caller
from cloudsim.management.server import ManagementServer
from cloudsim.model import (
    Account,
    AsyncJob,
    Network,
    ServiceOffering,
    Template,
    TemplateOnStore,
    VirtualMachine,
    Zone,
)
from cloudsim.model.operations import JOB_IN_PROGRESS
from cloudsim.store import Change, Store
from cloudsim.work import user_data


def shape_of(offering: ServiceOffering) -> Shape | None:
    """The size that an offering says; None for one that leaves it open."""
    if offering.cpus is None or offering.cpu_mhz is None or offering.memory_mib is None:
        return None
    return Shape(
        offering.cpus,
        offering.cpu_mhz,
        offering.memory_mib,
        offering.gpus,
        offering.gpu_milli if offering.gpus else 1000,
        offering.gpu_models,
        offering.host_tags,
    )


class ServedCloud:
    """Implements `Fed`. Requests become instances of `owner`, of `template`, in `zones` by turns, called `name`-1, -2, ...

    Their tenants and groups are left aside. `chosen` are the offerings of sizes that are decided already.
    """

    def __init__(
        self,
        server: ManagementServer,
        world: SimulatedWorld,
        *,
        name: str,
        caller: Caller,
        owner: Account,
        zones: Sequence[Zone],
        template: Template,
        network: Network | None,
        chosen: dict[Shape, ServiceOffering],
    ) -> None:
        self.server = server
        self.store: Store = server.store
        self.world = world
        self.owner = owner
        self.zones = tuple(zones)
        self.template = template
        self.network = network
        self._name = name
        self._caller = Caller(caller.account)
        self._offerings = dict(chosen)

    def deployment(self, index: int, request: VmRequest) -> DeployRequest:
        return DeployRequest(
            zone_id=self.zones[index % len(self.zones)].id,
            template_id=self.template.id,
            service_offering_id=self._offering(request.shape).id,
            owner=self.owner,
            name=f"{self._name}-{index + 1}",
            nics=() if self.network is None else (NicRequest(self.network.id),),
            expected_ms=request.expected_ms,
            user_data=user_data(request.work_ms) if request.work_ms else None,
        )

    def caller_for(self, trace_id: str) -> Caller:
        """The account of the one who started the workload: no user waits for these jobs, each of which is traced by itself."""
        return self._caller

    def offer(self, shapes: Sequence[Shape]) -> None:
        """Make the offerings of sizes that there are none of yet: all at once, before anything is asked for."""
        known = {shape_of(each): each for each in self.store.table(ServiceOffering) if usable(each)}
        with self.store.transaction():
            for shape in shapes:
                if shape not in self._offerings:
                    self._offerings[shape] = known.get(shape) or create_offering(self.server, shape)

    def _offering(self, shape: Shape) -> ServiceOffering:
        offering = self.store.table(ServiceOffering).get(self._offerings[shape].id)
        if offering is None:
            raise CloudError(f"The offering {self._offerings[shape].name} is gone")
        return offering


def usable(offering: ServiceOffering) -> bool:
    """Whether anyone may have instances of that offering, on any storage and with nothing said besides."""
    return (
        offering.state == "Active"
        and not offering.is_system
        and shape_of(offering) is not None
        and not (offering.domain_ids or offering.zone_ids or offering.storage_tags or offering.deployment_planner)
    )


def template_in(store: Store, zones: Sequence[Zone], hypervisor: str) -> Template | None:
    """A featured template that is ready in all zones, the first that there is."""
    copies = store.table(TemplateOnStore)
    for template in store.table(Template):
        if template.type == "SYSTEM" or template.format == "ISO" or template.hypervisor != hypervisor:
            continue
        if not template.is_featured:
            continue
        ready = {copy.zone_id for copy in copies.where("template_id", template.id) if copy.state == "Ready"}
        if ready >= {zone.id for zone in zones}:
            return template
    return None


class Listening:
    """Implements `Heard` on a served cloud's store, until `stop`."""

    def __init__(self, store: Store) -> None:
        self.on_vm: Callable[[VirtualMachine | None, VirtualMachine | None], None] = lambda before, after: None
        self.on_job: Callable[[AsyncJob], None] = lambda job: None
        self._vms = store.table(VirtualMachine)
        self.stop = store.subscribe(self._changed, VirtualMachine, AsyncJob)

    def _changed(self, changes: list[Change]) -> None:
        for table, before, after in changes:
            if table is self._vms:
                if before is None or after is None or before.host_id is not after.host_id:
                    self.on_vm(before, after)
            elif after is not None and before is not None and before.status == JOB_IN_PROGRESS != after.status:
                self.on_job(after)
