"""The instances of a host as their last StartCommand described them, kept in files: libvirt does not know all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from backends.private_files import write_private
from cloudsim.protocol.specs import VmSpec

_STARTING = ".starting"
"""Ending of the empty file beside the spec of an instance that is being started."""

_decoder = msgspec.json.Decoder(VmSpec)


class KeptSpecs:
    """One private file for each instance in `folder`, written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    def get(self, name: str) -> VmSpec | None:
        """The spec of that instance; None if it is not kept, or its file is damaged."""
        try:
            return _decoder.decode(self._path(name).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def put(self, vm: VmSpec) -> None:
        write_private(self._path(vm.name), msgspec.json.encode(vm))

    def remove(self, name: str) -> None:
        self.started(name)
        self._path(name).unlink(missing_ok=True)

    def starting(self, vm: VmSpec) -> None:
        """Keep the spec of an instance that is about to be started, until `started` or `remove`."""
        self._path(vm.name).with_suffix(_STARTING).touch(0o600)
        self.put(vm)

    def started(self, name: str) -> None:
        """It runs."""
        self._path(name).with_suffix(_STARTING).unlink(missing_ok=True)

    def unfinished(self) -> list[str]:
        """The names of those whose start was begun and did not get to its end."""
        return sorted(path.stem for path in self._folder.glob(f"*{_STARTING}"))

    def __iter__(self) -> Iterator[VmSpec]:
        for path in sorted(self._folder.glob("*.json")):
            spec = self.get(path.stem)
            if spec is not None:
                yield spec

    def _path(self, name: str) -> Path:
        if not name or "/" in name or name.startswith("."):
            raise ValueError(f"{name!r} is no name of an instance")
        return self._folder / f"{name}.json"
