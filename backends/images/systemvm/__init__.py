"""The system VM template: one small Linux for virtual routers, console proxies and secondary storage VMs.

What runs in it beside Debian's programs is `backends.systemvm`; how it boots stands in `guest/`, file by file.
"""

from __future__ import annotations

from backends.images.systemvm.build import SystemVmOptions, build

__all__ = ["SystemVmOptions", "build"]
