"""A second try for tests on real hosts and in browsers, whose machine does not obey them. See docs/decisions/0018.

Only where it is asked for, as CI does with --second-try: a test that passes only then is told of, with how it failed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BROWSER = Path(__file__).parent / "browser"


def may_have_one(item: pytest.Item) -> bool:
    return item.get_closest_marker("lab") is not None or BROWSER in item.path.parents


def tell(terminal: Any) -> None:
    """Write how each test failed that was then run again."""
    failed_first = terminal.stats.get("rerun", [])
    if not failed_first:
        return
    failed_again = {report.nodeid for kind in ("failed", "error") for report in terminal.stats.get(kind, [])}
    terminal.section("had a second try", sep="=", yellow=True)
    for report in failed_first:
        outcome = "failed again" if report.nodeid in failed_again else "passed then"
        terminal.section(f"{report.nodeid}: {outcome}", sep="-", yellow=True)
        terminal.write_line(report.longreprtext)
