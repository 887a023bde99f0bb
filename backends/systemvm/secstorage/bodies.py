"""What a client sends with a POST: as it is, in chunks, or as the first file of a form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.message import Message
from typing import BinaryIO

from backends.systemvm.secstorage.errors import BrokeOff, TransferError

BLOCK = 1 << 20
_LONGEST_LINE = 8192


class Body:
    """The bytes of a request's body. `size` None: it comes in chunks."""

    def __init__(self, source: BinaryIO, headers: Message | Mapping[str, str]) -> None:
        """Raises TransferError for a body whose end nobody could know."""
        self._source = source
        self._chunked = "chunked" in str(headers.get("Transfer-Encoding", "")).lower()
        length = str(headers.get("Content-Length", ""))
        if not self._chunked and not length.isdigit():
            raise TransferError("Content-Length is missing")
        self.size = None if self._chunked else int(length)
        self.boundary = _boundary(str(headers.get("Content-Type", "")))

    def file(self) -> Iterator[bytes]:
        """What the file holds. Raises BrokeOff if the client went away."""
        pieces = self._chunks() if self._chunked else self._plain()
        return pieces if self.boundary is None else first_file(pieces, self.boundary)

    def _plain(self) -> Iterator[bytes]:
        left = self.size or 0
        while left:
            block = self._source.read(min(BLOCK, left))
            if not block:
                raise BrokeOff(f"the client went away {left} bytes before the end")
            left -= len(block)
            yield block

    def _chunks(self) -> Iterator[bytes]:
        while True:
            line = self._source.readline(_LONGEST_LINE)
            try:
                left = int(line.split(b";")[0].strip(), 16)
            except ValueError:
                raise BrokeOff("the client went away in the middle") from None
            if left == 0:
                while self._source.readline(_LONGEST_LINE).strip():
                    pass
                return
            while left:
                block = self._source.read(min(BLOCK, left))
                if not block:
                    raise BrokeOff("the client went away in the middle")
                left -= len(block)
                yield block
            self._source.readline(_LONGEST_LINE)


def _boundary(content_type: str) -> bytes | None:
    if not content_type.lower().startswith("multipart/form-data"):
        return None
    message = Message()
    message["Content-Type"] = content_type
    found = message.get_param("boundary")
    return found.encode("latin-1") if isinstance(found, str) and found else None


def first_file(pieces: Iterator[bytes], boundary: bytes) -> Iterator[bytes]:
    """The content of the first part of a form that is a file (RFC 7578), whatever the pieces it comes in.

    Raises TransferError if there is none, BrokeOff if it has no end.

    >>> form = b'--x\\r\\nContent-Disposition: form-data; name="f"; filename="a"\\r\\n\\r\\nhello\\r\\n--x--\\r\\n'
    >>> b"".join(first_file((form[n : n + 1] for n in range(len(form))), b"x"))
    b'hello'
    """
    mark = b"\r\n--" + boundary
    held = b"\r\n"  # the first mark has no line before it
    while True:
        held, seen = _until(pieces, held, mark)
        if not seen:
            raise TransferError("the form ends without a file in it")
        held = _more(pieces, held, 2)
        if held.startswith(b"--"):
            raise TransferError("the form has no file in it")
        while b"\r\n\r\n" not in held:
            if len(held) > _LONGEST_LINE:
                raise TransferError("the form is not to be read")
            held = _more(pieces, held, len(held) + 1)
        head, _, held = held.partition(b"\r\n\r\n")
        if b"filename=" in head.lower():
            break
    while True:
        place = held.find(mark)
        if place >= 0:
            yield held[:place]
            for _ in pieces:  # what follows is read, so that the client can be answered
                pass
            return
        safe = len(held) - len(mark)
        if safe > 0:
            yield held[:safe]
            held = held[safe:]
        try:
            held += next(pieces)
        except StopIteration:
            raise BrokeOff("the form ends in the middle of the file") from None


def _until(pieces: Iterator[bytes], held: bytes, mark: bytes) -> tuple[bytes, bool]:
    """What follows the mark, and whether there was one."""
    while True:
        place = held.find(mark)
        if place >= 0:
            return held[place + len(mark) :], True
        held = held[-len(mark) :]
        try:
            held += next(pieces)
        except StopIteration:
            return b"", False


def _more(pieces: Iterator[bytes], held: bytes, length: int) -> bytes:
    while len(held) < length:
        try:
            held += next(pieces)
        except StopIteration:
            raise BrokeOff("the form ends in the middle") from None
    return held
