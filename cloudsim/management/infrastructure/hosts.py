"""Hosts: added, changed, put into maintenance and removed by the operator."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from cloudsim.errors import (
    CloudError,
    InvalidParameterValue,
    ResourceInUse,
    ResourceUnavailable,
    UnsupportedCommand,
)
from cloudsim.management.extensions.external_hosts import ExternalHosts
from cloudsim.management.extensions.payloads import kept, replaced
from cloudsim.management.foundation import Foundation
from cloudsim.management.infrastructure.agents import Agents
from cloudsim.management.infrastructure.hypervisor_types import EXTERNAL, hypervisor_named
from cloudsim.management.operations.leftovers import remove_leftovers
from cloudsim.management.storage.primary_storage import PrimaryStorage
from cloudsim.model import Cluster, GuestOsCategory, Host, Pod, VirtualMachine, Zone
from cloudsim.protocol.link import Link
from cloudsim.protocol.messages import Refused, Startup
from cloudsim.protocol.specs import Place
from cloudsim.world import HostDiscovery, World

log = logging.getLogger(__name__)

OS_CATEGORY = "guest.os.category.id"
"""The detail of a host that names the guest OS category it is preferred for."""
RECONNECT_WITHIN = 60.0
"""Seconds that reconnectHost waits for the agent."""
_CAN_ENTER = ("Enabled", "Disabled", "ErrorInMaintenance")
_CAN_LEAVE = ("PrepareForMaintenance", "Maintenance", "ErrorInMaintenance")


class HostNotAdded(CloudError):
    """addHost failed; nothing of the host is left in the cloud."""


class Newcomer(NamedTuple):
    """An agent that has connected and is no host yet."""

    url: str
    link: Link
    startup: Startup


class Hosts:
    """The hosts of all clusters.

    `evacuate(host)` moves or stops every instance on it and returns when none is left; `stop_all(host)`
    stops them whatever becomes of the host. Without them what needs them is refused. `spawn` runs a coroutine in the
    background: hosts whose agents say where they want to be are added in it.
    """

    def __init__(
        self,
        foundation: Foundation,
        world: World,
        agents: Agents,
        primary_storage: PrimaryStorage,
        external: ExternalHosts,
        *,
        evacuate: Callable[[Host], Awaitable[None]] | None = None,
        stop_all: Callable[[Host], Awaitable[None]] | None = None,
        spawn: Callable[[Coroutine[Any, Any, Any]], object] | None = None,
    ) -> None:
        self._foundation = foundation
        self._store = foundation.store
        self._world = world
        self._agents = agents
        self._primary_storage = primary_storage
        self._external = external
        self._hosts = foundation.table(Host)
        self._vms = foundation.table(VirtualMachine)
        self._clusters = foundation.table(Cluster)
        self._randomness = foundation.randomness.branch("hosts")
        self.evacuate = evacuate
        self.stop_all = stop_all
        self.on_delete: list[Callable[[Host], None]] = []
        """Called in the transaction that a host is removed in."""
        if spawn is not None:
            agents.on_new = lambda link, startup, place: spawn(self._introduce(link, startup, place))

    # adding

    async def add(
        self,
        zone: Zone,
        pod: Pod,
        cluster: Cluster,
        *,
        url: str,
        username: str = "",
        password: str = "",
        hypervisor: str | None = None,
        tags: Sequence[str] = (),
        enabled: bool = True,
        external: Mapping[str, str] | None = None,
    ) -> Host:
        """Find the host at `url`, wait for its agent, and mount the pools that it is to reach.

        `external` is what the program of an extension is to be told of an External host.

        It takes instances once all of that is done. On failure nothing is left of it.
        """
        if pod.zone_id != zone.id:
            raise InvalidParameterValue(f"Can't add host: pod {pod.name} does not belong to zone {zone.name}")
        if cluster.pod_id != pod.id:
            raise InvalidParameterValue(
                f"Can't add host: cluster {cluster.name} does not belong to pod {pod.name}"
            )
        if hypervisor is not None and hypervisor_named(hypervisor) != cluster.hypervisor:
            raise InvalidParameterValue(
                f"Can't add host: hypervisor {hypervisor} is not that of cluster {cluster.name}, {cluster.hypervisor}"
            )
        if external and cluster.hypervisor != EXTERNAL:
            raise InvalidParameterValue(f"externaldetails: cluster {cluster.name} is not External")
        found = await self.find(cluster, url, username=username, password=password, external=external)
        return await self.join(cluster, found, tags=tuple(tags), enabled=enabled, external=external)

    async def find(
        self,
        cluster: Cluster,
        url: str,
        *,
        username: str = "",
        password: str = "",
        external: Mapping[str, str] | None = None,
    ) -> Newcomer:
        """The agent of the host at `url`, once it has connected. Raises InvalidParameterValue or HostNotAdded."""
        pod = self._foundation.table(Pod)[cluster.pod_id]
        discovery = HostDiscovery(
            url=url,
            zone_id=cluster.zone_id,
            pod_id=cluster.pod_id,
            cluster_id=cluster.id,
            username=username,
            password=password,
            pod_cidr_start=pod.start_ip,
            pod_cidr_end=pod.end_ip,
        )
        if cluster.hypervisor == EXTERNAL:
            guid = self._external.discover(discovery, external or {})
        else:
            guid = await self._world.discover(discovery)
        known = self._hosts.find("guid", guid)
        if known is not None:
            raise InvalidParameterValue(f"Can't add host: {url} is host {known.name} already")
        try:
            link, startup = await self._agents.claim(guid)
        except TimeoutError:
            self._external.forget(guid)
            raise HostNotAdded(f"Could not add host at [{url}]: its agent did not connect") from None
        return Newcomer(url, link, startup)

    async def _introduce(self, link: Link, startup: Startup, place: Place) -> None:
        """Add the host of an agent that says where it wants to be; one that cannot be there is refused."""
        url = f"http://{startup.facts.private_ip or startup.name}"
        try:
            cluster = self._cluster_at(place)
        except HostNotAdded as error:
            log.warning("the agent of %s is not added as a host: %s", startup.name, error.text)
            link.send(Refused(error.text))
            link.close()
            return
        try:
            host = await self.join(cluster, Newcomer(url, link, startup))
        except CloudError as error:  # who is refused has been told
            log.warning("the agent of %s is not added as a host: %s", startup.name, error.text)
            return
        log.info("host %s has added itself to cluster %s", host.name, cluster.name)

    def _cluster_at(self, place: Place) -> Cluster:
        """The cluster that a place names, each part by id or name. Raises HostNotAdded."""
        zones = self._foundation.table(Zone)
        zone = zones.get(place.zone) or zones.find("name", place.zone)
        if zone is None:
            raise HostNotAdded(f"there is no zone {place.zone}")
        pods = self._foundation.table(Pod)
        pod = pods.get(place.pod) or pods.find(("zone_id", "name"), (zone.id, place.pod))
        if pod is None or pod.zone_id != zone.id:
            raise HostNotAdded(f"zone {zone.name} has no pod {place.pod}")
        cluster = self._clusters.get(place.cluster) or self._clusters.find(
            ("pod_id", "name"), (pod.id, place.cluster)
        )
        if cluster is None or cluster.pod_id != pod.id:
            raise HostNotAdded(f"pod {pod.name} has no cluster {place.cluster}")
        return cluster

    async def join(
        self,
        cluster: Cluster,
        found: Newcomer,
        *,
        tags: tuple[str, ...] = (),
        enabled: bool = True,
        external: Mapping[str, str] | None = None,
    ) -> Host:
        """Make the agent's host one of the cluster: its row at once. It takes instances once it has mounted what it
        must reach."""
        url, link, startup = found
        try:
            host = self._insert(cluster, url, startup, tags, link, kept(external))
        except CloudError:
            self._external.forget(startup.guid)
            raise
        try:
            self._agents.welcome(host, link, startup)
            await self._primary_storage.mount_on(host)
        except BaseException as error:
            self._undo(host, url)
            if isinstance(error, CloudError):
                raise HostNotAdded(f"Could not add host at [{url}]: {error.text}") from error
            raise
        if not enabled:
            return self._hosts[host.id]
        with self._store.transaction():
            return self._hosts.update(host.id, resource_state="Enabled")

    def _insert(
        self,
        cluster: Cluster,
        url: str,
        startup: Startup,
        tags: tuple[str, ...],
        link: Link,
        details: dict[str, str],
    ) -> Host:
        """The row of a claimed agent, Up but disabled. The agent is refused when it cannot be a host here."""
        facts, now = startup.facts, self._foundation.now()
        try:
            if cluster.id not in self._clusters:
                raise HostNotAdded(f"Could not add host at [{url}]: cluster {cluster.name} is gone")
            if facts.hypervisor.lower() != cluster.hypervisor.lower() or facts.arch != cluster.arch:
                raise HostNotAdded(
                    f"Could not add host at [{url}]: it runs {facts.hypervisor} on {facts.arch}, cluster "
                    f"{cluster.name} {cluster.hypervisor} on {cluster.arch}"
                )
            with self._store.transaction():
                return self._hosts.insert(
                    Host(
                        id=self._randomness.uuid(),
                        name=startup.name,
                        guid=startup.guid,
                        zone_id=cluster.zone_id,
                        pod_id=cluster.pod_id,
                        cluster_id=cluster.id,
                        hypervisor=cluster.hypervisor,
                        url=url,
                        private_ip=facts.private_ip,
                        cpus=facts.cpus,
                        cpu_mhz=facts.cpu_mhz,
                        memory_mib=facts.memory_mib,
                        gpus=facts.gpus,
                        gpu_model=facts.gpu_model,
                        local_storage=facts.local_storage,
                        sockets=facts.sockets,
                        arch=facts.arch,
                        hypervisor_version=facts.hypervisor_version,
                        version=startup.version,
                        tags=tags,
                        state="Up",
                        resource_state="Disabled",
                        last_pinged=now,
                        created=now,
                        details=details,
                    )
                )
        except CloudError as error:
            link.send(Refused(error.text))
            link.close()
            raise

    def _undo(self, host: Host, url: str) -> None:
        self._external.forget(host.guid)
        self._agents.disconnect(host.id, f"host at {url} could not be added")
        if host.id in self._hosts:
            with self._store.transaction():
                self._primary_storage.remove_local(host)
                self._hosts.delete(host.id)

    # changing

    def update(
        self,
        host: Host,
        *,
        name: str | None = None,
        allocation: Literal["Enabled", "Disabled"] | None = None,
        tags: Sequence[str] | None = None,
        os_category: GuestOsCategory | None = None,
        url: str | None = None,
        external: Mapping[str, str] | None = None,
    ) -> Host:
        """Change what is given; `external` is in the place of what was there.

        A host in maintenance, or on its way there, is neither enabled nor disabled."""
        changes: dict[str, Any] = {}
        if name is not None and name != host.name:
            if not name.strip() or self._hosts.find(("zone_id", "name"), (host.zone_id, name)) is not None:
                raise InvalidParameterValue(f"Host name {name!r} is empty or used in the zone already")
            changes["name"] = name
        if allocation is not None and allocation != host.resource_state:
            if host.resource_state not in ("Enabled", "Disabled"):
                raise InvalidParameterValue(
                    f"Host {host.name} cannot be {allocation.lower()} while its resource state is "
                    f"{host.resource_state}"
                )
            changes["resource_state"] = allocation
        if tags is not None:
            changes["tags"] = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
        if os_category is not None:
            changes["details"] = {**host.details, OS_CATEGORY: os_category.id}
        if external is not None:
            if external and host.hypervisor != EXTERNAL:
                raise InvalidParameterValue(f"externaldetails: host {host.name} is not External")
            changes["details"] = replaced(changes.get("details", host.details), external)
        if url is not None:
            changes["url"] = url
        with self._store.transaction():
            return self._hosts.update(host.id, **changes)

    def check_reconnect(self, host: Host) -> None:
        """Raises InvalidParameterValue unless the agent may connect anew now."""
        if host.resource_state in ("PrepareForMaintenance", "ErrorInMaintenance"):
            raise InvalidParameterValue(f"Unable to reconnect host {host.name}: it is {host.resource_state}")

    async def reconnect(self, host: Host) -> Host:
        """Have the agent connect anew and return when it has. Raises ResourceUnavailable if it does not."""
        self.check_reconnect(host)
        self._agents.drop_link(host.id)
        deadline = asyncio.get_running_loop().time() + RECONNECT_WITHIN
        while not self._agents.is_connected(host.id):
            if asyncio.get_running_loop().time() >= deadline:
                raise ResourceUnavailable(
                    f"Failed to reconnect host {host.name}: its agent does not come back"
                )
            await asyncio.sleep(1.0)
        return self._hosts[host.id]

    # maintenance

    def check_maintenance(self, host: Host) -> None:
        """Raise unless maintenance could begin now."""
        if host.resource_state not in _CAN_ENTER:
            raise InvalidParameterValue(
                f"Cannot perform maintain when resource state is {host.resource_state}, hostId = {host.id}"
            )
        if self.evacuate is None and self._vms.count("host_id", host.id):
            raise UnsupportedCommand(f"Instances run on host {host.name}, and nothing here can move them")

    async def enter_maintenance(self, host: Host) -> Host:
        """Move all instances away; the host is in Maintenance then, or in ErrorInMaintenance when one can't go."""
        host = self._current(host)
        self.check_maintenance(host)
        with self._store.transaction():
            self._hosts.update(host.id, resource_state="PrepareForMaintenance")
        try:
            if self.evacuate is not None:
                await self.evacuate(self._hosts[host.id])
            if left := self._vms.count("host_id", host.id):
                raise ResourceInUse(f"{left} instances are still on host {host.name}")
        except BaseException:
            self._settle(host, "ErrorInMaintenance")
            raise
        self._settle(host, "Maintenance")
        return self._hosts[host.id]

    def _settle(self, host: Host, state: Literal["Maintenance", "ErrorInMaintenance"]) -> None:
        """End the preparation, unless the operator has cancelled it or removed the host."""
        now = self._hosts.get(host.id)
        if now is not None and now.resource_state == "PrepareForMaintenance":
            with self._store.transaction():
                self._hosts.update(host.id, resource_state=state)

    def leave_maintenance(self, host: Host) -> Host:
        """The host takes instances again."""
        host = self._current(host)
        self.check_in_maintenance(host)
        with self._store.transaction():
            return self._hosts.update(host.id, resource_state="Enabled")

    def check_in_maintenance(self, host: Host) -> None:
        if host.resource_state not in _CAN_LEAVE:
            raise InvalidParameterValue(
                f"Cannot perform cancelMaintenance when resource state is {host.resource_state}, hostId = {host.id}"
            )

    def _current(self, host: Host) -> Host:
        now = self._hosts.get(host.id)
        if now is None:
            raise InvalidParameterValue(f"Host {host.name} is gone")
        return now

    # removing

    async def delete(self, host: Host, *, forced: bool = False) -> None:
        """Remove the host. With instances on it only when `forced`, which stops them."""
        self._primary_storage.check_local_unused(host)
        if self._vms.count("host_id", host.id):
            if not forced:
                raise ResourceInUse(
                    f"Host {host.name} cannot be deleted as there are instances on it. "
                    "Either put the host into maintenance or perform a forced deletion."
                )
            if self.stop_all is None:
                raise UnsupportedCommand(f"Instances run on host {host.name}, and nothing here can stop them")
            with self._store.transaction():
                self._hosts.update(host.id, resource_state="Disabled")
            await self.stop_all(host)
            if left := self._vms.count("host_id", host.id):
                raise ResourceInUse(f"{left} instances on host {host.name} could not be stopped")
        self._external.forget(host.guid)
        self._agents.disconnect(host.id, f"host {host.name} has been removed from this cloud")
        with self._store.transaction():
            self._primary_storage.remove_local(host)
            for vm_id in list(self._vms.ids("last_host_id", host.id)):
                self._vms.update(vm_id, last_host_id=None)
            for told in self.on_delete:
                told(host)
            remove_leftovers(self._foundation, host.id)
            self._hosts.delete(host.id)
