"""Downloading public traces: to a temporary name, within a limit, checked, and unpacked, or nothing is left of them."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO

from cloudsim.experiment.traces.known import Download

CHUNK = 1 << 20
TIMEOUT_S = 30.0
Progress = Callable[[int, int | None], None]
"""Called with the bytes that have come, and how many there will be if that is known."""


class FetchError(Exception):
    """A file that could not be had; the text says from where and why."""


def fetch(download: Download, folder: Path, limit: int, progress: Progress) -> tuple[list[Path], str]:
    """Download a file into `folder`; returns what is there now, and the download's SHA-256.

    Raises FetchError if none of its addresses answers, it has more than `limit` bytes, or is not the file expected.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{download.name}.part"
    try:
        digest = _download(download, part, limit, progress)
        if not download.unpack:
            os.replace(part, folder / download.name)
            return [folder / download.name], digest
        return _unpacked(download, part, folder, limit), digest
    finally:
        part.unlink(missing_ok=True)


def _download(download: Download, part: Path, limit: int, progress: Progress) -> str:
    reasons = []
    for url in download.urls:
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
                return _write(download, url, answer, part, limit, progress)
        except urllib.error.HTTPError as error:
            reasons.append(f"{url}: {error.code} {error.reason}")
        except (OSError, ValueError) as error:
            reasons.append(f"{url}: {getattr(error, 'reason', None) or error}")
    raise FetchError("\n".join(reasons))


def _write(
    download: Download, url: str, answer: IO[bytes], part: Path, limit: int, progress: Progress
) -> str:
    told = getattr(answer, "headers", {}).get("Content-Length")
    size = int(told) if told and told.isdigit() else None
    digest, came = hashlib.sha256(), 0
    with part.open("wb") as file:
        while data := answer.read(CHUNK):
            came += len(data)
            if came > limit or (size or 0) > limit:
                raise FetchError(f"{url}: has more than {limit:,} bytes; --limit allows more")
            digest.update(data)
            file.write(data)
            progress(came, size)
    if came != (size if size is not None else came) or (download.size or came) != came:
        raise FetchError(f"{url}: expected {download.size or size:,} bytes, got {came:,}")
    if download.sha256 and digest.hexdigest() != download.sha256:
        raise FetchError(f"{url}: expected the SHA-256 {download.sha256}, got {digest.hexdigest()}")
    return digest.hexdigest()


def _unpacked(download: Download, archive: Path, folder: Path, limit: int) -> list[Path]:
    written: list[Path] = []
    left = 20 * limit
    try:
        for name, content in _members(archive):
            if not fnmatch.fnmatch(name, download.unpack):
                continue
            kept = PurePosixPath(name).parts[-download.keep :]
            if any(part in ("", ".", "..", "/") for part in kept):
                raise FetchError(f"{download.name}: expected plain names in the archive, got {name!r}")
            path = folder.joinpath(*kept)
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.part")
            try:
                with content, temporary.open("wb") as file:
                    shutil.copyfileobj(content, file, CHUNK)
                left -= temporary.stat().st_size
                if left < 0:
                    raise FetchError(f"{download.name}: unpacks to more than {20 * limit:,} bytes")
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
            written.append(path)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise FetchError(f"{download.name}: {error}") from error
    if not written:
        raise FetchError(f"{download.name}: expected {download.unpack} in the archive, found none")
    return written


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The files of an archive: their names and contents."""
    if zipfile.is_zipfile(archive):
        with closing(zipfile.ZipFile(archive)) as zipped:
            for info in zipped.infolist():
                if not info.is_dir():
                    yield info.filename, zipped.open(info)
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is not None:
                yield member.name, content
