"""An initial RAM disk: a tree as a compressed cpio archive, as the kernel wants it.

The format ("newc") is described in the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import gzip
import stat

from backends.images.tools import EPOCH
from backends.images.tree import Node, Tree


def initrd(tree: Tree) -> bytes:
    """The archive. The same tree gives the same bytes."""
    parts = [_entry(number, path, node) for number, (path, node) in enumerate(tree, start=1)]
    parts.append(_entry(0, "TRAILER!!!", Node(0)))
    return gzip.compress(b"".join(parts), compresslevel=9, mtime=0)


def _entry(number: int, path: str, node: Node) -> bytes:
    body = node.target.encode() if stat.S_ISLNK(node.mode) else node.read()
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(node.mode) else 1
    fields = (
        number,
        node.mode,
        node.user,
        node.group,
        links,
        EPOCH,
        len(body),
        0,
        0,
        *node.device,
        len(name),
        0,
    )
    header = b"070701" + b"".join(b"%08x" % value for value in fields)
    return _padded(header + name) + _padded(body)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
