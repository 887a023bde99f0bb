"""docs/networks.md shows what the oracle says."""

from __future__ import annotations

import doctest
from pathlib import Path

GUIDE = Path(__file__).parents[3] / "docs" / "networks.md"


def test_what_the_guide_shows_is_so() -> None:
    result = doctest.testfile(str(GUIDE), module_relative=False)
    assert result.attempted > 10 and result.failed == 0


def test_the_modules_that_it_names_are_there() -> None:
    root = GUIDE.parents[1]
    for name in ("passage.py", "security_groups.py", "reachability.py", "leases_and_names.py"):
        assert name in GUIDE.read_text() and (root / "cloudsim" / "systemvm" / name).is_file()
