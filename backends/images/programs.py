"""Programs out of unpacked packages, with the libraries that their loader wants."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from backends.images.errors import ImageError
from backends.images.tools import run
from backends.images.tree import Tree

LOADER = "lib64/ld-linux-x86-64.so.2"
_FOLDERS = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib/ipsec")


def first(folder: Path, *names: str) -> Path:
    """The first of these files that is there. Raises ImageError."""
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise ImageError(f"the packages hold no {names[0]}")


def add_programs(tree: Tree, material: Path, programs: Iterable[str]) -> None:
    """Put these files (paths in the packages) where they are there, and their libraries into lib."""
    paths = [material / name for name in programs]
    for name, path in zip(programs, paths, strict=True):
        if not path.is_file():
            raise ImageError(f"the packages hold no {name}")
        tree.file(name, path.resolve(), 0o755)
    add_libraries(tree, material, paths)


def add_libraries(tree: Tree, material: Path, files: Iterable[Path]) -> None:
    """The loader, and all libraries that these programs or libraries need, which must be in the packages."""
    loader = loader_of(material)
    for file in files:
        for name, found in re.findall(r"^\s*(\S+) => (\S+)", _listed(loader, material, file), re.MULTILINE):
            if name.startswith("/"):  # the loader itself
                continue
            if not Path(found).is_relative_to(material):
                raise ImageError(f"{file.name} needs {name}, which is in none of its packages")
            tree.file(f"lib/{name}", Path(found).resolve(), 0o755)
    tree.file(LOADER, loader.resolve(), 0o755)


def loader_of(material: Path) -> Path:
    return first(material, LOADER, f"usr/{LOADER}")


def library_path(material: Path) -> str:
    return ":".join(str(material / folder) for folder in _FOLDERS)


def _listed(loader: Path, material: Path, file: Path) -> str:
    command: list[str | Path] = [
        loader,
        "--inhibit-cache",
        "--library-path",
        library_path(material),
        "--list",
        file,
    ]
    return run(f"looking for the libraries of {file.name}", command)
