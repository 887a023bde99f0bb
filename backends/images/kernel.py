"""An unpacked kernel package: its image, and its modules in the order in which they must be loaded."""

from __future__ import annotations

import gzip
import lzma
import struct
from collections.abc import Iterable
from pathlib import Path

from backends.images.errors import ImageError


class Kernel:
    """The one kernel below a folder into which its packages were unpacked."""

    def __init__(self, root: Path) -> None:
        images = sorted(root.glob("boot/vmlinuz-*"))
        if len(images) != 1:
            raise ImageError(f"the kernel's packages hold {len(images)} kernels where one was expected")
        self.image = images[0]
        self.release = self.image.name.removeprefix("vmlinuz-")
        folders = [root / top / "modules" / self.release for top in ("usr/lib", "lib")]
        folder = next((path for path in folders if path.is_dir()), None)
        if folder is None:
            raise ImageError(f"the kernel's packages hold no modules of {self.release}")
        self._files = {_plain(path.name): path for path in folder.rglob("*.ko*")}
        built_in = folder / "modules.builtin"
        self._built_in = {_plain(Path(line).name) for line in built_in.read_text().split()}

    def modules(self, names: Iterable[str]) -> dict[str, bytes]:
        """These modules and what they need, by name, each after those that it needs; not what is built in."""
        found: dict[str, bytes] = {}
        for name in names:
            self._collect(_plain(name), found)
        return found

    def _collect(self, name: str, found: dict[str, bytes]) -> None:
        if name in found or name in self._built_in:
            return
        if name not in self._files:
            raise ImageError(f"kernel {self.release} has no module {name}")
        content = _unpacked(self._files[name])
        for needed in depends(content):
            self._collect(_plain(needed), found)
        found[name] = content


def _plain(name: str) -> str:
    """A module's name without its ending; the kernel takes - and _ for the same."""
    return name.split(".")[0].replace("-", "_")


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    match path.suffix:
        case ".ko":
            return data
        case ".xz":
            return lzma.decompress(data)
        case ".gz":
            return gzip.decompress(data)
    raise ImageError(f"the kernel's module {path.name} is packed in a way that is not known here")


def depends(module: bytes) -> list[str]:
    """What a module says it needs."""
    return [name for value in info(module, b"depends") for name in value.split(",") if name]


def info(module: bytes, wanted: bytes) -> list[str]:
    """What a module says about itself under a key, in its section `.modinfo` (64-bit ELF, little-endian)."""
    if module[:6] != b"\x7fELF\x02\x01":
        raise ImageError("a kernel module is not a 64-bit ELF file")
    (table,) = struct.unpack_from("<Q", module, 0x28)
    size, count, names_at = struct.unpack_from("<HHH", module, 0x3A)

    def section(number: int) -> tuple[int, bytes]:
        name, _, _, _, offset, length = struct.unpack_from("<IIQQQQ", module, table + number * size)
        return name, module[offset : offset + length]

    _, names = section(names_at)
    for number in range(count):
        name, content = section(number)
        if names[name:].startswith(b".modinfo\0"):
            parts = (line.partition(b"=") for line in content.split(b"\0"))
            return [value.decode() for key, _, value in parts if key == wanted]
    return []
