"""The description of a datacenter: zones, pods, racks, hosts, storage, and the network between them.

Data only. What is left out has a default; a `count` stands for that many of the same. Read one with
`load(path)` or `from_dict(data)`, or make a regular one with `uniform(...)`; `schema()` is its JSON
Schema. Sizes are GiB, speeds MHz per core, bandwidths Gbit/s (10^9), latencies microseconds one way.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta

from cloudsim.errors import InvalidParameterValue
from cloudsim.management.network.address_ranges import address_range

GIB = 1 << 30
GBIT = 1e9 / 8
"""Bytes per second in one Gbit/s."""

Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class DatacenterError(ValueError):
    """A description that cannot be used; the text names the file, the line where known, and the key."""


def _network(text: str, key: str) -> None:
    try:
        ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


class Described(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a description: a key it does not know is an error, not a silence."""


class Edge(Described, frozen=True, kw_only=True):
    """A full-duplex network link: `gbps` each way, and what it adds to a message's way."""

    gbps: NotNegative
    latency_us: NotNegative = 5.0


class Fabric(Described, frozen=True, kw_only=True):
    """The links of a tree: host - top-of-rack - spine (one for a pod) - core (one for a zone) - backbone.

    The defaults are a common shape of today (10 Gbit/s hosts, 40 and 100 Gbit/s uplinks, a few
    microseconds for each switch); chosen, not measured.
    """

    host: Edge = Edge(gbps=10, latency_us=10)
    rack: Edge = Edge(gbps=40, latency_us=5)
    spine: Edge = Edge(gbps=100, latency_us=5)
    core: Edge = Edge(gbps=100, latency_us=500)
    storage: Edge = Edge(gbps=40, latency_us=10)
    management: Edge = Edge(gbps=10, latency_us=10)
    internet: Edge = Edge(gbps=10, latency_us=10_000)


class Hosts(Described, frozen=True, kw_only=True):
    """`count` equal hosts. `memory_overcommit` is how many times its memory a host can give to guests."""

    count: Count = 1
    name: Name = "host"
    cores: Count = 8
    mhz: Count = 2000
    sockets: Count = 1
    memory_gib: Positive = 32
    memory_mib: Count | None = None
    local_disk_gib: NotNegative = 1024
    local_iops: Positive = 20_000
    local_gbps: Positive = 8
    gpus: Annotated[int, Meta(ge=0)] = 0
    gpu_model: str = ""
    arch: str = "x86_64"
    memory_overcommit: Annotated[float, Meta(ge=1)] = 4.0

    @property
    def memory(self) -> int:
        """MiB: `memory_mib` where given, else `memory_gib`."""
        return self.memory_mib if self.memory_mib is not None else round(self.memory_gib * 1024)

    def __post_init__(self) -> None:
        if self.gpus and not self.gpu_model:
            raise ValueError("hosts with gpus need a gpu_model")


class PrimaryPool(Described, frozen=True, kw_only=True):
    """Primary storage shared by the rack, pod or zone that it is written under.

    `gbps` is what its disks read or write in all. `written_share` is how much of a volume's size it
    takes on a thin pool as soon as it exists (1: thick); chosen, not measured.
    """

    name: Name = "primary"
    capacity_gib: Positive = 10_240
    iops: Positive = 50_000
    gbps: Positive = 40
    type: str = "NetworkFilesystem"
    written_share: Annotated[float, Meta(ge=0, le=1)] = 0.1


class SecondaryStorage(Described, frozen=True, kw_only=True):
    """Where a zone keeps templates, ISOs and snapshots; `gbps` is what its disks read or write in all."""

    name: Name = "secondary"
    capacity_gib: Positive = 102_400
    gbps: Positive = 40


class Rack(Described, frozen=True, kw_only=True):
    """`count` racks, each a cluster: hosts under one top-of-rack switch, with pools of their own.

    `hosts` is a number of default hosts, or a list of groups.
    """

    count: Count = 1
    name: Name = "rack"
    hosts: Count | tuple[Hosts, ...] = 4
    primary_storage: tuple[PrimaryPool, ...] = (PrimaryPool(),)

    def groups(self) -> tuple[Hosts, ...]:
        return (Hosts(count=self.hosts),) if isinstance(self.hosts, int) else self.hosts


class Pod(Described, frozen=True, kw_only=True):
    """`count` pods of racks behind one spine. `cidr` is its management network (default: from 10.0.0.0/8)."""

    count: Count = 1
    name: Name = "pod"
    racks: Count | tuple[Rack, ...] = (Rack(),)
    primary_storage: tuple[PrimaryPool, ...] = ()
    cidr: str | None = None

    def kinds(self) -> tuple[Rack, ...]:
        return (Rack(count=self.racks),) if isinstance(self.racks, int) else self.racks

    def __post_init__(self) -> None:
        if self.cidr is not None:
            if self.count > 1:
                raise ValueError("pods with a cidr cannot have a count")
            _network(self.cidr, "cidr")


class PublicRange(Described, frozen=True, kw_only=True):
    """Public addresses of a zone, with the VLAN that they are on."""

    start_ip: str
    end_ip: str
    netmask: str
    gateway: str
    vlan: Annotated[str, Meta(pattern=r"^(\d+|untagged)$")] = "50"

    def __post_init__(self) -> None:
        try:
            address_range(self.gateway, self.netmask, self.start_ip, self.end_ip)
        except InvalidParameterValue as error:
            raise ValueError(error.text) from None


class Zone(Described, frozen=True, kw_only=True):
    """`count` zones, each with its own networks, secondary storage and core switch.

    With `security_groups` instances share the zone's network, guarded by groups; a Basic zone is always so.
    """

    count: Count = 1
    name: Name = "zone"
    network_type: Literal["Basic", "Advanced"] = "Advanced"
    guest_cidr: str = "10.1.1.0/24"
    guest_vlans: Annotated[str, Meta(pattern=r"^\d+-\d+$")] = "100-2000"
    isolation: Literal["VLAN", "VXLAN"] = "VLAN"
    security_groups: bool = False
    dns1: str = "8.8.8.8"
    dns2: str | None = None
    internal_dns1: str = "10.0.0.2"
    internal_dns2: str | None = None
    domain: str | None = None
    public: PublicRange | None = None
    pods: Count | tuple[Pod, ...] = (Pod(),)
    primary_storage: tuple[PrimaryPool, ...] = ()
    secondary_storage: tuple[SecondaryStorage, ...] = (SecondaryStorage(),)

    def kinds(self) -> tuple[Pod, ...]:
        return (Pod(count=self.pods),) if isinstance(self.pods, int) else self.pods

    def __post_init__(self) -> None:
        _network(self.guest_cidr, "guest_cidr")
        if self.public is not None and self.public.vlan.isdigit():
            first, last = map(int, self.guest_vlans.split("-"))
            if first <= int(self.public.vlan) <= last:
                raise ValueError(f"the public vlan {self.public.vlan} is one of guest_vlans, {self.guest_vlans}")


class Datacenter(Described, frozen=True, kw_only=True):
    """All zones under one management server."""

    name: str = "datacenter"
    zones: Count | tuple[Zone, ...] = (Zone(),)
    fabric: Fabric = Fabric()

    def kinds(self) -> tuple[Zone, ...]:
        return (Zone(count=self.zones),) if isinstance(self.zones, int) else self.zones


def uniform(
    *,
    zones: int = 1,
    pods: int = 1,
    racks: int = 1,
    hosts_per_rack: int = 4,
    host: Hosts | None = None,
    pool: PrimaryPool | None = None,
    fabric: Fabric | None = None,
) -> Datacenter:
    """A regular datacenter: `pods` in each zone, `racks` in each pod, `hosts_per_rack` hosts like `host`."""
    if min(zones, pods, racks, hosts_per_rack) < 1:
        raise DatacenterError("a uniform datacenter has at least one zone, pod, rack and host")
    group = msgspec.structs.replace(host or Hosts(), count=hosts_per_rack)
    rack = Rack(count=racks, hosts=(group,), primary_storage=(pool or PrimaryPool(),))
    return Datacenter(
        name="uniform",
        zones=(Zone(count=zones, pods=(Pod(count=pods, racks=(rack,)),)),),
        fabric=fabric or Fabric(),
    )


def load(path: str | Path) -> Datacenter:
    """Read a YAML file. Raises DatacenterError, naming file, line and key, for one that is not right."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DatacenterError(f"{path}: {error.strerror}") from error
    return from_yaml(text, str(path))


def from_yaml(text: str, name: str = "<text>") -> Datacenter:
    """Read YAML text; `name` is what errors call it."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DatacenterError(f"{name}:{line}: {error.problem}") from error
    return _convert({} if data is None else data, name, node)


def from_dict(data: Any, name: str = "datacenter") -> Datacenter:
    """Read what YAML or JSON would give. Raises DatacenterError, naming the key."""
    return _convert(data, name, None)


def schema() -> dict[str, Any]:
    """The JSON Schema of a description."""
    return msgspec.json.schema(Datacenter)


def _convert(data: Any, name: str, node: yaml.Node | None) -> Datacenter:
    try:
        return msgspec.convert(data, Datacenter)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        keys = [int(t) if t.isdigit() else t for t in re.findall(r"[^.\[\]`]+", path)]
        unknown = re.search(r"unknown field `([^`]+)`", text)
        line = _line(node, [*keys, unknown[1]] if unknown else keys)
        where = name if line is None else f"{name}:{line}"
        shown = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in keys).lstrip(".")
        raise DatacenterError(f"{where}: {shown or 'the description'}: {text}") from error


def _line(node: yaml.Node | None, path: list[str | int]) -> int | None:
    """The line, from 1, of the node at `path`, or of the deepest one on the way that there is."""
    if node is None:
        return None
    line = node.start_mark.line
    for token in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(token, int):
            node = node.value[token]
            line = node.start_mark.line
        elif isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if p[0].value == token), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        else:
            break
    return line + 1
