"""Waiting for what takes time in a browser and in the cloud behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

WITHIN = 60.0
"""Seconds that anything may take on a machine with other work."""


def eventually(look: Callable[[], Any], within: float = WITHIN) -> Any:
    """What `look` returns, as soon as that is something."""
    end = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)
    return found
