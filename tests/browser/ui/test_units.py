"""The web UI's units. Its types and format are for `make lint`."""

from __future__ import annotations

import subprocess

import pytest

from tests.browser.chromium import UI

VITEST = UI / "node_modules" / ".bin" / "vitest"


@pytest.mark.skipif(not VITEST.is_file(), reason="needs the UI's libraries: make console-assets")
def test_the_web_ui_passes_its_own_tests() -> None:
    run = subprocess.run(
        [str(VITEST), "run", "--exclude", "tests/declarations/**"],
        cwd=UI,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
