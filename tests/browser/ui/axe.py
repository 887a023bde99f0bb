"""What axe finds on a page that keeps people from using it."""

from __future__ import annotations

from typing import Any

from tests.browser.chromium import UI

AXE = UI / "node_modules" / "axe-core" / "axe.min.js"
IN_MOTION = """() => document.getAnimations().some((each) =>
  each.playState === 'running' && each.effect?.getComputedTiming().endTime !== Infinity)"""
"""Whether something fades or moves, and will come to rest: its colours are not yet those that people read."""
FOUND = """async (within) => {
  const { violations } = await axe.run(document.querySelector(within), { resultTypes: ['violations'] });
  return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`);
}"""


def serious(page: Any, within: str = "#content") -> list[str]:
    """What is serious in what is within that element, once nothing is in motion."""
    page.wait_for_function(f"() => !({IN_MOTION})()", polling=50)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return list(page.evaluate(FOUND, within))
