"""Pictures of every page of the web UI, in both themes and both sizes, and what axe finds on them.

    python -m tests.browser.ui.screenshots [--out FOLDER] [--only NAME ...] [--docs]

serves a simulated cloud with a story (`--demo`), signs in as its admin, and visits every page that the router knows: of each
list also the form of its first action, its first thing, and that thing's tabs. Pictures go to results/screenshots/ui, as
WebP; `--docs` keeps those that the documentation shows in docs/images/ui.
"""

from __future__ import annotations

import argparse
import io
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tests.browser.chromium import SCREENSHOTS, UI, browser
from tests.server.serving import ServerProcess

AXE = UI / "node_modules" / "axe-core" / "axe.min.js"
DOCS = UI.parent / "docs" / "images" / "ui"
THEMES = ("light", "dark")
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
DOCUMENTED = [
    "dashboard",
    "topology",
    "vm",
    "vm-detail",
    "trace-detail",
    "simulation",
    "deploy",
    "add-zone",
    "network-detail",
    "api",
    "experiments",
]


@dataclass(frozen=True)
class PageOf:
    """A page: its name and address, and what to do before the picture is taken."""

    name: str
    path: str
    before: Callable[[Any], None] | None = None


ROUTES = """
() => document.querySelector('#app').__vue_app__.config.globalProperties.$router.getRoutes()
  .map((route) => route.path.replace(/\\/:\\w+[?]$/, '')).filter((path) => !/[:*]|sign-in|^.$/.test(path))
"""
"""Addresses of pages: all that the router knows, but for those of single things."""


def _first_trace(page: Any) -> None:
    page.get_by_role("link", name="deployVirtualMachine").first.click()


def pages_of(page: Any) -> list[PageOf]:
    """Every page that has an address of its own."""
    paths = sorted(set(page.evaluate(ROUTES)))
    pages = [PageOf(path.strip("/").replace("/", "-"), path) for path in paths]
    return [*pages, PageOf("trace-detail", "/trace", _first_trace)]


def parts_of(page: Any, of: PageOf) -> Iterator[str]:
    """Open what belongs to the list that is shown, one after the other, and tell its name: the form of its first action,
    the first thing in it, and that thing's tabs.
    """
    link = page.locator(f"main a[href^='#{of.path}/']")
    first = str(link.first.get_attribute("href")) if link.count() else None
    action = page.locator("main .list .bars button.ant-btn-primary")
    if action.count() and action.first.is_enabled():
        action.first.click()
        at_rest(page)
        if page.get_by_role("dialog").count():
            yield f"{of.name}-form"
            page.keyboard.press("Escape")
            page.get_by_role("dialog").wait_for(state="hidden")
    if first is None:
        return
    page.goto(page.url.split("#")[0] + first)
    at_rest(page)
    yield f"{of.name}-detail"
    for tab in [str(each.get_attribute("id")) for each in page.get_by_role("tab").all()][1:]:
        page.locator(f"#{tab}").click()
        at_rest(page)
        yield f"{of.name}-detail-{tab.removeprefix('tab-')}"


@contextmanager
def signed_in(server: ServerProcess, theme: str, size: tuple[int, int]) -> Iterator[Any]:
    """A page of that theme and size, signed in as the admin. Fails if the page raised an error."""
    with browser() as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.add_init_script(COUNTING)
        page.goto(f"{server.url}/client/")
        page.get_by_label("User name").fill("admin")
        page.get_by_label("Password", exact=True).fill(server.admin["password"])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/#/dashboard*")
        yield page


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
(since) => performance.now() - since > 6000 || (window.asked === 0
  && performance.now() - Math.max(since, window.since) > 350
  && !document.querySelector('main .ant-spin-spinning, main .ant-skeleton-active'))
"""
"""Whether nothing is awaited and nothing has changed for a while. A page that never rests, such as one with a clock, is
looked at after six seconds.
"""


def at_rest(page: Any) -> None:
    page.mouse.move(0, 0)
    page.wait_for_function(AT_REST, arg=page.evaluate("() => performance.now()"), polling=50)


def visit(page: Any, server: ServerProcess, of: PageOf) -> None:
    """Open it, and wait until it has come to rest."""
    page.goto(f"{server.url}/client/#{of.path}")
    at_rest(page)
    if of.before is not None:
        of.before(page)
        at_rest(page)


def serious(page: Any) -> list[str]:
    """What axe finds that keeps people from using the page."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "() => axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.filter(v => "
        "['serious', 'critical'].includes(v.impact)).map(v => v.id + ': ' + v.nodes[0].html.slice(0, 160)))"
    )
    return list(found)


def too_wide(page: Any) -> int:
    """Pixels by which the page would have to be scrolled sideways."""
    return int(
        page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )


def keep(page: Any, path: Path) -> None:
    """A picture of what is seen, as WebP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(page.screenshot())).save(path, quality=82, method=4)


def pictures(page: Any, server: ServerProcess, told: argparse.Namespace) -> Iterator[str]:
    """Visit every page and what belongs to it; yields the name of each as it is shown."""
    for of in pages_of(page):
        if told.only and not any(name == of.name or name.startswith(f"{of.name}-") for name in told.only):
            continue
        visit(page, server, of)
        yield of.name
        if told.parts:
            yield from parts_of(page, of)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.ui.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=SCREENSHOTS / "ui")
    parser.add_argument("--only", nargs="*", default=[], help="names of pages, such as vm or vm-detail")
    parser.add_argument("--no-parts", dest="parts", action="store_false", help="pages with addresses only")
    parser.add_argument("--docs", action="store_true", help="keep those of the documentation, too")
    parser.add_argument("--themes", nargs="*", default=list(THEMES))
    parser.add_argument("--sizes", nargs="*", default=list(SIZES))
    told = parser.parse_args(arguments)
    problems = 0
    with tempfile.TemporaryDirectory() as folder:
        options = ("--demo", "--pace", "real", "--console-port", "0")
        # a day of history is made first
        with ServerProcess(Path(folder) / "data", *options, within=300.0) as server:
            for theme, size in itertools.product(told.themes, told.sizes):
                with signed_in(server, theme, SIZES[size]) as page:
                    for shown in pictures(page, server, told):
                        name = f"{shown}-{theme}-{size}.webp"
                        if told.only and shown not in told.only:
                            continue
                        keep(page, told.out / name)
                        if told.docs and shown in DOCUMENTED:
                            keep(page, DOCS / name)
                        found = serious(page)
                        wide = too_wide(page)
                        if wide > 0:
                            found.append(f"{wide} pixels too wide")
                        problems += len(found)
                        print(f"{name}: {'; '.join(found) or 'well'}", flush=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
