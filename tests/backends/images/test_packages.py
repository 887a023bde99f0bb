"""Debian packages as material: what apt says about them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from backends.images import packages
from backends.images.errors import ImageError
from backends.images.packages import Package, candidates, closure, download, parse_depends, parse_records

RECORDS = """\
Package: libc6
Version: 2.36-9
Depends: libgcc-s1
Filename: pool/main/g/glibc/libc6_2.36-9_amd64.deb
SHA256: aa11
Description: a library
 with more lines
 .
 Package: not a field

Package: local-only
Version: 1
Status: install ok installed

Package: dropbear-bin
Version: 1:2022.83-1
Filename: pool/main/d/dropbear/dropbear-bin_2022.83-1_amd64.deb
SHA256: bb22
"""
DEPENDS = """\
linux-image-cloud-amd64
  Depends: linux-image-6.1.0-56-cloud-amd64
linux-image-6.1.0-56-cloud-amd64
  PreDepends: linux-base
 |Depends: initramfs-tools
 |Depends: dracut
  Depends: <linux-initramfs-tool>
    tiny-initramfs
dropbear-bin
  Depends: libc6
libc6
  Depends: libgcc-s1
libgcc-s1
  Depends: gcc-12-base
  Depends: libc6
"""


def test_a_package_that_is_in_no_archive_is_left_out() -> None:
    assert parse_records(RECORDS) == {
        "libc6": Package("libc6", "2.36-9", "aa11"),
        "dropbear-bin": Package("dropbear-bin", "1:2022.83-1", "bb22"),
    }


def test_a_package_is_kept_under_its_version_and_hash() -> None:
    assert Package("dropbear-bin", "1:2022.83-1", "0123456789abcdef").file == (
        "dropbear-bin_1%3a2022.83-1_0123456789ab.deb"
    )


def test_of_alternatives_the_first_counts() -> None:
    found = parse_depends(DEPENDS)
    assert found["linux-image-6.1.0-56-cloud-amd64"] == ["linux-base", "initramfs-tools"]
    assert found["libgcc-s1"] == ["gcc-12-base", "libc6"]


def test_only_dependencies_of_the_wanted_kind_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(what: str, command: Sequence[str]) -> str:
        if command[1] == "depends":
            return DEPENDS
        asked.extend(name for name in command[2:] if not name.startswith("--"))
        return "\n\n".join(f"Package: {name}\nVersion: 1\nFilename: f\nSHA256: {name}" for name in asked)

    monkeypatch.setattr(packages, "run", run)
    found = closure(["linux-image-cloud-amd64", "dropbear-bin"], re.compile("lib|linux-image-"))
    assert sorted(found) == [
        "dropbear-bin",
        "libc6",
        "libgcc-s1",
        "linux-image-6.1.0-56-cloud-amd64",
        "linux-image-cloud-amd64",
    ]


def test_a_package_that_apt_does_not_have_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "run", lambda *_: RECORDS)
    with pytest.raises(ImageError, match=r"no package busybox-static to download.*apt-get update"):
        candidates(["busybox-static", "libc6"])


def test_a_file_is_downloaded_once_and_by_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Sequence[Any]] = []

    def run(what: str, command: Sequence[Any], cwd: Path) -> str:
        calls.append(command)
        (cwd / "whatever-apt-calls-it.deb").write_bytes(b"package")
        return ""

    monkeypatch.setattr(packages, "run", run)
    package = Package("p", "1", hashlib.sha256(b"package").hexdigest())
    (file,) = download([package], tmp_path / "packages", tmp_path / "scratch")
    assert file.read_bytes() == b"package" and file.name == package.file
    assert download([package], tmp_path / "packages", tmp_path / "scratch") == [file]
    assert len(calls) == 1 and calls[0][-1] == "p=1"


def test_a_file_with_another_hash_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        packages, "run", lambda what, command, cwd: str((cwd / "p_1.deb").write_bytes(b"something else"))
    )
    with pytest.raises(ImageError, match="package p 1 came with another hash"):
        download([Package("p", "1", "00")], tmp_path / "packages", tmp_path / "scratch")
    assert list((tmp_path / "packages").iterdir()) == []
