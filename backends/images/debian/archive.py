"""A tree from a tar archive, as mmdebstrap writes a system's files."""

from __future__ import annotations

import shutil
import stat
import tarfile
from pathlib import Path

from backends.images.tree import Content, Node, Tree

_KINDS = {
    tarfile.DIRTYPE: stat.S_IFDIR,
    tarfile.SYMTYPE: stat.S_IFLNK,
    tarfile.FIFOTYPE: stat.S_IFIFO,
    tarfile.CHRTYPE: stat.S_IFCHR,
    tarfile.BLKTYPE: stat.S_IFBLK,
}
_ATTRIBUTE = "SCHILY.xattr."


def read_archive(path: Path, folder: Path) -> Tree:
    """The archive's tree; contents of files are put into `folder`.

    What is in dev/ is left out: the kernel makes it.
    """
    tree = Tree()
    folder.mkdir()
    with tarfile.open(path) as archive:
        for number, member in enumerate(archive):
            name = member.name.removeprefix("./").strip("/")
            if name in ("", ".") or name.startswith("dev/"):
                continue
            content: Content = b""
            if member.isreg():
                content = folder / str(number)
                source = archive.extractfile(member)
                assert source is not None
                with source, content.open("wb") as file:
                    shutil.copyfileobj(source, file)
            tree.add(name, _node(member, content))
    return tree


def _node(member: tarfile.TarInfo, content: Content) -> Node:
    attributes = tuple(
        (key.removeprefix(_ATTRIBUTE), value.encode("utf-8", "surrogateescape"))
        for key, value in sorted(member.pax_headers.items())
        if key.startswith(_ATTRIBUTE)
    )
    target = ""
    if member.issym():
        target = member.linkname
    elif member.islnk():
        target = member.linkname.removeprefix("./")
    return Node(
        mode=_KINDS.get(member.type, stat.S_IFREG) | member.mode,
        content=content,
        target=target,
        user=member.uid,
        group=member.gid,
        device=(member.devmajor, member.devminor) if member.isdev() else (0, 0),
        attributes=attributes,
        time=int(member.mtime),
    )
