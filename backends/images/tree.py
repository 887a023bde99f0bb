"""A tree of files that goes into an image: who owns each and what it may stands here, not on a disk."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from backends.images.errors import ImageError
from backends.images.tools import EPOCH

Content: TypeAlias = bytes | Path
"""A file's content, or a file on this machine that has it."""


@dataclass(frozen=True)
class Node:
    """One entry. `mode` has the kind in it, as stat gives it.

    `target` is a symbolic link's, or the path of the entry that a hard link is the same file as.
    """

    mode: int
    content: Content = b""
    target: str = ""
    user: int = 0
    group: int = 0
    device: tuple[int, int] = (0, 0)
    attributes: tuple[tuple[str, bytes], ...] = ()
    time: int = EPOCH
    """When it was last changed, in Unix seconds."""

    @property
    def is_hard_link(self) -> bool:
        return bool(self.target) and not stat.S_ISLNK(self.mode)

    def read(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


class Tree:
    """Entries by path, relative to the root and without a slash before. A path's folders come with it."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def add(self, path: str, node: Node) -> None:
        """Put an entry there, in the place of one that may be there."""
        parts = PurePosixPath(path)
        if parts.is_absolute() or ".." in parts.parts or not parts.parts or "\n" in path:
            raise ImageError(f"{path!r} is no path of a file in an image")
        for parent in list(parts.parents)[-2::-1]:
            self._nodes.setdefault(str(parent), Node(stat.S_IFDIR | 0o755))
        self._nodes[str(parts)] = node

    def folder(self, path: str, mode: int = 0o755) -> None:
        self.add(path, Node(stat.S_IFDIR | mode))

    def file(self, path: str, content: Content, mode: int = 0o644) -> None:
        self.add(path, Node(stat.S_IFREG | mode, content))

    def link(self, path: str, target: str) -> None:
        """A symbolic link."""
        self.add(path, Node(stat.S_IFLNK | 0o777, target=target))

    def add_templates(self, folder: Path) -> None:
        """All files below this folder. One that starts with #! may be run.

        Packaging loses what a file system knows of that.
        """
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = file.read_bytes()
            mode = 0o755 if content.startswith(b"#!") else 0o644
            self.file(str(file.relative_to(folder)), content, mode)

    def __contains__(self, path: str) -> bool:
        return path in self._nodes

    def __getitem__(self, path: str) -> Node:
        return self._nodes[path]

    def __iter__(self) -> Iterator[tuple[str, Node]]:
        """Folders before what is in them, and always in the same order."""
        return iter(sorted(self._nodes.items(), key=lambda item: item[0].split("/")))
