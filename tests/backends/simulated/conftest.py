"""A small simulated datacenter whose hosts are worked directly, without a manager."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from backends.simulated.datacenter import Hosts, PrimaryPool, uniform
from backends.simulated.host import SimulatedHypervisor
from backends.simulated.world import SimulatedWorld
from cloudsim.protocol.specs import DiskSpec, ImageSpec, PoolSpec, VmSpec

GIB = 1 << 30


class Bench:
    """Two hosts of one rack with its pool mounted as `P`, each with a local pool `L1`, `L2`."""

    store_url = "nfs://sim/zone-1/secondary"
    image = ImageSpec(store_url, "templates/debian", 2 * GIB)

    def __init__(self, profile: Any = "default") -> None:
        self.world = SimulatedWorld(
            uniform(
                hosts_per_rack=2,
                host=Hosts(memory_gib=4, memory_overcommit=2, gpus=2, gpu_model="A10"),
                pool=PrimaryPool(capacity_gib=100),
            ),
            profile=profile,
        )
        self.a, self.b = (h.hypervisor for h in self.world.hosts.values())
        self.pool = self.world.pool("zone-1/pod-1/rack-1/primary")
        for number, host in enumerate((self.a, self.b), 1):
            self.do(host.mount_pool(PoolSpec("P", "NetworkFilesystem", "sim", "/zone-1/pod-1/rack-1/primary")))
            self.do(host.mount_pool(PoolSpec(f"L{number}", "Filesystem", host.address, "/var/local")))

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.world.loop.run_until_complete(work)

    def at(self, seconds: float, what: Callable[..., object], *args: object) -> None:
        self.world.loop.call_later(seconds, what, *args)

    @property
    def now(self) -> float:
        return self.world.loop.time()

    def disk(self, name: str, pool: str = "P", device: int = 0) -> DiskSpec:
        """A new disk of 8 GiB."""
        host = self.b if pool == "L2" else self.a
        path, size = self.do(host.create_volume(name, pool, 8 * GIB, None, None))
        return DiskSpec(name, pool, path, size, "ROOT" if device == 0 else "DATADISK", device)

    def vm(self, name: str = "i-2-1-VM", *disks: DiskSpec, **fields: Any) -> VmSpec:
        return VmSpec(**{"id": name, "cpus": 1, "cpu_mhz": 1000, "memory_mib": 1024, **fields}, name=name, disks=disks)

    def names(self, host: SimulatedHypervisor) -> list[str]:
        return [report.name for report in host.inventory()]

    def consistent(self) -> None:
        """What a host counts is what is on it, and no disk is open but for an instance that has it."""
        for host in (self.a, self.b):
            assert host.memory_used == sum(g.spec.memory_mib for g in host.guests.values())
        for pool in self.world.site.pool_ids.values():
            contents = pool.contents.values()
            assert pool.used == sum(c.taken + sum(c.snapshots.values()) for c in contents) + pool.ballast
            for path, content in pool.contents.items():
                users = [
                    f"{g.spec.name}@{host.name}"
                    for host in (self.a, self.b)
                    for g in host.guests.values()
                    if g.state != "incoming" and path in [d.path for d in g.disks]
                ]
                assert users == ([] if content.user is None else [content.user])


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture(scope="session")
def make_bench() -> type[Bench]:
    """For tests that need another profile, or a fresh bench for each example."""
    return Bench
