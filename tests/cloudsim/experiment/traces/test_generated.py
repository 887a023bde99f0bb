"""Generated loads: rates, means and shapes are those asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudsim.experiment.traces.generated import Flavour, Lifetime, PoissonTrace
from cloudsim.randomness import Randomness
from tests.cloudsim.experiment.traces.reading import read


class TestGenerated:
    trace = PoissonTrace(
        requests_in_all=6000,
        per_hour=120,
        warm_start=100,
        lifetime=Lifetime(mean=3600),
        flavours=(Flavour(vcpu=1, memory_mib=1024, weight=3), Flavour(vcpu=4, memory_mib=4096)),
    )

    def test_rates_and_means_are_those_asked_for(self) -> None:
        requests = read(self.trace, Path())
        assert [r.arrival_ms for r in requests[:100]] == [0] * 100
        hours = requests[-1].arrival_ms / 3.6e6
        assert 5900 / hours == pytest.approx(120, rel=0.05)
        lifetimes = [r.lifetime_ms or 0 for r in requests]
        assert sum(lifetimes) / len(lifetimes) == pytest.approx(3.6e6, rel=0.05)
        assert sum(r.cpus == 1 for r in requests) / len(requests) == pytest.approx(0.75, abs=0.03)

    def test_the_seed_decides(self) -> None:
        assert read(self.trace, Path()) == read(self.trace, Path())
        other = list(self.trace.requests(Path(), Randomness(2)))
        assert other != read(self.trace, Path())

    def test_the_day_swings(self) -> None:
        trace = PoissonTrace(
            requests_in_all=20_000,
            per_hour=400,
            daily_swing=0.9,
            lifetime=Lifetime(mean=60, distribution="lognormal", sigma=1.5),
            flavours=(Flavour(vcpu=1, memory_mib=1024),),
        )
        hour_of_day = [r.arrival_ms // 3_600_000 % 24 for r in read(trace, Path())]
        assert sum(h in (11, 12) for h in hour_of_day) > 8 * sum(h in (23, 0) for h in hour_of_day)

    def test_lifetimes_can_be_endless_and_arrivals_denser(self) -> None:
        few = {
            "requests_in_all": 10,
            "per_hour": 60.0,
            "lifetime": Lifetime(mean=9),
            "flavours": self.trace.flavours,
        }
        plain = read(PoissonTrace(**few), Path())
        dense = read(PoissonTrace(**few, interarrival=0.5, lifetimes="endless"), Path())
        assert [round(r.arrival_ms / 2) for r in plain] == [r.arrival_ms for r in dense]
        assert all(r.lifetime_ms is None for r in dense)
        even = read(PoissonTrace(**few, every_ms=250), Path())
        assert [r.arrival_ms for r in even] == [250 * i for i in range(10)]
