"""What can go wrong while an image is built."""

from __future__ import annotations


class ImageError(Exception):
    """The image cannot be built; the text says why, and where it can what to do about it."""
