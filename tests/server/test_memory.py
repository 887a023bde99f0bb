"""What a command reports of its memory."""

from __future__ import annotations

import subprocess
import sys

MEASURE = "from server.memory import peak_mib; {}; print(peak_mib())"


def peak_of(statement: str) -> float:
    """The peak of a program that does that and nothing else."""
    command = [sys.executable, "-c", MEASURE.format(statement)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_memory_that_was_given_back_counts() -> None:
    assert peak_of("b'x' * (200 << 20)") > 200 + peak_of("pass") - 5


def test_memory_of_the_program_that_started_it_does_not_count() -> None:
    ours = bytearray(200 << 20)
    assert peak_of("pass") < 150
    assert len(ours) == 200 << 20
