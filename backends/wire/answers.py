"""The agent's journal of answers in a file: what was begun, what was answered, up to where it may be forgotten.

Each line is a group of records that was made durable at once: its CRC-32, and a JSON array.

    3f1c...  [{"format":1}]
    90ab...  [{"forget":6},{"begun":7},{"Response":{"sequence":5,...}}]

The next group is written only when the one before is on the disk, so that a crash can tear the last line and no other.
"""

from __future__ import annotations

import asyncio
import logging
import os
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from backends.private_files import private_folder, write_private
from cloudsim.protocol.codec import MalformedMessage, decode, encode
from cloudsim.protocol.messages import Request, Response

log = logging.getLogger(__name__)

FORMAT = 1
COMPACT_AT = 2**20
"""Bytes from which on the file is written anew, without what is forgotten, each time it has doubled."""

Batch = list[tuple[bytes, asyncio.Future[None] | None]]
"""Records to write, and who waits for each."""

_records = msgspec.json.Decoder(list[msgspec.Raw])
_record = msgspec.json.Decoder(dict[str, msgspec.Raw])


class JournalDamaged(Exception):
    """The file is not what a journal can be, even after a crash. Its agent must not guess what it has done."""


class JournalState:
    """What a journal says: answers by number, and numbers that were begun and not answered."""

    def __init__(self) -> None:
        self.answers: dict[int, Response] = {}
        self.begun: set[int] = set()
        self.forgotten = 0

    def begin(self, sequence: int) -> None:
        if sequence not in self.answers:
            self.begun.add(sequence)

    def answer(self, response: Response) -> None:
        self.answers[response.sequence] = response
        self.begun.discard(response.sequence)

    def forget(self, answered: int) -> None:
        self.forgotten = max(self.forgotten, answered)
        for sequence in [n for n in self.answers if n <= answered]:
            del self.answers[sequence]
        self.begun = {n for n in self.begun if n > answered}

    def records(self) -> list[bytes]:
        """The shortest journal that says this."""
        return [
            *(_note("begun", n) for n in sorted(self.begun)),
            *(encode(self.answers[n]) for n in sorted(self.answers)),
        ]


def read_journal(data: bytes, source: object = "journal") -> JournalState:
    """What the bytes of a journal say; a last line that is torn is as if it had never been. Raises JournalDamaged."""
    state = JournalState()
    lines = data.split(b"\n")
    for number, line in enumerate(lines[:-1], 1):
        payload = _intact(line)
        if payload is not None:
            _apply(payload, state, f"{source}, line {number}")
        elif any(lines[number:]):
            raise JournalDamaged(f"{source}, line {number}: the checksum is wrong, and more follows")
    return state


def group(records: Iterable[bytes]) -> bytes:
    """The line for records that become durable together."""
    payload = b"[" + b",".join(records) + b"]"
    return b"%08x %s\n" % (zlib.crc32(payload), payload)


class FileAnswerJournal:
    """Implements `cloudsim.agent.journal.AnswerJournal`; the file's folder is made if it is missing.

    Used on one event loop, but for `close`. Those that wait at one time share one write and one fdatasync, on a worker
    thread. When the disk fails it notes nothing more: `begun` and `answered` raise that OSError from then on, and
    `on_failure` is called with it. Raises OSError or JournalDamaged when it is made.
    """

    def __init__(
        self,
        path: Path,
        *,
        compact_at: int = COMPACT_AT,
        on_failure: Callable[[OSError], None] = lambda error: None,
    ) -> None:
        self.path = path
        self.on_failure = on_failure
        self.failure: OSError | None = None
        self._compact_at = compact_at
        private_folder(path.parent)
        self._state = read_journal(path.read_bytes(), path) if path.exists() else JournalState()
        self._told = False
        self._waiting: Batch = []
        self._flushing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "answers")
        self._file = -1
        self._size = self._next_compaction = 0
        self._rewrite(self._state.records())  # also takes a torn line away

    def recall(self) -> tuple[dict[int, Response], set[int]]:
        """The answers given and not forgotten, in the order of their numbers, and the numbers begun but not answered.

        What is being noted meanwhile counts, and is on the disk when this returns.
        """
        self._settle()
        answers = self._state.answers
        return {n: answers[n] for n in sorted(answers)}, set(self._state.begun)

    async def begun(self, request: Request) -> None:
        """Note that the request is going to be worked on; durable when this returns."""
        self._state.begin(request.sequence)
        await self._note(_note("begun", request.sequence))

    async def answered(self, response: Response) -> None:
        """Note the answer; durable when this returns."""
        self._state.answer(response)
        await self._note(encode(response))

    def forget(self, answered: int) -> None:
        """The manager has all answers up to that number. Written along with the next note: it may get lost."""
        if answered > self._state.forgotten:
            self._state.forget(answered)
            self._waiting.append((_note("forget", answered), None))

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        self._settle()
        self._thread.shutdown()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    async def _note(self, record: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[None] = loop.create_future()
        self._waiting.append((record, durable))
        if self._flushing is None or self._flushing.done():
            self._flushing = loop.create_task(self._flush())
        await durable

    async def _flush(self) -> None:
        """Write group after group until nobody waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, work = self._take()
            try:
                await loop.run_in_executor(self._thread, self._once, work)
            except OSError as error:
                self._resolve(batch, error)
            else:
                self._resolve(batch, None)

    def _settle(self) -> None:
        """Have all that waits written, before anything else happens on the loop."""
        self._thread.submit(lambda: None).result()  # what is being written now
        if self._waiting:
            batch, work = self._take()
            try:
                self._thread.submit(self._once, work).result()
            except OSError as error:
                self._resolve(batch, error)
            else:
                self._resolve(batch, None)

    def _take(self) -> tuple[Batch, Callable[[], None]]:
        """What waits, and how it is to be written."""
        batch, self._waiting = self._waiting, []
        if self._size >= self._next_compaction:
            records = self._state.records()  # those of the batch are in it
            return batch, lambda: self._rewrite(records)
        line = group(record for record, _ in batch)
        return batch, lambda: self._append(line)

    def _resolve(self, batch: Batch, error: OSError | None) -> None:
        for _, durable in batch:
            if durable is not None and not durable.done():
                if error is None:
                    durable.set_result(None)
                else:
                    durable.set_exception(error)
        if error is not None and not self._told:
            self._told = True
            log.error("%s cannot be written: %s", self.path, error)
            self.on_failure(error)

    # on the worker thread

    def _once(self, work: Callable[[], None]) -> None:
        """After a failed write or sync nobody knows what is on the disk: no more is put after it."""
        if self.failure is not None:
            raise self.failure
        try:
            work()
        except OSError as error:
            self.failure = error
            raise

    def _append(self, line: bytes) -> None:
        written = 0
        while written < len(line):
            written += os.write(self._file, line[written:])
        os.fdatasync(self._file)
        self._size += len(line)

    def _rewrite(self, records: list[bytes]) -> None:
        data = group([_note("format", FORMAT), *records])
        write_private(self.path, data)
        if self._file >= 0:
            os.close(self._file)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._size = len(data)
        self._next_compaction = max(self._compact_at, 2 * self._size)


def _note(name: str, number: int) -> bytes:
    return b'{"%s":%d}' % (name.encode(), number)


def _intact(line: bytes) -> bytes | None:
    """The line without its checksum; None if they do not agree."""
    checksum, _, payload = line.partition(b" ")
    return payload if checksum == b"%08x" % zlib.crc32(payload) else None


def _apply(payload: bytes, state: JournalState, where: str) -> None:
    try:
        for raw in _records.decode(payload):
            ((name, value),) = _record.decode(raw).items()
            if name == "Response":
                _apply_answer(bytes(raw), value, state, where)
            else:
                _apply_number(name, msgspec.json.decode(value, type=int), state)
    except (msgspec.DecodeError, ValueError, KeyError) as error:
        raise JournalDamaged(f"{where}: {error}") from error


def _apply_number(name: str, number: int, state: JournalState) -> None:
    if name == "begun":
        state.begin(number)
    elif name == "forget":
        state.forget(number)
    elif name != "format" or number != FORMAT:
        raise ValueError(f"unknown record {name} {number}")


def _apply_answer(raw: bytes, value: Any, state: JournalState, where: str) -> None:
    try:
        message = decode(raw)
    except MalformedMessage as error:
        # Another version's: that the command was begun still stands, and that is what is told of it.
        log.warning("%s: an answer of another version is left out: %s", where, error)
        return
    assert isinstance(message, Response)
    state.answer(message)
