"""Ports for programs that must be told theirs before they listen, and that may listen there again later.

A port that the kernel gave to a probe is no such thing: a moment later it may be the near end of any connection of this
machine, or be given to the next who asks. These are outside of the range that the kernel gives from, and each process
of the tests takes them from a place of its own.
"""

from __future__ import annotations

import itertools
import os
import socket

_FIRST, _LAST = 20_000, 31_999
_STRIDE = 97
"""Between neighbouring processes; it has no factor in common with the range's size."""
_SIZE = _LAST - _FIRST + 1
_numbers = itertools.count(os.getpid() * _STRIDE)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """At 127.0.0.1; every call has another answer, until all have been given."""
    for number in itertools.islice(_numbers, _SIZE):
        port = _FIRST + number % _SIZE
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError(f"no port of {_FIRST} to {_LAST} is free")
