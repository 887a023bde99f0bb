"""Pages that everybody needs, in both themes: axe finds nothing serious on them, and none is to be scrolled sideways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import CHROMIUM, UI
from tests.browser.ui.axe import AXE, serious
from tests.browser.ui.screenshots import SIZES, THEMES, PageOf, signed_in, too_wide, visit
from tests.server.serving import ONE_RACK, ServerProcess

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or not (UI / "dist" / "index.html").is_file() or not AXE.is_file(),
    reason="needs Chromium, and the web UI with its libraries: make ui",
)
PAGES = "dashboard topology trace simulation api deploy add-zone vm host network configuration role".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "rack.yaml").write_text(ONE_RACK)
    options = ("--pace", "max", "--datacenter", str(folder / "rack.yaml"), "--console-port", "0")
    with ServerProcess(folder / "data", *options) as server:
        yield server


@pytest.mark.parametrize(("theme", "size"), [(THEMES[0], "wide"), (THEMES[1], "narrow")])
def test_pages_can_be_used_by_everybody_and_fit(served: ServerProcess, theme: str, size: str) -> None:
    found: dict[str, list[str]] = {}
    with signed_in(served, theme, SIZES[size]) as page:
        for name in PAGES:
            visit(page, served, PageOf(name, f"/{name}"))
            problems = serious(page, "html") + [f"{pixels} pixels too wide" for pixels in [too_wide(page)] if pixels > 0]
            if problems:
                found[name] = problems
    assert found == {}
