"""Calibration: what hosts took becomes the profile by which the simulator takes as long."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.simulated.calibration import ENOUGH, Fit, NothingToFit, fit, profile_data, samples
from backends.simulated.latency import LogNormal, profile
from cloudsim.management.infrastructure.command_log import CommandRecord


def record(kind: str, seconds: float, steps: dict[str, float] | None = None, **more: Any) -> CommandRecord:
    error = more.pop("error", None)
    return CommandRecord(
        number=1,
        answered_number=2,
        host="h1",
        sequence=1,
        kind=kind,
        command=more,
        sent=100.0,
        answered=100.0 + seconds,
        answer={"error": error, "steps": steps or {}},
    )


def fitted(*records: CommandRecord) -> dict[str, Fit]:
    return {each.parameter: each for each in fit(records)}


def test_each_kind_of_command_fits_its_parameter() -> None:
    found = fitted(
        record("StopCommand", 2.0, forced=False),
        record("StopCommand", 0.5, forced=True),
        record("CreateVolumeCommand", 0.25, template_path="t"),
        record("CreateVolumeCommand", 0.125, template_path=None),
        record("MigrateCommand", 1.5),
        record("CopyTemplateCommand", 3.0),
    )
    assert {name: round(each.median, 9) for name, each in found.items()} == {
        "vm_shutdown": 2.0,
        "forced_stop": 0.5,
        "template_clone": 0.25,
        "volume_create": 0.125,
        "migration_setup": 1.5,
        "template_copy": 3.0,
    }


def test_a_start_that_tells_its_parts_is_taken_apart() -> None:
    found = fitted(record("StartCommand", 7.0, {"vm_define": 0.5, "vm_boot": 6.0}))
    assert found["vm_define"].median == pytest.approx(0.5)
    assert found["vm_boot"].median == pytest.approx(6.0)
    assert found["agent_message"].median == pytest.approx(0.25)  # there and back


def test_a_host_that_does_not_wait_for_the_guest_boots_at_once() -> None:
    assert fitted(record("StartCommand", 0.6, {"vm_define": 0.5}))["vm_boot"].median == 0.0


def test_what_failed_says_nothing() -> None:
    assert samples([record("MigrateCommand", 30.0, error="no host answers")]) == {}
    with pytest.raises(NothingToFit):
        fit([record("MigrateCommand", 30.0, error="no host answers")])


def test_few_values_give_a_constant_and_enough_a_distribution() -> None:
    few = fitted(*(record("MigrateCommand", s) for s in (1.0, 2.0, 4.0)))["migration_setup"]
    assert few.distribution == {"distribution": "constant", "value": 2.0}
    many = fitted(*(record("MigrateCommand", s) for s in (1.0, 2.0, 2.0, 2.0, 4.0)))["migration_setup"]
    assert many.distribution["distribution"] == "lognormal"
    assert many.sigma == pytest.approx(math.log(2) * math.sqrt(2 / (ENOUGH - 1)))


@given(st.floats(0.01, 100.0), st.floats(0.0, 1.0), st.integers(0, 2**32 - 1))
def test_a_log_normal_sample_is_recovered(median: float, sigma: float, seed: int) -> None:
    drawn = LogNormal(median, sigma).draw(np.random.default_rng(seed), 400)
    found = fitted(*(record("MigrateCommand", float(s)) for s in drawn))["migration_setup"]
    assert abs(math.log(found.median / median)) <= 5 * 1.2533 * sigma / 20 + 1e-3
    assert abs(found.sigma - sigma) <= 5 * sigma / math.sqrt(800) + 1e-3


def test_the_profile_is_one_that_the_simulator_reads() -> None:
    records = [record("StartCommand", 7.0, {"vm_define": 0.5, "vm_boot": 6.0}) for _ in range(6)]
    found = profile(profile_data(fit(records)))
    assert not found.transfers
    assert found.vm_boot.mean == pytest.approx(6.0)
    assert found.boot_ios.mean == 0.0
