from __future__ import annotations

import struct
import zlib

import pytest

from backends.libvirt.screenshot import as_png
from cloudsim.hypervisor import HypervisorError


def test_a_picture_in_ppm_becomes_png() -> None:
    red, green = b"\xff\0\0", b"\0\xff\0"
    png = as_png(b"P6\n# a comment\n2 1\n255\n" + red + green)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at = png.index(b"IHDR") + 4
    assert struct.unpack(">IIBBBBB", png[at : at + 13]) == (2, 1, 8, 2, 0, 0, 0)
    start = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[start - 4 : start])
    assert zlib.decompress(png[start + 4 : start + 4 + length]) == b"\0" + red + green
    assert struct.unpack(">I", png[start + 4 + length :][:4])[0] == zlib.crc32(
        png[start : start + 4 + length]
    )


def test_png_stays_as_it_is() -> None:
    assert as_png(b"\x89PNG\r\n\x1a\nanything") == b"\x89PNG\r\n\x1a\nanything"


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (b"", "no known format"),
        (b"P5\n2 1\n255\nab", "no known format"),
        (b"P6\n2 2\n255\nab", "cut off after 2 bytes"),
    ],
)
def test_what_is_no_picture_is_refused(picture: bytes, reason: str) -> None:
    with pytest.raises(HypervisorError, match=reason):
        as_png(picture)
