"""Debian's Python as an image's: the interpreter, and the standard library compiled."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from backends.images.programs import add_libraries, library_path, loader_of
from backends.images.tools import run
from backends.images.tree import Tree

PACKAGES = ("python3.11-minimal", "libpython3.11-stdlib")
INTERPRETER = "usr/bin/python3.11"
LIBRARY = "usr/lib/python3.11"
_LEFT_OUT = frozenset(
    {
        *("config-3.11-x86_64-linux-gnu", "curses", "dbm", "distutils", "ensurepip", "idlelib", "lib2to3"),
        *("pydoc_data", "sqlite3", "test", "tkinter", "turtledemo", "unittest", "venv", "wsgiref", "xmlrpc"),
        "__pycache__",
    }
)
_MODULES_LEFT_OUT = (
    *(
        "_codecs_",
        "_curses",
        "_dbm",
        "_test",
        "_tkinter",
        "_xxtest",
        "audioop",
        "nis",
        "ossaudio",
        "readline",
    ),
)
_COMPILE = """
import py_compile, sys
for line in sys.stdin:
    source, target, shown = line.rstrip("\\n").split("\\t")
    py_compile.compile(source, target, shown, True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""


def add_python(tree: Tree, material: Path, work: Path) -> None:
    """The interpreter (also as python3) and what of its library a service may need. `work` is a folder for compiling."""
    tree.file(INTERPRETER, material / INTERPRETER, 0o755)
    tree.link("usr/bin/python3", "python3.11")
    library = material / LIBRARY
    extensions = [
        path
        for path in sorted((library / "lib-dynload").glob("*.so"))
        if not path.name.startswith(_MODULES_LEFT_OUT)
    ]
    for path in extensions:
        tree.file(f"{LIBRARY}/lib-dynload/{path.name}", path, 0o755)
    add_libraries(tree, material, [material / INTERPRETER, *extensions])
    sources = [
        path for path in sorted(library.rglob("*.py")) if not _LEFT_OUT & set(path.relative_to(library).parts)
    ]
    # The library without its sources: a module is then one file, found at the first look.
    places = {path: f"{LIBRARY}/{path.relative_to(library)}c" for path in sources}
    _add_compiled(tree, material, work / "library", places)


def add_package(tree: Tree, material: Path, work: Path, files: Iterable[tuple[Path, str]]) -> None:
    """Python sources at these places of the image, each with what it is compiled to beside it."""
    places = {}
    for source, place in files:
        tree.file(place, source)
        if source.suffix == ".py":
            at = Path(place)
            places[source] = f"{at.parent}/__pycache__/{at.stem}.cpython-311.pyc"
    _add_compiled(tree, material, work / "packages", places)


def _add_compiled(tree: Tree, material: Path, work: Path, places: dict[Path, str]) -> None:
    """Compiled by the image's own interpreter, all in one process and in one order: the bytes are always the same."""
    orders, results = [], []
    for source, place in sorted(places.items(), key=lambda item: item[1]):
        target = work / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shown = (
            place.removesuffix("c")
            if "__pycache__" not in place
            else f"{Path(place).parents[1]}/{source.name}"
        )
        orders.append(f"{source}\t{target}\t/{shown}\n")
        results.append((place, target))
    command: list[str | Path] = [
        loader_of(material),
        "--inhibit-cache",
        "--library-path",
        library_path(material),
    ]
    command += [material / INTERPRETER, "-S", "-s", "-c", _COMPILE]
    home = {"PYTHONHOME": str(material / "usr"), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    run("compiling Python's library", command, text="".join(orders), extra=home)
    for place, target in results:
        tree.file(place, target)
