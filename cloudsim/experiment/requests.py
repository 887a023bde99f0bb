"""What is asked of a cloud: one request for an instance."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

SMALLEST_MIB = 32
"""The least memory that a service offering can have."""


class Shape(NamedTuple):
    """The size of an instance: what a service offering says."""

    cpus: int
    cpu_mhz: int
    memory_mib: int
    gpus: int = 0
    gpu_milli: int = 1000
    gpu_models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class VmRequest(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A request for an instance, in exact integers.

    Times are milliseconds: `arrival_ms` from the beginning of the trace, `lifetime_ms` from then on (None:
    it runs on). `cpu_mhz` is the speed of each of `cpus` cores, `gpu_milli` the thousandths wanted of each of
    `gpus` GPUs, on a host with one of `gpu_models` (empty: any). `tags` are host tags.

    `tenant` is who asks (empty: nobody in particular). `expected_ms` is the lifetime that placement is told, which may
    be wrong; None where it is told nothing. Instances of a group in `affinity` go to one host, those of a group in
    `anti_affinity` to different ones. `numa_nodes` is over how many NUMA nodes of a host it is spread evenly.

    `work_ms` is what its guest is given to compute (`cloudsim.work`): a task for each of these lengths at full speed.
    """

    id: str
    arrival_ms: int
    lifetime_ms: int | None
    cpus: int
    cpu_mhz: int
    memory_mib: int
    gpus: int = 0
    gpu_milli: int = 1000
    gpu_models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    tenant: str = ""
    expected_ms: int | None = None
    affinity: tuple[str, ...] = ()
    anti_affinity: tuple[str, ...] = ()
    numa_nodes: int = 1
    work_ms: tuple[int, ...] = ()

    @property
    def shape(self) -> Shape:
        return Shape(
            self.cpus,
            self.cpu_mhz,
            self.memory_mib,
            self.gpus,
            self.gpu_milli,
            self.gpu_models,
            self.tags,
        )
