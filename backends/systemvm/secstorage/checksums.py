"""Checksums as the API writes them: "{SHA-256}" and hexadecimal digits, or the digits alone, whose number tells."""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

ALGORITHMS = {"MD5": 32, "SHA-1": 40, "SHA-224": 56, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128}
"""Name, and number of hexadecimal digits."""
_TEXT = re.compile(r"(?:\{([^}]*)\})?\s*([0-9A-Fa-f]+)")

USUAL = "SHA-256"
"""Used where nobody asked for another."""


class Checksum(NamedTuple):
    """`digits` in lower case. As text it names its algorithm."""

    algorithm: str
    digits: str

    def __str__(self) -> str:
        return f"{{{self.algorithm}}}{self.digits}"


def parsed(text: str) -> Checksum:
    """Raises ValueError for what is no checksum, or one of an unknown kind."""
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no checksum")
    digits = match[2].lower()
    for algorithm, length in ALGORITHMS.items():
        wanted = match[1] is None or match[1].upper().replace("-", "") == algorithm.replace("-", "")
        if wanted and len(digits) == length:
            return Checksum(algorithm, digits)
    raise ValueError(f"{text!r} is no checksum of a known kind: {', '.join(ALGORITHMS)}")


def hasher(algorithm: str) -> Any:
    """A hashlib object. They tell whether a file is the one that was meant, so that MD5 is as good as its sender."""
    return hashlib.new(algorithm.replace("-", ""), usedforsecurity=False)
