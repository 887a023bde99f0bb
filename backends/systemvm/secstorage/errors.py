"""What can go wrong with a transfer."""

from __future__ import annotations


class TransferError(Exception):
    """It cannot be done, and trying again would not help."""


class BrokeOff(TransferError):
    """It stopped in the middle, or did not begin: it may be tried again."""


class Stopped(TransferError):
    """Nobody wants it any more."""
