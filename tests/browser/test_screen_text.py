"""Reading a text screen, on pictures that are drawn here."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.browser.screen_text import ALPHABET, UNKNOWN, Font


def drawn(*lines: str) -> np.ndarray[Any, Any]:
    """A picture of 720 x 400 with these lines from the top."""
    image, font = Image.new("L", (720, 400)), ImageFont.load_default_imagefont()
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            draw.text((9 * column + 1, 16 * row + 2), character, fill=170, font=font)
    return np.asarray(image)


def test_a_screen_is_read_by_the_shapes_of_a_line_that_is_known() -> None:
    font = Font.learn(drawn("web login: root", ALPHABET, "and more"))
    assert font is not None
    lines = font.read(drawn("expr 6 x 7", "42", "", "Done."))
    assert lines[:4] == ["expr 6 x 7", "42", "", f"{UNKNOWN}one{UNKNOWN}"] and len(lines) == 25


def test_without_that_line_nothing_is_learned() -> None:
    assert Font.learn(drawn(f"echo {ALPHABET}", ALPHABET + "x", ALPHABET[:-1])) is None
