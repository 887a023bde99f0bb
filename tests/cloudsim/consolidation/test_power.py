"""What hosts draw."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudsim.consolidation.power import Cubic, Linear, Model, PowerModel, Square, SquareRoot, Table
from cloudsim.consolidation.servers import SERVERS

MODELS: list[PowerModel] = [
    Linear(peak=250, idle=100),
    Linear(peak=250, idle_share=0.7),
    SquareRoot(peak=200, idle=50),
    Square(peak=200, idle=50),
    Cubic(peak=200, idle=50),
    *SERVERS.values(),
]


@pytest.mark.parametrize(
    ("model", "watts"),
    [
        (Linear(peak=250, idle=100), 100 + 150 * 0.25),
        (Linear(peak=250, idle_share=0.6), 150 + 100 * 0.25),
        (SquareRoot(peak=250, idle=100), 100 + 150 * 0.5),
        (Square(peak=250, idle=100), 100 + 150 * 0.0625),
        (Cubic(peak=250, idle=100), 100 + 150 * 0.015625),
        (Table(watts_at=(100, 150, 250)), 125),
    ],
)  # fmt: skip
def test_power_at_a_quarter_of_the_load(model: PowerModel, watts: float) -> None:
    assert model.watts(0.25) == pytest.approx(watts)


def test_a_measured_table_has_its_values_and_straight_lines_between() -> None:
    g5 = SERVERS["hp-ml110-g5"]
    assert [g5.watts(k / 10) for k in range(11)] == pytest.approx(list(g5.watts_at))
    assert g5.watts(0.05) == pytest.approx((93.7 + 97) / 2)
    assert g5.watts(0.98) == pytest.approx(133 + 0.8 * 2)


def test_more_than_everything_draws_no_more_than_the_peak() -> None:
    assert all(model.watts(1.2) == model.watts(1.0) for model in MODELS)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(MODELS), st.floats(0, 1), st.floats(0, 1))
def test_power_does_not_fall_with_the_load(model: PowerModel, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert model.watts(low) <= model.watts(high) + 1e-9
    assert model.watts(0) <= model.watts(low) + 1e-9
    assert model.watts(high) <= model.watts(1) + 1e-9


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"model": "linear", "peak": 200}, "expected exactly one of idle and idle_share"),
        ({"model": "linear", "peak": 200, "idle": 50, "idle_share": 0.2}, "expected exactly one of idle"),
        ({"model": "cubic", "peak": 200, "idle": 201}, "idle: expected at most the peak"),
        ({"model": "table", "watts_at": [100, 90]}, "watts_at: expected values that do not fall"),
        ({"model": "table", "watts_at": [100]}, "Expected `array` of length >= 2"),
        ({"model": "quartic", "peak": 1, "idle": 0}, "Invalid value 'quartic'"),
    ],
)
def test_a_wrong_model_is_refused(data: dict[str, object], text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=text):
        msgspec.convert(data, Model)
