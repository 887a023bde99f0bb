"""The hosts of Huawei Cloud's topology-aware placement data set: what 1,710 two-NUMA servers have left, and racks."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.traces.sheets import read_sheet

_FREE = ("CPU1", "RAM1", "CPU2", "RAM2")
_TOPOLOGY = ("host_id", "rack_id")


class NumaNode(NamedTuple):
    """What a NUMA node of a host has left."""

    cores: int
    memory_mib: int


class PlacedHost(NamedTuple):
    """A host with its NUMA nodes, in a rack; the rack's name is empty where none was given."""

    name: str
    nodes: tuple[NumaNode, ...]
    rack: str = ""

    @property
    def cores(self) -> int:
        return sum(node.cores for node in self.nodes)

    @property
    def memory_mib(self) -> int:
        return sum(node.memory_mib for node in self.nodes)


def read_hosts(resources: Path, topology: Path | None = None) -> list[PlacedHost]:
    """The hosts of PM_res.xlsx (`resources`), in its order, with the racks of topology_provider.xls.

    CPU1, RAM1 and CPU2, RAM2 are the free cores and GiB of a host's two NUMA nodes. The sheet has no names: as both files are
    of one data set, the host of its nth row is taken to be the nth of `topology` (host_id, rack_id); without a `topology` it is
    called host-(n - 1), as there, and is in no rack. Raises TraceError.
    """
    racks = [] if topology is None else _racks(topology)
    hosts: list[PlacedHost] = []
    for row in read_sheet(resources, _FREE):
        nodes = tuple(
            NumaNode(row.whole(f"CPU{number}"), 1024 * row.whole(f"RAM{number}")) for number in (1, 2)
        )
        if topology is None:
            name, rack = f"host-{len(hosts)}", ""
        elif len(hosts) < len(racks):
            name, rack = racks[len(hosts)]
        else:
            raise TraceError(f"{topology}: expected at least as many hosts as {resources} has, got {len(racks)}")
        hosts.append(PlacedHost(name, nodes, rack))
    if not hosts:
        raise TraceError(f"{resources}: expected at least one host")
    return hosts


def _racks(path: Path) -> list[tuple[str, str]]:
    return [(row.name("host_id"), row.name("rack_id")) for row in read_sheet(path, _TOPOLOGY)]
