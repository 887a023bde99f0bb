"""The shell scripts inside the images."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from backends import images

SCRIPTS = sorted(
    path
    for path in Path(images.__file__).parent.glob("*/guest/**/*")
    if path.is_file() and (path.read_bytes().startswith(b"#!") or path.name == "profile")
)


def test_there_are_scripts() -> None:
    assert {"init", "boot", "cloud", "lease", "event", "profile", "zz-loader"} <= {
        path.name for path in SCRIPTS
    }


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(["shellcheck", "--shell=sh", *SCRIPTS], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(shutil.which("dash") is None, reason="dash is not installed")
def test_a_plain_shell_reads_them() -> None:
    for path in SCRIPTS:
        done = subprocess.run(["dash", "-n", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
