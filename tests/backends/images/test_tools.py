"""The programs that a build runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.images import tools
from backends.images.errors import ImageError
from backends.images.tools import require, run


def test_one_error_names_every_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    have = {"dpkg-deb", "apt-get"}
    monkeypatch.setattr(tools, "find", lambda program: f"/usr/bin/{program}" if program in have else None)
    monkeypatch.setattr(tools, "MASTER_BOOT_RECORDS", (Path("/nowhere/mbr.bin"),))
    with pytest.raises(ImageError) as caught:
        require(["apt-get", "dpkg-deb", "mke2fs", "debugfs", "mcopy", "syslinux", "qemu-img"])
    assert str(caught.value).splitlines() == [
        "Debian packages are missing: e2fsprogs mtools qemu-utils syslinux syslinux-common",
        "Install them: sudo apt-get install --no-install-recommends "
        "e2fsprogs mtools qemu-utils syslinux syslinux-common",
    ]


def test_nothing_is_missing_where_everything_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mbr.bin").touch()
    monkeypatch.setattr(tools, "find", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(tools, "MASTER_BOOT_RECORDS", (tmp_path / "mbr.bin",))
    require(tools.PACKAGES)


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(ImageError, match="trying it: sh failed with status 3: no luck"):
        run("trying it", ["sh", "-c", "echo no luck >&2; exit 3"])


def test_programs_run_with_a_fixed_time_and_language() -> None:
    said = run("asking", ["sh", "-c", "echo $SOURCE_DATE_EPOCH $TZ $LC_ALL; cat"], text="input")
    assert said == "1577836800 UTC C.UTF-8\ninput"
