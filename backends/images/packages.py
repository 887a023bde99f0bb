"""Debian packages as material: found and downloaded with apt, unpacked, never installed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from backends.images.errors import ImageError
from backends.images.tools import run


@dataclass(frozen=True)
class Package:
    """A package that apt can download: the candidate that it would install."""

    name: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """Its file's name in a cache. The hash is in it: a version may be built twice."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.sha256[:12]}.deb"


def candidates(names: Iterable[str]) -> dict[str, Package]:
    """What apt has under these names. Raises ImageError for one that it cannot download."""
    wanted = sorted(set(names))
    try:
        text = run("looking for packages", ["apt-cache", "show", "--no-all-versions", *wanted])
    except ImageError:
        text = ""  # it fails if it knows none of them
    found = parse_records(text)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ImageError(
            f"apt has no package {', '.join(missing)} to download. "
            "The host must be Debian on amd64, with its package lists up to date: sudo apt-get update"
        )
    return {name: found[name] for name in wanted}


def parse_records(text: str) -> dict[str, Package]:
    """Packages by name, from what `apt-cache show` prints. Those not in an archive are left out."""
    found: dict[str, Package] = {}
    for record in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", record, re.MULTILINE))
        if {"Package", "Version", "SHA256", "Filename"} <= fields.keys():
            package = Package(fields["Package"], fields["Version"], fields["SHA256"])
            found.setdefault(package.name, package)
    return found


def closure(names: Iterable[str], follow: re.Pattern[str]) -> dict[str, Package]:
    """These packages, and all that they depend on whose names `follow` matches, and so on."""
    wanted = sorted(set(names))
    kinds = ("suggests", "recommends", "conflicts", "breaks", "replaces", "enhances")
    command = ["apt-cache", "depends", "--recurse", *(f"--no-{kind}" for kind in kinds), *wanted]
    try:
        needs = parse_depends(run("looking for packages", command))
    except ImageError:
        needs = {}  # it knows not one of them, which `candidates` says
    found = set(wanted)
    while wanted:
        wanted = [
            name for name in needs.get(wanted.pop(), ()) if follow.match(name) and name not in found
        ] + wanted
        found |= set(wanted)
    return candidates(found)


def parse_depends(text: str) -> dict[str, list[str]]:
    """By package, what it depends on, from what `apt-cache depends` prints; of alternatives the first."""
    found: dict[str, list[str]] = {}
    name, alternative = "", False
    for line in text.splitlines():
        if match := re.fullmatch(r" ([ |])(?:Pre)?Depends: (\S+)", line):
            if not alternative:
                found[name].append(match[2])
            alternative = match[1] == "|"
        elif not line.startswith(" "):
            name, alternative = line, False
            found[name] = []
    return found


def download(packages: Iterable[Package], folder: Path, scratch: Path) -> list[Path]:
    """The packages' files in `folder`, downloaded where they are not there yet, each checked by its hash.

    They come by way of a new folder `scratch` on the same file system: others may download the same.
    """
    packages = list(packages)
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / package.file for package in packages]
    missing = [(package, file) for package, file in zip(packages, files, strict=True) if not file.is_file()]
    if missing:
        scratch.mkdir()
        _fetch(missing, scratch)
    return files


def _fetch(wanted: list[tuple[Package, Path]], folder: Path) -> None:
    # Root's apt downloads as a user who may not write here, and warns. The files are checked below.
    command = ["apt-get", "--quiet", "--option", "APT::Sandbox::User=root", "download"]
    run(
        "downloading packages (sudo apt-get update may help)",
        [*command, *(f"{package.name}={package.version}" for package, _ in wanted)],
        cwd=folder,
    )
    by_hash = {hashlib.sha256(file.read_bytes()).hexdigest(): file for file in folder.glob("*.deb")}
    for package, file in wanted:
        if package.sha256 not in by_hash:
            raise ImageError(
                f"package {package.name} {package.version} came with another hash than its list says"
            )
        by_hash[package.sha256].replace(file)


def unpack(files: Iterable[Path], folder: Path) -> None:
    """All the files of these packages, together below `folder`."""
    folder.mkdir(parents=True)
    for file in files:
        run(f"unpacking {file.name}", ["dpkg-deb", "--extract", file, folder])


def installed_versions(names: Iterable[str]) -> dict[str, str]:
    """Versions of this machine's packages, by name: a build's result depends on its tools."""
    command = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}\n", *sorted(set(names))]
    return dict(line.split(" ", 1) for line in run("asking for versions", command).splitlines())


def architecture() -> str:
    """This machine's, as Debian calls it."""
    return run("asking for the architecture", ["dpkg", "--print-architecture"]).strip()
