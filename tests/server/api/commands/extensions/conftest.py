"""A cloud whose extensions may run programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.api.commands.extensions.program_cloud import ProgramCloud


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[ProgramCloud]:
    made = ProgramCloud(tmp_path)
    yield made
    made.cloud.close()
