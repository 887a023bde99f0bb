"""The programs that a build runs: which Debian package has each, and how they are called."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from backends.images.errors import ImageError

EPOCH = 1_577_836_800
"""The time (Unix seconds, the start of 2020) of everything in an image, so that builds are alike."""

SEARCH = (*os.get_exec_path(), "/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where programs are looked for: makers of file systems are no everyday programs, and sit in sbin."""

PACKAGES = {
    "apt-cache": "apt",
    "apt-get": "apt",
    "debugfs": "e2fsprogs",
    "dpkg": "dpkg",
    "dpkg-deb": "dpkg",
    "dpkg-query": "dpkg",
    "mcopy": "mtools",
    "mke2fs": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mmdebstrap": "mmdebstrap",
    "qemu-img": "qemu-utils",
    "syslinux": "syslinux",
}
"""By program, the package that has it."""

MASTER_BOOT_RECORDS = tuple(Path("/usr/lib") / at for at in ("syslinux/mbr/mbr.bin", "SYSLINUX/mbr.bin"))
"""Where the package syslinux-common may have put the boot code of a disk."""


def find(program: str) -> str | None:
    """The program's path, or None if this machine does not have it."""
    return shutil.which(program, path=os.pathsep.join(SEARCH))


def master_boot_record() -> Path | None:
    """The file with a disk's boot code, or None if this machine does not have it."""
    return next((path for path in MASTER_BOOT_RECORDS if path.is_file()), None)


def require(programs: Iterable[str]) -> None:
    """Raise an ImageError that names all missing packages, if there are any. syslinux needs its boot code."""
    wanted = list(programs)
    missing = {PACKAGES[program] for program in wanted if find(program) is None}
    if "syslinux" in wanted and master_boot_record() is None:
        missing.add("syslinux-common")
    if missing:
        names = " ".join(sorted(missing))
        raise ImageError(
            f"Debian packages are missing: {names}\n"
            f"Install them: sudo apt-get install --no-install-recommends {names}"
        )


def run(
    what: str,
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    text: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> str:
    """Run a program with `text` as its input; what it prints. `what` says in an error what was being done."""
    return completed(what, command, cwd=cwd, text=text, extra=extra).stdout


def completed(
    what: str,
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    text: str | None = None,
    extra: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """As `run`, with what the program said on its error channel."""
    program = find(str(command[0]))
    if program is None:
        require([str(command[0])])
    try:
        return subprocess.run(
            [program or "", *map(str, command[1:])],
            cwd=cwd,
            input=text if text is not None else "",
            env=_environment() | dict(extra or {}),
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip() or error.stdout.strip() or "it said nothing")[-2000:]
        raise ImageError(f"{what}: {command[0]} failed with status {error.returncode}: {said}") from error


def _environment() -> dict[str, str]:
    """The caller's environment, without what would make one machine's build differ from another's."""
    return os.environ | {
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PATH": os.pathsep.join(SEARCH),
        "SOURCE_DATE_EPOCH": str(EPOCH),
        "E2FSPROGS_FAKE_TIME": str(EPOCH),
        "MKE2FS_CONFIG": os.devnull,
        "MTOOLSRC": os.devnull,
    }
