from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.simulated.latency import (
    PROFILES,
    Constant,
    Distribution,
    Empirical,
    Exponential,
    LatencyProfile,
    LogNormal,
    Sampler,
    Uniform,
    profile,
)
from cloudsim.randomness import Randomness

KINDS: list[Distribution] = [
    Constant(2.0),
    Uniform(1.0, 3.0),
    Exponential(2.0),
    LogNormal(2.0, 0.5),
    Empirical((1.0, 2.0, 6.0)),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: type(k).__name__)
def test_draws_have_the_mean_they_say_and_are_never_negative(kind: Distribution) -> None:
    drawn = kind.draw(np.random.default_rng(1), 20_000)
    assert drawn.min() >= 0
    assert drawn.mean() == pytest.approx(kind.mean, rel=0.03)


@given(st.integers(0, 1000), st.integers(1, 1200))
def test_a_stream_is_the_same_whatever_is_drawn_beside_it(seed: int, number: int) -> None:
    alone, beside = (Sampler(PROFILES["default"], Randomness(seed)) for _ in range(2))
    expected = [alone("vm_boot") for _ in range(number)]
    found = []
    for _ in range(number):
        found.append(beside("vm_boot"))
        beside("vm_shutdown")
    assert found == expected


def test_zero_is_zero_but_for_the_size_of_a_download() -> None:
    sampler = Sampler(PROFILES["zero"], Randomness(1))
    times = {f.name for f in msgspec.structs.fields(LatencyProfile)} - {"transfers", "download_size"}
    assert {sampler(name) for name in times} == {0.0}
    assert not PROFILES["zero"].transfers and sampler("download_size") == 1e9


def test_a_file_changes_the_default_and_numbers_are_constants(tmp_path: Path) -> None:
    path = tmp_path / "slow.yaml"
    path.write_text("vm_boot: 90\nvm_shutdown: {distribution: uniform, low: 1, high: 2}\n")
    read = profile(path)
    assert read.vm_boot == Constant(90) and read.vm_shutdown == Uniform(1, 2)
    assert read.forced_stop == PROFILES["default"].forced_stop
    assert profile("zero") is PROFILES["zero"] and profile(read) is read


def test_what_is_wrong_with_a_profile_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no latency profile 'fast': .*default, zero"):
        profile("fast")
    with pytest.raises(ValueError, match="vm_boot"):
        profile({"vm_boot": -1})
    with pytest.raises(ValueError, match="vm_boots"):
        profile({"vm_boots": 1})
    with pytest.raises(ValueError, match="high is below low"):
        profile({"vm_boot": {"distribution": "uniform", "low": 2, "high": 1}})
    with pytest.raises(ValueError, match="expected names"):
        path = tmp_path / "list.yaml"
        path.write_text("[1, 2]")
        profile(path)
