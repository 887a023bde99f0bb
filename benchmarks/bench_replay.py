"""The replay engine on W1, against a C program that does nothing but place, and against what peers are known to reach.

W1 (churn) as docs/benchmarks.md defines it, in five sizes under first-fit and best-fit, whose check values are asserted;
the C program (reference/w1.c, compiled here with `cc`) places the same requests, in turn with the engine, so
that whatever else the machine does falls on both. At 1,000 hosts every other built-in policy that finds in W1 what it
decides by takes part as well. Seconds are of CPU (user and system), from the empty hosts to the last request; reading or
making requests is not counted, compiling neither, samples are off and the exact integrals of every metric on. All sizes
take turns in every round: a rate is the median of all runs, a ratio the median of the ratios of neighbouring ones. Without
a C compiler there are no ratios to it.

Memory is that of a whole `cloudsim replay` of ten million requests, as the kernel counts it.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from cloudsim.experiment.blocks import RequestBlock
from cloudsim.experiment.compare.traits import facts_of, missing
from cloudsim.experiment.replay import HostGroup, ReplayResult, replay
from cloudsim.experiment.traces import w1
from cloudsim.placement.describing import installed
from server.cli_replay import compile_kernels

Figures = dict[str, dict[str, Any]]

REFERENCE = Path(__file__).parent / "reference" / "w1.c"
REFERENCE_POLICIES = ("first-fit", "best-fit")


class Size(NamedTuple):
    """W1 on `hosts` hosts with `arrivals` requests after the warm start; `runs` of each policy in a round, check values."""

    hosts: int
    arrivals: int
    runs: int
    checks: tuple[int, int]

    @property
    def name(self) -> str:
        return _short(self.hosts)

    @property
    def requests(self) -> int:
        return w1.warm_requests(self.hosts) + self.arrivals


SIZES = (
    Size(1_000, 10_000, 4, (119375713346, 153192084563)),
    Size(1_000, 100_000, 2, (1496347217217, 2594508166179)),
    Size(10_000, 100_000, 2, (118243667766377, 154736739743779)),
    Size(10_000, 1_000_000, 1, (1481778438277524, 2710844995661819)),
    Size(100_000, 1_000_000, 1, (117825645277337715, 154503569407008878)),
)
"""The last of each number of hosts gives its figures their name; the others have their N in it."""
ROUNDS = 5
SMALL, LARGE = SIZES[1], SIZES[-1]
"""Policies beyond those of C run at SMALL; how time for each placement grows is from there to LARGE."""
INDEXED_RUNS = 5
TEN_MILLION, HOSTS_OF_TEN_MILLION = 10_000_000, 10_000

PEERS = {"CloudSim Plus, next-fit": 34_000, "DSLab, first-fit": 8_000, "Numba sketch": 2_300_000}
"""Placements for each CPU second of W1 on 10,000 hosts with N = 1,000,000, measured elsewhere: two shared cores of the Zen 4
class at 2.6 GHz, JDK 25. CloudSim Plus is a 9.0 snapshot of 2026, whose "FirstFit" is next-fit; DSLab is IaaS of 2024
without the copy that it makes of the pool for each placement; the sketch has a tree of hosts and a heap, and no metrics.
Another machine shifts all of them alike.
"""


class Load(NamedTuple):
    """The requests of a size."""

    size: Size
    blocks: list[RequestBlock]


class Run(NamedTuple):
    """A run of ours and the one of C beside it, in CPU seconds; without C that is None."""

    ours: float
    c: float | None


Runs = dict[tuple[Size, str], list[Run]]
"""By size and policy, in the order in which they were run."""


class Rate(NamedTuple):
    """What was measured of a policy on a size: `ours` and `c` in placements for each CPU second, `to_c` ours over C's."""

    size: Size
    policy: str
    engine: str
    ours: float
    c: float | None = None
    to_c: float | None = None


def _short(number: int) -> str:
    return f"{number // 1_000_000}M" if number % 1_000_000 == 0 else f"{number // 1_000}k"


# the C reference

_REQUEST = np.dtype([("arrival_ms", "<i8"), ("lifetime_ms", "<i8"), ("vcpus", "<i4"), ("gib", "<i4")])


class Reference:
    """The compiled C program, in a folder where there is also what it reads."""

    def __init__(self, folder: Path, compiler: str) -> None:
        self._folder = folder
        self._program = str(folder / "w1")
        subprocess.run([compiler, "-O2", "-march=native", "-o", self._program, str(REFERENCE)], check=True)

    def seconds(self, load: Load, policy: str, check: int) -> float:
        """CPU seconds of a run, which must find that check value."""
        hosts = load.size.hosts
        command = [self._program, policy, str(hosts), str(self._written(load))]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        assert found["check"] == check, f"C, {policy} on {hosts} hosts: expected {check}, got {found['check']}"
        return float(found["cpu_seconds"])

    def _written(self, load: Load) -> Path:
        path = self._folder / f"{load.size.hosts}-{load.size.arrivals}.bin"
        if not path.exists():
            with path.open("wb") as file:
                for block in load.blocks:
                    rows = np.empty(len(block), _REQUEST)
                    rows["arrival_ms"], rows["lifetime_ms"] = block.arrival_ms, block.lifetime_ms
                    rows["vcpus"] = np.array([f.cpus for f in block.flavours])[block.flavour]
                    rows["gib"] = np.array([f.memory_mib // 1024 for f in block.flavours])[block.flavour]
                    rows.tofile(file)
        return path


@contextmanager
def reference() -> Iterator[Reference | None]:
    """The C reference; None, with a note, where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        print("There is no C compiler (cc) here: the replay engine is measured without the reference", file=sys.stderr)
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="cloudsim-w1-") as folder:
        yield Reference(Path(folder), compiler)


# rates


def replayed(blocks: Sequence[RequestBlock], hosts: int, policy: str) -> ReplayResult:
    """A replay of those requests on W1's hosts, timed."""
    group = HostGroup(hosts, w1.HOST_CPUS, 1024 * w1.HOST_GIB, w1.CPU_MHZ)
    return replay(lambda: iter(blocks), [group], policy, samples=False, clock=time.process_time)


def measured() -> Runs:
    """First-fit and best-fit on all sizes, ours and C in turn."""
    for policy in REFERENCE_POLICIES:
        compile_kernels(policy)
    loads = [Load(size, list(w1.blocks(size.hosts, size.arrivals))) for size in SIZES]
    found: Runs = {(size, policy): [] for policy in REFERENCE_POLICIES for size in SIZES}
    with reference() as c:
        for load in ROUNDS * [each for each in loads for _ in range(each.size.runs)]:
            for policy, check in zip(REFERENCE_POLICIES, load.size.checks, strict=True):
                found[load.size, policy].append(_run(load, policy, check, c))
    return found


def _run(load: Load, policy: str, check: int, c: Reference | None) -> Run:
    result = replayed(load.blocks, load.size.hosts, policy)
    found = result.totals.check
    assert found == check, f"{policy} on {load.size.hosts} hosts: expected {check}, got {found}"
    return Run(result.cpu_seconds, None if c is None else c.seconds(load, policy, check))


def _rate(size: Size, policy: str, runs: Sequence[Run]) -> Rate:
    ours = size.requests / statistics.median(run.ours for run in runs)
    beside = [(run.c, run.c / run.ours) for run in runs if run.c is not None]
    if not beside:
        return Rate(size, policy, "indexed", ours)
    c = size.requests / statistics.median(seconds for seconds, _ in beside)
    return Rate(size, policy, "indexed", ours, c, statistics.median(ratio for _, ratio in beside))


def growth(runs: Runs, policy: str) -> float:
    """How many times as long a placement takes on the most hosts as on a thousand: the median over rounds."""
    each = {size: [run.ours / size.requests for run in runs[size, policy]] for size in (SMALL, LARGE)}
    few = [statistics.mean(each[SMALL][i : i + SMALL.runs]) for i in range(0, len(each[SMALL]), SMALL.runs)]
    return statistics.median(many / one for many, one in zip(each[LARGE], few, strict=True))


def others() -> list[Rate]:
    """All built-in policies but those above that find in W1 what they decide by, at 1,000 hosts."""
    blocks = list(w1.blocks(SMALL.hosts, SMALL.arrivals))
    facts = facts_of(blocks)
    found = []
    for info in installed():
        built_in = info.where.startswith("cloudsim.")
        if not built_in or info.name in REFERENCE_POLICIES or missing(info.needs, facts, pods=1):
            continue
        compile_kernels(info.name)
        result = replayed(blocks, SMALL.hosts, info.name)
        spent, engine = [result.cpu_seconds], result.totals.engine
        while engine == "indexed" and len(spent) < INDEXED_RUNS:
            spent.append(replayed(blocks, SMALL.hosts, info.name).cpu_seconds)
        rate = result.totals.placed / statistics.median(spent)
        found.append(Rate(SMALL, info.name, engine, rate))
    return found


# memory


def peak_rss_mb(hosts: int, requests: int) -> float:
    """Peak of the resident memory (MiB) of `cloudsim replay` on so many requests of W1 in all, under first-fit."""
    program = Path(sys.executable).with_name("cloudsim")
    arrivals = requests - w1.warm_requests(hosts)
    with tempfile.TemporaryDirectory(prefix="cloudsim-w1-") as folder:
        trace = Path(folder) / "w1.yaml"
        trace.write_text(f"format: w1\nhosts: {hosts}\nrequests_after_warm_start: {arrivals}\n")
        command = [str(program), "replay", str(trace), "--policy", "first-fit", "--hosts", str(hosts), "--json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert found["placed"] == requests, f"expected {requests} requests to be placed, got {found['placed']}"
    return float(found["peak_rss_mb"])


# all of it


def figures() -> Figures:
    """Rates by policy and hosts, ratios to C, growth with the number of hosts, and memory; see docs/benchmarks.md."""
    memory = peak_rss_mb(HOSTS_OF_TEN_MILLION, TEN_MILLION)
    runs = measured()
    rates = [_rate(size, policy, found) for (size, policy), found in runs.items()] + others()
    Console().print(_table(rates))
    found: Figures = {}
    for rate in rates:
        _add(found, rate)
    for policy in REFERENCE_POLICIES:
        found[f"w1.replay.{policy}.time_ratio_100k_to_1k"] = {"value": round(growth(runs, policy), 2), "unit": "times"}
    found["w1.replay.first-fit.10M.peak_rss_mb"] = {"value": round(memory), "unit": "MiB"}
    return found


def _add(found: Figures, rate: Rate) -> None:
    size = rate.size
    last = [each for each in SIZES if each.hosts == size.hosts][-1]
    where = f"{rate.policy}.{size.name}" + ("" if size == last else f".n{_short(size.arrivals)}")
    per_second = f"1/s, N = {size.arrivals:,}"
    found[f"w1.replay.{where}.placements_per_cpu_s"] = {"value": round(rate.ours), "unit": per_second}
    if rate.c is not None and rate.to_c is not None:
        found[f"w1.c_reference.{where}.placements_per_cpu_s"] = {"value": round(rate.c), "unit": per_second}
        found[f"w1.replay_to_c.{where}"] = {"value": round(rate.to_c, 2), "unit": f"times, N = {size.arrivals:,}"}


def _table(rates: Sequence[Rate]) -> Table:
    table = Table(title="W1: placements for each second of CPU", title_justify="left", box=None, pad_edge=False)
    for name in ("policy", "engine", "hosts", "N", "placements/s", "C", "to C"):
        table.add_column(name, justify="left" if name in ("policy", "engine") else "right")
    for rate in rates:
        c = "" if rate.c is None else f"{rate.c:,.0f}"
        to_c = "" if rate.to_c is None else f"{rate.to_c:.2f}"
        size = rate.size
        table.add_row(rate.policy, rate.engine, size.name, _short(size.arrivals), f"{rate.ours:,.0f}", c, to_c)
    for peer, rate_of_peer in PEERS.items():
        table.add_row(peer, "elsewhere", "10k", "1M", f"{rate_of_peer:,}", style="dim")
    return table


def test_w1_on_a_thousand_hosts(benchmark: Any) -> None:
    compile_kernels("first-fit")
    blocks = list(w1.blocks(1_000, 10_000))
    benchmark(replayed, blocks, 1_000, "first-fit")


def main() -> None:
    for name, figure in figures().items():
        print(f"{name:60} {figure['value']:>12,} {figure['unit']}")


if __name__ == "__main__":
    main()
