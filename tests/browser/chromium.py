"""The system's Chromium, driven by playwright, and where screenshots are kept."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.waiting import WITHIN

UI = Path(__file__).resolve().parents[2] / "ui"
SCREENSHOTS = UI.parent / "results" / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_a_browser = pytest.mark.skipif(
    CHROMIUM is None or not (UI / "node_modules" / "@novnc").is_dir(),
    reason="needs Chromium, and the pages' libraries: make console-assets",
)


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """A browser context. Fails if a page raised an error."""
    playwright = pytest.importorskip("playwright.sync_api")
    errors: list[str] = []
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=3000 * WITHIN)
        context = started.new_context(viewport={"width": 1100, "height": 720})
        context.set_default_timeout(1000 * WITHIN)
        context.on("page", lambda page: page.on("pageerror", lambda error: errors.append(str(error))))
        try:
            yield context
        finally:
            started.close()
    assert errors == [], errors


def keep(page: Any, name: str) -> Path:
    """Keep a picture of the page, and say where."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path)
    print(f"screenshot: {path}")
    return path


def state_of(page: Any, state: str, within: float = WITHIN) -> str:
    """Wait until the console's page says that the connection is in that state; what it says."""
    page.wait_for_selector(f"#state[data-state={state}]", timeout=within * 1000)
    return str(page.text_content("#state"))


def terminal_text(page: Any) -> str:
    """What a terminal's page shows."""
    return str(page.inner_text(".xterm-rows"))


def wait_for_text(page: Any, text: str, within: float = WITHIN) -> None:
    """Wait until the terminal shows that text. Lines end where the screen does."""
    page.wait_for_function(
        "text => document.querySelector('.xterm-rows')?.innerText.replaceAll('\\u00a0', ' ').includes(text)",
        arg=text,
        timeout=within * 1000,
    )
