"""docs/policies.md tells of every installed policy, and what it shows works."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from cloudsim.experiment.compare.reading import load
from cloudsim.placement import PlacementRequest, Policy, policy
from cloudsim.placement.describing import PolicyInfo, installed
from cloudsim.placement.naming import CLOUDSTACK_NAMES, text_of
from cloudsim.randomness import Randomness
from tests.cloudsim.placement.policies.bench import Bench, Site, Vm

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "examples" / "policies"
ROWS = {
    cells[0]: cells
    for line in GUIDE.partition("## Built-in policies")[2].splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 5
}


@pytest.mark.parametrize("info", installed(), ids=lambda info: info.name)
def test_every_policy_has_a_row_with_its_options(info: PolicyInfo) -> None:
    options = {option for option in ROWS[info.name][2].split(", ") if option}
    assert options == {option.name for option in info.options}


def test_every_name_of_cloudstack_is_told() -> None:
    assert all(f"`{name}`" in GUIDE for name in CLOUDSTACK_NAMES)


def test_the_ten_lines_are_the_example() -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert blocks[0] == (EXAMPLES / "tightest.py").read_text(encoding="utf-8")


def test_the_examples_of_other_kinds_work() -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names: dict[str, type[Policy]] = {"Policy": Policy, "np": np}  # type: ignore[dict-item]
    for block in blocks[1:]:
        exec(block, names)
    apart = names["ApartThenTight"](Randomness(1))
    by_turns = names["TwoByTurns"](Randomness(1))
    bench = Bench([Site(vms=(Vm(256, 256, "b"),)), Site(vms=(Vm(256, 256, "a"),)), Site()])
    request = PlacementRequest(256, 256, account_id="a")
    allowed = apart.filter(request, bench.hosts)
    assert allowed is not None and allowed.tolist() == [False, True, True]
    assert apart.choose(request, bench.hosts, allowed) == 2
    assert [by_turns.choose(request, bench.hosts, allowed) for _ in range(3)] == [2, 1, 2]


def test_the_example_is_found_by_module_and_its_own_tests_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert type(policy("tightest:Tightest,memory_weight=2", Randomness(1))).name == "tightest"
    spec = load(EXAMPLES / "compare.yaml").spec
    assert not isinstance(spec.policies, str)
    assert all(isinstance(policy(text_of(each), Randomness(1)), Policy) for each in spec.policies)
    tests = runpy.run_path(str(EXAMPLES / "test_tightest.py"))
    found = [value for name, value in tests.items() if name.startswith("test_")]
    assert len(found) == 3
    for test in found:
        test()
