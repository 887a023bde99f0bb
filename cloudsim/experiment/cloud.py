"""The cloud under study: a management server on a world, and the zones that an operator would set up on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from cloudsim.experiment.requests import Shape, VmRequest
from cloudsim.experiment.scenario import Instances
from cloudsim.management import first_state
from cloudsim.management.building import build_zone
from cloudsim.management.compute.affinity import AFFINITY, ANTI_AFFINITY
from cloudsim.management.compute.deploy_request import DeployRequest
from cloudsim.management.identity.caller import Caller
from cloudsim.management.identity.identity import ADMIN
from cloudsim.management.infrastructure.command_log import CommandLog
from cloudsim.management.server import ManagementServer
from cloudsim.management.storage.template_request import TemplateRequest
from cloudsim.model import (
    ROW_TYPES,
    Account,
    ServiceOffering,
    Template,
    TemplateOnStore,
    Zone,
)
from cloudsim.model.identity import ROOT_ADMIN
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from cloudsim.work import user_data
from cloudsim.world import World

GIB = 1 << 30
GUEST_CIDR = "172.16.0.0/12"
"""Guest addresses of a zone whose description names none: a million, so that they do not limit a study."""
_UNMEASURED = {
    "capacity.history.interval": "0",
    "capacity.check.period": "0",
    "storage.stats.interval": "0",
    "vm.stats.interval": "0",
}
"""A run has measurements of its own."""
_UNNAMED_CIDR = "10.1.1.0/24"


class DescribedWorld(World, Protocol):
    """A world that knows what its datacenter was described as: see a backend's own layout."""

    layout: Any
    messages: Any

    def template_url(self, gib: int) -> str:
        """Where an image for instances, of that size, can be downloaded from."""

    def when_settled(self, callback: Callable[[], object]) -> None:
        """Call it at this instant, after all else that happens in it; where time is real, soon."""

    def close(self) -> None:
        """The run is over: take away what was made for it."""


class Cloud:
    """A management server with its services, on one store and in one world. `restart` replaces the server."""

    def __init__(
        self,
        world: DescribedWorld,
        randomness: Randomness,
        settings: dict[str, str],
        log: CommandLog | None = None,
    ) -> None:
        self.world = world
        self.log = log
        self.randomness = randomness
        self.store = Store(ROW_TYPES)
        self.restarts = 0
        self.server = ManagementServer(self.store, world, randomness.branch("management server"))
        server = self.server
        server.agents.log = log
        first_state.seed(
            server.foundation,
            server.identity,
            server.offerings,
            server.guest_os,
            hypervisor=world.hypervisor,
            settings={**_UNMEASURED, **settings},
        )
        identity = server.identity
        account = identity.accounts.named(ADMIN, identity.domains.root.id)
        assert account is not None
        self.account: Account = account
        self.caller = Caller(account)
        self.zones: list[Zone] = []
        self.template: Template | None = None
        self.offerings: dict[Shape, ServiceOffering] = {}
        self._tenants: dict[str, Account] = {}
        self._groups: dict[tuple[str, str, str], str] = {}

    def owner(self, tenant: str) -> Account:
        """The account of a tenant: one without users, and as without limits as an administrator's."""
        if not tenant:
            return self.account
        found = self._tenants.get(tenant)
        if found is None:
            with self.store.transaction():
                found = self.store.table(Account).insert(
                    Account(
                        id=self.randomness.uuid(),
                        name=f"tenant {tenant}",
                        type=ROOT_ADMIN,
                        domain_id=self.account.domain_id,
                        role_id=self.account.role_id,
                        created=self.world.now(),
                    )
                )
            self._tenants[tenant] = found
        return found

    def affinity_groups(self, owner: Account, request: VmRequest) -> tuple[str, ...]:
        """The ids of the request's groups, made when they are first asked for. They are the owner's: so are a trace's groups."""
        ids = []
        for type_, names in ((AFFINITY, request.affinity), (ANTI_AFFINITY, request.anti_affinity)):
            for name in names:
                key = (owner.id, type_, name)
                if key not in self._groups:
                    group = self.server.affinity_groups.create(owner, f"{name} ({type_})", type_)
                    self._groups[key] = group.id
                ids.append(self._groups[key])
        return tuple(ids)

    def caller_for(self, trace_id: str) -> Caller:
        """The caller of something that is to be told apart in the command log."""
        return Caller(self.account, trace_id=trace_id) if self.log is not None else self.caller

    def deployment(self, index: int, request: VmRequest) -> DeployRequest:
        """What is asked for a request: zones take turns, one request each."""
        assert self.template is not None
        owner = self.owner(request.tenant)
        return DeployRequest(
            zone_id=self.zones[index % len(self.zones)].id,
            template_id=self.template.id,
            service_offering_id=self.offerings[request.shape].id,
            owner=owner,
            affinity_group_ids=self.affinity_groups(owner, request),
            expected_ms=request.expected_ms,
            user_data=user_data(request.work_ms) if request.work_ms else None,
        )

    async def set_up(self, instances: Instances, shapes: Iterable[Shape]) -> None:
        """Start the server, add all that the world describes, and make ready to deploy instances of `shapes`."""
        server = self.server
        server.start()
        for plan in self.world.layout.zones:
            self.zones.append(await build_zone(server, plan, guest_cidr=_cidr(plan.spec.guest_cidr)))
        self.template = await self._download(instances)
        for shape in shapes:
            self.offerings[shape] = self._offering(shape, instances)

    async def _download(self, instances: Instances) -> Template:
        """Register the template that every instance starts from, and wait until it is in every zone."""
        request = TemplateRequest(
            name="experiment",
            display_text="What every instance of the experiment starts from",
            format="QCOW2",
            hypervisor=self.world.hypervisor,
            public=True,
        )
        url = self.world.template_url(instances.template_gib)
        template = self.server.templates.register(self.caller, self.account, request, url, None)
        copies = self.store.table(TemplateOnStore)
        while any(copy.state != "Ready" for copy in copies.where("template_id", template.id)):
            for copy in copies.where("template_id", template.id):
                if copy.state == "Failed":
                    raise RuntimeError(f"the template could not be downloaded: {copy.error}")
            await asyncio.sleep(1.0)
        return self.store.table(Template)[template.id]

    def _offering(self, shape: Shape, instances: Instances) -> ServiceOffering:
        root = max(instances.root_disk_gib, instances.template_gib) * GIB
        return create_offering(self.server, shape, root)

    async def restart(self, away: float) -> None:
        """The server dies; after `away` seconds another one takes over its store."""
        await self.server.stop()
        await asyncio.sleep(away)
        self.restarts += 1
        branch = self.randomness.branch(f"management server {self.restarts}")
        self.server = ManagementServer(self.store, self.world, branch)
        self.server.agents.log = self.log
        self.server.start()


def create_offering(server: ManagementServer, shape: Shape, root_disk_size: int | None = None) -> ServiceOffering:
    """Make the offering of instances of that size; bytes of their root disk where it is not their template's."""
    gpus = f", {shape.gpus} x {shape.gpu_milli / 1000:g} GPU" if shape.gpus else ""
    return server.offerings.create_service(
        name=f"{shape.cpus} x {shape.cpu_mhz} MHz, {shape.memory_mib} MiB{gpus}",
        cpus=shape.cpus,
        cpu_mhz=shape.cpu_mhz,
        memory_mib=shape.memory_mib,
        gpus=shape.gpus,
        gpu_milli=shape.gpu_milli,
        gpu_models=shape.gpu_models,
        host_tags=shape.tags,
        root_disk_size=root_disk_size,
    )


def _cidr(named: str) -> str:
    return GUEST_CIDR if named == _UNNAMED_CIDR else named
