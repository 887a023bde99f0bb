"""How long things take: distributions as data, and a profile that names one for each thing a cloud does.

All are drawn from named branches of the world's `Randomness`, one for each kind, in blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import yaml
from msgspec import Meta
from numpy.typing import NDArray

from cloudsim.randomness import Randomness

_BLOCK = 512

NotNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]


class _Distribution(msgspec.Struct, frozen=True, tag_field="distribution", forbid_unknown_fields=True):
    def draw(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        """`size` independent values, none negative."""
        raise NotImplementedError

    @property
    def mean(self) -> float:
        raise NotImplementedError


class Constant(_Distribution, frozen=True, tag="constant"):
    """Always `value`."""

    value: NotNegative

    def draw(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        return np.full(size, self.value)

    @property
    def mean(self) -> float:
        return self.value


class Uniform(_Distribution, frozen=True, tag="uniform"):
    """Anything from `low` to `high`."""

    low: NotNegative
    high: NotNegative

    def __post_init__(self) -> None:
        if self.high < self.low:
            raise ValueError(f"uniform from {self.low} to {self.high}: high is below low")

    def draw(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        return generator.uniform(self.low, self.high, size)

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2


class Exponential(_Distribution, frozen=True, tag="exponential"):
    """Memoryless, with this mean."""

    mean_value: Positive

    def draw(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        return generator.exponential(self.mean_value, size)

    @property
    def mean(self) -> float:
        return self.mean_value


class LogNormal(_Distribution, frozen=True, tag="lognormal"):
    """exp(N(ln median, sigma^2)): mostly near the median, with a long right tail."""

    median: Positive
    sigma: NotNegative

    def draw(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        return generator.lognormal(np.log(self.median), self.sigma, size)

    @property
    def mean(self) -> float:
        return float(self.median * np.exp(self.sigma**2 / 2))


class Empirical(_Distribution, frozen=True, tag="empirical"):
    """Measured `values`, each as likely as any other."""

    values: Annotated[tuple[NotNegative, ...], Meta(min_length=1)]

    def draw(self, generator: np.random.Generator, size: int) -> NDArray[np.float64]:
        return generator.choice(np.asarray(self.values, dtype=float), size)

    @property
    def mean(self) -> float:
        return sum(self.values) / len(self.values)


Distribution = Constant | Uniform | Exponential | LogNormal | Empirical


class LatencyProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a world's operations cost. Seconds, unless the text says otherwise.

    "Lab" marks figures measured on guests that QEMU emulates in software (Debian 12, libvirt 9.0, two
    shared cores): right in kind, but slower than hardware virtualisation where a guest has to compute.
    """

    transfers: bool = True
    """Whether moving data takes time (at the bandwidth of links and disks). False in `zero`."""

    agent_message: Distribution = Constant(0.0005)
    """One way between agent and manager, beside the network's own latency: serialising, queueing,
    waking a thread. Chosen, not measured."""

    vm_define: Distribution = LogNormal(0.5, 0.3)
    """From the command until the guest's first instruction. Lab: 0.3 to 1.0 s."""

    vm_boot: Distribution = LogNormal(20.0, 0.4)
    """First instruction until the guest is up. Mao and Humphrey, "A Performance Study on the VM Startup
    Time in the Cloud" (IEEE CLOUD 2012), find tens of seconds to minutes from request to log-in on public
    clouds, image transfer included; lab: 5.5 to 10 s (tiny Linux), 43 s (Debian). The value is chosen."""

    boot_ios: Distribution = Constant(2000.0)
    """Reads (a number, not seconds) that a booting guest makes of its root disk's pool. Chosen, not measured."""

    vm_shutdown: Distribution = LogNormal(4.0, 0.4)
    """Orderly shutdown by ACPI. Lab: 2.4 s (tiny Linux), 5.4 s (Debian)."""

    forced_stop: Distribution = Constant(0.2)
    """Pulling the plug. Lab: 0.2 s."""

    vm_suspend: Distribution = Constant(0.005)
    """Freezing or thawing vCPUs. Lab: below 10 ms."""

    vm_scale: Distribution = Constant(0.1)
    """Changing vCPUs and memory of a running guest. Chosen, not measured."""

    nic_plug: Distribution = Constant(0.05)
    security_rules: Distribution = Constant(0.05)
    systemvm_request: Distribution = Constant(0.2)
    """Adding a NIC. Lab: 0.04 s."""

    nic_unplug: Distribution = Constant(0.25)
    """Removing a NIC. Lab: 0.26 s."""

    volume_attach: Distribution = Constant(0.02)
    """Lab: 0.01 s."""

    volume_detach: Distribution = Constant(0.25)
    """Lab: 0.25 s."""

    volume_create: Distribution = Constant(0.1)
    """An empty thin volume, beside its pool's I/O. Chosen, not measured."""

    volume_delete: Distribution = Constant(0.1)
    """Chosen, not measured."""

    volume_resize: Distribution = Constant(0.05)
    """Lab: below 10 ms; the rest chosen."""

    template_copy: Distribution = Constant(0.0)
    """Bringing a template onto a pool, beside moving its data. A calibrated profile has the whole time here."""

    template_download: Distribution = Constant(0.0)
    """Fetching a template into secondary storage, beside moving its data. As above."""

    template_clone: Distribution = Constant(0.15)
    """A thin clone with a backing file, beside its pool's I/O. Lab: 0.14 s for a full clone of 25 MB."""

    clone_ios: Distribution = Constant(50.0)
    """I/Os (a number) that making or deleting a volume costs its pool. Chosen, not measured."""

    vm_snapshot: Distribution = Constant(0.3)
    """Snapshot of all disks; memory is written to the pool besides. Lab: 0.1 to 0.35 s."""

    vm_snapshot_revert: Distribution = Constant(1.2)
    """Lab: 1.2 s."""

    disk_snapshot: Distribution = Constant(0.1)
    """The snapshot before its backup. Lab: 0.1 s."""

    pool_mount: Distribution = Constant(0.5)
    """Mounting or unmounting a pool. Chosen, not measured."""

    bmc_action: Distribution = Constant(0.5)
    """A host's management controller doing, or telling, what it is asked. Chosen, not measured."""

    host_boot: Distribution = Constant(120.0)
    """A host that its management controller has switched on, until its agent starts. Chosen, not measured."""

    migration_setup: Distribution = Constant(0.3)
    """Before the first round and after the last one. Lab: whole migrations of small guests take 0.7 to 1.6 s."""

    dirty_page_rate: Distribution = LogNormal(16e6, 0.8)
    """Bytes per second that a running guest writes anew while it migrates. Clark et al., "Live Migration
    of Virtual Machines" (NSDI 2005), show that it varies greatly with the workload; the value is chosen."""

    download_size: Distribution = Constant(1e9)
    """Bytes of a template whose URL has no `size`. As in CloudStack's simulator: 1 GB."""


def _zero() -> LatencyProfile:
    nothing: dict[str, Any] = {
        field.name: Constant(0.0)
        for field in msgspec.structs.fields(LatencyProfile)
        if field.name not in ("transfers", "download_size")
    }
    return LatencyProfile(transfers=False, **nothing)


PROFILES: dict[str, LatencyProfile] = {"default": LatencyProfile(), "zero": _zero()}
"""`default`, and `zero`: everything happens at once."""


def profile(source: str | Path | dict[str, Any] | LatencyProfile) -> LatencyProfile:
    """A profile by name, from a YAML file, or from data that changes `default` (a number is a Constant).

    Raises ValueError, naming the source and the key, for one that is not right.
    """
    if isinstance(source, LatencyProfile):
        return source
    if isinstance(source, str) and source in PROFILES:
        return PROFILES[source]
    name = "latency profile"
    data: Any = source
    if not isinstance(source, dict):
        name = f"latency profile {source}"
        try:
            data = yaml.safe_load(Path(source).read_text(encoding="utf-8"))
        except OSError as error:
            known = ", ".join(sorted(PROFILES))
            raise ValueError(f"no latency profile {str(source)!r}: not a file, nor one of {known}") from error
        except yaml.YAMLError as error:
            raise ValueError(f"{name}: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"{name}: expected names and distributions, got {type(data).__name__}")
    plain = {
        key: {"distribution": "constant", "value": value}
        if isinstance(value, int | float) and not isinstance(value, bool)
        else value
        for key, value in data.items()
    }
    try:
        return msgspec.convert(plain, LatencyProfile)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {error}") from error


class Source:
    """A stream of draws from one distribution: calling it gives the next."""

    __slots__ = ("_block", "_distribution", "_generator")

    def __init__(self, distribution: Distribution, generator: np.random.Generator) -> None:
        self._distribution = distribution
        self._generator = generator
        self._block: list[float] = []

    def __call__(self) -> float:
        if not self._block:
            self._block = self._distribution.draw(self._generator, _BLOCK).tolist()
            self._block.reverse()
        return self._block.pop()


class Sampler:
    """Draws from a profile by name: `sampler("vm_boot")`. Each name has a stream of its own."""

    __slots__ = ("_sources", "profile")

    def __init__(self, profile: LatencyProfile, randomness: Randomness) -> None:
        self.profile = profile
        self._sources: dict[str, Callable[[], float]] = {}
        for field in msgspec.structs.fields(LatencyProfile):
            distribution = getattr(profile, field.name)
            if isinstance(distribution, Constant):
                self._sources[field.name] = _always(distribution.value)
            elif isinstance(distribution, _Distribution):
                generator = randomness.branch(field.name).generator
                self._sources[field.name] = Source(distribution, generator)  # type: ignore[arg-type]

    def __call__(self, name: str) -> float:
        return self._sources[name]()

    def source(self, name: str) -> Callable[[], float]:
        """The stream called `name`, for whoever draws often."""
        return self._sources[name]


def _always(value: float) -> Callable[[], float]:
    return lambda: value
