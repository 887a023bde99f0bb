"""The mini template: a Linux guest that starts in seconds, even emulated and with 128 MiB of memory.

What runs in it stands in `guest/`, file by file as the image has it: `initrd/`, `root/`, and the boot
partition's `boot/`. Around that there are Debian's cloud kernel, busybox and dropbear.
"""

from __future__ import annotations

from backends.images.mini.build import MiniOptions, build

__all__ = ["MiniOptions", "build"]
