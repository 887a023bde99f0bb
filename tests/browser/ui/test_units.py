"""The web UI's own checks: its units, its types, its format."""

from __future__ import annotations

import subprocess

import pytest

from tests.browser.chromium import UI

TOOLS = UI / "node_modules" / ".bin"


@pytest.mark.skipif(not (TOOLS / "vitest").is_file(), reason="needs the UI's libraries: make console-assets")
@pytest.mark.parametrize(
    "check",
    [
        "vitest run --exclude tests/declarations/**",
        "vue-tsc --noEmit",
        "prettier --check --log-level warn src tests index.html vite.config.ts",
    ],
    ids=["units", "types", "format"],
)
def test_the_web_ui_passes_its_own_checks(check: str) -> None:
    tool, *arguments = check.split()
    run = subprocess.run(
        [str(TOOLS / tool), *arguments], cwd=UI, capture_output=True, text=True, timeout=280, check=False
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
