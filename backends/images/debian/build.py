"""Building the debian template with mmdebstrap: as root, or in a user namespace."""

from __future__ import annotations

import os
import re
import shlex
import time
from pathlib import Path

import msgspec

from backends.images import disk
from backends.images.cache import ImageCache, builder_hash, copy_out, fingerprint
from backends.images.debian.archive import read_archive
from backends.images.debian.sources import Source, sources
from backends.images.disk import Disk, make_disk
from backends.images.errors import ImageError
from backends.images.packages import architecture
from backends.images.tools import require, run
from backends.images.tree import Tree

GUEST = Path(__file__).parent / "guest"
TOOLS = ("apt-get", "dpkg", "mmdebstrap", *disk.TOOLS)
PACKAGES = (
    *(
        "linux-image-cloud-amd64",
        "initramfs-tools",
        "systemd-sysv",
        "systemd-resolved",
        "udev",
        "dbus",
        "kmod",
    ),
    *("openssh-server", "qemu-guest-agent", "iproute2", "iputils-ping", "curl", "ca-certificates", "less"),
    # cloud-init asks the password server with wget; the last three let the root grow.
    *("cloud-init", "wget", "cloud-guest-utils", "fdisk", "e2fsprogs"),
)
BOOT_MIB = 96
NOT_WANTED = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
COPYRIGHTS = "/usr/share/doc/*/copyright"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class DebianOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a debian image may differ in."""

    release: str = "bookworm"
    """Debian's code name of it."""
    size_mib: int = 2048
    """The disk's size. The root grows when the volume is larger."""
    password: str = "password"
    """Root's on the consoles until the cloud sets one; empty: none lets in. ssh takes keys only."""


def build(out: Path | None, cache: Path, options: DebianOptions = DebianOptions()) -> Path:
    """Build the image (minutes), or find it in the folder `cache`; where it is: `out`, or in the cache.

    An image in the cache is used as long as options, mirrors and this builder are the same: newer packages
    come with the next build, when it has been deleted. Raises ImageError.
    """
    _check(options)
    require(TOOLS)
    if architecture() != "amd64":
        raise ImageError(f"the debian image is built on amd64, and this is {architecture()}")
    mirrors = sources(options.release)
    key = fingerprint(
        {
            "sources": [str(source) for source in mirrors],
            "builder": builder_hash(GUEST.parent),
            "options": options,
        }
    )
    name = f"debian-{options.release}-{key}"
    image = ImageCache(cache).image(name, lambda work: _make(work, mirrors, options))
    return image if out is None else copy_out(image, out)


def _check(options: DebianOptions) -> None:
    if not 1024 <= options.size_mib <= 1 << 20:
        raise ImageError(f"the size of a debian image is 1 GiB to 1 TiB, not {options.size_mib} MiB")
    if not re.fullmatch(r"[a-z]+", options.release):
        raise ImageError(f"{options.release!r} is no code name of a release of Debian")
    if "\n" in options.password or "\0" in options.password:
        raise ImageError("the password of a debian image is one line")


def _make(work: Path, mirrors: list[Source], options: DebianOptions) -> Path:
    archive = work / "system.tar"
    _bootstrap(archive, work, mirrors, options)
    tree = read_archive(archive, work / "content")
    archive.unlink()
    tree.add_templates(GUEST / "root")
    tree.folder("boot/loader")
    tree.file("etc/hostname", b"debian\n")
    tree.file("etc/default/locale", b"LANG=C.UTF-8\n")
    tree.file("etc/machine-id", b"")  # each instance makes its own
    tree.link("etc/resolv.conf", "/run/systemd/resolve/stub-resolv.conf")
    for unit in ("apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_reap.service"):
        tree.link(f"etc/systemd/system/{unit}", "/dev/null")
    boot = {
        "vmlinuz": _newest(tree, "boot/vmlinuz-"),
        "initrd.img": _newest(tree, "boot/initrd.img-"),
        "syslinux.cfg": (GUEST / "boot/syslinux.cfg").read_bytes(),
    }
    return make_disk(Disk(options.size_mib, BOOT_MIB, boot, tree, "debian", journal_mib=16), work)


def _bootstrap(archive: Path, work: Path, mirrors: list[Source], options: DebianOptions) -> None:
    listed, secret = work / "sources.list", work / "password"
    listed.write_text("".join(f"{source}\n" for source in mirrors))
    secret.write_text(f"root:{options.password}\n")
    command: list[str | Path] = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        "--format=tar",
        "--architectures=amd64",
    ]
    command += ["--mode=root" if os.geteuid() == 0 else "--mode=unshare", f"--include={','.join(PACKAGES)}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in NOT_WANTED]
    command += [f"--dpkgopt=path-include={COPYRIGHTS}", '--aptopt=Acquire::Languages "none"']
    if KEYRING.is_file():
        command += [f"--keyring={KEYRING}"]
    if options.password:
        command += [f"--customize-hook=upload {shlex.quote(str(secret))} /root/.password"]
        command += ['--customize-hook=chroot "$1" chpasswd < "$1/root/.password"; rm "$1/root/.password"']
    command += ['--customize-hook=chroot "$1" systemctl enable systemd-networkd systemd-resolved ssh']
    # Every instance has host keys of its own: cloud-init makes them.
    command += ['--customize-hook=rm -f "$1"/etc/ssh/ssh_host_*']
    command += ['--customize-hook=rm -rf "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/*']
    # Python compares the times of its files with those that it noted: they must not be made older.
    now = {"SOURCE_DATE_EPOCH": str(int(time.time()))}
    run(f"installing Debian {options.release}", [*command, options.release, archive, listed], extra=now)


def _newest(tree: Tree, prefix: str) -> bytes:
    paths = [path for path, _ in tree if path.startswith(prefix)]
    if not paths:
        raise ImageError(f"Debian was installed without a {prefix.removesuffix('-')}")
    return tree[paths[-1]].read()
