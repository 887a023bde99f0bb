"""Building the system VM template."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

import backends
import cloudsim
from backends.images import disk
from backends.images.cache import ImageCache, builder_hash, copy_out, fingerprint
from backends.images.disk import Disk, make_disk
from backends.images.errors import ImageError
from backends.images.initrd import initrd
from backends.images.kernel import Kernel, info
from backends.images.packages import Package, architecture, closure, download, installed_versions, unpack
from backends.images.programs import add_libraries, add_programs, first
from backends.images.python import PACKAGES as PYTHON_PACKAGES
from backends.images.python import add_package, add_python
from backends.images.tools import PACKAGES, require, run
from backends.images.tree import Tree
from backends.systemvm.consoleproxy.pages import gather

GUEST = Path(__file__).parent / "guest"
TOOLS = ("apt-cache", "apt-get", "dpkg", "dpkg-deb", "dpkg-query", *disk.TOOLS)
SEEDS = (
    # Not the cloud kernel: that has neither PPP nor 9p.
    *("linux-image-amd64", "busybox-static", "netbase", "ca-certificates"),
    *("iproute2", "nftables", "conntrack", "dnsmasq-base", "haproxy"),
    *("iputils-ping", "iputils-arping", "traceroute"),
    *(
        "strongswan-charon",
        "strongswan-swanctl",
        "libcharon-extra-plugins",
        "libstrongswan-extra-plugins",
        "xl2tpd",
    ),
    *("ppp", *PYTHON_PACKAGES),
)
FOLLOW = re.compile(r"lib|zlib|python3|strongswan-libcharon|linux-(image|binary|modules)-")
PROGRAMS = {
    "usr/sbin/ip": ("bin/ip", "sbin/ip", "usr/bin/ip"),
    "usr/sbin/bridge": ("sbin/bridge", "usr/sbin/bridge"),
    "usr/sbin/nft": ("usr/sbin/nft",),
    "usr/sbin/conntrack": ("usr/sbin/conntrack",),
    "usr/sbin/dnsmasq": ("usr/sbin/dnsmasq",),
    "usr/sbin/haproxy": ("usr/sbin/haproxy",),
    "usr/bin/ping": ("bin/ping", "usr/bin/ping"),
    "usr/bin/arping": ("usr/bin/arping", "usr/sbin/arping"),
    "usr/bin/traceroute": ("usr/bin/traceroute.db",),
    "usr/sbin/charon": ("usr/lib/ipsec/charon",),
    "usr/sbin/swanctl": ("usr/sbin/swanctl",),
    "usr/sbin/xl2tpd": ("usr/sbin/xl2tpd",),
    "usr/sbin/xl2tpd-control": ("usr/sbin/xl2tpd-control",),
    "usr/sbin/pppd": ("usr/sbin/pppd",),
}
"""By its place in the image, where the packages have a program."""
PLUGINS = (
    *("aes", "gcrypt", "gmp", "hmac", "kdf", "md5", "nonce", "random", "sha1", "sha2"),
    *("kernel-libipsec", "kernel-netlink", "socket-default", "updown", "vici"),
)
"""Plugins of strongSwan that routers load."""
ROOT_MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "crc32c_intel", "ext4")
MODULES = (
    *("virtio_net", "virtio_balloon", "virtio_rng", "virtio_console", "button", "evdev"),
    *("nf_tables", "nft_chain_nat", "nft_ct", "nft_nat", "nft_masq", "nft_redir", "nft_reject_inet"),
    *("nft_limit", "nft_log", "nft_numgen", "nft_hash", "nft_objref", "nf_conntrack_netlink", "nft_fib_inet"),
)
"""What the guest loads when it boots."""
MODULES_ON_DEMAND = (
    *(
        "9p",
        "9pnet_virtio",
        "nfsv3",
        "nfsv4",
        "nft_xfrm",
        "nft_connlimit",
        "nft_socket",
        "nft_tproxy",
        "nft_quota",
    ),
    *("xfrm_user", "af_key", "esp4", "ah4", "xfrm_interface", "ip_vti", "tun"),
    *(
        "authenc",
        "authencesn",
        "echainiv",
        "seqiv",
        "cbc",
        "ctr",
        "gcm",
        "ccm",
        "cmac",
        "xcbc",
        "des_generic",
    ),
    *(
        "sha512_generic",
        "md5",
        "l2tp_ppp",
        "pppox",
        "ppp_async",
        "ppp_synctty",
        "ppp_mppe",
        "ppp_deflate",
        "bsd_comp",
    ),
)
BOOT_MIB = 20
HOME = "opt/cloudsim"
"""Where the project's own services are."""


class SystemVmOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a system VM image may differ in."""

    password: str = ""
    """Root's on the consoles; empty: it has none, and nobody logs in."""
    size_mib: int = 192
    """The disk's size."""


def build(
    out: Path | None, cache: Path, options: SystemVmOptions = SystemVmOptions(), ui: Path | None = None
) -> Path:
    """Build the image, or find it in the folder `cache`; where it is: `out`, or in the cache and read-only.

    `ui` is the browser app's folder, where it is not that of the sources. The same packages, tools, sources and options give
    the same bytes. Raises ImageError, before anything is made, if the host lacks something or the options are wrong.
    """
    if not 128 <= options.size_mib <= 4096:
        raise ImageError(f"the size of a system VM image is 128 to 4096 MiB, not {options.size_mib} MiB")
    if "\n" in options.password or "\0" in options.password:
        raise ImageError("the password of a system VM image is one line")
    require(TOOLS)
    if architecture() != "amd64":
        raise ImageError(f"the system VM image is built on amd64, and this is {architecture()}")
    own = dict(_own_files(ui if ui is not None else Path(backends.__file__).parents[1] / "ui"))
    packages = closure(SEEDS, FOLLOW)
    key = fingerprint(
        {
            "packages": sorted(f"{each.name} {each.version} {each.sha256}" for each in packages.values()),
            "tools": installed_versions({PACKAGES[tool] for tool in disk.TOOLS} | {"syslinux-common"}),
            "builder": builder_hash(GUEST.parent),
            "own": sorted(
                f"{place} {hashlib.sha256(path.read_bytes()).hexdigest()}" for place, path in own.items()
            ),
            "options": options,
        }
    )
    image = ImageCache(cache).image(
        f"systemvm-{key}", lambda work: _make(work, cache / "packages", packages, own, options)
    )
    return image if out is None else copy_out(image, out)


def _own_files(ui: Path) -> Iterator[tuple[str, Path]]:
    """What is not Debian's, by its place: our services, the one library that they need, and the console's pages."""
    folder = Path(backends.__file__).parent
    yield f"{HOME}/backends/__init__.py", folder / "__init__.py"
    for path in sorted((folder / "systemvm").rglob("*.py")):
        if path.relative_to(folder).parts[1] != "rendering":
            yield f"{HOME}/{path.relative_to(folder.parent)}", path
    found = importlib.util.find_spec("websockets")
    if found is None or found.origin is None:
        raise ImageError("the Python package websockets is not installed")
    library = Path(found.origin).parent
    for path in sorted(library.rglob("*.py")):
        if "legacy" not in path.parts:
            yield f"{HOME}/websockets/{path.relative_to(library)}", path
    try:
        for name, path in gather(ui).items():
            yield f"{HOME}/pages/{name}", path
    except FileNotFoundError as error:
        raise ImageError(f"the console proxy's pages are not complete: {error}") from error


def _make(
    work: Path, folder: Path, packages: dict[str, Package], own: dict[str, Path], options: SystemVmOptions
) -> Path:
    material = work / "material"
    unpack(download(packages.values(), folder, work / "download"), material)
    kernel = Kernel(material)
    busybox = first(material, "bin/busybox", "usr/bin/busybox")
    boot = {
        "vmlinuz": kernel.image.read_bytes(),
        "initrd.gz": initrd(_initial(kernel, busybox)),
        "syslinux.cfg": (GUEST / "boot/syslinux.cfg").read_bytes(),
    }
    root = _root(kernel, busybox, material, work, own, options)
    return make_disk(Disk(options.size_mib, BOOT_MIB, boot, root, "systemvm", compressed=True), work)


def _initial(kernel: Kernel, busybox: Path) -> Tree:
    tree = Tree()
    tree.add_templates(GUEST / "initrd")
    tree.file("bin/busybox", busybox, 0o755)
    for folder in ("proc", "sys", "dev", "root"):
        tree.folder(folder)
    loaded = kernel.modules(ROOT_MODULES)
    for name, data in loaded.items():
        tree.file(f"lib/modules/{name}.ko", data)
    tree.file("lib/modules/order", "".join(f"{name}\n" for name in loaded).encode())
    return tree


def _root(
    kernel: Kernel, busybox: Path, material: Path, work: Path, own: dict[str, Path], options: SystemVmOptions
) -> Tree:
    tree = Tree()
    for folder in ("proc", "sys", "dev", "run", "var", "mnt", "sbin", "usr/bin", "usr/sbin", "etc/ppp"):
        tree.folder(folder)
    tree.folder("tmp", 0o1777)
    tree.folder("root", 0o700)
    tree.add_templates(GUEST / "root")
    tree.link("etc/resolv.conf", "/run/systemvm/resolv.conf")
    tree.link("etc/mtab", "/proc/mounts")
    for secrets in ("chap-secrets", "pap-secrets"):  # pppd looks for them nowhere else
        tree.link(f"etc/ppp/{secrets}", f"/run/systemvm/{secrets}")
    tree.file("etc/systemvm/version", f"{cloudsim.__version__}\n".encode())
    tree.file("etc/shadow", f"root:{_hash(busybox, options.password)}:18262:0:99999:7:::\n".encode(), 0o600)

    for names in ("protocols", "services"):  # of netbase: names that programs' files use
        tree.file(f"etc/{names}", material / "etc" / names)
    _add_busybox(tree, busybox)
    _add_programs(tree, material)
    _add_strongswan(tree, material)
    kernel_l2tp = next(material.glob("usr/lib/pppd/*/pppol2tp.so"), None)
    if kernel_l2tp is not None:  # without it pppd and xl2tpd speak by a terminal
        add_programs(tree, material, [str(kernel_l2tp.relative_to(material))])
    _add_certificates(tree, material)
    _add_modules(tree, kernel)
    add_python(tree, material, work / "compiled")
    add_package(tree, material, work / "compiled", ((path, place) for place, path in own.items()))
    return tree


def _add_busybox(tree: Tree, busybox: Path) -> None:
    tree.file("bin/busybox", busybox, 0o755)
    for applet in run("asking busybox", [busybox, "--list"]).split():
        if f"bin/{applet}" not in tree and not any(applet == Path(place).name for place in PROGRAMS):
            tree.link(f"bin/{applet}", "busybox")
    for applet in ("init", "getty", "poweroff", "reboot", "halt", "modprobe"):
        tree.link(f"sbin/{applet}", "../bin/busybox")


def _add_programs(tree: Tree, material: Path) -> None:
    found = {place: first(material, *names) for place, names in PROGRAMS.items()}
    for place, path in found.items():
        tree.file(place, path.resolve(), 0o755)
    add_libraries(tree, material, found.values())


def _add_strongswan(tree: Tree, material: Path) -> None:
    add_programs(tree, material, [f"usr/lib/ipsec/plugins/libstrongswan-{name}.so" for name in PLUGINS])
    updown = first(material, "usr/lib/ipsec/_updown")
    tree.file("usr/lib/ipsec/_updown", updown, 0o755)


def _add_certificates(tree: Tree, material: Path) -> None:
    """As ca-certificates' own script makes it: all of Mozilla's in one file."""
    folder = material / "usr/share/ca-certificates/mozilla"
    bundle = b"".join(path.read_bytes().rstrip(b"\n") + b"\n" for path in sorted(folder.glob("*.crt")))
    if not bundle:
        raise ImageError("the package ca-certificates holds no certificates")
    tree.file("etc/ssl/certs/ca-certificates.crt", bundle)
    tree.link("usr/lib/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt")
    tree.link("usr/lib/ssl/certs", "/etc/ssl/certs")


def _add_modules(tree: Tree, kernel: Kernel) -> None:
    """All in one folder, with the lists by which modprobe, also the kernel's own call of it, finds them."""
    at_boot = kernel.modules((*ROOT_MODULES, *MODULES))
    modules = kernel.modules((*ROOT_MODULES, *MODULES, *MODULES_ON_DEMAND))
    folder = f"lib/modules/{kernel.release}"
    for name, data in modules.items():
        tree.file(f"{folder}/{name}.ko", data)
    needs = {name: [need for need in kernel.modules((name,)) if need != name][::-1] for name in modules}
    tree.file(
        f"{folder}/modules.dep",
        "".join(f"{n}.ko:{''.join(f' {d}.ko' for d in needs[n])}\n" for n in modules).encode(),
    )
    aliases = (f"alias {alias} {name}\n" for name, data in modules.items() for alias in info(data, b"alias"))
    tree.file(f"{folder}/modules.alias", "".join(aliases).encode())
    tree.file(f"{folder}/modules.symbols", b"")
    initial = kernel.modules(ROOT_MODULES)
    tree.file(
        "etc/systemvm/modules", "".join(f"{folder}/{n}.ko\n" for n in at_boot if n not in initial).encode()
    )


def _hash(busybox: Path, password: str) -> str:
    if not password:
        return "*"
    command: list[str | Path] = [busybox, "mkpasswd", "-P", "0", "-m", "sha512", "-S", "cloudsim"]
    return run("hashing the password", command, text=f"{password}\n").strip()
