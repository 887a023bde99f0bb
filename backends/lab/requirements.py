"""What a machine needs for a lab, and the packages it comes from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from backends.lab.errors import LabError

PACKAGES = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setsid": "util-linux",
    "libvirtd": "libvirt-daemon-system",
    "virsh": "libvirt-clients",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "dnsmasq": "dnsmasq-base",
    "nft": "nftables",
    "xorriso": "xorriso",
}
"""Program: the Debian package that has it."""
_PATH = os.pathsep.join(["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"])


def missing(
    find: Callable[[str], str | None] = lambda name: shutil.which(name, path=_PATH), *, is_root: bool | None = None
) -> list[str]:
    """What keeps this machine from having a lab, a line each; empty if nothing does."""
    found = []
    if not (os.geteuid() == 0 if is_root is None else is_root):
        found.append("it must be run by root, for namespaces, bridges and cgroups")
    programs = [name for name in PACKAGES if find(name) is None]
    if programs:
        packages = sorted({PACKAGES[name] for name in programs})
        found.append(
            f"no {', '.join(programs)}; on Debian: apt-get install --no-install-recommends {' '.join(packages)}"
        )
    if not Path("/dev/net/tun").exists():
        found.append("no /dev/net/tun, without which QEMU has no network; try modprobe tun")
    return found


def check_machine() -> None:
    """Raises LabError with all that is missing."""
    found = missing()
    if found:
        raise LabError("this machine cannot have a lab: " + "; ".join(found))
