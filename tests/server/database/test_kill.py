"""An acknowledged change survives kill -9, and no transaction is ever half there."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server.database import open_database

sys.path.insert(0, str(Path(__file__).parent))
import crash


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [8, pytest.param(20, marks=pytest.mark.slow)])
def test_what_was_acknowledged_is_there_after_each_kill(tmp_path: Path, kills: int) -> None:
    chance = random.Random(20)
    database = tmp_path / "cloud.db"
    total = 0
    for _ in range(kills):
        lines = crash.run_until_killed(
            [sys.executable, crash.__file__, str(database)],
            ready=crash.READY,
            lines=50,
            seconds=chance.uniform(0.0, 0.4),
        )
        there = crash.check_database(database, crash.acknowledged(lines))
        assert there >= total + len(lines)
        total = there


def test_a_manager_killed_while_it_makes_its_database_leaves_one_that_opens(tmp_path: Path) -> None:
    chance = random.Random(4)
    for attempt in range(4):
        database = tmp_path / f"{attempt}.db"
        with subprocess.Popen([sys.executable, crash.__file__, str(database)], stdout=subprocess.DEVNULL) as child:
            while not database.exists():
                time.sleep(0.001)
            time.sleep(chance.uniform(0.0, 0.06))
            child.send_signal(signal.SIGKILL)
        open_database(database).dispose()
        assert crash.check_database(database, {}) >= 0
