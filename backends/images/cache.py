"""Built images, kept in a folder by what they were made of.

Any number of builders may share the folder, and may be killed at any time: one at a time builds an image, in
a folder of its own that the next one empties, and a finished image takes its name in one step.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from backends.images.errors import ImageError


def fingerprint(inputs: object) -> str:
    """A name for what an image is made of: equal inputs (anything that JSON can hold) have equal names."""
    return hashlib.sha256(msgspec.json.encode(inputs, order="deterministic")).hexdigest()[:16]


def builder_hash(folder: Path) -> str:
    """A hash of the files below a builder's folder and of the modules beside it, which all builders share.

    The builder itself is an input of what it builds.
    """
    found = hashlib.sha256()
    for file in sorted([*folder.parent.glob("*.py"), *folder.rglob("*")]):
        if file.is_file() and "__pycache__" not in file.parts:
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            found.update(f"{file.relative_to(folder.parent)} {content}\n".encode())
    return found.hexdigest()


def default_folder() -> Path:
    """Where images are kept if nobody says otherwise: in the user's cache (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "cloudsim" / "images"


class ImageCache:
    """Images in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def image(self, name: str, build: Callable[[Path], Path]) -> Path:
        """The image of this name, read-only. Where there is none, `build` makes it, in the folder it gets."""
        path = self.folder / f"{name}.qcow2"
        if path.is_file():
            return path
        with self._locked(name):
            if path.is_file():  # another builder was here first
                return path
            work = self.folder / f"{name}.work"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            try:
                built = build(work)
                built.chmod(0o444)
                with built.open("rb") as file:
                    os.fsync(file.fileno())
                built.replace(path)
            finally:
                shutil.rmtree(work, ignore_errors=True)
        return path

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Only one builder at a time; the lock goes with its process."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / f"{name}.lock").open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise ImageError(f"the image cache {self.folder} cannot be used: {error}") from error


def copy_out(image: Path, out: Path) -> Path:
    """A copy of a cached image under a name of the caller's choice, complete or not there at all."""
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(image, part)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ImageError(f"{out} cannot be written: {error}") from error
    return out
