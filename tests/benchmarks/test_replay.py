"""The benchmark of the replay engine: what it is measured against does the same, and its packing table leaves nobody out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from benchmarks.bench_replay import REFERENCE_POLICIES, Load, Size, reference
from cloudsim.experiment.replay import HostGroup, replay
from cloudsim.experiment.traces import w1
from cloudsim.placement.describing import installed

PACKING = Path(__file__).parents[2] / "examples" / "compare" / "w1-packing.yaml"


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
@pytest.mark.parametrize("policy", REFERENCE_POLICIES)
def test_the_c_program_places_and_refuses_as_the_engine_does(policy: str) -> None:
    with reference() as c:
        assert c is not None
        for hosts, fill in ((1, 0.5), (63, 1.2), (64, 0.8), (65, 0.97), (5000, 0.01)):
            blocks = list(w1.blocks(hosts, 2000, seed=hosts, fill=fill))
            ours = replay(lambda blocks=blocks: iter(blocks), [HostGroup(hosts, 64, 262_144)], policy, samples=False)
            load = Load(Size(hosts, 2000, 1, (0, 0)), blocks)
            c.seconds(load, policy, ours.totals.check)  # which is an error unless it finds that check value


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_the_c_program_is_held_to_the_check_value() -> None:
    with reference() as c:
        assert c is not None
        load = Load(Size(10, 100, 1, (0, 0)), list(w1.blocks(10, 100)))
        with pytest.raises(AssertionError, match="expected 1, got"):
            c.seconds(load, "first-fit", 1)


def test_every_built_in_policy_is_in_the_packing_table() -> None:
    chosen = yaml.safe_load(PACKING.read_text())["policies"]
    names = {each if isinstance(each, str) else each["name"] for each in chosen}
    assert names == {info.name for info in installed() if info.where.startswith("cloudsim.")}
