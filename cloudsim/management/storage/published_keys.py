"""Keys that open one door once: what a signed URL, or an upload, proves itself with."""

from __future__ import annotations

import hashlib

from cloudsim.randomness import Randomness

SIZE = 32


def new_key(randomness: Randomness) -> tuple[str, str]:
    """A key as text, and the SHA-256 sum (hex) that is all who checks it needs to know."""
    key = randomness.secret(SIZE).hex()
    return key, hashlib.sha256(key.encode()).hexdigest()
