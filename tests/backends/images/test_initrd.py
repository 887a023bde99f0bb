"""The initial RAM disk's archive."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from backends.images.initrd import initrd
from backends.images.tree import Tree


def tree_of(names: list[str]) -> Tree:
    tree = Tree()
    for name in names:
        tree.file(f"lib/{name}", name.encode(), 0o640)
    tree.link("init", "lib/a")
    return tree


def test_the_same_tree_gives_the_same_bytes() -> None:
    assert initrd(tree_of(["a", "b", "c"])) == initrd(tree_of(["c", "a", "b"]))
    assert initrd(tree_of(["a", "b"])) != initrd(tree_of(["a", "c"]))


def test_cpio_reads_what_was_put_in(tmp_path: Path) -> None:
    if shutil.which("cpio") is None:
        pytest.skip("cpio is not installed")
    archive = gzip.decompress(initrd(tree_of(["a", "odd"])))
    listed = subprocess.run(
        ["cpio", "-tv", "--numeric-uid-gid"], input=archive, capture_output=True, check=True
    ).stdout.decode()
    rows = [line.split() for line in listed.splitlines()]
    assert [(row[0], row[2], row[3], row[4]) for row in rows] == [
        ("lrwxrwxrwx", "0", "0", "5"),
        ("drwxr-xr-x", "0", "0", "0"),
        ("-rw-r-----", "0", "0", "1"),
        ("-rw-r-----", "0", "0", "3"),
    ]
    subprocess.run(["cpio", "-id", "--quiet"], input=archive, cwd=tmp_path, check=True)
    assert (tmp_path / "init").read_bytes() == b"a"
