"""Image stores as the VM has them: folders that the host mounted into it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from backends.systemvm.secstorage.errors import BrokeOff, TransferError


class Stores:
    """Where each image store is, by its URL: read from a file that changes when stores come and go."""

    def __init__(self, table: Path) -> None:
        self._table = table

    def file(self, store_url: str, path: str) -> Path:
        """Where a file of the store is, or is to be. Raises TransferError for what leads out of the store."""
        folder = self.folder(store_url)
        found = Path(os.path.normpath(folder / path.lstrip("/")))
        if "\0" in path or found == folder or not found.is_relative_to(folder):
            raise TransferError(f"{path!r} is no file in secondary storage {store_url}")
        real = Path(os.path.realpath(found))
        if not real.is_relative_to(os.path.realpath(folder)):
            raise TransferError(f"{path!r} leads out of secondary storage {store_url}")
        return found

    def folder(self, store_url: str) -> Path:
        """Where the store is mounted. Raises BrokeOff while it is not."""
        try:
            table = json.loads(self._table.read_text())
        except FileNotFoundError:
            table = {}
        except ValueError as error:
            raise BrokeOff(f"{self._table} is not to be read: {error}") from error
        named = table.get(store_url) or table.get(store_url.rstrip("/"))
        if not named or not os.path.isdir(named):
            raise BrokeOff(f"secondary storage {store_url} is not mounted in this machine")
        return Path(os.path.normpath(named))
