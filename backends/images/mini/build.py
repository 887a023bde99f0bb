"""Building the mini template."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from backends.images import disk
from backends.images.cache import ImageCache, builder_hash, copy_out, fingerprint
from backends.images.disk import Disk, make_disk
from backends.images.errors import ImageError
from backends.images.initrd import initrd
from backends.images.kernel import Kernel
from backends.images.packages import Package, architecture, closure, download, installed_versions, unpack
from backends.images.programs import add_libraries, first
from backends.images.tools import PACKAGES, require, run
from backends.images.tree import Tree

GUEST = Path(__file__).parent / "guest"
TOOLS = ("apt-cache", "apt-get", "dpkg", "dpkg-deb", "dpkg-query", *disk.TOOLS)
SEEDS = ("linux-image-cloud-amd64", "busybox-static", "dropbear-bin")
"""The packages that the image is made of, with the kernel and the libraries that they depend on."""
FOLLOW = re.compile(r"lib|zlib|linux-(image|binary|modules)-")
ROOT_MODULES = ("virtio_pci", "virtio_blk", "ext4")
"""What finds the root. It is loaded from the initial RAM disk."""
MODULES = (
    *("virtio_net", "virtio_balloon", "virtio_rng", "virtio_console"),
    *("button", "evdev"),  # the power button
    *("ata_piix", "sr_mod", "isofs"),  # CD-ROMs
    *("virtio_scsi", "sd_mod"),
)
"""What the guest loads from its root."""
BOOT_MIB = 20
SALT = "cloudsim"
"""Of the password that the image comes with. It protects nothing: who has the image has the hash."""


class MiniOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a mini image may differ in."""

    password: str = "password"
    """Root's on the consoles until the cloud sets one; empty: none lets in. ssh takes only the cloud's."""
    autologin: bool = False
    """The consoles show root's shell at once. For tests: who can see the console is root."""
    ssh_keys: tuple[str, ...] = ()
    """Keys that may log in as root besides those that the cloud brings."""
    size_mib: int = 64
    """The disk's size."""


def build(out: Path | None, cache: Path, options: MiniOptions = MiniOptions()) -> Path:
    """Build the image, or find it in the folder `cache`; where it is: `out`, or in the cache and read-only.

    The same packages, tools and options give the same bytes. Raises ImageError, before anything is made, if
    the host lacks tools or the options are wrong.
    """
    _check(options)
    require(TOOLS)
    if architecture() != "amd64":
        raise ImageError(f"the mini image is built on amd64, and this is {architecture()}")
    packages = closure(SEEDS, FOLLOW)
    tools_used = {PACKAGES[tool] for tool in disk.TOOLS} | {"syslinux-common"}
    key = fingerprint(
        {
            "packages": sorted(
                f"{package.name} {package.version} {package.sha256}" for package in packages.values()
            ),
            "tools": installed_versions(tools_used),
            "builder": builder_hash(GUEST.parent),
            "options": options,
        }
    )
    image = ImageCache(cache).image(
        f"mini-{key}", lambda work: _make(work, cache / "packages", packages, options)
    )
    return image if out is None else copy_out(image, out)


def _check(options: MiniOptions) -> None:
    if not 48 <= options.size_mib <= 1 << 20:
        raise ImageError(f"the size of a mini image is 48 MiB to 1 TiB, not {options.size_mib} MiB")
    if "\n" in options.password or "\0" in options.password:
        raise ImageError("the password of a mini image is one line")
    for key in options.ssh_keys:
        if not re.fullmatch(r"[a-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?", key):
            raise ImageError(f"no ssh public key: {key[:40]!r}")


def _make(work: Path, folder: Path, packages: dict[str, Package], options: MiniOptions) -> Path:
    material = work / "material"
    unpack(download(packages.values(), folder, work / "download"), material)
    kernel = Kernel(material)
    busybox = first(material, "bin/busybox", "usr/bin/busybox")
    boot = {
        "vmlinuz": kernel.image.read_bytes(),
        "initrd.gz": initrd(_initial(kernel, busybox)),
        "syslinux.cfg": (GUEST / "boot/syslinux.cfg").read_bytes(),
    }
    root = _root(kernel, busybox, material, options)
    # Small blocks suit small files, and a journal of 1 MiB: a guest whose host loses power starts again.
    return make_disk(Disk(options.size_mib, BOOT_MIB, boot, root, "mini", block=1024, journal_mib=1), work)


def _initial(kernel: Kernel, busybox: Path) -> Tree:
    tree = Tree()
    tree.add_templates(GUEST / "initrd")
    tree.file("bin/busybox", busybox, 0o755)
    for folder in ("proc", "sys", "dev", "root"):
        tree.folder(folder)
    _add_modules(tree, kernel.modules(ROOT_MODULES))
    return tree


def _root(kernel: Kernel, busybox: Path, material: Path, options: MiniOptions) -> Tree:
    tree = Tree()
    for folder in (
        "proc",
        "sys",
        "dev",
        "run",
        "mnt",
        "sbin",
        "usr/bin",
        "usr/sbin",
        "var/log",
        "etc/dropbear",
    ):
        tree.folder(folder)
    tree.folder("tmp", 0o1777)
    tree.folder("root", 0o700)
    tree.add_templates(GUEST / "root")
    tree.link("etc/resolv.conf", "/run/resolv.conf")
    tree.link("etc/mtab", "/proc/mounts")

    tree.file("bin/busybox", busybox, 0o755)
    for applet in run("asking busybox", [busybox, "--list"]).split():
        if f"bin/{applet}" not in tree:
            tree.link(f"bin/{applet}", "busybox")
    for applet in ("init", "getty", "poweroff", "reboot", "halt"):
        tree.link(f"sbin/{applet}", "../bin/busybox")
    _add_dropbear(tree, material)

    loaded = kernel.modules(ROOT_MODULES)
    _add_modules(tree, {name: data for name, data in kernel.modules(MODULES).items() if name not in loaded})

    tree.file("etc/shadow", f"root:{_hash(busybox, options.password)}:18262:0:99999:7:::\n".encode(), 0o600)
    if options.autologin:
        tree.file("etc/mini/autologin", b"")
    if options.ssh_keys:
        tree.folder("root/.ssh", 0o700)
        tree.file(
            "root/.ssh/authorized_keys", "".join(f"{key}\n" for key in options.ssh_keys).encode(), 0o600
        )
    return tree


def _add_modules(tree: Tree, modules: dict[str, bytes]) -> None:
    for name, data in modules.items():
        tree.file(f"lib/modules/{name}.ko", data)
    tree.file("lib/modules/order", "".join(f"{name}\n" for name in modules).encode())


def _add_dropbear(tree: Tree, material: Path) -> None:
    server = material / "usr/sbin/dropbear"
    tree.file("bin/dropbear", server, 0o755)
    tree.file("bin/dropbearkey", material / "usr/bin/dropbearkey", 0o755)
    add_libraries(tree, material, [server])


def _hash(busybox: Path, password: str) -> str:
    if not password:
        return "*"
    command: list[str | Path] = [busybox, "mkpasswd", "-P", "0", "-m", "sha512", "-S", SALT]
    return run("hashing the password", command, text=f"{password}\n").strip()
