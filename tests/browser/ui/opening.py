"""A cloud that is really served, and a page of the web UI on which the admin has signed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import CHROMIUM, UI, browser
from tests.server.serving import ServerProcess

needs_the_web_ui = pytest.mark.skipif(
    CHROMIUM is None or not (UI / "dist" / "index.html").is_file(),
    reason="needs Chromium, and the web UI: make ui",
)


@contextmanager
def serving(folder: Path, datacenter: str, pace: str = "max") -> Iterator[ServerProcess]:
    """A cloud on a datacenter of that description."""
    (folder / "datacenter.yaml").write_text(datacenter)
    options = ("--pace", pace, "--datacenter", str(folder / "datacenter.yaml"), "--console-port", "0")
    with ServerProcess(folder / "data", *options) as server:
        yield server


@contextmanager
def signed_in_at(served: ServerProcess, path: str, ready: str) -> Iterator[Any]:
    """A page at that path of the UI, once `ready` is on it."""
    with browser() as context:
        page = context.new_page()
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(f"{served.url}/client/#{path}")
        page.fill("input >> nth=0", "admin")
        page.fill("input[type=password]", served.admin["password"])
        page.click("button[type=submit]")
        page.wait_for_selector(ready)
        yield page
