"""Uploads: what somebody may send, and what comes of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from backends.systemvm.secstorage.errors import BrokeOff, Stopped, TransferError
from backends.systemvm.secstorage.parts import Finished, Part
from backends.systemvm.secstorage.stores import Stores


class Upload:
    """One that is expected, of an ExpectUpload request. `state` is Published, Running, Done or Failed."""

    def __init__(self, request: Mapping[str, Any], stores: Stores) -> None:
        self.request = request
        self.state = "Published"
        self.reason = ""
        self.done = 0
        self.size = 0
        self.finished: Finished | None = None
        self._stores = stores
        self._stopped = False
        self._lock = threading.Lock()

    def begin(self) -> bool:
        """Whether whoever asks may send now: one at a time, and once."""
        with self._lock:
            if self.state != "Published":
                return False
            self.state = "Running"
            return True

    def take(self, blocks: Iterator[bytes], size: int | None) -> None:
        """Take what is sent, after `begin`. Raises BrokeOff if it may be sent again, TransferError if not."""
        part: Part | None = None
        largest: int | None = self.request.get("largest")
        try:
            target = self._stores.file(self.request["store_url"], self.request["path"])
            part = Part(target, f"upload {self.request['transfer_id']}")
            self._check_size(size, largest)
            part.open()
            part.begin("", size, at=0)
            self.size = size or 0
            for block in blocks:
                self._look()
                self._check_size(part.done + len(block), largest)
                part.write(block)
                self.done = part.done
            what = "what was sent"
            self.finished = part.finish(
                self.request["format"], self.request.get("checksum"), largest, what, self._look
            )
            self.done = self.size = self.finished.size
            self.state = "Done"
        except (BrokeOff, Stopped, OSError) as error:
            if part is not None:
                part.remove()
            self.state, self.done = "Published", 0
            raise BrokeOff(str(error)) from error
        except Exception as error:
            if part is not None:
                part.remove()
            self.reason, self.state = str(error), "Failed"
            raise

    def stop(self) -> None:
        """Nobody wants it any more."""
        self._stopped = True

    def _look(self) -> None:
        if self._stopped:
            raise Stopped("it was cancelled")

    def _check_size(self, size: int | None, largest: int | None) -> None:
        if size is not None and largest is not None and size > largest:
            raise TransferError(f"{size} bytes or more are sent, and no more than {largest} are allowed")

    @property
    def late(self) -> float:
        """Seconds since it was too late to begin."""
        return time.time() - float(self.request["expires"])
