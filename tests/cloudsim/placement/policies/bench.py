"""Hosts with instances on them, drawn by hypothesis, and a planner over them.

Sizes are powers of two, so that the shares of a host are exact in binary and a naive reading can be exact too.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from hypothesis import strategies as st

from cloudsim.placement import HostArrays, PlacementRequest, Planner
from cloudsim.randomness import Randomness

MHZ = 1024
HOUR = 3_600_000
NOW = 100 * HOUR


class Vm(NamedTuple):
    """An instance: MHz, MiB, its account, when its end was foretold (ms; None: not), thousandths of one GPU."""

    cpu: int
    memory: int
    account: str = "a"
    end: int | None = None
    gpu: int = 0


class Site(NamedTuple):
    """A host: its cores, MiB, pod, GPUs, tags, how often its CPU is promised, to whom it is dedicated, what is on it."""

    cores: int = 8
    memory: int = 8192
    vms: tuple[Vm, ...] = ()
    pod: int = 0
    gpus: int = 0
    tags: tuple[str, ...] = ()
    overcommit: int = 1
    dedicated: str | None = None

    @property
    def cpu(self) -> int:
        return self.cores * MHZ * self.overcommit

    @property
    def cpu_room(self) -> int:
        return self.cpu - sum(vm.cpu for vm in self.vms)

    @property
    def memory_room(self) -> int:
        return self.memory - sum(vm.memory for vm in self.vms)

    @property
    def devices(self) -> list[int]:
        """What is left of each GPU: the first that can give it gives it."""
        left = [1000] * self.gpus
        for vm in self.vms:
            if vm.gpu:
                left[next(n for n, free in enumerate(left) if free >= vm.gpu)] -= vm.gpu
        return left

    def left(self, request: PlacementRequest) -> list[Fraction]:
        """The shares of CPU and memory that are left after the request."""
        return [
            Fraction(self.cpu_room - request.cpu, self.cpu),
            Fraction(self.memory_room - request.memory, self.memory),
        ]

    def free(self) -> list[Fraction]:
        """The shares of CPU and memory that are left now."""
        return [Fraction(self.cpu_room, self.cpu), Fraction(self.memory_room, self.memory)]

    def asked(self, request: PlacementRequest) -> list[Fraction]:
        """The shares of CPU and memory that the request asks for."""
        return [Fraction(request.cpu, self.cpu), Fraction(request.memory, self.memory)]

    def fits(self, request: PlacementRequest) -> bool:
        """All that a request asks of a host, one after the other."""
        return (
            self.cores >= request.cpus
            and request.speed <= MHZ
            and self.cpu_room >= request.cpu
            and self.memory_room >= request.memory
            and set(request.tags) <= set(self.tags)
            and sum(free >= request.gpu_milli for free in self.devices) >= request.gpus
            and self.dedicated in (None, request.account_id, *request.domain_ids)
        )


class NoLimits:
    """Settings that limit nothing and name no policy."""

    def get(self, name: str) -> str:
        return "first-fit"

    def number(self, name: str, scope: str = "Global", scope_id: str = "") -> float:
        return 1.0

    def own(self, name: str, scope: str) -> dict[str, float]:
        return {}


class Bench:
    """The hosts of `sites` as arrays, slot by slot, and a planner over them."""

    def __init__(self, sites: Iterable[Site], seed: int = 5) -> None:
        self.sites = list(sites)
        self.hosts = HostArrays()
        for number, site in enumerate(self.sites):
            slot = self.hosts.add(f"h-{number}", "z", f"p-{site.pod}", f"c-{site.pod}", site.tags)
            self.hosts.resize(
                slot, cpus=site.cores, speed=MHZ, cpu=site.cpu, memory=site.memory, enabled=True
            )
            if site.gpus:
                self.hosts.set_gpus(slot, site.gpus)
            if site.dedicated is not None:
                self.hosts.dedicate(slot, site.dedicated)
            for vm in site.vms:
                self.put(slot, vm)
        self.planner = Planner(self.hosts, NoLimits(), Randomness(seed))

    def put(self, slot: int, vm: Vm, sign: int = 1) -> None:
        """The instance is on the host, or with a `sign` of -1 it is not any more."""
        self.hosts.reserve(slot, sign, vm.cpu, vm.memory, vm.account)
        if vm.end is not None:
            self.hosts.expect(slot, sign, vm.end)
        if vm.gpu:
            devices = self.hosts.free_gpus(slot, 1, vm.gpu) if sign > 0 else (0,)
            assert devices is not None
            self.hosts.reserve_gpus(slot, sign, devices, vm.gpu)

    def plan(self, policy: str, request: PlacementRequest, **more: object) -> int:
        return self.planner.plan(request, planner=policy, **more)  # type: ignore[arg-type]

    def fitting(self, request: PlacementRequest) -> list[int]:
        """Slots of hosts that can hold it."""
        return [slot for slot, site in enumerate(self.sites) if site.fits(request)]


ends = st.sampled_from([None, -2, 1, 3, 8, 30, 200]).map(lambda h: None if h is None else NOW + h * HOUR)
vms = st.tuples(
    st.sampled_from((256, 512, 1024)), st.sampled_from((256, 1024)), st.sampled_from("ab"), ends
).map(lambda fields: Vm(*fields))
sites = st.tuples(
    st.sampled_from((4, 8, 16)),
    st.sampled_from((4096, 8192)),
    st.lists(vms, max_size=4).map(tuple),
    st.integers(0, 2),
).map(lambda fields: Site(*fields))
clouds = st.lists(sites, min_size=1, max_size=8)
requests = st.tuples(
    st.sampled_from((256, 1024, 4096)), st.sampled_from((256, 1024, 4096)), st.sampled_from("abc"), ends
).map(lambda f: PlacementRequest(f[0], f[1], account_id=f[2], time=NOW, expected_end=f[3]))
