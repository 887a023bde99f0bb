"""The guest operating systems that every cloud knows from the start, by category, as CloudStack's users know them."""

from __future__ import annotations

_BOTH = ("32-bit", "64-bit")


def _bits(name: str, *versions: str) -> tuple[str, ...]:
    return tuple(f"{name} {version} ({bits})" for version in versions for bits in _BOTH)


def _plain(name: str, *versions: str) -> tuple[str, ...]:
    return tuple(f"{name} {version}" for version in versions)


GUEST_OS: dict[str, tuple[str, ...]] = {
    "CentOS": (
        *_bits("CentOS", *(f"4.{minor}" for minor in range(5, 9))),
        *_bits("CentOS", *(f"5.{minor}" for minor in range(0, 11))),
        *_bits("CentOS", *(f"6.{minor}" for minor in range(0, 11))),
        *_plain("CentOS", "7", "7.1", "7.2", "7.4", "7.6", "7.9", "8", "8.3", "8.4"),
        "Other CentOS (32-bit)",
        "Other CentOS (64-bit)",
    ),
    "CentOS Stream": ("CentOS Stream 8", "CentOS Stream 9"),
    "AlmaLinux": _plain("AlmaLinux", "8", "9"),
    "Rocky Linux": _plain("Rocky Linux", "8", "9"),
    "Oracle": (
        *_bits("Oracle Enterprise Linux", "5.0", "5.5", "6.0", "6.5"),
        *_plain("Oracle Linux", "7", "8", "9"),
    ),
    "RedHat": (
        *_bits("Red Hat Enterprise Linux", "5.0", "5.5", "6.0", "6.5"),
        *_plain("Red Hat Enterprise Linux", "7.0", "7.9", "8.0", "8.6", "9.0"),
    ),
    "Debian": (
        "Debian GNU/Linux 5.0 (64-bit)",
        "Debian GNU/Linux 6(32-bit)",
        "Debian GNU/Linux 6(64-bit)",
        "Debian GNU/Linux 7(32-bit)",
        "Debian GNU/Linux 7(64-bit)",
        "Debian GNU/Linux 8 (32-bit)",
        "Debian GNU/Linux 8 (64-bit)",
        "Debian GNU/Linux 9 (32-bit)",
        "Debian GNU/Linux 9 (64-bit)",
        "Debian GNU/Linux 10 (32-bit)",
        "Debian GNU/Linux 10 (64-bit)",
        "Debian GNU/Linux 11 (64-bit)",
        "Debian GNU/Linux 12 (64-bit)",
    ),
    "Ubuntu": (
        *_bits("Ubuntu", "10.04", "12.04", "14.04", "16.04", "18.04"),
        "Ubuntu 20.04 LTS",
        "Ubuntu 22.04 LTS",
        "Ubuntu 24.04 LTS",
        "Other Ubuntu (32-bit)",
        "Other Ubuntu (64-bit)",
    ),
    "Fedora": (*_plain("Fedora", "8", "13", "38", "39", "40"), "Fedora Linux (64 bit)"),
    "SUSE": (
        *_bits("SUSE Linux Enterprise Server", "10 SP4"),
        *_bits("SUSE Linux Enterprise Server", "11", "12"),
        "SUSE Linux Enterprise Server 15 (64-bit)",
        "openSUSE Leap 15",
    ),
    "FreeBSD": (
        *_bits("FreeBSD", "10", "11", "12", "13"),
        "FreeBSD 14 (64-bit)",
    ),
    "Windows": (
        "Windows XP SP3 (32-bit)",
        *_bits("Windows", "7", "8", "10"),
        "Windows 11 (64-bit)",
        "Windows Server 2003 Enterprise Edition(64-bit)",
        "Windows Server 2008 (32-bit)",
        "Windows Server 2008 (64-bit)",
        "Windows Server 2008 R2 (64-bit)",
        "Windows Server 2012 (64-bit)",
        "Windows Server 2012 R2 (64-bit)",
        "Windows Server 2016 (64-bit)",
        "Windows Server 2019 (64-bit)",
        "Windows Server 2022 (64-bit)",
        "Windows PV",
    ),
    "Novell": ("Other SUSE Linux(32-bit)", "Other SUSE Linux(64-bit)"),
    "Unix": ("Sun Solaris 10(64-bit)", "Sun Solaris 11 (64-bit)"),
    "Other": (
        "Other Linux (32-bit)",
        "Other Linux (64-bit)",
        "Other (32-bit)",
        "Other (64-bit)",
        "Other PV (32-bit)",
        "Other PV (64-bit)",
        "Other PV Virtio-SCSI (32-bit)",
        "Other PV Virtio-SCSI (64-bit)",
        "DOS",
        "None",
    ),
}
"""Category -> descriptions."""
