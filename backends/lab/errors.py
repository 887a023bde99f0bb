"""What goes wrong with a lab."""

from __future__ import annotations


class LabError(Exception):
    """The lab cannot do that; the text names the object and the reason."""
