"""The disks that were made for instances that are to arrive here with their storage, and have not yet."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

_decoder = msgspec.json.Decoder(dict[str, int])


class MadeDisks:
    """One file for each such instance in `folder`, so that an agent that is restarted can still clear up.

    Its methods block, and raise OSError.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    def note(self, name: str, disks: dict[Path, int]) -> None:
        """The disks, and when each was last written to (`st_mtime_ns`), before they get their names."""
        new = self._path(name).with_suffix(".new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode({str(path): written for path, written in disks.items()}))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path(name))

    def names(self) -> list[str]:
        """The instances that are still awaited."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def arrived(self, name: str) -> None:
        """The instance runs here, and its disks stay."""
        self._path(name).unlink(missing_ok=True)

    def remove(self, name: str, written_too: bool) -> list[str]:
        """The instance did not arrive. Returns the disks that were left, since something has been written to
        them.

        Only who knows for certain that the instance never ran here may remove those: they may be all that
        there is.
        """
        try:
            disks = _decoder.decode(self._path(name).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            disks = {}
        left = []
        for disk, written in disks.items():
            path = Path(disk)
            if not path.exists():
                continue
            if written_too or path.stat().st_mtime_ns == written:
                path.unlink()
            else:
                left.append(disk)
        self.arrived(name)
        return left

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
