"""An ext4 file system made of a tree."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from backends.images.errors import ImageError
from backends.images.ext4 import commands, make_ext4
from backends.images.tools import find, run
from backends.images.tree import Node, Tree

MIB = 1 << 20
HAVE_TOOLS = find("mke2fs") is not None and find("debugfs") is not None and find("e2fsck") is not None
with_tools = pytest.mark.skipif(not HAVE_TOOLS, reason="e2fsprogs is not installed")


def example() -> Tree:
    tree = Tree()
    tree.folder("root", 0o700)
    tree.file("bin/busybox", b"ELF", 0o4755)
    tree.link("bin/sh", "busybox")
    tree.file('odd/a "quoted" name', b"odd")
    tree.add("odd/theirs", Node(stat.S_IFREG | 0o640, b"x", user=70_000, group=42, time=1_600_000_000))
    tree.add("odd/twin", Node(stat.S_IFREG | 0o640, target="bin/busybox"))
    tree.add("odd/null", Node(stat.S_IFCHR | 0o666, device=(1, 3)))
    tree.add("odd/able", Node(stat.S_IFREG | 0o755, b"", attributes=(("user.note", b"\x01\x00binary"),)))
    return tree


def told(path: Path, command: str) -> str:
    return run("looking", ["debugfs", "-R", command, path])


def test_debugfs_is_told_names_within_their_folder(tmp_path: Path) -> None:
    tree = Tree()
    tree.file("etc/shadow", b"secret", 0o600)
    assert list(commands(tree, tmp_path)) == [
        'cd "/"',
        'mkdir "etc"',
        'sif "etc" mode 040755',
        'cd "/etc"',
        f'write "{tmp_path}/1" "shadow"',
        'sif "shadow" mode 0100600',
    ]
    assert (tmp_path / "1").read_bytes() == b"secret"


def test_a_kind_that_no_image_holds_is_refused(tmp_path: Path) -> None:
    tree = Tree()
    tree.add("run/socket", Node(stat.S_IFSOCK | 0o777))
    with pytest.raises(ImageError, match=r"socket.* is of a kind that no image holds"):
        list(commands(tree, tmp_path))


@with_tools
def test_the_file_system_has_what_the_tree_says(tmp_path: Path) -> None:
    path = tmp_path / "root.ext4"
    make_ext4(path, 8 * MIB, "mini", example(), block=1024, journal_mib=1)
    subprocess.run([find("e2fsck") or "", "-f", "-n", path], check=True, capture_output=True)
    assert "Mode:  04755" in told(path, "stat /bin/busybox") and "Links: 2" in told(path, "stat /bin/busybox")
    assert 'Fast link dest: "busybox"' in told(path, "stat /bin/sh")
    assert told(path, "cat /odd/twin") == "ELF"
    assert told(path, 'cat "/odd/a ""quoted"" name"') == "odd"
    theirs = told(path, "stat /odd/theirs")
    assert "User: 70000   Group:    42" in theirs and "mtime: 0x5f5e1000" in theirs
    assert "Mode:  0700" in told(path, "stat /root")
    assert "01:03" in told(path, "stat /odd/null")
    assert "user.note" in told(path, "ea_list /odd/able")


@with_tools
def test_two_builds_are_alike(tmp_path: Path) -> None:
    paths = [tmp_path / "a.ext4", tmp_path / "elsewhere" / "b.ext4"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        make_ext4(path, 8 * MIB, "mini", example(), block=1024, journal_mib=1)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@with_tools
def test_a_tree_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    tree = Tree()
    tree.file("large", bytes(range(256)) * 40_000)
    with pytest.raises(ImageError, match=r"filling file system mini: .*[Nn]o space|Could not allocate"):
        make_ext4(tmp_path / "root.ext4", 8 * MIB, "mini", tree, block=1024, journal_mib=1)
