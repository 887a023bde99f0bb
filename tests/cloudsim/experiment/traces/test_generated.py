"""Generated loads: rates, means and shapes are those asked for.

The seeds are fixed. Tolerances are four standard errors of what is measured, so that they say something.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.experiment.blocks import flavour_of
from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.traces import Workload
from cloudsim.experiment.traces.flavours import WeightedFlavour, read_flavours
from cloudsim.experiment.traces.generated import BatchTrace, BurstyTrace, GeneratedTrace, PoissonTrace
from cloudsim.experiment.traces.huawei_topology import HuaweiTopologyTrace
from cloudsim.experiment.traces.lifetimes import Lifetime
from cloudsim.experiment.traces.openb import OpenbTrace
from cloudsim.randomness import Randomness
from tests.cloudsim.experiment.traces.reading import assert_columns_are_the_rows, read

SMALL = WeightedFlavour(vcpu=1, memory_mib=1024, weight=3)
BIG = WeightedFlavour(vcpu=4, memory_mib=4096)


def arrivals(trace: GeneratedTrace, seed: int = 1) -> np.ndarray:
    """Seconds of every arrival."""
    return np.concatenate([b.arrival_ms for b in trace.blocks(Path(), Randomness(seed))]) / 1000


def counts(times: np.ndarray, window: float) -> np.ndarray:
    """Arrivals in each whole window of that many seconds."""
    return np.bincount((times // window).astype(int))[:-1]


def distance(values: np.ndarray, below: Callable[[np.ndarray], np.ndarray]) -> float:
    """Kolmogorov and Smirnov's distance between values and a distribution P(value <= t)."""
    ordered = np.sort(values)
    expected, n = below(ordered), len(values)
    return float(max((np.arange(1, n + 1) / n - expected).max(), (expected - np.arange(n) / n).max()))


def generated(kind: type[GeneratedTrace], requests: int, **options: Any) -> Any:
    options = {"lifetime": Lifetime(mean=3600), "flavours": (SMALL, BIG)} | options
    return kind(requests_in_all=requests, **options)


class TestPoisson:
    def test_arrivals_are_a_poisson_process_after_the_warm_start(self) -> None:
        n = 40_000
        times = arrivals(generated(PoissonTrace, n + 100, per_hour=360, warm_start=100))
        assert (times[:100] == 0).all()
        gaps = np.diff(times[99:])
        assert gaps.mean() == pytest.approx(10, rel=4 / math.sqrt(n))
        assert distance(gaps, lambda t: 1 - np.exp(-t / 10)) < 1.95 / math.sqrt(n)  # rejects one in a thousand
        seen = counts(times[100:], 600)
        assert seen.var() / seen.mean() == pytest.approx(1, abs=4 * math.sqrt(2 / len(seen)))

    def test_the_day_swings(self) -> None:
        trace = generated(PoissonTrace, 60_000, per_hour=1000, daily_swing=0.9)
        times = arrivals(trace)
        by_hour = np.bincount((times[times < 172_800] // 3600 % 24).astype(int), minlength=24) / 2
        middle = np.arange(24) + 0.5
        expected = 1000 * (1 - 0.9 * np.cos(2 * np.pi * middle / 24))
        assert np.abs((by_hour - expected) / np.sqrt(expected / 2)).max() < 4

    def test_sizes_are_as_often_as_their_weight_says(self) -> None:
        requests = read(generated(PoissonTrace, 10_000, per_hour=60), Path())
        assert sum(r.cpus == 1 for r in requests) / 10_000 == pytest.approx(0.75, abs=4 * math.sqrt(0.75 * 0.25 / 10_000))
        assert {(r.cpus, r.memory_mib, r.cpu_mhz) for r in requests} == {(1, 1024, 1000), (4, 4096, 1000)}

    def test_the_seed_decides(self) -> None:
        trace = generated(PoissonTrace, 50, per_hour=60)
        assert read(trace, Path()) == read(trace, Path())
        assert read(trace, Path()) != list(trace.requests(Path(), Randomness(2)))

    def test_another_lifetime_changes_nothing_else(self) -> None:
        one, other = (
            read(generated(PoissonTrace, 50, per_hour=60, lifetime=Lifetime(mean=m)), Path()) for m in (1, 2)
        )
        assert [(r.arrival_ms, r.cpus) for r in one] == [(r.arrival_ms, r.cpus) for r in other]

    def test_lifetimes_can_be_endless_and_arrivals_denser(self) -> None:
        plain = read(generated(PoissonTrace, 10, per_hour=60), Path())
        dense = read(generated(PoissonTrace, 10, per_hour=60, interarrival=0.5, lifetimes="endless"), Path())
        assert [round(r.arrival_ms / 2) for r in plain] == [r.arrival_ms for r in dense]
        assert all(r.lifetime_ms is None for r in dense)
        even = read(generated(PoissonTrace, 10, per_hour=60, every_ms=250), Path())
        assert [r.arrival_ms for r in even] == [250 * i for i in range(10)]


class TestBursty:
    TRACE = {"calm_per_hour": 100, "burst_per_hour": 2000, "calm_s": 900, "burst_s": 300}

    def test_the_mean_rate_and_how_much_it_varies(self) -> None:
        """The variance of counts over their mean is the cookbook's; a Poisson process's would be 1."""
        times = arrivals(generated(BurstyTrace, 400_000, **self.TRACE))
        assert len(times) / times[-1] * 3600 == pytest.approx((100 * 900 + 2000 * 300) / 1200, rel=0.05)
        leave, come, window = 1 / 900, 1 / 300, 3600
        slow, fast = 100 / 3600, 2000 / 3600
        turn = leave + come
        in_the_long_run = 2 * leave * come * (fast - slow) ** 2 / (turn**2 * (slow * come + fast * leave))
        expected = 1 + in_the_long_run * (1 - (1 - math.exp(-turn * window)) / (turn * window))
        seen = counts(times, window)
        assert seen.var() / seen.mean() == pytest.approx(expected, rel=4 * math.sqrt(2 / len(seen)))
        assert expected > 50

    def test_equal_rates_are_a_poisson_process(self) -> None:
        trace = generated(BurstyTrace, 20_000, calm_per_hour=360, burst_per_hour=360, calm_s=60, burst_s=7)
        gaps = np.diff(arrivals(trace))
        assert distance(gaps, lambda t: 1 - np.exp(-t / 10)) < 1.95 / math.sqrt(len(gaps))

    def test_nobody_arrives_in_a_calm_of_rate_zero(self) -> None:
        trace = generated(BurstyTrace, 20_000, calm_per_hour=0, burst_per_hour=36_000, calm_s=10_000, burst_s=10)
        gaps = np.diff(arrivals(trace))
        assert (np.diff(arrivals(trace)) >= 0).all()
        # A burst has 100 arrivals on average: so few gaps are calms, and these are long.
        calms = gaps[gaps > 20]
        assert len(calms) == pytest.approx(200, abs=60)
        assert calms.mean() == pytest.approx(10_000, rel=0.3)


class TestBatches:
    def test_fixed_batches_arrive_together(self) -> None:
        times = arrivals(generated(BatchTrace, 12_000, per_hour=3600, batch_mean=4, batch_sizes="fixed"))
        assert (times.reshape(-1, 4) == times[::4, None]).all()
        gaps = np.diff(times[::4])
        assert gaps.mean() == pytest.approx(4, rel=4 / math.sqrt(3000))
        assert distance(gaps, lambda t: 1 - np.exp(-t / 4)) < 1.95 / math.sqrt(len(gaps))

    def test_geometric_batches_have_the_mean_asked_for(self) -> None:
        times = arrivals(generated(BatchTrace, 60_000, per_hour=36, batch_mean=3))
        sizes = np.unique(times, return_counts=True)[1]
        n = len(sizes)
        assert sizes.mean() == pytest.approx(3, abs=4 * math.sqrt(6 / n))
        for size in (1, 2, 5):
            share = (1 / 3) * (2 / 3) ** (size - 1)
            assert (sizes == size).mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / n))
        assert len(times) / times[-1] * 3600 == pytest.approx(36, rel=4 * math.sqrt(5 / 3 / n))

    def test_a_fixed_size_is_whole(self) -> None:
        with pytest.raises(ValueError, match=r"expected a whole number as `batch_mean` of fixed batches, got 2\.5"):
            generated(BatchTrace, 1, per_hour=1, batch_mean=2.5, batch_sizes="fixed")


def normal_below(z: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.array([math.erf(x / math.sqrt(2)) for x in z]))


class TestLifetimes:
    @pytest.mark.parametrize(
        ("lifetime", "below"),
        [
            (Lifetime(mean=50), lambda t: 1 - np.exp(-t / 50)),
            (
                Lifetime(mean=50, distribution="lognormal", sigma=2),
                lambda t: normal_below((np.log(t) - math.log(50) + 2) / 2),
            ),
            (Lifetime(mean=50, distribution="pareto", alpha=1.25), lambda t: 1 - (10 / t) ** 1.25),
            (
                Lifetime(
                    distribution="bimodal", short=Lifetime(mean=1), long=Lifetime(mean=100), short_share=0.9
                ),
                lambda t: 1 - 0.9 * np.exp(-t) - 0.1 * np.exp(-t / 100),
            ),
        ],
        ids=["exponential", "lognormal", "pareto", "bimodal"],
    )
    def test_they_are_distributed_as_documented(
        self, lifetime: Lifetime, below: Callable[[np.ndarray], np.ndarray]
    ) -> None:
        n = 20_000
        assert distance(lifetime.draw(np.random.default_rng(1), n), below) < 1.95 / math.sqrt(n)

    @pytest.mark.parametrize(
        "lifetime",
        [
            Lifetime(mean=50),
            Lifetime(mean=50, distribution="constant"),
            Lifetime(mean=50, distribution="lognormal", sigma=0.5),
            Lifetime(mean=50, distribution="pareto", alpha=4),
            Lifetime(
                distribution="bimodal",
                short=Lifetime(mean=10),
                long=Lifetime(mean=210, distribution="constant"),
                short_share=0.8,
            ),
        ],
    )
    def test_their_mean_is_the_one_asked_for(self, lifetime: Lifetime) -> None:
        drawn = lifetime.draw(np.random.default_rng(1), 40_000)
        assert lifetime.average == pytest.approx(50)
        assert drawn.mean() == pytest.approx(50, abs=4 * drawn.std() / 200 + 1e-9)

    def test_requests_have_them_in_milliseconds_and_none_is_absurd(self) -> None:
        requests = read(generated(PoissonTrace, 20, per_hour=60, lifetime=Lifetime(mean=2.5, distribution="constant")), Path())
        assert {r.lifetime_ms for r in requests} == {2500}
        heavy = Lifetime(mean=1e300, distribution="pareto", alpha=1.01)
        assert {r.lifetime_ms for r in read(generated(PoissonTrace, 20, per_hour=60, lifetime=heavy), Path())} == {2**53}

    @pytest.mark.parametrize(
        ("given_", "text"),
        [
            ({}, "exponential: expected a `mean`"),
            ({"distribution": "bimodal", "mean": 5}, "bimodal: expected `short` and `long`"),
            ({"distribution": "pareto", "mean": 5, "short": {"mean": 5}}, "neither `short` nor `long`"),
            ({"distribution": "pareto", "mean": 5, "alpha": 1}, "Expected `float` > 1.0"),
        ],
    )
    def test_what_does_not_go_together(self, given_: dict[str, Any], text: str) -> None:
        with pytest.raises(msgspec.ValidationError, match=text):
            msgspec.convert(given_, Lifetime)


class TestTenants:
    def test_their_shares_follow_zipf(self) -> None:
        n = 20_000
        requests = read(generated(PoissonTrace, n, per_hour=60, tenants=50, tenant_skew=1.2), Path())
        seen = Counter(r.tenant for r in requests)
        total = sum(k**-1.2 for k in range(1, 51))
        for k in (1, 2, 10):
            share = k**-1.2 / total
            assert seen[f"t{k}"] / n == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / n))
        assert len(seen) <= 50

    def test_without_any_nobody_in_particular_asks(self) -> None:
        assert {r.tenant for r in read(generated(PoissonTrace, 20, per_hour=60), Path())} == {""}


class TestFlavours:
    def test_a_file_of_them(self, tmp_path: Path) -> None:
        (tmp_path / "f.csv").write_text(
            "# sizes\nvcpu,mem_gib,weight,tags,numa_nodes\n1,0.5,2,a|b,\n32,64,,,2\n"
        )
        assert read_flavours(tmp_path / "f.csv") == (
            WeightedFlavour(vcpu=1, memory_mib=512, weight=2, tags=("a", "b")),
            WeightedFlavour(vcpu=32, memory_mib=65_536, numa_nodes=2),
        )
        trace = generated(PoissonTrace, 50, per_hour=60, flavours="f.csv")
        assert {(r.cpus, r.numa_nodes) for r in assert_columns_are_the_rows(trace, tmp_path)} == {(1, 1), (32, 2)}
        with pytest.raises(TraceError, match=r"g.csv: there is no such file"):
            read(generated(PoissonTrace, 5, per_hour=60, flavours="g.csv"), tmp_path)

    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("vcpu,mem_gib,weight\n1,1,0\n", r"f.csv:2: weight: expected more than 0"),
            ("vcpu,mem_gib\n1,0\n", r"f.csv:2: mem_gib: expected more than 0"),
            ("vcpu,memory_mib,gpu_milli\n1,1,1001\n", r"f.csv:2: gpu_milli: expected at most 1000"),
            ("vcpu\n1\n", r"f.csv: expected a column memory_mib or mem_gib"),
            ("vcpu,mem_gib\n", r"f.csv: expected at least one flavour"),
        ],
    )
    def test_malformed_files(self, tmp_path: Path, text: str, error: str) -> None:
        (tmp_path / "f.csv").write_text(text)
        with pytest.raises(TraceError, match=error):
            read_flavours(tmp_path / "f.csv")

    def test_the_shipped_tables_are_what_the_shipped_traces_ask_for(self) -> None:
        folder = Path("examples/traces")
        huawei = [HuaweiTopologyTrace(path=f"huawei-topology/VM_data_C{n}.xlsx") for n in (1, 2, 3, 4)]
        pods = OpenbTrace(path="openb/openb_pod_list_default.csv")
        for name, traces in (("huawei-topology", huawei), ("openb", [pods])):
            seen = Counter(flavour_of(request) for trace in traces for request in read(trace, folder))
            table = read_flavours(folder / "flavours" / f"{name}.csv")
            assert {each.flavour: each.weight for each in table} == dict(seen)


kinds = st.sampled_from(
    [
        (PoissonTrace, {"per_hour": 100.0, "daily_swing": 0.5}),
        (BurstyTrace, {"calm_per_hour": 0.0, "burst_per_hour": 900.0, "calm_s": 60.0, "burst_s": 60.0}),
        (BatchTrace, {"per_hour": 100.0, "batch_mean": 2.5}),
    ]
)
options = st.fixed_dictionaries(
    {
        "warm_start": st.integers(0, 20),
        "tenants": st.one_of(st.none(), st.integers(1, 5)),
        "start": st.integers(0, 30),
        "limit": st.one_of(st.none(), st.integers(1, 60)),
        "lifetimes": st.sampled_from(["recorded", "endless"]),
        "interarrival": st.sampled_from([1.0, 0.3]),
        "every_ms": st.one_of(st.none(), st.integers(1, 1000)),
        "lifetime_error": st.one_of(st.none(), st.just(0.0), st.floats(0.1, 3)),
    }
)


@settings(deadline=None)
@given(kinds, options, st.integers(1, 50))
def test_columns_are_the_rows_and_blocks_do_not_show(
    kind: tuple[type[GeneratedTrace], dict[str, Any]], options: dict[str, Any], block: int
) -> None:
    trace = generated(kind[0], 50, **kind[1], **options)
    whole = assert_columns_are_the_rows(trace, Path())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudsim.experiment.traces.generated.BLOCK", block)
        assert assert_columns_are_the_rows(trace, Path()) == whole


def test_a_scenario_says_it_like_this() -> None:
    text = """
    format: batch
    requests_in_all: 100
    per_hour: 60
    batch_mean: 3
    tenants: 10
    lifetime: {distribution: bimodal, short_share: 0.9, short: {mean: 600}, long: {mean: 864000, distribution: pareto}}
    flavours: sizes.csv
    """
    trace = msgspec.yaml.decode(text, type=Workload)
    assert isinstance(trace, BatchTrace)
    assert trace.lifetime.average == pytest.approx(86_940)
    assert trace.files(Path("there")) == (Path("there/sizes.csv"),)
