"""A simulated datacenter as the world that a management server runs in.

    >>> from backends.simulated.datacenter import uniform
    >>> world = SimulatedWorld(uniform(racks=2), seed=7)
    >>> len(world.hosts), world.now()
    (8, 1767225600.0)

Hosts of the description have power from the start, and an agent once they are discovered (`addHost`).
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backends.simulated.datacenter import Datacenter, Hosts, from_dict, load
from backends.simulated.faults import SimulatedFaultInjector
from backends.simulated.host import HYPERVISOR, SimulatedHypervisor
from backends.simulated.latency import LatencyProfile
from backends.simulated.latency import profile as read_profile
from backends.simulated.layout import SERVER, HostPlan, Layout
from backends.simulated.link import TCP_TIMEOUT, Condition, SimulatedLink
from backends.simulated.links import SimulatedLinks
from backends.simulated.loop import SimLoop
from backends.simulated.out_of_band import ManagementControllers
from backends.simulated.power import Power
from backends.simulated.reachability import picture
from backends.simulated.simulated_host import SimulatedHost
from backends.simulated.site import Site, Utilisation
from backends.simulated.storage import Pool
from backends.simulated.topology import Place
from backends.simulated.urls import size_in
from cloudsim.agent import Agent
from cloudsim.certificate_authority import CertificateAuthority
from cloudsim.errors import InvalidParameterValue
from cloudsim.faults import Fault
from cloudsim.out_of_band import PowerDriver
from cloudsim.protocol.link import Link
from cloudsim.protocol.specs import VmSpec
from cloudsim.randomness import Randomness
from cloudsim.systemvm.reachability import Picture
from cloudsim.work import WorkListener
from cloudsim.world import HostDiscovery

if TYPE_CHECKING:
    from backends.fault_injector import FaultInjector, RestartManager

EPOCH = 1_767_225_600.0
"""Unix time of a world's beginning unless told otherwise: 2026-01-01 00:00 UTC."""


class SimulatedWorld:
    """Implements `cloudsim.world.World` on a description.

    `loop` is the event loop that all of it runs on (a new `SimLoop` without one), `epoch` the Unix time
    of its zero, `profile` a name or value of `backends.simulated.latency.profile`. With
    `count_messages`, `messages` counts what is sent by kind ("StartCommand", "StartAnswer", "Ping", ...);
    with `wire`, each message goes through its JSON.
    """

    hypervisor = HYPERVISOR

    def __init__(
        self,
        datacenter: Datacenter,
        *,
        seed: int = 0,
        randomness: Randomness | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
        epoch: float = EPOCH,
        profile: str | Path | dict[str, Any] | LatencyProfile = "default",
        utilisation: Utilisation | None = None,
        count_messages: bool = False,
        wire: bool = False,
    ) -> None:
        branch = (randomness or Randomness(seed)).branch("simulated world")
        self.loop: asyncio.AbstractEventLoop = SimLoop() if loop is None else loop
        self.epoch = epoch
        self.datacenter = datacenter
        self.layout = Layout(datacenter)
        self.messages: Counter[str] = Counter()
        self._count, self._wire = count_messages, wire
        self._ids = branch.branch("hosts")
        self._foreign = branch.branch("foreign instances")
        self._network_chance = branch.branch("messages")
        self._context = copy_context()
        self._accept: Callable[[Link], None] | None = None
        self._managers_ends: dict[SimulatedLink, None] = {}
        self.site = Site(self.loop, self.layout, read_profile(profile), branch, utilisation, epoch)
        self._jitter = self.site.sampler.source("agent_message")
        self.hosts: dict[str, SimulatedHost] = {}
        """By guid."""
        self.links = SimulatedLinks(self.site, self._place_by_guid)
        self._by_name: dict[str, SimulatedHost] = {}
        self._free_below: dict[tuple[int, int], int] = {}
        self.certificate_authorities: Mapping[str, CertificateAuthority] = {}
        self.power = Power(self.loop, self.site.sampler.source("host_boot"), self._boot_agent_soon)
        controllers = ManagementControllers(self.site, self.hosts, self.power)
        self.out_of_band: Mapping[str, PowerDriver] = {"ipmitool": controllers}
        for plan in self.layout.hosts():
            self._add_planned(plan)

    # the World protocol

    def now(self) -> float:
        """Unix seconds: the epoch and the loop's time."""
        return self.epoch + self.loop.time()

    def attach(self, accept: Callable[[Link], None]) -> None:
        """Agents that connect from now on go to `accept`; the earlier manager's links close."""
        self.detach()
        self._accept = accept

    def detach(self) -> None:
        """The manager is gone: its links close, and nobody answers agents that connect."""
        self._accept = None
        for end in list(self._managers_ends):
            end.close()

    async def discover(self, host: HostDiscovery) -> str:
        """`http://sim/<zone>/<pod>/<rack>/<host>` is that host of the description. Any other http URL of
        a server whose name begins with "sim" is a new host, of the size in its last segment
        (`cpuspeed=2000&cpucore=8&memory=...`, memory and localstorage in bytes), as in CloudStack's
        simulator. A host that is added again gets a new agent, under the same guid.
        """
        found = self.described(host.url) or self._new_host(host)
        self.start_agent(found)
        return found.guid

    def template_url(self, gib: int) -> str:
        """Where an image of that size can be downloaded from."""
        return f"http://images.example/experiment.qcow2?size={gib}g"

    def when_settled(self, callback: Callable[[], object]) -> None:
        """Call it at this instant, after all that happens in it; on a loop of real time, soon."""
        getattr(self.loop, "call_when_settled", self.loop.call_soon)(callback)

    def close(self) -> None:
        """A simulated world leaves nothing behind."""

    def hear_work(self, listener: WorkListener) -> None:
        """From now on `listener` hears of all work that guests begin and finish (`cloudsim.work.TellsOfWork`)."""
        self.site.work_listener = listener

    # hosts

    def add_host(
        self, wanted: HostDiscovery, guid: str, name: str, address: str, group: Hosts
    ) -> SimulatedHost:
        """Build a host that the description does not have, in a rack of its cluster's."""
        site, fabric = self.site, self.site.fabric
        zone = site.place(f"zone {wanted.zone_id}", "zone", site.topology.root, fabric.core)
        pod = site.place(f"pod {wanted.pod_id}", "pod", zone, fabric.spine)
        rack = site.place(f"cluster {wanted.cluster_id}", "rack", pod, fabric.rack)
        place = site.topology.add(f"host {guid}", "host", rack, fabric.host)
        return self._add_host(guid, name, address, place, group, place.name)

    def adopt(self, host: SimulatedHost, guid: str) -> None:
        """Give a host of the description the guid that a manager knows it by."""
        del self.hosts[host.guid]
        host.guid = host.hypervisor.guid = guid
        self.hosts[guid] = host

    def host(self, key: str) -> SimulatedHost:
        """The host of that guid, name, path or address. LookupError if there is none."""
        found = self.hosts.get(key) or self._by_name.get(key)
        if found is None:
            machine = self.site.machines.get(key)
            if machine is None:
                raise LookupError(f"the world has no host {key!r}")
            found = self.hosts[machine.guid]
        return found

    def pool(self, key: str) -> Pool:
        """The primary pool of that path, name in the description, or id. LookupError if there is none."""
        found = self.site.pools.get(key) or self.site.pool_ids.get(key)
        if found is None:
            named = [p.path for p in self.layout.pools() if p.name == key]
            if not named:
                raise LookupError(f"the world has no primary storage {key!r}")
            found = self.site.pools[named[0]]
        return found

    def start_agent(self, host: SimulatedHost) -> None:
        """Install and start the agent on a host that is on; an agent that is there already starts anew."""
        self._stop_agent(host)
        if host.agent is None:
            host.condition = self._condition(host)
            host.agent = Agent(host.guid, host.name, host.hypervisor, host)
        self._boot_agent_soon(host)

    def remove_agent(self, host: SimulatedHost) -> None:
        """Take the agent off a host, as an operator does with a host that leaves the cloud."""
        self._stop_agent(host)
        host.agent = None

    def crash_host(self, key: str) -> None:
        """Cut a host's power: its guests and agent are gone at once; the manager learns by a timeout.

        Its management controller tells that it is off, and cannot switch it on."""
        self.power.fail(self.host(key))

    def restore_host(self, key: str) -> None:
        """Give a host its power back: it has no guests, and its agent connects again."""
        self.power.repair(self.host(key))

    def hang_agent(self, key: str) -> None:
        """The agent of a host stops doing anything, its guests run on. May be nested."""
        self._condition(self.host(key)).hang()

    def resume_agent(self, key: str) -> None:
        """Undo one `hang_agent`."""
        self._condition(self.host(key)).wake()

    def cut_link(self, key: str) -> None:
        """Cut the network above a host (guid, name, ...), a rack, pod, zone or pool (path), or the manager
        (`management`). May be nested.

        Transfers across it stall; messages between agents and a manager on the other side are lost, and
        their connections break after the TCP timeout.
        """
        place = self._place(key)
        self.site.topology.cut(place)
        for host in self._behind(place):
            self._condition(host).cut()

    def restore_link(self, key: str) -> None:
        """Undo one `cut_link`. ValueError if it is not cut."""
        place = self._place(key)
        self.site.topology.mend(place)
        for host in self._behind(place):
            self._condition(host).mend()

    def impair_messages(
        self, key: str, *, loss: float = 0.0, duplication: float = 0.0, delay: float = 0.0
    ) -> None:
        """Add to a host's probabilities of loss and duplication, and to its messages' delay (seconds)."""
        self._condition(self.host(key)).impair(loss=loss, duplication=duplication, delay=delay)

    def slow_pool(self, key: str, factor: float) -> None:
        """Make a pool's disks `factor` times as slow as they are; 1/factor undoes it."""
        pool = self.pool(key)
        pool.slowness = round(pool.slowness * factor, 12)
        self.site.flows.set_capacity(pool.disks, pool.bandwidth / pool.slowness)

    def place_unmanaged(self, key: str, name: str, **what: Any) -> VmSpec:
        """Run an instance on a host that no manager knows of, as one that was there before the cloud; returns what runs.

        `what` are the keywords of `backends.simulated.unmanaged.Unmanaged.run_foreign`.
        """
        return self.host(key).hypervisor.run_foreign(self._foreign.uuid(), name, **what)

    def reachability(self, zone: str | None = None, *, outside: tuple[str, ...] = ()) -> Picture:
        """Who reaches whom, by what runs now: `world.reachability().can_reach("i-2-3-VM", "198.51.100.7", "tcp", 80)`.

        Of one zone (its path in the description, or the manager's id of it) or of all. `outside`: CIDRs that are
        outside of the cloud although they look private. It does not change with the world: ask for a new one.
        """
        machines = self.site.machines.values()
        return picture([m for m in machines if zone is None or _zone_of(m.place) in (zone, f"zone {zone}")], outside)

    # inside

    def _add_planned(self, plan: HostPlan) -> None:
        place = self.site.topology.add(
            plan.path, "host", self.site.topology[plan.rack.path], self.site.fabric.host
        )
        self._add_host(self._ids.uuid(), plan.name, plan.address, place, plan.group, plan.path)

    def _add_host(
        self, guid: str, name: str, address: str, place: Place, group: Hosts, path: str
    ) -> SimulatedHost:
        machine = SimulatedHypervisor(self.site, guid, name, address, place, group)
        host = SimulatedHost(self._connect, machine, path)
        self.hosts[guid] = host
        self._by_name.setdefault(name, host)
        self._by_name[path] = host
        self.site.machines[address] = machine
        return host

    def described(self, url: str) -> SimulatedHost | None:
        """The host of the description at that URL, if it is one. InvalidParameterValue for one of another world."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not (parts.hostname or "").startswith(SERVER):
            raise InvalidParameterValue(f"{url!r} is not a simulated host: expected http://sim...")
        path = parts.path.strip("/")
        found = self._by_name.get(path)
        if found is None and any(path.startswith(zone.path + "/") for zone in self.layout.zones):
            raise InvalidParameterValue(f"the datacenter has no host {path}")
        return found

    def _new_host(self, wanted: HostDiscovery) -> SimulatedHost:
        group = size_in(wanted.url)
        address = self._free_address(wanted)
        guid = self._ids.uuid()
        return self.add_host(wanted, guid, f"SimulatedAgent.{guid}", address, group)

    def _free_address(self, wanted: HostDiscovery) -> str:
        """From the end of the pod's range, since system VMs are given addresses from its start."""
        first = int(ipaddress.IPv4Address(wanted.pod_cidr_start or "172.16.0.2"))
        last = int(ipaddress.IPv4Address(wanted.pod_cidr_end or "172.31.255.254"))
        for number in range(self._free_below.get((first, last), last), first - 1, -1):
            address = str(ipaddress.IPv4Address(number))
            if address not in self.site.machines:
                self._free_below[first, last] = number - 1
                return address
        raise InvalidParameterValue(
            f"the pod's range {wanted.pod_cidr_start} to {wanted.pod_cidr_end} has no address left for a host"
        )

    def _condition(self, host: SimulatedHost) -> Condition:
        if host.condition is None:
            condition = host.condition = Condition(self._network_chance)
            condition.wire = self._wire
            condition.counter = self.messages if self._count else None
            condition.judge()
        return host.condition

    def _boot_agent_soon(self, host: SimulatedHost) -> None:
        self.loop.call_soon(self._boot_agent, host, context=self._context)

    def _boot_agent(self, host: SimulatedHost) -> None:
        if host.agent is not None and host.hypervisor.powered:
            host.agent.start()

    def _stop_agent(self, host: SimulatedHost) -> None:
        if host.agent is not None:
            host.agent.stop()

    def _place(self, key: str) -> Place:
        place = self.site.topology.get(key)
        return self.host(key).hypervisor.place if place is None else place

    def _place_by_guid(self, guid: str) -> Place | None:
        host = self.hosts.get(guid)
        return None if host is None else host.hypervisor.place

    def _behind(self, place: Place) -> list[SimulatedHost]:
        """The hosts whose way to the manager crosses the link up from this place."""
        below = dict.fromkeys(self.site.topology.below(place))
        if self.site.manager in below:
            return [h for h in self.hosts.values() if h.hypervisor.place not in below]
        return [self._by_name[p.name] for p in below if p.kind == "host"]

    async def _connect(self, host: SimulatedHost) -> Link:
        condition = self._condition(host)
        topology, place = self.site.topology, host.hypervisor.place
        base = topology.latency(place, self.site.manager)
        await condition.awake()
        if condition.partitioned or not topology.reachable(place, self.site.manager):
            await asyncio.sleep(TCP_TIMEOUT)
            raise ConnectionError(f"{host.name} finds no way to the manager")
        await asyncio.sleep(2 * (base + self._jitter()))
        if self._accept is None:
            raise ConnectionRefusedError("no manager listens")
        latency = self._latency(base)
        agents_end, managers_end = SimulatedLink.pair(
            self.loop, condition, latency, self._context, self._managers_ends
        )
        self._accept(managers_end)
        return agents_end

    def _latency(self, base: float) -> Callable[[], float]:
        jitter = self._jitter
        return lambda: base + jitter()


def _zone_of(place: Place) -> str:
    while place.kind != "zone" and place.parent is not None:
        place = place.parent
    return place.name


class SimulatedBackend:
    """The entry point `cloudsim.backends: simulated`."""

    @staticmethod
    def create(
        description: str | Path | dict[str, Any] | Datacenter, seed: int = 0, **options: Any
    ) -> SimulatedWorld:
        """A world from a YAML file's path, data, or a Datacenter; `options` as for `SimulatedWorld`."""
        if isinstance(description, dict):
            description = from_dict(description)
        elif not isinstance(description, Datacenter):
            description = load(description)
        return SimulatedWorld(description, seed=seed, **options)

    @staticmethod
    def faults(
        world: SimulatedWorld,
        faults: Sequence[Fault],
        randomness: Randomness,
        restart_manager: RestartManager | None = None,
    ) -> FaultInjector:
        """What makes `faults` happen in the world, from its `start()` on."""
        return SimulatedFaultInjector(world, faults, randomness, restart_manager)
