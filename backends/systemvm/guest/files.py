"""A plan's files: all below one folder, changed together, and put back where the programs refuse them."""

from __future__ import annotations

import os
from pathlib import Path

from backends.systemvm.guest.errors import GuestError


def checked(path: str, root: Path) -> Path:
    """The path, if it is a plain one below `root`. Raises GuestError."""
    found = Path(path)
    if not found.is_absolute() or ".." in found.parts or root not in found.parents:
        raise GuestError(f"file {path} is not below {root}")
    return found


def write(path: Path, content: str, mode: int) -> None:
    """Replace it whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        os.fchmod(descriptor, mode)
    new.replace(path)


class Files:
    """The change from the files of one plan to those of the next."""

    def __init__(self, root: Path, files: dict[str, str], secret: dict[str, str], before: set[str]) -> None:
        """`before` are the paths of the plan in force: what of them is not wanted any more goes."""
        self._wanted = {checked(path, root): (content, 0o644) for path, content in files.items()}
        self._wanted |= {checked(path, root): (content, 0o600) for path, content in secret.items()}
        self._gone = {checked(path, root) for path in before} - self._wanted.keys()
        self._old: dict[Path, str | None] = {}

    def put(self) -> set[str]:
        """Write them; the paths of those that changed."""
        for path, (content, mode) in self._wanted.items():
            old = _read(path)
            if old != content or path.stat().st_mode & 0o777 != mode:
                self._old[path] = old
                write(path, content, mode)
        return {str(path) for path in self._old}

    def put_back(self) -> None:
        """As it was before `put`."""
        for path, content in self._old.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                write(path, content, self._wanted[path][1])

    def remove_old(self) -> None:
        """Once the plan is in force: remove what it has no more."""
        for path in self._gone:
            path.unlink(missing_ok=True)


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return None
