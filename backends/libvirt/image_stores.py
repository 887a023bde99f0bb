"""Secondary storage as this host reaches it: folders (file:///path) and network file systems (nfs://host/path).

The URL of a network file system may say with what it is mounted: nfs://host/path?options=vers=4.1,nolock.

In a store, images lie at templates/<id>.<suffix>, snapshots/<id>.qcow2 and backups/<id>-<volume>.qcow2. A template
that came packed has a note beside it (<file>.checksum), because the checksum that the cloud keeps is that of the packed file.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from backends.libvirt.bounded import in_thread
from backends.libvirt.checksums import Checksum, parse
from backends.libvirt.mounts import mount_nfs, mounted
from backends.libvirt.pools import Pools
from backends.libvirt.turns import Turns
from backends.libvirt.unfinished import Unfinished
from cloudsim.hypervisor import HypervisorError
from cloudsim.protocol.specs import ImageSpec

TEMPLATES, SNAPSHOTS, BACKUPS = "templates", "snapshots", "backups"
_LAYOUT = ("/templates/", "/template/")
"""What parts a store's URL from a template's path in it; the second is where CloudStack has them."""
_CAREFUL = ("nosuid", "nodev", "noexec")
_STRANGE = (*_CAREFUL, "ro", "soft", "timeo=100", "retrans=3")
"""Mount options for a file server that a user names, which may never answer."""


class PackedNote(msgspec.Struct, frozen=True):
    """The checksum of a template's packed file (`sent`), and of the file in the store (`kept`), as texts."""

    sent: str
    kept: str


class ImageStores:
    """Network file systems are mounted below `data`/secondary, when they are first needed."""

    def __init__(self, data: Path, unfinished: Unfinished) -> None:
        self._data = data
        self._mounts = data / "secondary"
        self._turns = Turns()
        self._unfinished = unfinished
        self._cleared: set[Path] = set()

    async def folder(self, store_url: str) -> Path:
        """Where the store is on this host. Raises HypervisorError if it is not there."""
        return await self._folder(store_url, _CAREFUL)

    async def _folder(self, store_url: str, options: tuple[str, ...]) -> Path:
        parts = urlsplit(store_url)
        what = f"secondary storage {store_url}"
        path = _path(store_url)
        if not path.startswith("/") or path == "/":
            raise HypervisorError(f"{what} names no folder")
        if parts.scheme == "file" and parts.hostname in (None, "localhost"):
            folder = Path(path)
        elif parts.scheme == "nfs" and parts.hostname:
            name = f"{store_url.rstrip('/')}{' of a stranger' if 'ro' in options else ''}"
            folder = self._mounts / hashlib.sha256(name.encode()).hexdigest()[:16]
            if mounted(folder) is None:
                async with self._turns.turn(folder):
                    named = parse_qs(parts.query).get("options", [])
                    await mount_nfs(parts.hostname, path, parts.port or 0, folder, *options, *named)
        else:
            raise HypervisorError(f"{what}: this host knows file:///path and nfs://host/path only")
        if not await in_thread(what, folder.is_dir):
            raise HypervisorError(f"{what}: there is no folder {folder} on this host")
        return folder

    async def new(self, store_url: str, path: str) -> Path:
        """Where to put a file into the store; its folder is made."""
        target = _inside(await self.folder(store_url), path, store_url)
        await in_thread(f"secondary storage {store_url}", lambda: target.parent.mkdir(parents=True, exist_ok=True))
        if target.parent not in self._cleared:
            await self._unfinished.clear(target.parent)
            self._cleared.add(target.parent)
        return target

    async def find(self, image: ImageSpec) -> Path:
        """The image's file. Raises HypervisorError if there is none."""
        found = _inside(await self.folder(image.store_url), image.path, image.store_url)
        if not await in_thread(f"looking for {image.path}", found.is_file):
            raise HypervisorError(f"there is no {image.path} in secondary storage {image.store_url}")
        return found

    async def remove(self, image: ImageSpec) -> None:
        """Remove the image's file, if there is one."""
        found = _inside(await self.folder(image.store_url), image.path, image.store_url)

        def unlink() -> None:
            found.unlink(missing_ok=True)
            _note(found).unlink(missing_ok=True)

        await in_thread(f"removing {image.path} from secondary storage {image.store_url}", unlink)

    # checksums

    async def expected(self, image: ImageSpec, file: Path) -> Checksum | None:
        """The checksum that the image's file in the store should have, as far as anybody knows."""
        if not image.checksum:
            return None
        wanted = parse(image.checksum)
        noted = await in_thread(f"looking at {image.path}", lambda: _read_note(file))
        return parse(noted.kept) if noted is not None and parse(noted.sent) == wanted else wanted

    async def note_packed(self, file: Path, sent: Checksum | None, kept: Checksum | None) -> None:
        """Note that what was sent is not what is kept; None: it is."""
        note = _note(file)
        if sent is None or kept is None:
            await in_thread(f"removing {note}", lambda: note.unlink(missing_ok=True))
            return
        text = msgspec.json.encode(PackedNote(str(sent), str(kept)))
        async with self._unfinished.beside(note) as new:
            await in_thread(f"writing {note}", lambda: new.write_bytes(text))
            await self._unfinished.put(new, note, replace=True, mode=0o644)

    async def copy_note(self, file: Path, to: Path) -> None:
        """Take over what is noted of a file's checksum for a copy of it."""
        noted = await in_thread(f"looking at {file}", lambda: _read_note(file))
        if noted is not None:
            await self.note_packed(to, parse(noted.sent), parse(noted.kept))

    # images by URL

    async def at_url(self, url: str, pools: Pools) -> Path:
        """The file that a file:// or nfs:// URL means: a template, in this or in another zone's store.

        Users write URLs. So what lies on primary storage, in the agent's folder or among a store's snapshots and
        backups is refused, as is what not everybody may read.
        """
        parts = urlsplit(url)
        if parts.scheme == "nfs":
            path = unquote(parts.path)
            place = max(path.rfind(mark) for mark in _LAYOUT)
            if place < 1:
                raise HypervisorError(f"{url} is no template in a secondary storage: {' or '.join(_LAYOUT)} is not in it")
            store = f"nfs://{parts.netloc.rpartition('@')[2]}{path[:place]}"
            root = await self._folder(store, _STRANGE)
            named = _inside(root, path[place + 1 :], store)
        elif parts.scheme == "file" and parts.hostname in (None, "localhost"):
            root, named = Path("/"), Path(_path(url))
        else:
            raise HypervisorError(f"{url} is no file that this host can reach")
        closed = [pools.path(pool_id) for pool_id in pools]
        if not named.is_relative_to(self._mounts):
            closed.append(self._data)
        file = await in_thread(f"looking at {url}", lambda: _public(named, root, closed))
        if file is None:
            raise HypervisorError(f"{url} is not a file that everybody may read")
        return file


def _path(url: str) -> str:
    path = unquote(urlsplit(url).path)
    return os.path.normpath(path) if path else ""


def _public(named: Path, root: Path, closed: list[Path]) -> Path | None:
    """The file itself, past all symbolic links; None if not everybody may have it."""
    file = named.resolve(strict=True)
    mode = file.stat().st_mode
    within = file.is_relative_to(root.resolve()) and not {SNAPSHOTS, BACKUPS} & set(file.parts)
    without = not any(file.is_relative_to(folder.resolve()) for folder in closed)
    return file if within and without and stat.S_ISREG(mode) and mode & stat.S_IROTH else None


def _inside(folder: Path, path: str, store_url: str) -> Path:
    found = Path(os.path.normpath(folder / path.lstrip("/")))
    if "\0" in path or found == folder or not found.is_relative_to(folder):
        raise HypervisorError(f"{path!r} is no file in secondary storage {store_url}")
    return found


def _note(file: Path) -> Path:
    return file.with_name(f"{file.name}.checksum")


def _read_note(file: Path) -> PackedNote | None:
    try:
        return msgspec.json.decode(_note(file).read_bytes(), type=PackedNote)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
