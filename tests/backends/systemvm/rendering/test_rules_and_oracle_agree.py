"""The rules that a router gets and the oracle say the same: rules are loaded in a namespace, and packets sent through it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.protocol.router import RouterConfiguration
from tests.backends.systemvm.rendering.agreeing import examples
from tests.backends.systemvm.rendering.networks import (
    MAY_BE_THERE,
    WIRES,
    configurations,
    configure,
    disagreements,
    expectations,
    probes,
    thorough,
)
from tests.backends.systemvm.rendering.probing import Crossing, what_is_missing
from tests.backends.systemvm.rendering.rich import ISOLATED, VPC


@pytest.fixture(scope="module")
def crossing() -> Iterator[Crossing]:
    missing = what_is_missing()
    if missing:
        pytest.skip(missing)
    made = Crossing(WIRES, MAY_BE_THERE)
    yield made
    made.close()


_OUT_OF_SIGHT = (
    "ct state { established, related } accept",  # in `entering`: it spares lists that say the same
    'iifname "lo" accept',  # the router speaks to itself
    "ct state vmap { established : accept, related : accept, invalid : drop }\n\t\tiifname",  # and gets answers
)


@pytest.mark.parametrize("kind", ["isolated", "vpc"])
def test_any_rule_that_is_missing_is_noticed(crossing: Crossing, kind: str) -> None:
    configuration = ISOLATED if kind == "isolated" else VPC
    text = configure(crossing, configuration)
    asked = thorough(configuration)
    expected = expectations(configuration, asked)
    assert disagreements(crossing, asked, expected) == []
    lines = text.splitlines(keepends=True)
    unnoticed = []
    mutants = [at for at in range(len(lines)) if _matters("".join(lines[at : at + 2]))]
    assert len(mutants) > 40
    for at in mutants:
        crossing.load("".join(lines[:at] + lines[at + 1 :]))
        outcomes = crossing.send(asked)
        if all(want.met_by(got) for want, got in zip(expected, outcomes, strict=True)):
            unnoticed.append(lines[at].strip())
    assert unnoticed == []


def _matters(line_and_next: str) -> bool:
    """Whether the line is a rule, or an element of a map that has others, and does something that a probe can see."""
    line, _, following = line_and_next.partition("\n")
    if line.strip().startswith(("type", "flags", "chain", "map", "elements", "table", "delete", "}")):
        return False
    if line.strip(",").endswith((" : 1", " : 65")):  # the way out that there is without a mark, too
        return False
    is_last_element = " : " in line and not line.endswith(",") and following.strip() == "}"
    seen = not any(line_and_next.startswith(f"\t\t{text}") for text in _OUT_OF_SIGHT)
    return bool(line.strip()) and seen and not (is_last_element and line.startswith("\t\t\t"))


def _agree(crossing: Crossing, configuration: RouterConfiguration, seed: int) -> None:
    configure(crossing, configuration)
    asked = probes(configuration, seed, 150)
    assert disagreements(crossing, asked, expectations(configuration, asked)) == []


@examples(30)
@given(configuration=configurations(), seed=st.integers(0, 2**32))
def test_the_kernel_does_what_the_oracle_says(
    crossing: Crossing, configuration: RouterConfiguration, seed: int
) -> None:
    _agree(crossing, configuration, seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@examples(1000)
@given(configuration=configurations(), seed=st.integers(0, 2**32))
def test_the_kernel_does_what_the_oracle_says_a_thousand_times(
    crossing: Crossing, configuration: RouterConfiguration, seed: int
) -> None:
    _agree(crossing, configuration, seed)
