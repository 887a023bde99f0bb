"""`cloudsim policies`: what there is, and what each takes."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from cloudsim.placement.naming import policies
from server.cli import main


def output(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["policies", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_all_installed_policies_are_listed() -> None:
    listed = output()
    assert all(name in listed for name in policies())
    assert [each["name"] for each in msgspec.json.decode(output("--json"))] == sorted(policies())


def test_a_policy_is_described_with_its_options() -> None:
    text = output("power-of-d")
    assert "Mitzenmacher" in text and "whole number, at least 1" in text and "largest | cpu | memory" in text
    assert "It decides by lifetimes" in output("nilas")
    (found,) = msgspec.json.decode(output("protean", "--json"))
    assert found["options"][0]["name"] == "rules"
    assert found["options"][0]["default"] == "non-empty+lifetime+packing"


def test_a_policy_of_ones_own_is_found_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "from cloudsim.placement import OrderedPolicy",
        "class LastOneAgain(OrderedPolicy):",
        '    """Stays where it is."""',
        '    begin = "last"',
        "    soft: bool = False",
    ]
    (tmp_path / "stay_put.py").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    text = output("stay_put:LastOneAgain")
    assert text.startswith("last-one-again (stay_put:LastOneAgain)\n\nStays where it is.")
    assert "true | false" in text


def test_one_that_is_not_there_is_refused() -> None:
    assert "no placement policy 'tallest'; there are " in output("tallest", code=1)
