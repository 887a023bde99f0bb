"""The static files of the proxy's web pages, below /resource/noVNC/ as in CloudStack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PREFIX = "/resource/noVNC/"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}
_PACKAGES = {
    "novnc": "@novnc/novnc",
    "xterm": "@xterm/xterm",
    "addon-fit": "@xterm/addon-fit",
}
"""Folders of the pages, and the packages that they are of."""
_PARTS = ("core/**/*.js", "vendor/**/*.js", "lib/*.mjs", "css/*.css", "LICENSE*")


def gather(ui: Path) -> dict[str, Path]:
    """The pages' files by their names below PREFIX, out of the folder `ui` of the sources after `npm ci` in it.

    Raises FileNotFoundError, naming what to do, where that was not done.
    """
    found = {path.name: path for path in sorted((ui / "console").glob("*.*"))}
    for folder, package in _PACKAGES.items():
        root = ui / "node_modules" / package
        if not root.is_dir():
            raise FileNotFoundError(f"{root} is missing: run make console-assets")
        for pattern in _PARTS:
            found.update({f"{folder}/{path.relative_to(root)}": path for path in sorted(root.glob(pattern))})
    return found


class Pages:
    """Serves files by name. `files` is what `gather` returns, or a folder with that layout."""

    def __init__(self, files: Mapping[str, Path] | Path) -> None:
        if isinstance(files, Path):
            root = files
            files = {str(path.relative_to(root)): path for path in sorted(root.rglob("*")) if path.is_file()}
        self._files = dict(files)
        self._read: dict[str, bytes] = {}

    def find(self, path: str) -> tuple[str, bytes] | None:
        """Media type and content of what is at that path of a URL; None if there is nothing."""
        name = path.removeprefix(PREFIX)
        file = self._files.get(name)
        media = _TYPES.get(Path(name).suffix, "application/octet-stream")
        if file is None or not path.startswith(PREFIX):
            return None
        content = self._read.get(name)
        if content is None:
            content = self._read[name] = file.read_bytes()
        return media, content
