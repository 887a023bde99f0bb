"""What a guest cannot do."""

from __future__ import annotations


class GuestError(Exception):
    """It could not be done; the text says what and why, and becomes the reply's `error`."""
