"""addHost in the world of real hosts: it finds the agent at a URL, waits for one, and adds its host."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from backends.wire.world import RealWorld
from cloudsim.errors import InvalidParameterValue
from cloudsim.management.server import ManagementServer
from cloudsim.model import ROW_TYPES
from cloudsim.model import Host as HostRow
from cloudsim.protocol import commands as c
from cloudsim.protocol.specs import Place
from cloudsim.randomness import Randomness
from cloudsim.store import Store
from cloudsim.world import HostDiscovery
from tests.backends.wire.wire_harness import Bench, Host, run, until


def at(url: str) -> HostDiscovery:
    return HostDiscovery(url=url, zone_id="z", pod_id="p", cluster_id="c")


def test_time_is_the_machines() -> None:
    async def scene() -> None:
        world = RealWorld(asyncio.get_running_loop(), None)  # type: ignore[arg-type]
        before = time.time()
        assert world.hypervisor == "KVM" and before <= world.now() <= time.time()
        assert world.loop is asyncio.get_running_loop()

    run(scene())


@pytest.mark.parametrize(
    "url", ["http://kvm1", "http://KVM1/", "http://10.0.0.5", "http://10.0.0.5:22", "https://kvm1"]
)
def test_an_agent_is_found_by_name_or_address(tmp_path: Path, url: str) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity = bench.enrolled("kvm1", "10.0.0.5")
            await bench.connected(bench.agent(identity, Host("10.0.0.5")))
            await bench.connected(bench.agent(bench.enrolled("kvm2", "10.0.0.6"), Host("10.0.0.6")))
            world = RealWorld(asyncio.get_running_loop(), bench.gateway)
            assert await world.discover(at(url)) == identity.guid
            assert await world.discover(at(f"http://{identity.guid}")) == identity.guid

    run(scene())


def test_one_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            identity = bench.enrolled("kvm1", "10.0.0.5")
            world = RealWorld(asyncio.get_running_loop(), bench.gateway)
            found = asyncio.create_task(world.discover(at("http://kvm1")))
            await bench.connected(bench.agent(bench.enrolled("kvm2", "10.0.0.6"), Host("10.0.0.6")))
            assert not found.done()
            bench.agent(identity, Host("10.0.0.5"))
            assert await found == identity.guid

    run(scene())


def test_where_none_comes_the_operator_is_told_what_to_do(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            world = RealWorld(asyncio.get_running_loop(), bench.gateway, connects_within=0.05)
            with pytest.raises(
                InvalidParameterValue, match=r"kvm1 within 0\.05 seconds: run `cloudsim agent setup`"
            ):
                await world.discover(at("http://kvm1"))
            for url in ("kvm1", "ftp://kvm1", "http://", "http://[kvm1"):
                with pytest.raises(InvalidParameterValue, match="is not a host"):
                    await world.discover(at(url))

    run(scene())


def test_an_address_that_several_connect_from_names_none_of_them(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            first = bench.agent(bench.enrolled("kvm1", "10.0.0.5"), Host("10.0.0.5"))
            await bench.connected(first)
            world = RealWorld(asyncio.get_running_loop(), bench.gateway)
            assert await world.discover(at("http://127.0.0.1")) == first.guid, "where it connects from"
            second = bench.agent(bench.enrolled("kvm2", "10.0.0.6"), Host("10.0.0.6"))
            await bench.connected(second)
            with pytest.raises(InvalidParameterValue, match="may be any of the agents"):
                await world.discover(at("http://127.0.0.1"))
            second.stop()
            await until(lambda: len(bench.gateway.called("127.0.0.1")) == 1)

    run(scene())


class Cloud:
    """A management server in the world of real hosts, with a zone, a pod and a cluster."""

    def __init__(self, bench: Bench) -> None:
        self.world = RealWorld(asyncio.get_running_loop(), bench.gateway)
        self.manager: Any = ManagementServer(Store(ROW_TYPES), self.world, Randomness(5))
        self.manager.start()
        self.zone = self.manager.zones.create(
            name="zone1",
            network_type="Advanced",
            dns1="10.0.0.2",
            internal_dns1="10.0.0.2",
            guest_cidr="10.1.1.0/24",
        )
        self.pod = self.manager.pods.create(
            self.zone, name="pod1", start_ip="10.0.0.10", gateway="10.0.0.1", netmask="255.255.255.0"
        )
        self.cluster = self.manager.clusters.create(self.zone, self.pod, name="cluster1", hypervisor="KVM")

    def hosts(self) -> list[HostRow]:
        return list(self.manager.foundation.table(HostRow))


def test_add_host_adds_the_host_of_an_agent_that_waits(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            cloud = Cloud(bench)
            identity, machine = bench.enrolled("kvm1", "10.0.0.5"), Host("10.0.0.5")
            agent = bench.agent(identity, machine)
            row = await cloud.manager.hosts.add(cloud.zone, cloud.pod, cloud.cluster, url="http://10.0.0.5")
            assert (row.guid, row.name, row.state, row.resource_state) == (
                identity.guid,
                "kvm1",
                "Up",
                "Enabled",
            )
            await bench.connected(agent)
            assert (await cloud.manager.agents.send(row.id, c.StopCommand(vm="i-2-1-VM"))).ok
            assert machine.done == ["stop i-2-1-VM"]
            await cloud.manager.stop()

    run(scene())


def test_the_host_of_an_agent_that_says_where_it_wants_to_be_adds_itself(tmp_path: Path) -> None:
    async def scene() -> None:
        async with Bench(tmp_path) as bench:
            cloud = Cloud(bench)
            agent = bench.agent(bench.enrolled("kvm1", "10.0.0.5"), Host("10.0.0.5"))
            agent.place = Place("zone1", "pod1", "cluster1")
            await until(lambda: [row.resource_state for row in cloud.hosts()] == ["Enabled"])
            assert agent.connected
            await cloud.manager.stop()

    run(scene())
