"""The debian template: a whole system with systemd, cloud-init and QEMU's guest agent. See `guest/`."""

from __future__ import annotations

from backends.images.debian.build import DebianOptions, build

__all__ = ["DebianOptions", "build"]
