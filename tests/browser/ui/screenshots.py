"""Pictures of every page of the web UI, in both themes and both sizes, and what is wrong with them that a program can tell.

    python -m tests.browser.ui.screenshots [--out FOLDER] [--only NAME ...] [--docs] [--data FOLDER --url URL]

serves a simulated cloud with a story (`--demo`; or looks at the one at that address, which keeps its data there), signs in
as its admin, and visits every page that the router knows: of each list also the form of its first action, its first thing,
and that thing's tabs; then the scenes that have no address of their own. Each is taken in four: light and dark, wide and
narrow. Pictures go to results/screenshots/ui, as WebP, each four together on a sheet; `--docs` keeps those that the
documentation shows in docs/images/ui.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tests.browser.chromium import SCREENSHOTS, UI, browser
from tests.browser.ui.axe import serious
from tests.browser.ui.oddities import odd_words
from tests.browser.ui.rest import COUNTING, at_rest
from tests.browser.ui.scenes import SCENES, Cloud, Shown
from tests.server.serving import ServerProcess

DOCS = UI.parent / "docs" / "images" / "ui"
THEMES = ("light", "dark")
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
VARIANTS = (("light", "wide"), ("dark", "wide"), ("dark", "narrow"), ("light", "narrow"))
"""In an order in which one thing changes at a time."""
GENERIC_TABS = ("events", "settings")
"""Tabs that look the same on everything: shown of the first thing that has them."""
DOCUMENTED = {
    "dashboard-light-wide",
    "vm-light-wide",
    "vm-dark-narrow",
    "vm-detail-light-wide",
    "deploy-light-wide",
    "add-zone-light-wide",
    "topology-dark-wide",
    "topology-light-wide",
    "trace-detail-light-wide",
    "simulation-workload-light-wide",
}
"""Pictures that docs/ui.md and the README show."""
ON_SHEETS = {
    "sign-in",
    "dashboard",
    "user-dashboard",
    "vm",
    "vm-detail",
    "network-detail",
    "deploy",
    "add-zone",
    "topology",
    "topology-host",
    "trace-detail",
    "trace-placement",
    "simulation-workload",
    "experiment",
    "api-answer",
}
"""Pages that docs/ui-pictures.md shows in all four."""


@dataclass(frozen=True)
class PageOf:
    """A page: its name and address."""

    name: str
    path: str


ROUTES = """
() => document.querySelector('#app').__vue_app__.config.globalProperties.$router.getRoutes()
  .map((route) => route.path.replace(/\\/:\\w+[?]$/, '')).filter((path) => !/[:*]|sign-in|^.$/.test(path))
"""
"""Addresses of pages: all that the router knows, but for those of single things."""


def pages_of(page: Any) -> list[PageOf]:
    """Every page that has an address of its own."""
    paths = sorted(set(page.evaluate(ROUTES)))
    return [PageOf(path.strip("/").replace("/", "-"), path) for path in paths if path]


def parts_of(page: Any, of: PageOf, seen: set[str]) -> Iterator[str]:
    """Open what belongs to the list that is shown, one after the other, and tell its name: the form of its first action,
    the first thing in it, and that thing's tabs. Tabs that look the same everywhere are left out once they are in `seen`.
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
        name = tab.removeprefix("tab-")
        if name in GENERIC_TABS and name in seen:
            continue
        seen.add(name)
        page.locator(f"#{tab}").click()
        at_rest(page)
        yield f"{of.name}-detail-{name}"


@contextmanager
def signed_in(server: ServerProcess | Cloud, theme: str, size: tuple[int, int]) -> Iterator[Any]:
    """A page of that theme and size, signed in as the admin. Fails if the page raised an error."""
    with browser() as context:
        page = context.new_page()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.add_init_script(COUNTING)
        page.goto(f"{server.url}/client/")
        page.get_by_label("User name").fill("admin")
        page.get_by_label("Password", exact=True).fill(server.admin["password"])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/#/dashboard*")
        yield page


IS_AT = """
(path) => document.querySelector('#app').__vue_app__.config.globalProperties.$router.currentRoute.value.path === path
"""


def visit(page: Any, server: ServerProcess | Cloud, of: PageOf) -> None:
    """Open it, and wait until it has come to rest."""
    page.goto(f"{server.url}/client/#{of.path}")
    page.wait_for_function(IS_AT, arg=of.path)  # what the page is made of may still have to be loaded
    at_rest(page)


def too_wide(page: Any) -> int:
    """Pixels by which the page would have to be scrolled sideways."""
    return int(
        page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )


def picture(page: Any) -> Image.Image:
    """What is seen."""
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def keep(image: Image.Image, path: Path) -> None:
    """As WebP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=82, method=4)


def sheet(four: dict[tuple[str, str], Image.Image], width: int = 1000) -> Image.Image:
    """The four pictures of a page on one: light above dark, wide beside narrow, the wide ones `width` pixels wide."""
    height = width * SIZES["wide"][1] // SIZES["wide"][0]
    narrow = height * SIZES["narrow"][0] // SIZES["narrow"][1]
    made = Image.new("RGB", (width + 8 + narrow, 2 * height + 8), "grey")
    for (theme, size), image in four.items():
        place = (0 if size == "wide" else width + 8, THEMES.index(theme) * (height + 8))
        made.paste(
            image.resize((width if size == "wide" else narrow, height), Image.Resampling.LANCZOS), place
        )
    return made


def stops(page: Any, cloud: Cloud, told: argparse.Namespace) -> Iterator[Shown]:
    """All there is to be seen, one after the other."""
    seen: set[str] = set()
    for of in pages_of(page) if told.pages else ():
        if wanted(of.name, told.only):
            visit(page, cloud, of)
            yield of.name, page
            left = {each for each in told.only if each.startswith(f"{of.name}-")}
            for name in parts_of(page, of, seen) if told.parts and (left or not told.exactly) else ():
                yield name, page
                left.discard(name)
                if told.exactly and not left:
                    break
    for scene in SCENES if told.scenes else ():
        if not told.only or scene.__name__ in told.only:
            page.set_viewport_size({"width": 1440, "height": 900})
            yield from scene(page, cloud)


def wanted(name: str, only: list[str]) -> bool:
    """Whether that page, or a part of it, is among those that were asked for."""
    return not only or any(each == name or each.startswith(f"{name}-") for each in only)


def four_of(page: Any, told: argparse.Namespace) -> tuple[dict[tuple[str, str], Image.Image], list[str]]:
    """The pictures of what is shown in each theme and size, and what is wrong there. The page is left as it was."""
    found, four = odd_words(page), {}
    for theme, size in VARIANTS[::2] if told.quick else VARIANTS:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
        page.wait_for_timeout(150)
        if (theme, size) != VARIANTS[0] and "/client/" in page.url:
            at_rest(page, 200)
        four[theme, size] = picture(page)
        problems = serious(page, "html") if told.axe else []
        problems += [f"{pixels} pixels too wide" for pixels in [too_wide(page)] if pixels > 0]
        found += [f"{theme}, {size}: {each}" for each in problems]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_timeout(150)
    return four, found


def take(cloud: Cloud, told: argparse.Namespace) -> int:
    """Every picture that was asked for; the number of things that are wrong."""
    problems = 0
    with signed_in(cloud, "light", SIZES["wide"]) as page:
        at_rest(page)
        for name, shown in stops(page, cloud, told):
            if told.only and name not in told.only and told.exactly:
                continue
            four, found = four_of(shown, told)
            for (theme, size), image in four.items():
                keep(image, told.out / f"{name}-{theme}-{size}.webp")
                if told.docs and f"{name}-{theme}-{size}" in DOCUMENTED:
                    keep(image, DOCS / f"{name}-{theme}-{size}.webp")
            keep(sheet(four), told.out / "sheets" / f"{name}.webp")
            if told.docs and name in ON_SHEETS:
                keep(sheet(four, 900), DOCS / f"{name}.webp")
            problems += len(found)
            print(f"{name}: {'; '.join(found) or 'well'}", flush=True)
    return problems


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser.ui.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=SCREENSHOTS / "ui")
    parser.add_argument("--only", nargs="*", default=[], help="pages and scenes, such as vm or wizards")
    parser.add_argument("--exactly", action="store_true", help="of these only what has that very name")
    parser.add_argument("--no-pages", dest="pages", action="store_false", help="scenes only")
    parser.add_argument("--no-parts", dest="parts", action="store_false", help="no forms, things and tabs")
    parser.add_argument("--no-scenes", dest="scenes", action="store_false", help="what has an address only")
    parser.add_argument("--quick", action="store_true", help="light and wide, dark and narrow only")
    parser.add_argument("--no-axe", dest="axe", action="store_false", help="quicker, without axe")
    parser.add_argument("--docs", action="store_true", help="keep those of the documentation, too")
    parser.add_argument("--url", help="of a demo cloud that is served already")
    parser.add_argument("--data", type=Path, help="and the folder with its admin.json and demo.json")
    told = parser.parse_args(arguments)
    if told.url and told.data:
        return 1 if take(Cloud(told.url, told.data), told) else 0
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        # a day of history is made first
        with ServerProcess(data, "--demo", "--pace", "real", "--console-port", "0", within=300.0) as server:
            return 1 if take(Cloud(server.url, data), told) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
