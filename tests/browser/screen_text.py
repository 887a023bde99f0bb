"""Reads the text of a PC's text screen off its picture.

The font is learned, not known: a line that the guest printed, of characters known to be there, gives the shapes of these
characters, and by them the rest of the screen is read.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
"""What `learn` must find as a line of its own, printed by the guest."""
COLUMNS, ROWS = 80, 25
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def picture_of(page: Any) -> np.ndarray[Any, Any]:
    """What noVNC shows, in grey: rows of pixels."""
    url = page.evaluate("() => document.querySelector('canvas').toDataURL('image/png')")
    image = Image.open(io.BytesIO(base64.b64decode(url.split(",", 1)[1])))
    return np.asarray(image.convert("L"))


def cells(picture: np.ndarray[Any, Any]) -> list[list[bytes]]:
    """The shapes of the 80 x 25 characters: which pixels are lit."""
    height, width = picture.shape
    assert width % COLUMNS == 0 and height % ROWS == 0, f"a picture of {width} x {height} is no text screen"
    lit = picture > 64
    tall, wide = height // ROWS, width // COLUMNS
    return [
        [lit[r * tall : (r + 1) * tall, c * wide : (c + 1) * wide].tobytes() for c in range(COLUMNS)]
        for r in range(ROWS)
    ]


class Font:
    """Shapes of characters."""

    def __init__(self, shapes: dict[bytes, str]) -> None:
        self._shapes = shapes

    @classmethod
    def learn(cls, picture: np.ndarray[Any, Any]) -> Font | None:
        """From a screen on which ALPHABET stands alone on a line; None where it does not."""
        for row in cells(picture):
            blank = row[-1]
            said, rest = row[: len(ALPHABET)], row[len(ALPHABET) :]
            if len(set(said) - {blank}) == len(ALPHABET) and set(rest) == {blank}:
                return cls({**dict(zip(said, ALPHABET, strict=True)), blank: " "})
        return None

    def read(self, picture: np.ndarray[Any, Any]) -> list[str]:
        """The screen's lines, without the blanks at their ends."""
        return [line.rstrip() for line in self._lines(picture)]

    def _lines(self, picture: np.ndarray[Any, Any]) -> Iterator[str]:
        for row in cells(picture):
            yield "".join(self._shapes.get(cell, UNKNOWN) for cell in row)
