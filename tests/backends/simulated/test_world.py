import asyncio
import doctest
from typing import Any

import pytest

from backends.simulated import world as world_module
from backends.simulated.datacenter import DatacenterError, uniform
from backends.simulated.link import TCP_TIMEOUT
from backends.simulated.world import EPOCH, SimulatedBackend, SimulatedWorld
from cloudsim.errors import InvalidParameterValue
from cloudsim.hypervisor import Hypervisor
from cloudsim.protocol import commands as c
from cloudsim.protocol.link import Link
from cloudsim.protocol.messages import Connected, Message, Ping, Request, Response, Startup
from cloudsim.protocol.specs import VmSpec
from cloudsim.world import HostDiscovery, World, backend


class Manager:
    """As little of a management server as makes agents happy; notes what it sees with its times."""

    def __init__(self, world: SimulatedWorld, ping: float = 10.0) -> None:
        self.world = world
        self.ping = ping
        self.links: dict[str, Link] = {}
        self.startups: list[Startup] = []
        self.pings: list[tuple[float, Ping]] = []
        self.responses: list[Response] = []
        self.closed: list[float] = []

    def accept(self, link: Link) -> None:
        def receive(message: Message) -> None:
            if isinstance(message, Startup):
                self.startups.append(message)
                self.links[message.guid] = link
                link.send(Connected(message.guid, self.ping))
            elif isinstance(message, Ping):
                self.pings.append((self.world.loop.time(), message))
            elif isinstance(message, Response):
                self.responses.append(message)

        link.on_message = receive
        link.on_close = lambda: self.closed.append(self.world.loop.time())


def discovery(url: str) -> HostDiscovery:
    return HostDiscovery(
        url=url, zone_id="z", pod_id="p", cluster_id="c", pod_cidr_start="172.20.0.2", pod_cidr_end="172.20.0.3"
    )


def start(**options: Any) -> tuple[SimulatedWorld, Manager, list[str]]:
    """A world of two hosts whose agents are connected to a manager, at time 1."""
    world = SimulatedWorld(uniform(racks=2, hosts_per_rack=1), **options)
    manager = Manager(world)
    world.attach(manager.accept)
    guids = [do(world, world.discover(discovery(plan.url))) for plan in world.layout.hosts()]
    wait(world, 1 - world.loop.time())
    return world, manager, guids


def do(world: SimulatedWorld, work: Any) -> Any:
    return world.loop.run_until_complete(work)


def wait(world: SimulatedWorld, seconds: float) -> None:
    do(world, asyncio.sleep(seconds))


def run_vm(world: SimulatedWorld, guid: str, name: str = "i-1") -> None:
    spec = VmSpec(name=name, id=name, cpus=1, cpu_mhz=500, memory_mib=512)
    do(world, world.host(guid).hypervisor.start_vm(spec))


def test_it_is_what_management_and_agents_expect() -> None:
    world: World = SimulatedWorld(uniform())
    hypervisor: Hypervisor = next(iter(world.hosts.values())).hypervisor  # type: ignore[attr-defined]
    assert world.hypervisor == "Simulator" and world.now() == EPOCH
    assert do(world, hypervisor.facts()).cpus == 8  # type: ignore[arg-type]
    assert backend("simulated") is SimulatedBackend


def test_agents_of_described_hosts_connect_and_ping() -> None:
    world, manager, guids = start()
    assert [s.guid for s in manager.startups] == guids == list(world.hosts)
    facts = manager.startups[0].facts
    assert (facts.cpus, facts.cpu_mhz, facts.memory_mib, facts.private_ip) == (8, 2000, 32768, "10.0.0.2")
    run_vm(world, guids[0])
    wait(world, 60)
    reports = [p.vms for _, p in manager.pings if p.guid == guids[0]]
    assert [r[0].name for r in reports if r] == ["i-1"], "a change is reported once"


def test_a_host_by_cloudstacks_url_has_the_size_that_it_says() -> None:
    world, manager, _ = start()
    guid = do(world, world.discover(discovery("http://sim/cpuspeed=2500&cpucore=32&memory=68719476736&arch=aarch64")))
    small = do(world, world.discover(discovery("http://simulator-7.example")))
    assert guid != small
    wait(world, 1)
    facts = manager.startups[-2].facts
    assert (facts.cpus, facts.cpu_mhz, facts.memory_mib, facts.arch) == (32, 2500, 65536, "aarch64")
    assert manager.startups[-2].name == f"SimulatedAgent.{guid}"
    facts = manager.startups[-1].facts
    assert (facts.cpus, facts.cpu_mhz, facts.memory_mib, facts.local_storage) == (4, 8000, 8192, 1 << 40)
    assert [world.host(g).hypervisor.address for g in (guid, small)] == ["172.20.0.3", "172.20.0.2"]
    for url, text in (
        ("http://sim/", "no address left"),
        ("ssh://sim/", "expected http://sim"),
        ("http://kvm1/", "expected http://sim"),
        ("http://sim/cpucore=many", "many"),
        ("http://sim/cpucore=0", "at least 1 core"),
        ("http://sim/zone-1/pod-1/rack-1/host-9", "no host zone-1/pod-1/rack-1/host-9"),
    ):
        with pytest.raises(InvalidParameterValue, match=text):
            do(world, world.discover(discovery(url)))


def test_hosts_and_pools_go_by_all_their_names() -> None:
    world, _, guids = start()
    host = world.host(guids[1])
    for key in ("host-1.rack-2.pod-1", "zone-1/pod-1/rack-2/host-1", "10.0.0.3"):
        assert world.host(key) is host
    pool = world.pool("zone-1/pod-1/rack-1/primary")
    assert world.pool("pod-1-rack-1-primary") is pool
    for find in (world.host, world.pool):
        with pytest.raises(LookupError, match="nothing"):
            find("nothing")


def test_a_crash_is_noticed_by_timeout_and_the_host_comes_back_empty() -> None:
    world, manager, guids = start()
    run_vm(world, guids[0])
    crashed = world.loop.time()
    world.crash_host(guids[0])
    world.crash_host(guids[0])
    wait(world, 100)
    assert manager.closed == [crashed + TCP_TIMEOUT]
    assert all(p.guid == guids[1] for time, p in manager.pings if time > crashed + 1)
    world.restore_host(guids[0])
    wait(world, 5)
    assert manager.startups[-1].guid == guids[0] and manager.startups[-1].vms == ()


def test_a_crash_and_an_operation_under_way() -> None:
    world, manager, guids = start()
    spec = VmSpec(name="i-1", id="i-1", cpus=1, cpu_mhz=500, memory_mib=512)
    manager.links[guids[0]].send(Request(1, c.StartCommand(vm=spec)))
    wait(world, 2)
    host = world.host(guids[0]).hypervisor
    assert [r.name for r in host.inventory()] == ["i-1"]
    world.crash_host(guids[0])
    wait(world, 200)
    assert manager.responses == [] and host.inventory() == () and host.memory_used == 0


def test_a_hung_agent_is_silent_while_its_guests_run() -> None:
    world, manager, guids = start()
    run_vm(world, guids[0])
    world.hang_agent(guids[0])
    hung = world.loop.time()
    wait(world, 100)
    assert all(p.guid == guids[1] for time, p in manager.pings if time > hung + 1)
    assert len(world.host(guids[0]).hypervisor.inventory()) == 1 and manager.closed == []
    world.resume_agent(guids[0])
    wait(world, 1)
    assert len([p for time, p in manager.pings if p.guid == guids[0] and time > hung + 90]) >= 9


@pytest.mark.parametrize("where", ["zone-1/pod-1/rack-1", "zone-1/pod-1/rack-1/host-1", "10.0.0.2"])
def test_a_cut_link_hides_what_is_below_it(where: str) -> None:
    world, manager, guids = start()
    world.cut_link(where)
    cut = world.loop.time()
    wait(world, 100)
    assert manager.closed == [cut + TCP_TIMEOUT]
    assert {p.guid for time, p in manager.pings if time > cut + 1} == {guids[1]}
    world.restore_link(where)
    wait(world, 120)
    assert [s.guid for s in manager.startups[2:]] == [guids[0]]


@pytest.mark.parametrize(("where", "hidden"), [("management", 4), ("zone-1", 2)])
def test_a_cut_above_the_manager_hides_the_other_side(where: str, hidden: int) -> None:
    world = SimulatedWorld(uniform(zones=2, hosts_per_rack=2))
    manager = Manager(world)
    world.attach(manager.accept)
    for plan in world.layout.hosts():
        do(world, world.discover(discovery(plan.url)))
    wait(world, 1)
    world.cut_link(where)
    wait(world, 100)
    assert len(manager.closed) == hidden


def test_a_new_manager_takes_over_and_the_old_one_hears_nothing() -> None:
    world, old, guids = start()
    new = Manager(world)
    world.detach()
    heard = len(old.pings)
    wait(world, 30)
    world.attach(new.accept)
    wait(world, 100)
    assert sorted(s.guid for s in new.startups) == sorted(guids)
    assert len(old.pings) == heard and old.closed == []


def test_an_agent_can_be_taken_off_and_put_on_again() -> None:
    world, manager, guids = start()
    world.remove_agent(world.host(guids[0]))
    wait(world, 5)
    assert len(manager.closed) == 1
    wait(world, 100)
    assert len(manager.startups) == 2
    assert do(world, world.discover(discovery(world.layout.zones[0].pods[0].racks[0].hosts[0].url))) == guids[0]
    wait(world, 5)
    assert manager.startups[-1].guid == guids[0]


def history(seed: int) -> tuple[object, ...]:
    world, manager, guids = start(seed=seed, count_messages=True, wire=True)
    world.impair_messages(guids[0], loss=0.3, duplication=0.3)
    run_vm(world, guids[0])
    wait(world, 300)
    return guids, manager.startups, manager.pings, world.loop.time(), world.messages


def test_the_same_seed_gives_the_same_run() -> None:
    assert history(5) == history(5) != history(6)
    assert history(5)[-1]["Ping"] > 0  # type: ignore[index]


def test_a_backend_is_made_from_a_file_or_data() -> None:
    world = SimulatedBackend.create("examples/datacenters/classroom.yaml", 3, profile="zero")
    assert len(world.hosts) == 10
    assert len(SimulatedBackend.create({"zones": [{"pods": [{"racks": [{"hosts": 2}]}]}]}).hosts) == 2
    with pytest.raises(DatacenterError, match=r"no\.yaml"):
        SimulatedBackend.create("no.yaml")


def test_ten_thousand_hosts_are_built_in_no_time() -> None:
    world = SimulatedWorld(uniform(pods=10, racks=25, hosts_per_rack=40))
    assert len(world.hosts) == 10_000


def test_the_example_of_the_module_is_right() -> None:
    assert doctest.testmod(world_module).failed == 0


def test_a_world_runs_on_asyncios_own_loop_too() -> None:
    async def main() -> None:
        world = SimulatedWorld(uniform(), loop=asyncio.get_running_loop(), profile="zero")
        manager = Manager(world)
        connected = asyncio.Event()

        def accept(link: Link) -> None:
            manager.accept(link)
            connected.set()

        world.attach(accept)
        guid = await world.discover(discovery(next(world.layout.hosts()).url))
        async with asyncio.timeout(5):
            await connected.wait()
            await asyncio.sleep(0.05)
        assert manager.startups[0].guid == guid

    asyncio.run(main())
