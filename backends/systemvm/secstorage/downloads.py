"""Downloads: each on a thread of its own, tried again where it broke off."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Mapping
from typing import Any

from backends.systemvm.secstorage import parts
from backends.systemvm.secstorage.errors import BrokeOff, Stopped, TransferError
from backends.systemvm.secstorage.fetching import fetch, shown
from backends.systemvm.secstorage.packing import BLOCK
from backends.systemvm.secstorage.parts import Finished, Part
from backends.systemvm.secstorage.stores import Stores

ATTEMPTS = 5
"""How often in a row it may break off without that anything came."""
PAUSE = 2.0
"""Seconds before the second attempt; twice as many before each further one."""
MOUNTED_WITHIN = 300.0
"""Seconds within which a store must be there."""
FORGOTTEN_AFTER = 900.0
"""Seconds after which a download that nobody asks about stops: its manager has given it to somebody else, or is gone."""


class Download:
    """One download, of a StartDownload request. `state` is Running, Done, Failed, or Stopped."""

    def __init__(self, request: Mapping[str, Any], stores: Stores, silence: float = 60.0) -> None:
        self.request = request
        self.state = "Running"
        self.reason = ""
        self.done = 0
        self.size = 0
        self.finished: Finished | None = None
        self._stores = stores
        self._silence = silence
        self._url = str(request["url"])
        self._largest: int | None = request.get("largest")
        self._stop = threading.Event()
        self._asked = time.monotonic()
        self._thread = threading.Thread(
            target=self._work, daemon=True, name=f"download {request['transfer_id']}"
        )
        self._thread.start()

    def asked(self) -> None:
        """Somebody wants to know of it."""
        self._asked = time.monotonic()

    @property
    def unasked(self) -> float:
        """Seconds since somebody wanted to know of it."""
        return time.monotonic() - self._asked

    def stop(self, timeout: float = 10.0) -> None:
        """Stop it; what has come stays."""
        self._stop.set()
        self._thread.join(timeout)

    def _look(self) -> None:
        if self._stop.is_set():
            raise Stopped("it was stopped")
        if self.unasked > FORGOTTEN_AFTER:
            raise Stopped("nobody asks about it")

    def _work(self) -> None:
        part: Part | None = None
        try:
            target = self._target()
            if target.exists():
                self.finished = parts.found(
                    target, self.request["format"], self.request.get("checksum"), self._look
                )
            else:
                part = Part(target, self._url)
                self.finished = self._carry(part)
            self.done = self.size = self.finished.size
            self.state = "Done"
        except Stopped as stopped:
            self.state, self.reason = "Stopped", str(stopped)
            if part is not None:
                part.pause()
        except Exception as error:
            self.reason = f"cannot download {shown(self._url)}: {error}"
            if not isinstance(error, TransferError):
                self.reason = f"cannot download {shown(self._url)}: {type(error).__name__}: {error}"
            if part is not None:
                part.remove()
            self.state = "Failed"

    def _target(self) -> Any:
        began = time.monotonic()
        while True:
            try:
                return self._stores.file(self.request["store_url"], self.request["path"])
            except BrokeOff:  # a machine that is restarted has it then
                if time.monotonic() - began > MOUNTED_WITHIN:
                    raise
                self._rest(1)

    def _carry(self, part: Part) -> Finished:
        failures = 0
        while True:
            before = part.done
            try:
                self._attempt(part)
                what = f"what {shown(self._url)} serves"
                return part.finish(
                    self.request["format"], self.request.get("checksum"), self._largest, what, self._look
                )
            except BrokeOff:
                part.pause()
                failures = 1 if part.done > before else failures + 1
                if failures >= ATTEMPTS:
                    raise
                self._rest(failures)

    def _rest(self, failures: int) -> None:
        self._stop.wait(PAUSE * 2 ** (failures - 1))
        self._look()

    def _attempt(self, part: Part) -> None:
        part.close()
        part.open()
        self.done, self.size = part.done, part.size
        if part.size and part.done == part.size:
            return
        allowed = tuple(self.request.get("allowed_networks") or ())
        arriving = fetch(self._url, allowed, part.done, part.validator, self._silence)
        try:
            self._check_size(arriving.size)
            part.begin(arriving.validator, arriving.size, at=arriving.at)
            self.done, self.size = part.done, arriving.size or 0
            while block := _read(arriving.read):
                self._look()
                self._check_size(part.done + len(block))
                part.write(block)
                self.done = part.done
        finally:
            arriving.close()
        if arriving.size is not None and part.done < arriving.size:
            raise BrokeOff(f"it broke off after {part.done} of {arriving.size} bytes")
        if arriving.size is not None and part.done > arriving.size:
            raise TransferError(f"the server sent {part.done} bytes instead of {arriving.size}")

    def _check_size(self, size: int | None) -> None:
        if size is not None and self._largest is not None and size > self._largest:
            raise TransferError(f"it is {size} bytes or more, and no more than {self._largest} are allowed")


def _read(read: Any) -> bytes:
    try:
        found: bytes = read(BLOCK)
        return found
    except TimeoutError as error:
        raise BrokeOff("the server is silent") from error
    except (http.client.HTTPException, OSError) as error:
        raise BrokeOff(str(error) or type(error).__name__) from error
