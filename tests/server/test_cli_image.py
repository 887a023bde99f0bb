"""`cloudsim image build`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from backends.images import debian, mini
from backends.images.debian import DebianOptions
from backends.images.errors import ImageError
from backends.images.mini import MiniOptions
from server.cli import main

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 someone@example"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the builders were asked for, in the place of builds."""
    calls: list[tuple[Any, ...]] = []
    image = tmp_path / "built.qcow2"
    image.write_bytes(bytes(1 << 20))

    def build(*arguments: Any) -> Path:
        calls.append(arguments)
        return image

    monkeypatch.setattr(mini, "build", build)
    monkeypatch.setattr(debian, "build", build)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home cache"))
    return calls


def test_mini_is_built_as_asked_and_its_path_is_printed(tmp_path: Path, asked: list[tuple[Any, ...]]) -> None:
    (tmp_path / "id.pub").write_text(f"{KEY}\n")
    options = ["--password", "", "--autologin", "--ssh-key", str(tmp_path / "id.pub"), "--size", "1G"]
    done = CliRunner().invoke(main, ["image", "build", "mini", "--out", "o.qcow2", "--cache", "c", *options])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == str(tmp_path / "built.qcow2")
    wanted = MiniOptions(password="", autologin=True, ssh_keys=(KEY,), size_mib=1024)
    assert asked == [(Path("o.qcow2"), Path("c"), wanted)]


def test_images_are_kept_in_the_users_cache(tmp_path: Path, asked: list[tuple[Any, ...]]) -> None:
    assert CliRunner().invoke(main, ["image", "build", "mini"]).exit_code == 0
    assert CliRunner().invoke(main, ["image", "build", "debian", "--release", "trixie"]).exit_code == 0
    kept = tmp_path / "home cache/cloudsim/images"
    assert asked == [(None, kept, MiniOptions()), (None, kept, DebianOptions(release="trixie"))]


def test_what_is_missing_is_an_error_and_not_a_trace_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*_: Any) -> Path:
        raise ImageError("Debian packages are missing: mtools")

    monkeypatch.setattr(mini, "build", build)
    done = CliRunner().invoke(main, ["image", "build", "mini"])
    assert done.exit_code == 1 and done.output == "Error: Debian packages are missing: mtools\n"


def test_a_size_has_a_unit(asked: list[tuple[Any, ...]]) -> None:
    done = CliRunner().invoke(main, ["image", "build", "debian", "--size", "2000"])
    assert done.exit_code == 2 and "is no size: a number and M, G or T" in done.output
    assert asked == []
