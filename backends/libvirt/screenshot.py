"""A picture of an instance's screen, as PNG whatever the hypervisor makes."""

from __future__ import annotations

import re
import struct
import zlib
from typing import Any

from cloudsim.hypervisor import HypervisorError

PNG = b"\x89PNG\r\n\x1a\n"

_PPM = re.compile(rb"P6\s+(?:#[^\n]*\n\s*)*(\d+)\s+(\d+)\s+(\d+)\s")


def take(domain: Any) -> bytes:
    """The running domain's first screen. Blocks. Raises libvirtError, HypervisorError."""
    stream = domain.connect().newStream()
    parts: list[bytes] = []
    try:
        domain.screenshot(stream, 0)
        stream.recvAll(lambda _stream, data, _opaque: parts.append(data), None)
    except BaseException:
        stream.abort()
        raise
    stream.finish()
    return as_png(b"".join(parts))


def as_png(picture: bytes) -> bytes:
    """QEMU before 7.1 knows only the binary PPM format: its lines of red, green, blue bytes become a PNG's.

    Raises HypervisorError for what is neither.
    """
    if picture.startswith(PNG):
        return picture
    header = _PPM.match(picture)
    if header is None or header[3] != b"255":
        raise HypervisorError(f"the screenshot is in no known format: it begins with {picture[:12]!r}")
    width, height = int(header[1]), int(header[2])
    pixels = memoryview(picture)[header.end() :]
    line = 3 * width
    if len(pixels) < line * height:
        raise HypervisorError(f"the screenshot of {width} x {height} is cut off after {len(pixels)} bytes")
    rows = b"".join(b"\0" + bytes(pixels[row * line : (row + 1) * line]) for row in range(height))
    return PNG + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(rows)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    """PNG (RFC 2083), section 3.2: length, type, data, CRC of type and data."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
