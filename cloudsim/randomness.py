"""The one source of chance: a tree of seeded generators, ids included.

Every part of a cloud that needs chance asks for a named branch, so that adding a draw in one part
never shifts the numbers of another: same seed, same scenario, same run.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

_BLOCK = 4096


class Randomness:
    """A branch of the seeded tree (`numpy.random.SeedSequence`, PCG64).

    `seed` is any non-negative integer. `secret_source`, where given, supplies the bytes of
    credentials instead of the seeded stream: a real server passes the operating system's.
    """

    def __init__(
        self,
        seed: int | np.random.SeedSequence,
        *,
        secret_source: Callable[[int], bytes] | None = None,
    ) -> None:
        self._sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        self.generator = np.random.Generator(np.random.PCG64(self._sequence))
        self._secret_source = secret_source
        self._id_generator = np.random.Generator(np.random.PCG64(self._child("ids")))
        self._hex = ""
        self._position = 0

    @property
    def seed(self) -> int:
        """What the whole tree grew from."""
        entropy = self._sequence.entropy
        assert isinstance(entropy, int)
        return entropy

    def _child(self, name: str) -> np.random.SeedSequence:
        key = (*self._sequence.spawn_key, zlib.crc32(name.encode()))
        return np.random.SeedSequence(self._sequence.entropy, spawn_key=key)

    def branch(self, name: str) -> Randomness:
        """The independent branch called `name`; the same name gives the same branch again."""
        return Randomness(self._child(name), secret_source=self._secret_source)

    def uuid(self) -> str:
        """A random (version 4) UUID in its usual text form, drawn from this branch."""
        position = self._position
        if position >= len(self._hex):
            self._hex = self._id_generator.bytes(_BLOCK).hex()
            position = 0
        self._position = position + 32
        h = self._hex[position : position + 32]
        variant = "89ab"[int(h[16], 16) & 3]
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{variant}{h[17:20]}-{h[20:]}"

    def secret(self, size: int) -> bytes:
        """`size` bytes for a credential."""
        if self._secret_source is not None:
            return self._secret_source(size)
        return self._id_generator.bytes(size)
