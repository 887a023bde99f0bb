"""Checksums as the API writes them, for hosts: `backends.systemvm.secstorage.checksums` with a host's errors."""

from __future__ import annotations

from backends.systemvm.secstorage.checksums import USUAL as USUAL
from backends.systemvm.secstorage.checksums import Checksum as Checksum
from backends.systemvm.secstorage.checksums import hasher as hasher
from backends.systemvm.secstorage.checksums import parsed
from cloudsim.hypervisor import HypervisorError


def parse(text: str) -> Checksum:
    """Raises HypervisorError for what is no checksum, or one of an unknown kind."""
    try:
        return parsed(text)
    except ValueError as error:
        raise HypervisorError(str(error)) from error
