"""What the web UI declares of resources, against what the API says of itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import UI
from tests.server.api.api_harness import Api

VITEST = UI / "node_modules" / ".bin" / "vitest"


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.close()


@pytest.mark.skipif(
    shutil.which("node") is None or not VITEST.is_file(),
    reason="needs Node and the UI's libraries: make console-assets",
)
def test_every_command_of_the_api_is_offered_by_the_web_ui_with_parameters_that_it_has(
    api: Api, tmp_path: Path
) -> None:
    told = tmp_path / "apis.json"
    told.write_text(json.dumps(api.admin("listApis")["api"]))
    run = subprocess.run(
        [str(VITEST), "run", "tests/declarations"],
        cwd=UI,
        env=os.environ | {"LIST_APIS": str(told)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "skipped" not in run.stdout
