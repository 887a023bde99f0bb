"""A tree of files that goes into an image."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from backends.images.errors import ImageError
from backends.images.tree import Tree


def test_folders_come_with_what_is_in_them_and_before_it() -> None:
    tree = Tree()
    tree.file("etc/mini/boot", b"#!/bin/sh\n", 0o755)
    tree.link("bin/sh", "busybox")
    tree.file("etc-not/x", b"")
    assert [path for path, _ in tree] == [
        "bin",
        "bin/sh",
        "etc",
        "etc/mini",
        "etc/mini/boot",
        "etc-not",
        "etc-not/x",
    ]
    assert tree["etc"].mode == stat.S_IFDIR | 0o755
    assert tree["etc/mini/boot"].mode == stat.S_IFREG | 0o755


def test_a_folder_keeps_what_was_said_of_it() -> None:
    tree = Tree()
    tree.folder("root", 0o700)
    tree.file("root/.profile", b"")
    assert stat.S_IMODE(tree["root"].mode) == 0o700


def test_templates_that_are_scripts_may_be_run(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/rc").write_text("#!/bin/sh\n")
    (tmp_path / "etc/hosts").write_text("127.0.0.1 localhost\n")
    tree = Tree()
    tree.add_templates(tmp_path)
    assert {path: stat.S_IMODE(tree[path].mode) for path in ("etc/rc", "etc/hosts")} == {
        "etc/rc": 0o755,
        "etc/hosts": 0o644,
    }


@pytest.mark.parametrize("path", ["/etc/passwd", "../passwd", "a/../b", "", "two\nlines"])
def test_a_path_stays_inside(path: str) -> None:
    with pytest.raises(ImageError, match="is no path of a file in an image"):
        Tree().file(path, b"")
