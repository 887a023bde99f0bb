"""An ext4 file system made of a tree, without a mount and without root: debugfs writes every entry.

`mke2fs -d` would be shorter, but it takes owners and times from files on this machine, in the order in which
the machine happens to list them: two builds would differ.
"""

from __future__ import annotations

import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from backends.images.errors import ImageError
from backends.images.tools import EPOCH, completed, run
from backends.images.tree import Node, Tree

FEATURES = (
    "has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,"
)
FEATURES += "huge_file,dir_nlink,extra_isize,metadata_csum"
UUID = "6d696e69-0000-4000-8000-636c6f756473"
"""All file systems made here have this one: a random one would make every build differ."""


def make_ext4(
    path: Path, size: int, label: str, tree: Tree, *, block: int = 4096, journal_mib: int = 4
) -> None:
    """Make `path`, an ext4 of `size` bytes with the tree in it. Raises ImageError if it is too small."""
    with path.open("wb") as file:
        file.truncate(size)
    extended = f"hash_seed={UUID},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0,nodiscard"
    command = [
        "mke2fs",
        "-q",
        "-F",
        "-t",
        "ext4",
        "-b",
        str(block),
        "-I",
        "256",
        "-m",
        "0",
        "-O",
        f"none,{FEATURES}",
    ]
    command += ["-J", f"size={journal_mib}", "-L", label, "-U", UUID, "-E", extended, str(path)]
    run(f"making file system {label}", command)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="files-") as folder:
        script = Path(folder) / "script"
        # set_current_time holds for the rest of the script: it is the time of every entry made.
        lines = [f"set_current_time @{EPOCH}", *commands(tree, Path(folder))]
        script.write_text("\n".join(lines) + "\n")
        done = completed(f"filling file system {label}", ["debugfs", "-w", "-f", script, path])
    said = [line for line in done.stderr.splitlines() if line and not line.startswith("debugfs 1.")]
    if said:  # it goes on after an error, and ends with status 0
        raise ImageError(f"filling file system {label}: {'; '.join(said[:5])}")


def commands(tree: Tree, folder: Path) -> Iterator[str]:
    """What debugfs is told. Contents that are not files of this machine are put into `folder`."""
    here = ""
    links: dict[str, int] = {}
    for number, (path, node) in enumerate(tree):
        parent, name = str(PurePosixPath("/") / PurePosixPath(path).parent), PurePosixPath(path).name
        if parent != here:
            here = parent
            yield f"cd {quoted(parent)}"
        quoted_name = quoted(name)
        if node.is_hard_link:
            links[node.target] = links.get(node.target, 1) + 1
            yield f"ln {quoted('/' + node.target)} {quoted_name}"
            continue
        yield from _made(quoted_name, node, folder / str(number))
        if not stat.S_ISLNK(node.mode):
            yield f"sif {quoted_name} mode 0{node.mode:o}"
        if node.user or node.group:
            yield f"sif {quoted_name} uid {node.user}"
            yield f"sif {quoted_name} gid {node.group}"
        if node.time != EPOCH:
            yield f"sif {quoted_name} mtime @{node.time}"
        for attribute, (key, value) in enumerate(node.attributes):
            file = folder / f"{number}-{attribute}"
            file.write_bytes(value)
            yield f"ea_set -f {quoted(str(file))} {quoted_name} {quoted(key)}"
    for target, count in links.items():  # debugfs's ln does not count
        yield f"sif {quoted('/' + target)} links_count {count}"


def _made(name: str, node: Node, file: Path) -> Iterator[str]:
    if stat.S_ISDIR(node.mode):
        yield f"mkdir {name}"
    elif stat.S_ISLNK(node.mode):
        yield f"symlink {name} {quoted(node.target)}"
    elif stat.S_ISREG(node.mode):
        if isinstance(node.content, bytes):
            file.write_bytes(node.content)
            yield f"write {quoted(str(file))} {name}"
        else:
            yield f"write {quoted(str(node.content))} {name}"
    elif stat.S_ISCHR(node.mode) or stat.S_ISBLK(node.mode):
        kind = "c" if stat.S_ISCHR(node.mode) else "b"
        yield f"mknod {name} {kind} {node.device[0]} {node.device[1]}"
    elif stat.S_ISFIFO(node.mode):
        yield f"mknod {name} p"
    else:
        raise ImageError(f"{name} is of a kind that no image holds")


def quoted(text: str) -> str:
    """As debugfs reads a word with anything in it: a quote inside is written twice."""
    return '"' + text.replace('"', '""') + '"'
