"""When a page of the web UI has come to rest, so that a picture of it shows what it will go on showing."""

from __future__ import annotations

from typing import Any

COUNTING = """
window.asked = 0;
window.since = 0;
const touch = () => { window.since = performance.now(); };
const {fetch} = window;
window.fetch = (...call) => {
  window.asked += 1;
  touch();
  return fetch(...call).finally(() => { window.asked -= 1; touch(); });
};
new MutationObserver((changes) => {
  if (changes.some((each) => each.target.closest?.('main, .ant-modal, .ant-drawer'))) touch();
}).observe(document, {subtree: true, childList: true});
"""
"""Tells a page how many answers it waits for, and since when nothing has changed on it."""
AT_REST = """
([since, quiet]) => {
  const waited = performance.now() - since;
  const whole = window.asked === 0 && !document.querySelector('main .ant-spin-spinning, main .ant-skeleton-active');
  return waited > 30000 || (whole && (waited > 6000 || performance.now() - Math.max(since, window.since) > quiet));
}
"""
"""Whether nothing is awaited and nothing has changed for a while. A page that never rests, such as one with a clock, is
looked at after six seconds, and one that always waits for something after thirty.
"""


def at_rest(page: Any, quiet: int = 350) -> None:
    """Wait until nothing has changed for `quiet` milliseconds."""
    page.mouse.move(0, 0)
    since = page.evaluate("() => performance.now()")
    page.wait_for_function(AT_REST, arg=[since, quiet], polling=50)
